//! The smallest and the largest eigenvalue of a symmetric matrix A that is known only by its products A v.
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
//! That the eigenvalue within the residual is the outermost one is not proved by it; it fails where the random v_1 has
//! next to no share in the outermost eigenvector.
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

/// Bytes that [`extremes`] takes for a matrix of n rows.
pub(super) const fn extremes_bytes(n: usize) -> u64 {
    let steps = if n < MAX_STEPS { n } else { MAX_STEPS };
    8 * (n as u64 * (steps as u64 + 1) + 4 * (steps * steps) as u64)
}

/// `product(v, w)` sets w to A v.
pub type Product<'p> = dyn FnMut(&[f64], &mut [f64]) -> Result<(), Error> + 'p;

/// Both ends of the spectrum of the symmetric A (n, n).
///
/// Ends when both have converged, when `stop` is requested, after 256 steps, or when the vectors span all of A.
///
/// # Errors
/// Those of `product`; [`Error::Core`] for numbers that are not finite.
pub fn extremes(n: usize, product: &mut Product<'_>, stop: &Stop) -> Result<Ended<Extremes>, Error> {
    let mut normals = Normals::new(0);
    let mut v: Vec<f64> = (0..n).map(|_| normals.draw()).collect();
    let length = norm(&v);
    v.iter_mut().for_each(|v| *v /= length);
    let (mut vectors, mut alpha, mut beta): (Vec<Vec<f64>>, Vec<f64>, Vec<f64>) = Default::default();
    while !stop.requested() {
        let mut w = vec![0.0; n];
        product(&v, &mut w)?;
        alpha.push(dot(&v, &w));
        vectors.push(v);
        for v in vectors.iter().chain(&vectors) {
            let share = dot(v, &w);
            w.iter_mut().zip(v).for_each(|(w, v)| *w -= share * v);
        }
        let (steps, length) = (alpha.len(), norm(&w));
        beta.push(length);
        let size = alpha.iter().chain(&beta).fold(0.0, |m: f64, x| m.max(x.abs()));
        // what is left is rounding: the vectors span a space that A maps to itself
        let ended = steps == n || length <= ROUNDING * size;
        if ended || steps == MAX_STEPS || steps % LOOK == 0 {
            let mut found = ends(&alpha, &beta)?;
            found.min.converged |= ended;
            found.max.converged |= ended;
            if steps == MAX_STEPS || (found.min.converged && found.max.converged) {
                return Ok(Ended::Done(found));
            }
        }
        w.iter_mut().for_each(|w| *w /= length);
        v = w;
    }
    Ok(Ended::Stopped)
}

/// The outermost eigenvalues of T_k and their residuals.
fn ends(alpha: &[f64], beta: &[f64]) -> Result<Extremes, Error> {
    let k = alpha.len();
    let (mut t, mut s, mut theta, mut scratch) = (vec![0.0; k * k], vec![0.0; k * k], vec![0.0; k], vec![0.0; k]);
    for i in 0..k {
        t[i * k + i] = alpha[i];
        if i > 0 {
            t[i * k + i - 1] = beta[i - 1];
        }
    }
    if !alpha.iter().chain(beta).all(|x| x.is_finite()) {
        return Err(core::Error::NonFinite { what: "a product with the kernel", step: 0 }.into());
    }
    f64::fast()
        .symmetric_eigen(MatMut::new(&mut t, k, k)?, &mut theta, MatMut::new(&mut s, k, k)?, &mut scratch)
        .map_err(Error::Tridiagonal)?;
    let largest = theta[0].abs().max(theta[k - 1].abs());
    let ritz = |j: usize| {
        let residual = (beta[k - 1] * s[(k - 1) * k + j]).abs();
        Ritz { value: theta[j], residual, converged: residual <= (TOLERANCE * theta[j].abs()).max(ROUNDING * largest) }
    };
    Ok(Extremes { steps: k, min: ritz(0), max: ritz(k - 1) })
}
