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
    ] {
        let refused = place.run(line.split(' '));
        assert!(refused.code == code && refused.stderr.contains(told), "{line}: {} {}", refused.code, refused.stderr);
    }
    place.succeed("drift a.npz a.npz --activation relu --dtype f32 --loss mse --quiet");
}
