//! `ntkscope run`: its files, the same bits again, and where settings come from.

use std::fs;

use ntkscope::run::{ProfileTable, TraceRow};

use crate::{Place, json};

/// The files whose bytes depend on nothing but the settings.
const RESULTS: [&str; 3] = ["trace.csv", "kernels.npz", "params.npz"];

#[track_caller]
fn assert_same_results(place: &Place, a: &str, b: &str) {
    for file in RESULTS {
        let (left, right) = (place.bytes(format!("{a}/{file}")), place.bytes(format!("{b}/{file}")));
        assert!(!left.is_empty() && left == right, "{a}/{file} and {b}/{file} differ");
    }
}

fn setting(place: &Place, file: &str, key: &str) -> toml::Value {
    let text = String::from_utf8(place.bytes(file)).unwrap();
    text.parse::<toml::Table>().unwrap().get(key).unwrap_or_else(|| panic!("no {key} in {text}")).clone()
}

#[test]
fn one_run_leaves_every_file() {
    let place = Place::new();
    let done = place.succeed("run --width 16 --until-time 10 --loss cross-entropy --out o");
    assert!(done.stdout.contains("cross-entropy"), "{}", done.stdout);
    assert!(done.stderr.contains("o/report.html") && done.stderr.contains("o/figures"), "{}", done.stderr);
    assert!(!done.stderr.contains('\x1b'), "no animation off a terminal: {:?}", done.stderr);

    let trace = place.trace("o/trace.csv");
    assert!(trace.rows.len() > 3 && trace.rows.iter().all(|r| r.finite));
    assert_eq!((trace.rows[0].step, trace.rows[0].drift_max, trace.rows[0].alignment), (0, 0.0, 1.0));
    let header = String::from_utf8(place.bytes("o/trace.csv")).unwrap();
    assert!(header.lines().next().unwrap().split(',').eq(TraceRow::COLUMNS.iter().map(|column| column.name())));

    for name in ["analytic", "initial", "final"] {
        let (shape, kernel) = place.array("o/kernels.npz", name);
        assert_eq!(shape, [6, 6], "{name}");
        assert!((0..36).all(|e| kernel[e] == kernel[e % 6 * 6 + e / 6]), "{name} is symmetric");
    }
    let (shape, times) = place.array("o/kernels.npz", "times");
    assert_eq!(shape, [trace.rows.len()]);
    assert_eq!(times, trace.rows.iter().map(|r| r.time).collect::<Vec<_>>());
    let drift = {
        let (initial, last) = (place.array("o/kernels.npz", "initial").1, place.array("o/kernels.npz", "final").1);
        initial.iter().zip(&last).fold(0.0, |m: f64, (a, b)| m.max((a - b).abs()))
    };
    assert_eq!(drift, trace.rows.last().unwrap().drift_max);

    assert_eq!(place.array("o/params.npz", "first.W0").0, [16, 2]);
    assert_eq!(place.array("o/params.npz", "second.b0").0, [16]);
    assert_eq!(place.array("o/params.npz", "first.W2").0, [1, 16]);

    let mut figures: Vec<_> = fs::read_dir(place.path("o/figures")).unwrap().map(|e| e.unwrap().path()).collect();
    figures.sort();
    for kind in ["svg", "pdf", "png"] {
        let of_kind = figures.iter().filter(|p| p.extension().is_some_and(|e| e == kind));
        assert!(of_kind.clone().count() >= 5, "{figures:?}");
        assert!(of_kind.clone().all(|p| fs::metadata(p).unwrap().len() > 500));
    }
    let report = String::from_utf8(place.bytes("o/report.html")).unwrap();
    assert!(report.contains("<svg") && report.contains("</html>") && !report.contains("src=\"http"));

    let provenance = setting(&place, "o/run.toml", "provenance");
    for key in ["ntkscope", "backend", "data", "data-sha256"] {
        assert!(provenance.get(key).is_some(), "{provenance}");
    }
    assert!(place.content().keys().all(|p| !p.to_str().unwrap().ends_with(".tmp")), "temporary files were left");
}

