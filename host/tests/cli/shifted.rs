//! `--init shifted`: f(x; theta) - f(x; theta_0) in place of f.

use ntkscope::run::PredictionTable;

use crate::{Place, json};

#[test]
fn a_shifted_network_begins_at_0_with_the_kernel_of_the_standard_one() {
    for model in ["--dtype f64", "--dtype f32 --network resnet --outputs 2", "--backend portable --bias all"] {
        let place = Place::new();
        let line = format!("run {model} --width 16 --seed 4 --until-time 5 --held-out 4 --quiet");
        place.succeed(&format!("{line} --init shifted --out o"));
        place.succeed(&format!("{line} --init standard --out standard"));
        for loss in ["cross-entropy", "mse"] {
            let first = place.trace(&format!("o/{loss}/trace.csv")).rows[0];
            assert_eq!((first.logit_max, first.margin_mean), (0.0, 0.0), "{model}");
            let start = if loss == "mse" { 0.5 } else { std::f64::consts::LN_2 };
            assert!((first.loss - start).abs() < 1e-6, "{model}: {}", first.loss);
            assert!(place.trace(&format!("standard/{loss}/trace.csv")).rows[0].logit_max > 0.1, "{model}");
            let kernel = |run: &str| place.array(&format!("{run}/{loss}/kernels.npz"), "initial").1;
            assert_eq!(kernel("o"), kernel("standard"), "{model}");
        }
    }
}

#[test]
fn all_that_is_said_of_outputs_is_said_of_the_difference() {
    let place = Place::new();
    let model = "--init shifted --width 16 --seed 4";
    let line = format!("run {model} --until-time 20 --loss cross-entropy --reading point --held-out 4 --quiet");
    place.succeed(&format!("{line} --out o"));
    let rows = place.trace("o/trace.csv").rows;
    for name in ["network", "ntk", "linearized"] {
        let (shape, values) = place.array("o/predictions.npz", name);
        assert_eq!(shape, [rows.len(), 10, 1]);
        assert!(values[..10].iter().all(|f| *f == 0.0), "{name}");
    }
    let end = &place.array("o/predictions.npz", "network").1[10 * (rows.len() - 1)..];
    let margins = end[..6].iter().enumerate().map(|(i, f)| if i % 2 == 1 { *f } else { -f });
    assert_eq!(margins.fold(f64::INFINITY, f64::min), rows.last().unwrap().margin_min);
    // the same bits again, from what was saved
    place.succeed("run o/run.toml --quiet --out again");
    for file in ["trace.csv", "kernels.npz", "params.npz", "predictions.csv"] {
        assert_eq!(place.bytes(format!("o/{file}")), place.bytes(format!("again/{file}")), "{file}");
    }
    let report = String::from_utf8(place.bytes("o/report.html")).unwrap();
    assert!(report.contains("shifted initialization") && report.contains("shifted network"));
    // the parameters are one network's, and theirs is the last kernel
    assert_eq!(place.array("o/params.npz", "W0").0, [16, 2]);
    for init in ["shifted", "standard"] {
        place.succeed(&format!(
            "kernel empirical --width 16 --init {init} --params o/params.npz --out {init}.npz --quiet"
        ));
        let kernel = place.array(&format!("{init}.npz"), "kernel").1;
        assert_eq!(kernel, place.array("o/kernels.npz", "final").1, "{init}");
    }
    // with a penalty it is held to a distance that the loss at 0 sets
    place.succeed(&format!("run {model} --penalty 0.1 --loss cross-entropy --until-time 5 --quiet --out p"));
    let limit = String::from_utf8(place.bytes("p/limit.csv")).unwrap();
    let bound: f64 = limit.trim_end().rsplit(',').next().unwrap().parse().unwrap();
    assert!((bound - (2.0 * std::f64::consts::LN_2 / 0.1).sqrt()).abs() < 1e-12, "{bound}");
}

/// Largest difference from the linearized network up to t = 30, over its mean margin then.
fn distance_from_linearization(place: &Place, init: &str, width: usize) -> f64 {
    let out = format!("{init}-{width}");
    place.succeed(&format!(
        "run --init {init} --width {width} --loss cross-entropy --until-time 30 --snapshots 8 --held-out 6 --quiet --out {out}"
    ));
    let rows = PredictionTable::read(&place.path(format!("{out}/predictions.csv"))).unwrap().rows;
    let largest = rows.iter().map(|row| row.linearized.difference.max(row.linearized.difference_held_out));
    largest.fold(0.0, f64::max) / rows.last().unwrap().linearized.margin_mean
}

#[test]
fn a_wide_shifted_network_is_its_linearization_as_a_mirrored_one_is() {
    let place = Place::new();
    let wide = if cfg!(debug_assertions) { 256 } else { 512 };
    let [mirrored, shifted] =
        ["mirrored", "shifted"].map(|init| [64, wide].map(|width| distance_from_linearization(&place, init, width)));
    println!("width 64 and {wide}: mirrored {mirrored:?}, shifted {shifted:?}");
    for [narrow, wide] in [mirrored, shifted] {
        assert!(wide < 0.3 && wide < 0.5 * narrow, "{mirrored:?} {shifted:?}");
    }
    assert!(shifted[1] < 1.5 * mirrored[1], "{mirrored:?} {shifted:?}");
}

/// Mean and deviation on the test points.
#[track_caller]
fn points(place: &Place, line: &str) -> Vec<[f64; 2]> {
    let summary = json(&place.succeed(&format!("predict {line} --json")).stdout);
    let points = summary["points"].as_array().unwrap().clone();
    points.iter().map(|p| [&p["mean"], &p["sd"]].map(|v| v.as_f64().unwrap())).collect()
}

#[test]
fn laws_and_linearizations_are_those_of_the_mirrored_network() {
    let place = Place::new();
    for line in [
        "--smoothing 0.1 --held-out 5",
        "--penalty 0.05 --held-out 5",
        "--loss mse --time 20 --held-out 5 --kernel initial --width 32 --seed 3",
        "--smoothing 0.1 --held-out 5 --kernel initial --width 32 --seed 3",
        "--time 50 --held-out 5 --kernel initial --width 32 --seed 3",
    ] {
        let [shifted, mirrored, standard] =
            ["shifted", "mirrored", "standard"].map(|init| points(&place, &format!("{line} --init {init}")));
        let distance = |a: &[[f64; 2]], b: &[[f64; 2]]| {
            a.iter().zip(b).map(|(a, b)| (a[0] - b[0]).abs().max((a[1] - b[1]).abs())).fold(0.0, f64::max)
        };
        assert!(shifted.iter().all(|p| p[1] == 0.0), "{line}: {shifted:?}");
        assert!(distance(&shifted, &mirrored) < 1e-8, "{line}: {shifted:?} {mirrored:?}");
        assert!(distance(&shifted, &standard) > 1e-3, "{line}: {shifted:?} {standard:?}");
    }
}
