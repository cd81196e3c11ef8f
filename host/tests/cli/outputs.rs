//! Every output of every command: what it may replace, how its name must end, and that it is nothing else of the same call.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use crate::{Done, Place};

/// Commands that write a file, the flag that names it, and the endings that it may have.
const FLAGS: [(&str, &str, &[&str]); 4] = [
    ("kernel analytic --quiet", "--out", &["npz", "npy"]),
    ("kernel empirical --width 4 --quiet", "--out", &["npz", "npy"]),
    ("kernel empirical --width 4 --quiet", "--params-out", &["npz"]),
    ("predict --loss mse --held-out 2 --quiet", "--out", &["npz", "csv"]),
];

impl Place {
    fn try_line(&self, line: &str) -> Done {
        self.run(line.split_whitespace())
    }
    /// Names in the directory, hidden ones too.
    fn names(&self, name: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(name)).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Whether these bytes are what the ending says.
fn is_format(bytes: &[u8], ending: &str) -> bool {
    match ending.to_ascii_lowercase().as_str() {
        "npz" => bytes.starts_with(b"PK"),
        "npy" => bytes.starts_with(b"\x93NUMPY"),
        _ => bytes.starts_with(b"mean"),
    }
}

#[test]
fn each_kind_of_file_under_each_flag() {
    for (command, flag, endings) in FLAGS {
        let place = Place::new();
        let name = format!("R.{}", endings[0]);
        let line = format!("{command} {flag} d/{name}");
        let path = place.path(format!("d/{name}"));
        let aim = place.path("aim");
        let fresh = || {
            for directory in ["d", "aim"] {
                let _ = fs::remove_dir_all(place.path(directory));
                fs::create_dir(place.path(directory)).unwrap();
            }
        };
        let is_new = |path: &Path| is_format(&fs::read(path).unwrap(), endings[0]);

        fresh();
        assert_eq!(place.try_line(&line).code, 0, "{line}: a new file");
        assert!(is_new(&path) && place.names("d") == [name.as_str()]);

        // mode and owner are handed on
        for mode in [0o600, 0o640, 0o444 | 0o200] {
            fs::write(&path, "old").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let superuser = fs::metadata(&path).unwrap().uid() == 0;
            if superuser {
                std::os::unix::fs::chown(&path, Some(12345), Some(54321)).unwrap();
            }
            assert_eq!(place.try_line(&line).code, 0, "{line}: mode {mode:o}");
            let found = fs::metadata(&path).unwrap();
            assert!(is_new(&path));
            assert_eq!(found.mode() & 0o7777, mode, "{line}");
            assert!(!superuser || (found.uid(), found.gid()) == (12345, 54321), "{line}");
        }

        // links are followed, to a file that is there and to one that is not
        for (link, there) in [("../aim/f", true), ("../aim/f", false), ("step", true)] {
            fresh();
            symlink(link, &path).unwrap();
            if link == "step" {
                symlink(aim.join("f"), place.path("d/step")).unwrap();
            }
            if there {
                fs::write(aim.join("f"), "old").unwrap();
            }
            assert_eq!(place.try_line(&line).code, 0, "{line}: link {link}");
            assert_eq!(fs::read_link(&path).unwrap(), Path::new(link));
            assert!(is_new(&aim.join("f")) && place.names("aim") == ["f"], "{line}: link {link}");
        }

        // what is no file stays what it is, directly and behind a link
        for linked in [false, true] {
            for kind in ["pipe", "socket", "directory", "circle"] {
                fresh();
                let at = if linked { aim.join("x") } else { path.clone() };
                match kind {
                    "pipe" => fifo(&at),
                    "socket" => drop(std::os::unix::net::UnixListener::bind(&at).unwrap()),
                    "directory" => fs::create_dir(&at).unwrap(),
                    _ => symlink(&at, &at).unwrap(),
                }
                if linked {
                    symlink(&at, &path).unwrap();
                }
                let before = fs::symlink_metadata(&at).unwrap();
                let done = place.try_line(&line);
                assert_eq!(done.code, 2, "{line}: {kind}: {}", done.stderr);
                assert!(done.stderr.contains(flag) && done.stderr.lines().count() == 1, "{}", done.stderr);
                let after = fs::symlink_metadata(&at).unwrap();
                assert_eq!((before.ino(), before.file_type()), (after.ino(), after.file_type()), "{line}: {kind}");
                assert!(kind != "pipe" || after.file_type().is_fifo());
                assert!(place.names("d") == [name.as_str()], "{line}: {kind}");
            }
        }

        // without permission to write, whoever asks
        fresh();
        fs::write(&path, "kept").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
        let done = place.try_line(&line);
        assert_eq!(done.code, 4, "{line}: {}", done.stderr);
        assert_eq!(fs::read(&path).unwrap(), b"kept");
    }
}

#[test]
fn the_ending_says_what_is_written() {
    for (command, flag, endings) in FLAGS {
        let place = Place::new();
        for ending in ["npz", "NPZ", "Npz", "npy", "NPY", "csv", "Csv", "txt", "npz.bak", "safetensors", ""] {
            let name = if ending.is_empty() { "R".into() } else { format!("R.{ending}") };
            let line = format!("{command} {flag} {name}");
            if endings.contains(&ending.to_ascii_lowercase().as_str()) {
                place.succeed(&line);
                assert!(is_format(&place.bytes(&name), ending), "{line}");
                fs::remove_file(place.path(name)).unwrap();
            } else {
                place.refuse(&line, 2, &[flag, endings[0]]);
            }
        }
        place.refuse(&format!("{command} {flag} R.{}/", endings[0]), 2, &[flag]);
    }
}

#[test]
fn names_as_long_as_the_system_allows() {
    for (command, flag, endings) in FLAGS {
        let place = Place::new();
        let ending = endings[0];
        let name = |bytes: usize| format!("{}.{ending}", "n".repeat(bytes - ending.len() - 1));
        for bytes in [240, 249, 255] {
            place.succeed(&format!("{command} {flag} {}", name(bytes)));
            assert!(is_format(&place.bytes(name(bytes)), ending));
        }
        place.refuse(&format!("{command} {flag} {}", name(256)), 2, &[flag]);
    }
}

/// Every pair of an output and another path of the same call, under every kind of second name for one file.
#[test]
fn no_output_is_anything_else_of_the_same_call() {
    let place = Place::new();
    place.file("x.csv", "0,1,0\n1,0,1\n1,1,0\n-1,0,1\n");
    place.succeed("kernel empirical --width 4 --init standard --data x.csv --out D.npz --params-out P.npz --quiet");
    place.succeed("kernel analytic --data x.csv --out C.npz --quiet");
    place.file("s.toml", "width = 4\n");
    // command, outputs with an ending, inputs
    let calls = [
        ("kernel empirical --width 4 --init standard", &["--out", "--params-out"][..], &["--data", "--params"][..]),
        ("kernel analytic", &["--out"], &["--data"]),
        ("predict --loss mse --held-out 1", &["--out"], &["--data"]),
        ("predict --loss mse", &["--out"], &["--test"]),
    ];
    let content = |flag: &str| if flag == "--params" { "P.npz" } else { "D.npz" };
    for (command, outputs, inputs) in calls {
        for (k, output) in outputs.iter().enumerate() {
            for other in outputs[k + 1..].iter().chain(inputs) {
                for way in ["same", "dot", "up", "link", "hard", "absolute", "linked directory"] {
                    let _ = fs::remove_dir_all(place.path("w"));
                    fs::create_dir(place.path("w")).unwrap();
                    fs::copy(place.path(content(other)), place.path("w/f.npz")).unwrap();
                    let second = match way {
                        "same" => "w/f.npz".into(),
                        "dot" => "./w/./f.npz".into(),
                        "up" => "w/../w/f.npz".into(),
                        "absolute" => place.arg("w/f.npz"),
                        "link" => {
                            symlink("f.npz", place.path("w/l.npz")).unwrap();
                            "w/l.npz".into()
                        }
                        "hard" => {
                            fs::hard_link(place.path("w/f.npz"), place.path("w/h.npz")).unwrap();
                            "w/h.npz".into()
                        }
                        _ => {
                            symlink(".", place.path("w/here")).unwrap();
                            "w/here/f.npz".into()
                        }
                    };
                    place.refuse(
                        &format!("{command} {output} {second} {other} w/f.npz"),
                        2,
                        &[output, "the same file"],
                    );
                }
            }
        }
    }
    // two outputs that are not there yet
    let both = "kernel empirical --width 4 --out w/new.npz --params-out";
    fs::remove_dir_all(place.path("w")).unwrap();
    fs::create_dir(place.path("w")).unwrap();
    symlink("new.npz", place.path("w/to-new.npz")).unwrap();
    for second in ["w/new.npz", "w/../w/new.npz", "w/to-new.npz"] {
        place.refuse(&format!("{both} {second}"), 2, &["--params-out", "--out", "the same file"]);
    }
}

/// A directory's files are outputs too: none of them is an input, under any name that is written there.
#[test]
fn no_input_lies_where_a_directory_is_replaced() {
    let place = Place::new();
    for path in ntkscope::run::result_paths(Path::new("o")) {
        let ending = path.extension().unwrap().to_str().unwrap().to_owned();
        let name = path.to_str().unwrap().to_owned();
        match ending.as_str() {
            "csv" => drop(place.file(&name, "0,1,0\n1,0,1\n1,1,0\n-1,0,1\n")),
            "npz" => {
                fs::create_dir_all(path.parent().map(|p| place.path(p)).unwrap()).unwrap();
                place.succeed(&format!("kernel analytic --out {name} --quiet"));
            }
            "toml" => drop(place.file(&name, "width = 4\n")),
            _ => continue,
        }
        if ending == "toml" {
            place.refuse(&format!("run {name} --out o --force"), 2, &["--out", "the same file"]);
        } else {
            for command in ["run", "smoothness --window 1..4"] {
                place.refuse(
                    &format!("{command} --data {name} --out o --force"),
                    2,
                    &["--out", "--data", "the same file"],
                );
            }
        }
        fs::remove_dir_all(place.path("o")).unwrap();
    }
}
