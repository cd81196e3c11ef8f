//! The limit t -> infinity of gradient flow under a fixed kernel where targets q are soft, without a penalty:
//!
//! ```text
//! logistic  f*(X) = ln q - ln(1 - q)        softmax  F*(X) = ln q - mean_c ln q + mean_c F_0(X)
//! f*(x) = f_0(x) + K(x, X) g,     g = K^-1 (f*(X) - f_0(X)),     |theta* - theta_0|^2 = tr[(f* - f_0)^T g]
//! ```
//!
//! (Softmax: for a kernel that all outputs share. Outputs that are coupled move their mean by that of K g, and K is
//! `P K P` above.) A singular kernel cannot meet all targets: then the flow tends to the least loss among the outputs
//! `f_0 + K g`, e.g. the logit of the mean target at equal samples, also where their labels are certain but differ.

use super::fit::Fit;
use super::newton::{Newton, newton_len};
use crate::buffer::buffer_len;
use crate::loss::Loss;
use crate::{Backend, Error, MatMut, MatRef, Real};

/// One kernel and its targets, to be solved for any f_0.
///
/// ```
/// use ntkscope_core::loss::Loss;
/// use ntkscope_core::predict::{SoftTargets, soft_targets_len};
/// use ntkscope_core::{MatRef, Portable};
///
/// // a probability of 3/4 is met at the logit ln 3
/// let one = |x| MatRef::new(x, 1, 1);
/// let mut buffer = [0.0; soft_targets_len(1, 1)];
/// let mut limit = SoftTargets::new(&Portable, one(&[2.0])?, one(&[0.75])?, Loss::CrossEntropy, &mut buffer)?;
/// limit.solve(one(&[0.0])?)?;
/// assert!((limit.outputs().at(0, 0) - 3f64.ln()).abs() < 1e-15);
/// assert!((limit.dual().at(0, 0) - 3f64.ln() / 2.0).abs() < 1e-15);
/// # Ok::<(), ntkscope_core::Error>(())
/// ```
#[derive(Debug)]
pub struct SoftTargets<'a, T, B: ?Sized> {
    newton: Newton<'a, T, B>,
    /// outputs that meet the targets, where the kernel can
    met: &'a mut [T],
    regular: bool,
    steps: u64,
}

/// Elements of the buffer of [`SoftTargets`] on n samples of C outputs.
pub const fn soft_targets_len(samples: usize, outputs: usize) -> usize {
    buffer_len(&[&[newton_len(samples, outputs)], &[samples, outputs]])
}

impl<'a, T: Real, B: Backend<T> + ?Sized> SoftTargets<'a, T, B> {
    /// Decomposes `kernel` `(nC, nC)`; `targets` are `(n, C)` as [`Loss::target`] writes them (squared error: any).
    ///
    /// `buffer` holds [`soft_targets_len`] numbers.
    ///
    /// # Errors
    /// Shapes, a short buffer, targets outside the loss's range, a loss without curvature ([`Error::NotSmooth`]), a
    /// kernel that is not finite or not positive semidefinite. Where the mean target of a sample and those equal to
    /// it is certain: [`Error::NoFiniteSolution`]; but [`Error::SingularKernel`] where the kernel is singular beyond
    /// equal samples, because then that alone does not tell whether there is a solution (eigenvalues are those of `P
    /// K P` without those of the means).
    pub fn new(
        backend: &'a B,
        kernel: MatRef<'a, T>,
        targets: MatRef<'a, T>,
        loss: Loss,
        buffer: &'a mut [T],
    ) -> Result<Self, Error> {
        let (samples, classes) = (targets.rows(), targets.cols());
        let size = samples * classes;
        Error::at_least("soft targets", soft_targets_len(samples, classes), buffer.len())?;
        let (met, rest) = buffer.split_at_mut(size);
        let newton = Newton::new(backend, kernel, targets, loss, rest)?;
        loss.met(targets, MatMut::dense(met, samples, classes))?;
        let free = if newton.system.centred { classes - 1 } else { classes };
        let rank = newton.z.len();
        let groups = Groups::new(kernel, targets);
        if let Some(sample) = (0..samples).find(|i| groups.certain(loss, *i)) {
            return Err(if groups.count() * free == rank {
                Error::NoFiniteSolution { sample }
            } else {
                Error::SingularKernel { eigenvalue: (samples * free - rank).saturating_sub(1) }
            });
        }
        Ok(Self { newton, met, regular: rank == samples * free, steps: 0 })
    }

