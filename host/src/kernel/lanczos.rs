//! The smallest and the largest eigenvalues of a symmetric matrix A that is known only by its products A v.
//!
//! Lanczos' recurrence with full reorthogonalisation: from a random unit vector v_1, with v_0 = 0,
//!
//! ```text
//! beta_k v_{k+1} = A v_k - alpha_k v_k - beta_{k-1} v_{k-1},     alpha_k = v_k . A v_k
//! ```
//!
//! where every share in v_1 ... v_k is taken off twice, so that rounding leaves none. With T_k the tridiagonal matrix of
//! alpha and beta and T_k s = theta s, the vector V_k s has the residual |A V_k s - theta V_k s| = |beta_k s_k|, so an
//! eigenvalue of A lies within it of theta (Parlett 1998, 13.2). Every theta lies between the smallest and the largest
//! eigenvalue: the smallest theta bounds lambda_min from above and the largest lambda_max from below, converged or not.
//!
//! With a restart the first vectors are Ritz vectors, and T_k has their theta on its diagonal and their shares of A v beside
//! it: it is the projection of A all the same, and so are the bounds.
//!
//! That the eigenvalue within the residual is the outermost one is not proved by it; it fails where the random v_1 has
//! next to no share in the outermost eigenvector. Of an eigenvalue that stands several times in A one is found.
//!
//! faer's partial eigensolver was no help here: it keeps the eigenvalues of largest magnitude only, and says nothing of
//! those that have not converged.

use ntkscope_core::init::Normals;
use ntkscope_core::linalg::{dot, norm};
use ntkscope_core::{self as core, MatMut};

use super::Error;
use crate::backend::HostReal;
use crate::machine::{Ended, Stop};

/// Largest number of products with A, and of vectors that are kept.
pub(super) const MAX_STEPS: usize = 256;
/// Steps from one look at T_k to the next.
const LOOK: usize = 10;
/// A residual of this share of the eigenvalue counts as converged.
const TOLERANCE: f64 = 1e-5;
/// So does one of this share of the largest eigenvalue, which is rounding.
const ROUNDING: f64 = 8.0 * f64::EPSILON;

/// An eigenvalue, or what is known of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ritz {
    /// theta
    pub value: f64,
    /// an eigenvalue lies within this of theta
    pub residual: f64,
    /// whether the residual is below 1e-5 of theta, or rounding
    pub converged: bool,
}

/// Both ends of the spectrum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extremes {
    /// products with A
    pub steps: usize,
    /// not below the smallest eigenvalue
    pub min: Ritz,
    /// not above the largest eigenvalue
    pub max: Ritz,
}

/// What is looked for, and with what effort.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Search {
    /// eigenvalues at each end
    pub count: usize,
    /// vectors that are kept at a time, n numbers each; more of them need fewer products
    pub basis: usize,
    /// most products with A
    pub most: usize,
    /// rounding of a product, as a share of the largest eigenvalue
    pub rounding: f64,
}

impl Search {
    /// This many at each end, of a matrix whose products have the rounding of the scalar T.
    pub fn of<T: HostReal>(count: usize) -> Self {
        Self { count, basis: 128 + 4 * count, most: 4096, rounding: ROUNDING.max(8.0 * T::EPSILON.to_f64()) }
    }
}

/// Eigenvalues from both ends, the outermost first.
#[derive(Clone, Debug, PartialEq)]
pub struct Outermost {
    /// products with A
    pub steps: usize,
    /// ascending, none below the eigenvalue in its place
    pub smallest: Vec<Ritz>,
    /// descending, none above the eigenvalue in its place
    pub largest: Vec<Ritz>,
}

impl Outermost {
    fn all_converged(&self) -> bool {
        self.smallest.iter().chain(&self.largest).all(|ritz| ritz.converged)
    }
}

/// Bytes that [`extremes`] takes for a matrix of n rows.
pub(super) const fn extremes_bytes(n: usize) -> u64 {
    let steps = if n < MAX_STEPS { n } else { MAX_STEPS };
    8 * (n as u64 * (steps as u64 + 1) + 4 * (steps * steps) as u64)
}

/// `product(v, w)` sets w to A v.
pub type Product<'p> = dyn FnMut(&[f64], &mut [f64]) -> Result<(), Error> + 'p;

/// Both ends of the spectrum of the symmetric A (n, n), without a restart.
///
/// Ends when both have converged, when `stop` is requested, after 256 steps, or when the vectors span all of A.
///
/// # Errors
/// Those of `product`; [`Error::Core`] for numbers that are not finite.
pub fn extremes(n: usize, product: &mut Product<'_>, stop: &Stop) -> Result<Ended<Extremes>, Error> {
    let search = Search { count: 1, basis: MAX_STEPS, most: MAX_STEPS, rounding: ROUNDING };
    Ok(match outermost(n, search, product, stop)? {
        Ended::Done(Outermost { steps, smallest, largest }) => {
            Ended::Done(Extremes { steps, min: smallest[0], max: largest[0] })
        }
        Ended::Stopped => Ended::Stopped,
    })
}

