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

/// A regression is where training of the linearised network ends under the same penalty.
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
