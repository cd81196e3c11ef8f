//! Kernels that somebody brings to `ntkscope compare`: every form of file, held in memory or read from the disk.

use crate::files::npz;
use crate::{Place, json};

/// exp(-|i - j|/9), n rows.
fn kernel(n: usize) -> Vec<f64> {
    (0..n * n).map(|at| (-((at / n) as f64 - (at % n) as f64).abs() / 9.0).exp()).collect()
}

fn npy(descr: &str, fortran: bool, n: usize, numbers: &[f64]) -> Vec<u8> {
    let order = if fortran { "True" } else { "False" };
    let header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': ({n}, {n}), }}");
    let at = |k: usize| if fortran { numbers[k % n * n + k / n] } else { numbers[k] };
    let data = (0..n * n).flat_map(|k| match descr {
        ">f8" => at(k).to_be_bytes().to_vec(),
        ">f4" => (at(k) as f32).to_be_bytes().to_vec(),
        "<f4" => (at(k) as f32).to_le_bytes().to_vec(),
        _ => at(k).to_le_bytes().to_vec(),
    });
    [b"\x93NUMPY\x01\x00\x76\x00", format!("{header:<117}\n").as_bytes()].concat().into_iter().chain(data).collect()
}

#[test]
fn every_form_of_a_kernel_is_the_same_kernel() {
    let place = Place::new();
    let n = 300;
    let k = kernel(n);
    place.file("plain.npy", npy("<f8", false, n, &k));
    place.file("whole.npz", npz(&[("kernel", &[n, n], &k), ("other", &[n, n], &k)]));
    for (name, descr, fortran, most) in [
        ("fortran.npy", "<f8", true, 0.0),
        ("big.npy", ">f8", false, 0.0),
        ("BIG.NPY", ">f8", true, 0.0),
        ("single.npy", "<f4", false, 1e-7),
        ("bigsingle.npy", ">f4", true, 1e-7),
    ] {
        place.file(name, npy(descr, fortran, n, &k));
        for memory in ["", "--memory 1MiB"] {
            for other in ["plain.npy", "whole.npz", "whole.npz:other"] {
                let found = json(&place.succeed(&format!("compare {name} {other} --json {memory}")).stdout);
                assert!(found["max_abs_difference"].as_f64().unwrap() <= most, "{name} {other} {memory}: {found}");
            }
        }
    }
}

#[test]
fn a_matrix_that_is_no_kernel_is_refused_wherever_it_is_wrong() {
    let place = Place::new();
    // beyond the square of 512 in which a file is looked at
    let n = 520;
    let k = kernel(n);
    place.file("good.npz", npz(&[("kernel", &[n, n], &k)]));
    for (row, column) in [(0, 1), (1, 0), (511, 512), (512, 511), (519, 3), (3, 519), (518, 519)] {
        for (what, change) in [("symmetric", 1e-3), ("finite", f64::NAN)] {
            let mut bad = k.clone();
            bad[row * n + column] += change;
            let place_of = [format!("row {row} column {column}"), format!("row {column} column {row}")];
            for (name, fortran) in [("c.npy", false), ("f.npy", true)] {
                place.file(name, npy("<f8", fortran, n, &bad));
                for memory in ["", "--memory 1MiB"] {
                    let line = format!("compare {name} {name} {memory}");
                    place.refuse(&line, 3, &[name, what]);
                    let told = place.run(line.split_whitespace()).stderr;
                    assert!(place_of.iter().any(|place| told.contains(place)), "{told}");
                }
            }
            if row < 2 {
                place.file("bad.npz", npz(&[("kernel", &[n, n], &bad)]));
                place.refuse("compare good.npz bad.npz", 3, &["bad.npz", "`kernel`", what]);
            }
        }
    }
}
