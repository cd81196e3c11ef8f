//! What is trained to what: targets, and predictions of fixed kernels.

use ntkscope::analysis::law::{InfiniteWidth, Initial, Law, is_known_at};
use ntkscope::analysis::law_forecast::LawWork;
use ntkscope::backend::HostReal;
use ntkscope::machine::memory::{bytes_of, process_bytes};
use ntkscope::machine::{Budget, Ended};
use ntkscope::run::{Task, linearized_bytes};
use ntkscope_core::choice::Choice;
use ntkscope_core::loss::Loss;
use ntkscope_core::network::Network as Described;
use ntkscope_core::{Error, MatRef};
use pyo3::prelude::*;
use pyo3::types::PyAny;

use crate::analytic::KernelFn;
use crate::arrays::{Numbers, array, shown};
use crate::call::{Options, check_numbers, compute, threads_of};
use crate::error::{Fallible, Fault, value};
use crate::kernel::check_inputs;
use crate::network::Network;

pub(crate) fn loss_of(name: &str) -> PyResult<Loss> {
    let all = || Loss::ALL.iter().map(|loss| loss.name()).collect::<Vec<_>>().join(", ");
    Loss::from_name(name).map_err(|_| value(format!("loss: {name:?}; give one of {}", all())))
}

/// What y asks for, `(n, C)`: classes by their numbers, or values.
#[derive(FromPyObject)]
pub(crate) enum Wanted<'py> {
    /// labels, C
    #[pyo3(transparent)]
    Labels((Vec<usize>, usize)),
    #[pyo3(transparent)]
    Values(Bound<'py, PyAny>),
}

impl Wanted<'_> {
    pub(crate) fn are_classes(&self) -> bool {
        matches!(self, Self::Labels(_))
    }
    /// Targets and C.
    pub(crate) fn targets(&self, loss: Loss) -> Fallible<(Vec<f64>, usize)> {
        match self {
            Self::Labels((labels, outputs)) => {
                let what = format!("targets of {} samples in {outputs} classes", labels.len());
                check_numbers(&Budget::of_call(None), &what, labels.len() as u128 * *outputs as u128)?;
                let mut targets = vec![0.0; labels.len() * outputs];
                for (target, label) in targets.chunks_exact_mut((*outputs).max(1)).zip(labels) {
                    loss.target(*label, 0.0, target)?;
                }
                Ok((targets, *outputs))
            }
            Self::Values(values) => {
                let values = Numbers::samples("y", values)?;
                if !loss.properties(values.shape()[1]).quadratic {
                    let loss = loss.name();
                    let text =
                        format!("y: real numbers, which loss=\"mse\" fits; loss={loss:?} needs classes, as integers");
                    return Err(value(text).into());
                }
                Ok((values.to_f64()?, values.shape()[1]))
            }
        }
    }
}

