//! Networks of other programs, and ours from settings.

use std::path::{Path, PathBuf};

use ntkscope::checkpoint::{Checkpoint, Fault as CheckpointFault, Kept, NamedArray, Reading, is_torch};
use ntkscope::experiment::{Init, List, Model, NetworkKind, Settings, overlay};
use ntkscope::files::Dtype;
use ntkscope::files::npy::{Number, NumberKind};
use ntkscope::machine::{Budget, Cause, Ended};
use ntkscope::run::params::{SavedNetwork, read_parameters};
use ntkscope_core::init::Normals;
use ntkscope_core::network::{Activation, Network as Described};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict, PyInt};
use toml::{Table, Value};

use crate::arrays::{Numbers, count, dtype_name, dtype_of};
use crate::call::{Options, check_numbers, compute};
use crate::chain::Chain;
use crate::error::{DataError, Fallible, Fault, NotFinite, of_io, value, wrong_type};
use crate::network::{Body, Network};
use crate::stored::activation_of;

/// A name, or one for every hidden layer, as `activation=` gives it.
fn activations(given: Option<&Bound<'_, PyAny>>) -> PyResult<Option<List<Activation>>> {
    let Some(given) = given.filter(|given| !given.is_none()) else { return Ok(None) };
    let names = match given.extract::<String>() {
        Ok(one) => vec![one],
        Err(_) => given
            .extract::<Vec<String>>()
            .map_err(|_| wrong_type("activation: give a name, or one for every hidden layer"))?,
    };
    names.iter().try_for_each(|name| activation_of(name).map(drop))?;
    if names.is_empty() {
        return Ok(None);
    }
    names.join(",").parse().map(Some).map_err(|error: ntkscope::experiment::NoList| value(error.to_string()))
}

