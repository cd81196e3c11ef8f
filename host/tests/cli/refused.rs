//! Wrong input: the exit code, what the message names, and that nothing is written.

use crate::Place;
use crate::files::{digits, gzip, images, labels, npz};

impl Place {
    /// The program ends with `code`, says every one of `parts` on stderr and nothing on stdout, and leaves all
    /// files and directories as they were.
    #[track_caller]
    pub(crate) fn refuse(&self, line: &str, code: i32, parts: &[&str]) {
        let before = self.content();
        let done = self.run(line.split_whitespace());
        assert_eq!(done.code, code, "{line}: {}{}", done.stdout, done.stderr);
        for part in parts {
            assert!(done.stderr.contains(part), "{line}: `{part}` is not in: {}", done.stderr);
        }
        assert_eq!(done.stdout, "", "{line}: an error belongs on stderr");
        let after = self.content();
        let changed: Vec<_> = after.keys().chain(before.keys()).filter(|p| before.get(*p) != after.get(*p)).collect();
        assert!(changed.is_empty(), "{line}: written or removed: {changed:?}");
    }
}

#[test]
fn missing_data() {
    let place = Place::new();
    place.refuse("run --data mnist --data-dir nowhere --out o", 3, &["nowhere", "no such directory", "--data-dir"]);
    place.refuse("run --data mnist --out o", 3, &["home", "--data-dir", "ntkscope data fetch mnist"]);
    place.refuse("run --data absent.csv --out o", 3, &["absent.csv", "--data"]);
    place.refuse("kernel analytic --data absent.npz --out K.npz", 3, &["absent.npz", "--data"]);
    place.refuse("data show --data mnist --data-dir nowhere", 3, &["nowhere", "--data-dir"]);
    place.refuse("compare A.npz B.npz", 3, &["A.npz"]);
    place.refuse("kernel empirical --params P.npz --out K.npz", 3, &["P.npz", "--params"]);
    place.refuse("run absent.toml --out o", 2, &["absent.toml"]);
    place.refuse("run --data digits --out o", 2, &["digits", "mnist"]);
}

#[test]
fn damaged_idx_files() {
    let run = "run --data mnist --data-dir d --out o";
    let place = Place::new();
    digits(&place, "d", 20);
    let packed = gzip(&images(20));
    place.file("d/t10k-images-idx3-ubyte.gz", &packed[..packed.len() / 2]);
    place.refuse(run, 3, &["t10k-images-idx3-ubyte.gz", "is truncated", "--data-dir"]);

    place.file("d/t10k-images-idx3-ubyte.gz", gzip(&labels(20)));
    place.refuse(run, 3, &["t10k-images-idx3-ubyte.gz", "magic number 0x00000801", "0x00000803", "--data-dir"]);

    place.file("d/t10k-images-idx3-ubyte.gz", gzip(&images(19)));
    place.refuse(run, 3, &["19 images", "20 labels", "t10k-labels-idx1-ubyte.gz", "--data-dir"]);

    std::fs::remove_file(place.path("d/t10k-labels-idx1-ubyte.gz")).unwrap();
    place.refuse(run, 3, &["t10k-labels-idx1-ubyte", "--data-dir"]);
}

#[test]
fn selections_that_the_data_has_not() {
    let place = Place::new();
    digits(&place, "d", 20);
    place.file("two.csv", "1,2,0\n3,4,1\n5,6,0\n");
    place.refuse("run --data mnist --data-dir d --n 21 --out o", 2, &["--n 21", "only 20 samples", "--n 20"]);
    place.refuse("run --data mnist --data-dir d --classes 3,12 --out o", 2, &["--classes 3,12", "12"]);
    place.refuse("run --data two.csv --n 4 --out o", 2, &["--n 4", "two.csv", "3"]);
    place.refuse("run --data two.csv --classes 0,7 --out o", 2, &["--classes 0,7", "two.csv", "7"]);
    place.refuse("run --data two.csv --classes 1 --out o", 2, &["--classes", "1"]);
    place.refuse("run --n 5 --out o", 2, &["--n 5", "even"]);
    place.refuse("run --n 0 --out o", 2, &["--n 0"]);
    place.refuse("run --dimension 4 --out o", 2, &["--dimension", "circle"]);
    place.file("one.csv", "1,2,1\n3,4,1\n");
    place.refuse("run --data one.csv --out o", 2, &["one class", "--classes"]);
    place.file("regression.csv", "1,2,0.5\n3,4,0.25\n");
    place.refuse("run --data regression.csv --out o", 2, &["0.5 is not an integer", "--targets values"]);
}

