//! Kernel logistic regression, for one output or a softmax over C: the least of
//!
//! ```text
//! J(a) = sum_i l(f_i, q_i) + (s/2) a^T f,     f = K a,     s = n RIDGE,     l = -sum_c q_c ln p_c(f)
//! ```
//!
//! With p the probabilities, H = L L^T the Hessian of l and b = -(p - q + s a), which vanishes at the minimum, Newton's step is
//!
//! ```text
//! (s + H K) d = b,     d = (b - L w)/s,     (s + L^T K L) w = L^T K b,     L = diag(sqrt p)(1 - sqrt p sqrt p^T)
//! ```
//!
//! (Rasmussen and Williams 2006, algorithm 3.3). The symmetric system is solved by conjugate gradients, whose residual r leaves
//! |L r|/s of b. J is convex: the step's length is sought where the slope along it vanishes.

use ntkscope_core::linalg::{cholesky_solve, dot, norm};
use ntkscope_core::loss::{sigmoid, softmax};
use ntkscope_core::{MatMut, MatRef};

use super::conjugate::{Iterate, Solved, System, solve};
use super::{Accuracy, Error, Follow, LowRank};
use crate::backend::HostReal;
use crate::kernel::Operator;
use crate::machine::{Ended, Stop};

/// Most steps; ten are typical.
const MAX_STEPS: usize = 100;
/// Largest share of b that a step may leave: less as b falls, so that the last steps are whole ones.
const FORCING: f64 = 0.1;
/// Trial lengths of a step.
const MAX_TRIALS: usize = 60;
/// Share of the first slope that a length may leave.
const FLAT: f64 = 0.05;

/// Where the method stands between two of its steps, and the right-hand side of the present one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Newton {
    /// a, (C, n)
    pub dual: Vec<f64>,
    /// f = K a, (C, n)
    pub outputs: Vec<f64>,
    /// L^T K b of the step that is under way, (C, n); empty between two
    pub rhs: Vec<f64>,
    /// |b| at a = 0
    pub first: f64,
    /// steps so far
    pub steps: usize,
    /// products with K before the present step
    pub products: usize,
}

/// The problem: (C, n) targets, s = n RIDGE.
pub struct Logistic<'a> {
    /// K
    pub kernel: &'a mut dyn Operator,
    /// a part of it
    pub part: &'a LowRank,
    /// q, (C, n): probabilities of class 1 for C = 1
    pub targets: MatRef<'a, f64>,
    /// s
    pub shift: f64,
}

