//! Kernels that are never formed, on the command line: against those that are.

use crate::{Place, json};

/// A column of a csv file.
fn column(place: &Place, file: &str, name: &str) -> Vec<f64> {
    let text = std::fs::read_to_string(place.path(file)).unwrap();
    let mut lines = text.lines();
    let at =
        lines.next().unwrap().split(',').position(|column| column == name).unwrap_or_else(|| panic!("{name}: {text}"));
    lines.map(|line| line.split(',').nth(at).unwrap().parse().unwrap()).collect()
}

/// A regression is where training of the linearized network ends under the same penalty.
#[test]
fn a_regression_is_a_prediction() {
    let place = Place::new();
    let sphere = "--data sphere --n 70 --held-out 9 --depth 2";
    let classes = "--data mixture --n 70 --held-out 9 --depth 1";
    for (data, loss, network) in [
        (sphere, "mse", ""),
        (classes, "cross-entropy", ""),
        (classes, "mse", "--network resnet"),
        (sphere, "mse", "--width 16 --seed 2"),
    ] {
        let kernel = if network.contains("--width") { ["initial", "empirical"] } else { ["ntk", "ntk"] };
        for ridge in ["1", "0.01", "1e-4"] {
            let rest = format!("{data} --loss {loss} {network} --quiet");
            place.succeed(&format!("predict {rest} --penalty {ridge} --kernel {} --out P.csv", kernel[0]));
            let regress =
                format!("regress {rest} --ridge {ridge} --tolerance 1e-10 --kernel {} --out R.csv", kernel[1]);
            place.succeed(&regress);
            let (exact, found) = (column(&place, "P.csv", "mean"), column(&place, "R.csv", "mean"));
            assert_eq!(exact.len(), 9);
            let size = exact.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
            for (exact, found) in exact.iter().zip(&found) {
                assert!((exact - found).abs() < 1e-6 * size, "{regress}: {exact} {found}");
            }
        }
    }
}

/// Three classes at once, held-out labels: accuracy and likelihood are those of the probabilities that are saved.
#[test]
fn the_likelihood_is_that_of_the_labels() {
    let place = Place::new();
    let rows: String = (0..60)
        .map(|i| {
            let t = f64::from(i) * 0.7;
            format!("{},{},{}\n", t.cos() + 0.1 * f64::from(i % 7), t.sin(), (i * i + i / 5) % 3)
        })
        .collect();
    place.file("three.csv", rows);
    let line = "regress --data three.csv --classes all --n 45 --held-out 15 --loss cross-entropy --ridge 0.01 --out R.csv --json";
    let found = json(&place.succeed(line).stdout);
    assert!(found["converged"].as_bool().unwrap() && found["newton_steps"].as_u64().unwrap() > 0, "{found}");
    let p: Vec<Vec<f64>> = (0..3).map(|c| column(&place, "R.csv", &format!("probability{c}"))).collect();
    let (class, predicted) = (column(&place, "R.csv", "class"), column(&place, "R.csv", "predicted"));
    let mean = (0..15).map(|i| p[class[i] as usize][i].ln()).sum::<f64>() / 15.0;
    assert!((found["log_likelihood"].as_f64().unwrap() - mean).abs() < 1e-12, "{found}");
    let right = class.iter().zip(&predicted).filter(|(a, b)| a == b).count();
    assert!((found["accuracy"].as_f64().unwrap() - right as f64 / 15.0).abs() < 1e-12, "{found}");
    assert!((0..15).all(|i| (p.iter().map(|p| p[i]).sum::<f64>() - 1.0).abs() < 1e-12));
}