#[test]
fn damaged_tables() {
    let place = Place::new();
    place.file("nan.csv", "1,2,0\n3,NaN,1\n");
    place.refuse("run --data nan.csv --out o", 3, &["nan.csv", "line 2", "column 2", "NaN", "--data"]);
    place.file("ragged.csv", "1,2,0\n3,4,5,1\n");
    place.refuse("run --data ragged.csv --out o", 3, &["ragged.csv", "line 2", "4 columns", "--data"]);
    place.file("no_x.npz", npz(&[("z", &[2, 1], &[1.0, 2.0]), ("y", &[2], &[0.0, 1.0])]));
    place.refuse("run --data no_x.npz --out o", 3, &["no_x.npz", "`x`", "--data"]);
    place.file("nan.npz", npz(&[("x", &[2, 1], &[1.0, f64::NAN]), ("y", &[2], &[0.0, 1.0])]));
    place.refuse("kernel analytic --data nan.npz --out K.npz", 3, &["nan.npz", "`x`", "row 1", "--data"]);
    place.file("none.npz", "no archive");
    place.refuse("run --data none.npz --out o", 3, &["none.npz", "--data"]);
    place.refuse("compare none.npz none.npz", 3, &["none.npz"]);
}

#[test]
fn networks_that_are_none() {
    let place = Place::new();
    for command in ["run --out o", "kernel empirical --out K.npz", "kernel analytic --out K.npz"] {
        place.refuse(&format!("{command} --width 0"), 2, &["--width 0"]);
        place.refuse(&format!("{command} --depth 0"), 2, &["--depth 0"]);
        place.refuse(&format!("{command} --outputs 0"), 2, &["--outputs 0"]);
        place.refuse(&format!("{command} --width -3"), 2, &["-3", "--width"]);
        place.refuse(&format!("{command} --bias-scale -1"), 2, &["--bias-scale -1"]);
        place.refuse(&format!("{command} --dtype f16"), 2, &["f16", "--dtype"]);
        place.refuse(&format!("{command} --width 99999999999"), 2, &["--width"]);
        place.refuse(&format!("{command} --depth 99999999999"), 2, &["--depth"]);
    }
}

/// In training the outputs are those of y; a kernel has as many as were asked for.
#[test]
fn outputs_that_y_has_not() {
    let place = Place::new();
    place.refuse("run --outputs 5 --out o", 2, &["--outputs 5", "2 classes", "--outputs 1"]);
    place.refuse("predict --smoothing 0.1 --held-out 3 --outputs 5", 2, &["--outputs 5", "2 classes"]);
}

#[test]
fn residual_networks_that_are_none() {
    let place = Place::new();
    place.refuse("run --network resnet --alpha 0 --out o", 2, &["--alpha 0"]);
    place.refuse("run --network resnet --alpha nan --out o", 2, &["--alpha"]);
    place.refuse("run --alpha 0.5 --out o", 2, &["--alpha 0.5", "--network resnet"]);
    place.refuse("run --trained branches --out o", 2, &["--trained branches", "--network resnet"]);
    place.refuse("run --network resnet --activation erf,gelu --out o", 2, &["--activation erf,gelu", "give one"]);
    place.refuse("run --network resnet --widths 4,5 --out o", 2, &["--widths 4,5", "--network fcn"]);
    place.refuse("run --network resnet --parametrization mup --out o", 2, &["--parametrization mup", "--network fcn"]);
    place.refuse("kernel analytic --network resnet --bias all", 2, &["--bias all", "--bias hidden", "--bias input"]);
}

