//! What kernels say: eigenvalues, and how far two of them are apart.

use ntkscope::backend::HostReal;
use ntkscope::files::Dtype;
use ntkscope::kernel::{KernelSummary, Ritz, Search, check_symmetric, outermost, spectrum_of_ends};
use ntkscope::machine::Ended;
use ntkscope::words::precise;
use ntkscope_core::forward::Params;
use ntkscope_core::kernel::{centred_alignment, max_abs, max_abs_difference, relative_frobenius};
use ntkscope_core::network::Network as Described;
use ntkscope_core::{MatMut, MatRef};
use pyo3::prelude::*;
use pyo3::types::PyAny;

use crate::arrays::{AsRows, Lend, Numbers, Scalar, array, count, shown};
use crate::call::{Options, check_numbers, compute, threads_of};
use crate::error::{DataError, Fallible, value};
use crate::kernel::check_inputs;
use crate::network::Network;
use crate::product::with_full_kernel;

/// Outermost eigenvalues of a kernel. Made by ``spectrum``.
#[pyclass(frozen, module = "ntkscope")]
pub(crate) struct Spectrum {
    n: usize,
    largest: Vec<f64>,
    smallest: Vec<f64>,
    /// how far the largest and the smallest may be off
    residuals: [f64; 2],
    /// whether they are eigenvalues to that, or no more than bounds
    converged: [bool; 2],
    trace: f64,
    effective_rank: Option<f64>,
    condition: f64,
    definiteness: String,
}

#[pymethods]
impl Spectrum {
    /// Rows of the kernel.
    #[getter]
    fn n(&self) -> usize {
        self.n
    }
    /// The largest eigenvalues, descending.
    #[getter]
    fn largest<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        array(py, &[self.largest.len()], self.largest.clone())
    }
    /// The smallest eigenvalues, ascending.
    #[getter]
    fn smallest<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        array(py, &[self.smallest.len()], self.smallest.clone())
    }
    /// How far the largest and the smallest eigenvalue may be off, ``(2,)``: rounding, or what Lanczos' iteration has left.
    #[getter]
    fn residuals<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        array(py, &[2], self.residuals.to_vec())
    }
    /// Whether the largest and the smallest have converged. One that has not is a bound: the largest eigenvalue is no less, the smallest no more.
    #[getter]
    fn converged(&self) -> (bool, bool) {
        (self.converged[0], self.converged[1])
    }
    /// Sum of all eigenvalues.
    #[getter]
    fn trace(&self) -> f64 {
        self.trace
    }
    /// exp of the entropy of the eigenvalues divided by their sum; None where not all of them are known.
    #[getter]
    fn effective_rank(&self) -> Option<f64> {
        self.effective_rank
    }
    /// Largest by smallest eigenvalue; infinite where that is 0 to rounding, nan for an indefinite matrix.
    #[getter]
    fn condition(&self) -> f64 {
        self.condition
    }
    /// positive-definite, singular, indefinite, zero, or unknown.
    #[getter]
    fn definiteness(&self) -> &str {
        &self.definiteness
    }
    fn __repr__(&self) -> String {
        let end = |values: &[f64]| values.first().copied().unwrap_or(f64::NAN);
        let rank = self.effective_rank.map_or(String::new(), |rank| format!(", effective rank {}", precise(rank)));
        let (n, lambda_max, lambda_min) = (self.n, precise(end(&self.largest)), precise(end(&self.smallest)));
        format!("Spectrum({n} rows, lambda_max {lambda_max}, lambda_min {lambda_min}, {}{rank})", self.definiteness)
    }
    fn _repr_html_(&self) -> String {
        let cells = |values: &[f64]| values.iter().map(|v| format!("<td>{}</td>", precise(*v))).collect::<String>();
        format!(
            "<table><tr><th>largest</th>{}</tr><tr><th>smallest</th>{}</tr></table>",
            cells(&self.largest),
            cells(&self.smallest)
        )
    }
}

