//! Losses on the outputs `f` `(n, C)`, as the **mean** over the n samples. Training on their sum is one call:
//! [`crate::train::Problem::summed`].
//!
//! ```text
//! squared error              (1/2n) sum_i |f_i - y_i|^2
//! cross-entropy (C = 1)      (1/n) sum_i [ln(1 + e^f_i) - q_i f_i],              q_i = P(class 1) in [0, 1]
//! cross-entropy (C >= 2)     -(1/n) sum_i sum_c q_ic ln softmax(f_i)_c,          sum_c q_ic = 1
//! exponential (C = 1)        (1/n) sum_i e^(-s_i f_i),                            s_i = -1 or +1
//! exponential (C >= 2)       (1/n) sum_i sum_(c != y_i) e^(f_ic - f_i,y_i)        y_i the right class
//! hinge                      (1/n) sum_i max(0, 1 - margin_i)
//! ```
//!
//! Targets `q` strictly inside (0, 1) are soft. Residuals `r = dl/df` of confident outputs are tiny
//! differences `p - q`; they are formed from logarithms of p and 1 - p, so a logit of 1e4 neither cancels nor
//! underflows: [`Loss::residuals`] divides by the **mismatch** `max_i sum_c q_ic (1 - p_ic)`, the largest expected
//! probability of error, whose logarithm is known exactly. All scaled residuals lie in [-1, 1]. For hard labels the
//! mismatch is the largest |r|; for soft ones it stays positive at the optimum. That of the exponential loss is the largest |r|
//! too; of losses without an exponential tail it is 1.
//!
//! ```
//! use ntkscope_core::{loss::Loss, MatRef};
//!
//! // two samples with the logits 0 and ln 3 of class 1, both of class 1
//! let (f, q) = ([0.0, 3f64.ln()], [1.0, 1.0]);
//! let at = Loss::CrossEntropy.evaluate(MatRef::new(&f, 2, 1)?, MatRef::new(&q, 2, 1)?)?;
//! assert!((at.loss - (2f64.ln() - 0.75f64.ln()) / 2.0).abs() < 1e-15);
//! // a margin of 0 is a tie, which counts as wrong
//! assert_eq!((at.accuracy, at.margin_min, at.ln_mismatch), (0.5, 0.0, -2f64.ln()));
//! # Ok::<(), ntkscope_core::Error>(())
//! ```
//!
//! A loss is one file with one implementation of `PerSample`, and its line in [`Loss`].

mod cross_entropy;
mod exponential;
mod hinge;
mod probability;
mod squared_error;
#[cfg(test)]
mod tests;

pub use probability::{logit, sigmoid, softmax};

use crate::choice::choice;
use crate::{Error, MatMut, MatRef, Real};
use probability::argmax;

choice! {
    /// The loss of a sample's outputs against its target.
    #[non_exhaustive]
    pub enum Loss {
        /// squared error (1/2)|f - y|^2
        SquaredError = "mse",
        /// logistic for one output, softmax for more
        CrossEntropy = "cross-entropy",
        /// hinge loss max(0, 1 - margin)
        Hinge = "hinge",
        /// exponential loss e^(-margin), of several outputs the sum over the wrong ones
        Exponential = "exponential",
    }
}

/// What algorithms may take for granted of a loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Properties {
    /// `(1/2)|f - y|^2`: residuals are linear in f, and under a fixed kernel all is known in closed form
    pub quadratic: bool,
    /// twice differentiable with a positive definite Hessian (along outputs of sum 0 where `centred`), which Newton's
    /// method and implicit steps need
    pub curved: bool,
    /// the residuals of a sample sum to 0: its outputs matter only up to a common addend
    pub centred: bool,
    /// targets are probabilities of the classes, soft ones as well, and outputs their logits
    pub probabilities: bool,
}

/// Units of derivatives: those of the sum of the losses over `samples`, divided by `e^ln_scale`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unit<T> {
    /// n for the mean loss, 1 for the sum
    pub(crate) samples: T,
    pub(crate) ln_scale: T,
}

impl<T: Real> Unit<T> {
    /// That of the mean loss of the samples whose outputs these are.
    pub(crate) fn of_mean(outputs: MatRef<'_, T>, ln_scale: T) -> Self {
        Self { samples: T::from_count(outputs.rows()), ln_scale }
    }
}