/// Whose kernel predicts.
#[derive(Clone, Copy)]
enum Fixed<'a> {
    Limit(&'a KernelFn),
    Network(&'a Network),
}

/// Mean and deviation `(m, C)` of what a fixed kernel predicts on test points.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "one call, from Python")]
pub(crate) fn _predict<'py>(
    py: Python<'py>,
    kernel: &Bound<'py, PyAny>,
    x: &Bound<'py, PyAny>,
    y: Wanted<'py>,
    x_test: &Bound<'py, PyAny>,
    loss: &str,
    penalty: f64,
    time: f64,
    #[pyo3(from_py_with = threads_of)] threads: Option<u16>,
    memory: Option<&Bound<'py, PyAny>>,
    progress: Option<&Bound<'py, PyAny>>,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let options = Options { threads, memory, progress };
    let (x, x_test, loss) = (Numbers::samples("x", x)?, Numbers::samples("x_test", x_test)?, loss_of(loss)?);
    let ((targets, c), (n, m, d)) = (y.targets(loss)?, (x.shape()[0], x_test.shape()[0], x.shape()[1]));
    if targets.len() != n * c {
        return Err(value(format!("y: {} samples, but x has {n}", targets.len() / c.max(1))));
    }
    if x_test.shape()[1] != d {
        return Err(value(format!("x_test: shape {}, but x has {}", shown(x_test.shape()), shown(x.shape()))));
    }
    if !(penalty >= 0.0 && penalty.is_finite()) {
        return Err(value(format!("penalty: {penalty}; give a finite number of 0 or more")));
    }
    if time.is_nan() || time < 0.0 {
        return Err(value(format!("time: {time}; give a number of 0 or more, inf for the limit")));
    }
    // before anything is copied
    let budget = options.budget()?;
    let least = process_bytes(1).saturating_add(bytes_of(2 * (n + m) as u128 * d as u128, 8));
    let what = format!("a prediction from {n} samples on {m}");
    budget.check(&what, least).map_err(Fault::from)?;
    let mut all = x.to_f64()?;
    all.extend(x_test.to_f64()?);
    let classes = y.are_classes();
    let fixed = match (kernel.cast::<KernelFn>(), kernel.cast::<Network>()) {
        (Ok(limit), _) => Fixed::Limit(limit.get()),
        (_, Ok(network)) => Fixed::Network(network.get()),
        _ => return Err(value("kernel: give what kernel_fn makes, or a Network, whose linearization predicts")),
    };
    if matches!(fixed, Fixed::Limit(_)) && !is_known_at(time, loss, penalty) {
        return Err(value(format!(
            "time: {time}; the law of infinite width is known at a finite time for loss='mse' without a penalty alone: give a Network, or leave time out"
        )));
    }
    if let Fixed::Network(network) = fixed {
        check_inputs(network, "x", Some(&x))?;
        let outputs = network.sizes().map_err(Fault::from)?.outputs;
        if outputs != c {
            return Err(value(format!("y asks for {c} outputs, but the network has {outputs}")));
        }
    }
    let (mean, deviation) = compute(py, &options, |stop, _| {
        let until = stop.until();
        let backend = f64::until(&until);
        let (x, targets) = (MatRef::new(&all, n + m, d)?, MatRef::new(&targets, n, c)?);
        let limit = match fixed {
            Fixed::Limit(limit) => limit,
            Fixed::Network(network) => {
                let (described, theta_0) = (network.network()?, network.parameters::<f64>()?);
                budget.check(&what, least.saturating_add(linearized_bytes(described.sizes(), n, m)))?;
                let values = !classes;
                let network = &described;
                let task =
                    Task { network, theta_0: &theta_0, x, targets, loss, penalty, pace: 1.0, shifted: false, values };
                let (mean, _) = task.linearized(backend, time).map_err(explained)?;
                return Ok(Ended::Done((mean, vec![0.0; m * c])));
            }
        };
        let network = &limit.network(d, c)?;
        let work = LawWork { sizes: network.sizes(), samples: n, points: m, inputs: d, outputs: c, loss, penalty };
        let left = budget.limit().map_or(u64::MAX, |limit| limit.bytes.saturating_sub(least));
        let (block, need) = work.plan(left);
        budget.check(&what, least.saturating_add(need))?;
        let law = InfiniteWidth { backend, network, x, targets, loss, penalty, time, initial: Initial::Network };
        let Law { mean, deviation, .. } = law.law(block, &budget).map_err(|error| match error {
            ntkscope::analysis::Error::Core(error) => explained(error),
            error => error.into(),
        })?;
        Ok(Ended::Done((mean, deviation)))
    })?;
    Ok((array(py, &[m, c], mean)?, array(py, &[m, c], deviation)?))
}

/// What mends it.
fn explained(error: Error) -> Fault {
    match error {
        Error::NoFiniteSolution { .. } | Error::SingularKernel { .. } => {
            value(format!("{error}; give penalty=")).into()
        }
        error => error.into(),
    }
}

/// Share of these outputs `(n, C)` on the right side of their labels; a tie counts as wrong.
#[pyfunction]
pub(crate) fn _accuracy(outputs: &Bound<'_, PyAny>, y: Wanted<'_>, loss: &str) -> PyResult<f64> {
    let (outputs, loss) = (Numbers::samples("outputs", outputs)?, loss_of(loss)?);
    let (n, (targets, c)) = (outputs.shape()[0], y.targets(loss)?);
    let evaluate = || {
        let numbers = outputs.to_f64()?;
        let outputs = MatRef::new(&numbers, n, outputs.shape()[1])?;
        Ok::<_, Fault>(loss.evaluate(outputs, MatRef::new(&targets, n, c)?)?.accuracy)
    };
    Ok(evaluate()?)
}