/// Eigenvalues of a kernel ``(n, n)``: the ``k`` largest and the ``k`` smallest, exact to rounding. Of a network and samples ``x`` ``(n, d)`` those
/// of its full kernel ``(n C, n C)``, which is not formed: by Lanczos' iteration, at most 4096 products, with what the outermost may be off. Of
/// an eigenvalue that stands in it several times it finds one.
///
/// Raises ValueError for a matrix that is not square, DataError for one that is not symmetric.
///
/// >>> import numpy as np, ntkscope as ns
/// >>> ns.spectrum(np.diag([3.0, 1.0, 2.0]), k=2).largest
/// array([3., 2.])
/// >>> net, x = ns.fcn(3, [16]), np.eye(3)
/// >>> np.allclose(ns.spectrum(net, x).largest, ns.spectrum(ns.ntk(net, x)).largest)
/// True
#[pyfunction]
#[pyo3(signature = (net_or_K, x=None, *, k=6, threads=None, memory=None, progress=None))]
#[allow(non_snake_case, reason = "K is a matrix")]
pub(crate) fn spectrum<'py>(
    py: Python<'py>,
    net_or_K: &Bound<'py, PyAny>,
    x: Option<&Bound<'py, PyAny>>,
    #[pyo3(from_py_with = ends_of)] k: usize,
    #[pyo3(from_py_with = threads_of)] threads: Option<u16>,
    memory: Option<&Bound<'py, PyAny>>,
    progress: Option<&Bound<'py, PyAny>>,
) -> PyResult<Spectrum> {
    let options = Options { threads, memory, progress };
    if let Ok(net) = net_or_K.cast::<Network>() {
        let x = Numbers::samples("x", x.ok_or_else(|| value("x: give the samples of the kernel"))?)?;
        check_inputs(net.get(), "x", Some(&x))?;
        return match net.get().scalar(None, "x", &x)? {
            Dtype::F32 => of_network::<f32>(py, net.get(), &x, k, &options),
            Dtype::F64 => of_network::<f64>(py, net.get(), &x, k, &options),
        };
    }
    if x.is_some() {
        return Err(value("x: of a kernel there are no samples to give; leave it out"));
    }
    let (n, numbers) = square("K", net_or_K)?;
    // K in double precision and the copy that its eigenvalues are found in
    check_numbers(&options.budget()?, &format!("eigenvalues of {n} rows"), 3 * (n as u128).pow(2))?;
    let (numbers, dtype) = (numbers.to_f64()?, numbers.dtype());
    let (summary, values, trace) = compute(py, &options, |stop, _| {
        symmetric("K", n, &numbers)?;
        let until = stop.until();
        let kernel = MatRef::new(&numbers, n, n)?;
        let trace = (0..n).map(|i| kernel.at(i, i)).sum::<f64>();
        let (summary, values) = KernelSummary::with_spectrum(f64::until(&until), kernel, dtype)?;
        Ok(Ended::Done((summary, values, trace)))
    })?;
    Ok(Spectrum {
        n,
        largest: values.iter().rev().take(k).copied().collect(),
        smallest: values.iter().take(k).copied().collect(),
        residuals: [summary.lambda_uncertainty; 2],
        converged: [true; 2],
        trace,
        effective_rank: summary.effective_rank,
        condition: summary.condition.unwrap_or(if summary.is_singular() { f64::INFINITY } else { f64::NAN }),
        definiteness: summary.definiteness.to_string(),
    })
}

/// How many eigenvalues of either end ``k=`` asks for.
fn ends_of(given: &Bound<'_, PyAny>) -> PyResult<usize> {
    match count("k", given)? {
        0 => Err(value("k: 0; give 1 or more")),
        k => Ok(k),
    }
}

/// A kernel that is handed in, and its rows.
///
/// # Errors
/// One that is not square.
fn square<'py>(name: &str, object: &Bound<'py, PyAny>) -> PyResult<(usize, Numbers<'py>)> {
    let numbers = Numbers::samples(name, object)?;
    match *numbers.shape() {
        [n, m] if n == m => Ok((n, numbers)),
        _ => Err(value(format!("{name}: shape {}, but a kernel is square", shown(numbers.shape())))),
    }
}

fn symmetric(name: &str, n: usize, numbers: &[f64]) -> Fallible<()> {
    check_symmetric(Some(name), n, numbers).map_err(|fault| DataError::new_err(fault.to_string()).into())
}

