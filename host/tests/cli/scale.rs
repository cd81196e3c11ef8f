//! Commands at every scale of their inputs: a common power of two changes nothing that is relative, to the bit.

use std::fmt::Write;

use serde_json::Value;

use crate::{Place, json};

/// Five points of the plane and two numbers each, in 20 digits, times powers of two.
fn csv(x: f64, y: f64) -> String {
    const ROWS: [[f64; 3]; 7] = [
        [1.0, 0.25, 0.5],
        [-0.5, 1.5, -1.0],
        [0.75, -0.375, 2.0],
        [-1.25, -0.5, 0.25],
        [0.125, 1.0, -0.75],
        [2.0, 0.5, 0.5],
        [0.3, -1.7, 1.5],
    ];
    let mut text = String::new();
    for [a, b, label] in ROWS {
        writeln!(text, "{:e},{:e},{:e}", x * a, x * b, y * label).unwrap();
    }
    text
}

fn numbers(summary: &Value, keys: &[&str]) -> Vec<f64> {
    keys.iter().map(|key| summary[key].as_f64().unwrap_or_else(|| panic!("{key} in {summary}"))).collect()
}

/// What `key` says of every test point.
fn of_points(summary: &Value, key: &str) -> Vec<f64> {
    summary["points"].as_array().unwrap().iter().map(|point| point[key].as_f64().unwrap()).collect()
}

const POWERS: [i32; 5] = [-400, -260, -3, 200, 400];

#[test]
fn distances_of_kernels_of_any_size() {
    let place = Place::new();
    let both = |power: i32| {
        for (name, depth) in [("a", 1), ("b", 2)] {
            place.file("x.csv", csv(2f64.powi(power), 1.0));
            let line =
                format!("kernel analytic --data x.csv --bias none --depth {depth} --out {name}.npz --json --quiet");
            let summary = json(&place.succeed(&line).stdout);
            assert!(summary["ntk"]["frobenius"].as_f64().is_some(), "{summary}");
        }
        let found = json(&place.succeed("compare a.npz b.npz --json --quiet").stdout);
        numbers(&found, &["max_relative", "frobenius_relative", "centred_alignment"])
    };
    let expected = both(0);
    assert!(expected.iter().all(|v| *v > 0.0 && *v <= 1.0), "{expected:?}");
    for power in POWERS {
        assert_eq!(both(power), expected, "2^{power}");
    }
    // a norm far beyond the root of the largest number, and a kernel that cannot be had
    let done = place.succeed("kernel analytic --network resnet --depth 1000 --json --quiet");
    assert!(json(&done.stdout)["ntk"]["frobenius"].as_f64().unwrap() > 1e300, "{}", done.stdout);
    for (power, what) in [(-530, "small"), (520, "large")] {
        place.file("x.csv", csv(2f64.powi(power), 1.0));
        for which in ["analytic", "empirical --width 4"] {
            place.refuse(&format!("kernel {which} --data x.csv --bias none"), 2, &["sample 0", what]);
        }
    }
    // f32: the first is 0 there
    for power in [-200, -70, 70, 200] {
        place.file("x.csv", csv(2f64.powi(power), 1.0));
        for which in ["analytic", "empirical --width 4"] {
            place.refuse(&format!("kernel {which} --data x.csv --bias none --dtype f32"), 2, &["sample 0"]);
        }
    }
}

#[test]
fn predictions_of_samples_and_targets_of_any_size() {
    let place = Place::new();
    let predicted = |x: i32, y: i32, kernel: &str| {
        let text = csv(2f64.powi(x), 2f64.powi(y));
        let rows: Vec<&str> = text.lines().collect();
        place.file("train.csv", rows[..5].join("\n"));
        place.file("test.csv", rows[5..].join("\n"));
        let line = "predict --data train.csv --test test.csv --bias none --loss mse --json --quiet";
        // the infinitely wide network has no width
        let width = if kernel == "initial" { "--width 8" } else { "" };
        let summary = json(&place.succeed(&format!("{line} --kernel {kernel} {width}")).stdout);
        of_points(&summary, "mean").iter().map(|m| m / 2f64.powi(y)).collect::<Vec<_>>()
    };
    for kernel in ["ntk", "initial"] {
        let expected = predicted(0, 0, kernel);
        for power in POWERS {
            assert_eq!(predicted(0, power, kernel), expected, "targets times 2^{power}, {kernel}");
            if kernel == "ntk" {
                assert_eq!(predicted(power, 0, kernel), expected, "samples times 2^{power}");
                assert_eq!(predicted(power, -power, kernel), expected, "samples times 2^{power}, targets by it");
            }
        }
    }
}

