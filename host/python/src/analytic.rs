//! Kernels of infinitely wide networks.

use ntkscope::experiment::MAX_DEPTH;
use ntkscope::files::Dtype;
use ntkscope::kernel::{Analytic, KernelWork};
use ntkscope::machine::{Ended, Stop};
use ntkscope_core::choice::Choice;
use ntkscope_core::kernel::AnalyticKernel;
use ntkscope_core::network::{Activation, Bias, Fcn, Parametrization};
use ntkscope_core::{Error, MatRef};
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict, PyTuple};

use crate::arrays::{AsRows, Numbers, Scalar, array, count, dtype_name, dtype_of, shown};
use crate::call::{Options, Progress, compute, threads_of};
use crate::error::{Fallible, Fault, NoLimit, value, wrong_type};
use crate::kernel::matrix_bytes;
use crate::stored::activation_of;
use crate::task::fill;

/// The kernels of an infinitely wide network: ``k(x1, x2=None, get="ntk")``. Made by ``kernel_fn``.
#[pyclass(frozen, module = "ntkscope")]
pub(crate) struct KernelFn {
    widths: Vec<usize>,
    activations: Vec<Activation>,
    bias: Bias,
    bias_scale: f64,
    parametrization: Parametrization,
    c_in: f64,
    sigma_w2: f64,
}

impl KernelFn {
    /// For samples of d numbers and so many outputs.
    pub(crate) fn network(&self, inputs: usize, outputs: usize) -> Result<Fcn<'_>, Error> {
        Fcn::new(inputs, &self.widths, outputs)?
            .with_activations(&self.activations)?
            .with_variances(self.c_in, self.sigma_w2)?
            .with_bias(self.bias, self.bias_scale)?
            .with_parametrization(self.parametrization)
    }
}

/// A choice by its name.
fn choice<T: Choice>(what: &str, name: &str) -> PyResult<T> {
    let all = || T::ALL.iter().map(|choice| choice.name()).collect::<Vec<_>>().join(", ");
    T::from_name(name).map_err(|_| value(format!("{what}: {name:?}; give one of {}", all())))
}

/// The analytic kernels of an infinitely wide fully connected network as a function of samples.
///
/// Either ``depth``, the number of hidden layers, or ``widths``, of which only ratios and, outside the NTK parametrization, sizes
/// matter. ``activation``: a name, or one for every hidden layer. ``bias``: none, input, hidden or all, with scale
/// ``bias_scale``. ``c_in``: variance of the first weights, by default 1 (neural-tangents has ``W_std**2/d``); ``sigma_w2``: that of the others
/// times their number of inputs. Under "mup" and "mean-field" the limit is that of the start alone.
///
/// Raises NoLimit where the kernel has none: one that grows with the width, where no widths are given.
///
/// >>> import numpy as np, ntkscope as ns
/// >>> k = ns.kernel_fn(depth=1)
/// >>> np.round(k(np.eye(2)), 4)
/// array([[2.    , 0.3183],
///        [0.3183, 2.    ]])
#[pyfunction]
#[pyo3(signature = (*, depth=None, widths=None, activation=None, bias="none", parametrization="ntk", c_in=None, sigma_w2=2.0, bias_scale=1.0))]
#[pyo3(
    text_signature = "(*, depth=None, widths=None, activation='relu', bias='none', parametrization='ntk', c_in=None, sigma_w2=2.0, bias_scale=1.0)"
)]
#[allow(clippy::too_many_arguments, reason = "Python's keyword arguments")]
pub(crate) fn kernel_fn(
    depth: Option<&Bound<'_, PyAny>>,
    widths: Option<&Bound<'_, PyAny>>,
    activation: Option<&Bound<'_, PyAny>>,
    bias: &str,
    parametrization: &str,
    c_in: Option<f64>,
    sigma_w2: f64,
    bias_scale: f64,
) -> PyResult<KernelFn> {
    let parametrization: Parametrization = choice("parametrization", parametrization)?;
    let depth = depth.map(|depth| count("depth", depth)).transpose()?;
    let each = |widths: &Bound<'_, PyAny>| {
        let no_list =
            |_| wrong_type(format!("widths: {}; give one for each hidden layer, as [64, 64]", widths.get_type()));
        widths.try_iter().map_err(no_list)?.map(|width| count("widths", &width?)).collect::<PyResult<Vec<usize>>>()
    };
    let widths = widths.map(each).transpose()?;
    let widths = match (depth, widths) {
        (Some(depth), None) => {
            if parametrization != Parametrization::Ntk {
                return Err(NoLimit::new_err(format!(
                    "in the {parametrization} parametrization the kernel depends on the widths; give widths="
                )));
            }
            if depth > MAX_DEPTH {
                return Err(value(format!("depth: {depth}; give at most {MAX_DEPTH}")));
            }
            vec![1; depth]
        }
        (None, Some(widths)) => widths,
        (Some(depth), Some(widths)) if widths.len() == depth => widths,
        (Some(depth), Some(widths)) => {
            return Err(value(format!("depth {depth}, but {} widths; give one of them", widths.len())));
        }
        (None, None) => return Err(value("give depth= or widths=")),
    };
    let names = match activation {
        None => vec![Activation::Relu.to_string()],
        Some(given) => given.extract::<String>().map(|one| vec![one]).or_else(|_| given.extract::<Vec<String>>())?,
    };
    let mut activations = names.iter().map(|name| activation_of(name)).collect::<PyResult<Vec<_>>>()?;
    if let [one] = activations[..] {
        activations = vec![one; widths.len()];
    }
    let bias = choice("bias", bias)?;
    let made = KernelFn { widths, activations, bias, bias_scale, parametrization, c_in: c_in.unwrap_or(1.0), sigma_w2 };
    made.network(1, 1).map_err(Fault::from)?;
    Ok(made)
}

