//! y as classes or as numbers, commands without y, and results that are used by themselves.

use std::collections::BTreeMap;

use crate::files::npz;
use crate::{Place, json};

const X: [f64; 12] = [1.0, 0.2, -0.3, 1.1, -1.0, 0.4, 0.1, -0.9, 0.7, 0.6, -0.5, -0.8];

/// The columns of a csv file by name, as text.
fn columns(place: &Place, name: &str) -> BTreeMap<String, Vec<String>> {
    let text = String::from_utf8(place.bytes(name)).unwrap();
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    let column = |k: usize| rows.iter().map(|row| row[k].to_owned()).collect();
    header.iter().enumerate().map(|(k, name)| ((*name).to_owned(), column(k))).collect()
}

fn number(text: &str) -> f64 {
    text.parse().unwrap_or(f64::NAN)
}

/// Six samples on the plane, written with this y of `c` numbers each; `c` of 0 leaves it out.
fn six(place: &Place, name: &str, y: &[f64], c: usize) {
    let shape: &[usize] = if c > 1 { &[6, c] } else { &[6] };
    let arrays: [(&str, &[usize], &[f64]); 2] = [("x", &[6, 2], &X), ("y", shape, y)];
    place.file(name, npz(&arrays[..if c == 0 { 1 } else { 2 }]));
}

/// The targets of a class are -1 and +1, or one-hot; a run on those numbers is the same run.
#[test]
fn a_run_on_values_is_the_run_on_classes_with_these_targets() {
    let classes = [[0.0, 1.0, 1.0, 0.0, 1.0, 0.0], [2.0, 0.0, 1.0, 1.0, 0.0, 2.0]];
    for (labels, c) in classes.into_iter().zip([1, 3]) {
        for flags in ["", "--dtype f32 --init standard", "--optimizer gd --rate 0.05 --max-steps 30"] {
            let place = Place::new();
            let hot = |label: f64| (0..c).map(move |k| f64::from(u8::from(k as f64 == label)));
            let targets = match c {
                1 => labels.map(|label| 2.0 * label - 1.0).to_vec(),
                _ => labels.into_iter().flat_map(hot).collect(),
            };
            six(&place, "classes.npz", &labels, 1);
            six(&place, "values.npz", &targets, c);
            let line = format!("run --loss mse --width 16 --n 4 --held-out 2 --until-time 5 --quiet {flags}");
            place.succeed(&format!("{line} --data classes.npz --targets classes --out a"));
            place.succeed(&format!("{line} --data values.npz --targets values --out b"));
            assert_eq!(place.bytes("a/params.npz"), place.bytes("b/params.npz"), "{flags}");
            for (file, arrays) in [
                ("kernels.npz", &["analytic", "initial", "final", "times", "x", "targets"][..]),
                ("predictions.npz", &["network", "ntk", "linearized", "time", "x", "targets"][..]),
                ("limit.npz", &["network", "ntk", "linearized", "x", "targets"][..]),
            ] {
                for name in arrays {
                    let of = |run: &str| place.array(&format!("{run}/{file}"), name);
                    assert_eq!(of("a"), of("b"), "{file} {name} {flags}");
                }
            }
            assert_eq!(place.array("a/kernels.npz", "targets"), (vec![4, c], targets[..4 * c].to_vec()));
            for file in ["trace.csv", "predictions.csv", "limit.csv"] {
                let (a, b) = (columns(&place, &format!("a/{file}")), columns(&place, &format!("b/{file}")));
                assert!(a.keys().eq(b.keys()), "{file}");
                for (name, cells) in &a {
                    // what only classes have is empty
                    let of_classes = ["accuracy", "margin", "agreement"].iter().any(|part| name.contains(part));
                    let empty = b[name].iter().all(String::is_empty);
                    assert!(if of_classes { empty } else { *cells == b[name] }, "{file} {name} {flags}: {:?}", b[name]);
                }
            }
            let said = String::from_utf8(place.bytes("b/report.html")).unwrap();
            assert!(!said.contains("NaN") && !said.contains("<td>accuracy"), "{flags}");
            assert!(!place.path("b/figures/margin.svg").exists() && place.path("a/figures/margin.svg").exists());
        }
    }
}

