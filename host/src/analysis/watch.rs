//! A network that somebody else trains: one snapshot for every set of parameters that is handed in, each compared with the first.

use ntkscope_core::forward::Params;
use ntkscope_core::kernel::{MultiOutput, structured, structured_scratch, tangent, tangent_len};
use ntkscope_core::loss::Loss;
use ntkscope_core::network::Network;
use ntkscope_core::record::Snapshot;
use ntkscope_core::{Error, MatMut, MatRef};

use super::drift::{self, Judged, State};
use crate::backend::{HostReal, Until};
use crate::kernel::rows_per_sample;
use crate::machine::Ended;

/// What the outputs are trained to.
#[derive(Clone, Debug, PartialEq)]
pub struct Goal<T> {
    /// `(n, C)`, as [`Loss::target`] writes them
    pub targets: Vec<T>,
    /// the loss, whose mean over the samples is trained
    pub loss: Loss,
    /// whether they are of classes, which have margins
    pub classes: bool,
    /// learning rate of the descent, where its stability is to be told
    pub rate: Option<f64>,
}

impl<T: HostReal> Goal<T> {
    /// Accuracy and margins are of classes: beside numbers they are not known.
    pub fn leave_defined(&self, row: &mut Snapshot<T>) {
        if !self.classes {
            let nan = T::from_f64(f64::NAN);
            (row.accuracy, row.margin_min, row.margin_mean) = (nan, nan, nan);
        }
    }
}

/// Parameters, kernel and outputs of a snapshot.
#[derive(Clone, Debug)]
struct Seen<T> {
    theta: Vec<T>,
    kernel: Vec<T>,
    outputs: Vec<T>,
}

impl<T: HostReal> Seen<T> {
    /// With kernels of so many rows, on n samples.
    fn state(&self, rows: usize, n: usize) -> Result<State<'_, T>, Error> {
        Ok(State {
            theta: &self.theta,
            kernel: MatRef::new(&self.kernel, rows, rows)?,
            outputs: MatRef::new(&self.outputs, n, self.outputs.len() / n)?,
        })
    }
}

/// A network that is trained elsewhere, seen on samples of its own. Every kernel is that of a point.
#[derive(Clone, Debug)]
pub struct Watch<T> {
    x: Vec<T>,
    n: usize,
    outputs: MultiOutput,
    goal: Option<Goal<T>>,
    first: Option<Seen<T>>,
    kernel: Vec<T>,
    spectrum: Vec<T>,
    highest: T,
}

/// Which moment of training the parameters are of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    /// steps so far
    pub step: u64,
    /// time so far
    pub time: f64,
}

impl<T: HostReal> Watch<T> {
    /// On n samples `x` `(n, d)`.
    ///
    /// # Errors
    /// [`Error::Shape`]: targets of another number of samples; [`Error::OutOfRange`] for those of another loss.
    pub fn new(x: Vec<T>, n: usize, outputs: MultiOutput, goal: Option<Goal<T>>) -> Result<Self, Error> {
        if let Some(Goal { targets, loss, .. }) = &goal {
            loss.check(MatRef::new(targets, n, targets.len() / n.max(1))?)?;
        }
        let (kernel, spectrum) = (Vec::new(), Vec::new());
        Ok(Self { x, n, outputs, goal, first: None, kernel, spectrum, highest: T::ZERO })
    }

    /// K of the last snapshot `(rows, rows)`, row-major; empty before the first.
    pub fn kernel(&self) -> &[T] {
        &self.kernel
    }

    /// Its eigenvalues, ascending; empty where they are not known.
    pub fn spectrum(&self) -> &[T] {
        &self.spectrum
    }

    /// The snapshot of these parameters: what [`drift::between`] says of them and those of the first call, and the stability of a descent.
    /// Where the kernel or a parameter is not finite, `finite` is false and nothing is known. Where `until` is asked to end, it
    /// leaves no trace.
    ///
    /// # Errors
    /// Another network than the first time; those of the passes and the kernel.
    pub fn observe<N: Network>(
        &mut self,
        network: &N,
        theta: &[T],
        at: Moment,
        until: &Until,
    ) -> Result<Ended<Snapshot<T>>, Error> {
        let (backend, sizes, n) = (T::until(until), network.sizes(), self.n);
        if let Some(first) = &self.first {
            Error::shape("parameters of the network that is watched", first.theta.len(), theta.len())?;
        }
        let rows = n * rows_per_sample(self.outputs, sizes.outputs);
        let mut space = vec![T::ZERO; tangent_len(sizes, n)];
        let x = MatRef::new(&self.x, n, self.x.len() / n)?;
        let pairs = tangent(backend, Params::new(network, theta)?, x, &mut space)?;
        let mut kernel = vec![T::ZERO; rows * rows];
        let mut scratch = vec![T::ZERO; structured_scratch(backend.tile(), rows, rows)];
        structured(backend, &pairs, None, self.outputs, MatMut::new(&mut kernel, rows, rows)?, &mut scratch)?;
        let outputs = pairs.activations.outputs();
        let outputs = (0..n).flat_map(|i| outputs.row(i).iter().copied()).collect();
        let now = Seen { theta: theta.to_vec(), kernel, outputs };
        let first = self.first.as_ref().unwrap_or(&now);
        let judged = match &self.goal {
            Some(Goal { targets, loss, .. }) => {
                Some(Judged { loss: *loss, targets: MatRef::new(targets, n, sizes.outputs)? })
            }
            None => None,
        };
        let seen = drift::between(backend, &first.state(rows, n)?, &now.state(rows, n)?, judged);
        if until.asked() {
            return Ok(Ended::Stopped);
        }
        let seen = match seen {
            // a kink makes 0 of what is no number, and the kernel may be finite still
            Ok(seen) if seen.0.param_norm.is_finite() => seen,
            Ok(_) | Err(Error::NonFinite { .. } | Error::NoConvergence { .. }) => (Snapshot::unknown(), Vec::new()),
            Err(error) => return Err(error),
        };
        let mut snapshot = seen.0;
        self.spectrum = seen.1;
        (snapshot.step, snapshot.time) = (at.step, T::from_f64(at.time));
        snapshot.log_time = T::from_f64(at.time.ln_1p());
        if snapshot.finite {
            self.highest = self.highest.max(snapshot.drift_max);
        }
        snapshot.drift_highest = self.highest;
        self.goal.iter().for_each(|goal| goal.leave_defined(&mut snapshot));
        snapshot.stability = self.stability(&snapshot, sizes.outputs, rows);
        self.kernel.clone_from(&now.kernel);
        self.first.get_or_insert(now);
        Ok(Ended::Done(snapshot))
    }

