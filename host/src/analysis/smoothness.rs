//! How smooth a function is for a kernel, `alpha(f) = sup { a : sum_k lambda_k^-a c_k^2 < infinity }`, estimated from n
//! points as in the paper's appendix G: where `lambda_k ~ k^-decay` and `sum_(j >= k) c_j^2 ~ k^-s`, alpha is s/decay.
//!
//! f^GP has alpha = 3/(d+1) for the NTK on S^d. Labels of images come to about 0.4 and less (MNIST 0.40, CIFAR-10 0.09,
//! Fashion-MNIST 0.22 of 3000 samples each, one hidden layer; how they were coded is not said), far above 3/(d+1).

use std::ops::RangeInclusive;

use clap::ValueEnum;
use ntkscope_core as core;
use serde::Serialize;

use super::Error;
use super::spectrum::{PowerLaw, known_eigenvalues, known_tails, power_law};

/// How labels become functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Coding {
    /// one function, the label as a number
    Value,
    /// one function, +1 for odd labels and -1 for even ones
    Parity,
    /// a function for every class, 1 on its samples and 0 elsewhere; the tail sums are their mean
    OneHot,
}

impl Coding {
    /// All.
    pub const ALL: [Self; 3] = [Self::Value, Self::Parity, Self::OneHot];
    /// Its name, as it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Parity => "parity",
            Self::OneHot => "one-hot",
        }
    }
    /// Values `(n, C)` of the functions, and C, which is `classes` for [`Coding::OneHot`] and else 1.
    ///
    /// # Errors
    /// A label that is not below `classes`.
    pub fn encode(self, labels: &[usize], classes: usize) -> Result<(Vec<f64>, usize), core::Error> {
        if let Some(label) = labels.iter().find(|label| **label >= classes) {
            return Err(core::Error::OutOfRange {
                what: "label",
                needs: "below the number of classes",
                got: *label as f64,
            });
        }
        Ok(match self {
            Self::Value => (labels.iter().map(|label| *label as f64).collect(), 1),
            Self::Parity => (labels.iter().map(|label| if label % 2 == 1 { 1.0 } else { -1.0 }).collect(), 1),
            Self::OneHot => {
                let row = |label: usize| (0..classes).map(move |c| if c == label { 1.0 } else { 0.0 });
                (labels.iter().flat_map(|label| row(*label)).collect(), classes)
            }
        })
    }
}

/// Where the decay of the eigenvalues comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Decay {
    /// (d+1)/d, the NTK's on a domain of this dimension d
    Dimension(usize),
    /// fitted to the eigenvalues in this window, counted from 1
    Fitted(RangeInclusive<usize>),
}

/// The window of the paper: k < 0.9 n. In logarithms most of these k lie near n, where the tail sums of n points bend
/// down: a window that ends well before gives a smaller alpha, closer to that of infinitely many points.
pub fn nearly_all(n: usize) -> RangeInclusive<usize> {
    1..=((9 * n).div_ceil(10)).saturating_sub(1)
}

/// The window that leaves out that bend, and the largest eigenvalues.
pub fn middle(n: usize) -> RangeInclusive<usize> {
    20..=n / 5
}

/// An estimate of alpha.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Smoothness {
    /// alpha
    pub alpha: f64,
    /// its standard error from those of the two fits, taken as independent; see [`PowerLaw::error`] for what they mean
    pub error: f64,
    /// of the tail sums
    pub tail: PowerLaw,
    /// of the eigenvalues, positive
    pub decay: f64,
}

/// How many k are data for [`smoothness`]: of tail sums and eigenvalues, because the eigenfunctions of eigenvalues that
/// vanish to rounding are any that are orthogonal to the others.
pub fn known(eigenvalues: &[f64], tails: &[f64]) -> usize {
    known_eigenvalues(eigenvalues).min(known_tails(tails))
}

