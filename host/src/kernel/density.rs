//! The whole spectrum of a symmetric positive semidefinite K (n, n) that is known only by its products, as a density.
//!
//! Stochastic Lanczos quadrature (Golub and Meurant 1994; Ubaru, Chen and Saad 2017): for a random z with entries +-1 the mean of
//! `z^T f(K) z` is `tr f(K)`. s steps of Lanczos' recurrence from z/sqrt(n) give a tridiagonal T with eigenvalues theta_j and
//! first components tau_j of its eigenvectors, and
//!
//! ```text
//! (1/n) z^T f(K) z = sum_j tau_j^2 f(theta_j),    exactly for polynomials of degree up to 2s - 1
//! ```
//!
//! Several z (probes) are taken, and their scatter gives the standard error. Most of it would be of the largest eigenvalues, which
//! carry most of the trace: those whose eigenvectors are known are counted by themselves, and the probes are kept orthogonal to them
//! (deflation). What is left is corrected by how far the same probes are from the trace, which is known (a regression estimator).
//!
//! Vectors are not kept and not orthogonalised again: copies of eigenvalues that rounding brings share the weight of the one
//! (Knizhnerman 1996).

use ntkscope_core::init::Normals;
use ntkscope_core::linalg::{dot, norm};
use ntkscope_core::{MatMut, MatRef, Real};

use super::operator::{Operator, Told};
use super::{Error, tridiagonal};
use crate::machine::{Ended, Stop};

/// A length of this share of the largest seen is rounding.
const ROUNDING: f64 = 8.0 * f64::EPSILON;
/// Fewest probes whose scatter tells a slope from noise.
const FOR_A_SLOPE: usize = 5;

/// A number that was estimated, and its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimated {
    /// the estimate
    pub value: f64,
    /// standard error, over the probes; NaN of a single one
    pub error: f64,
}

/// What the probes say.
#[derive(Clone, Debug, PartialEq)]
pub struct Density {
    /// rows of K
    pub rows: usize,
    /// products with a block of all probes
    pub steps: usize,
    /// a power of two near the largest theta, in which all of them are kept: squares of theirs are in range
    unit: f64,
    /// eigenvalues that are known, descending
    known: Vec<f64>,
    /// of each probe the pairs (theta_j, tau_j^2 |z|^2/n), ascending
    probes: Vec<Vec<(f64, f64)>>,
    /// tr K/n
    mean: f64,
}

impl Density {
    /// `tr f(K)/n`.
    ///
    /// ```text
    /// mean of f - b (mean of theta - tr K/n),     b the slope of f over theta among the probes
    /// ```
    pub fn mean_of(&self, f: impl Fn(f64) -> f64) -> Estimated {
        self.in_units(|theta| f(theta * self.unit))
    }

    /// `tr f(K/unit)/n`.
    fn in_units(&self, f: impl Fn(f64) -> f64) -> Estimated {
        let known = self.of_known(&f);
        let Estimated { value, error } = self.estimate(&self.each(f));
        Estimated { value: known + value, error }
    }

    /// What the eigenvalues that are known contribute to tr f(K)/n.
    fn of_known(&self, f: impl Fn(f64) -> f64) -> f64 {
        self.known.iter().map(|theta| f(*theta)).sum::<f64>() / self.rows as f64
    }

    /// (1/n) z^T f(K) z of every probe, which has nothing of what is known.
    fn each(&self, f: impl Fn(f64) -> f64) -> Vec<f64> {
        self.probes.iter().map(|probe| probe.iter().map(|(theta, weight)| weight * f(*theta)).sum()).collect()
    }

    /// The mean of what the probes say, corrected by what they say of the trace.
    fn estimate(&self, values: &[f64]) -> Estimated {
        let (traces, m) = (self.each(|theta| theta), values.len() as f64);
        let mean = |x: &[f64]| x.iter().sum::<f64>() / m;
        let (value, trace) = (mean(values), mean(&traces));
        let square: f64 = traces.iter().map(|t| (t - trace) * (t - trace)).sum();
        let product: f64 = traces.iter().zip(values).map(|(t, v)| (t - trace) * (v - value)).sum();
        let with_slope = values.len() >= FOR_A_SLOPE && square > 0.0;
        let slope = if with_slope { product / square } else { 0.0 };
        let left = values.iter().zip(&traces).map(|(v, t)| (v - value - slope * (t - trace)).powi(2)).sum::<f64>();
        // a degree of freedom for the mean, one for the slope
        let free = m - if with_slope { 2.0 } else { 1.0 };
        let off = trace - (self.mean - self.of_known(|theta| theta));
        let of_slope = if with_slope { off * off / square } else { 0.0 };
        Estimated { value: value - slope * off, error: (left / free * (1.0 / m + of_slope)).sqrt() }
    }