#[test]
fn training_that_makes_no_sense() {
    let place = Place::new();
    for (flags, parts) in [
        ("--penalty -1", &["--penalty -1", "not negative"][..]),
        ("--penalty nan", &["--penalty"]),
        ("--loss mse --smoothing 0.1", &["--smoothing 0.1", "--loss cross-entropy"]),
        ("--smoothing 1", &["--smoothing 1"]),
        ("--rate 0.1", &["--rate 0.1", "--optimizer gd"]),
        ("--optimizer gd", &["--optimizer gd", "--rate"]),
        ("--optimizer gd --rate 0", &["--rate 0"]),
        ("--tolerance 1.5", &["--tolerance 1.5"]),
        ("--until-time 0", &["--until-time 0"]),
        ("--until-margin -2", &["--until-margin -2"]),
        ("--snapshots 2", &["--snapshots 2", "3 to"]),
        ("--loss absolute", &["absolute", "--loss"]),
        ("--seed 18446744073709551615", &["--seed"]),
        ("--threads 0", &["--threads"]),
        ("--memory lots", &["lots", "--memory"]),
    ] {
        place.refuse(&format!("run --out o {flags}"), 2, parts);
    }
}

#[test]
fn unknown_keys_and_wrong_values() {
    let place = Place::new();
    place.file("wrong.toml", "widht = 16\n");
    place.refuse("run wrong.toml --out o", 2, &["`widht`", "wrong.toml", "did you mean width"]);
    place.refuse("run --set widht=16 --out o", 2, &["`widht`", "--set", "did you mean width"]);
    place.refuse("kernel analytic --set widht=16 --out K.npz", 2, &["`widht`", "--set"]);
    place.refuse("run --set width --out o", 2, &["--set width", "key=value"]);
    place.refuse("run --set width=many --out o", 2, &["width", "many"]);
    place.refuse("run --widht 16 --out o", 2, &["--widht", "--width"]);
    place.file("value.toml", "width = -1\n");
    place.refuse("run value.toml --out o", 2, &["width = -1"]);
    place.file("broken.toml", "width = \n");
    place.refuse("run broken.toml --out o", 2, &["broken.toml"]);
    // what a settings file allows, a kernel does not use
    place.refuse("kernel analytic --set penalty=1 --out K.npz", 2, &["penalty", "kernel"]);
}

#[test]
fn places_that_cannot_be_written() {
    let place = Place::new();
    place.file("file", "kept");
    place.refuse("run --width 4 --out file/below", 2, &["--out", "file/below"]);
    place.refuse("run --width 4 --out file", 2, &["--out", "file"]);
    place.refuse("kernel empirical --width 4 --out file/K.npz", 2, &["--out", "file/K.npz"]);
    place.refuse("kernel analytic --out nowhere/K.npz", 2, &["--out", "nowhere/K.npz"]);
    place.refuse("kernel empirical --width 4 --params-out file/P.npz --out K.npz", 2, &["--params-out", "file/P.npz"]);
    let long = "n".repeat(300);
    place.refuse(&format!("run --width 4 --out new/{long}"), 2, &["--out", "new"]);
    place.file("used/notes.txt", "kept");
    place.refuse("run --width 4 --out used", 2, &["--out", "used", "not empty", "--force"]);
}

#[test]
fn work_that_does_not_fit_into_memory() {
    let place = Place::new();
    let parts = ["--memory", "--n", "1.0 MiB"];
    place.refuse("run --data sphere --n 2000 --memory 1MiB --out o", 2, &parts);
    place.refuse("run --width 2000 --memory 1MiB --out o", 2, &parts);
    place.refuse("kernel analytic --data sphere --n 2000 --memory 1MiB --out K.npz", 2, &parts);
    place.refuse("kernel empirical --data sphere --n 2000 --memory 1MiB --out K.npz", 2, &parts);
    place.refuse("kernel empirical --width 2000 --memory 1MiB --out K.npz", 2, &parts);
}

#[test]
fn kernels_that_do_not_exist() {
    let place = Place::new();
    place.refuse("kernel empirical --multi-output some --out K.npz", 2, &["--multi-output some", "full, trace"]);
    place.refuse("kernel empirical --multi-output 1 --out K.npz", 2, &["--multi-output 1", "one output"]);
    place.refuse("kernel both --out K.npz", 2, &["both", "analytic", "empirical"]);
    place.refuse("kernel analytic --params-out P.npz", 2, &["--params-out", "empirical"]);
    place.refuse("kernel analytic --params P.npz", 2, &["--params", "empirical"]);
}

