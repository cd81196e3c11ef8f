//! Kernels: the empirical NTK of a network, the analytic NNGP and NTK, and distances between them.

mod alignment;
mod analytic;
mod distance;
mod empirical;
mod first_layer;
mod jacobian;
mod mean;
mod power;
mod product;
mod spectrum;

pub use alignment::{CentredAlignment, centred_alignment, gram};
pub use analytic::{AnalyticKernel, analytic, analytic_scratch, analytic_tile};
pub use distance::{RelativeFrobenius, max_abs, max_abs_difference, relative_frobenius};
pub use empirical::{MultiOutput, Tangent, jacobian_contraction, structured, structured_scratch, tangent, tangent_len};
pub use first_layer::check_samples;
pub use jacobian::{jacobian_product, jacobian_scratch, jacobian_transposed_product};
pub use mean::{Gates, MeanTangent, mean_tangent_len};
pub(crate) use power::{Accuracy, Power, Weight, any_direction, largest_eigenvalue};
pub use product::{kernel_diagonal, kernel_product};
pub use spectrum::{Definiteness, Spectrum, spectrum};

use crate::{Backend, MatMut, Real};

/// K_ij <- K_ji for j > i: the rectangle above the diagonal from the one below it, band by band, then the same for
/// the two triangles that are left.
fn mirror_lower<T: Real, B: Backend<T> + ?Sized>(backend: &B, mut kernel: MatMut<'_, T>) {
    let (n, side) = (kernel.rows(), backend.tile().cols);
    if n <= side {
        return kernel.mirror_lower();
    }
    let middle = n.div_ceil(2);
    let (mut top, bottom) = kernel.reborrow().split_at_row(middle);
    let below = bottom.as_ref().block(0..n - middle, 0..middle);
    backend.for_each_band(top.reborrow(), side, &mut [], &|first, mut band, _| {
        let rows = band.rows();
        for start in (0..n - middle).step_by(side) {
            let end = (n - middle).min(start + side);
            let above = band.reborrow().block(0..rows, middle + start..middle + end);
            backend.transpose(below.block(start..end, first..first + rows), above);
        }
    });
    mirror_lower(backend, top.block(0..middle, 0..middle));
    mirror_lower(backend, bottom.block(0..n - middle, middle..n));
}