    /// How many eigenvalues are at least `lambda`.
    ///
    /// A jump is no polynomial: between two theta nothing is known of where the weight lies (Chebyshev, Markov and Stieltjes). It is
    /// taken as spread evenly over their logarithm, half of each theta's on either side, and the standard error has that of a
    /// place anywhere within.
    pub fn count_from(&self, lambda: f64) -> Estimated {
        let lambda = lambda / self.unit;
        let each: Vec<(f64, f64)> = self.probes.iter().map(|probe| weight_from(probe, lambda)).collect();
        let Estimated { value, error } = self.estimate(&each.iter().map(|(weight, _)| *weight).collect::<Vec<_>>());
        let apart = each.iter().map(|(_, apart)| apart).sum::<f64>() / each.len() as f64;
        let (n, known) = (self.rows as f64, self.known.iter().filter(|theta| **theta >= lambda).count() as f64);
        Estimated { value: (n * value + known).clamp(known, n), error: n * error.hypot(apart / 12f64.sqrt()) }
    }

    /// exp of the entropy of the eigenvalues divided by their sum, as
    /// [`effective_rank`](ntkscope_core::kernel::Spectrum::effective_rank) of all of them; NaN where their sum is not positive.
    pub fn effective_rank(&self) -> Estimated {
        let (n, total) = (self.rows as f64, self.rows as f64 * self.mean);
        let share = |theta: f64| if theta > 0.0 { -(theta / total) * (theta / total).ln() } else { 0.0 };
        let entropy = self.in_units(share);
        let value = (n * entropy.value).exp();
        if total > 0.0 {
            Estimated { value, error: value * n * entropy.error }
        } else {
            Estimated { value: f64::NAN, error: f64::NAN }
        }
    }

    /// Frobenius norm |K|_F.
    pub fn frobenius(&self) -> Estimated {
        let n = self.rows as f64;
        let square = self.in_units(|theta| theta * theta);
        let value = (n * square.value).max(0.0).sqrt();
        // of a kernel that is 0 all probes say so
        let error = if square.error == 0.0 { 0.0 } else { n * square.error / (2.0 * value) };
        Estimated { value: self.unit * value, error: self.unit * error }
    }

    /// Smallest and largest theta.
    pub fn ends(&self) -> (f64, f64) {
        let all = self.probes.iter().flatten().map(|(theta, _)| *theta).chain(self.known.iter().copied());
        let (least, most) = (all.clone().fold(f64::INFINITY, f64::min), all.fold(f64::NEG_INFINITY, f64::max));
        (least * self.unit, most * self.unit)
    }
}

/// Weight of what lies at `lambda` or above, and that of the gap between two theta that it falls into; theta ascend.
fn weight_from(probe: &[(f64, f64)], lambda: f64) -> (f64, f64) {
    let above = probe.partition_point(|(theta, _)| *theta < lambda);
    let total: f64 = probe[above..].iter().map(|(_, weight)| weight).sum();
    let (Some((low, of_low)), Some((high, of_high))) = (above.checked_sub(1).map(|i| probe[i]), probe.get(above))
    else {
        return (total, 0.0);
    };
    // rounding may leave theta of 0 and less, where there is no logarithm
    let share = if low > 0.0 { (high / lambda).ln() / (high / low).ln() } else { (high - lambda) / (high - low) };
    let gap = 0.5 * (of_low + of_high);
    (total - 0.5 * of_high + share * gap, gap)
}

/// Bytes that [`density`] takes beside the operator.
pub const fn density_bytes(rows: usize, probes: usize) -> u64 {
    // four of the recurrence, four of a product
    8 * rows as u64 * 8 * probes as u64
}

/// With what effort.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// random vectors
    pub probes: usize,
    /// most products of K with all of them
    pub steps: usize,
    /// of the vectors
    pub seed: u64,
}