#[test]
fn real_targets_are_trained_on_and_told() {
    let place = Place::new();
    six(&place, "r.npz", &[0.5, -1.25, 2.5, 0.1, 1.5, -0.75], 1);
    let done = place.succeed("run --data r.npz --loss mse --width 256 --until-loss 1e-3 --out o --json");
    let summary = json(&done.stdout);
    assert_eq!((&summary["targets"], &summary["runs"][0]["accuracy"]), (&"values".into(), &serde_json::Value::Null));
    assert!(summary["data"].as_str().unwrap().contains("real-valued y"), "{summary}");
    assert!(summary["runs"][0]["final_loss"].as_f64().unwrap() <= 1e-3, "{summary}");
    // at the end the outputs are y
    let ends = place.array("o/limit.npz", "network").1;
    let y = place.array("o/kernels.npz", "y").1;
    assert!(ends.iter().zip(&y).all(|(f, y)| (f - y).abs() < 0.12), "{ends:?} {y:?}");
    let settings = String::from_utf8(place.bytes("o/run.toml")).unwrap();
    assert!(settings.contains("targets = \"values\"") && !settings.contains("class-labels"), "{settings}");
    place.succeed("run o/run.toml --out again --quiet");
    assert_eq!(place.bytes("o/kernels.npz"), place.bytes("again/kernels.npz"));

    for (line, parts) in [
        ("run --data r.npz", &["0.5 is not an integer", "--targets values", "--loss mse"][..]),
        ("run --data r.npz --loss cross-entropy --targets values", &["--targets values", "--loss mse"]),
        ("run --data r.npz --loss both --targets values", &["--targets values", "--loss mse"]),
        ("run --data r.npz --loss hinge --targets values", &["--targets values", "--loss mse"]),
        ("run --data r.npz --loss mse --outputs 2", &["--outputs 2", "1 number per sample", "--outputs 1"]),
        ("run --data r.npz --loss mse --until-margin 1", &["--until-margin 1", "--until-loss"]),
        ("run --data r.npz --loss mse --targets values --classes parity", &["--classes parity", "--targets values"]),
        ("predict --data r.npz --targets values --n 4 --held-out 2", &["--targets values", "--loss mse"]),
        (
            "smoothness --data r.npz --targets values --coding parity --window 1..4",
            &["--coding parity", "--targets values"],
        ),
    ] {
        let out = if line.starts_with("predict") { "" } else { " --out p" };
        place.refuse(&format!("{line}{out}"), 2, parts);
    }
}

#[test]
fn the_map_from_labels_to_classes_is_told() {
    let place = Place::new();
    place.file("signs.csv", "1,0,1\n0,1,-1\n-1,0,1\n0,-1,-1\n0.5,0.5,7\n");
    let summary = json(
        &place.succeed("run --data signs.csv --classes -1,1 --width 8 --max-steps 2 --out o --json --quiet").stdout,
    );
    assert_eq!(summary["class_labels"], json("[\"-1\", \"1\"]"));
    assert!(summary["data"].as_str().unwrap().contains("labels -1, 1 as classes 0, 1"), "{summary}");
    let settings = String::from_utf8(place.bytes("o/mse/run.toml")).unwrap();
    assert!(
        settings.contains("class-labels = [\"-1\", \"1\"]") && settings.contains("targets = \"classes\""),
        "{settings}"
    );
    assert_eq!(place.array("o/mse/kernels.npz", "classes").1, [-1.0, 1.0]);
    assert_eq!(place.array("o/mse/kernels.npz", "y").1, [1.0, -1.0, 1.0, -1.0]);
    assert_eq!(place.array("o/mse/kernels.npz", "targets").1, [1.0, -1.0, 1.0, -1.0]);
    place.succeed("run o/mse/run.toml --out again --quiet");
    assert_eq!(place.bytes("o/mse/kernels.npz"), place.bytes("again/kernels.npz"));
    place.refuse("run --data signs.csv --classes -1,2 --out p", 2, &["--classes -1,2", "the label 2", "-1, 1, 7"]);
    place.refuse("run --data signs.csv --classes -1,7 --n 2 --out p", 2, &["--classes -1,7", "the label 7"]);
    let shown = place.succeed("data show --data signs.csv --targets classes").stdout;
    assert!(shown.contains("-1 is 0, 1 is 1, 7 is 2"), "{shown}");
    assert_eq!(json(&place.succeed("data show --data signs.csv --json").stdout)["targets"], "values");
}

