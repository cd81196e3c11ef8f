//! Kernels of a network at its parameters.

use std::path::PathBuf;

use ntkscope::experiment::AnyNetwork;
use ntkscope::files::Dtype;
use ntkscope::kernel::KernelWork;
use ntkscope::machine::{Budget, Stop};
use ntkscope_core::kernel::MultiOutput;
use ntkscope_core::network::Network as Described;
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyBool};

use crate::arrays::{AsRows, Lend, Numbers, Scalar, array, count, out_array, shown};
use crate::call::{Options, Progress, compute, threads_of};
use crate::error::{Fault, value};
use crate::network::Network;
use crate::task::{Place, Task};

/// Which outputs `outputs=` names.
pub(crate) fn multi_output(given: Option<&Bound<'_, PyAny>>, outputs: usize) -> PyResult<MultiOutput> {
    let Some(given) = given else { return Ok(MultiOutput::Full) };
    if let (Ok(class), false) = (given.extract::<usize>(), given.is_instance_of::<PyBool>()) {
        if class < outputs {
            return Ok(MultiOutput::Class(class));
        }
        return Err(value(format!("outputs: {class}, but the network's outputs are 0 to {}", outputs - 1)));
    }
    match given.extract::<String>().unwrap_or_default().as_str() {
        "full" => Ok(MultiOutput::Full),
        "trace" => Ok(MultiOutput::Trace),
        _ => Err(value(format!("outputs: {}; give \"full\", \"trace\", or the number of an output", given.repr()?))),
    }
}

impl KernelShape {
    fn array(&self, parts: bool) -> Vec<usize> {
        let part = [2 * self.layers].into_iter().filter(|_| parts);
        part.chain([self.rows, self.columns]).collect()
    }
}

/// Rows and columns of the kernel, and the network's layers.
struct KernelShape {
    rows: usize,
    columns: usize,
    layers: usize,
}

/// What the forecast is of.
fn work(
    network: &AnyNetwork<'_>,
    (samples, others): (usize, usize),
    outputs: MultiOutput,
    dtype: Dtype,
    threads: usize,
) -> KernelWork {
    let of = match dtype {
        Dtype::F32 => KernelWork::new::<f32>,
        Dtype::F64 => KernelWork::new::<f64>,
    };
    KernelWork { others, threads, ..of(network, samples, Some(outputs)) }
}

/// Bytes of the matrix where it is in memory, which the caller holds where it is his array.
pub(crate) fn matrix_bytes(shape: &[usize], dtype: Dtype) -> u64 {
    shape.iter().fold(dtype.bytes() as u64, |product, size| product.saturating_mul(*size as u64))
}

