//! Gradient flow: its path and its clock against other integrators and closed forms; what bounds it.

use ntkscope_core::Portable;
use ntkscope_core::kernel::{AnalyticKernel, MultiOutput};
use ntkscope_core::loss::Loss;
use ntkscope_core::network::{Activation, Mirrored, Network};
use ntkscope_core::train::{Optimizer, Problem, Trainer};
use ntkscope_tests::cases::{SIX_LABELS, Samples, named, six_points};
use ntkscope_tests::measure::{analytic_kernel, eigenvalues, ntk, objective, outputs, targets, theta, train};
use ntkscope_tests::tolerance::Check;

/// Hidden units: debug builds run core about fifty times slower.
const WIDTH: usize = if cfg!(debug_assertions) { 16 } else { 128 };

/// A problem on the six points and where it is watched.
pub(crate) struct Six {
    x: Samples<f64>,
    labels: Samples<f64>,
    loss: Loss,
    penalty: f64,
}

impl Six {
    pub(crate) fn new(loss: Loss, smoothing: f64, penalty: f64) -> Self {
        Self { x: six_points(), labels: targets(loss, &SIX_LABELS, 1, smoothing), loss, penalty }
    }
    pub(crate) fn problem<'a, N: Network>(&'a self, network: &'a N) -> Problem<'a, N, f64> {
        Problem::new(network, self.x.view(), self.labels.view(), self.loss, self.penalty).expect("a valid problem")
    }
    /// Outputs at every time of `times` (ascending) by core's flow, and evaluations in all.
    fn flow<N: Network>(&self, network: &N, tolerance: f64, seed: u64, times: &[f64]) -> (Vec<Vec<f64>>, u64) {
        train(self.problem(network), Optimizer::Flow { tolerance }, seed, |trainer| {
            let mut seen = Vec::new();
            for time in times {
                while !trainer.reached(*time) {
                    trainer.advance(Some(*time)).expect("a step");
                }
                seen.push(outputs(network, trainer.theta(), &self.x));
            }
            (seen, trainer.evaluations())
        })
    }
    /// The same by the classical fourth-order Runge-Kutta method in steps of about `step`.
    fn runge_kutta<N: Network>(&self, network: &N, step: f64, seed: u64, times: &[f64]) -> Vec<Vec<f64>> {
        let problem = self.problem(network);
        let theta_0 = theta::<N, f64>(network, seed);
        let (mut now, mut y, mut seen) = (0.0, theta_0.clone(), Vec::new());
        for time in times {
            let count = ((time - now) / step).ceil().max(1.0);
            let h = (time - now) / count;
            for _ in 0..count as u64 {
                let (mut sum, mut k) = (vec![0.0; y.len()], vec![0.0; y.len()]);
                for (share, weight) in [(0.0, 1.0), (0.5, 2.0), (0.5, 2.0), (1.0, 1.0)] {
                    let at: Vec<f64> = y.iter().zip(&k).map(|(y, k)| y - share * h * k).collect();
                    k = objective(network, &problem, &at, &theta_0, false).1;
                    sum.iter_mut().zip(&k).for_each(|(s, k)| *s += weight * k);
                }
                y.iter_mut().zip(&sum).for_each(|(y, s)| *y -= h / 6.0 * s);
            }
            now = *time;
            seen.push(outputs(network, &y, &self.x));
        }
        seen
    }
}

fn compare(check: &mut Check, case: &str, times: &[f64], expected: &[Vec<f64>], actual: &[Vec<f64>]) {
    for (time, (e, a)) in times.iter().zip(expected.iter().zip(actual)) {
        for i in 0..e.len() {
            check.absolute(&format!("{case}, t = {time}"), i, e[i], a[i]);
        }
    }
}

const TIMES: [f64; 3] = [0.5, 3.0, 10.0];

#[test]
fn path_and_clock_agree_with_runge_kutta() {
    let (mut coarse, mut fine) = (Check::named("flow, tolerance 1e-2"), Check::named("flow, tolerance 1e-3"));
    let widths = [WIDTH; 2];
    let (single, pair) = (named("bias1", 2, &widths), Mirrored(named("bias1", 2, &widths)));
    let problems = [
        Six::new(Loss::SquaredError, 0.0, 0.0),
        Six::new(Loss::CrossEntropy, 0.0, 0.0),
        Six::new(Loss::CrossEntropy, 0.1, 0.0),
        Six::new(Loss::CrossEntropy, 0.0, 0.02),
    ];
    // the last two only in release builds
    for six in &problems[..if cfg!(debug_assertions) { 2 } else { 4 }] {
        let case = format!("{:?}, targets {:?}, penalty {}", six.loss, six.labels.values, six.penalty);
        let (exact, exact_pair) = (six.runge_kutta(&single, 0.04, 1, &TIMES), six.runge_kutta(&pair, 0.04, 1, &TIMES));
        for (tolerance, check) in [(1e-2, &mut coarse), (1e-3, &mut fine)] {
            let (seen, evaluations) = six.flow(&single, tolerance, 1, &TIMES);
            compare(check, &case, &TIMES, &exact, &seen);
            let (seen, pair_evaluations) = six.flow(&pair, tolerance, 1, &TIMES);
            compare(check, &format!("mirrored, {case}"), &TIMES, &exact_pair, &seen);
            println!("{case}, tolerance {tolerance}: {evaluations} and {pair_evaluations} evaluations");
        }
    }
    coarse.finish();
    fine.finish();
}

