//! Directories of results: nothing of an old run stays in one, and nobody else works there meanwhile.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use ntkscope::files::DirectoryLock;
use ntkscope::run::result_paths;

use crate::Place;

/// Commands that leave different sets of files.
const KINDS: [&str; 5] = [
    "run --width 4 --until-time 1 --snapshots 3 --loss both --profile circle --quiet",
    "run --width 4 --until-time 1 --snapshots 3 --loss mse --profile circle --quiet",
    "run --width 4 --until-time 1 --snapshots 3 --loss mse --predictions false --quiet",
    "run --width 4 --until-time 1 --snapshots 3 --loss cross-entropy --penalty 0.5 --quiet",
    "smoothness --data sphere --n 20 --depth 1 --draws 2 --window 2..8 --quiet",
];

impl Place {
    /// Every file below `name`, as a path from there.
    fn files(&self, name: &str) -> BTreeSet<PathBuf> {
        let root = self.path(name);
        let all = self.content().into_iter().filter(|(_, content)| content.is_some());
        all.filter_map(|(path, _)| path.strip_prefix(&root).ok().map(Path::to_path_buf)).collect()
    }
}

#[test]
fn nothing_of_an_old_run_stays_beside_a_new_one() {
    let place = Place::new();
    let alone: Vec<_> = (0..KINDS.len())
        .map(|k| {
            place.succeed(&format!("{} --out alone{k}", KINDS[k]));
            place.files(&format!("alone{k}"))
        })
        .collect();
    let layout: BTreeSet<_> = result_paths(Path::new("")).into_iter().collect();
    for files in &alone {
        let beyond: Vec<_> = files.difference(&layout).collect();
        assert!(beyond.is_empty(), "written, but not in the layout: {beyond:?}");
    }
    let written: BTreeSet<_> = alone.iter().flatten().cloned().collect();
    let strangers: BTreeSet<PathBuf> =
        ["notes.txt", "figures/mine.svg", "mse/notes.txt", "trace.csv.bak"].map(PathBuf::from).into();
    for (first, old) in alone.iter().enumerate() {
        for (second, new) in alone.iter().enumerate() {
            let _ = fs::remove_dir_all(place.path("o"));
            // what the first left, by copying: running it again would say nothing more
            for name in old {
                fs::create_dir_all(place.path("o").join(name).parent().unwrap()).unwrap();
                fs::copy(place.path(format!("alone{first}")).join(name), place.path("o").join(name)).unwrap();
            }
            strangers.iter().for_each(|name| drop(place.file(&format!("o/{}", name.display()), "kept")));
            place.succeed(&format!("{} --out o --force", KINDS[second]));
            let expected: BTreeSet<_> = new.union(&strangers).cloned().collect();
            assert_eq!(place.files("o"), expected, "{first} then {second}");
        }
    }
    assert!(written.len() > 20);
}

