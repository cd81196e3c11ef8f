//! How near a descent is to its edge of stability: the reading against where descent does diverge, and closed forms; on
//! the mean of the losses and on their sum.

use ntkscope_core::loss::Loss;
use ntkscope_core::network::{Dense, Mirrored, Network, Pairs, Sizes};
use ntkscope_core::record::Recorder;
use ntkscope_core::train::{Optimizer, Problem};
use ntkscope_core::{Backend, MatMut, MatRef, Real};
use ntkscope_tests::cases::{SIX_LABELS, Samples, named, six_points};
use ntkscope_tests::measure::{eigenvalues, ntk, recorder_space, targets, theta, train};
use ntkscope_tests::tolerance::Check;

/// f = W x, whose kernel x.x' never moves.
#[derive(Clone, Copy)]
struct Linear(Dense);

impl Linear {
    fn new(inputs: usize) -> Self {
        Self(Dense::new(inputs, 1))
    }
}

impl Network for Linear {
    fn sizes(&self) -> Sizes {
        Sizes::new(self.0.inputs, 1).with_layer(self.0.inputs, 1, false, 1).expect("a few numbers")
    }
    fn layer(&self, _: usize) -> Dense {
        self.0
    }
    fn forward<T: Real, B: Backend<T> + ?Sized>(&self, backend: &B, theta: &[T], x: MatRef<'_, T>, f: &mut [T]) {
        self.0.apply(backend, theta, x, T::ZERO, MatMut::new(f, x.rows(), 1).expect("length"));
    }
    fn backward<T: Real, B: Backend<T> + ?Sized>(&self, _: &B, _: &[T], _: &[T], v: MatRef<'_, T>, deltas: &mut [T]) {
        deltas.copy_from_slice(v.data());
    }
    fn input_variances(&self) -> (f64, f64) {
        (1.0, 0.0)
    }
    fn analytic<T: Real, B: Backend<T> + ?Sized>(&self, _: &B, pairs: &mut Pairs<'_, T>, ntk: &mut [T]) {
        pairs.covariance(ntk);
    }
}