    /// Solves for `f_0` `(n, C)`: in closed form, or by Newton's method where the kernel is singular.
    ///
    /// # Errors
    /// Shapes; f_0 is not finite; [`Error::NoMinimum`], where the kernel is singular and the targets so close to
    /// certain that their curvature is lost beside that of others.
    pub fn solve(&mut self, f_0: MatRef<'_, T>) -> Result<(), Error> {
        self.newton.system.set(f_0)?;
        if !self.regular {
            // from outputs near 0, where no class is certain
            self.newton.approach(|_| T::ZERO);
            self.steps = self.newton.minimize(T::ZERO)?;
            return Ok(());
        }
        let met = &*self.met;
        self.newton.approach(|i| met[i]);
        self.newton.finish();
        // met to the last digit; the means over the classes are not the targets'
        let classes = f_0.cols();
        for (f, met) in self.newton.outputs.chunks_exact_mut(classes).zip(met.chunks_exact(classes)) {
            let sum = f.iter().fold(T::ZERO, |s, f| s + *f);
            let mean = if self.newton.system.centred { sum / T::from_count(classes) } else { T::ZERO };
            f.iter_mut().zip(met).for_each(|(f, met)| *f = *met + mean);
        }
        Ok(())
    }

    /// f* `(n, C)` of the training samples
    pub fn outputs(&self) -> MatRef<'_, T> {
        self.newton.view(self.newton.outputs)
    }
    /// g `(n, C)`, for [`super::predict`]
    pub fn dual(&self) -> MatRef<'_, T> {
        self.newton.view(self.newton.dual)
    }
    /// |theta* - theta_0|
    pub fn distance(&self) -> T {
        self.newton.distance()
    }
    /// Largest element of `(1/n) K r(f*)`: how fast the outputs still move.
    pub fn residual(&mut self) -> T {
        self.newton.residual(T::ZERO)
    }
    /// How far the targets are met.
    pub fn fit(&mut self) -> Fit<T> {
        let (samples, classes) = (self.newton.system.targets.rows(), self.newton.system.targets.cols());
        let free = if self.newton.system.centred { classes - 1 } else { classes };
        let unreached = samples * free - self.newton.z.len();
        self.newton.fit(unreached)
    }
    /// Newton steps of the last solution, 0 where it is in closed form
    pub fn steps(&self) -> u64 {
        self.steps
    }
}

/// Samples whose rows of the kernel agree to rounding: no function of the kernel's tells them apart.
struct Groups<'a, T> {
    kernel: MatRef<'a, T>,
    targets: MatRef<'a, T>,
    rounding: T,
}

impl<'a, T: Real> Groups<'a, T> {
    fn new(kernel: MatRef<'a, T>, targets: MatRef<'a, T>) -> Self {
        let largest = (0..kernel.rows()).fold(T::ZERO, |m, i| m.max(kernel.at(i, i)));
        Self { kernel, targets, rounding: T::from_count(kernel.rows()) * T::EPSILON * largest }
    }
    fn equal(&self, i: usize, j: usize) -> bool {
        let classes = self.targets.cols();
        let difference = |c, k| self.kernel.at(i * classes + c, k) - self.kernel.at(j * classes + c, k);
        (0..classes).all(|c| (0..self.kernel.cols()).all(|k| difference(c, k).abs() <= self.rounding))
    }
    /// Number of groups.
    fn count(&self) -> usize {
        (0..self.targets.rows()).filter(|i| !(0..*i).any(|j| self.equal(*i, j))).count()
    }
    /// Whether the mean target of i's group is certain.
    fn certain(&self, loss: Loss, i: usize) -> bool {
        let possible = |c| {
            let has = |j: usize| loss.possible(self.targets.row(j), c);
            (0..self.targets.rows()).any(|j| has(j) && self.equal(i, j))
        };
        loss.certain(self.targets.row(i)) && !(0..self.targets.cols().max(2)).all(possible)
    }
}
