//! Distances between kernels and spectra on matrices whose answers are known.

use ntkscope_core::kernel::{
    CentredAlignment, Definiteness, RelativeFrobenius, Spectrum, centred_alignment, max_abs, max_abs_difference,
    relative_frobenius, spectrum,
};
use ntkscope_core::{Error, MatMut, MatRef, Portable};
use ntkscope_tests::cases::Samples;
use ntkscope_tests::tolerance::Check;

fn square(a: &[f64]) -> MatRef<'_, f64> {
    let n = (a.len() as f64).sqrt() as usize;
    MatRef::new(a, n, n).expect("a square")
}

fn spectrum_of(a: &[f64]) -> Spectrum<f64> {
    let n = square(a).rows();
    let (mut work, mut values, mut scratch) = (vec![0.0; n * n], vec![0.0; n], vec![0.0; n]);
    let work = MatMut::new(&mut work, n, n).expect("length");
    spectrum(&Portable, square(a), work, &mut values, &mut scratch).expect("convergence")
}

/// G G^T of a Gaussian (n, k).
fn gram(n: usize, k: usize, seed: u64) -> Vec<f64> {
    let g: Samples<f64> = Samples::gaussian(n, k, seed);
    let dot = |i: usize, j: usize| g.view().row(i).iter().zip(g.view().row(j)).map(|(x, y)| x * y).sum();
    (0..n * n).map(|e| dot(e / n, e % n)).collect()
}

#[test]
fn largest_entries_and_differences() {
    let (a, b) = ([1.0, -7.0, 2.0, 3.0], [1.0, -4.0, 2.5, 3.0]);
    assert_eq!(max_abs(square(&a)), 7.0);
    assert_eq!(max_abs_difference(square(&a), square(&b)).unwrap(), 3.0);
    assert_eq!(max_abs_difference(square(&a), square(&a)).unwrap(), 0.0);
    let mut nan = a;
    nan[2] = f64::NAN;
    assert!(max_abs(square(&nan)).is_nan(), "a maximum does not hide a NaN");
    assert!(max_abs_difference(square(&nan), square(&b)).unwrap().is_nan());
}

#[test]
fn frobenius_and_alignment_by_definition() {
    let mut check = Check::named("distances by definition");
    for n in [2, 5, 23] {
        let (a, b) = (gram(n, 3, 1), gram(n, n, 2));
        let norm = |m: &[f64]| m.iter().map(|x| x * x).sum::<f64>().sqrt();
        let difference: Vec<f64> = a.iter().zip(&b).map(|(x, y)| x - y).collect();
        check.relative(
            &"Frobenius",
            n,
            norm(&difference) / norm(&b),
            relative_frobenius(square(&a), square(&b)).unwrap(),
        );
        let centred = |m: &[f64]| -> Vec<f64> {
            let mean = |f: &dyn Fn(usize) -> f64| (0..n).map(f).sum::<f64>() / n as f64;
            let total = mean(&|i| mean(&|j| m[i * n + j]));
            let one = |e: usize| m[e] - mean(&|j| m[e / n * n + j]) - mean(&|i| m[i * n + e % n]) + total;
            (0..n * n).map(one).collect()
        };
        let (ca, cb) = (centred(&a), centred(&b));
        let expected = ca.iter().zip(&cb).map(|(x, y)| x * y).sum::<f64>() / (norm(&ca) * norm(&cb));
        check.relative(&"alignment", n, expected, centred_alignment(square(&a), square(&b)).unwrap());
        check.relative(&"alignment with itself", n, 1.0, centred_alignment(square(&a), square(&a)).unwrap());
        let twice_plus_constant: Vec<f64> = a.iter().map(|x| 2.0 * x + 0.5).collect();
        check.relative(
            &"scale and shift",
            n,
            1.0,
            centred_alignment(square(&a), square(&twice_plus_constant)).unwrap(),
        );
    }
    check.finish();
    assert!(centred_alignment(square(&[2.0]), square(&[3.0])).unwrap().is_nan(), "nothing is left of one sample");
}