#[test]
fn smooth_networks_follow_more_exactly() {
    // without kinks the method's order shows: erf
    let widths = [WIDTH; 2];
    let network = named("bias1", 2, &widths).with_activation(Activation::Erf);
    let six = Six::new(Loss::CrossEntropy, 0.0, 0.0);
    let exact = six.runge_kutta(&network, 0.04, 1, &TIMES);
    let (mut coarse, mut fine) =
        (Check::named("flow of erf, tolerance 1e-2"), Check::named("flow of erf, tolerance 1e-4"));
    for (tolerance, check) in [(1e-2, &mut coarse), (1e-4, &mut fine)] {
        let (seen, evaluations) = six.flow(&network, tolerance, 1, &TIMES);
        println!("tolerance {tolerance}: {evaluations} evaluations");
        compare(check, "erf", &TIMES, &exact, &seen);
    }
    coarse.finish();
    fine.finish();
}

#[test]
fn small_steps_of_descent_are_the_flow() {
    let widths = [WIDTH; 2];
    let (network, six) = (named("bias1", 2, &widths), Six::new(Loss::SquaredError, 0.0, 0.0));
    let exact = six.runge_kutta(&network, 0.04, 2, &[2.0]);
    let mut check = Check::named("descent at rate 0.01");
    train(six.problem(&network), Optimizer::Descent { rate: 0.01 }, 2, |trainer| {
        for _ in 0..200 {
            trainer.advance(None).expect("finite");
        }
        assert!(trainer.reached(2.0) && trainer.step() == 200 && trainer.evaluations() == 201);
        compare(&mut check, "descent", &[2.0], &exact, &[outputs(&network, trainer.theta(), &six.x)]);
    });
    check.finish();
}

/// u(t) with u + e^u - 1 = lambda t / 6.
fn logistic_flow(lambda: f64, time: f64) -> f64 {
    let mut u = 0.0f64;
    for _ in 0..100 {
        u -= (u + u.exp() - 1.0 - lambda * time / 6.0) / (1.0 + u.exp());
    }
    u
}

/// f(t) of df/dt = -(1/n) K (p - y) from 0, for a constant kernel.
fn kernel_logistic(kernel: &[f64], time: f64) -> Vec<f64> {
    let (n, steps) = (6, 2000);
    let h = time / f64::from(steps);
    let slope = |f: &[f64]| -> Vec<f64> {
        let r: Vec<f64> = (0..n).map(|i| 1.0 / (1.0 + (-f[i]).exp()) - SIX_LABELS[i] as f64).collect();
        (0..n).map(|i| -(0..n).map(|j| kernel[i * n + j] * r[j]).sum::<f64>() / n as f64).collect()
    };
    let mut f = vec![0.0; n];
    for _ in 0..steps {
        let shifted = |k: &[f64], share: f64| f.iter().zip(k).map(|(f, k)| f + share * h * k).collect::<Vec<_>>();
        let a = slope(&f);
        let b = slope(&shifted(&a, 0.5));
        let c = slope(&shifted(&b, 0.5));
        let d = slope(&shifted(&c, 1.0));
        (0..n).for_each(|i| f[i] += h / 6.0 * (a[i] + 2.0 * b[i] + 2.0 * c[i] + d[i]));
    }
    f
}

