//! A network that is watched while others train it.

use ntkscope::analysis::watch::{Goal, Moment, Watch};
use ntkscope::files::{Dtype, write_atomic};
use ntkscope::report::{Block, Report, Section, Table, number, run_figures};
use ntkscope::run::{Trace, TraceRow};
use ntkscope_core::loss::Loss;
use ntkscope_core::record::Value;
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict};

use crate::arrays::{Lend, Numbers, Scalar, array};
use crate::call::{Options, compute, threads_of};
use crate::error::{Fallible, Fault, value};
use crate::kernel::multi_output;
use crate::network::Network;
use crate::predict::{Wanted, loss_of};

/// The kernel on samples of its own of a network that is trained elsewhere; what `Recorder` is made of.
#[pyclass(module = "ntkscope._native")]
pub(crate) struct Watcher {
    watch: Watched,
    trace: Trace,
    /// per sample
    outputs: usize,
}

enum Watched {
    F32(Watch<f32>),
    F64(Watch<f64>),
}

fn watch<T: Scalar>(
    x: &Numbers<'_>,
    outputs: ntkscope_core::kernel::MultiOutput,
    goal: Option<(Vec<f64>, Loss, bool)>,
    rate: Option<f64>,
) -> Fallible<Watch<T>> {
    let cast = |numbers: Vec<f64>| numbers.into_iter().map(T::from_f64).collect::<Vec<T>>();
    let goal = goal.map(|(targets, loss, classes)| Goal { targets: cast(targets), loss, classes, rate });
    Ok(Watch::new(cast(x.to_f64()?), x.shape()[0], outputs, goal)?)
}

#[pymethods]
impl Watcher {
    #[new]
    fn new(
        x: &Bound<'_, PyAny>,
        y: Option<Wanted<'_>>,
        loss: Option<&str>,
        rate: Option<f64>,
        outputs: &Bound<'_, PyAny>,
        network_outputs: usize,
    ) -> PyResult<Self> {
        let x = Numbers::samples("x", x)?;
        let loss = loss_of(loss.unwrap_or("mse"))?;
        let goal = match y {
            Some(y) => {
                let classes = y.are_classes();
                let (targets, c) = y.targets(loss)?;
                if targets.len() != x.shape()[0] * c {
                    let (labels, n) = (targets.len() / c.max(1), x.shape()[0]);
                    return Err(value(format!("y: {labels} samples, but x has {n}")));
                }
                if c != network_outputs {
                    return Err(value(format!("y asks for {c} outputs, but the network has {network_outputs}")));
                }
                Some((targets, loss, classes))
            }
            None => None,
        };
        let outputs = multi_output(Some(outputs), network_outputs)?;
        let watch = match x.dtype() {
            Dtype::F32 => Watched::F32(watch(&x, outputs, goal, rate)?),
            Dtype::F64 => Watched::F64(watch(&x, outputs, goal, rate)?),
        };
        Ok(Self { watch, trace: Trace::default(), outputs: network_outputs })
    }

    /// The snapshot of these parameters as a mapping.
    fn observe<'py>(
        &mut self,
        py: Python<'py>,
        net: &Network,
        step: u64,
        time: f64,
        #[pyo3(from_py_with = threads_of)] threads: Option<u16>,
    ) -> PyResult<Bound<'py, PyDict>> {
        if net.sizes().map_err(Fault::from)?.outputs != self.outputs {
            return Err(value("another network than the first time: it has other outputs"));
        }
        let (options, at) = (Options { threads, memory: None, progress: None }, Moment { step, time });
        let row = match &mut self.watch {
            Watched::F32(watch) => observed::<f32>(py, &options, watch, net, at)?,
            Watched::F64(watch) => observed::<f64>(py, &options, watch, net, at)?,
        };
        self.trace.rows.push(row);
        columns_of(py, &row)
    }

    /// K of the last snapshot.
    fn kernel<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        fn square<'py, T: Scalar>(py: Python<'py>, kernel: &[T]) -> PyResult<Bound<'py, PyAny>> {
            array(py, &[kernel.len().isqrt(); 2], kernel.to_vec())
        }
        match &self.watch {
            Watched::F32(watch) => square(py, watch.kernel()),
            Watched::F64(watch) => square(py, watch.kernel()),
        }
    }

    /// Writes every snapshot as the program's trace.csv has it.
    fn write_trace(&self, path: std::path::PathBuf) -> Fallible<()> {
        Ok(self.trace.write(&path)?)
    }

    /// A page with the figures of the snapshots.
    fn write_report(&self, path: std::path::PathBuf, title: String, lead: String) -> PyResult<()> {
        let traces = [self.trace.clone()];
        let drawn = run_figures(&traces, &[])
            .into_iter()
            .filter(|figure| figure.series.iter().any(|series| series.y.iter().filter(|y| y.is_finite()).count() > 1));
        let figures = drawn.map(|figure| Block::Figure(Box::new(figure))).collect();
        let measured: Vec<_> = TraceRow::COLUMNS.iter().filter(|column| self.is_measured(column.name())).collect();
        let mut table = Table::new("The first and the last snapshot.", ["quantity", "first", "last"]);
        for column in measured {
            let text = |row: Option<&TraceRow>| match row.map(|row| column.get(row)) {
                Some(Value::Number(value)) => number(value),
                Some(other) => other.to_string(),
                None => String::new(),
            };
            table.push([column.name().to_owned(), text(self.trace.rows.first()), text(self.trace.rows.last())]);
        }
        let sections = vec![
            Section { title: "Along training".into(), blocks: figures },
            Section { title: "Snapshots".into(), blocks: vec![Block::Table(table)] },
        ];
        let report = Report { title, lead, sections }.html().map_err(|error| value(error.to_string()))?;
        write_atomic(&path, report.as_bytes()).map_err(|error| Fault::from(error).into())
    }

    /// Columns that are not NaN throughout.
    fn measured(&self) -> Vec<&'static str> {
        TraceRow::COLUMNS.iter().map(|column| column.name()).filter(|name| self.is_measured(name)).collect()
    }
}

impl Watcher {
    fn is_measured(&self, name: &str) -> bool {
        let Some(column) = TraceRow::column(name) else { return false };
        name != "sliding"
            && self.trace.rows.iter().any(|row| match column.get(row) {
                Value::Number(number) => !number.is_nan(),
                _ => true,
            })
    }
}

fn observed<T: Scalar>(
    py: Python<'_>,
    options: &Options<'_, '_>,
    watch: &mut Watch<T>,
    net: &Network,
    at: Moment,
) -> PyResult<TraceRow>
where
    f64: Lend<T>,
{
    compute(py, options, |stop, _| {
        let (network, theta) = (net.network()?, net.parameters::<T>()?);
        let seen = watch.observe(&network, &theta, at, &stop.until())?;
        Ok(seen.map(|snapshot| snapshot.to_f64()))
    })
}

/// Every column of a snapshot under its name.
fn columns_of<'py>(py: Python<'py>, row: &TraceRow) -> PyResult<Bound<'py, PyDict>> {
    let columns = PyDict::new(py);
    for column in TraceRow::COLUMNS {
        match column.get(row) {
            Value::Count(count) => columns.set_item(column.name(), count)?,
            Value::Number(number) => columns.set_item(column.name(), number)?,
            Value::Flag(flag) => columns.set_item(column.name(), flag)?,
        }
    }
    Ok(columns)
}
