//! How much memory the system lets this process have, on Linux; elsewhere nothing is known.

use std::path::{Path, PathBuf};

/// A size in bytes from one of Linux's accounts in KiB, by its line.
pub fn linux(account: &str, line: &str) -> Option<u64> {
    kib(Path::new(account), line)
}

fn kib(account: &Path, line: &str) -> Option<u64> {
    Some(word(account, line)?.parse::<u64>().ok()? * 1024)
}

/// The first word after the beginning of a line.
fn word(account: &Path, line: &str) -> Option<String> {
    let text = std::fs::read_to_string(account).ok()?;
    Some(text.lines().find_map(|l| l.strip_prefix(line))?.split_whitespace().next()?.to_owned())
}

/// Bytes of this process that are in memory now.
pub(super) fn resident() -> u64 {
    linux("/proc/self/status", "VmRSS:").unwrap_or(0)
}

/// Bytes that can be had beside those that are held, without swapping.
pub(super) fn free() -> Option<u64> {
    linux("/proc/meminfo", "MemAvailable:")
}

/// Bytes that `ulimit -v` (RLIMIT_AS) leaves.
pub(super) fn address_space() -> Option<u64> {
    left_of("Max address space", "VmSize:")
}

/// Bytes that `ulimit -d` (RLIMIT_DATA) leaves.
pub(super) fn data_segment() -> Option<u64> {
    left_of("Max data size", "VmData:")
}

fn left_of(limit: &str, taken: &str) -> Option<u64> {
    let limit: u64 = word(Path::new("/proc/self/limits"), limit)?.parse().ok()?;
    Some(limit.saturating_sub(linux("/proc/self/status", taken)?))
}

/// Bytes that the control groups of this process leave, version 1 or 2: the least over the group and all around it.
pub(super) fn control_group() -> Option<u64> {
    control_group_below(Path::new("/"))
}

/// The same in a tree of files that stands for the system's.
fn control_group_below(root: &Path) -> Option<u64> {
    let groups = std::fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    let mounts = std::fs::read_to_string(root.join("proc/self/mountinfo")).ok()?;
    let [one, two] = [mount(&mounts, "cgroup", "memory"), mount(&mounts, "cgroup2", "")];
    // number:controllers:path
    let left = groups.lines().filter_map(|line| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        let (mount, names) = match controllers {
            "" => (two.as_ref()?, &TWO),
            names if names.split(',').any(|name| name == "memory") => (one.as_ref()?, &ONE),
            _ => return None,
        };
        mount.groups(root, path).iter().filter_map(|group| names.left(group)).min()
    });
    left.min()
}

/// How the files of a version are named.
struct Names {
    limit: &'static str,
    taken: &'static str,
    /// what of that is files that can be dropped, in `memory.stat`
    droppable: &'static str,
}

const ONE: Names =
    Names { limit: "memory.limit_in_bytes", taken: "memory.usage_in_bytes", droppable: "total_inactive_file " };
const TWO: Names = Names { limit: "memory.max", taken: "memory.current", droppable: "inactive_file " };

impl Names {
    /// Bytes that a group leaves; `None` where it has no limit.
    fn left(&self, group: &Path) -> Option<u64> {
        let number = |file| word(&group.join(file), "")?.parse::<u64>().ok();
        let droppable = word(&group.join("memory.stat"), self.droppable).and_then(|n| n.parse().ok()).unwrap_or(0);
        let taken = number(self.taken).unwrap_or(0).saturating_sub(droppable);
        Some(number(self.limit)?.saturating_sub(taken))
    }
}

/// Where a hierarchy of control groups is seen.
struct Mount {
    /// the group that is seen there
    root: String,
    /// directory
    place: PathBuf,
}

/// The first mount of this kind whose options name the controller.
fn mount(mounts: &str, kind: &str, controller: &str) -> Option<Mount> {
    // id parent device root place options [fields] - kind source options
    mounts.lines().find_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        let (before, after): (Vec<&str>, Vec<&str>) = (before.split(' ').collect(), after.split(' ').collect());
        let named = controller.is_empty() || after.get(2)?.split(',').any(|option| option == controller);
        (*after.first()? == kind && named).then_some(())?;
        Some(Mount { root: (*before.get(3)?).into(), place: before.get(4)?.into() })
    })
}

impl Mount {
    /// The directories of the group of this path and of all around it that are seen.
    fn groups(&self, root: &Path, path: &str) -> Vec<PathBuf> {
        let top = root.join(self.place.strip_prefix("/").unwrap_or(&self.place));
        // in a container the path may be told from the outside, of which only the mount's root is seen
        let inside = Path::new(path).strip_prefix(&self.root).unwrap_or(Path::new(""));
        let ups = inside.components().any(|part| part == std::path::Component::ParentDir);
        let lowest = if ups { top.clone() } else { top.join(inside) };
        lowest.ancestors().take_while(|group| group.starts_with(&top)).map(Path::to_path_buf).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{create_dir_all, write};

    /// The files of a system: path, content.
    fn left(files: &[(&str, &str)]) -> Option<u64> {
        let place = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = place.path().join(path);
            create_dir_all(path.parent().unwrap()).unwrap();
            write(path, content).unwrap();
        }
        control_group_below(place.path())
    }

    const MOUNT_2: (&str, &str) =
        ("proc/self/mountinfo", "29 23 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n");

    #[test]
    fn version_2_and_its_parents() {
        let group = ("proc/self/cgroup", "0::/user/job\n");
        let own = [("sys/fs/cgroup/user/job/memory.max", "max\n"), ("sys/fs/cgroup/user/job/memory.current", "5\n")];
        assert_eq!(left(&[MOUNT_2, group, own[0], own[1]]), None, "no limit anywhere");
        let parent = [
            ("sys/fs/cgroup/user/memory.max", "1000\n"),
            ("sys/fs/cgroup/user/memory.current", "700\n"),
            ("sys/fs/cgroup/user/memory.stat", "anon 5\ninactive_file 100\n"),
        ];
        assert_eq!(left(&[&[MOUNT_2, group], &own[..], &parent[..]].concat()), Some(400));
        let tighter = ("sys/fs/cgroup/user/job/memory.max", "305\n");
        assert_eq!(left(&[&[MOUNT_2, group, tighter, own[1]], &parent[..]].concat()), Some(300));
    }

    #[test]
    fn version_1_beside_version_2() {
        let mounts = "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n\
                      35 31 0:32 /box /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                      41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
        let files = [
            ("proc/self/mountinfo", mounts),
            ("proc/self/cgroup", "5:cpu:/\n4:memory:/box/a\n0::/\n"),
            ("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "9223372036854771712\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "4096\n"),
            ("sys/fs/cgroup/memory/memory.usage_in_bytes", "96\n"),
        ];
        assert_eq!(left(&files), Some(4000));
        // of a group that is told from outside only the mount itself is seen
        let outside =
            files.map(|(path, text)| (path, if path.ends_with("cgroup") { "4:memory:/other\n" } else { text }));
        assert_eq!(left(&outside), Some(4000));
        assert_eq!(left(&[]), None);
    }
}