/// A network of named arrays in the order of a module, or of a mapping; ``None``: in none.
#[pyfunction]
pub(crate) fn _of_arrays(
    arrays: Vec<(String, Bound<'_, PyAny>)>,
    activation: Option<&Bound<'_, PyAny>>,
    order: Option<Vec<String>>,
    of_module: Option<bool>,
) -> PyResult<Network> {
    let (mut named, mut dtype): (Vec<NamedArray>, Option<Dtype>) = (Vec::new(), None);
    for (name, array) in arrays {
        let numbers = Numbers::new(&name, &array)?;
        if *dtype.get_or_insert(numbers.dtype()) != numbers.dtype() {
            let first = &named[0].name;
            return Err(wrong_type(format!(
                "{name}: {}, but {first} is not; give all arrays one dtype",
                dtype_name(numbers.dtype())
            )));
        }
        named.push(NamedArray { name, shape: numbers.shape().to_vec(), data: numbers.to_f64()? });
    }
    let reading = Reading { activation: activations(activation)?, order, inputs: None };
    let kept = of_module.map_or(Kept::No, |of_module| if of_module { Kept::ByModule } else { Kept::ByWriter });
    let checkpoint = Checkpoint::of_arrays(named, kept, &reading).map_err(|fault| match fault {
        CheckpointFault::NotFinite { .. } => NotFinite::new_err(format!("the network: {fault}")),
        _ => value(format!("the network: {fault}")),
    })?;
    of_checkpoint(checkpoint, dtype.unwrap_or(Dtype::F64))
}

/// The network of a file: ``.safetensors``, ``.npz`` (arrays named ``0.weight``, ``Dense_0/kernel`` or ``W0``), or ``.pt``, ``.pth`` as
/// ``torch.save(model.state_dict(), path)`` writes it. Nothing in a file is executed.
///
/// A file of ``Network.save``, or the ``params.npz`` of a run, is the whole network again: scales, rates, activations, mirrored and residual
/// ones. Of other files layers are taken as they are stored, ``z = W a + b``. ``activation``: a name, or one for every hidden layer; left out it
/// is what the file says (safetensors as ``activation`` in their metadata), else relu. ``order``: names of the layers, where the file leaves
/// that open. The network is of ``dtype``, by default that of the file; float16 and bfloat16 need it. Raises FileNotFoundError; DataError
/// with the path for a damaged file, or one of another network; ValueError where ``activation``, ``order`` or ``dtype`` are wrong.
///
/// >>> import numpy as np, ntkscope as ns, tempfile, os
/// >>> path = os.path.join(tempfile.mkdtemp(), "net.npz")
/// >>> np.savez(path, **{"0.weight": np.ones((2, 3)), "2.weight": np.ones((1, 2))})
/// >>> ns.load(path, "tanh")
/// Network(inputs=3, widths=[2], outputs=1, parameters=8, float64)
#[pyfunction]
#[pyo3(signature = (path, activation=None, *, order=None, dtype=None))]
#[pyo3(text_signature = "(path, activation=None, *, order=None, dtype=None)")]
pub(crate) fn load(
    path: PathBuf,
    activation: Option<&Bound<'_, PyAny>>,
    order: Option<Vec<String>>,
    dtype: Option<&Bound<'_, PyAny>>,
) -> PyResult<Network> {
    std::fs::metadata(&path).map_err(|error| of_io(&error, &path))?;
    let activation = activations(activation)?;
    let saved = if is_torch(&path) { None } else { SavedNetwork::read(&path).map_err(Fault::from)? };
    if let Some(saved) = saved {
        return of_saved(saved, &path, (activation, order), dtype);
    }
    let mut reading = Reading { activation, order, inputs: None };
    let mut read = Checkpoint::read(&path, &reading);
    if read.as_ref().is_err_and(|error| matches!(error.fault, CheckpointFault::NoActivation { .. })) {
        reading.activation = Some(Activation::Relu.into());
        read = Checkpoint::read(&path, &reading);
    }
    let mut checkpoint = read.map_err(|error| match error.cause() {
        Cause::Settings => value(error.to_string()),
        _ => DataError::new_err(error.to_string()),
    })?;
    let dtype = scalar(&path, checkpoint.stored, dtype)?;
    round(&mut checkpoint.theta, dtype, &path)?;
    of_checkpoint(checkpoint, dtype)
}

/// The network that a file says with settings of ours.
fn of_saved(
    SavedNetwork { mut model, inputs, outputs, stored }: SavedNetwork,
    path: &Path,
    (activation, order): (Option<List<Activation>>, Option<Vec<String>>),
    dtype: Option<&Bound<'_, PyAny>>,
) -> PyResult<Network> {
    if order.is_some() {
        return Err(value(format!("{}: says the order of its layers; leave order out", path.display())));
    }
    // another one than the file's is refused below
    if let Some(activation) = activation {
        model.activation = activation;
    }
    (model.dtype, model.outputs) = (scalar(path, stored, dtype)?, Some(outputs));
    let shape = model.shape_of(inputs, outputs);
    let network = model.network(&shape).map_err(Fault::from)?;
    check_memory(network.sizes().parameters)?;
    let mut theta = vec![0.0; network.sizes().parameters];
    read_parameters(path, &network, &model, &mut theta).map_err(Fault::from)?;
    round(&mut theta, model.dtype, path)?;
    Ok(of_model(model, inputs, outputs, theta)?)
}

/// Refuses more parameters than there is memory for.
fn check_memory(parameters: usize) -> Fallible<()> {
    check_numbers(&Budget::of_call(None), &format!("a network of {parameters} parameters"), parameters as u128)
}

/// The scalar that is asked for, or that of a file's numbers.
fn scalar(path: &Path, stored: Number, wanted: Option<&Bound<'_, PyAny>>) -> PyResult<Dtype> {
    match wanted.filter(|dtype| !dtype.is_none()) {
        Some(dtype) => dtype_of(dtype),
        None if stored.bytes < 4 => {
            let kind = if stored.kind == NumberKind::Brain { "bfloat16" } else { "float16" };
            Err(value(format!("{}: {kind}; give dtype=numpy.float32 or float64", path.display())))
        }
        None => Ok(stored.scalar()),
    }
}

/// Parameters as the scalar has them.
fn round(theta: &mut [f64], dtype: Dtype, path: &Path) -> PyResult<()> {
    if dtype == Dtype::F32 {
        theta.iter_mut().for_each(|number| *number = f64::from(*number as f32));
    }
    match theta.iter().all(|number| number.is_finite()) {
        true => Ok(()),
        false => Err(NotFinite::new_err(format!(
            "{}: a number is infinite in float32; give dtype=numpy.float64",
            path.display()
        ))),
    }
}

fn of_checkpoint(checkpoint: Checkpoint, dtype: Dtype) -> Result<Network, PyErr> {
    let Checkpoint { inputs, layers, rates, arrays, theta, .. } = checkpoint;
    Ok(Network::chain(Chain::new(inputs, layers, rates, arrays)?, theta, dtype)?)
}

/// Settings from keyword arguments; `place` is the function's name, for messages.
pub(crate) fn settings(given: &Bound<'_, PyDict>, place: &str) -> PyResult<Settings> {
    let mut table = Table::new();
    for (key, object) in given.iter() {
        if object.is_none() {
            continue;
        }
        let key: String = key.extract()?;
        if key == "dtype" {
            table.insert(key, Value::String(dtype_of(&object)?.name().into()));
            continue;
        }
        let value = value_of(&object).map_err(|error| match error.is_instance_of::<PyValueError>(given.py()) {
            true => value(format!("{key}: {}", error.value(given.py()))),
            false => wrong_type(format!("{key}: {}", object.get_type())),
        })?;
        table.insert(key, value);
    }
    let mut all = Table::new();
    overlay(&mut all, table, place).map_err(Fault::from)?;
    Ok(Settings::from_table(all).map_err(Fault::from)?)
}

/// What a settings file would have.
pub(crate) fn value_of(object: &Bound<'_, PyAny>) -> PyResult<Value> {
    if let Ok(flag) = object.cast::<pyo3::types::PyBool>() {
        return Ok(Value::Boolean(flag.is_true()));
    }
    if let Ok(text) = object.extract::<String>() {
        return Ok(Value::String(text));
    }
    if let Ok(whole) = object.extract::<i64>() {
        return Ok(Value::Integer(whole));
    }
    if object.is_instance_of::<PyInt>() {
        return Err(value(format!("{object}; give a whole number of at most {}", i64::MAX)));
    }
    if let Ok(number) = object.extract::<f64>() {
        return Ok(Value::Float(number));
    }
    if let Ok(path) = object.extract::<PathBuf>() {
        return Ok(Value::String(path.display().to_string()));
    }
    Ok(Value::Array(object.try_iter()?.map(|item| value_of(&item?)).collect::<PyResult<_>>()?))
}

/// A network of settings, with parameters drawn from its seed until that is asked to end.
#[pyfunction]
pub(crate) fn _of_keywords(
    py: Python<'_>,
    inputs: &Bound<'_, PyAny>,
    outputs: &Bound<'_, PyAny>,
    keywords: &Bound<'_, PyDict>,
    place: &str,
) -> PyResult<Network> {
    let (inputs, outputs) = (count("inputs", inputs)?, count("outputs", outputs)?);
    let model = Model { outputs: Some(outputs), ..settings(keywords, place)?.model };
    model.check().map_err(Fault::from)?;
    if inputs == 0 {
        return Err(value("inputs: 0; a sample has at least one number"));
    }
    let options = Options { threads: Some(1), memory: None, progress: None };
    let parameters = model.network(&model.shape_of(inputs, outputs)).map_err(Fault::from)?.sizes().parameters;
    check_memory(parameters)?;
    compute(py, &options, |stop, _| {
        let shape = model.shape_of(inputs, outputs);
        let network = model.network(&shape)?;
        let (mut theta, mut normals) = (vec![0.0; parameters], Normals::new(model.seed));
        network.initialize(&mut theta, &mut || if stop.requested() { 0.0 } else { normals.draw() });
        if stop.requested() {
            return Ok(Ended::Stopped);
        }
        if model.dtype == Dtype::F32 {
            theta.iter_mut().for_each(|v| *v = f64::from(*v as f32));
        }
        Ok(Ended::Done(of_model(model.clone(), inputs, outputs, theta)?))
    })
}

/// What a network of settings was pickled as.
#[pyfunction]
pub(crate) fn _of_settings(text: &str, inputs: usize, outputs: usize, theta: &Bound<'_, PyAny>) -> PyResult<Network> {
    let table = text.parse::<Table>().map_err(|error| value(error.to_string()))?;
    let model = Settings::from_table(table).map_err(Fault::from)?.model;
    Ok(of_model(model, inputs, outputs, Numbers::new("theta", theta)?.to_f64()?)?)
}

/// A network of settings at these parameters.
fn of_model(model: Model, inputs: usize, outputs: usize, theta: Vec<f64>) -> Fallible<Network> {
    let (shape, dtype) = (model.shape_of(inputs, outputs), model.dtype);
    let network = model.network(&shape)?;
    let ntkscope::experiment::AnyNetwork::Plain(ntkscope::experiment::Family::Fcn(fcn)) = network else {
        return Network::new(Body::Model(Box::new(model), shape), theta, dtype);
    };
    debug_assert!(model.network == NetworkKind::Fcn && model.init != Init::Mirrored);
    let layers: Vec<_> = (0..network.sizes().layers).map(|l| fcn.described(l)).collect();
    let settings = Some(Box::new(model.clone()));
    let names = |l| {
        let name = network.layer(l).name;
        [name.of_weights().to_string(), name.of_bias().to_string()]
    };
    let names: Vec<_> = (0..layers.len()).map(names).collect();
    let chain = Chain::new(inputs, layers, vec![[1.0; 2]; names.len()], names)?;
    Network::chain(Chain { settings, ..chain }, theta, dtype)
}