impl Logistic<'_> {
    /// a to `newton.dual`, f to `newton.outputs`, from where both stand; empty ones begin at 0. The residual is |b| as a share of
    /// that at a = 0.
    ///
    /// # Errors
    /// Those of the operator; what can be gone on from cannot be kept.
    pub fn minimize(
        &mut self,
        newton: &mut Newton,
        iterate: &mut Iterate,
        follow: &mut dyn Follow,
        accuracy: &Accuracy<'_>,
    ) -> Result<Ended<Solved>, Error> {
        let (k, n) = (self.targets.rows(), self.targets.cols());
        if newton.dual.is_empty() {
            *newton = Newton { dual: vec![0.0; k * n], outputs: vec![0.0; k * n], ..Newton::default() };
        }
        loop {
            let p = probabilities(MatRef::new(&newton.outputs, k, n)?)?;
            let b = self.imbalance(&p, &newton.dual);
            if newton.first == 0.0 {
                newton.first = norm(&b);
            }
            let residual = if newton.first > 0.0 { norm(&b) / newton.first } else { 0.0 };
            let (converged, products) = (residual <= accuracy.tolerance, newton.products + iterate.products);
            if converged || newton.steps >= MAX_STEPS || products >= accuracy.most {
                return Ok(Ended::Done(Solved { residual, converged, products }));
            }
            let curvature = Curvature { p: &p, k, n };
            if newton.rhs.is_empty() {
                let mut rhs = vec![0.0; k * n];
                if self.times(&b, &mut rhs, follow, accuracy.stop)? == Ended::Stopped {
                    return Ok(Ended::Stopped);
                }
                newton.products += 1;
                curvature.transposed_root(&mut rhs);
                newton.rhs = rhs;
            }
            let Ended::Done(w) = self.step(&curvature, (&b, residual), newton, iterate, follow, accuracy)? else {
                return Ok(Ended::Stopped);
            };
            let mut direction = w;
            curvature.root(&mut direction);
            direction.iter_mut().zip(&b).for_each(|(d, b)| *d = (b - *d) / self.shift);
            let mut change = vec![0.0; k * n];
            if self.times(&direction, &mut change, follow, accuracy.stop)? == Ended::Stopped {
                return Ok(Ended::Stopped);
            }
            newton.products += iterate.products + 1;
            *iterate = Iterate::default();
            let length = self.length(newton, &direction, &change)?;
            newton.dual.iter_mut().zip(&direction).for_each(|(a, d)| *a += length * d);
            newton.outputs.iter_mut().zip(&change).for_each(|(f, d)| *f += length * d);
            newton.rhs.clear();
            newton.steps += 1;
            follow.keep(iterate, Some(newton))?;
        }
    }

    /// b
    fn imbalance(&self, p: &[f64], dual: &[f64]) -> Vec<f64> {
        let q = self.targets.data();
        p.iter().zip(q).zip(dual).map(|((p, q), a)| q - p - self.shift * a).collect()
    }

    /// `out <- V K`
    fn times(&mut self, v: &[f64], out: &mut [f64], follow: &mut dyn Follow, stop: &Stop) -> Result<Ended, Error> {
        let (k, n) = (self.targets.rows(), self.targets.cols());
        let (v, out) = (MatRef::new(v, k, n)?, MatMut::new(out, k, n)?);
        Ok(self.kernel.apply(v, out, &mut |share| follow.within(share), stop)?)
    }

    /// w
    fn step(
        &mut self,
        curvature: &Curvature<'_>,
        (b, residual): (&[f64], f64),
        newton: &Newton,
        iterate: &mut Iterate,
        follow: &mut dyn Follow,
        accuracy: &Accuracy<'_>,
    ) -> Result<Ended<Vec<f64>>, Error> {
        let near = Near::new(self.part, curvature, self.shift)?;
        let rhs = MatRef::new(&newton.rhs, curvature.k, curvature.n)?;
        let size = norm(&newton.rhs);
        let forcing = FORCING.min(residual).max(0.1 * accuracy.tolerance / residual);
        let tolerance = if size > 0.0 { forcing * self.shift * norm(b) / size } else { 1.0 };
        let most = accuracy.most.saturating_sub(newton.products);
        let mut system = Curved { kernel: self.kernel, near, curvature, newton, residual, follow, stop: accuracy.stop };
        let ended = solve(&mut system, rhs, iterate, &Accuracy { tolerance, most, stop: accuracy.stop })?;
        Ok(match ended {
            Ended::Done(_) => Ended::Done(iterate.x.clone()),
            Ended::Stopped => Ended::Stopped,
        })
    }

    /// Where the slope of J along the step vanishes, nearly.
    fn length(&self, newton: &Newton, direction: &[f64], change: &[f64]) -> Result<f64, Error> {
        let (k, n) = (self.targets.rows(), self.targets.cols());
        let of_penalty = [dot(&newton.dual, change), dot(direction, change)];
        let slope = |length: f64| -> Result<f64, Error> {
            let outputs: Vec<f64> = newton.outputs.iter().zip(change).map(|(f, d)| f + length * d).collect();
            let p = probabilities(MatRef::new(&outputs, k, n)?)?;
            let of_loss: f64 = p.iter().zip(self.targets.data()).zip(change).map(|((p, q), d)| (p - q) * d).sum();
            Ok(of_loss + self.shift * (of_penalty[0] + length * of_penalty[1]))
        };
        let flat = FLAT * slope(0.0)?.abs();
        let (mut low, mut high, mut length) = (0.0, f64::INFINITY, 1.0);
        for _ in 0..MAX_TRIALS {
            let at = slope(length)?;
            if at.abs() <= flat {
                break;
            }
            if at > 0.0 {
                high = length;
            } else {
                low = length;
            }
            length = if high.is_finite() { 0.5 * (low + high) } else { 2.0 * length };
        }
        Ok(length)
    }
}

/// p (C, n) of outputs (C, n).
pub fn probabilities(outputs: MatRef<'_, f64>) -> Result<Vec<f64>, Error> {
    let (k, n) = (outputs.rows(), outputs.cols());
    if k == 1 {
        return Ok(outputs.row(0).iter().map(|f| sigmoid(*f)).collect());
    }
    let (mut all, mut f, mut p) = (vec![0.0; k * n], vec![0.0; k], vec![0.0; k]);
    for i in 0..n {
        f.iter_mut().enumerate().for_each(|(c, f)| *f = outputs.at(c, i));
        softmax(&f, &mut p)?;
        for (c, p) in p.iter().enumerate() {
            all[c * n + i] = *p;
        }
    }
    Ok(all)
}

/// H = L L^T of all samples, from their probabilities (k, n).
struct Curvature<'a> {
    p: &'a [f64],
    k: usize,
    n: usize,
}