#[test]
fn a_kernel_is_recorded_along_a_curve() {
    let place = Place::new();
    let line = "run --width 16 --until-time 10 --snapshots 8 --quiet";
    place.succeed(&format!("{line} --profile circle --out o"));
    for loss in ["cross-entropy", "mse"] {
        let profile = ProfileTable::read(&place.path(format!("o/{loss}/profile.csv"))).unwrap();
        let trace = place.trace(&format!("o/{loss}/trace.csv"));
        assert_eq!(profile.snapshots().count(), trace.rows.len());
        let analytic = place.array(&format!("o/{loss}/kernels.npz"), "analytic").1;
        for (rows, seen) in profile.snapshots().zip(&trace.rows) {
            assert_eq!((rows.len(), rows[0].log_time, rows[180].position), (361, seen.log_time, 0.0));
            // six points on a circle: the samples are 60 degrees apart
            for (row, theta) in [(180, analytic[0]), (240, analytic[1]), (360, analytic[3])] {
                assert!((rows[row].analytic - theta).abs() < 1e-12, "{row}: {:?} {theta}", rows[row]);
            }
        }
        assert!(place.path(format!("o/figures/profile_{loss}.svg")).exists());
        assert!(place.path(format!("o/figures/kernel_{loss}.png")).exists());
    }
    assert_eq!(setting(&place, "o/mse/run.toml", "profile").as_str(), Some("circle"));
    // what is recorded beside it is the same
    place.succeed(&format!("{line} --out without"));
    assert_eq!(place.bytes("o/mse/trace.csv"), place.bytes("without/mse/trace.csv"));
    assert_eq!(place.bytes("o/mse/params.npz"), place.bytes("without/mse/params.npz"));
    assert!(!place.path("without/mse/profile.csv").exists());

    // the curve of a file, which a saved run finds again
    place.file("c.csv", "1,0,0\n0,1,0\n-1,0,0\n");
    place.succeed(&format!("{line} --loss mse --profile c.csv --out f"));
    let profile = ProfileTable::read(&place.path("f/profile.csv")).unwrap();
    assert_eq!(profile.rows[..3].iter().map(|row| row.position).collect::<Vec<_>>(), [0.0, 1.0, 2.0]);
    assert_eq!(setting(&place, "f/run.toml", "profile").as_str(), Some("../c.csv"));
    place.succeed("run f/run.toml --out g --quiet");
    assert_eq!(place.bytes("f/profile.csv"), place.bytes("g/profile.csv"));
    assert!(place.path("f/figures/profile.svg").exists() && place.path("f/figures/spectrum.svg").exists());
}

#[test]
fn a_curve_that_cannot_be_followed_is_refused() {
    let place = Place::new();
    place.file("d.csv", "1,2,3,0\n");
    place.file("e.csv", "1,x,0\n");
    let line = "run --width 8 --max-steps 1 --out o --quiet";
    place.refuse(&format!("{line} --data sphere --profile circle"), 2, &["--profile circle", "3 numbers"]);
    place.refuse(&format!("{line} --profile d.csv"), 2, &["--profile d.csv", "3 numbers", "have 2"]);
    place.refuse(&format!("{line} --profile none.npz"), 3, &["none.npz", "--profile"]);
    place.refuse(&format!("{line} --profile e.csv"), 3, &["e.csv", "--profile"]);
    place.refuse(&format!("{line} --profile sphere"), 2, &["sphere", "circle", ".npz"]);
}

#[test]
fn a_saved_run_gives_the_same_bits_again() {
    for flags in ["--backend portable", "--backend fast --dtype f32 --n 12 --init standard"] {
        let place = Place::new();
        place.succeed(&format!("run --width 16 --until-time 3 --snapshots 8 --seed 3 {flags} --out o --quiet"));
        for loss in ["cross-entropy", "mse"] {
            place.succeed(&format!("run o/{loss}/run.toml --out again-{loss} --quiet"));
            assert_same_results(&place, &format!("o/{loss}"), &format!("again-{loss}"));
            let (first, again) = (format!("o/{loss}/run.toml"), format!("again-{loss}/run.toml"));
            assert_eq!(place.bytes(first), place.bytes(again), "{flags}: run.toml");
        }
    }
}

#[test]
fn every_kind_of_setting_survives_saving() {
    let place = Place::new();
    place.succeed(
        "run --width 8 --depth 3 --outputs 2 --activation erf --bias all --bias-scale 0.5 --data mixture --dimension 4 \
         --n 12 --classes parity --normalize sphere --loss cross-entropy --smoothing 0.1 --penalty 0.01 --optimizer gd \
         --rate 0.5 --until-margin 3 --until-loss 0.01 --max-steps 20 --snapshots 5 --seed 9223372036854775807 --out o",
    );
    place.succeed("run o/run.toml --out again");
    assert_same_results(&place, "o", "again");
    assert_eq!(place.array("o/params.npz", "first.W3").0, [2, 8]);
    assert_eq!(place.array("o/params.npz", "first.b3").0, [2]);
}