/// The neural tangent kernel of a network at its parameters, ``grad f(x1) . grad f(x2)``, exact: no sampling, no automatic
/// differentiation, no Jacobian.
///
/// ``x1`` ``(n1, d)`` and ``x2`` ``(n2, d)``, or ``x1`` with itself where ``x2`` is None, are read where they lie; they must not be
/// written to meanwhile. ``outputs``: "full" ``(n1 C, n2 C)``, row ``i*C + k`` output ``k`` of sample ``i``; "trace" ``(n1, n2)``, the
/// trace over outputs divided by ``C``; or the number of one output ``(n1, n2)``. ``parts=True``: ``(2 (L+1), n1, n2)``, the
/// shares of ``W_0, b_0, W_1, …``, which add up to the kernel. ``dtype``: float32 or float64 in place of that of ``x1``.
/// ``threads``, of which results do not depend; ``memory``: bytes, or a text such as "4GiB", that the call may take.
/// ``out``: an array to be written to, or a path that ends with ".npy", which is written block by block, for kernels larger
/// than memory. ``progress``: True, or a function of ``(done, total)``.
///
/// The kernel is that of the parameters as stored, and what gradient descent with one learning rate moves by. Raises TypeError
/// for an array that is not read in place, NotFinite, MemoryError before the work begins.
///
/// >>> import numpy as np, ntkscope as ns
/// >>> net = ns.from_state_dict({"0.weight": np.array([[1.0, 2.0]])})      # f(x) = x_1 + 2 x_2
/// >>> ns.ntk(net, np.array([[1.0, 0.0], [1.0, 1.0]]))
/// array([[1., 1.],
///        [1., 2.]])
#[pyfunction]
#[pyo3(signature = (net, x1, x2=None, *, outputs=None, parts=false, dtype=None, threads=None, memory=None, out=None, progress=None))]
#[pyo3(
    text_signature = "(net, x1, x2=None, *, outputs='full', parts=False, dtype=None, threads=None, memory=None, out=None, progress=None)"
)]
#[allow(clippy::too_many_arguments, reason = "Python's keyword arguments")]
pub(crate) fn ntk<'py>(
    py: Python<'py>,
    net: &Network,
    x1: &Bound<'py, PyAny>,
    x2: Option<&Bound<'py, PyAny>>,
    outputs: Option<&Bound<'py, PyAny>>,
    parts: bool,
    dtype: Option<&Bound<'py, PyAny>>,
    #[pyo3(from_py_with = threads_of)] threads: Option<u16>,
    memory: Option<&Bound<'py, PyAny>>,
    out: Option<&Bound<'py, PyAny>>,
    progress: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let options = Options { threads, memory, progress };
    let x1 = Numbers::samples("x1", x1)?;
    let x2 = x2.map(|x2| Numbers::samples("x2", x2)).transpose()?;
    let scalar = net.scalar(dtype, "x1", &x1)?;
    if let Some(x2) = &x2 {
        net.scalar(dtype, "x2", x2)?;
    }
    for (name, x) in [("x1", Some(&x1)), ("x2", x2.as_ref())] {
        check_inputs(net, name, x)?;
    }
    let outputs = multi_output(outputs, net.sizes().map_err(Fault::from)?.outputs)?;
    let asked = Asked { net, x1: &x1, x2: x2.as_ref(), outputs, parts, out };
    match scalar {
        Dtype::F32 => asked.kernel::<f32>(py, &options),
        Dtype::F64 => asked.kernel::<f64>(py, &options),
    }
}

/// # Errors
/// ValueError: samples of another size than the network's.
pub(crate) fn check_inputs(net: &Network, name: &str, x: Option<&Numbers<'_>>) -> PyResult<()> {
    let (Some(x), inputs) = (x, net.sizes().map_err(Fault::from)?.inputs) else { return Ok(()) };
    if x.shape()[1] == inputs {
        return Ok(());
    }
    Err(value(format!("{name}: shape {}, but the network takes samples of {inputs} numbers", shown(x.shape()))))
}

struct Asked<'a, 'py> {
    net: &'a Network,
    x1: &'a Numbers<'py>,
    x2: Option<&'a Numbers<'py>>,
    outputs: MultiOutput,
    parts: bool,
    out: Option<&'a Bound<'py, PyAny>>,
}

impl<'py> Asked<'_, 'py> {
    fn kernel<T: Scalar>(&self, py: Python<'py>, options: &Options<'_, 'py>) -> PyResult<Bound<'py, PyAny>>
    where
        f64: Lend<T>,
        for<'a> Numbers<'a>: AsRows<T>,
    {
        let network = self.net.network().map_err(Fault::from)?;
        let samples = (self.x1.shape()[0], self.x2.map_or(0, |x2| x2.shape()[0]));
        let work = work(&network, samples, self.outputs, T::DTYPE, options.thread_count());
        let columns = self.x2.map_or(work.rows(), |_| samples.1 * work.rows_per_sample);
        let shape = KernelShape { rows: work.rows(), columns, layers: network.sizes().layers }.array(self.parts);
        let path = self.out.map_or(Ok(None), |out| path_of(out, self.parts || self.x2.is_some()))?;
        let fresh = self.out.is_none();
        let held = if fresh { matrix_bytes(&shape, T::DTYPE) } else { 0 };
        let (cut, _) = work.plan_short_blocks(options.budget()?.limit(), held).map_err(Fault::from)?;
        let task = Task { network, outputs: self.outputs, cut, parts: self.parts };
        let (x1, x2) = (self.x1.rows()?, self.x2.map(AsRows::rows).transpose()?);
        let net = self.net;
        let run = |place: Place<'_, T>, stop: &Stop, progress: &Progress| {
            let (theta, x1) = (net.parameters::<T>()?, x1.view()?);
            let x2 = x2.as_ref().map(|x2| x2.view()).transpose()?;
            task.run(&theta, x1, x2, place, stop, progress)
        };
        if let Some(path) = path {
            let to = path.clone();
            compute(py, options, |stop, progress| run(Place::File(to), stop, progress))?;
            let load = [("mmap_mode", "r")].into_iter();
            return py.import("numpy")?.call_method(
                "load",
                (path,),
                Some(&pyo3::types::IntoPyDict::into_py_dict(load, py)?),
            );
        }
        if let Some(out) = self.out.filter(|_| !fresh) {
            let mut written = out_array::<T>(out, &shape)?;
            let numbers = written.as_slice_mut()?;
            compute(py, options, |stop, progress| run(Place::Memory(numbers), stop, progress))?;
            return Ok(out.clone());
        }
        let mut numbers = vec![T::ZERO; shape.iter().product()];
        let place = &mut numbers[..];
        compute(py, options, |stop, progress| run(Place::Memory(place), stop, progress))?;
        array(py, &shape, numbers)
    }
}

