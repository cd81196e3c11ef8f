//! Products with a kernel that is not formed.

use ntkscope::backend::threads;
use ntkscope::experiment::AnyNetwork;
use ntkscope::files::Dtype;
use ntkscope::kernel::{Empirical, Gradients, Operator, ProductWork};
use ntkscope::machine::{Ended, MemoryLimit, Stop};
use ntkscope_core::forward::Params;
use ntkscope_core::kernel::MultiOutput;
use ntkscope_core::network::Network as Described;
use ntkscope_core::{MatMut, MatRef};
use pyo3::prelude::*;
use pyo3::types::PyAny;

use crate::arrays::{AsRows, Lend, Numbers, Scalar, array, shown};
use crate::call::{Options, compute, threads_of};
use crate::error::{Fallible, Fault, NotFinite, value, wrong_type};
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
    #[pyo3(from_py_with = threads_of)] threads: Option<u16>,
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
    let (numbers, limit) = (v.to_f64()?, options.budget()?.limit());
    let n = numbers.len() / columns.max(1);
    // a vector a row
    let vectors: Vec<f64> = (0..columns).flat_map(|j| numbers.iter().skip(j).step_by(columns).copied()).collect();
    let result = compute(py, options, |stop, progress| {
        let (network, theta, x) = (net.network()?, net.parameters::<T>()?, rows.view()?);
        let params = Params::new(&network, &theta)?;
        let held = 16 * vectors.len() as u64;
        with_full_kernel(params, x, (limit, held), stop, |kernel| {
            let mut out = vec![0.0; vectors.len()];
            let (from, to) = (MatRef::new(&vectors, columns, n)?, MatMut::new(&mut out, columns, n)?);
            Ok(match kernel.apply(from, to, &mut |share| progress.set(share), stop)? {
                Ended::Done(()) => Ended::Done(out),
                Ended::Stopped => Ended::Stopped,
            })
        })
    })?;
    if let Some(at) = result.iter().position(|v| !T::from_f64(*v).is_finite()) {
        let row = at % n;
        return Err(NotFinite::new_err(format!("row {row} of K v is not finite; scale v, or compute in float64")));
    }
    let by_row = (0..n).flat_map(|i| result.iter().skip(i).step_by(n).map(|v| T::from_f64(*v)));
    array::<T>(py, shape, by_row.collect())
}

/// Does `work` with the full kernel `(n C, n C)`, which is not formed, within the limit and beside so many bytes.
pub(crate) fn with_full_kernel<T: Scalar, R>(
    params: Params<'_, AnyNetwork<'_>, T>,
    x: MatRef<'_, T>,
    (limit, beside): (Option<MemoryLimit>, u64),
    stop: &Stop,
    work: impl FnOnce(&mut dyn Operator) -> Fallible<Ended<R>>,
) -> Fallible<Ended<R>> {
    let (sizes, outputs) = (params.network().sizes(), MultiOutput::Full);
    let product = ProductWork {
        samples: x.rows(),
        inputs: x.cols(),
        sizes,
        empirical: Some(outputs),
        scalar: size_of::<T>(),
        tile: T::fast().tile(),
        threads: threads(),
        ranks: 1,
        beside,
    };
    let plan = product.plan(&format!("products with a kernel of {} rows", product.rows()), limit)?;
    let source = Empirical { backend: T::fast(), params, samples: &x, outputs };
    if !plan.keep {
        return work(&mut Gradients::new(&source, plan.at_once));
    }
    let mut spaces = Vec::new();
    match Gradients::new(&source, plan.at_once).keeping(&mut spaces, stop)? {
        Ended::Done(mut kernel) => work(&mut kernel),
        Ended::Stopped => Ok(Ended::Stopped),
    }
}