/// A replaced file's mode and owner are handed on in a directory too, and links there are followed.
#[test]
fn a_replaced_directory_keeps_modes_and_links() {
    let place = Place::new();
    let line = "run --width 4 --until-time 1 --snapshots 3 --loss mse --quiet --out o --force";
    place.succeed(line);
    fs::set_permissions(place.path("o/trace.csv"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::rename(place.path("o/kernels.npz"), place.path("elsewhere.npz")).unwrap();
    symlink("../elsewhere.npz", place.path("o/kernels.npz")).unwrap();
    let before = place.bytes("elsewhere.npz");
    place.succeed(&format!("{line} --seed 5"));
    assert_eq!(fs::metadata(place.path("o/trace.csv")).unwrap().mode() & 0o777, 0o600);
    assert_eq!(fs::read_link(place.path("o/kernels.npz")).unwrap(), Path::new("../elsewhere.npz"));
    assert_ne!(place.bytes("elsewhere.npz"), before);
    // before anything is removed, all is looked at
    fs::remove_file(place.path("o/report.html")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(place.path("o/report.html")).status().unwrap().success());
    let files = |place: &Place| [place.bytes("o/trace.csv"), place.bytes("o/run.toml")];
    let kept = files(&place);
    let done = place.run(line.split_whitespace());
    assert_eq!(done.code, 2, "{}", done.stderr);
    assert!(done.stderr.contains("report.html") && files(&place) == kept, "{}", done.stderr);
    fs::remove_file(place.path("o/report.html")).unwrap();
    fs::remove_dir_all(place.path("o/figures")).unwrap();
    place.file("o/figures", "a file where a directory belongs");
    place.refuse(line, 2, &["--out"]);
}

#[test]
fn of_many_starts_at_once_one_has_the_directory() {
    let place = Place::new();
    let line = "run --width 4 --until-time 1 --snapshots 3 --loss mse --quiet --predictions false";
    let alone: Vec<_> = (1..=4)
        .map(|seed| {
            place.succeed(&format!("{line} --seed {seed} --out alone{seed}"));
            ["trace.csv", "params.npz", "kernels.npz"].map(|name| place.bytes(format!("alone{seed}/{name}")))
        })
        .collect();
    for round in 0..5 {
        let _ = fs::remove_dir_all(place.path("o"));
        let start = |seed: usize| {
            let mut command = place.command(format!("{line} --seed {seed} --out o").split_whitespace());
            command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let started: Vec<_> = (1..=4).map(start).collect();
        let ended: Vec<_> = started.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
        let mut codes: Vec<_> = ended.iter().map(|output| output.status.code()).collect();
        let winner = codes.iter().position(|code| *code == Some(0)).expect("one is done");
        let files = ["trace.csv", "params.npz", "kernels.npz"].map(|name| place.bytes(format!("o/{name}")));
        assert!(files == alone[winner], "round {round}: the files are those of one run");
        codes.sort_unstable();
        assert_eq!(codes, [Some(0), Some(2), Some(2), Some(2)], "round {round}");
        for output in ended.iter().filter(|output| output.status.code() == Some(2)) {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(said.contains("in use") || said.contains("not empty"), "{said}");
        }
        let root = place.path("");
        let hidden = |path: &PathBuf| path.strip_prefix(&root).unwrap().to_string_lossy().contains("/.");
        assert!(!place.content().keys().any(hidden), "the lock leaves nothing");
    }
    // without --out each finds a directory of its own
    let start = || place.command(line.split_whitespace()).stdout(Stdio::null()).spawn().unwrap();
    let started: Vec<_> = (0..4).map(|_| start()).collect();
    started.into_iter().for_each(|mut child| assert!(child.wait().unwrap().success()));
    assert_eq!(fs::read_dir(place.path("runs")).unwrap().count(), 4);
}

#[test]
fn a_directory_in_use_is_refused_by_every_command() {
    let place = Place::new();
    let lock = DirectoryLock::create(&place.path("o")).unwrap();
    let study = "reproduce divergence --only six-points --network fcn --widths 4 --seeds 1";
    for command in [KINDS[0], KINDS[4], study] {
        for force in ["", "--force"] {
            if command == study && !force.is_empty() {
                continue;
            }
            place.refuse(&format!("{command} --out o {force}"), 2, &["in use", "--out"]);
        }
    }
    let inside = DirectoryLock::create(&place.path("p/mse")).unwrap();
    place.file("p/notes.txt", "kept");
    place.refuse(&format!("{} --out p --force", KINDS[0]), 2, &["in use"]);
    drop((lock, inside));
    place.succeed(&format!("{} --out o", KINDS[1]));
}

/// What killed processes have left goes with the next call in that directory; names that only look like it stay.
#[test]
fn leftovers_are_removed_by_the_next_call() {
    let place = Place::new();
    let names = |k: u32| format!(".ntkscope-{k:016x}.tmp");
    let leave = |place: &Place| {
        for directory in ["", "o/", "o/figures/", "o/mse/"] {
            place.file(&format!("{directory}{}", names(1)), "left");
            place.file(&format!("{directory}{}/trace.csv", names(2)), "left");
        }
    };
    leave(&place);
    symlink("nowhere", place.path(names(3))).unwrap();
    place.succeed("kernel analytic --quiet --out K.npz");
    place.succeed(&format!("{} --out o --force", KINDS[2]));
    let is_left = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().ends_with(".tmp");
    let left: Vec<_> = place.content().into_keys().filter(|path| is_left(path) && !path.is_symlink()).collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(fs::symlink_metadata(place.path(names(3))).unwrap().is_symlink());
    assert!(!place.path("o/mse").exists(), "nothing else was in it");
    // a directory with nothing but leftovers is empty
    place.file(&format!("p/{}", names(4)), "left");
    place.succeed(&format!("{} --out p", KINDS[2]));
}