/// The operations of a loss on one sample: outputs `f` and target of C numbers each. Lengths are checked by the caller.
trait PerSample<T: Real> {
    /// For this number of outputs.
    fn properties(&self, outputs: usize) -> Properties;
    /// An upper bound of the largest eigenvalue of d^2 l/df^2, over all f; `None` where it says nothing of stability.
    fn curvature(&self, outputs: usize) -> Option<f64>;
    /// Writes the target of a class; `smoothing` is 0 but for probabilities.
    fn target(&self, label: usize, smoothing: f64, target: &mut [T]);
    /// # Errors
    /// [`Error::OutOfRange`] where the target is none of this loss.
    fn check(&self, target: &[T]) -> Result<(), Error>;
    /// Whether the target leaves this class open: where one is ruled out, no finite outputs have the least loss.
    fn possible(&self, _target: &[T], _class: usize) -> bool {
        true
    }
    /// `f <- argmin l`
    fn met(&self, target: &[T], f: &mut [T]);
    /// Of one output, the target above which the class is 1.
    fn threshold(&self) -> T {
        T::ZERO
    }
    /// Loss, and ln of the mismatch.
    fn loss(&self, f: &[T], target: &[T]) -> (T, T);
    /// `out <- dl/df`
    fn residuals(&self, f: &[T], target: &[T], unit: Unit<T>, out: &mut [T]);
    /// `out <- d^2 l/df^2` `(C, C)`
    fn hessian(&self, f: &[T], target: &[T], unit: Unit<T>, out: MatMut<'_, T>);
    /// A bound of the largest eigenvalue of that Hessian, the eigenvalue itself for one output or two classes.
    fn curvature_at(&self, f: &[T], target: &[T], unit: Unit<T>) -> T;
}

/// Loss and margins over all samples.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Objective<T> {
    /// mean loss, without any penalty; the sum, where [`crate::train::Problem::summed`] asks for it
    pub loss: T,
    /// ln of the mismatch, see the module
    pub ln_mismatch: T,
    /// share of samples with a positive margin; a tie counts as wrong
    pub accuracy: T,
    /// smallest margin
    pub margin_min: T,
    /// mean margin
    pub margin_mean: T,
    /// largest |f|
    pub logit_max: T,
}

impl<T: Real> Objective<T> {
    /// That of no samples, to be added to.
    pub(crate) fn zero() -> Self {
        let zero = T::ZERO;
        Self { loss: zero, ln_mismatch: zero, accuracy: zero, margin_min: zero, margin_mean: zero, logit_max: zero }
    }
}

