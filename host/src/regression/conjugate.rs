//! Preconditioned conjugate gradients (Hestenes and Stiefel 1952) for several right-hand sides that share the products:
//!
//! ```text
//! a = r.z/p.Ap,   x <- x + a p,   r <- r - a Ap,   z = M^-1 r,   p <- z + (r.z/last r.z) p
//! ```
//!
//! The rows of x are systems of their own, each with its own a, or parts of one.

use ntkscope_core::linalg::{dot, norm};
use ntkscope_core::{MatMut, MatRef};

use super::{Accuracy, Error};
use crate::machine::Ended;

/// A symmetric positive definite matrix A on blocks of vectors (k, n), and M, which is near to it.
pub(super) trait System {
    /// Whether the k vectors are one of k n numbers.
    fn coupled(&self) -> bool;
    /// `out <- A v`
    fn apply(&mut self, v: MatRef<'_, f64>, out: MatMut<'_, f64>) -> Result<Ended, Error>;
    /// `out <- M^-1 r`
    fn precondition(&self, r: MatRef<'_, f64>, out: MatMut<'_, f64>) -> Result<(), Error>;
    /// Called after every iteration, with the largest residual.
    fn follow(&mut self, iterate: &Iterate, residual: f64) -> Result<(), Error>;
}

/// Where an iteration stands: all that its next step depends on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Iterate {
    /// x, (k, n)
    pub x: Vec<f64>,
    /// r = b - A x by the recurrence
    pub r: Vec<f64>,
    /// p
    pub p: Vec<f64>,
    /// r.z of each system
    pub rz: Vec<f64>,
    /// |b| of each system
    pub size: Vec<f64>,
    /// products so far
    pub products: usize,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Solved {
    /// largest |b - A x|/|b| among the systems, from a product with x itself
    pub residual: f64,
    /// whether that is what was asked for
    pub converged: bool,
    /// products with A, all in all
    pub products: usize,
}

/// So often the iteration begins anew from what it has found, where rounding has led its residual astray.
const RESTARTS: usize = 3;

/// Solves A x = b (k, n), from `iterate` where that has an x, else from 0.
pub(super) fn solve(
    system: &mut dyn System,
    b: MatRef<'_, f64>,
    iterate: &mut Iterate,
    accuracy: &Accuracy<'_>,
) -> Result<Ended<Solved>, Error> {
    let (k, n) = (b.rows(), b.cols());
    let systems = if system.coupled() { 1 } else { k };
    if iterate.x.is_empty() {
        let r = b.data()[..k * n].to_vec();
        let size = r.chunks_exact(k * n / systems).map(norm).collect();
        *iterate = Iterate { x: vec![0.0; k * n], r, size, ..Iterate::default() };
    }
    let mut best = f64::INFINITY;
    for _ in 0..RESTARTS {
        if iterate_to(system, (k, n), systems, iterate, accuracy)? == Ended::Stopped {
            return Ok(Ended::Stopped);
        }
        // the recurrence's residual drifts from the true one
        let mut product = vec![0.0; k * n];
        let x = MatRef::new(&iterate.x, k, n)?;
        if system.apply(x, MatMut::new(&mut product, k, n)?)? == Ended::Stopped {
            return Ok(Ended::Stopped);
        }
        iterate.products += 1;
        iterate.r.iter_mut().zip(b.data()).zip(&product).for_each(|((r, b), ax)| *r = b - ax);
        iterate.p.clear();
        let residual = largest(iterate, systems);
        let converged = residual <= accuracy.tolerance;
        // what a new beginning does not halve is rounding
        if converged || residual > 0.5 * best || iterate.products >= accuracy.most {
            return Ok(Ended::Done(Solved { residual, converged, products: iterate.products }));
        }
        best = residual;
    }
    Ok(Ended::Done(Solved { residual: best, converged: false, products: iterate.products }))
}

/// Largest |r|/|b|.
fn largest(iterate: &Iterate, systems: usize) -> f64 {
    let each = iterate.r.len() / systems;
    let shares = iterate.r.chunks_exact(each).zip(&iterate.size);
    shares.map(|(r, size)| if *size > 0.0 { norm(r) / size } else { 0.0 }).fold(0.0, f64::max)
}

fn iterate_to(
    system: &mut dyn System,
    (k, n): (usize, usize),
    systems: usize,
    iterate: &mut Iterate,
    accuracy: &Accuracy<'_>,
) -> Result<Ended, Error> {
    let each = k * n / systems;
    let (mut z, mut product) = (vec![0.0; k * n], vec![0.0; k * n]);
    let dots = |a: &[f64], b: &[f64]| -> Vec<f64> {
        a.chunks_exact(each).zip(b.chunks_exact(each)).map(|(a, b)| dot(a, b)).collect()
    };
    if iterate.p.is_empty() {
        system.precondition(MatRef::new(&iterate.r, k, n)?, MatMut::new(&mut z, k, n)?)?;
        iterate.rz = dots(&iterate.r, &z);
        iterate.p.clone_from(&z);
    }
    while largest(iterate, systems) > accuracy.tolerance && iterate.products < accuracy.most {
        let p = MatRef::new(&iterate.p, k, n)?;
        if system.apply(p, MatMut::new(&mut product, k, n)?)? == Ended::Stopped {
            return Ok(Ended::Stopped);
        }
        iterate.products += 1;
        let curvatures = dots(&iterate.p, &product);
        for (s, curvature) in curvatures.iter().enumerate() {
            // a system that is solved already has p = 0
            let a = if *curvature > 0.0 { iterate.rz[s] / curvature } else { 0.0 };
            let own = s * each..(s + 1) * each;
            add(a, &iterate.p[own.clone()], &mut iterate.x[own.clone()]);
            add(-a, &product[own.clone()], &mut iterate.r[own]);
        }
        system.precondition(MatRef::new(&iterate.r, k, n)?, MatMut::new(&mut z, k, n)?)?;
        let next = dots(&iterate.r, &z);
        for (s, next) in next.iter().enumerate() {
            let b = if iterate.rz[s] > 0.0 { next / iterate.rz[s] } else { 0.0 };
            let own = s * each..(s + 1) * each;
            iterate.p[own.clone()].iter_mut().zip(&z[own]).for_each(|(p, z)| *p = z + b * *p);
        }
        iterate.rz = next;
        let residual = largest(iterate, systems);
        system.follow(iterate, residual)?;
    }
    Ok(Ended::Done(()))
}

/// `y <- y + a x`
fn add(a: f64, x: &[f64], y: &mut [f64]) {
    y.iter_mut().zip(x).for_each(|(y, x)| *y += a * x);
}