/// A probability that is 0 in its digits has a logarithm all the same, and a small one is no complement of one near 1.
#[test]
fn the_likelihood_of_wrong_and_certain_predictions_is_finite() {
    let place = Place::new();
    // the last points are far away, on the wrong side
    let two = "10,1,0\n-10,1,1\n11,0.5,0\n-9,0.2,1\n500,1,1\n-600,2,0\n";
    let three = "10,1,0\n-10,1,1\n1,10,2\n11,0.5,0\n-9,0.2,1\n0,9,2\n5000,1,1\n-6000,2,0\n";
    for (rows, n, classes) in [(two, 4, 2), (three, 6, 3)] {
        place.file("far.csv", rows);
        let line = format!("regress --data far.csv --n {n} --held-out 2 --loss cross-entropy --ridge 1e-6 --out R.csv");
        let found = json(&place.succeed(&format!("{line} --json")).stdout);
        let names: Vec<String> = match classes {
            2 => vec!["mean".into()],
            _ => (0..classes).map(|c| format!("mean{c}")).collect(),
        };
        let mean: Vec<Vec<f64>> = names.iter().map(|name| column(&place, "R.csv", name)).collect();
        let right = column(&place, "R.csv", "class");
        let logarithm = |i: usize| match &mean[..] {
            [f] => {
                let margin = if right[i] == 1.0 { f[i] } else { -f[i] };
                margin.min(0.0) - (-margin.abs()).exp().ln_1p()
            }
            all => {
                let most = all.iter().map(|f| f[i]).fold(f64::MIN, f64::max);
                let sum: f64 = all.iter().map(|f| (f[i] - most).exp()).sum();
                all[right[i] as usize][i] - most - sum.ln()
            }
        };
        let expected = (logarithm(0) + logarithm(1)) / 2.0;
        let told = found["log_likelihood"].as_f64().unwrap_or_else(|| panic!("{found}"));
        assert!((told - expected).abs() < 1e-9 * expected.abs() && told < -300.0, "{told} {expected}");
        if classes == 2 {
            for (i, f) in mean[0].iter().enumerate() {
                for (name, f) in [("probability1", *f), ("probability0", -f)] {
                    let exact = if f > 0.0 { 1.0 / (1.0 + (-f).exp()) } else { f.exp() / (1.0 + f.exp()) };
                    let found = column(&place, "R.csv", name)[i];
                    assert!((found - exact).abs() <= 1e-12 * exact, "{name} {found} {exact}");
                }
            }
        }
    }
}

/// A label that is no class of the training samples is none of them; one that is no integer is no label.
#[test]
fn test_points_have_labels_of_the_same_kind() {
    let place = Place::new();
    place.file("train.csv", "1,2,0\n-3,4,1\n5,-6,0\n1,1,1\n");
    place.file("test.csv", "1,2,0\n2,2,0.5\n");
    place.file("other.csv", "1,2,0\n2,2,7\n");
    for line in ["predict --penalty 0.1", "regress --loss cross-entropy --ridge 0.1"] {
        let line = format!("{line} --data train.csv --targets classes");
        place.refuse(&format!("{line} --test test.csv"), 2, &["--test test.csv", "0.5", "row 1"]);
        let done = place.succeed(&format!("{line} --test other.csv --json"));
        assert_eq!(json(&done.stdout)["accuracy"].as_f64(), Some(0.5), "{}", done.stdout);
    }
}

/// What stops before its tolerance says so, and keeps nothing behind.
#[test]
fn a_residual_that_is_not_reached_is_told() {
    let place = Place::new();
    let line = "regress --data sphere --n 60 --held-out 3 --ridge 1e-6 --rank 1 --products 2 --out R.npz";
    let done = place.run(line.split_whitespace());
    assert_eq!(done.code, 1, "{}", done.stderr);
    assert!(done.stderr.contains("--tolerance 1e-6") || done.stderr.contains("tolerance"), "{}", done.stderr);
    assert!(place.path("R.npz").exists() && !place.path("R.state.npz").exists());
}

/// A state of another regression is named, not gone on from.
#[test]
fn the_state_of_another_regression_is_refused() {
    let place = Place::new();
    place.file("R.state.npz", "no archive");
    place.refuse("regress --data sphere --n 20 --held-out 2 --ridge 0.1 --out R.npz", 3, &["R.state.npz"]);
}

