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
//! With blocks v_k is b orthonormal vectors, alpha_k and beta_k are (b, b), and the residual is that of the last b numbers of
//! s, |beta_k s_k| (Golub and Underwood 1977). That takes more vectors for the same values, but fewer products where one with b
//! vectors costs as much as one with a single vector, and finds an eigenvalue that stands b times in A as often.
//!
//! With a restart the first vectors are Ritz vectors, and T_k has their theta on its diagonal and their shares of A v beside
//! it: it is the projection of A all the same, and so are the bounds.
//!
//! That the eigenvalue within the residual is the outermost one is not proved by it; it fails where the random v_1 has
//! next to no share in the outermost eigenvector. Of an eigenvalue that stands several times in A as many are found as v_k has
//! vectors, but where A maps what they span to itself: the recurrence then begins anew beside it, from random vectors that are
//! orthogonal to all before, until such a space has nothing outside of what was found.
//!
//! faer's partial eigensolver was no help here: it keeps the eigenvalues of largest magnitude only, and says nothing of
//! those that have not converged.

use ntkscope_core::init::Normals;
use ntkscope_core::linalg::{dot, norm};
use ntkscope_core::{self as core, MatMut, MatRef};

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

/// Share of the largest entry of the projection below which what is left of a product is looked at again.
const SMALL: f64 = 1e-6;

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

/// Ends of the spectrum that are waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// the smallest and the largest eigenvalues
    Both,
    /// the largest, of a semidefinite matrix, whose smallest seldom converge
    Largest,
    /// the one of largest magnitude
    Farthest,
}

/// What is looked for, and with what effort.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Search {
    /// eigenvalues at each end
    pub count: usize,
    /// which of them have to converge before it ends
    pub awaited: Awaited,
    /// vectors of a product
    pub block: usize,
    /// vectors that are kept at a time, n numbers each; more of them need fewer products
    pub basis: usize,
    /// most products of A with a block
    pub most: usize,
    /// rounding of a product, as a share of the largest eigenvalue
    pub rounding: f64,
}

impl Search {
    /// This many at each end, of a matrix whose products have the rounding of the scalar T.
    pub fn of<T: HostReal>(count: usize) -> Self {
        let rounding = ROUNDING.max(8.0 * T::EPSILON.to_f64());
        Self {
            count,
            awaited: Awaited::Both,
            block: 1,
            basis: count.saturating_mul(4).saturating_add(128),
            most: 4096,
            rounding,
        }
    }
    /// Bytes that [`outermost`] takes for a matrix of n rows.
    pub const fn bytes(self, n: usize) -> u64 {
        let basis = if n < self.basis { n } else { self.basis } as u64;
        // four of the recurrence, four of a product
        let blocks = 8 * self.block as u64;
        // the vectors, and those that a restart makes of them; the projection and its decomposition
        8 * (n as u64 * (basis + basis / 2 + blocks) + 4 * basis * basis)
    }
}

/// Eigenvalues from both ends, the outermost first.
#[derive(Clone, Debug, PartialEq)]
pub struct Outermost {
    /// products of A with a block
    pub steps: usize,
    /// ascending, none below the eigenvalue in its place
    pub smallest: Vec<Ritz>,
    /// descending, none above the eigenvalue in its place
    pub largest: Vec<Ritz>,
    /// unit vectors of the largest, (n) each: orthogonal to one another, eigenvectors as far as the residuals say
    pub vectors: Vec<Vec<f64>>,
}

impl Outermost {
    /// The eigenvalue of largest magnitude; `None` of no row.
    pub fn farthest(&self) -> Option<Ritz> {
        let ends = [self.smallest.first(), self.largest.first()].into_iter().flatten().copied();
        ends.max_by(|a, b| a.value.abs().total_cmp(&b.value.abs()))
    }

    /// Whether nothing of `other`, one value at each end, lies outside of the innermost of these, but for rounding.
    fn encloses(&self, other: &Self) -> bool {
        let innermost = |all: &[Ritz]| all.last().map_or(f64::NAN, |ritz| ritz.value);
        let (low, high) = (innermost(&self.smallest), innermost(&self.largest));
        let largest = self.farthest().map_or(0.0, |ritz| ritz.value.abs());
        let allowed = |value: f64| (TOLERANCE * value.abs()).max(ROUNDING * largest);
        let outside =
            |ritz: &Ritz, low: f64, high: f64| ritz.value < low - allowed(low) || ritz.value > high + allowed(high);
        !other.smallest.iter().chain(&other.largest).any(|ritz| outside(ritz, low, high))
    }