#[test]
fn flags_over_set_over_file_over_defaults() {
    let place = Place::new();
    place.file("s.toml", "width = 9\ndepth = 3\nuntil-time = 2\nmax-steps = 7\nloss = \"mse\"\n");
    place.succeed("run s.toml --set width=10 --set depth=1 --set max_steps=3 --width 11 --out o --quiet");
    let value = |key| setting(&place, "o/run.toml", key).to_string();
    assert_eq!(value("width"), "11", "flag");
    assert_eq!((value("depth"), value("max-steps")), ("1".into(), "3".into()), "--set");
    assert_eq!((value("until-time"), value("loss")), ("2.0".into(), "\"mse\"".into()), "file");
    assert_eq!((value("seed"), value("dtype")), ("0".into(), "\"f64\"".into()), "defaults");
    assert_eq!(place.array("o/params.npz", "first.W0").0, [11, 2]);
}

#[test]
fn one_thread_and_two_give_the_same_bits() {
    for dtype in ["f32", "f64"] {
        let place = Place::new();
        for threads in [1, 2] {
            place.succeed(&format!(
                "run --data sphere --n 300 --width 300 --loss cross-entropy --max-steps 3 --snapshots 4 --dtype {dtype} \
                 --threads {threads} --out t{threads} --quiet"
            ));
        }
        assert_same_results(&place, "t1", "t2");
    }
}

#[test]
fn json_is_all_that_stands_on_stdout() {
    let place = Place::new();
    let done = place.succeed("run --width 8 --until-time 3 --out o --json");
    let summary = json(&done.stdout);
    assert_eq!(summary["runs"].as_array().unwrap().len(), 2);
    assert_eq!(summary["runs"][0]["loss"], "cross-entropy");
    assert_eq!(summary["runs"][1]["loss"], "mse");
    assert_eq!(summary["directory"], "o");
    let last = *place.trace("o/mse/trace.csv").rows.last().unwrap();
    let loss = summary["runs"][1]["final_loss"].as_f64().unwrap();
    assert!((loss - last.loss).abs() < 1e-15, "{loss} and {}", last.loss);
    assert_eq!(summary["runs"][1]["steps"].as_u64(), Some(last.step));
    assert_eq!(place.succeed("run --width 8 --until-time 3 --json --quiet").stderr, "");
}

#[test]
fn without_out_a_run_finds_an_unused_directory() {
    let place = Place::new();
    for _ in 0..2 {
        place.succeed("run --width 4 --until-time 1 --loss mse --quiet");
    }
    place.trace("runs/circle-mse/trace.csv");
    place.trace("runs/circle-mse-2/trace.csv");
}

#[test]
fn force_replaces_and_keeps_what_is_not_its_own() {
    let place = Place::new();
    place.file("o/notes.txt", "kept");
    place.succeed("run --width 4 --until-time 1 --loss mse --out o --force --quiet");
    place.succeed("run --width 5 --until-time 1 --loss mse --out o --force --quiet");
    assert_eq!(place.bytes("o/notes.txt"), b"kept");
    assert_eq!(place.array("o/params.npz", "first.W0").0, [5, 2]);
}

#[test]
fn a_run_that_diverges_keeps_its_record_and_says_so() {
    let place = Place::new();
    let line = "run --width 16 --bias none --dtype f32 --loss mse --optimizer gd --rate 1e3 --out o";
    let done = place.run(line.split_whitespace());
    assert_eq!(done.code, 1, "{}{}", done.stdout, done.stderr);
    assert!(done.stdout.contains("--rate"), "{}", done.stdout);
    assert!(!place.trace("o/trace.csv").rows.is_empty());
    place.bytes("o/report.html");
}

