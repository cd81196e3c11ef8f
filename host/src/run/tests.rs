//! Runs beside each other in one process.

use super::*;
use crate::data::{self, DataSpec, Source};
use crate::machine::Budget;

/// Requests its token at the first step.
struct StopAtOnce(Stop);

impl Observer for StopAtOnce {
    fn step(&mut self, _: f64, _: &dyn Fn() -> String) {
        self.0.request();
    }
}

#[test]
fn runs_are_stopped_apart() {
    let samples = data::load(&DataSpec::new(Source::Circle), &Budget::default()).unwrap();
    let model = Model { width: 16, ..Model::default() }.resolve(&samples).unwrap();
    let training =
        Training { max_steps: 5, ..Training::default() }.resolve(model.dtype, 1, samples.n).unwrap().remove(0);
    let (first, second) = (Stop::new(), Stop::new());
    let go = |observer: &mut (dyn Observer + Send), stop: &Stop| run(&model, &training, &samples, observer, stop);
    let stopped = go(&mut StopAtOnce(first.clone()), &first).unwrap();
    let finished = go(&mut (), &second).unwrap();
    assert_eq!((stopped.stopped, stopped.trace.rows.last().unwrap().step), (Stopped::Interrupted, 1));
    assert_eq!((finished.stopped, finished.trace.rows.last().unwrap().step), (Stopped::Steps, 5));
    assert!(first.requested() && !second.requested());
}
