//! `ntkscope drift`: checkpoints compared with the first, as kernels of theirs are compared.

use crate::Place;
use crate::files::npz;

#[test]
fn rows_are_those_of_kernels_compared() {
    let place = Place::new();
    for seed in [1, 2] {
        let line = format!("kernel empirical --n 6 --width 7 --outputs 1 --seed {seed} --quiet");
        place.succeed(&format!("{line} --out K{seed}.npz --params-out P{seed}.npz"));
    }
    // the files say the network
    let done = place.succeed("drift P1.npz P2.npz P1.npz --out D.csv --json");
    let document: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    let compared = place.succeed("compare K2.npz K1.npz --json");
    let compared: serde_json::Value = serde_json::from_str(&compared.stdout).unwrap();
    let rows = document["checkpoints"].as_array().unwrap();
    let near = |a: &serde_json::Value, b: &serde_json::Value| {
        let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
        assert!((a - b).abs() < 1e-12 * b.abs(), "{a} {b}");
    };
    near(&rows[1]["drift_max"], &compared["max_abs_difference"]);
    near(&rows[1]["drift_fro"], &compared["frobenius_relative"]);
    near(&rows[1]["alignment"], &compared["centred_alignment"]);
    for at in [0, 2] {
        assert_eq!((&rows[at]["drift_max"], &rows[at]["param_distance"]), (&0.0.into(), &0.0.into()));
        assert!((rows[at]["alignment"].as_f64().unwrap() - 1.0).abs() < 1e-12);
    }
    assert!(rows[1]["margin_min"].is_number() && rows[1]["accuracy"].is_number());
    let table = String::from_utf8(place.bytes("D.csv")).unwrap();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 4);
    assert!(lines[0].starts_with("checkpoint,loss,accuracy,margin_min") && lines[2].starts_with("P2.npz,"), "{table}");
    place.succeed("drift P1.npz P2.npz --out D.npz --report D.html --quiet");
    let (shape, kernels) = place.array("D.npz", "kernels");
    assert_eq!(shape, [2, 6, 6]);
    assert_eq!(kernels[36..], place.array("K2.npz", "kernel").1);
    assert_eq!(place.array("D.npz", "eigenvalues").0, [2, 6]);
    let page = String::from_utf8(place.bytes("D.html")).unwrap();
    assert!(page.contains("<svg") && page.contains("P2.npz"));
}

#[test]
fn other_networks_and_other_numbers_of_files_are_refused() {
    let place = Place::new();
    place.succeed("kernel empirical --n 6 --width 7 --quiet --params-out P.npz");
    place.succeed("kernel empirical --n 6 --width 8 --quiet --params-out Q.npz");
    let (wide, narrow): (Vec<f64>, Vec<f64>) = ((0..8).map(f64::from).collect(), (0..4).map(f64::from).collect());
    place.file("a.npz", npz(&[("0.weight", &[4, 2], &wide), ("2.weight", &[1, 4], &narrow)]));
    place.file("b.npz", npz(&[("0.weight", &[2, 2], &narrow), ("2.weight", &[1, 2], &narrow[..2])]));
    for (line, code, told) in [
        ("drift P.npz", 2, "one checkpoint has nothing to be compared with; give two or more"),
        ("drift P.npz Q.npz", 2, "Q.npz: array `first.W0` has shape"),
        ("drift P.npz none.npz", 3, "none.npz"),
        ("drift a.npz b.npz --activation relu", 2, "b.npz: holds another network than a.npz"),
        ("drift a.npz a.npz", 2, "does not say its activation"),
        ("drift a.npz a.npz --activation relu --width 3", 2, "the file says it"),
        ("drift P.npz P.npz --width 8", 2, "P.npz"),
        ("drift a.npz a.npz --activation relu --out a.npz", 2, "a.npz"),
        ("drift a.npz a.npz --activation relu --multi-output 3", 2, "the network has one output"),
        ("drift a.npz a.npz --activation relu --memory 1MB", 2, "--memory"),
        ("drift none.npz P.npz", 3, "none.npz: no such file"),
        ("drift a.npz none.npz --activation relu", 3, "none.npz: no such file"),
        ("drift P.npz P.npz --held-out 2", 2, "--held-out 2"),
        ("drift P.npz P.npz --seed 3", 2, "--seed 3"),
        ("drift P.npz P.npz --report page.csv", 2, "--report page.csv: the name does not tell the format"),
        ("drift P.npz P.npz --report nowhere/page.html", 2, "--report nowhere/page.html"),
    ] {
        let refused = place.run(line.split(' '));
        assert!(refused.code == code && refused.stderr.contains(told), "{line}: {} {}", refused.code, refused.stderr);
    }
    place.succeed("drift a.npz a.npz --activation relu --dtype f32 --loss mse --quiet");
}