fn of_network<'py, T: Scalar>(
    py: Python<'py>,
    net: &Network,
    x: &Numbers<'py>,
    k: usize,
    options: &Options<'_, 'py>,
) -> PyResult<Spectrum>
where
    f64: Lend<T>,
    for<'a> Numbers<'a>: AsRows<T>,
{
    let (rows, limit) = (x.rows()?, options.budget()?.limit());
    compute(py, options, |stop, progress| {
        let (network, theta, x) = (net.network()?, net.parameters::<T>()?, rows.view()?);
        let (params, n) = (Params::new(&network, &theta)?, x.rows() * network.sizes().outputs);
        let (search, mut steps) = (Search::of::<T>(k), 0);
        let found = with_full_kernel(params, x, (limit, search.bytes(n)), stop, |kernel| {
            let mut apply = |from: MatRef<'_, f64>, to: MatMut<'_, f64>| {
                let ended = kernel.apply(from, to, &mut |_| (), stop)?;
                steps += 1;
                progress.set(f64::from(steps) / search.most as f64);
                Ok(ended)
            };
            let Ended::Done(found) = outermost(n, search, &mut apply, stop)? else { return Ok(Ended::Stopped) };
            let Ended::Done(diagonal) = kernel.diagonal(stop)? else { return Ok(Ended::Stopped) };
            Ok(Ended::Done((found, diagonal.iter().sum::<f64>())))
        })?;
        let Ended::Done((found, trace)) = found else { return Ok(Ended::Stopped) };
        let (max, min) = (found.largest[0], found.smallest[0]);
        let rounding = n as f64 * T::EPSILON.to_f64() * max.value.abs();
        let residuals = [max.residual, min.residual].map(|residual| residual.max(rounding));
        let ends = spectrum_of_ends(n, &min, &max, T::EPSILON.to_f64());
        let first = |ritz: &[Ritz]| ritz.iter().take(k).map(|ritz| ritz.value).collect();
        Ok(Ended::Done(Spectrum {
            n,
            largest: first(&found.largest),
            smallest: first(&found.smallest),
            residuals,
            converged: [max.converged, min.converged],
            trace,
            effective_rank: (n == 1).then_some(1.0),
            condition: ends.condition,
            definiteness: ends.definiteness().to_string(),
        }))
    })
}

/// How far two kernels are apart. Made by ``compare``.
#[pyclass(frozen, get_all, module = "ntkscope")]
pub(crate) struct Distances {
    /// largest difference of two entries
    max: f64,
    /// the same by the largest entry of the second
    max_relative: f64,
    /// norm of the difference by that of the second (Frobenius)
    frobenius: f64,
    /// centred alignment, from -1 to 1
    alignment: f64,
    /// smallest eigenvalues of both
    lambda_min: (f64, f64),
    /// largest eigenvalues of both
    lambda_max: (f64, f64),
    /// effective ranks of both
    effective_rank: (f64, f64),
}

#[pymethods]
impl Distances {
    fn __repr__(&self) -> String {
        let Self { max, frobenius, alignment, .. } = self;
        format!("Distances(max={max:.6e}, frobenius={frobenius:.6e}, alignment={alignment:.6})")
    }
}

/// Distances of two kernels ``(n, n)`` on the same samples, as ``ntkscope compare`` gives them; the second is the reference.
///
/// >>> import numpy as np, ntkscope as ns
/// >>> ns.compare(np.eye(2), np.diag([1.0, 2.0])).max
/// 1.0
#[pyfunction]
#[pyo3(signature = (k1, k2, *, threads=None))]
pub(crate) fn compare<'py>(
    py: Python<'py>,
    k1: &Bound<'py, PyAny>,
    k2: &Bound<'py, PyAny>,
    #[pyo3(from_py_with = threads_of)] threads: Option<u16>,
) -> PyResult<Distances> {
    let options = Options { threads, memory: None, progress: None };
    let ((n, a), (m, b)) = (square("k1", k1)?, square("k2", k2)?);
    if n != m {
        return Err(value(format!("k1 has {n} rows, k2 {m}; compare kernels on the same samples")));
    }
    // both in double precision, and the copy that eigenvalues are found in
    check_numbers(&options.budget()?, &format!("distances of two kernels of {n} rows"), 4 * (n as u128).pow(2))?;
    let (of_a, of_b) = (a.dtype(), b.dtype());
    let (a, b) = (a.to_f64()?, b.to_f64()?);
    compute(py, &options, |stop, _| {
        symmetric("k1", n, &a)?;
        symmetric("k2", n, &b)?;
        let (a, b) = (MatRef::new(&a, n, n)?, MatRef::new(&b, n, n)?);
        let until = stop.until();
        let first = KernelSummary::whole(f64::until(&until), a, of_a)?;
        let second = KernelSummary::whole(f64::until(&until), b, of_b)?;
        if stop.requested() {
            return Ok(Ended::Stopped);
        }
        let max = max_abs_difference(a, b)?;
        let rank = |summary: &KernelSummary| summary.effective_rank.unwrap_or(f64::NAN);
        Ok(Ended::Done(Distances {
            max,
            max_relative: max / max_abs(b),
            frobenius: relative_frobenius(a, b)?,
            alignment: centred_alignment(a, b)?,
            lambda_min: (first.lambda_min, second.lambda_min),
            lambda_max: (first.lambda_max, second.lambda_max),
            effective_rank: (rank(&first), rank(&second)),
        }))
    })
}
