//! Products with a kernel that is not formed.

use ntkscope::experiment::AnyNetwork;
use ntkscope::files::Dtype;
use ntkscope::machine::{Ended, Stop};
use ntkscope_core::forward::Params;
use ntkscope_core::kernel::{MultiOutput, Tangent, jacobian_scratch, kernel_product, tangent, tangent_len};
use ntkscope_core::network::{Network as Described, Sizes};
use ntkscope_core::{MatMut, MatRef};
use pyo3::prelude::*;
use pyo3::types::PyAny;

use crate::arrays::{AsRows, Lend, Numbers, Scalar, array, shown};
use crate::call::{Options, Progress, compute};
use crate::error::{Fallible, Fault, value, wrong_type};
use crate::kernel::check_inputs;
use crate::network::Network;

/// ``K v`` of the full kernel ``(n C, n C)``, which is not formed: ``v`` ``(n C,)`` or ``(n C, r)``, the result as ``v``. Costs about as much
/// as two passes through the network for each column.
///
/// >>> import numpy as np, ntkscope as ns
/// >>> net, x = ns.fcn(3, [16], outputs=2), np.eye(3)
/// >>> v = np.arange(6.0)
/// >>> np.allclose(ns.ntk_product(net, x, v), ns.ntk(net, x) @ v)
/// True
#[pyfunction]
#[pyo3(signature = (net, x, v, *, threads=None, progress=None))]
pub(crate) fn ntk_product<'py>(
    py: Python<'py>,
    net: &Network,
    x: &Bound<'py, PyAny>,
    v: &Bound<'py, PyAny>,
    threads: Option<usize>,
    progress: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let options = Options { threads, memory: None, progress };
    let (x, v) = (Numbers::samples("x", x)?, Numbers::new("v", v)?);
    let scalar = net.scalar(None, "x", &x)?;
    if v.dtype() != scalar {
        return Err(wrong_type("v: must be of the dtype of x".to_owned()));
    }
    check_inputs(net, "x", Some(&x))?;
    v.check_finite("v")?;
    let rows = x.shape()[0] * net.sizes().map_err(Fault::from)?.outputs;
    if !matches!(*v.shape(), [n] | [n, _] if n == rows) {
        return Err(value(format!("v: shape {}, but the kernel has {rows} rows", shown(v.shape()))));
    }
    match scalar {
        Dtype::F32 => product_as::<f32>(py, net, &x, &v, &options),
        Dtype::F64 => product_as::<f64>(py, net, &x, &v, &options),
    }
}

fn product_as<'py, T: Scalar>(
    py: Python<'py>,
    net: &Network,
    x: &Numbers<'_>,
    v: &Numbers<'_>,
    options: &Options<'_, 'py>,
) -> PyResult<Bound<'py, PyAny>>
where
    f64: Lend<T>,
    for<'a> Numbers<'a>: AsRows<T>,
{
    let (rows, shape) = (x.rows()?, v.shape());
    let columns = shape.get(1).copied().unwrap_or(1);
    let numbers: Vec<T> = v.to_f64()?.into_iter().map(T::from_f64).collect();
    let result = compute(py, options, |stop, progress| {
        let (network, theta, x) = (net.network()?, net.parameters::<T>()?, rows.view()?);
        product(&network, &theta, x, (&numbers, columns), stop, progress)
    })?;
    array(py, shape, result)
}

/// K v, column by column.
fn product<T: Scalar>(
    network: &AnyNetwork<'_>,
    theta: &[T],
    x: MatRef<'_, T>,
    (v, columns): (&[T], usize),
    stop: &Stop,
    progress: &Progress,
) -> Fallible<Ended<Vec<T>>> {
    let mut product = Product::new(network, theta.len(), x.rows());
    let mut space = vec![T::ZERO; tangent_len(network.sizes(), x.rows())];
    let tangent = tangent(T::fast(), Params::new(network, theta)?, x, &mut space)?;
    let mut result = vec![T::ZERO; v.len()];
    let (mut column, mut out) = (vec![T::ZERO; v.len() / columns.max(1)], vec![T::ZERO; v.len() / columns.max(1)]);
    for j in 0..columns {
        if stop.requested() {
            return Ok(Ended::Stopped);
        }
        column.iter_mut().zip(v[j..].iter().step_by(columns)).for_each(|(to, from)| *to = *from);
        product.apply(&tangent, &column, &mut out)?;
        result[j..].iter_mut().step_by(columns).zip(&out).for_each(|(to, from)| *to = *from);
        progress.set((j + 1) as f64 / columns as f64);
    }
    Ok(Ended::Done(result))
}

/// Memory of products J J^T v.
pub(crate) struct Product<T> {
    sizes: Sizes,
    samples: usize,
    direction: Vec<T>,
    scratch: Vec<T>,
}

impl<T: Scalar> Product<T> {
    pub(crate) fn new(network: &AnyNetwork<'_>, parameters: usize, samples: usize) -> Self {
        let sizes = network.sizes();
        let scratch = vec![T::ZERO; jacobian_scratch(sizes, samples)];
        Self { sizes, samples, direction: vec![T::ZERO; parameters], scratch }
    }
    /// `out <- K v`
    pub(crate) fn apply(
        &mut self,
        tangent: &Tangent<'_, AnyNetwork<'_>, T>,
        v: &[T],
        out: &mut [T],
    ) -> Result<(), ntkscope_core::Error> {
        let Self { sizes, samples, direction, scratch } = self;
        let v = MatRef::new(v, *samples, sizes.outputs)?;
        let out = MatMut::new(out, *samples, sizes.outputs)?;
        kernel_product(T::fast(), tangent, MultiOutput::Full, v, out, direction, scratch)
    }
}