/// Estimates the density; `trace` is tr K, and `known` has eigenvalues whose unit eigenvectors (n) are known.
///
/// # Errors
/// Those of the operator; [`Error::Core`] for products that are not finite.
pub fn density(
    operator: &mut dyn Operator,
    Effort { probes, steps, seed }: Effort,
    (trace, known): (f64, &[(f64, &[f64])]),
    told: &mut Told<'_>,
    stop: &Stop,
) -> Result<Ended<Density>, Error> {
    let n = operator.rows();
    let (probes, steps) = (probes.max(1), steps.clamp(1, n));
    let mut normals = Normals::new(seed);
    let mut v: Vec<f64> = (0..probes * n).map(|_| if normals.draw() < 0.0_f64 { -1.0 } else { 1.0 }).collect();
    let (mut before, mut w) = (vec![0.0; probes * n], vec![0.0; probes * n]);
    let mut recurrences: Vec<Recurrence> = vec![Recurrence::default(); probes];
    for (one, v) in recurrences.iter_mut().zip(v.chunks_exact_mut(n)) {
        without(known, v);
        let length = norm(v);
        one.weight = length * length / n as f64;
        one.ended = length <= ROUNDING * (n as f64).sqrt();
        if !one.ended {
            v.iter_mut().for_each(|v| *v /= length);
        }
    }
    let mut done = 0;
    while done < steps && recurrences.iter().any(|one| !one.ended) {
        let mut share = |of_product: f64| told((done as f64 + of_product) / steps as f64);
        let (from, to) = (MatRef::new(&v, probes, n)?, MatMut::new(&mut w, probes, n)?);
        if operator.apply(from, to, &mut share, stop)? == Ended::Stopped {
            return Ok(Ended::Stopped);
        }
        done += 1;
        let vectors = v.chunks_exact_mut(n).zip(before.chunks_exact_mut(n)).zip(w.chunks_exact_mut(n));
        for (one, ((v, before), w)) in recurrences.iter_mut().zip(vectors) {
            // rounding would bring them back
            without(known, w);
            one.step(v, before, w);
        }
    }
    let alphas = recurrences.iter().flat_map(|one| &one.alpha).copied();
    let largest = known.iter().map(|(theta, _)| *theta).chain(alphas).fold(0.0, |m: f64, theta| m.max(theta.abs()));
    let unit = largest.power_of_two();
    let of_probe = |one: &Recurrence| {
        let in_units = |x: &Vec<f64>| -> Vec<f64> { x.iter().map(|x| x / unit).collect() };
        let (alpha, mut beta) = (in_units(&one.alpha), in_units(&one.beta));
        beta.truncate(alpha.len().saturating_sub(1));
        let (theta, first) = tridiagonal::eigen(&alpha, &beta)?;
        Ok(theta.into_iter().zip(first).map(|(theta, tau)| (theta, tau * tau * one.weight)).collect())
    };
    let probes = recurrences.iter().map(of_probe).collect::<Result<_, Error>>()?;
    let known = known.iter().map(|(theta, _)| theta / unit).collect();
    Ok(Ended::Done(Density { rows: n, steps: done, unit, known, probes, mean: trace / unit / n as f64 }))
}

/// Takes the shares of these unit vectors off v.
fn without(known: &[(f64, &[f64])], v: &mut [f64]) {
    for (_, u) in known {
        let share = dot(u, v);
        v.iter_mut().zip(*u).for_each(|(v, u)| *v -= share * u);
    }
}

/// alpha and beta of one probe.
#[derive(Clone, Debug, Default)]
struct Recurrence {
    alpha: Vec<f64>,
    beta: Vec<f64>,
    /// |z|^2/n
    weight: f64,
    /// the vectors span a space that K maps to itself
    ended: bool,
}

impl Recurrence {
    /// From v_k, v_(k-1) and K v_k to v_(k+1) and v_k.
    fn step(&mut self, v: &mut [f64], before: &mut [f64], w: &mut [f64]) {
        if self.ended {
            return;
        }
        let last = self.beta.last().copied().unwrap_or(0.0);
        w.iter_mut().zip(&*before).for_each(|(w, before)| *w -= last * before);
        let alpha = dot(w, v);
        w.iter_mut().zip(&*v).for_each(|(w, v)| *w -= alpha * v);
        let beta = norm(w);
        self.alpha.push(alpha);
        self.beta.push(beta);
        let size = self.alpha.iter().chain(&self.beta).fold(0.0, |m: f64, x| m.max(x.abs()));
        self.ended = beta <= ROUNDING * size;
        if !self.ended {
            before.copy_from_slice(v);
            v.iter_mut().zip(&*w).for_each(|(v, w)| *v = w / beta);
        }
    }
}