impl Loss {
    fn per_sample<T: Real>(self) -> &'static dyn PerSample<T> {
        match self {
            Self::SquaredError => &squared_error::SquaredError,
            Self::CrossEntropy => &cross_entropy::CrossEntropy,
            Self::Hinge => &hinge::Hinge,
            Self::Exponential => &exponential::Exponential,
        }
    }

    /// What holds for this loss of `outputs` = C numbers a sample.
    pub fn properties(self, outputs: usize) -> Properties {
        self.per_sample::<f64>().properties(outputs)
    }

    /// The largest curvature of a sample's loss along its outputs: the largest eigenvalue of `d^2 l/df^2` over all f.
    /// Squared error 1, logistic 1/4, softmax 1/2; the last two are reached at even odds alone. `None` for hinge, which has
    /// kinks and no curvature, and for the exponential loss, of which it grows without bound.
    ///
    /// Gradient descent on the mean loss over n samples and a penalty lambda is stable, near its start, up to the rate
    /// `2/(curvature lambda_max/n + lambda)`, with lambda_max of the kernel `(n C, n C)`.
    pub fn curvature(self, outputs: usize) -> Option<f64> {
        self.per_sample::<f64>().curvature(outputs)
    }

    /// Writes the target of a sample of class `label` into `target` (C numbers).
    ///
    /// Squared error: -1 or +1 for one output, else one-hot. Cross-entropy: the probability of every class
    /// after smoothing by `smoothing` = eps over K classes (K = 2 for one output): `1 - eps + eps/K` for the right one,
    /// `eps/K` for the others.
    ///
    /// # Errors
    /// [`Error::OutOfRange`]: a label outside the classes; eps outside [0, 1), or not 0 where targets are no probabilities.
    pub fn target<T: Real>(self, label: usize, smoothing: f64, target: &mut [T]) -> Result<(), Error> {
        let classes = target.len().max(2);
        if label >= classes {
            return Err(Error::OutOfRange { what: "label", needs: "below the number of classes", got: label as f64 });
        }
        if !(0.0..1.0).contains(&smoothing) {
            return Err(Error::OutOfRange { what: "smoothing", needs: "in [0, 1)", got: smoothing });
        }
        if smoothing > 0.0 && !self.properties(target.len()).probabilities {
            return Err(Error::OutOfRange {
                what: "smoothing of targets that are no probabilities",
                needs: "0",
                got: smoothing,
            });
        }
        self.per_sample().target(label, smoothing, target);
        Ok(())
    }

    /// Whether these are targets `(n, C)` of the loss.
    ///
    /// # Errors
    /// [`Error::OutOfRange`]: a target is not finite, or not the probabilities that the loss asks for.
    pub fn check<T: Real>(self, targets: MatRef<'_, T>) -> Result<(), Error> {
        let loss = self.per_sample();
        (0..targets.rows()).try_for_each(|i| loss.check(targets.row(i)))
    }

    /// Whether a target rules a class out, so that no finite output has the least loss: under cross-entropy by the
    /// probability 0, under the exponential loss always. A target of no numbers has no class that it could rule out.
    pub fn certain<T: Real>(self, target: &[T]) -> bool {
        !target.is_empty() && (0..target.len().max(2)).any(|class| !self.possible(target, class))
    }

    /// Whether a target leaves this class open.
    pub(crate) fn possible<T: Real>(self, target: &[T], class: usize) -> bool {
        self.per_sample().possible(target, class)
    }

    /// `out <- f` with the least loss of every sample by itself: the outputs that meet the targets. Both are `(n, C)`.
    ///
    /// Squared error: y. Cross-entropy: [`logit`] of q for one output, `ln q_c - mean_k ln q_k` for more, with sum 0, as
    /// any number may be added to all of them. [Certain](Self::certain) targets give infinities or NaN.
    ///
    /// # Errors
    /// [`Error::Shape`].
    pub fn met<T: Real>(self, targets: MatRef<'_, T>, mut out: MatMut<'_, T>) -> Result<(), Error> {
        Error::shape("outputs that meet the targets: rows", targets.rows(), out.rows())?;
        Error::shape("outputs that meet the targets: columns", targets.cols(), out.cols())?;
        let loss = self.per_sample();
        (0..targets.rows()).for_each(|i| loss.met(targets.row(i), out.row_mut(i)));
        Ok(())
    }

    /// Margin of one sample: `s f` with s = -1 or +1 for one output, else the right output less the best
    /// wrong one. The right class of a soft target is its most probable one.
    ///
    /// # Errors
    /// [`Error::Shape`] where the lengths differ or are 0.
    pub fn margin<T: Real>(self, f: &[T], target: &[T]) -> Result<T, Error> {
        Error::shape("target of a sample", f.len(), target.len())?;
        Error::at_least("outputs of a sample", 1, f.len())?;
        Ok(margin(self.per_sample(), f, target))
    }

    /// Loss, margins and mismatch of the outputs `(n, C)` against the targets `(n, C)`.
    ///
    /// # Errors
    /// [`Error::Shape`]; no outputs.
    pub fn evaluate<T: Real>(self, outputs: MatRef<'_, T>, targets: MatRef<'_, T>) -> Result<Objective<T>, Error> {
        same_shape("targets of the outputs", outputs, (targets.rows(), targets.cols()))?;
        let (n, of_sample) = (outputs.rows(), self.per_sample());
        let mut sum = Objective::<T>::zero();
        for i in 0..n {
            let (f, q) = (outputs.row(i), targets.row(i));
            let (loss, ln_mismatch) = of_sample.loss(f, q);
            let margin = margin(of_sample, f, q);
            sum.loss += loss;
            sum.ln_mismatch = if i == 0 { ln_mismatch } else { sum.ln_mismatch.max(ln_mismatch) };
            sum.accuracy += if margin > T::ZERO { T::ONE } else { T::ZERO };
            sum.margin_min = if i == 0 { margin } else { sum.margin_min.min(margin) };
            sum.margin_mean += margin;
            sum.logit_max = f.iter().fold(sum.logit_max, |m, x| m.max(x.abs()));
        }
        let n = T::from_count(n);
        sum.loss /= n;
        sum.accuracy /= n;
        sum.margin_mean /= n;
        Ok(sum)
    }

    /// `out_ic <- (1/n) r_ic / e^ln_scale`: the mean loss's derivative by every output, in units of
    /// `e^ln_scale`. All are `(n, C)`.
    ///
    /// # Errors
    /// [`Error::Shape`]; no outputs.
    pub fn residuals<T: Real>(
        self,
        outputs: MatRef<'_, T>,
        targets: MatRef<'_, T>,
        ln_scale: T,
        out: MatMut<'_, T>,
    ) -> Result<(), Error> {
        same_shape("targets of the outputs", outputs, (targets.rows(), targets.cols()))?;
        same_shape("residuals of the outputs", outputs, (out.rows(), out.cols()))?;
        self.residuals_within(outputs, targets, Unit::of_mean(outputs, ln_scale), out);
        Ok(())
    }

    /// [`Self::residuals`] in this unit, for shapes that are known to agree.
    pub(crate) fn residuals_within<T: Real>(
        self,
        outputs: MatRef<'_, T>,
        targets: MatRef<'_, T>,
        unit: Unit<T>,
        mut out: MatMut<'_, T>,
    ) {
        let loss = self.per_sample();
        for i in 0..outputs.rows() {
            loss.residuals(outputs.row(i), targets.row(i), unit, out.row_mut(i));
        }
    }

    /// `out <- (1/n) d r_i / d f_i / e^ln_scale`: the Hessian of the mean loss in the outputs `(n, C)`, in units of
    /// `e^ln_scale`, as one (C, C) block for each of the n samples, one below the other: `out` is `(nC, C)`.
    ///
    /// # Errors
    /// [`Error::Shape`]; no outputs.
    pub fn hessian<T: Real>(
        self,
        outputs: MatRef<'_, T>,
        targets: MatRef<'_, T>,
        ln_scale: T,
        out: MatMut<'_, T>,
    ) -> Result<(), Error> {
        let classes = outputs.cols();
        same_shape("targets of the outputs", outputs, (targets.rows(), targets.cols()))?;
        Error::shape("Hessian of the loss: rows", outputs.rows() * classes, out.rows())?;
        Error::shape("Hessian of the loss: columns", classes, out.cols())?;
        self.hessian_within(outputs, targets, Unit::of_mean(outputs, ln_scale), out);
        Ok(())
    }

    /// A bound of the largest eigenvalue of [`Self::hessian`] over all samples, in this unit, for shapes that are known to
    /// agree: how fast residuals can change with the outputs `(n, C)`.
    pub(crate) fn curvature_within<T: Real>(self, outputs: MatRef<'_, T>, targets: MatRef<'_, T>, unit: Unit<T>) -> T {
        (0..outputs.rows()).fold(T::ZERO, |most, i| most.max(self.curvature_of((outputs, targets), unit, i)))
    }

    /// That bound for one sample.
    pub(crate) fn curvature_of<T: Real>(
        self,
        (outputs, targets): (MatRef<'_, T>, MatRef<'_, T>),
        unit: Unit<T>,
        sample: usize,
    ) -> T {
        self.per_sample().curvature_at(outputs.row(sample), targets.row(sample), unit)
    }

    /// [`Self::hessian`] in this unit, for shapes that are known to agree.
    pub(crate) fn hessian_within<T: Real>(
        self,
        outputs: MatRef<'_, T>,
        targets: MatRef<'_, T>,
        unit: Unit<T>,
        mut out: MatMut<'_, T>,
    ) {
        let (classes, loss) = (outputs.cols(), self.per_sample());
        for i in 0..outputs.rows() {
            let block = out.reborrow().block(i * classes..(i + 1) * classes, 0..classes);
            loss.hessian(outputs.row(i), targets.row(i), unit, block);
        }
    }
}