#[test]
fn spectra() {
    let mut identity = vec![0.0; 49];
    (0..7).for_each(|i| identity[i * 7 + i] = 3.0);
    let s = spectrum_of(&identity);
    assert_eq!((s.lambda_min, s.lambda_max, s.condition), (3.0, 3.0, 1.0));
    let mut check = Check::named("effective rank");
    check.relative(&"identity", 7, 7.0, s.effective_rank);
    check.relative(&"one sample", 1, 1.0, spectrum_of(&[2.5]).effective_rank);
    // eigenvalues 1 and 3: p = 1/4, 3/4
    let expected = (0.25 * 4f64.ln() + 0.75 * (4.0f64 / 3.0).ln()).exp();
    check.relative(&"1 and 3", 2, expected, spectrum_of(&[2.0, 1.0, 1.0, 2.0]).effective_rank);
    check.finish();
    let rank_one = spectrum_of(&[1.0; 36]);
    assert!(rank_one.effective_rank < 1.0 + 1e-12, "{rank_one:?}");
    let told = |s: Spectrum<f64>| (s.definiteness(), s.lambda_min, s.condition);
    let singular = (Definiteness::Singular, 0.0, f64::INFINITY);
    assert_eq!((told(rank_one), told(spectrum_of(&[0.0, 0.0, 0.0, 1.0]))), (singular, singular));
    assert_eq!(spectrum_of(&[0.0, 0.0, 0.0, 1.0]).effective_rank, 1.0);
    // an eigenvalue is known to n epsilon times the largest: here 2^-51, below 0 and above it
    let ends = |lambda: f64| told(spectrum_of(&[1.0, 0.0, 0.0, lambda]));
    let known = 2.0 * f64::EPSILON;
    assert_eq!((ends(-known), ends(known)), (singular, singular));
    assert_eq!(ends(1.01 * known), (Definiteness::Positive, 1.01 * known, 1.0 / (1.01 * known)));
    for indefinite in [spectrum_of(&[1.0, 0.0, 0.0, -1.01 * known]), spectrum_of(&[1.0, 2.0, 2.0, 1.0])] {
        assert!(indefinite.definiteness() == Definiteness::Indefinite && indefinite.condition.is_nan());
        assert!(indefinite.lambda_min < 0.0);
    }
    assert!(spectrum_of(&[-1.0]).effective_rank.is_nan(), "no eigenvalue is positive");
    for n in [1, 4] {
        let zero = spectrum_of(&vec![0.0; n * n]);
        assert_eq!((zero.definiteness(), zero.lambda_min, zero.lambda_max), (Definiteness::Zero, 0.0, 0.0));
        assert!(zero.condition.is_nan() && zero.effective_rank.is_nan(), "{zero:?}");
    }
}

/// Whatever the strides, and of equal shapes alone.
#[test]
fn distances_of_views() {
    let numbers: Vec<f64> = gram(7, 7, 3).into_iter().enumerate().map(|(e, x)| x + e as f64).collect();
    let transposed: Vec<f64> = (0..49).map(|e| numbers[e % 7 * 7 + e / 7]).collect();
    let (a, b, other) = (square(&numbers), square(&transposed), gram(7, 3, 4));
    assert_eq!(max_abs_difference(a.t(), b), Ok(0.0));
    assert_eq!(relative_frobenius(a.t(), b), Ok(0.0));
    let (a, b, other) = (a.block(1..6, 2..7), b.block(2..7, 1..6), square(&other).block(1..6, 2..7));
    assert_eq!(max_abs(a.t()), max_abs(b));
    assert_eq!(max_abs_difference(a.t(), other), max_abs_difference(b, other));
    assert_eq!(relative_frobenius(a.t(), other), relative_frobenius(b, other));
    assert_eq!(relative_frobenius(other, a.t()), relative_frobenius(other, b));
    // of matrices that are not symmetric it may be undefined or refused: as text, because NaN differs from itself
    let aligned = |a| format!("{:?}", centred_alignment(a, other));
    assert_eq!(aligned(a.t()), aligned(b));
    for wrong in [a.block(0..4, 0..5), a.block(0..5, 0..4)] {
        assert!(matches!(max_abs_difference(a, wrong), Err(Error::Shape { need: 5, got: 4, .. })));
        assert!(matches!(relative_frobenius(wrong, a), Err(Error::Shape { need: 4, got: 5, .. })));
        assert!(matches!(centred_alignment(a, wrong), Err(Error::Shape { .. })));
        assert!(matches!(centred_alignment(wrong, wrong), Err(Error::Shape { .. })));
        assert!(matches!(RelativeFrobenius::default().add(a, wrong), Err(Error::Shape { .. })));
        let first = a.block(0..1, 0..5);
        assert!(matches!(CentredAlignment::new(first, first).unwrap().add(a, wrong), Err(Error::Shape { .. })));
        let (mut work, mut values, mut scratch) = ([0.0; 25], [0.0; 5], [0.0; 5]);
        let work = MatMut::new(&mut work, 5, 5).unwrap();
        assert!(matches!(spectrum(&Portable, wrong, work, &mut values, &mut scratch), Err(Error::Shape { .. })));
    }
}