#[test]
fn x_alone_is_enough_where_no_y_is_needed() {
    let place = Place::new();
    six(&place, "x.npz", &[], 0);
    six(&place, "xy.npz", &[0.0, 1.0, 2.0, 0.0, 1.0, 2.0], 1);
    six(&place, "real.npz", &[0.5, 1.5, 2.5, 0.5, 1.5, 2.5], 1);
    for kind in ["analytic", "empirical --init standard --width 8 --outputs 4"] {
        let of = |data: &str| {
            place.succeed(&format!("kernel {kind} --data {data} --out {data}.K.npz --quiet"));
            place.array(&format!("{data}.K.npz"), "kernel").1
        };
        let alone = of("x.npz");
        assert!(alone == of("xy.npz") && alone == of("real.npz"), "{kind}");
        assert_eq!(place.array("xy.npz.K.npz", "y").0, [6]);
        let names = ntkscope::files::npz::open(&place.path("x.npz.K.npz")).unwrap().names();
        assert!(names.iter().any(|name| name == "x") && !names.iter().any(|name| name == "y"), "{names:?}");
    }
    // whatever the labels are, the outputs are those asked for
    for targets in ["classes", "values"] {
        place.succeed(&format!(
            "kernel empirical --width 8 --outputs 7 --multi-output full --data xy.npz --targets {targets} --out K.npz"
        ));
        assert_eq!(place.array("K.npz", "kernel").0, [42, 42]);
    }
    assert!(place.succeed("data show --data x.npz").stdout.contains("no y"));
    place.succeed("predict --loss mse --data xy.npz --test x.npz --out P.npz --quiet");
    for line in ["run --out o", "predict --loss mse --n 4 --held-out 2", "smoothness --window 1..4 --out o"] {
        place.refuse(&format!("{line} --data x.npz"), 3, &["x.npz", "no y"]);
    }
    place.refuse("kernel analytic --data x.npz --classes 0,1", 3, &["no y", "--classes 0,1"]);
}

#[test]
fn the_spectrum_of_a_kernel_is_saved() {
    let place = Place::new();
    // eigenvalues of a kernel in single precision are known to n times its rounding
    for (dtype, close) in [("f64", 1e-12), ("f32", 1e-5)] {
        place.succeed(&format!("kernel analytic --data sphere --n 7 --dtype {dtype} --out K.npz --quiet"));
        let ends = json(&place.succeed("compare K.npz K.npz:nngp --json").stdout);
        for (name, of) in [("eigenvalues", "a"), ("nngp_eigenvalues", "b")] {
            let (shape, values) = place.array("K.npz", name);
            assert!(shape == [7] && values.is_sorted(), "{values:?}");
            let told = |key: &str| ends[of][key].as_f64().unwrap();
            assert!((values[6] / told("lambda_max") - 1.0).abs() < close, "{ends}");
            let trace: f64 = values.iter().sum();
            assert!((trace / (7.0 * told("mean_diagonal")) - 1.0).abs() < close, "{ends}");
        }
    }
}

#[test]
fn kernels_of_all_snapshots() {
    for dtype in ["f64", "f32"] {
        let place = Place::new();
        let line = format!("run --loss mse --width 16 --until-time 20 --snapshots 6 --dtype {dtype} --quiet");
        place.succeed(&format!("{line} --kernels all --out all"));
        place.succeed(&format!("{line} --out ends"));
        let times = place.array("all/kernels.npz", "times").1;
        let (shape, kernels) = place.array("all/kernels.npz", "snapshots");
        assert_eq!(shape, [times.len(), 6, 6]);
        let array = |name: &str| place.array("all/kernels.npz", name).1;
        // relu under the flow: a point's kernel is another where units rest on their kinks, and the same at the start
        let points = place.array("all/kernels.npz", "points");
        assert_eq!((points.0, &points.1[..36]), (vec![times.len(), 6, 6], &kernels[..36]));
        let (shape, spectra) = place.array("all/kernels.npz", "spectra");
        assert_eq!(shape, [times.len(), 6]);
        for (values, kernel) in spectra.chunks_exact(6).zip(kernels.chunks_exact(36)) {
            let trace: f64 = (0..6).map(|i| kernel[7 * i]).sum();
            let close = if dtype == "f64" { 1e-12 } else { 1e-5 };
            assert!(values.is_sorted() && (values.iter().sum::<f64>() - trace).abs() < close * trace, "{values:?}");
        }
        assert_eq!(kernels[..36], array("initial")[..]);
        assert_eq!(kernels[kernels.len() - 36..], array("final")[..]);
        for (k, row) in place.trace("all/trace.csv").rows.iter().enumerate() {
            assert_eq!(row.time, times[k]);
            let moved = kernels[36 * k..][..36].iter().zip(&kernels).map(|(a, b)| (a - b).abs());
            assert!((moved.fold(0.0, f64::max) - row.drift_max).abs() <= 1e-6 * row.drift_max, "{dtype} {k}");
        }
        assert_eq!(place.bytes("all/trace.csv"), place.bytes("ends/trace.csv"));
        assert!(
            !ntkscope::files::npz::open(&place.path("ends/kernels.npz")).unwrap().names().contains(&"snapshots".into())
        );
    }
}