/// Refuses another shape than that of the outputs `(n, C)`, and C = 0.
fn same_shape<T: Copy>(what: &'static str, outputs: MatRef<'_, T>, (rows, cols): (usize, usize)) -> Result<(), Error> {
    Error::at_least("outputs of a sample", 1, outputs.cols())?;
    Error::shape(what, outputs.rows(), rows)?;
    Error::shape(what, outputs.cols(), cols)
}

fn margin<T: Real>(loss: &dyn PerSample<T>, f: &[T], target: &[T]) -> T {
    if let ([f], [target]) = (f, target) {
        return if *target > loss.threshold() { *f } else { -*f };
    }
    let (right, wrong) = right_and_wrong(f, target);
    f[right] - wrong.map_or(T::ZERO, |c| f[c])
}

/// Of several outputs: the class of the target, and the largest of the others.
fn right_and_wrong<T: Real>(f: &[T], target: &[T]) -> (usize, Option<usize>) {
    let right = argmax(target);
    let wrong = (0..f.len()).filter(|c| *c != right);
    (right, wrong.reduce(|best, c| if f[c] > f[best] || f[c].is_nan() { c } else { best }))
}

/// Refuses what is neither -1 nor 1 for one output, nor one-hot.
fn check_signs<T: Real>(target: &[T]) -> Result<(), Error> {
    if let [s] = *target {
        let sign = s.abs() == T::ONE;
        return if sign {
            Ok(())
        } else {
            Err(Error::OutOfRange { what: "target", needs: "-1 or 1", got: s.to_f64() })
        };
    }
    if let Some(y) = target.iter().find(|y| **y != T::ZERO && **y != T::ONE) {
        return Err(Error::OutOfRange { what: "target", needs: "0 or 1", got: y.to_f64() });
    }
    let right = target.iter().filter(|y| **y == T::ONE).count();
    if right == 1 {
        return Ok(());
    }
    Err(Error::OutOfRange { what: "number of right classes of a sample", needs: "1", got: right as f64 })
}

/// The target of a class without probabilities: -1 or +1 for one output, else one-hot.
fn write_signs<T: Real>(label: usize, target: &mut [T]) {
    match target {
        [y] => *y = if label == 1 { T::ONE } else { -T::ONE },
        all => all.iter_mut().enumerate().for_each(|(c, y)| *y = if c == label { T::ONE } else { T::ZERO }),
    }
}
