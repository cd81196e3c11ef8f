//! Centred alignment where little is left after centring, and distances of kernels of any scale.

use ntkscope_core::kernel::{centred_alignment, gram as gram_of, max_abs_difference, relative_frobenius};
use ntkscope_core::{Error, MatRef, Real};
use ntkscope_tests::cases::Samples;
use ntkscope_tests::tolerance::same_bits;

const N: usize = 12;

fn square<T: Real>(a: &[T]) -> MatRef<'_, T> {
    MatRef::new(a, N, N).expect("a square")
}

/// G G^T of G (n, 4) with whole numbers up to 8, so that all sums are exact.
fn gram(seed: u64) -> Vec<f64> {
    let g: Samples<f64> = Samples::gaussian(N, 4, seed);
    let whole = |i: usize, k: usize| (3.0 * g.view().at(i, k)).round().clamp(-8.0, 8.0);
    (0..N * N).map(|e| (0..4).map(|k| whole(e / N, k) * whole(e % N, k)).sum()).collect()
}

fn alignment<T: Real>(a: &[f64], b: &[f64]) -> f64 {
    let [a, b] = [a, b].map(|k| k.iter().map(|x| T::from_f64(*x)).collect::<Vec<T>>());
    centred_alignment(square(&a), square(&b)).expect("symmetric").to_f64()
}

/// alignment(K + a 11^T, L + b 11^T) = alignment(K, L): K and L have whole numbers, so that what is subtracted first is
/// exact, and no bit changes.
#[test]
fn addends_change_nothing() {
    let (k, l) = (gram(1), gram(2));
    let plus = |k: &[f64], addend: f64| -> Vec<f64> { k.iter().map(|x| x + addend).collect() };
    let expected = alignment::<f64>(&k, &l);
    assert!(expected.abs() < 0.99, "{expected}");
    for (a, b) in [(1e3, -1e4), (1e8, 1e8), (-1e10, 3e10), (1e10, 0.0)] {
        assert_eq!(alignment::<f64>(&plus(&k, a), &plus(&l, b)), expected, "{a:e}, {b:e}");
        assert_eq!(alignment::<f64>(&plus(&k, a), &plus(&k, b)), 1.0, "{a:e}, {b:e}");
    }
    // 24 bits hold whole numbers up to 2^24; sums are in f64
    for (a, b) in [(0.0, 0.0), (1e4, -1e5), (1.6e7, 1.6e7)] {
        assert_eq!(alignment::<f32>(&plus(&k, a), &plus(&l, b)), f64::from(expected as f32), "{a:e}, {b:e}");
    }
    assert!(alignment::<f64>(&k, &[7.5; N * N]).is_nan(), "a constant has no direction");
    assert!(alignment::<f64>(&[0.0; N * N], &[0.0; N * N]).is_nan());
    // constant to rounding
    let rounded: Vec<f64> = (0..N * N).map(|e| 0.1 + if e % 13 == 0 { f64::EPSILON / 8.0 } else { 0.0 }).collect();
    assert!(alignment::<f64>(&rounded, &k).is_nan());
}

#[test]
fn no_samples_have_no_alignment() {
    for outputs in [0, 1, 3] {
        let targets = MatRef::<f64>::new(&[], 0, outputs).expect("length");
        gram_of(targets, 0..0, &mut []);
    }
    let none = MatRef::<f64>::new(&[], 0, 0).expect("length");
    assert!(centred_alignment(none, none).expect("shapes").is_nan());
    // whose targets have no numbers is at the right angle to every other
    let mut out = [f64::NAN; 4];
    gram_of(MatRef::<f64>::new(&[], 2, 0).expect("length"), 0..2, &mut out);
    assert_eq!(out, [0.0; 4]);
}

/// A common factor 2^k changes no bit of what is relative.
#[test]
fn factors_change_nothing() {
    let (k, l) = (gram(1), gram(2));
    let times = |k: &[f64], factor: f64| -> Vec<f64> { k.iter().map(|x| x * factor).collect() };
    let both = |a: &[f64], b: &[f64]| [alignment::<f64>(a, b), relative_frobenius(square(a), square(b)).unwrap()];
    let expected = both(&k, &l);
    for power in [-1060, -1000, -540, -1, 3, 500, 1000] {
        let factor = if power < -1000 { f64::from_bits(1) * 2f64.powi(power + 1074) } else { 2f64.powi(power) };
        let (a, b) = (times(&k, factor), times(&l, factor));
        same_bits(&format!("2^{power}"), &expected, &both(&a, &b));
        assert_eq!(alignment::<f64>(&a, &l).to_bits(), expected[0].to_bits(), "2^{power} of one");
        assert_eq!(
            max_abs_difference(square(&a), square(&b)).unwrap(),
            factor * max_abs_difference(square(&k), square(&l)).unwrap()
        );
    }
    assert!(relative_frobenius(square(&[0.0; N * N]), square(&[0.0; N * N])).unwrap().is_nan());
    assert_eq!(relative_frobenius(square(&k), square(&[0.0; N * N])).unwrap(), f64::INFINITY);
}

/// What is far from symmetric is told, not clamped.
#[test]
fn a_quotient_outside_its_range_is_refused() {
    let mut outside = 0;
    for seed in 0..40 {
        let [a, b] = [seed, seed + 100].map(|seed| {
            let drawn: Samples<f64> = Samples::gaussian(N, N, seed);
            (0..N * N).map(|e| drawn.view().at(e / N, e % N) + 10.0 * (e % N) as f64).collect::<Vec<f64>>()
        });
        match centred_alignment(square(&a), square(&b)) {
            Ok(value) => assert!(value.is_nan() || value.abs() <= 1.0),
            Err(error) => {
                assert!(matches!(error, Error::OutOfRange { what: "centred alignment", .. }), "{error}");
                outside += 1;
            }
        }
    }
    println!("{outside} of 40 outside");
}
