//! Drift of the empirical kernel at given mean margins: plain cross-entropy on the six points.

use ntkscope_core::Portable;
use ntkscope_core::kernel::MultiOutput;
use ntkscope_core::loss::Loss;
use ntkscope_core::network::{Mirrored, Network};
use ntkscope_core::train::{Optimizer, Problem, Trainer};

use crate::cases::{SIX_LABELS, Samples, named, six_points};
use crate::measure::{ntk, objective, targets, theta, train};

/// How the parameters move.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Method {
    /// core's adaptive gradient flow of this tolerance, read off exactly at the mark by interpolation
    Flow(f64),
    /// explicit steps of `eta / max p(1-p)` (2 while the mean margin is not positive), read off at the first
    /// step at or after the mark: how the reference table was made, with eta = 0.5
    Steps(f64),
}

/// What is seen where the mean margin passes a mark.
#[derive(Clone, Copy, Debug)]
pub struct Sight {
    pub margin: f64,
    /// max_ij |K_t - K_0|
    pub drift: f64,
    /// ln(1 + t)
    pub log_time: f64,
    /// gradients evaluated so far
    pub evaluations: u64,
}

fn kernel<N: Network>(network: &N, theta: &[f64], x: &Samples<f64>) -> Vec<f64> {
    ntk(&Portable, (network, theta), x, None, MultiOutput::Trace)
}

fn largest_difference(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).fold(0.0, |m: f64, (x, y)| m.max((x - y).abs()))
}

fn sights<N: Network>(network: &N, method: Method, seed: u64, marks: &[f64]) -> Vec<Sight> {
    let x = six_points::<f64>();
    let labels = targets::<f64>(Loss::CrossEntropy, &SIX_LABELS, 1, 0.0);
    let problem = Problem::new(network, x.view(), labels.view(), Loss::CrossEntropy, 0.0).expect("a valid problem");
    let start = theta::<N, f64>(network, seed);
    let k_0 = kernel(network, &start, &x);
    let drift = |theta: &[f64]| largest_difference(&kernel(network, theta, &x), &k_0);
    let mut seen = Vec::new();
    match method {
        Method::Flow(tolerance) => train(problem, Optimizer::Flow { tolerance }, seed, |trainer| {
            let read = |t: &Trainer<'_, N, f64, Portable>, drift| Sight {
                margin: t.objective().margin_mean,
                drift,
                log_time: t.log_time(),
                evaluations: t.evaluations(),
            };
            let mut before = (read(trainer, 0.0), start.clone());
            while seen.len() < marks.len() {
                trainer.advance(None).expect("a finite step");
                let now = read(trainer, 0.0);
                while let Some(mark) = marks.get(seen.len()).filter(|mark| now.margin >= **mark) {
                    let share = (mark - before.0.margin) / (now.margin - before.0.margin);
                    let between = |a: f64, b: f64| a + share * (b - a);
                    seen.push(Sight {
                        margin: *mark,
                        drift: between(drift(&before.1), drift(trainer.theta())),
                        log_time: between(before.0.log_time, now.log_time),
                        evaluations: now.evaluations,
                    });
                }
                before = (now, trainer.theta().to_vec());
            }
        }),
        Method::Steps(eta) => {
            let (theta_0, mut theta, mut time, mut evaluations) = (start.clone(), start, 0.0f64, 0);
            while seen.len() < marks.len() {
                let (at, gradient) = objective(network, &problem, &theta, &theta_0, false);
                evaluations += 1;
                if at.margin_mean >= marks[seen.len()] {
                    let (log_time, margin) = (time.ln_1p(), at.margin_mean);
                    seen.push(Sight { margin, drift: drift(&theta), log_time, evaluations });
                    continue;
                }
                let f = crate::measure::outputs(network, &theta, &x);
                let width = f.iter().fold(0.0f64, |m, f| m.max(1.0 / (2.0 + f.exp() + (-f).exp())));
                let rate = if at.margin_mean > 0.0 { eta / width } else { 4.0 * eta };
                theta.iter_mut().zip(&gradient).for_each(|(t, g)| *t -= rate * g);
                time += rate;
            }
        }
    }
    seen
}

/// Depth 2, input bias, this width; one [`Sight`] for every mark (ascending).
pub fn on_six_points(width: usize, mirrored: bool, method: Method, seed: u64, marks: &[f64]) -> Vec<Sight> {
    let widths = [width; 2];
    let network = named("bias1", 2, &widths);
    if mirrored { sights(&Mirrored(network), method, seed, marks) } else { sights(&network, method, seed, marks) }
}

/// Margins of [`TABLE`].
pub const MARKS: [f64; 4] = [2.0, 4.0, 8.0, 16.0];

/// (mirrored, width, drift at [`MARKS`]): reference measurements with explicit steps of eta = 0.5, three
/// seeds (two at width 1024).
pub const TABLE: [(bool, usize, [f64; 4]); 6] = [
    (true, 64, [4.37, 9.98, 25.4, 66.6]),
    (true, 256, [0.85, 2.81, 9.25, 22.9]),
    (true, 1024, [0.23, 0.81, 3.29, 9.58]),
    (false, 64, [6.59, 17.6, 41.4, 87.4]),
    (false, 256, [1.51, 6.04, 15.1, 38.0]),
    (false, 1024, [0.34, 1.56, 5.90, 16.0]),
];