/// Without a bias a kernel of samples times s is s^2 times the kernel, however it is known: what is told of it is homogeneous.
#[test]
fn kernels_that_are_not_formed_at_any_size() {
    let place = Place::new();
    place.file("x.csv", csv(1.0, 1.0));
    for seed in [1, 2] {
        place.succeed(&format!(
            "kernel empirical --data x.csv --width 8 --bias none --init standard --seed {seed} --params-out P{seed}.npz --quiet"
        ));
    }
    let at = |power: i32| {
        let (x, square) = (2f64.powi(power), 2f64.powi(2 * power));
        place.file("x.csv", csv(x, 1.0));
        let mut found = Vec::new();
        for how in ["--probes 3", ""] {
            let drift = json(&place.succeed(&format!("drift P1.npz P2.npz --data x.csv {how} --json --quiet")).stdout);
            let keys = ["drift_fro", "drift_operator", "alignment", "target_alignment"];
            found.extend(numbers(&drift["checkpoints"][1], &keys));
            found.push(numbers(&drift["checkpoints"][1], &["lambda_max"])[0] / square);
        }
        for kernel in ["ntk", "empirical --width 8"] {
            // fewer products than rows, so that all is estimated
            let line = format!(
                "spectrum --kernel {kernel} --bias none --data x.csv --probes 2 --steps 2 --products 1 --ends 1"
            );
            let spectrum = json(&place.succeed(&format!("{line} --json --quiet")).stdout);
            found.extend(numbers(&spectrum["frobenius"], &["value", "error"]).iter().map(|v| v / square));
            found.extend(numbers(&spectrum["effective_rank"], &["value"]));
            let counts = spectrum["density"].as_array().unwrap();
            found.extend(counts.iter().flat_map(|row| numbers(row, &["count"])));
            let classes = csv(x, 1.0);
            let classes =
                classes.lines().enumerate().map(|(i, row)| format!("{},{}\n", row.rsplit_once(',').unwrap().0, i % 2));
            place.file("classes.csv", classes.collect::<String>());
            for (loss, data) in [("mse", "x.csv"), ("cross-entropy", "classes.csv")] {
                let ridge = 2f64.powi(2 * power - 5);
                let line =
                    format!("regress --kernel {kernel} --bias none --data {data} --held-out 2 --ridge {ridge:e}");
                let done =
                    json(&place.succeed(&format!("{line} --loss {loss} --rank 2 --out R.npz --json --quiet")).stdout);
                found.extend(numbers(&done, &["training_loss", "trace_left"]));
                found.extend(place.array("R.npz", "mean").1);
            }
        }
        found
    };
    let expected = at(0);
    assert!(expected.iter().all(|x| x.is_finite()), "{expected:?}");
    for power in POWERS {
        for (found, expected) in at(power).iter().zip(&expected) {
            assert!((found - expected).abs() <= 1e-9 * expected.abs(), "samples times 2^{power}: {found} {expected}");
        }
    }
}

#[test]
fn smoothness_of_labels_of_any_size() {
    let place = Place::new();
    let of = |x: f64, y: f64| {
        let row = |i: u32| {
            let turn = f64::from(i) * 0.1;
            let kink = if i % 7 < 3 { 1.0 } else { -0.5 };
            format!("{:e},{:e},{:e}\n", x * turn.cos(), x * turn.sin(), y * ((3.0 * turn).sin() + kink))
        };
        place.file("waves.csv", (0..60).map(row).collect::<String>());
        let line = "smoothness --data waves.csv --bias none --draws 2 --window 3..12 --out s --force --json --quiet";
        json(&place.succeed(line).stdout)
    };
    let keys = ["alpha", "alpha_error", "decay", "alpha_random_outputs"];
    let one = of(1.0, 1.0);
    for power in [-300, -9, 2, 300] {
        let scaled = of(1.0, 2f64.powi(power));
        assert_eq!(numbers(&scaled, &keys), numbers(&one, &keys), "labels times 2^{power}");
        let (risk, expected) = (numbers(&scaled, &["risk_zero"])[0], numbers(&one, &["risk_zero"])[0]);
        assert_eq!(risk, expected * 2f64.powi(2 * power), "labels times 2^{power}");
        assert_eq!(numbers(&of(2f64.powi(power), 1.0), &keys), numbers(&one, &keys), "samples times 2^{power}");
    }
}