/// The mean, or the sum.
fn as_told<N: Network>(problem: Problem<'_, N, f64>, summed: bool) -> Problem<'_, N, f64> {
    if summed { problem.summed() } else { problem }
}

/// The reading at the start of a descent at this rate.
fn reading<N: Network>(problem: Problem<'_, N, f64>, rate: f64) -> f64 {
    train(problem, Optimizer::Descent { rate }, 3, |trainer| {
        let mut buffer = recorder_space(trainer, None);
        Recorder::new(trainer, None, &mut buffer).expect("length").observe(trainer).expect("a snapshot").stability
    })
}

#[test]
fn squared_error_of_one_linear_layer_diverges_from_a_reading_of_1_on() {
    let (x, y): (Samples<f64>, Samples<f64>) = (Samples::gaussian(3, 5, 21), Samples::gaussian(3, 1, 22));
    let network = Linear::new(5);
    for summed in [false, true] {
        let problem = Problem::new(&network, x.view(), y.view(), Loss::SquaredError, 0.0).expect("a valid problem");
        let problem = as_told(problem, summed);
        // the reading is proportional to the rate
        let edge = 1.0 / reading(problem, 1.0);
        let after = |rate: f64| {
            train(problem, Optimizer::Descent { rate }, 3, |trainer| {
                let start = trainer.objective().loss;
                (0..1000).for_each(|_| trainer.advance(None).expect("finite"));
                trainer.objective().loss / start
            })
        };
        let (below, above) = (after(0.99 * edge), after(1.01 * edge));
        assert!(below < 1e-3 && above > 1e3, "summed: {summed}, edge {edge}: {below:e} below, {above:e} above");
    }
}

#[test]
fn the_reading_of_logistic_outputs_of_0_is_the_bound() {
    let x = six_points::<f64>();
    let labels = targets::<f64>(Loss::CrossEntropy, &SIX_LABELS, 1, 0.0);
    let network = Mirrored(named("hidden", 2, &[24, 24]));
    let start: Vec<f64> = theta(&network, 3);
    let kernel = ntk(&ntkscope_core::Portable, (&network, &start), &x, None, ntkscope_core::kernel::MultiOutput::Trace);
    let lambda_max = eigenvalues(&kernel, x.n)[x.n - 1];
    let mut check = Check::named("reading of stability");
    for (summed, n) in [(false, 6.0), (true, 1.0)] {
        let problem =
            Problem::new(&network, x.view(), labels.view(), Loss::CrossEntropy, 0.0).expect("a valid problem");
        let bound = 0.1 * lambda_max / (8.0 * n);
        check.relative(&"logistic", n, bound, reading(as_told(problem, summed), 0.1));
    }
    check.finish();
}

/// On the sum the path is that of the mean, n times as fast: rates and penalties go with the number of samples.
#[test]
fn descent_on_the_sum_is_descent_on_the_mean_at_n_times_the_rate() {
    let x = six_points::<f64>();
    let network = Mirrored(named("hidden", 2, &[13, 9]));
    let mut check = Check::named("sum in place of the mean");
    for (loss, penalty) in [(Loss::SquaredError, 0.0), (Loss::CrossEntropy, 0.0), (Loss::CrossEntropy, 0.05)] {
        let labels = targets::<f64>(loss, &SIX_LABELS, 1, 0.0);
        let walk = |summed: bool| {
            let n = if summed { 6.0 } else { 1.0 };
            let problem = Problem::new(&network, x.view(), labels.view(), loss, n * penalty).expect("a valid problem");
            train(as_told(problem, summed), Optimizer::Descent { rate: 0.3 / n }, 5, |trainer| {
                (0..20).for_each(|_| trainer.advance(None).expect("finite"));
                (trainer.theta().to_vec(), trainer.objective().loss / n, n * trainer.time())
            })
        };
        let (mean, sum) = (walk(false), walk(true));
        let case = format!("{loss}, penalty {penalty}");
        check.all_scaled(&case, &mean.0, &sum.0);
        check.relative(&case, "loss", mean.1, sum.1);
        check.relative(&case, "time", mean.2, sum.2);
    }
    check.finish();
}

/// The same of the flow, of a smooth network and of one with kinks.
#[test]
fn the_flow_on_the_sum_is_the_flow_on_the_mean_n_times_as_fast() {
    let x = six_points::<f64>();
    let smooth = named("hidden", 2, &[13, 9]).with_activation(ntkscope_core::network::Activation::Erf);
    let mut check = Check::named("sum in place of the mean: flow");
    for (network, until) in [(smooth, 30.0), (named("hidden", 2, &[13, 9]), 3.0)] {
        for (loss, penalty) in [(Loss::SquaredError, 0.0), (Loss::CrossEntropy, 0.0), (Loss::CrossEntropy, 0.05)] {
            let labels = targets::<f64>(loss, &SIX_LABELS, 1, 0.0);
            let walk = |summed: bool| {
                let n = if summed { 6.0 } else { 1.0 };
                let problem = Problem::new(&network, x.view(), labels.view(), loss, n * penalty);
                let problem = as_told(problem.expect("a valid problem"), summed);
                train(problem, Optimizer::Flow { tolerance: 1e-3 }, 5, |trainer| {
                    while !trainer.reached(until / n) {
                        trainer.advance(Some(until / n)).expect("a step");
                    }
                    (trainer.theta().to_vec(), trainer.objective().loss / n)
                })
            };
            let (mean, sum) = (walk(false), walk(true));
            let case = format!("{loss}, penalty {penalty}, until {until}");
            check.all_scaled(&case, &mean.0, &sum.0);
            check.relative(&case, "loss", mean.1, sum.1);
        }
    }
    check.finish();
}
