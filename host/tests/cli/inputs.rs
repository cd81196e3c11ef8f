//! What is given for a file and is none; paths in settings; sizes of messages.

use std::fs;

use crate::Place;
use crate::files::{digits, npz};

/// Every place where a file is given, with the ending that it needs and the exit code of one that cannot be used.
const INPUTS: [(&str, &str, i32); 10] = [
    ("data show --data", "csv", 3),
    ("data show --data", "npz", 3),
    ("data show --data", "npy", 3),
    ("kernel analytic --data", "csv", 3),
    ("predict --n 2 --test", "csv", 3),
    ("compare A.npz", "npz", 3),
    ("compare A.npz", "npy", 3),
    ("kernel empirical --params", "npz", 3),
    ("kernel empirical --params", "safetensors", 3),
    ("run --out o", "toml", 2),
];

#[cfg(unix)]
#[test]
fn what_is_no_file_is_refused_wherever_a_file_is_given() {
    let place = Place::new();
    place.succeed("kernel analytic --out A.npz");
    for (line, ending, code) in INPUTS {
        let name = |kind: &str| format!("{kind}.{ending}");
        let _ = fs::create_dir(place.path(name("folder")));
        place.refuse(&format!("{line} {}", name("folder")), code, &[&name("folder"), "is a directory"]);
        let _ = std::os::unix::fs::symlink("/dev/zero", place.path(name("endless")));
        let done = place.run(format!("{line} {}", name("endless")).split_whitespace());
        assert!(done.code == code && done.stderr.contains("is a device"), "{line}: {} {}", done.code, done.stderr);
        if !place.path(name("pipe")).exists() {
            assert!(std::process::Command::new("mkfifo").arg(place.path(name("pipe"))).status().unwrap().success());
        }
        // `refuse` would read the folder, and wait for what has no end
        let done = place.run(format!("{line} {}", name("pipe")).split_whitespace());
        assert!(
            done.code == code && done.stderr.contains("is a pipe"),
            "{line} {ending}: {} {}",
            done.code,
            done.stderr
        );
        fs::remove_file(place.path(name("pipe"))).unwrap();
        fs::remove_file(place.path(name("endless"))).unwrap();
    }
    for file in ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"] {
        digits(&place, "d", 5);
        fs::remove_file(place.path(format!("d/{file}.gz"))).unwrap();
        std::os::unix::fs::symlink("/dev/zero", place.path(format!("d/{file}"))).unwrap();
        let line = "data show --data mnist --data-dir d";
        let done = place.run(line.split_whitespace());
        assert!(done.code == 3 && done.stderr.contains("is a device"), "{}", done.stderr);
        fs::remove_file(place.path(format!("d/{file}"))).unwrap();
    }
}

#[test]
fn a_run_s_settings_run_again_from_any_directory() {
    let place = Place::new();
    place.file("sub/points.npz", npz(&[("x", &[2, 1], &[1.0, -1.0]), ("y", &[2], &[0.0, 1.0])]));
    digits(&place, "images", 6);
    let flags = "--width 16 --max-steps 2 --loss mse --quiet --out";
    place.succeed(&format!("run --data sub/points.npz {flags} o/points"));
    place.succeed(&format!("run --data mnist --data-dir images {flags} o/images"));
    for run in ["points", "images"] {
        let text = fs::read_to_string(place.path(format!("o/{run}/run.toml"))).unwrap();
        assert!(text.contains("../../"), "relative paths stay relative: {text}");
        let mut elsewhere = place.command(["run", &format!("../o/{run}/run.toml"), "--quiet", "--out", "../again"]);
        let output = elsewhere.current_dir(place.path("sub")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(place.bytes("again/trace.csv"), place.bytes(format!("o/{run}/trace.csv")));
        // and the same file again, so that nothing drifts
        assert_eq!(
            fs::read_to_string(place.path("again/run.toml")).unwrap().replace("\"../", "\"../../"),
            text,
            "{run}"
        );
        fs::remove_dir_all(place.path("again")).unwrap();
    }
    // the whole folder may be moved
    fs::rename(place.path("sub"), place.path("moved")).unwrap();
    place.file("moved/run.toml", "data = \"points.npz\"\nwidth = 16\nmax-steps = 2\n");
    place.succeed("run moved/run.toml --loss mse --quiet --out here");
    // flags are of the current directory
    place.refuse("run moved/run.toml --data points.npz --out there", 3, &["points.npz"]);
}

#[test]
fn train_or_t10k_is_chosen() {
    let place = Place::new();
    digits(&place, "d", 20);
    for (kind, from) in [("images-idx3", "images-idx3"), ("labels-idx1", "labels-idx1")] {
        let content = place.bytes(format!("d/t10k-{from}-ubyte.gz"));
        place.file(&format!("d/train-{kind}-ubyte.gz"), content);
    }
    let shown = |flags: &str| place.succeed(&format!("data show --data mnist --data-dir d {flags}")).stdout;
    assert!(shown("").contains("train-images"));
    assert!(shown("--split train").contains("train-images"));
    assert!(shown("--split t10k").contains("t10k-images"));
    fs::remove_file(place.path("d/train-images-idx3-ubyte.gz")).unwrap();
    fs::remove_file(place.path("d/train-labels-idx1-ubyte.gz")).unwrap();
    place.refuse("data show --data mnist --data-dir d --split train", 3, &["train-images-idx3-ubyte", "--data-dir"]);
    place.refuse("data show --data mnist --data-dir d --split test", 2, &["--split", "test", "train", "t10k"]);
    place.refuse("data show --split train", 2, &["--split", "circle", "mnist"]);
}

#[test]
fn warnings_are_said_and_kept_out_of_results() {
    let place = Place::new();
    place.file("k.csv", "label,p0,p1\n7,0,255\n2,3,128\n");
    let done = place.succeed("data show --data k.csv --json");
    assert!(done.stderr.contains("warning: k.csv: the label is column 1") && done.stderr.contains("--label-column"));
    assert_eq!(crate::json(&done.stdout)["d"], 2);
    let done = place.succeed("data show --data k.csv --label-column label --json");
    assert_eq!(done.stderr, "");
    let run = "run --data k.csv --label-column p1 --width 4 --max-steps 1 --loss mse --quiet --out o";
    place.succeed(run);
    assert!(fs::read_to_string(place.path("o/run.toml")).unwrap().contains("label-column = \"p1\""));
}

#[test]
fn settings_files_are_bounded() {
    let place = Place::new();
    place.file("long.toml", format!("data = \"{}\"\n", "a".repeat(2_000_000)));
    place.refuse("run long.toml --out o", 2, &["long.toml", "1048576 bytes"]);
    for text in [
        format!("data = \"{}\"\n", "a".repeat(500_000)),
        format!("data = {}", "[".repeat(60_000)),
        format!("{} = 1", "a".repeat(60_000)),
        format!("width = \"{}\"", "9".repeat(60_000)),
        "\u{0}".repeat(60_000),
    ] {
        place.file("bad.toml", text);
        let done = place.run(["run", "bad.toml", "--out", "o"]);
        assert!(done.code == 2 && done.stderr.len() < 1000, "{} {}", done.code, done.stderr);
    }
    place.file("binary.toml", b"width = 3\n\xff");
    place.refuse("run binary.toml --out o", 2, &["binary.toml", "UTF-8"]);
    place.refuse("run . --out o", 2, &["is a directory", "run.toml"]);
}
