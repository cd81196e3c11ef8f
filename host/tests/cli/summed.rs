//! `--loss-sum`: the sum of the losses in place of their mean, which is the same path n times as fast.

use ntkscope::run::{PredictionTable, TraceRow};

use crate::{Place, json};

/// Six samples.
const N: f64 = 6.0;

fn last(place: &Place, out: &str) -> TraceRow {
    *place.trace(&format!("{out}/trace.csv")).rows.last().unwrap()
}

fn near(a: f64, b: f64, relative: f64) -> bool {
    (a - b).abs() <= relative * a.abs().max(b.abs())
}

#[test]
fn descent_is_that_on_the_mean_at_n_times_the_rate() {
    for (network, penalty) in [("--bias hidden", 0.0), ("--network resnet --bias hidden --alpha 0.5", 0.02)] {
        let place = Place::new();
        let line =
            format!("run {network} --width 16 --seed 3 --loss cross-entropy --optimizer gd --max-steps 50 --json");
        let mean = json(&place.succeed(&format!("{line} --rate 0.6 --penalty {penalty} --out mean")).stdout);
        let sum = format!("{line} --loss-sum --rate 0.1 --penalty {} --out sum", N * penalty);
        let sum = json(&place.succeed(&sum).stdout);
        let (a, b) = (last(&place, "mean"), last(&place, "sum"));
        assert!(near(a.time, N * b.time, 1e-12) && near(N * a.loss, b.loss, 1e-12), "{a:?}\n{b:?}");
        assert!(near(a.drift_max, b.drift_max, 1e-10) && near(a.stability, b.stability, 1e-9), "{a:?}\n{b:?}");
        let of = |summary: &serde_json::Value, what: &str| summary["runs"][0][what].as_f64().unwrap();
        for (what, ratio) in [("stable_rate", N), ("stability_start", 1.0), ("objective_final", 1.0 / N)] {
            let (mean, sum) = (of(&mean, what), of(&sum, what));
            assert!(near(mean, ratio * sum, 1e-9), "{what}: {mean} and {sum}");
        }
        if penalty == 0.0 {
            continue;
        }
        // where it ends, and how far that can be, are the same
        let limit = |out: &str| String::from_utf8(place.bytes(format!("{out}/limit.csv"))).unwrap();
        let bound = |text: String| text.trim_end().rsplit(',').next().unwrap().parse::<f64>().unwrap();
        assert!(near(bound(limit("mean")), bound(limit("sum")), 1e-9), "{} {}", limit("mean"), limit("sum"));
    }
}

#[test]
fn the_flow_and_what_fixed_kernels_predict_of_it_run_n_times_as_fast() {
    for loss in ["mse", "cross-entropy"] {
        let place = Place::new();
        let line =
            format!("run --width 16 --activation erf --bias hidden --seed 3 --loss {loss} --tolerance 1e-3 --quiet");
        place.succeed(&format!("{line} --until-time 30 --out mean"));
        place.succeed(&format!("{line} --until-time 5 --loss-sum --out sum"));
        let (a, b) = (last(&place, "mean"), last(&place, "sum"));
        assert!(near(a.time, N * b.time, 1e-12) && near(N * a.loss, b.loss, 1e-3), "{a:?}\n{b:?}");
        let predicted = |out: &str| {
            let table = PredictionTable::read(&place.path(format!("{out}/predictions.csv"))).unwrap();
            table.rows.last().copied().unwrap()
        };
        let (a, b) = (predicted("mean"), predicted("sum"));
        for (a, b) in [(a.ntk, b.ntk), (a.linearized, b.linearized)] {
            assert!(near(a.margin_mean, b.margin_mean, 1e-5) && near(a.distance, b.distance, 1e-5), "{a:?}\n{b:?}");
        }
        // the settings are saved with it, and the words say what it is
        place.succeed("run sum/run.toml --quiet --out again");
        assert_eq!(place.bytes("sum/trace.csv"), place.bytes("again/trace.csv"));
        let report = String::from_utf8(place.bytes("sum/report.html")).unwrap();
        assert!(report.contains("loss, summed over the samples") && report.contains("gradient flow on that sum"));
    }
}

#[test]
fn a_prediction_of_the_sum_is_that_of_the_mean_at_n_times_the_time() {
    let place = Place::new();
    let means = |line: &str| -> Vec<f64> {
        let summary = json(&place.succeed(&format!("predict --held-out 5 {line} --json")).stdout);
        summary["points"].as_array().unwrap().iter().map(|point| point["mean"].as_f64().unwrap()).collect()
    };
    for (sum, mean) in [
        ("--loss mse --time 0.5", "--loss mse --time 3"),
        ("--penalty 0.6", "--penalty 0.1"),
        ("--kernel initial --width 16 --time 0.5", "--kernel initial --width 16 --time 3"),
        (
            "--kernel initial --width 16 --loss mse --penalty 0.6",
            "--kernel initial --width 16 --loss mse --penalty 0.1",
        ),
    ] {
        let (a, b) = (means(&format!("{sum} --loss-sum")), means(mean));
        assert!(a.iter().zip(&b).all(|(a, b)| near(*a, *b, 1e-9)), "{sum}: {a:?} {b:?}");
        assert!(means(sum).iter().zip(&b).any(|(a, b)| !near(*a, *b, 1e-3)), "{sum}: the sum is not the mean");
    }
}