/// What is undefined of a constant kernel is so however it is measured, of the first checkpoint too; and columns have gaps.
#[test]
fn constant_kernels_have_no_alignment() {
    let place = Place::new();
    let files = checkpoints(&place, "--width 8 --depth 1");
    for (name, rows) in [("one", "1,2,0.5\n"), ("same", "1,2,0\n1,2,1\n1,2,0\n"), ("zero", "0,0,1\n0,0,2\n")] {
        place.file("x.csv", rows);
        for how in ["", "--probes 3"] {
            let line = format!("drift {files} --data x.csv --targets values {how} --out D.csv");
            let done = place.succeed(&line);
            for column_name in ["alignment", "alignment_se"] {
                let found = column(&place, "D.csv", column_name);
                assert!(found.iter().all(|x| x.is_nan()), "{name} {how} {column_name}: {found:?}");
            }
            assert_eq!(column(&place, "D.csv", "drift_fro")[0], 0.0, "{name} {how}");
            let header = done.stdout.lines().next().unwrap();
            assert!(header.split_whitespace().any(|word| word == "drift_operator"), "{header}");
        }
    }
}

/// A column of a csv file, empty cells as NaN.
fn column(place: &Place, file: &str, name: &str) -> Vec<f64> {
    let text = String::from_utf8(place.bytes(file)).unwrap();
    let mut lines = text.lines();
    let at =
        lines.next().unwrap().split(',').position(|column| column == name).unwrap_or_else(|| panic!("{name}: {text}"));
    let number = |cell: &str| if cell.is_empty() { f64::NAN } else { cell.parse().unwrap() };
    lines.map(|line| number(line.split(',').nth(at).unwrap())).collect()
}

/// Three checkpoints of one network on these samples; the flags that name them.
fn checkpoints(place: &Place, network: &str) -> String {
    for seed in [1, 2] {
        place.succeed(&format!(
            "kernel empirical --n 6 {network} --init standard --seed {seed} --quiet --params-out P{seed}.npz"
        ));
    }
    // beside the first
    place.succeed(&format!(
        "run --n 6 {network} --init standard --seed 1 --loss cross-entropy --until-time 3 --quiet --out R"
    ));
    "P1.npz P2.npz R/params.npz".into()
}

/// Columns that come from every entry have the bits of kernels that are held, at any memory and on any number of threads;
/// those of products are within their residuals.
#[test]
fn kernels_that_do_not_fit_are_compared_all_the_same() {
    for (network, data, rest, tight) in [
        ("--width 24 --depth 2 --dtype f64", "--data circle --n 600", "", ["24MiB", "30MiB"]),
        ("--width 30 --depth 1 --dtype f32", "--data circle --n 702", "--loss mse", ["20MiB", "28MiB"]),
        (
            "--width 16 --depth 1 --outputs 2",
            "--data circle --n 300 --outputs 2",
            "--multi-output full",
            ["24MiB", "32MiB"],
        ),
    ] {
        let place = Place::new();
        let files = checkpoints(&place, network);
        let line = format!("drift {files} {data} {rest}").replace(" --outputs 2", "");
        let held = place.run(format!("{line} --out held.csv --quiet").split_whitespace());
        assert_eq!(held.code, 0, "{}", held.stderr);
        for (memory, threads) in [(tight[0], 1), (tight[0], 3), (tight[1], 2)] {
            let done =
                place.run(format!("{line} --memory {memory} --threads {threads} --out strips.csv").split_whitespace());
            assert!(done.code == 0 && done.stderr.contains("are not formed"), "{line} {memory}: {}", done.stderr);
            for name in [
                "loss",
                "accuracy",
                "margin_min",
                "param_norm",
                "param_distance",
                "drift_max",
                "drift_fro",
                "alignment",
                "target_alignment",
            ] {
                let [exact, found] = ["held.csv", "strips.csv"].map(|file| column(&place, file, name));
                let bits = |all: &[f64]| all.iter().map(|x| x.to_bits()).collect::<Vec<u64>>();
                assert_eq!(bits(&exact), bits(&found), "{line} {memory} {threads}: {name} {exact:?} {found:?}");
            }
            for (name, residual) in
                [("lambda_max", "lambda_max_residual"), ("drift_operator", "drift_operator_residual")]
            {
                let [exact, found] = ["held.csv", "strips.csv"].map(|file| column(&place, file, name));
                let residual = column(&place, "strips.csv", residual);
                for ((exact, found), residual) in exact.iter().zip(&found).zip(residual) {
                    let rounding = if network.contains("f32") { 1e-5 } else { 1e-12 };
                    assert!(
                        (exact - found).abs() <= residual + rounding * exact,
                        "{line}: {name} {exact} {found} {residual}"
                    );
                    assert!(residual <= 2e-5 * exact, "{line}: {name} {exact} {residual}");
                }
            }
            assert!(column(&place, "strips.csv", "lambda_min").iter().all(|x| x.is_nan()));
        }
        assert!(column(&place, "held.csv", "drift_fro_se").iter().all(|x| x.is_nan()));
    }
}

