//! Kernels: the empirical NTK of a network, the analytic NNGP and NTK, and distances between them.

mod analytic;
mod distance;
mod empirical;

pub use analytic::{AnalyticKernel, analytic, analytic_scratch};
pub use distance::{
    CentredAlignment, RelativeFrobenius, Spectrum, centred_alignment, max_abs, max_abs_difference, relative_frobenius,
    spectrum,
};
pub use empirical::{MultiOutput, Tangent, jacobian_contraction, structured, structured_scratch, tangent, tangent_len};