    /// rate lambda_max/(2 n): of squared error, whose Hessian is the identity, and where K is that of one output or of all.
    fn stability(&self, snapshot: &Snapshot<T>, outputs: usize, rows: usize) -> T {
        let goal =
            self.goal.as_ref().filter(|goal| goal.loss.properties(outputs).quadratic && rows == self.n * outputs);
        let factor = goal.and_then(|goal| goal.rate).map_or(f64::NAN, |rate| rate / (2.0 * self.n as f64));
        T::from_f64(factor) * snapshot.lambda_max
    }
}

#[cfg(test)]
mod tests {
    use ntkscope_core::init::initialize;
    use ntkscope_core::network::Fcn;

    use super::*;

    #[test]
    fn every_snapshot_is_beside_the_first() {
        let network = Fcn::new(2, &[8], 1).unwrap();
        let (x, targets) = (vec![1.0f64, 0.0, 0.0, 1.0, -1.0, 0.5], vec![1.0, -1.0, 1.0]);
        let goal = Goal { targets, loss: Loss::SquaredError, classes: true, rate: Some(0.3) };
        let mut watch = Watch::new(x, 3, MultiOutput::Trace, Some(goal)).unwrap();
        let mut theta = vec![0.0; network.sizes().parameters];
        initialize(&network, 5, &mut theta).unwrap();
        let first = watch
            .observe(&network, &theta, Moment { step: 0, time: 0.0 }, &Until::new(|| false))
            .unwrap()
            .done()
            .unwrap();
        assert_eq!((first.drift_max, first.param_distance, first.alignment), (0.0, 0.0, 1.0));
        assert!((first.stability - 0.05 * first.lambda_max).abs() < 1e-15 && first.error_max.is_nan());
        let before = watch.kernel().to_vec();
        theta.iter_mut().for_each(|number| *number *= 2.0);
        let second = watch
            .observe(&network, &theta, Moment { step: 7, time: 2.0 }, &Until::new(|| false))
            .unwrap()
            .done()
            .unwrap();
        // without biases the kernel of twice the parameters is four times the kernel
        assert!((second.drift_fro - 3.0).abs() < 1e-14 && second.finite && second.step == 7);
        assert!((second.log_time - 3f64.ln()).abs() < 1e-15);
        assert!(watch.kernel().iter().zip(&before).all(|(now, before)| (now - 4.0 * before).abs() < 1e-12));
        // what is asked to end leaves no trace
        let kept = watch.clone();
        let ended =
            watch.observe(&network, &[3.0; 32][..theta.len()], Moment { step: 8, time: 2.5 }, &Until::new(|| true));
        assert!(matches!(ended, Ok(Ended::Stopped)));
        assert_eq!((watch.kernel(), watch.highest), (kept.kernel(), kept.highest));
        theta[0] = f64::NAN;
        let lost = watch
            .observe(&network, &theta, Moment { step: 8, time: 3.0 }, &Until::new(|| false))
            .unwrap()
            .done()
            .unwrap();
        assert!(!lost.finite && lost.drift_max.is_nan() && lost.drift_highest == second.drift_max);
        assert!(watch.observe(&network, &theta[1..], Moment { step: 9, time: 4.0 }, &Until::new(|| false)).is_err());
    }

    #[test]
    fn targets_are_checked() {
        let goal = |targets: Vec<f64>, loss| Some(Goal { targets, loss, classes: true, rate: None });
        let watch = |goal| Watch::new(vec![1.0f64, 2.0], 2, MultiOutput::Trace, goal);
        assert!(watch(goal(vec![2.0, 0.0], Loss::CrossEntropy)).is_err(), "no probability");
        assert!(watch(goal(vec![1.0, 0.0], Loss::CrossEntropy)).is_ok());
    }
}