impl Curvature<'_> {
    /// `v <- L v`
    fn root(&self, v: &mut [f64]) {
        let (k, n, p) = (self.k, self.n, self.p);
        if k == 1 {
            return v.iter_mut().zip(p).for_each(|(v, p)| *v *= (p * (1.0 - p)).sqrt());
        }
        for i in 0..n {
            let along: f64 = (0..k).map(|c| p[c * n + i].sqrt() * v[c * n + i]).sum();
            for c in 0..k {
                let root = p[c * n + i].sqrt();
                v[c * n + i] = root * (v[c * n + i] - root * along);
            }
        }
    }
    /// `v <- L^T v`
    fn transposed_root(&self, v: &mut [f64]) {
        let (k, n, p) = (self.k, self.n, self.p);
        if k == 1 {
            return self.root(v);
        }
        for i in 0..n {
            let along: f64 = (0..k).map(|c| p[c * n + i] * v[c * n + i]).sum();
            for c in 0..k {
                let root = p[c * n + i].sqrt();
                v[c * n + i] = root * (v[c * n + i] - along);
            }
        }
    }
    /// h_cd of sample i.
    fn entry(&self, c: usize, d: usize, i: usize) -> f64 {
        let (p, q) = (self.p[c * self.n + i], self.p[d * self.n + i]);
        if c == d { p * (1.0 - p) } else { -p * q }
    }
}

/// `(s + L^T F^T F L)^-1`
struct Near<'a> {
    part: &'a LowRank,
    curvature: &'a Curvature<'a>,
    shift: f64,
    /// Cholesky's factor of `s + F H F^T` (r k, r k)
    factor: Vec<f64>,
}

impl<'a> Near<'a> {
    fn new(part: &'a LowRank, curvature: &'a Curvature<'a>, shift: f64) -> Result<Self, Error> {
        let (k, rank) = (curvature.k, part.rank());
        let size = k * rank;
        let mut factor = vec![0.0; size * size];
        for c in 0..k {
            for d in 0..=c {
                let mut all = MatMut::new(&mut factor, size, size)?;
                let block = all.reborrow().block(c * rank..(c + 1) * rank, d * rank..(d + 1) * rank);
                part.gram(|i| curvature.entry(c, d, i), block)?;
            }
        }
        factor.iter_mut().step_by(size + 1).for_each(|entry| *entry += shift);
        f64::fast().cholesky(MatMut::new(&mut factor, size, size)?).map_err(|_| Error::Rounding { shift })?;
        Ok(Self { part, curvature, shift, factor })
    }

    fn solve(&self, r: MatRef<'_, f64>, mut out: MatMut<'_, f64>) -> Result<(), Error> {
        let (k, n, rank) = (r.rows(), r.cols(), self.part.rank());
        let mut v = r.data()[..k * n].to_vec();
        self.curvature.root(&mut v);
        let mut w = self.part.project(MatRef::new(&v, k, n)?)?;
        cholesky_solve(MatRef::new(&self.factor, k * rank, k * rank)?, &mut w)?;
        v.fill(0.0);
        self.part.spread(MatRef::new(&w, k, rank)?, MatMut::new(&mut v, k, n)?)?;
        self.curvature.transposed_root(&mut v);
        for (c, v) in v.chunks_exact(n).enumerate() {
            let entries = out.row_mut(c).iter_mut().zip(r.row(c)).zip(v);
            entries.for_each(|((out, r), v)| *out = (r - v) / self.shift);
        }
        Ok(())
    }
}

/// `s + L^T K L`
struct Curved<'a> {
    kernel: &'a mut dyn Operator,
    near: Near<'a>,
    curvature: &'a Curvature<'a>,
    newton: &'a Newton,
    /// of Newton's method
    residual: f64,
    follow: &'a mut dyn Follow,
    stop: &'a Stop,
}

impl System for Curved<'_> {
    fn coupled(&self) -> bool {
        true
    }
    fn apply(&mut self, v: MatRef<'_, f64>, mut out: MatMut<'_, f64>) -> Result<Ended, Error> {
        let (k, n) = (v.rows(), v.cols());
        let mut rooted = v.data()[..k * n].to_vec();
        self.curvature.root(&mut rooted);
        let mut product = vec![0.0; k * n];
        let Self { kernel, follow, stop, .. } = self;
        let (from, to) = (MatRef::new(&rooted, k, n)?, MatMut::new(&mut product, k, n)?);
        if kernel.apply(from, to, &mut |share| follow.within(share), stop)? == Ended::Stopped {
            return Ok(Ended::Stopped);
        }
        self.curvature.transposed_root(&mut product);
        for (c, product) in product.chunks_exact(n).enumerate() {
            let entries = out.row_mut(c).iter_mut().zip(v.row(c)).zip(product);
            entries.for_each(|((out, v), product)| *out = self.near.shift * v + product);
        }
        Ok(Ended::Done(()))
    }
    fn precondition(&self, r: MatRef<'_, f64>, out: MatMut<'_, f64>) -> Result<(), Error> {
        self.near.solve(r, out)
    }
    fn follow(&mut self, iterate: &Iterate, _: f64) -> Result<(), Error> {
        self.follow.product(self.newton.products + iterate.products, self.residual);
        self.follow.keep(iterate, Some(self.newton))
    }
}
