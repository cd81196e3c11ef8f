//! The training problem, in the run's scalar.

use ntkscope_core::forward::Params;
use ntkscope_core::init::initialize;
use ntkscope_core::network::Network;
use ntkscope_core::train::Problem;
use ntkscope_core::{Backend, MatRef, Real};

use super::outputs::outputs_of;
use super::{Error, targets};
use crate::backend::HostReal;
use crate::data::Samples;
use crate::experiment::{AnyNetwork, Init, Model, Training};
use crate::kernel::convert;

/// What the training problem is made of, in the run's scalar.
pub(super) struct Arrays<T> {
    /// `(n, d)`
    x: Vec<T>,
    /// `(n, C)`
    pub(super) targets: Vec<T>,
    /// f(x; theta_0) `(n, C)` of a shifted network
    f_0: Option<Vec<T>>,
}

impl<T: HostReal> Arrays<T> {
    pub(super) fn new(
        backend: &dyn Backend<T>,
        network: &AnyNetwork<'_>,
        model: &Model,
        training: &Training,
        samples: &Samples,
    ) -> Result<Self, Error> {
        let outputs = network.sizes().outputs;
        let mut x = Vec::new();
        convert(&samples.x, samples.d, &mut x)?;
        let targets = targets(samples, training.core_loss(), training.smoothing, outputs)?;
        let f_0 = match model.init {
            Init::Shifted => {
                let x = MatRef::new(&x, samples.n, samples.d)?;
                Some(initial_outputs(backend, network, x, model.seed)?)
            }
            Init::Mirrored | Init::Standard => None,
        };
        Ok(Self { x, targets, f_0 })
    }

    pub(super) fn problem<'a, N: Network>(
        &'a self,
        network: &'a N,
        training: &Training,
        samples: &Samples,
    ) -> Result<Problem<'a, N, T>, Error> {
        let (n, outputs) = (samples.n, network.sizes().outputs);
        let (x, targets) = (MatRef::new(&self.x, n, samples.d)?, MatRef::new(&self.targets, n, outputs)?);
        let problem = Problem::new(network, x, targets, training.core_loss(), training.penalty)?;
        let problem = if training.loss_sum { problem.summed() } else { problem };
        match &self.f_0 {
            Some(f_0) => Ok(problem.with_offset(MatRef::new(f_0, n, outputs)?)?),
            None => Ok(problem),
        }
    }
}

/// f(x; theta_0) `(n, C)` at the parameters that training begins with.
fn initial_outputs<N: Network, T: Real>(
    backend: &dyn Backend<T>,
    network: &N,
    x: MatRef<'_, T>,
    seed: u64,
) -> Result<Vec<T>, Error> {
    let sizes = network.sizes();
    let mut theta_0 = vec![T::ZERO; sizes.parameters];
    initialize(network, seed, &mut theta_0)?;
    Ok(outputs_of(backend, Params::new(network, &theta_0)?, x, &mut Vec::new())?)
}