fn which(name: &str) -> PyResult<AnalyticKernel> {
    choice("get", name)
}

#[pymethods]
impl KernelFn {
    /// The kernel ``(n1, n2)`` of the samples ``x1`` ``(n1, d)`` with ``x2`` ``(n2, d)``, or with themselves, of one output. ``get``: "ntk", "nngp",
    /// or a tuple of them, which gives a tuple of arrays. float32 or float64 as ``x1``. The rest as for ``ntk``.
    #[pyo3(signature = (x1, x2=None, get=None, *, dtype=None, threads=None, memory=None, progress=None))]
    #[allow(clippy::too_many_arguments, reason = "Python's keyword arguments")]
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        x1: &Bound<'py, PyAny>,
        x2: Option<&Bound<'py, PyAny>>,
        get: Option<&Bound<'py, PyAny>>,
        dtype: Option<&Bound<'py, PyAny>>,
        #[pyo3(from_py_with = threads_of)] threads: Option<u16>,
        memory: Option<&Bound<'py, PyAny>>,
        progress: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let options = Options { threads, memory, progress };
        let x1 = Numbers::samples("x1", x1)?;
        let x2 = x2.map(|x2| Numbers::samples("x2", x2)).transpose()?;
        let scalar = match (dtype.filter(|dtype| !dtype.is_none()), &x2) {
            (Some(dtype), _) => dtype_of(dtype)?,
            (None, Some(x2)) if x2.dtype() != x1.dtype() => {
                let (one, other) = (dtype_name(x1.dtype()), dtype_name(x2.dtype()));
                return Err(wrong_type(format!("x2: {other}, but x1 is {one}; they must agree, or give dtype=")));
            }
            _ => x1.dtype(),
        };
        if let Some(x2) = x2.as_ref().filter(|x2| x2.shape()[1] != x1.shape()[1]) {
            return Err(value(format!("x2: shape {}, but x1 has {}", shown(x2.shape()), shown(x1.shape()))));
        }
        let names: Vec<String> = match get {
            None => vec!["ntk".into()],
            Some(get) => get.extract::<String>().map(|one| vec![one]).or_else(|_| get.extract())?,
        };
        let kernels = names.iter().map(|name| match scalar {
            Dtype::F32 => self.kernel::<f32>(py, (which(name)?, names.len()), &x1, x2.as_ref(), &options),
            Dtype::F64 => self.kernel::<f64>(py, (which(name)?, names.len()), &x1, x2.as_ref(), &options),
        });
        let kernels: Vec<_> = kernels.collect::<PyResult<_>>()?;
        match get.is_none_or(|get| get.extract::<String>().is_ok()) {
            true => Ok(kernels[0].clone()),
            false => Ok(PyTuple::new(py, kernels)?.into_any()),
        }
    }

    /// The kernel of every sample of ``x`` ``(n, d)`` with itself: ``(n,)``.
    #[pyo3(signature = (x, get="ntk"))]
    fn diag<'py>(&self, py: Python<'py>, x: &Bound<'py, PyAny>, get: &str) -> PyResult<Bound<'py, PyAny>> {
        let (x, get) = (Numbers::samples("x", x)?, which(get)?);
        match x.dtype() {
            Dtype::F32 => self.diagonal::<f32>(py, get, &x),
            Dtype::F64 => self.diagonal::<f64>(py, get, &x),
        }
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let Self { widths, activations, bias, parametrization, c_in, sigma_w2, bias_scale } = self;
        let again = PyDict::new(py);
        again.set_item("widths", widths)?;
        again.set_item("activation", activations.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        again.set_item("bias", bias.name())?;
        again.set_item("parametrization", parametrization.name())?;
        again.set_item("c_in", c_in)?;
        again.set_item("sigma_w2", sigma_w2)?;
        again.set_item("bias_scale", bias_scale)?;
        let function = py.import("ntkscope._native")?.getattr("kernel_fn")?;
        let call = py.import("functools")?.call_method("partial", (function,), Some(&again))?;
        Ok((call, PyTuple::empty(py)))
    }

    fn __repr__(&self) -> String {
        let Self { widths, activations, bias, parametrization, c_in, sigma_w2, bias_scale } = self;
        let depth = widths.len();
        let activations: Vec<String> = activations.iter().map(ToString::to_string).collect();
        format!(
            "KernelFn(depth={depth}, {}, bias={bias}, {parametrization}, c_in={c_in}, sigma_w2={sigma_w2}, bias_scale={bias_scale})",
            activations.join(", ")
        )
    }
}