    fn has(&self, awaited: Awaited) -> bool {
        let converged = |all: &[Ritz]| all.iter().all(|ritz| ritz.converged);
        match awaited {
            Awaited::Both => converged(&self.smallest) && converged(&self.largest),
            Awaited::Largest => converged(&self.largest),
            Awaited::Farthest => self.farthest().is_none_or(|farthest| {
                // the other end may be as far away as its residual says
                let within = |ritz: &Ritz| ritz.value.abs() + ritz.residual <= farthest.value.abs();
                let is_farthest = |ritz: &Ritz| ritz.value == farthest.value;
                let ends = [self.smallest.first(), self.largest.first()];
                farthest.converged && ends.into_iter().flatten().all(|ritz| is_farthest(ritz) || within(ritz))
            }),
        }
    }
}

/// Bytes that [`extremes`] takes for a matrix of n rows.
pub(super) const fn extremes_bytes(n: usize) -> u64 {
    let steps = if n < MAX_STEPS { n } else { MAX_STEPS };
    8 * (n as u64 * (steps as u64 + 1) + 4 * (steps * steps) as u64)
}

/// `product(v, w)` sets the rows of w to A times those of v, both (b, n); or says that it was stopped.
pub type Product<'p> = dyn FnMut(MatRef<'_, f64>, MatMut<'_, f64>) -> Result<Ended, Error> + 'p;

/// `product(v, w)` sets w to A v, of one vector.
pub type SingleProduct<'p> = dyn FnMut(&[f64], &mut [f64]) -> Result<(), Error> + 'p;

/// Both ends of the spectrum of the symmetric A (n, n), without a restart.
///
/// Ends when both have converged, when `stop` is requested, after 256 steps, or when the vectors span all of A.
///
/// # Errors
/// Those of `product`; [`Error::Core`] for numbers that are not finite.
pub fn extremes(n: usize, product: &mut SingleProduct<'_>, stop: &Stop) -> Result<Ended<Extremes>, Error> {
    let search = Search { basis: MAX_STEPS, most: MAX_STEPS, ..Search::of::<f64>(1) };
    let mut of_one = |v: MatRef<'_, f64>, mut w: MatMut<'_, f64>| product(v.row(0), w.row_mut(0)).map(Ended::Done);
    Ok(match outermost(n, search, &mut of_one, stop)? {
        Ended::Done(Outermost { steps, smallest, largest, .. }) => {
            Ended::Done(Extremes { steps, min: smallest[0], max: largest[0] })
        }
        Ended::Stopped => Ended::Stopped,
    })
}

