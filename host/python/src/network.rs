//! `Network`: a description with parameters, immutable.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::OnceLock;

use ntkscope::checkpoint::{are_plain, parameters_at_one_rate};
use ntkscope::experiment::{AnyNetwork, Family, Model, Shape};
use ntkscope::files::Dtype;
use ntkscope::machine::memory::{bytes_of, process_bytes};
use ntkscope::machine::{Ended, Stop};
use ntkscope::run::{Tensor, outputs_of, tensors, write_layers, write_parameters};
use ntkscope_core::Real;
use ntkscope_core::forward::Params;
use ntkscope_core::network::{Dense, Fcn, Network as Described};
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict, PyTuple};

use crate::arrays::{AsRows, Lend, Numbers, Scalar, array, dtype_name, dtype_of};
use crate::call::{Options, compute};
use crate::chain::{Chain, LayerView};
use crate::error::{Fallible, Fault, value, wrong_type};
use crate::kernel::check_inputs;
use crate::stored::stored;

/// What a network is made of.
#[derive(Clone)]
pub(crate) enum Body {
    /// dense layers, one after another
    Chain(Chain),
    /// what settings describe: residual, or two copies subtracted
    Model(Box<Model>, Shape),
}

/// A network with parameters: dense layers ``z = c W a + s b``, the function after each, and what each learns at.
///
/// Made by ``from_torch``, ``from_state_dict``, ``from_flax``, ``load``, ``fcn`` or ``resnet``. It never changes, pickles, and keeps
/// no reference to what it was made of.
///
/// >>> import numpy as np, ntkscope as ns
/// >>> net = ns.fcn(3, [8, 4], outputs=2, seed=1)
/// >>> net
/// Network(inputs=3, widths=[8, 4], outputs=2, parameters=72, float64)
/// >>> net(np.ones((5, 3))).shape
/// (5, 2)
#[pyclass(frozen, module = "ntkscope")]
pub(crate) struct Network {
    body: Body,
    theta: Vec<f64>,
    /// theta in single precision, since it was first asked for
    single: OnceLock<Vec<f32>>,
    dtype: Dtype,
}

impl Network {
    pub(crate) fn new(body: Body, theta: Vec<f64>, dtype: Dtype) -> Fallible<Self> {
        let made = Self { body, theta, single: OnceLock::new(), dtype };
        Params::new(&made.network()?, &made.theta)?;
        Ok(made)
    }
    /// As stored, under the names of its arrays.
    pub(crate) fn chain(chain: Chain, theta: Vec<f64>, dtype: Dtype) -> Fallible<Self> {
        Self::new(Body::Chain(chain), theta, dtype)
    }