impl KernelFn {
    /// One of so many kernels that are held side by side in the end.
    fn kernel<'py, T: Scalar>(
        &self,
        py: Python<'py>,
        (which, kernels): (AnalyticKernel, usize),
        x1: &Numbers<'_>,
        x2: Option<&Numbers<'_>>,
        options: &Options<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>>
    where
        for<'a> Numbers<'a>: AsRows<T>,
    {
        let network = self.network(x1.shape()[1], 1).map_err(Fault::from)?;
        let (n1, n2) = (x1.shape()[0], x2.map_or(x1.shape()[0], |x2| x2.shape()[0]));
        let (others, threads) = (x2.map_or(0, |_| n2), options.thread_count());
        let work = KernelWork { others, threads, ..KernelWork::new::<T>(&network, n1, None) };
        let limit = options.budget()?.limit();
        let held = matrix_bytes(&[n1, n2], T::DTYPE).saturating_mul(kernels as u64);
        let (cut, _) = work.plan_short_blocks(limit, held).map_err(Fault::from)?;
        let (x1, x2) = (x1.rows()?, x2.map(AsRows::rows).transpose()?);
        let mut numbers = vec![T::ZERO; n1 * n2];
        let out = &mut numbers[..];
        compute(py, options, |stop: &Stop, progress: &Progress| -> Fallible<Ended<()>> {
            let (x1, x2) = (x1.view()?, x2.as_ref().map(|x2| x2.view()).transpose()?);
            let left = Analytic { backend: T::fast(), network: &network, samples: &x1, which };
            let right = x2.as_ref().map(|x2| Analytic { backend: T::fast(), network: &network, samples: x2, which });
            fill((&left, right.as_ref()), &cut, out, stop, &|share| progress.set(share))
        })?;
        array(py, &[n1, n2], numbers)
    }

    fn diagonal<'py, T: Scalar>(
        &self,
        py: Python<'py>,
        which: AnalyticKernel,
        x: &Numbers<'_>,
    ) -> PyResult<Bound<'py, PyAny>>
    where
        for<'a> Numbers<'a>: AsRows<T>,
    {
        let network = self.network(x.shape()[1], 1).map_err(Fault::from)?;
        let rows = x.rows()?;
        let options = Options { threads: Some(1), memory: None, progress: None };
        let diagonal = compute(py, &options, |stop, _| {
            let (x, mut diagonal) = (rows.view()?, Vec::new());
            let (backend, step) = (T::fast(), T::fast().tile().cols);
            let mut block = vec![T::ZERO; step * step];
            for first in (0..x.rows()).step_by(step) {
                let some: MatRef<'_, T> = x.block(first..x.rows().min(first + step), 0..x.cols());
                let (count, source) = (some.rows(), Analytic { backend, network: &network, samples: &some, which });
                let cut = ntkscope::kernel::Cut { samples: step, kept: false };
                if fill((&source, None), &cut, &mut block[..count * count], stop, &|_| ())? == Ended::Stopped {
                    return Ok(Ended::Stopped);
                }
                diagonal.extend((0..count).map(|i| block[i * count + i]));
            }
            Ok(Ended::Done(diagonal))
        })?;
        array(py, &[diagonal.len()], diagonal)
    }
}
