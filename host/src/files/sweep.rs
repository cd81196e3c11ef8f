//! Removes what dead processes have left under temporary names.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::identity::is_at;
use super::temporary::is_temporary;

/// Removes every temporary file and directory of this program in `directory` whose process has ended; looks once in the
/// life of this process, while its other threads wait. What cannot be removed stays for the next.
///
/// Nothing is removed in a directory that is shared with other machines, see `spare`.
pub fn sweep(directory: &Path) {
    static SWEPT: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    let mut swept = SWEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if swept.insert(directory.into()) && !is_spared(directory) {
        remove_leftovers(directory);
    }
}

/// Directories that are shared with other machines.
static SPARED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Leaves alone what is in this directory, and below, for the rest of this process's life: what looks like a leftover there may
/// belong to a process of another machine, whose lock this one need not see.
pub(super) fn spare(directory: &Path) {
    let mut spared = SPARED.lock().unwrap_or_else(PoisonError::into_inner);
    spared.extend(fs::canonicalize(directory));
}

fn is_spared(directory: &Path) -> bool {
    let spared = SPARED.lock().unwrap_or_else(PoisonError::into_inner);
    fs::canonicalize(directory).is_ok_and(|directory| spared.iter().any(|shared| directory.starts_with(shared)))
}

fn remove_leftovers(directory: &Path) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if is_temporary(&entry.file_name()) {
            let _ = remove_leftover(&entry.path());
        }
    }
}

/// Removes the file or directory, if its lock is free: its process is dead then. Links, pipes and what else has such a
/// name are nothing of ours.
fn remove_leftover(path: &Path) -> io::Result<()> {
    let found = fs::symlink_metadata(path)?;
    if !found.is_file() && !found.is_dir() {
        return Ok(());
    }
    let handle = open_itself(path)?;
    // without the lock it belongs to a process that lives, or the system cannot tell
    if handle.try_lock().is_err() || !is_at(&handle, path) {
        return Ok(());
    }
    if found.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
}

/// Opens what has this name, and never what it links to; a pipe that came in the meantime does not block.
#[cfg(target_os = "linux")]
fn open_itself(path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags, open};
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(open(path, flags, Mode::empty())?.into())
}

#[cfg(not(target_os = "linux"))]
fn open_itself(path: &Path) -> io::Result<File> {
    File::open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder full of names like ours: what is locked, or is neither file nor directory, stays; so does what links lead to.
    #[test]
    #[cfg(unix)]
    fn only_leftovers_of_dead_processes_go() {
        let place = tempfile::tempdir().unwrap();
        let name = |k: u32| place.path().join(format!(".ntkscope-{k:016x}.tmp"));
        fs::write(place.path().join("mine"), "kept").unwrap();
        fs::write(name(0), "left").unwrap();
        fs::create_dir(name(1)).unwrap();
        fs::write(name(1).join("trace.csv"), "left").unwrap();
        std::os::unix::fs::symlink(place.path().join("mine"), name(1).join("link")).unwrap();
        std::os::unix::fs::symlink("mine", name(2)).unwrap();
        std::os::unix::fs::symlink("nowhere", name(3)).unwrap();
        let alive = File::create(name(4)).unwrap();
        alive.try_lock().unwrap();
        fs::create_dir(name(5)).unwrap();
        let living = File::open(name(5)).unwrap();
        living.try_lock().unwrap();
        assert!(std::process::Command::new("mkfifo").arg(name(6)).status().unwrap().success());
        fs::write(place.path().join(".ntkscope-7.tmp"), "no name of ours").unwrap();
        sweep(place.path());
        let left: Vec<bool> = (0..7).map(|k| fs::symlink_metadata(name(k)).is_ok()).collect();
        assert_eq!(left, [false, false, true, true, true, true, true]);
        assert_eq!(fs::read(place.path().join("mine")).unwrap(), b"kept");
        assert!(place.path().join(".ntkscope-7.tmp").exists());
        drop((alive, living));
    }

    /// What may be another machine's stays.
    #[test]
    fn a_shared_directory_is_not_swept() {
        let place = tempfile::tempdir().unwrap();
        let left = place.path().join(format!("runs/.ntkscope-{:016x}.tmp", 1));
        fs::create_dir_all(&left).unwrap();
        spare(place.path());
        sweep(&place.path().join("runs"));
        assert!(left.exists());
    }

    /// Another process may sweep between the moments when something is made and when it is locked: then it is made again.
    #[test]
    fn what_is_being_made_is_not_lost_to_one_who_sweeps() {
        use super::super::{UnfinishedDirectory, write_atomic};
        use std::sync::atomic::{AtomicBool, Ordering};
        let (place, done) = (tempfile::tempdir().unwrap(), AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    remove_leftovers(place.path());
                }
            });
            for k in 0..300 {
                let directory = UnfinishedDirectory::create(&place.path().join("d")).unwrap();
                let written = fs::write(directory.path().join("t"), "kept");
                let committed = directory.commit();
                let atomic = write_atomic(&place.path().join("f"), b"kept");
                if written.is_err() || committed.is_err() || atomic.is_err() {
                    done.store(true, Ordering::Relaxed);
                    panic!("{k}: {written:?} {committed:?} {atomic:?}");
                }
            }
            done.store(true, Ordering::Relaxed);
        });
        assert_eq!(fs::read(place.path().join("d/t")).unwrap(), b"kept");
    }
}