#[test]
fn a_residual_network_and_its_predictions() {
    let place = Place::new();
    let model = "--network resnet --width 16 --alpha 0.5 --held-out 4";
    place.succeed(&format!("run {model} --until-time 10 --loss cross-entropy --reading point --quiet --out o"));
    for name in ["first.A", "first.b", "second.W2", "second.V1", "first.v"] {
        let shape = place.array("o/params.npz", name).0;
        assert_eq!(shape.iter().product::<usize>() % 16, 0, "{name}: {shape:?}");
    }
    assert_eq!(place.array("o/params.npz", "second.V1").0, [16, 16]);
    place.succeed("run o/run.toml --quiet --out again");
    assert_same_results(&place, "o", "again");
    assert_eq!(place.bytes("o/predictions.csv"), place.bytes("again/predictions.csv"));
    // a row for every snapshot, outputs on 6 + 4 samples, all from the same start
    let rows = place.trace("o/trace.csv").rows;
    for name in ["network", "ntk", "linearized"] {
        let (shape, values) = place.array("o/predictions.npz", name);
        assert_eq!(shape, [rows.len(), 10, 1]);
        assert!(values[..10].iter().all(|f| *f == 0.0), "a mirrored network begins at 0, and so do its predictions");
    }
    let margin = place.array("o/predictions.npz", "network").1[10 * (rows.len() - 1)..][..6]
        .iter()
        .enumerate()
        .map(|(i, f)| if i % 2 == 1 { *f } else { -f })
        .fold(f64::INFINITY, f64::min);
    assert_eq!(margin, rows.last().unwrap().margin_min);
    // another data set: the first n do not depend on how many are held out
    let sphere = "run --data sphere --n 10 --width 8 --until-time 1 --loss mse --quiet";
    place.succeed(&format!("{sphere} --held-out 5 --out a"));
    place.succeed(&format!("{sphere} --predictions false --out b"));
    assert_same_results(&place, "a", "b");
    assert!(place.path("a/predictions.csv").exists() && !place.path("b/predictions.csv").exists());
}

#[test]
fn where_training_ends() {
    let place = Place::new();
    let model = "run --width 64 --loss cross-entropy --held-out 6 --quiet";
    // with a penalty there is a fixed point, to which fixed kernels flow from the network's own start
    place.succeed(&format!("{model} --penalty 0.1 --until-time 300 --out p"));
    let size = place.array("p/limit.npz", "network").1.len();
    for name in ["ntk", "linearized"] {
        let (shape, flow) = place.array("p/predictions.npz", name);
        assert_eq!(shape[1..], [12, 1]);
        assert!(flow[..size].iter().all(|f| f.abs() < 1e-12), "a mirrored network begins at 0: {flow:?}");
        let ends = flow[flow.len() - size..].iter().zip(place.array("p/limit.npz", name).1);
        let worst = ends.fold(0.0f64, |m, (f, end)| m.max((f - end).abs()));
        assert!(worst < 1e-5, "{name}: {worst}");
    }
    let (shape, network) = place.array("p/limit.npz", "network");
    assert_eq!(shape, [12, 1]);
    let linearized = place.array("p/limit.npz", "linearized").1;
    let worst = network.iter().zip(&linearized).fold(0.0f64, |m, (f, k)| m.max((f - k).abs()));
    let size = linearized.iter().fold(0.0f64, |m, k| m.max(k.abs()));
    assert!(worst < 0.5 * size, "{network:?} and {linearized:?}");
    // |theta - theta_0|^2 <= 2 R(f_0)/LAMBDA at every snapshot
    let bound = (2.0 * std::f64::consts::LN_2 / 0.1).sqrt();
    assert!(place.trace("p/trace.csv").rows.iter().all(|row| row.param_distance <= bound));
    // soft targets are met: logit(1 - eps/2)
    place.succeed(&format!("{model} --smoothing 0.2 --until-time 1e4 --out s"));
    let logit = 9.0f64.ln();
    for name in ["ntk", "linearized"] {
        let f = place.array("s/limit.npz", name).1;
        assert!((0..6).all(|i| (f[i].abs() - logit).abs() < 1e-9), "{name}: {f:?}");
    }
    // hard labels without a penalty end nowhere
    place.succeed(&format!("{model} --until-time 10 --out h"));
    assert!(!place.path("h/limit.csv").exists());
}

#[test]
fn outputs_at_rest_have_no_velocity_error() {
    let place = Place::new();
    place.succeed("run --width 64 --loss mse --dtype f32 --until-time 1e7 --no-figures --quiet --out o");
    let rows = place.trace("o/trace.csv").rows;
    assert!(rows[rows.len() - 1].velocity_error.is_nan());
    let moving: Vec<f64> = rows.iter().map(|row| row.velocity_error).filter(|error| error.is_finite()).collect();
    assert!(moving.len() > 5 && moving.iter().all(|error| *error < 0.2), "{moving:?}");
}