/// Outermost eigenvalues of the symmetric A (n, n): at most `search.count` from each end, fewer where A has fewer.
///
/// Ends when all have converged, when `stop` is requested, after `search.most` products, or when the vectors span all of A.
/// When `search.basis` vectors are kept, the recurrence begins anew from the Ritz vectors nearest to the ends and the vector
/// that would have come next (Wu and Simon 2000): nothing of what they span is lost.
///
/// # Errors
/// Those of `product`; [`Error::Core`] for numbers that are not finite.
pub fn outermost(n: usize, search: Search, product: &mut Product<'_>, stop: &Stop) -> Result<Ended<Outermost>, Error> {
    let (count, mut steps) = (search.count.clamp(1, n.max(1)), 0);
    let basis = search.basis.max(4 * count + 4).min(n);
    let mut normals = Normals::new(0);
    let mut v: Vec<f64> = (0..n).map(|_| normals.draw()).collect();
    let length = norm(&v);
    v.iter_mut().for_each(|v| *v /= length);
    // row k of the projection H has v_i . A v_k for i up to k
    let (mut vectors, mut rows): (Vec<Vec<f64>>, Vec<Vec<f64>>) = Default::default();
    while !stop.requested() {
        let mut w = vec![0.0; n];
        product(&v, &mut w)?;
        steps += 1;
        vectors.push(v);
        let mut row = vec![0.0; vectors.len()];
        for _ in 0..2 {
            for (taken, v) in row.iter_mut().zip(&vectors) {
                let share = dot(v, &w);
                w.iter_mut().zip(v).for_each(|(w, v)| *w -= share * v);
                *taken += share;
            }
        }
        rows.push(row);
        let (kept, length) = (vectors.len(), norm(&w));
        let size = rows.iter().flatten().fold(length, |m: f64, x| m.max(x.abs()));
        // what is left is rounding: the vectors span a space that A maps to itself
        let ended = kept == n || length <= ROUNDING * size;
        let full = kept == basis && steps < search.most;
        if ended || full || steps == search.most || steps % LOOK == 0 {
            let projected = Projected::of(&rows, length)?;
            let mut found = projected.outermost(count, steps, search.rounding);
            if ended {
                found.smallest.iter_mut().chain(&mut found.largest).for_each(|ritz| ritz.converged = true);
            }
            if steps == search.most || (kept >= 2 * count || ended) && found.all_converged() {
                return Ok(Ended::Done(found));
            }
            if full {
                (vectors, rows) = projected.restart(count, &vectors);
            }
        }
        w.iter_mut().for_each(|w| *w /= length);
        v = w;
    }
    Ok(Ended::Stopped)
}

/// Eigenvalues and eigenvectors of H.
struct Projected {
    theta: Vec<f64>,
    /// (k, k), eigenvectors in columns
    s: Vec<f64>,
    /// |w|, the length of what is left of A v_k
    length: f64,
}

impl Projected {
    fn of(rows: &[Vec<f64>], length: f64) -> Result<Self, Error> {
        if !rows.iter().flatten().chain([&length]).all(|x| x.is_finite()) {
            return Err(core::Error::NonFinite { what: "a product with the kernel", step: 0 }.into());
        }
        let k = rows.len();
        let (mut h, mut s, mut theta, mut scratch) = (vec![0.0; k * k], vec![0.0; k * k], vec![0.0; k], vec![0.0; k]);
        for (h, row) in h.chunks_exact_mut(k).zip(rows) {
            h[..row.len()].copy_from_slice(row);
        }
        f64::fast()
            .symmetric_eigen(MatMut::new(&mut h, k, k)?, &mut theta, MatMut::new(&mut s, k, k)?, &mut scratch)
            .map_err(Error::Tridiagonal)?;
        Ok(Self { theta, s, length })
    }

    fn outermost(&self, count: usize, steps: usize, rounding: f64) -> Outermost {
        let k = self.theta.len();
        let largest = self.theta[0].abs().max(self.theta[k - 1].abs());
        let ritz = |j: usize| {
            let (value, residual) = (self.theta[j], (self.length * self.s[(k - 1) * k + j]).abs());
            Ritz { value, residual, converged: residual <= (TOLERANCE * value.abs()).max(rounding * largest) }
        };
        let count = count.min(k);
        Outermost { steps, smallest: (0..count).map(ritz).collect(), largest: (k - count..k).rev().map(ritz).collect() }
    }

    /// The vectors to go on from, and their projection: those of the ends, and half of the others nearest to them.
    fn restart(&self, count: usize, vectors: &[Vec<f64>]) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
        let k = self.theta.len();
        let each = count + (k - 2 * count) / 4;
        let kept = (0..each).chain(k - each..k);
        let combined = |j: usize| {
            let mut sum = vec![0.0; vectors[0].len()];
            for (i, v) in vectors.iter().enumerate() {
                let share = self.s[i * k + j];
                sum.iter_mut().zip(v).for_each(|(sum, v)| *sum += share * v);
            }
            sum
        };
        let rows = kept.clone().enumerate().map(|(at, j)| {
            let mut row = vec![0.0; at + 1];
            row[at] = self.theta[j];
            row
        });
        (kept.map(combined).collect(), rows.collect())
    }
}
