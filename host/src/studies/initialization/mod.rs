//! "On the Impacts of the Random Initialization in the Neural Tangent Kernel Theory" (Chen, Li, Lin, NeurIPS 2024): a
//! network that starts from its random outputs f^GP has to unlearn them, and they are rough for its own kernel.
//!
//! | what | where |
//! | --- | --- |
//! | eigenvalues and eigenfunctions of a kernel on n points, power laws | [`spectrum`] |
//! | how smooth a function or a data set's labels are for a kernel | [`smoothness`] |
//! | excess risk of the kernel's flow against n, from 0 and from f^GP | [`learning`] |
//!
//! Squared error throughout; time t is that of the mean loss.

pub mod learning;
pub mod smoothness;
pub mod spectrum;

use ntkscope_core::init::Normals;
use ntkscope_core::kernel::{AnalyticKernel, analytic, analytic_scratch};
use ntkscope_core::network::Network;
use ntkscope_core::{Error, MatMut, MatRef};

use crate::backend::HostReal;

/// The analytic kernel `(n, n)` of the rows of `x` `(n, d)`, for one output. Error: d is not the network's.
pub fn kernel<N: Network>(network: &N, which: AnalyticKernel, x: MatRef<'_, f64>) -> Result<Vec<f64>, Error> {
    let (backend, n) = (f64::fast(), x.rows());
    let (mut k, mut scratch) = (vec![0.0; n * n], vec![0.0; analytic_scratch(backend.tile(), n, n)]);
    analytic(backend, network, which, x, None, MatMut::new(&mut k, n, n)?, &mut scratch)?;
    Ok(k)
}

/// n points uniform on the unit sphere S^(d-1), `(n, d)`: normalised Gaussian vectors, from the next n d deviates.
pub fn sphere(n: usize, d: usize, normals: &mut Normals) -> Vec<f64> {
    let mut x: Vec<f64> = (0..n * d).map(|_| normals.draw()).collect();
    for point in x.chunks_exact_mut(d.max(1)) {
        let norm = point.iter().map(|v| v * v).sum::<f64>().sqrt();
        point.iter_mut().for_each(|v| *v /= norm);
    }
    x
}

/// Error: `got` is not the size that is needed.
fn check_size(what: &'static str, need: usize, got: usize) -> Result<(), Error> {
    if got == need { Ok(()) } else { Err(Error::Shape { what, need, got }) }
}