    /// The network whose kernel with all rates 1 is this one's.
    pub(crate) fn network(&self) -> Result<AnyNetwork<'_>, ntkscope_core::Error> {
        match &self.body {
            Body::Chain(chain) => Ok(AnyNetwork::Plain(Family::Fcn(Fcn::of_layers(chain.inputs, &chain.plain)?))),
            Body::Model(model, shape) => model.network(shape),
        }
    }
    /// The same as it is stored.
    fn stored(&self) -> Result<AnyNetwork<'_>, ntkscope_core::Error> {
        match &self.body {
            Body::Chain(chain) => Ok(AnyNetwork::Plain(Family::Fcn(Fcn::of_layers(chain.inputs, &chain.layers)?))),
            Body::Model(model, shape) => model.network(shape),
        }
    }
    /// The parameters of [`Self::network`] in another scalar.
    pub(crate) fn parameters<T: Real>(&self) -> Result<Cow<'_, [T]>, ntkscope_core::Error>
    where
        f64: Lend<T>,
    {
        let lent = || Ok(Cow::Borrowed(f64::lend(&self.theta, &self.single)));
        let Body::Chain(chain) = &self.body else { return lent() };
        if are_plain(&chain.rates) {
            return lent();
        }
        let mut theta = self.theta.clone();
        parameters_at_one_rate(&self.network()?, &chain.rates, &mut theta);
        Ok(Cow::Owned(theta.into_iter().map(T::from_f64).collect()))
    }
    pub(crate) fn dtype_kind(&self) -> Dtype {
        self.dtype
    }
    pub(crate) fn sizes(&self) -> Result<ntkscope_core::network::Sizes, ntkscope_core::Error> {
        Ok(self.network()?.sizes())
    }

    /// The scalar of a computation with these samples: that of both, or the one that is asked for.
    ///
    /// # Errors
    /// TypeError where they differ, and nothing is asked for.
    pub(crate) fn scalar(&self, wanted: Option<&Bound<'_, PyAny>>, name: &str, x: &Numbers<'_>) -> PyResult<Dtype> {
        if let Some(wanted) = wanted.filter(|wanted| !wanted.is_none()) {
            return dtype_of(wanted);
        }
        if x.dtype() == self.dtype {
            return Ok(self.dtype);
        }
        let (theirs, own) = (dtype_name(x.dtype()), dtype_name(self.dtype));
        Err(wrong_type(format!(
            "{name}: {theirs}, but the network is {own}; use {name}.astype(numpy.{own}), or give dtype="
        )))
    }

    fn call_as<'py, T: Scalar>(&self, py: Python<'py>, x: &Numbers<'_>) -> PyResult<Bound<'py, PyAny>>
    where
        f64: Lend<T>,
        for<'a> Numbers<'a>: AsRows<T>,
    {
        check_inputs(self, "x", Some(x))?;
        let (rows, n, sizes) = (x.rows()?, x.shape()[0], self.sizes().map_err(Fault::from)?);
        let options = Options { threads: None, memory: None, progress: None };
        let numbers = n as u128 * sizes.outputs as u128 + n.min(PART) as u128 * sizes.activations as u128;
        // the parameters, where they are converted
        let held = bytes_of(numbers, size_of::<T>()).saturating_add(bytes_of(sizes.parameters as u128, 12));
        let need = process_bytes(options.thread_count()).saturating_add(held);
        options.budget()?.check(&format!("outputs of {n} samples"), need).map_err(Fault::from)?;
        let pass = |stop: &Stop| -> Fallible<Ended<Vec<T>>> {
            let (x, network, theta) = (rows.view()?, self.network()?, self.parameters::<T>()?);
            let params = Params::new(&network, &theta)?;
            let (mut all, mut activations) = (Vec::with_capacity(n * sizes.outputs), Vec::new());
            let until = stop.until();
            for first in (0..n).step_by(PART) {
                let x = x.block(first..n.min(first + PART), 0..x.cols());
                all.extend(outputs_of(T::until(&until), params, x, &mut activations)?);
                if stop.requested() {
                    return Ok(Ended::Stopped);
                }
            }
            Ok(Ended::Done(all))
        };
        // a pool of threads takes longer than a short pass
        let outputs = if n.saturating_mul(sizes.parameters) < SHORT {
            match py.detach(|| pass(&Stop::new()))? {
                Ended::Done(outputs) => outputs,
                Ended::Stopped => unreachable!("nobody asks it to end"),
            }
        } else {
            compute(py, &options, |stop, _| pass(stop))?
        };
        array(py, &[n, sizes.outputs], outputs)
    }
    fn tensors(&self) -> Result<Vec<Tensor>, ntkscope_core::Error> {
        let mut tensors = tensors(&self.stored()?, &self.theta);
        if let Body::Chain(chain) = &self.body {
            let names = chain.layers.iter().zip(&chain.names);
            let names = names.flat_map(|(layer, [w, b])| [Some(w), layer.bias_scale.map(|_| b)]).flatten();
            tensors.iter_mut().zip(names).for_each(|(tensor, name)| tensor.name.clone_from(name));
        }
        Ok(tensors)
    }
    fn need_chain(&self, what: &str) -> PyResult<&Chain> {
        match &self.body {
            Body::Chain(chain) => Ok(chain),
            Body::Model(..) => Err(value(format!(
                "{what}: a residual or mirrored network has none; of fcn(…, init=\"standard\") only"
            ))),
        }
    }
}