/// What random vectors tell is within five standard errors of what the entries say, and no bit depends on threads or memory.
#[test]
fn products_tell_how_far_kernels_are_apart() {
    let place = Place::new();
    let files = checkpoints(&place, "--width 24 --depth 2");
    let line = format!("drift {files} --data circle --n 400 --quiet");
    place.succeed(&format!("{line} --out held.csv"));
    for (threads, memory) in [(1, "18MiB"), (3, "1GiB")] {
        place.succeed(&format!("{line} --probes 12 --threads {threads} --memory {memory} --out probes{threads}.csv"));
    }
    assert_eq!(place.bytes("probes1.csv"), place.bytes("probes3.csv"));
    for name in ["drift_fro", "alignment", "target_alignment"] {
        let error = format!("{name}_se");
        let [exact, found] = ["held.csv", "probes1.csv"].map(|file| column(&place, file, name));
        let error = column(&place, "probes1.csv", &error);
        for ((exact, found), error) in exact.iter().zip(&found).zip(&error) {
            assert!((exact - found).abs() <= 5.0 * error + 1e-12, "{name}: {exact} {found} {error}");
            assert!(*error <= 0.05 * exact, "{name}: {exact} {error}");
        }
        assert!(error[1] > 0.0 && (error[0] == 0.0 || name == "target_alignment"), "{name}: {error:?}");
    }
    assert!(column(&place, "probes1.csv", "drift_max").iter().all(|x| x.is_nan()));
    let page = place.run(format!("{line} --probes 3 --out D.npz --report D.html").split_whitespace());
    assert_eq!(page.code, 0, "{}", page.stderr);
    assert_eq!(place.array("D.npz", "drift_fro").0, [3]);
}

#[test]
fn parameters_of_any_size_have_their_norms_and_what_has_none_names_its_file() {
    let place = Place::new();
    let network = |name: &str, first: [f64; 4], last: [f64; 2]| {
        place.file(name, npz(&[("0.weight", &[2, 2], &first), ("2.weight", &[1, 2], &last)]));
    };
    let norms = |line: &str| {
        let done = place.succeed(&format!("{line} --activation relu --dtype f32 --json --quiet"));
        let document: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
        ["param_norm", "param_distance", "param_max"].map(|key| document["checkpoints"][1][key].as_f64().unwrap())
    };
    // squares of these are none of f32's numbers
    let tiny = 2f64.powi(-80);
    network("a.npz", [tiny; 4], [0.0; 2]);
    network("b.npz", [3.0 * tiny; 4], [0.0; 2]);
    assert_eq!(norms("drift a.npz b.npz"), [6.0 * tiny, 4.0 * tiny, 2.0 * tiny]);
    // a unit that is never active
    let huge = 2f64.powi(66);
    network("c.npz", [1.0, 1.0, huge, 0.0], [1.0, 0.0]);
    network("d.npz", [1.0, 1.0, 3.0 * huge, 0.0], [1.0, 0.0]);
    place.file("x.csv", "-1,2,0\n-2,3,1\n-1,4,0\n");
    assert_eq!(norms("drift c.npz d.npz --data x.csv"), [3.0 * huge, 2.0 * huge, 2.0 * huge]);
    // outputs are, too, and then the kernel
    network("e.npz", [2f64.powi(100); 4], [2f64.powi(100); 2]);
    for rest in ["", " --probes 2"] {
        let line = format!("drift c.npz e.npz --activation relu --data x.csv{rest}");
        place.refuse(&format!("{line} --dtype f32"), 2, &["e.npz: its outputs or its kernel", "--dtype f64"]);
        place.succeed(&format!("{line} --dtype f64 --quiet"));
    }
}

#[test]
fn names_of_files_are_whole_in_messages() {
    let place = Place::new();
    place.file("one: class.csv", "1,2,0\n2,3,0\n");
    let done = place.run(["run", "--data", "one: class.csv"]);
    assert!(done.stderr.contains("one: class.csv: the data has only one class"), "{}", done.stderr);
}