/// Outermost eigenvalues of the symmetric A (n, n): at most `search.count` from each end, fewer where A has fewer.
///
/// Ends when all that are awaited have converged, when `stop` is requested, after `search.most` products, or when the vectors span all of A.
/// When `search.basis` vectors are kept, the recurrence begins anew from the Ritz vectors nearest to the ends and the block
/// that would have come next (Wu and Simon 2000): nothing of what they span is lost.
///
/// # Errors
/// Those of `product`; [`Error::Core`] for numbers that are not finite.
pub fn outermost(n: usize, search: Search, product: &mut Product<'_>, stop: &Stop) -> Result<Ended<Outermost>, Error> {
    let (count, mut steps) = (search.count.clamp(1, n.max(1)), 0);
    let block = search.block.clamp(1, n.max(1));
    let basis = search.basis.max(4 * count + 4 * block).min(n);
    let mut normals = Normals::new(0);
    let mut start: Vec<Vec<f64>> = (0..block).map(|_| (0..n).map(|_| normals.draw()).collect()).collect();
    let mut next = orthonormal(&mut start, 1.0).0;
    // row k of the projection H has v_i . A v_k for i up to k
    let (mut vectors, mut rows): (Vec<Vec<f64>>, Vec<Vec<f64>>) = Default::default();
    // vectors before those of the last beginning
    let mut since = 0;
    while !stop.requested() {
        let width = next.len();
        let (v, mut w) = (next.concat(), vec![0.0; width * n]);
        if product(MatRef::new(&v, width, n)?, MatMut::new(&mut w, width, n)?)? == Ended::Stopped {
            return Ok(Ended::Stopped);
        }
        steps += 1;
        let first = vectors.len();
        vectors.append(&mut next);
        let mut left: Vec<Vec<f64>> = w.chunks_exact(n).map(<[f64]>::to_vec).collect();
        for (k, w) in (first..).zip(&mut left) {
            let mut row = vec![0.0; vectors.len()];
            for _ in 0..2 {
                for (taken, v) in row.iter_mut().zip(&vectors) {
                    let share = dot(v, w);
                    w.iter_mut().zip(v).for_each(|(w, v)| *w -= share * v);
                    *taken += share;
                }
            }
            row.truncate(k + 1);
            rows.push(row);
        }
        let kept = vectors.len();
        let size = rows
            .iter()
            .flatten()
            .chain(&left.iter().map(|w| norm(w)).collect::<Vec<_>>())
            .fold(0.0, |m: f64, x| m.max(x.abs()));
        let (mut following, mut beta) = orthonormal(&mut left, size);
        // of what is hardly more than rounding a good part may lie in the space
        for k in (0..following.len()).rev().filter(|k| norm(&beta[*k]) <= SMALL * size).collect::<Vec<_>>() {
            if !taken_off(&mut following[k], &vectors) {
                following.remove(k);
                beta.remove(k);
            }
        }
        // what is left is rounding: the vectors span a space that A maps to itself
        let closed = following.is_empty() && kept < n;
        let ended = kept >= n || closed;
        following.truncate(n - kept.min(n));
        let full = kept + following.len() > basis && steps < search.most;
        if ended || full || steps == search.most || steps % LOOK == 0 {
            let projected = Projected::of(&rows, beta.clone(), width)?;
            let mut found = projected.outermost(count, steps, search.rounding);
            // random vectors have a share in the outermost eigenvector of what is beside all before, and say nothing else of it
            let is_known = if since == 0 {
                !closed || count == 1
            } else {
                let own: Vec<Vec<f64>> = rows[since..].iter().map(|row| row[since..].to_vec()).collect();
                let own = Projected::of(&own, beta, width)?.outermost(1, steps, search.rounding);
                if closed { found.encloses(&own) } else { ended || own.has(search.awaited) }
            };
            if ended {
                found.smallest.iter_mut().chain(&mut found.largest).for_each(|ritz| ritz.converged = true);
            }
            if !is_known {
                found.smallest.iter_mut().chain(&mut found.largest).for_each(|ritz| ritz.converged = false);
            }
            if steps == search.most || (kept >= 2 * count || ended) && found.has(search.awaited) {
                found.vectors = projected.of_largest(found.largest.len(), &vectors);
                return Ok(Ended::Done(found));
            }
            if closed {
                since = kept;
                following = beside(&vectors, block.min(n - kept), &mut normals);
            } else if full {
                (vectors, rows) = projected.restart(count, &vectors);
                since = 0;
            }
        }
        next = following;
    }
    Ok(Ended::Stopped)
}

/// Random orthonormal vectors that are orthogonal to these, so many.
fn beside(vectors: &[Vec<f64>], count: usize, normals: &mut Normals) -> Vec<Vec<f64>> {
    let n = vectors[0].len();
    let mut new: Vec<Vec<f64>> = Vec::new();
    for _ in 0..count {
        let mut w: Vec<f64> = (0..n).map(|_| normals.draw()).collect();
        if taken_off(&mut w, vectors) && taken_off(&mut w, &new) {
            new.push(w);
        }
    }
    new
}

/// Makes a vector orthogonal to these orthonormal ones and of length 1; false where next to nothing of it is left.
fn taken_off(w: &mut [f64], vectors: &[Vec<f64>]) -> bool {
    for _ in 0..3 {
        let before = norm(w);
        for v in vectors {
            let share = dot(v, w);
            w.iter_mut().zip(v).for_each(|(w, v)| *w -= share * v);
        }
        let length = norm(w);
        if length <= 1e-8 * before {
            return false;
        }
        w.iter_mut().for_each(|w| *w /= length);
        // as orthogonal as rounding allows (Daniel, Gragg, Kaufman and Stewart 1976)
        if length >= 0.7 * before {
            break;
        }
    }
    true
}