/// Samples of a forward pass at a time.
const PART: usize = 512;
/// Multiply-adds of a pass up to which it is made by the thread that asks.
const SHORT: usize = 10_000_000;

#[pymethods]
impl Network {
    /// d, numbers per sample.
    #[getter]
    fn inputs(&self) -> Fallible<usize> {
        Ok(self.sizes()?.inputs)
    }
    /// Numbers in every hidden layer.
    #[getter]
    fn widths(&self) -> Fallible<Vec<usize>> {
        Ok(match &self.body {
            Body::Chain(chain) => chain.layers[..chain.layers.len() - 1].iter().map(|layer| layer.width).collect(),
            Body::Model(_, shape) => shape.widths.clone(),
        })
    }
    /// C, numbers per output.
    #[getter]
    fn outputs(&self) -> Fallible<usize> {
        Ok(self.sizes()?.outputs)
    }
    /// P, trained or not.
    #[getter(parameters)]
    fn parameter_count(&self) -> usize {
        self.theta.len()
    }
    /// ``numpy.dtype`` of the parameters.
    #[getter]
    fn dtype<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import("numpy")?.getattr("dtype")?.call1((dtype_name(self.dtype),))
    }
    /// The layers, from the first to the output.
    #[getter]
    fn layers(&self) -> Fallible<Vec<LayerView>> {
        let network = self.stored()?;
        let view = |index: usize| {
            let layer = network.layer(index);
            let own = match &self.body {
                Body::Chain(chain) => {
                    let activation = chain.layers[index].activation.to_string();
                    let activation = Some(activation).filter(|_| index + 1 < chain.layers.len());
                    (chain.names[index][0].clone(), chain.rates[index], activation)
                }
                Body::Model(..) => {
                    let trained = |is: bool| f64::from(u8::from(is));
                    let rates = [trained(layer.weights_trained), trained(layer.has_trained_bias())];
                    (layer.name.of_weights().to_string(), rates, None)
                }
            };
            let (name, [rate_w, rate_b], activation) = own;
            let Dense { inputs, outputs, weight_scale: c, bias_scale: s, bias, .. } = layer;
            LayerView { name, inputs, outputs, c, s, rate_w, rate_b, bias: bias.is_some(), activation }
        };
        Ok((0..network.sizes().layers).map(view).collect())
    }

    /// Outputs ``(n, C)`` of the samples ``x`` ``(n, d)``, float32 or float64 as the network.
    ///
    /// >>> import numpy as np, ntkscope as ns
    /// >>> net = ns.from_state_dict({"0.weight": np.array([[1.0, -1.0]])})
    /// >>> net(np.array([[3.0, 1.0]]))
    /// array([[2.]])
    fn __call__<'py>(&self, py: Python<'py>, x: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let x = Numbers::samples("x", x)?;
        match self.scalar(None, "x", &x)? {
            Dtype::F32 => self.call_as::<f32>(py, &x),
            Dtype::F64 => self.call_as::<f64>(py, &x),
        }
    }

    /// The parameters as arrays under their names, weights as ``(outputs, inputs)``; copies. Of ``z = c W a + s b`` they are W and b alone:
    /// what makes the network of them again, c, s, rates and activations, ``save`` keeps beside them.
    fn state_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let state = PyDict::new(py);
        for Tensor { name, shape, data } in self.tensors().map_err(Fault::from)? {
            let array = match self.dtype {
                Dtype::F32 => array(py, &shape, data.into_iter().map(|v| v as f32).collect())?,
                Dtype::F64 => array(py, &shape, data)?,
            };
            state.set_item(name, array)?;
        }
        Ok(state)
    }

    /// Writes the network to ``path``, an npz file: the parameters under their names, and what else it takes to make it again,
    /// which ``load`` does. The command line reads it too, ``ntkscope kernel empirical --params``.
    ///
    /// >>> import numpy as np, ntkscope as ns, tempfile, os
    /// >>> net, path = ns.fcn(3, [8], activation="gelu"), os.path.join(tempfile.mkdtemp(), "net.npz")
    /// >>> net.save(path)
    /// >>> np.array_equal(ns.ntk(ns.load(path), np.eye(3)), ns.ntk(net, np.eye(3)))
    /// True
    fn save(&self, path: PathBuf) -> Fallible<()> {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        if ["pt", "pth", "safetensors"].contains(&&*ending) {
            let text =
                format!("{}: `load` takes that for a file of .{ending}; give a name that ends in .npz", path.display());
            return Err(crate::error::value(text).into());
        }
        let tensors = self.tensors()?;
        match &self.body {
            Body::Model(model, _) | Body::Chain(Chain { settings: Some(model), .. }) => {
                Ok(write_parameters(&path, &tensors, model)?)
            }
            Body::Chain(chain) => Ok(write_layers(&path, &tensors, self.dtype, &chain.described())?),
        }
    }

    /// The same function in NTK parametrization: ``c = sqrt(sigma_w2/fan_in)`` after the first layer, where it is 1, and
    /// ``s = sigma_b``, with the weights divided by as much. All rates are 1. Outputs agree to rounding; the kernel is another.
    ///
    /// >>> import numpy as np, ntkscope as ns
    /// >>> net = ns.fcn(3, [8], parametrization="standard")
    /// >>> round(net.as_ntk().layers[1].c, 3)
    /// 0.5
    #[pyo3(signature = (sigma_w2=2.0, sigma_b=1.0))]
    fn as_ntk(&self, sigma_w2: f64, sigma_b: f64) -> PyResult<Self> {
        let chain = self.need_chain("as_ntk")?;
        let (chain, theta) = chain.in_ntk_parametrization(self.theta.clone(), sigma_w2, sigma_b)?;
        Ok(Self::chain(chain, self.rounded(theta), self.dtype)?)
    }

    /// The same network whose layers learn at these rates beside a common one: ``weights`` and ``biases``, a number for each
    /// layer or one for all; 0 for what is frozen. Their share in the kernel is multiplied by it.
    ///
    /// >>> import ntkscope as ns
    /// >>> ns.fcn(3, [8]).with_rates([1.0, 0.0], 1.0).layers[1].rate_w
    /// 0.0
    fn with_rates(&self, weights: &Bound<'_, PyAny>, biases: &Bound<'_, PyAny>) -> PyResult<Self> {
        let chain = self.need_chain("with_rates")?.with_rates(weights, biases)?;
        Ok(Self::chain(chain, self.theta.clone(), self.dtype)?)
    }

    fn __repr__(&self) -> Fallible<String> {
        let sizes = self.sizes()?;
        Ok(format!(
            "Network(inputs={}, widths={:?}, outputs={}, parameters={}, {})",
            sizes.inputs,
            self.widths()?,
            sizes.outputs,
            sizes.parameters,
            dtype_name(self.dtype)
        ))
    }
    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }
    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let theta = array(py, &[self.theta.len()], self.theta.clone())?;
        let module = py.import("ntkscope._native")?;
        match &self.body {
            Body::Chain(chain) => {
                let stored = stored(chain, theta, dtype_name(self.dtype).to_owned());
                (module.getattr("_of_stored")?, stored).into_pyobject(py)
            }
            Body::Model(model, shape) => {
                let text = toml::to_string(&model).map_err(|error| value(error.to_string()))?;
                let stored = (text, shape.inputs, shape.outputs, theta);
                (module.getattr("_of_settings")?, stored).into_pyobject(py)
            }
        }
    }
}

impl Network {
    /// Numbers that the network's scalar holds.
    fn rounded(&self, numbers: Vec<f64>) -> Vec<f64> {
        match self.dtype {
            Dtype::F64 => numbers,
            Dtype::F32 => numbers.into_iter().map(|v| f64::from(v as f32)).collect(),
        }
    }
}