#[test]
fn parameters_that_do_not_fit() {
    let place = Place::new();
    place.succeed("kernel empirical --width 8 --init standard --params-out P.npz");
    let wrong_shape = ["P.npz", "`W0`", "[8, 2]", "[9, 2]", "--width"];
    place.refuse("kernel empirical --width 9 --init standard --params P.npz --out K.npz", 2, &wrong_shape);
    let deeper = ["P.npz", "lacks W3", "--depth"];
    place.refuse("kernel empirical --width 8 --depth 3 --init standard --params P.npz --out K.npz", 2, &deeper);
    place.refuse("kernel empirical --width 8 --params P.npz --out K.npz", 2, &["P.npz", "first.W0", "--init"]);
    place.file("P.safetensors", "short");
    place.refuse("kernel empirical --width 8 --params P.safetensors --out K.npz", 3, &["P.safetensors"]);
}

#[test]
fn numbers_that_overflow() {
    let place = Place::new();
    place.file("huge.csv", "1e300,0\n-1e300,1\n");
    place.refuse("run --data huge.csv --width 4 --out o", 2, &["sample 0 is too large"]);
    place.refuse("kernel empirical --data huge.csv --width 4 --out K.npz", 2, &["sample 0 is too large"]);
    place.file("y.csv", "1,2,1e160\n2,1,3e160\n0,1,2.5\n");
    place.refuse(
        "run --data y.csv --loss mse --width 4 --out o",
        2,
        &["y.csv", "y is as large as 3e160", "f64; rescale y"],
    );
    place.file("y.csv", "1,2,1e20\n2,1,3.5\n0,1,2.5\n");
    place.refuse(
        "run --data y.csv --loss mse --width 4 --dtype f32 --out o",
        2,
        &["y is as large as 1e20", "f32; rescale y"],
    );
    place.succeed("run --data y.csv --loss mse --width 32 --max-steps 3 --quiet --out o");
}

/// In single precision it would be 0 there, or infinite, and the run another one than was asked for.
#[test]
fn numbers_that_the_scalar_of_a_run_does_not_have() {
    let place = Place::new();
    std::fs::write(place.path("late.csv"), "time\n1\n1e39\n").unwrap();
    let held = "f32 has 0 and numbers from 1.175e-38 to 3.403e38";
    for (line, given) in [
        ("run --until-time 1e40", "--until-time 1e40"),
        ("run --until-time 1e-40", "--until-time 1e-40"),
        ("run --until-margin 1e39", "--until-margin 1e39"),
        ("run --until-loss 1e-50", "--until-loss 1e-50"),
        ("run --penalty 1e-50", "--penalty 1e-50"),
        ("run --loss mse --penalty 1e39", "--penalty 1e39"),
        ("run --optimizer gd --rate 1e-50", "--rate 1e-50"),
        ("run --optimizer gd --rate 1e39", "--rate 1e39"),
        ("run --times 1,1e40", "--times 1e40"),
        ("run --times late.csv", "--times 1e39"),
        ("run --bias-scale 1e-50", "--bias-scale 1e-50"),
        ("run --network resnet --alpha 1e39", "--alpha 1e39"),
        ("run --activation leaky-relu:1e-50", "--activation leaky-relu:1e-50"),
        ("run --activation relu,leaky-relu:1e-50", "--activation leaky-relu:1e-50"),
        ("kernel empirical --network resnet --alpha 1e-50", "--alpha 1e-50"),
        ("sweep --set seed=0,1 --loss mse --penalty 1e-50", "--penalty 1e-50"),
    ] {
        place.refuse(&format!("{line} --dtype f32 --out o"), 2, &[given, held, "--dtype f64"]);
    }
    place.refuse(
        "run --until-time 1e-320 --out o",
        2,
        &["--until-time 1e-320", "f64 has 0 and numbers from 2.225e-308"],
    );
    let lost = ["--smoothing 0.000000001", "labels would be hard", "at least 1.192e-7"];
    place.refuse("run --loss cross-entropy --smoothing 1e-9 --dtype f32 --out o", 2, &lost);
    place.succeed("run --width 4 --until-time 1e40 --max-steps 1 --no-figures --quiet --out o");
}

#[test]
fn kernels_of_different_samples_are_not_compared() {
    let place = Place::new();
    place.succeed("kernel analytic --n 6 --out A.npz");
    place.succeed("kernel analytic --n 8 --out B.npz");
    place.refuse("compare A.npz B.npz", 2, &["A.npz", "6", "8"]);
    place.refuse("compare A.npz:k B.npz", 3, &["A.npz", "`k`", "nngp"]);
    place.refuse("compare A.npz:y A.npz", 3, &["`y`", "square"]);
}
