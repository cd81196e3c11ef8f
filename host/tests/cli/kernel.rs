//! `ntkscope kernel` and `ntkscope compare`.

use safetensors::Dtype;
use safetensors::tensor::TensorView;

use crate::{Place, json};

#[test]
fn the_analytic_kernel_and_its_samples_are_saved() {
    let place = Place::new();
    let done = place.succeed("kernel analytic --depth 3 --bias none --n 8 --out K.npz");
    assert!(done.stdout.contains("ntk: 8 x 8") && done.stdout.contains("nngp: 8 x 8"), "{}", done.stdout);
    let (shape, kernel) = place.array("K.npz", "kernel");
    assert_eq!(shape, [8, 8]);
    // Theta(x, x) = (L + 1)|x|^2
    assert!((0..8).all(|i| (kernel[i * 9] - 4.0).abs() < 1e-12), "{kernel:?}");
    assert_eq!(place.array("K.npz", "ntk").1, kernel);
    assert_eq!(place.array("K.npz", "nngp").0, [8, 8]);
    assert_eq!(place.array("K.npz", "x").0, [8, 2]);
    assert_eq!(place.array("K.npz", "y").0, [8]);
}

#[test]
fn several_outputs() {
    let place = Place::new();
    let line = "kernel empirical --width 12 --outputs 2 --init standard --n 4 --multi-output";
    for (which, rows) in [("full", 8), ("trace", 4), ("0", 4), ("1", 4)] {
        place.succeed(&format!("{line} {which} --out {which}.npz"));
        assert_eq!(place.array(&format!("{which}.npz"), "kernel").0, [rows, rows], "{which}");
    }
    let of = |which: &str| place.array(&format!("{which}.npz"), "kernel").1;
    let (full, trace, classes) = (of("full"), of("trace"), [of("0"), of("1")]);
    for (i, j) in (0..4).flat_map(|i| (0..4).map(move |j| (i, j))) {
        let block = |c: usize| full[(2 * i + c) * 8 + 2 * j + c];
        assert!((0..2).all(|c| (block(c) - classes[c][4 * i + j]).abs() < 1e-12));
        assert!((trace[4 * i + j] - (block(0) + block(1)) / 2.0).abs() < 1e-12);
    }
}

#[test]
fn saved_parameters_give_the_identical_kernel() {
    for flags in ["", "--dtype f32", "--init standard --bias all --outputs 2 --multi-output full"] {
        let place = Place::new();
        let line = format!("kernel empirical --width 20 --depth 3 {flags}");
        place.succeed(&format!("{line} --seed 5 --params-out P.npz --out A.npz"));
        // the parameters must come from the file
        place.succeed(&format!("{line} --params P.npz --out B.npz --params-out Q.npz"));
        place.succeed(&format!("{line} --seed 6 --out C.npz"));
        assert_eq!(place.bytes("A.npz"), place.bytes("B.npz"), "{flags}");
        assert_eq!(place.bytes("P.npz"), place.bytes("Q.npz"), "{flags}");
        assert_ne!(place.bytes("A.npz"), place.bytes("C.npz"), "{flags}");
    }
}

#[test]
fn parameters_of_a_run_give_its_last_kernel() {
    let place = Place::new();
    place.succeed("run --width 16 --until-time 5 --loss mse --reading point --out o --quiet");
    place.succeed("kernel empirical --width 16 --params o/params.npz --out K.npz --quiet");
    assert_eq!(place.array("K.npz", "kernel").1, place.array("o/kernels.npz", "final").1);
}

#[test]
fn parameters_are_read_from_safetensors() {
    let place = Place::new();
    let line = "kernel empirical --width 6 --init standard";
    place.succeed(&format!("{line} --seed 5 --params-out P.npz --out A.npz"));
    let names = ["W0", "b0", "W1", "W2"];
    let tensors: Vec<_> = names
        .iter()
        .map(|name| {
            let (shape, numbers) = place.array("P.npz", name);
            (shape, numbers.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>())
        })
        .collect();
    let views = names
        .iter()
        .zip(&tensors)
        .map(|(name, (shape, bytes))| (*name, TensorView::new(Dtype::F64, shape.clone(), bytes).unwrap()));
    place.file("P.safetensors", safetensors::serialize(views, None).unwrap());
    place.succeed(&format!("{line} --params P.safetensors --out B.npz"));
    assert_eq!(place.bytes("A.npz"), place.bytes("B.npz"));
}

#[test]
fn backends_agree_and_set_chooses_one() {
    let place = Place::new();
    place.succeed("kernel empirical --width 40 --n 10 --out fast.npz");
    place.succeed("kernel empirical --width 40 --n 10 --backend portable --out portable.npz");
    place.succeed("kernel empirical --width 40 --n 10 --set backend=portable --out set.npz");
    assert_eq!(place.bytes("portable.npz"), place.bytes("set.npz"));
    let found = json(&place.succeed("compare fast.npz portable.npz --json").stdout);
    assert!(found["frobenius_relative"].as_f64().unwrap() < 1e-13, "{found}");
}

#[test]
fn a_kernel_is_at_no_distance_from_itself() {
    let place = Place::new();
    place.succeed("kernel analytic --data sphere --n 9 --out K.npz");
    let found = json(&place.succeed("compare K.npz K.npz:ntk --json").stdout);
    for distance in ["max_abs_difference", "max_relative", "frobenius_relative"] {
        assert_eq!(found[distance], 0.0, "{found}");
    }
    assert!((found["centred_alignment"].as_f64().unwrap() - 1.0).abs() < 1e-12, "{found}");
    assert_eq!(found["a"], found["b"]);

    let other = json(&place.succeed("compare K.npz K.npz:nngp --json").stdout);
    let (a, b) = (place.array("K.npz", "ntk").1, place.array("K.npz", "nngp").1);
    let largest = a.iter().zip(&b).fold(0.0, |m: f64, (a, b)| m.max((a - b).abs()));
    assert_eq!(other["max_abs_difference"], largest);
    let words = place.succeed("compare K.npz K.npz:nngp").stdout;
    assert!(words.contains("centred alignment") && words.contains("A: 9 x 9"), "{words}");
}

#[test]
fn json_is_all_that_stands_on_stdout() {
    let place = Place::new();
    let found = json(&place.succeed("kernel analytic --json").stdout);
    assert_eq!((&found["ntk"]["n"], &found["nngp"]["n"]), (&6.into(), &6.into()));
    let found = json(&place.succeed("kernel empirical --width 8 --json").stdout);
    assert!(found["kernel"]["lambda_max"].as_f64().unwrap() > 0.0);
}