#[test]
fn times_stand_beside_their_logarithms() {
    let place = Place::new();
    place.succeed("run --loss cross-entropy --width 16 --until-time 20 --snapshots 6 --held-out 3 --quiet --out o");
    let table = columns(&place, "o/predictions.csv");
    let trace = columns(&place, "o/trace.csv");
    // predictions are of the states of the run, the trace's rows of bursts from these on
    let later = |table: &str, trace: &str| table == "0.0" || number(table) < number(trace);
    assert!(table["time"].iter().zip(&trace["time"]).all(|(table, trace)| later(table, trace)), "{table:?}, {trace:?}");
    assert_eq!(table["time"].len(), trace["time"].len());
    let times: Vec<f64> = table["time"].iter().map(|t| number(t)).collect();
    assert_eq!(place.array("o/predictions.npz", "time").1, times);
    assert_eq!(place.array("o/predictions.npz", "x").0, [9, 2]);
    assert_eq!(place.array("o/predictions.npz", "y").0, [6]);
}

/// Everything that a reader needs stands in the file: points, y, classes, how many are right.
#[test]
fn a_prediction_is_used_without_its_command() {
    let place = Place::new();
    place.file("train.csv", "1,0,5\n0.9,0.3,5\n-1,0,9\n-0.8,0.1,9\n0,1,7\n0.1,0.9,7\n");
    place.file("test.csv", "0.95,0.1,5\n-0.9,0,9\n0,0.8,5\n0.2,1,4\n");
    let line = "predict --loss mse --data train.csv --test test.csv";
    place.succeed(&format!("{line} --targets classes --out P.npz --quiet"));
    let array = |name: &str| place.array("P.npz", name).1;
    assert_eq!((array("y"), array("classes")), (vec![5.0, 9.0, 5.0, 4.0], vec![5.0, 7.0, 9.0]));
    assert_eq!((array("predicted"), array("accuracy")), (vec![0.0, 2.0, 1.0, 1.0], vec![0.5]));
    let class = array("class");
    assert!(class[..3] == [0.0, 2.0, 0.0] && class[3].is_nan(), "4 is none of the classes: {class:?}");
    assert_eq!(place.array("P.npz", "mean").0, [4, 3]);
    let done = place.succeed(&format!("{line} --targets classes --out P.csv"));
    assert!(done.stdout.contains("accuracy 0.5"), "{}", done.stdout);
    let table = columns(&place, "P.csv");
    assert_eq!(
        (&table["y"].concat(), &table["class"].concat(), &table["predicted"].concat()),
        (&"5.09.05.04.0".into(), &"0.02.00.0".into(), &"0.02.01.01.0".into())
    );
    assert_eq!(table["x0"].iter().map(|x| number(x)).collect::<Vec<_>>(), [0.95, -0.9, 0.0, 0.2]);
    let summary = json(&place.succeed(&format!("{line} --targets classes --json")).stdout);
    assert_eq!((&summary["accuracy"], &summary["class_labels"]), (&0.5.into(), &json("[\"5\", \"7\", \"9\"]")));

    // the same labels as numbers: one output, and its error
    place.succeed(&format!("{line} --out V.npz --quiet"));
    let value = |name: &str| place.array("V.npz", name);
    assert_eq!((value("mean").0, value("y").1), (vec![4, 1], vec![5.0, 9.0, 5.0, 4.0]));
    let errors = value("mean").1.iter().zip(value("y").1).map(|(f, y)| (f - y) * (f - y)).sum::<f64>();
    assert_eq!(value("rmse").1, [(errors / 4.0).sqrt()]);
    // of selected labels only those are tested
    place.succeed(&format!("{line} --classes 9,5 --out S.npz --quiet"));
    assert_eq!(place.array("S.npz", "y").1, [5.0, 9.0, 5.0]);
    assert_eq!(place.array("S.npz", "class").1, [1.0, 0.0, 1.0]);
}