/// The path that `out` is; `None` of an array.
fn path_of(out: &Bound<'_, PyAny>, not_square: bool) -> PyResult<Option<PathBuf>> {
    let Ok(path) = out.extract::<PathBuf>() else { return Ok(None) };
    if !path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("npy")) {
        return Err(value(format!("out: {}; give an array, or a path that ends with .npy", path.display())));
    }
    if not_square {
        return Err(value(
            "out: a file takes the kernel of x1 with itself, without parts; give an array, which may lie on the disk: \
             numpy.lib.format.open_memmap(path, \"w+\", dtype, shape)",
        ));
    }
    Ok(Some(path))
}

/// Bytes that ``ntk`` takes at most for ``n1`` samples with themselves, or with ``n2`` others, its result included unless ``out`` is
/// given (a path, or an array of the caller's); nothing is computed.
///
/// >>> import ntkscope as ns
/// >>> ns.forecast(ns.fcn(784, [512, 512]), 10_000, outputs="trace") > 8 * 10_000**2
/// True
#[pyfunction]
#[pyo3(signature = (net, n1, n2=None, *, outputs=None, parts=false, dtype=None, threads=None, memory=None, out=None))]
#[pyo3(
    text_signature = "(net, n1, n2=None, *, outputs='full', parts=False, dtype=None, threads=None, memory=None, out=None)"
)]
#[allow(clippy::too_many_arguments, reason = "Python's keyword arguments")]
pub(crate) fn forecast(
    net: &Network,
    n1: &Bound<'_, PyAny>,
    n2: Option<&Bound<'_, PyAny>>,
    outputs: Option<&Bound<'_, PyAny>>,
    parts: bool,
    dtype: Option<&Bound<'_, PyAny>>,
    #[pyo3(from_py_with = threads_of)] threads: Option<u16>,
    memory: Option<&Bound<'_, PyAny>>,
    out: Option<&Bound<'_, PyAny>>,
) -> PyResult<u64> {
    let options = Options { threads, memory, progress: None };
    let samples = |name: &str, given| match count(name, given)? {
        0 => Err(value(format!("{name}: 0; a kernel has at least one sample"))),
        count => Ok(count),
    };
    let (n1, n2) = (samples("n1", n1)?, n2.map(|n2| samples("n2", n2)).transpose()?);
    let network = net.network().map_err(Fault::from)?;
    let outputs = multi_output(outputs, network.sizes().outputs)?;
    let scalar = dtype.map_or(Ok(net.dtype_kind()), crate::arrays::dtype_of)?;
    let work = work(&network, (n1, n2.unwrap_or(0)), outputs, scalar, options.thread_count());
    let columns = n2.map_or(work.rows(), |n2| n2.saturating_mul(work.rows_per_sample));
    let shape = KernelShape { rows: work.rows(), columns, layers: network.sizes().layers }.array(parts);
    let held = if out.is_none() { matrix_bytes(&shape, scalar) } else { 0 };
    let limit = match memory {
        Some(_) => options.budget()?.limit(),
        None => Budget::within(None).limit(),
    };
    match work.plan_short_blocks(limit, held).map_err(Fault::from)?.1 {
        u64::MAX => Err(value(format!("n1: {n1}; the kernel takes more than 2**64 bytes"))),
        bytes => Ok(bytes),
    }
}
