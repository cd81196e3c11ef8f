//! Data sets on the command line, and the texts made from the definitions of the flags.

use std::path::Path;

use crate::files::{digits, npz};
use crate::{Place, json};

/// Trains on the idx files of `directory`.
fn train_on_digits(place: &Place, directory: &str, out: &str) {
    place.succeed(&format!(
        "run --data mnist --data-dir {directory} --classes parity --n 40 --width 32 --loss cross-entropy \
         --until-time 20 --out {out} --quiet"
    ));
    let trace = place.trace(&format!("{out}/trace.csv"));
    let (first, last) = (trace.rows[0], trace.rows[trace.rows.len() - 1]);
    assert!((first.loss - std::f64::consts::LN_2).abs() < 1e-12, "mirrored: {}", first.loss);
    assert!(last.loss < 0.9 * first.loss && last.drift_max > 0.0 && last.finite, "{last:?}");
    assert_eq!(place.array(&format!("{out}/params.npz"), "first.W0").0, [32, 784]);
}

#[test]
fn digits_from_idx_files() {
    let place = Place::new();
    digits(&place, "digits", 60);
    train_on_digits(&place, "digits", "made");

    let real = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/mnist");
    if real.is_dir() {
        train_on_digits(&place, real.to_str().unwrap(), "real");
    } else {
        // past the test's captured output, so that it is seen
        use std::io::Write;
        let note = format!("real MNIST images not at hand: no {}; checked made ones only\n", real.display());
        std::io::stderr().write_all(note.as_bytes()).unwrap();
    }
}

#[test]
fn several_classes_get_an_output_each() {
    let place = Place::new();
    digits(&place, "digits", 60);
    place.succeed("run --data mnist --data-dir digits --classes all --n 30 --width 16 --max-steps 3 --out o --quiet");
    for loss in ["cross-entropy", "mse"] {
        assert_eq!(place.array(&format!("o/{loss}/params.npz"), "second.W2").0, [10, 16]);
    }
}

#[test]
fn own_tables() {
    let place = Place::new();
    place.file("points.csv", "a,b,y\n1,0,0\n0,1,1\n-1,0,0\n0,-1,1\n");
    let x = [1.0, 0.0, 0.0, 1.0, -1.0, 0.0, 0.0, -1.0];
    place.file("points.npz", npz(&[("x", &[4, 2], &x), ("y", &[4], &[0.0, 1.0, 0.0, 1.0])]));
    for kind in ["csv", "npz"] {
        place.succeed(&format!("run --data points.{kind} --width 8 --until-time 2 --loss mse --out {kind} --quiet"));
    }
    assert_eq!(place.bytes("csv/kernels.npz"), place.bytes("npz/kernels.npz"));
}

#[test]
fn list_and_show() {
    let place = Place::new();
    digits(&place, "digits", 60);
    let listed = place.succeed("data list --data-dir digits").stdout;
    for name in ["circle", "sphere", "mixture", "mnist", "fashion-mnist", "cifar-10"] {
        assert!(listed.contains(name), "{listed}");
    }
    let listed = json(&place.succeed("data list --data-dir digits --json").stdout);
    let mnist = listed["data_sets"].as_array().unwrap().iter().find(|e| e["name"] == "mnist").unwrap();
    assert_eq!(mnist["present"], true);
    assert!(place.succeed("data list").stdout.contains("ntkscope data fetch mnist"));

    assert!(place.succeed("data show").stdout.contains("circle"));
    let shown = json(&place.succeed("data show --data mnist --data-dir digits --json").stdout);
    assert_eq!((&shown["n"], &shown["d"]), (&60.into(), &784.into()), "{shown}");
}

#[test]
fn completions_manual_and_help() {
    let place = Place::new();
    let bash = place.succeed("completions bash").stdout;
    assert!(bash.contains("_ntkscope") && bash.contains("--multi-output"));
    let man = place.succeed("man").stdout;
    assert!(man.contains(".TH NTKSCOPE") && man.contains("completions"), "{man}");
    for help in ["--help", "run --help", "kernel --help"] {
        let text = place.succeed(help).stdout;
        assert!(text.starts_with("Examples:"), "help leads with examples: {text}");
    }
    assert!(place.succeed("--version").stdout.starts_with("ntkscope "));
    assert_eq!(place.run(["nothing"]).code, 2);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let place = Place::new();
    for line in ["data list", "completions bash", "man"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = place.command(line.split_whitespace()).stdout(writer).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && said.is_empty(), "{line}: {:?}, {said}", output.status);
    }
}