/// Every column and array that is written is described, and what is described is written.
#[test]
fn every_column_and_array_is_described() {
    let place = Place::new();
    place.file("t.csv", "1,0,5\n0.9,0.3,5\n-1,0,9\n-0.8,0.1,9\n0,1,7\n0.1,0.9,7\n");
    let data = "--data t.csv --classes 5,9 --n 3 --held-out 1";
    let run = format!(
        "run {data} --loss cross-entropy --smoothing 0.1 --width 8 --max-steps 4 --snapshots 3 --kernels all --profile circle"
    );
    place.succeed(&format!("{run} --out o --quiet"));
    place.succeed(&format!("predict {data} --penalty 0.1 --init standard --out P.npz --quiet"));
    place.succeed(&format!("predict {data} --penalty 0.1 --init standard --out P.csv --quiet"));
    place.succeed("predict --data t.csv --n 3 --held-out 1 --loss mse --out V.npz --quiet");
    place.succeed("kernel analytic --data t.csv --classes 5,9 --n 3 --out K.npz --quiet");
    place.succeed("smoothness --data sphere --n 20 --window 1..6 --draws 1 --out s --quiet");
    let mut written: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (file, of) in [
        ("o/kernels.npz", "kernels.npz"),
        ("o/predictions.npz", "predictions.npz"),
        ("o/limit.npz", "limit.npz"),
        ("P.npz", "P.npz"),
        ("V.npz", "P.npz"),
        ("K.npz", "K.npz"),
    ] {
        written.entry(of).or_default().extend(ntkscope::files::npz::open(&place.path(file)).unwrap().names());
    }
    for (file, of) in [
        ("o/trace.csv", "trace.csv"),
        ("o/predictions.csv", "predictions.csv"),
        ("o/limit.csv", "limit.csv"),
        ("o/profile.csv", "profile.csv"),
        ("P.csv", "P.csv"),
        ("s/spectra.csv", "spectra.csv"),
    ] {
        written.entry(of).or_default().extend(columns(&place, file).into_keys());
    }
    for (file, mut names) in written {
        let listed = json(&place.succeed(&format!("columns {file} --json")).stdout);
        let text = |d: &serde_json::Value, key: &str| d[key].as_str().unwrap().to_owned();
        for d in listed["columns"].as_array().unwrap() {
            let (name, meaning) = (text(d, "name"), text(d, "meaning"));
            let stem = name.split(['{', ' ']).next().unwrap();
            let counted =
                |n: &str| n.strip_prefix(stem).is_some_and(|k| k.trim().parse::<usize>().is_ok() || stem == "f");
            let before = names.len();
            let several = name.contains('{') || name.contains("NAME") || meaning.contains("{k}");
            names.retain(|n| *n != name && !(several && counted(n)));
            assert!(names.len() < before && !meaning.is_empty(), "{file} has no {name}: {names:?}");
        }
        assert!(names.is_empty(), "{file}: {names:?} are not described");
    }
    place.refuse("columns trace.txt", 2, &["trace.txt", "trace.csv"]);
    let said = place.succeed("columns kernels.npz").stdout;
    assert!(said.contains("snapshots [(snapshots, n, n)]") && said.contains("--kernels all"), "{said}");
}

/// A file numbers its names by itself; a prediction goes by the names.
#[test]
fn named_classes_of_two_files() {
    let place = Place::new();
    place.file("train.csv", "1,0,cat\n0.9,0.3,cat\n-1,0,eel\n-0.8,0.1,eel\n");
    place.file("test.csv", "-0.9,0,eel\n0.95,0.1,cat\n-1,0.2,ant\n");
    place.file("numbers.csv", "-0.9,0,1\n0.95,0.1,0\n");
    let line = "predict --loss mse --data train.csv --quiet";
    let summary = json(&place.succeed(&format!("{line} --test test.csv --out P.npz --json")).stdout);
    assert_eq!(summary["class_labels"], json("[\"cat\", \"eel\"]"));
    let array = |name: &str| place.array("P.npz", name).1;
    assert_eq!(array("predicted"), [1.0, 0.0, 1.0]);
    assert!(array("class")[..2] == [1.0, 0.0] && array("class")[2].is_nan(), "{:?}", array("class"));
    assert!((array("accuracy")[0] - 2.0 / 3.0).abs() < 1e-15);
    place.refuse(&format!("{line} --test numbers.csv"), 2, &["--test numbers.csv", "numbers", "names"]);
    place.refuse(
        "predict --loss mse --data numbers.csv --test test.csv --targets classes",
        2,
        &["--test test.csv", "names"],
    );
}