/// alpha of the function with these tail sums under a kernel with these eigenvalues, both from k = 1 on; `window` counts
/// from 1.
///
/// # Errors
/// [`Error::Unfit`] where one of the fits has too few points, or such that are rounding; a dimension of 0.
pub fn smoothness(
    eigenvalues: &[f64],
    tails: &[f64],
    window: &RangeInclusive<usize>,
    decay: &Decay,
) -> Result<Smoothness, Error> {
    let known = known(eigenvalues, tails);
    let (decay, decay_error) = match decay {
        Decay::Dimension(0) => {
            return Err(core::Error::OutOfRange { what: "dimension", needs: "at least 1", got: 0.0 }.into());
        }
        Decay::Dimension(d) => ((*d as f64 + 1.0) / *d as f64, 0.0),
        Decay::Fitted(window) => {
            let law = power_law(eigenvalues, known, window)?;
            (-law.exponent, law.error)
        }
    };
    let tail = power_law(tails, known, window)?;
    let alpha = -tail.exponent / decay;
    let error = (tail.error / decay).hypot(alpha * decay_error / decay);
    Ok(Smoothness { alpha, error, tail, decay })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::points::sphere;
    use crate::analysis::spectra::{Infinite, Spectra};
    use crate::analysis::spectrum::Unfit;
    use ntkscope_core::MatRef;
    use ntkscope_core::init::Normals;
    use ntkscope_core::network::Fcn;

    #[test]
    fn codings() {
        let labels = [3, 0, 2];
        assert_eq!(Coding::Value.encode(&labels, 4).unwrap(), (vec![3.0, 0.0, 2.0], 1));
        assert_eq!(Coding::Parity.encode(&labels, 4).unwrap(), (vec![1.0, -1.0, -1.0], 1));
        let (one_hot, classes) = Coding::OneHot.encode(&labels, 4).unwrap();
        assert_eq!((one_hot.as_slice(), classes), (&[0., 0., 0., 1., 1., 0., 0., 0., 0., 0., 1., 0.][..], 4));
        assert!(Coding::Value.encode(&labels, 3).is_err());
        assert_eq!(nearly_all(3000), 1..=2699);
    }

    /// Both power laws are put in.
    #[test]
    fn known_smoothness() {
        const N: usize = 40;
        let law = |exponent: f64| -> Vec<f64> { (1..=N).map(|k| (k as f64).powf(exponent)).collect() };
        let (values, tails) = (law(-1.25), law(-0.75));
        let fitted = smoothness(&values, &tails, &nearly_all(N), &Decay::Fitted(1..=N)).unwrap();
        assert!((fitted.alpha - 0.6).abs() < 1e-12 && fitted.error < 1e-12, "{fitted:?}");
        assert!((fitted.decay - 1.25).abs() < 1e-12 && (fitted.tail.exponent + 0.75).abs() < 1e-12);
        let assumed = smoothness(&values, &tails, &nearly_all(N), &Decay::Dimension(1)).unwrap();
        assert!((assumed.alpha - 0.375).abs() < 1e-12);
        assert!(smoothness(&values, &tails, &nearly_all(N), &Decay::Dimension(0)).is_err());
        let unfit =
            |values: &[f64], tails: &[f64], last| match smoothness(values, tails, &(1..=last), &Decay::Dimension(1)) {
                Err(Error::Unfit(unfit)) => unfit,
                other => panic!("{other:?}"),
            };
        assert_eq!(unfit(&values, &tails, N + 1), Unfit::Window { count: N });
        // eigenvalues and tail sums of any rank, on both sides of the window's end
        for rank in [1, 2, 9, 10, 11, N - 1] {
            let cut = |values: &[f64]| -> Vec<f64> {
                values.iter().enumerate().map(|(k, v)| if k < rank { *v } else { 1e-17 * v }).collect()
            };
            for (values, tails) in [(cut(&values), tails.clone()), (values.clone(), cut(&tails))] {
                if rank < 10 {
                    assert_eq!(unfit(&values, &tails, 10), Unfit::Rounding { usable: rank });
                } else {
                    assert!(smoothness(&values, &tails, &(1..=10), &Decay::Fitted(1..=10)).is_ok());
                }
                assert!(smoothness(&values, &tails, &nearly_all(N), &Decay::Dimension(1)).is_err() == (rank < 35));
            }
        }
    }

    /// f^GP on S^1 has alpha = 3/2.
    #[test]
    fn smoothness_of_random_outputs() {
        const N: usize = 300;
        let mut normals = Normals::new(2);
        let x = sphere(N, 2, &mut normals);
        let network = Fcn::new(2, &[1, 1], 1).unwrap();
        let x = MatRef::new(&x, N, 2).unwrap();
        let Spectra { ntk, draws, .. } =
            Infinite::new(&network, x, 10, &mut normals).unwrap().spectra(&[], 10).unwrap();
        let tails = Spectra::mean(&draws);
        let found = smoothness(&ntk, &tails, &(8..=80), &Decay::Fitted(8..=80)).unwrap();
        assert!((found.alpha - 1.5).abs() < 0.25, "{found:?}");
    }
}