/// Orthonormal vectors Q that span those of W, fewer where W has others but for rounding of `size`, and beta with
/// `W = Q beta`, a row for each of Q.
fn orthonormal(vectors: &mut [Vec<f64>], size: f64) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
    let (mut q, mut beta): (Vec<Vec<f64>>, Vec<Vec<f64>>) = Default::default();
    let count = vectors.len();
    for (k, w) in vectors.iter_mut().enumerate() {
        for _ in 0..2 {
            for (row, q) in beta.iter_mut().zip(&q) {
                let share = dot(q, w);
                w.iter_mut().zip(q).for_each(|(w, q)| *w -= share * q);
                row[k] += share;
            }
        }
        let length = norm(w);
        // also where it is NaN, which the projection refuses
        if length <= ROUNDING * size {
            continue;
        }
        w.iter_mut().for_each(|w| *w /= length);
        q.push(std::mem::take(w));
        let mut row = vec![0.0; count];
        row[k] = length;
        beta.push(row);
    }
    (q, beta)
}

/// Eigenvalues and eigenvectors of H.
struct Projected {
    theta: Vec<f64>,
    /// (k, k), eigenvectors in columns
    s: Vec<f64>,
    /// beta: what is left of A times the last block, in the vectors to come
    beta: Vec<Vec<f64>>,
    /// vectors of the last block
    width: usize,
}

impl Projected {
    fn of(rows: &[Vec<f64>], beta: Vec<Vec<f64>>, width: usize) -> Result<Self, Error> {
        if !rows.iter().chain(&beta).flatten().all(|x| x.is_finite()) {
            return Err(core::Error::NonFinite { what: "a product with the kernel" }.into());
        }
        let k = rows.len();
        let (mut h, mut s, mut theta, mut scratch) = (vec![0.0; k * k], vec![0.0; k * k], vec![0.0; k], vec![0.0; k]);
        for (h, row) in h.chunks_exact_mut(k).zip(rows) {
            h[..row.len()].copy_from_slice(row);
        }
        f64::fast()
            .symmetric_eigen(MatMut::new(&mut h, k, k)?, &mut theta, MatMut::new(&mut s, k, k)?, &mut scratch)
            .map_err(Error::Tridiagonal)?;
        Ok(Self { theta, s, beta, width })
    }

    fn outermost(&self, count: usize, steps: usize, rounding: f64) -> Outermost {
        let k = self.theta.len();
        let largest = self.theta[0].abs().max(self.theta[k - 1].abs());
        let ritz = |j: usize| {
            let last: Vec<f64> = (k - self.width..k).map(|i| self.s[i * k + j]).collect();
            let residual = norm(&self.beta.iter().map(|beta| dot(beta, &last)).collect::<Vec<_>>());
            let value = self.theta[j];
            Ritz { value, residual, converged: residual <= (TOLERANCE * value.abs()).max(rounding * largest) }
        };
        let count = count.min(k);
        let (smallest, largest) = ((0..count).map(ritz).collect(), (k - count..k).rev().map(ritz).collect());
        Outermost { steps, smallest, largest, vectors: Vec::new() }
    }

    /// `V s_j`
    fn combined(&self, j: usize, vectors: &[Vec<f64>]) -> Vec<f64> {
        let mut sum = vec![0.0; vectors[0].len()];
        for (i, v) in vectors.iter().enumerate() {
            let share = self.s[i * self.theta.len() + j];
            sum.iter_mut().zip(v).for_each(|(sum, v)| *sum += share * v);
        }
        sum
    }

    /// Ritz vectors of the largest, descending.
    fn of_largest(&self, count: usize, vectors: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let k = self.theta.len();
        (k - count..k).rev().map(|j| self.combined(j, vectors)).collect()
    }

    /// The vectors to go on from, and their projection: those of the ends, and half of the others nearest to them.
    fn restart(&self, count: usize, vectors: &[Vec<f64>]) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
        let k = self.theta.len();
        let each = count + (k - 2 * count) / 4;
        let kept = (0..each).chain(k - each..k);
        let rows = kept.clone().enumerate().map(|(at, j)| {
            let mut row = vec![0.0; at + 1];
            row[at] = self.theta[j];
            row
        });
        (kept.map(|j| self.combined(j, vectors)).collect(), rows.collect())
    }
}
