//! What gradient flow predicts when the kernel stays where it is: n training samples, C outputs, a fixed kernel K.
//!
//! ```text
//! f(x, t) = f_0(x) + K(x, X) g(t)
//! ```
//!
//! Every prediction has this dual form: the coefficients g of the training samples carry all that was learned, and one
//! function, [`predict`], takes them to any samples. Samples and outputs are stacked, (n, C) row-major: output c of
//! sample i is number `i C + c`, so K is (nC, nC) in the layout of [`crate::kernel::MultiOutput::Full`]; a kernel
//! (n, n') that all outputs share becomes one by [`expand`]. Time t is always that of the mean loss.
//!
//! Directions u in which K vanishes to rounding, `w <= nC epsilon w_max`, are never learned: K(x, X) u = 0 for every
//! x, because a kernel is positive semidefinite on train and test samples together. They are left out of g, at any time,
//! so that the outputs have a limit whatever the kernel's rank; what cannot be met of the targets is told by [`Fit`].
//!
//! | what is predicted | by |
//! | --- | --- |
//! | squared error, at any time, also of gradient descent | [`KernelRegression`] |
//! | any loss, at any time | [`KernelFlow`] |
//! | cross-entropy or squared error with a penalty on the distance from theta_0, t = infinity | [`FixedPoint`] |
//! | soft targets without a penalty, t = infinity | [`SoftTargets`] |
//! | the law of any of these over random initializations | [`Smoother`], [`mean`], [`covariance`]; [`GaussianProcess`] |

mod curvature;
mod distribution;
mod fit;
mod fixed_point;
mod kernel_flow;
mod modes;
mod newton;
mod regression;
mod rosenbrock;
mod sample;
mod smoother;
mod soft_targets;
mod step;
mod system;

pub use curvature::factor_curvature;
pub use distribution::{Joint, covariance, laplace_covariance, mean};
pub use fit::Fit;
pub use fixed_point::{FixedPoint, fixed_point_len};
pub use kernel_flow::{KernelFlow, kernel_flow_len};
pub use regression::{KernelRegression, learned, regression_len};
pub use sample::{GaussianProcess, draw_fixed_point, gaussian_process_len};
pub use smoother::{Smoother, Training, smoother_len};
pub use soft_targets::{SoftTargets, soft_targets_len};

use crate::{Backend, Error, MatMut, MatRef, Real};

/// `out <- K (x) I_C`: the kernel `(n, n')` of one output, for `outputs` = C outputs that share it.
///
/// `out` is `(n C, n' C)`.
///
/// # Errors
/// [`Error::Shape`]; [`Error::OutOfRange`]: C = 0.
pub fn expand<T: Real>(kernel: MatRef<'_, T>, outputs: usize, mut out: MatMut<'_, T>) -> Result<(), Error> {
    if outputs == 0 {
        return Err(Error::OutOfRange { what: "number of outputs", needs: "at least 1", got: 0.0 });
    }
    Error::shape("expanded kernel: rows", kernel.rows() * outputs, out.rows())?;
    Error::shape("expanded kernel: columns", kernel.cols() * outputs, out.cols())?;
    for i in 0..out.rows() {
        for j in 0..out.cols() {
            let same = i % outputs == j % outputs;
            *out.at_mut(i, j) = if same { kernel.at(i / outputs, j / outputs) } else { T::ZERO };
        }
    }
    Ok(())
}

/// `out <- f_0(x) + K(x, X) g` for m samples x.
///
/// `k_cross` = K(x, X) is `(m C, n C)`, `f_0` and `out` are `(m, C)`, `g` is `(n, C)`.
///
/// # Errors
/// [`Error::Shape`], also where the rows of `g` or of `out` are not adjacent.
pub fn predict<T: Real, B: Backend<T> + ?Sized>(
    backend: &B,
    k_cross: MatRef<'_, T>,
    f_0: MatRef<'_, T>,
    g: MatRef<'_, T>,
    mut out: MatMut<'_, T>,
) -> Result<(), Error> {
    let outputs = g.cols();
    Error::shape("kernel of test and training samples: columns", g.rows() * outputs, k_cross.cols())?;
    Error::shape("kernel of test and training samples: rows", f_0.rows() * outputs, k_cross.rows())?;
    Error::shape("f_0 of the test samples: columns", outputs, f_0.cols())?;
    Error::shape("predictions: rows", f_0.rows(), out.rows())?;
    Error::shape("predictions: columns", outputs, out.cols())?;
    for i in 0..f_0.rows() {
        for c in 0..outputs {
            *out.at_mut(i, c) = f_0.at(i, c);
        }
    }
    backend.gemm(T::ONE, k_cross, g.stacked()?, T::ONE, out.stacked()?);
    Ok(())
}

/// # Errors
/// The kernel is not (nC, nC), f_0 not (n, C), for targets (n, C) with n >= 1 and C >= 1.
fn check_shapes<T: Real>(kernel: MatRef<'_, T>, f_0: MatRef<'_, T>, targets: MatRef<'_, T>) -> Result<(), Error> {
    let size = targets.rows() * targets.cols();
    if size == 0 {
        return Err(Error::OutOfRange { what: "number of targets", needs: "at least 1", got: 0.0 });
    }
    Error::shape("kernel of the training samples: rows", size, kernel.rows())?;
    Error::shape("kernel of the training samples: columns", size, kernel.cols())?;
    Error::shape("f_0: rows", targets.rows(), f_0.rows())?;
    Error::shape("f_0: columns", targets.cols(), f_0.cols())
}

/// Takes from every sample's `classes` numbers their mean: P x with `P = I - 11^T/C`.
fn centre<T: Real>(x: &mut [T], classes: usize) {
    for row in x.chunks_exact_mut(classes) {
        let mean = row.iter().fold(T::ZERO, |s, x| s + *x) / T::from_count(classes);
        row.iter_mut().for_each(|x| *x -= mean);
    }
}

/// Copies the rows of `from` one after another.
fn stack<T: Real>(from: MatRef<'_, T>, to: &mut [T]) {
    for (i, row) in to.chunks_exact_mut(from.cols().max(1)).enumerate() {
        for (c, x) in row.iter_mut().enumerate() {
            *x = from.at(i, c);
        }
    }
}