/// Without test points there is a fit, and nothing to save.
#[test]
fn a_fit_alone_saves_no_predictions() {
    let (place, line) = (Place::new(), "regress --data sphere --n 20 --ridge 0.1");
    place.succeed(line);
    place.succeed(&format!("{line} --json"));
    for file in ["R.npz", "R.csv"] {
        place.refuse(&format!("{line} --out {file}"), 2, &["--out", file, "--held-out", "--test"]);
    }
}

/// Two calls that would write the same results, and the same state meanwhile, do not meet.
#[test]
fn one_regression_at_a_time_has_its_results() {
    let (place, line) = (Place::new(), "regress --data sphere --n 20 --held-out 2 --ridge 0.1 --out R.npz");
    let lock = ntkscope::files::FileLock::of(&place.path("R.state.npz")).unwrap();
    place.refuse(line, 2, &["R.state.npz", "in use"]);
    drop(lock);
    place.succeed(line);
    assert_eq!(std::fs::read_dir(place.path("")).unwrap().count(), 1);
}

#[test]
fn a_spectrum_is_that_of_the_kernel() {
    let place = Place::new();
    for (of, kernel) in [
        ("--kernel ntk --depth 2", "kernel analytic --depth 2"),
        ("--kernel empirical --width 9 --seed 4", "kernel empirical --width 9 --seed 4"),
        (
            "--kernel empirical --width 9 --outputs 2 --multi-output full",
            "kernel empirical --width 9 --outputs 2 --multi-output full",
        ),
    ] {
        let data = "--data sphere --n 50 --json --quiet";
        let whole = json(&place.succeed(&format!("{kernel} {data}")).stdout);
        let whole = if whole["ntk"].is_null() { &whole["kernel"] } else { &whole["ntk"] };
        // as many products as rows span everything
        let found = json(
            &place.succeed(&format!("spectrum {of} {data} --products 200 --steps 100 --probes 12 --ends 3")).stdout,
        );
        let (n, number) = (whole["n"].as_f64().unwrap(), |value: &serde_json::Value| value.as_f64().unwrap());
        let largest = number(&whole["lambda_max"]);
        assert_eq!(number(&found["rows"]), n);
        assert!((number(&found["largest"][0]["value"]) - largest).abs() < 1e-9 * largest, "{found}");
        let least = number(&found["smallest"][0]["value"]) - number(&whole["lambda_min"]);
        assert!(least.abs() < 1e-9 * largest, "{found} {whole}");
        assert!((number(&found["trace"]) - n * number(&whole["mean_diagonal"])).abs() < 1e-9 * largest, "{found}");
        for key in ["frobenius", "effective_rank"] {
            let (off, error) = (number(&found[key]["value"]) - number(&whole[key]), number(&found[key]["error"]));
            assert!(off.abs() <= 5.0 * error + 1e-9 * number(&whole[key]), "{key}: {found} {whole}");
        }
        let counts: Vec<f64> = found["density"].as_array().unwrap().iter().map(|row| number(&row["count"])).collect();
        assert!(counts[0] <= 2.0 && (counts[counts.len() - 1] - n).abs() <= 1.0, "{counts:?}");
    }
}

/// Where the matrix does not fit, predictions come from products, and are the same.
#[test]
fn predictions_of_many_samples_need_no_matrix() {
    let place = Place::new();
    for rest in ["--loss mse --data sphere", "--loss cross-entropy --data mixture"] {
        let line = format!("predict --n 1500 --held-out 20 --depth 1 --penalty 0.01 --dimension 3 {rest}");
        place.succeed(&format!("{line} --out P.csv --quiet"));
        let done = place.succeed(&format!("{line} --out Q.csv --memory 60MB"));
        assert!(done.stderr.contains("by products"), "{}", done.stderr);
        let (exact, found) = (column(&place, "P.csv", "mean"), column(&place, "Q.csv", "mean"));
        let size = exact.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
        assert!(exact.iter().zip(&found).all(|(e, f)| (e - f).abs() < 1e-6 * size), "{exact:?} {found:?}");
        // what is random needs the matrix
        place.refuse(&format!("{line} --init standard --memory 60MB"), 2, &["--memory"]);
    }
}