#[test]
fn wide_mirrored_networks_follow_kernel_logistic_regression() {
    let kernel = analytic_kernel(&Portable, &named("bias1", 2, &[1, 1]), AnalyticKernel::Ntk, &six_points(), None);
    let lambda = eigenvalues(&kernel, 6)[0];
    let mut closed = Check::named("kernel logistic flow");
    for (time, expected) in [(1.0, 0.0750334), (10.0, 0.6376003), (100.0, 2.6158955)] {
        closed.absolute(&"closed form", time, expected, logistic_flow(lambda, time));
        closed.absolute(&"integrated", time, expected, kernel_logistic(&kernel, time)[1]);
    }
    closed.finish();
    // The network follows its own K_0 up to the drift, and the limit up to the error of K_0.
    let width = if cfg!(debug_assertions) { 64 } else { 512 };
    let (widths, seeds) = ([width; 2], 3);
    let network = Mirrored(named("bias1", 2, &widths));
    let six = Six::new(Loss::CrossEntropy, 0.0, 0.0);
    let times = [1.0, 4.0, 10.0];
    let (mut own, mut limit) = if cfg!(debug_assertions) {
        (Check::named("narrow network against its first kernel"), Check::named("narrow networks against the limit"))
    } else {
        (Check::named("wide network against its first kernel"), Check::named("wide networks against the limit"))
    };
    let mut mean = [0.0; 3];
    for seed in 0..seeds {
        let k_0 = ntk(&Portable, (&network, &theta::<_, f64>(&network, seed)), &six.x, None, MultiOutput::Trace);
        let (seen, _) = six.flow(&network, 1e-2, seed, &times);
        for (k, time) in times.iter().enumerate() {
            for (i, expected) in kernel_logistic(&k_0, *time).iter().enumerate() {
                own.absolute(&format!("seed {seed}, t = {time}"), i, *expected, seen[k][i]);
                mean[k] += (2.0 * SIX_LABELS[i] as f64 - 1.0) * seen[k][i] / (6.0 * seeds as f64);
            }
        }
    }
    for (k, time) in times.iter().enumerate() {
        limit.relative(&"mean margin", time, logistic_flow(lambda, *time), mean[k]);
    }
    own.finish();
    limit.finish();
}

#[test]
fn a_smaller_tolerance_changes_little_even_late() {
    let widths = [WIDTH; 2];
    let network = Mirrored(named("bias1", 2, &widths));
    let six = Six::new(Loss::CrossEntropy, 0.0, 0.0);
    let times = [1e2, 1e4, 1e7];
    let (mut check, mut evaluations) = (Check::named("tolerance halved, late"), Vec::new());
    let (seen, count) = six.flow(&network, 1e-2, 3, &times);
    evaluations.push(count);
    let (finer, count) = six.flow(&network, 5e-3, 3, &times);
    evaluations.push(count);
    for (k, time) in times.iter().enumerate() {
        for (i, (a, b)) in finer[k].iter().zip(&seen[k]).enumerate() {
            check.relative(&format!("t = {time}"), i, *a, *b);
        }
    }
    check.finish();
    println!("evaluations {evaluations:?}");
    assert!(evaluations[0] < 3000, "time t costs about log t steps, not t: {evaluations:?}");
}

#[test]
fn a_penalty_bounds_the_distance() {
    // J falls along the flow, so |theta_t - theta_0|^2 <= 2 l(f_0) / lambda, at every width
    let widths = [24; 2];
    let mut rise = Check::named("rise of the objective in a step");
    for (network, lambda) in [(named("bias1", 2, &widths), 0.01), (named("ball1", 2, &widths), 0.1)] {
        let network = Mirrored(network);
        let six = Six::new(Loss::CrossEntropy, 0.0, lambda);
        train(six.problem(&network), Optimizer::Flow { tolerance: 1e-2 }, 1, |trainer| {
            let start = trainer.objective().loss;
            let objective = |trainer: &Trainer<'_, _, f64, Portable>| {
                let pairs = trainer.theta().iter().zip(trainer.theta_0());
                let square: f64 = pairs.map(|(a, b)| (a - b) * (a - b)).sum();
                assert!(square <= 2.0 * start / lambda, "{square} > {}", 2.0 * start / lambda);
                trainer.objective().loss + 0.5 * lambda * square
            };
            let mut before = start;
            while !trainer.reached(50.0) {
                trainer.advance(Some(50.0)).expect("a step");
                let now = objective(trainer);
                rise.error(&format!("penalty {lambda}"), trainer.step(), before, now, (now / before - 1.0).max(0.0));
                before = now;
            }
            assert!(before < 0.9 * start);
        });
    }
    rise.finish();
}

#[test]
fn all_layers_grow_equally() {
    // without biases after the first layer |W_l|^2 grows by the same amount in every layer
    let widths = [WIDTH; 2];
    let network = named("bias1", 2, &widths);
    let six = Six::new(Loss::CrossEntropy, 0.0, 0.0);
    let mut check = Check::named("growth of the layers");
    train(six.problem(&network), Optimizer::Flow { tolerance: 1e-3 }, 4, |trainer| {
        while trainer.objective().margin_mean < 6.0 {
            trainer.advance(None).expect("a step");
        }
        let growth = |l: usize| {
            let layer = network.layer(l);
            let end = layer.weights + layer.inputs * layer.outputs + layer.bias.map_or(0, |_| layer.outputs);
            let square = |theta: &[f64]| theta[layer.weights..end].iter().map(|w| w * w).sum::<f64>();
            square(trainer.theta()) - square(trainer.theta_0())
        };
        let mean = (0..3).map(growth).sum::<f64>() / 3.0;
        (0..3).for_each(|l| check.relative(&"layer", l, mean, growth(l)));
    });
    check.finish();
}
