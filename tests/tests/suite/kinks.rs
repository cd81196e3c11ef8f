//! Networks whose units rest on their kinks: the kernel that moves them, against references by another program, and the end
//! of their runs.

use ntkscope_core::forward::Params;
use ntkscope_core::kernel::{
    MeanTangent, MultiOutput, mean_tangent_len, structured, structured_scratch, tangent, tangent_len,
};
use ntkscope_core::loss::Loss;
use ntkscope_core::network::{Activation, Fcn, Mirrored, Network, ResNet};
use ntkscope_core::record::{Burst, Recorder, Snapshot, Steps};
use ntkscope_core::train::{Optimizer, Problem, Trainer};
use ntkscope_core::{Backend, MatMut, Portable};
use ntkscope_tests::cases::{SIX_LABELS, named, six_points};
use ntkscope_tests::measure::{eigenvalues, ntk, objective, outputs, recorder_space, targets, train};
use ntkscope_tests::tolerance::{Check, same_bits};

const FLOW: Optimizer = Optimizer::Flow { tolerance: 0.01 };
/// With steps of a tenth.
const FINE_FLOW: Optimizer = Optimizer::Flow { tolerance: 0.001 };
/// Half the step and twice the states of the standard burst.
const HALVED: Burst = Burst { settle: Steps { count: 8, share: 0.25 }, read: Steps { count: 32, share: 0.25 } };

/// Trains under cross-entropy on the six points, and hands over recorders of these bursts.
fn six<N: Network, R, const BURSTS: usize>(
    network: &N,
    (seed, flow): (u64, Optimizer),
    bursts: [Burst; BURSTS],
    go_on: impl FnOnce(&mut Trainer<'_, N, f64, Portable>, &mut [Recorder<'_, f64>; BURSTS]) -> R,
) -> R {
    let (x, labels) = (six_points::<f64>(), targets::<f64>(Loss::CrossEntropy, &SIX_LABELS, 1, 0.0));
    let problem = Problem::new(network, x.view(), labels.view(), Loss::CrossEntropy, 0.0).expect("a valid problem");
    train(problem, flow, seed, |trainer| {
        let mut spaces = bursts.map(|burst| recorder_space(trainer, Some(burst)));
        let mut place = 0;
        let mut recorders = spaces.each_mut().map(|space| {
            place += 1;
            Recorder::new(trainer, Some(bursts[place - 1]), space).expect("length")
        });
        go_on(trainer, &mut recorders)
    })
}

fn to_margin<N: Network>(trainer: &mut Trainer<'_, N, f64, Portable>, margin: f64) {
    while trainer.objective().margin_mean < margin {
        trainer.advance(None).expect("a step");
    }
}

/// Drift, its Frobenius norm relative to K_0's, lambda_min and distance of the effective kernel at a mean margin.
type Reference = (f64, [f64; 4]);

/// By explicit steps of c = 0.02 and means over 1,500 states, of another program.
const STANDARD_32: [Reference; 4] = [
    (2.0, [7.19, 0.986, 1.267, 5.618]),
    (4.0, [18.69, 2.740, 2.951, 8.626]),
    (8.0, [47.72, 6.582, 7.057, 12.713]),
    (16.0, [89.12, 15.740, 17.60, 18.066]),
];
const STANDARD_64: [Reference; 4] = [
    (2.0, [5.203, 0.7593, 0.996, 4.832]),
    (4.0, [14.25, 2.030, 1.983, 8.384]),
    (8.0, [38.37, 5.490, 4.666, 13.471]),
    (16.0, [98.84, 14.151, 11.21, 20.306]),
];
const MIRRORED_64: [Reference; 4] = [
    (2.0, [2.628, 0.3556, 0.765, 5.301]),
    (4.0, [8.961, 1.199, 1.370, 9.441]),
    (8.0, [25.97, 3.390, 2.935, 15.555]),
    (16.0, [72.27, 8.820, 7.092, 23.926]),
];

/// Drift, its Frobenius norm, lambda_min and distance at a mean margin, in logarithms between the two readings on its sides;
/// the first of them begins `ahead` of it, farther than a step and a burst go.
fn at_margin<N: Network>(
    trainer: &mut Trainer<'_, N, f64, Portable>,
    recorder: &mut Recorder<'_, f64>,
    (margin, ahead): (f64, f64),
) -> [f64; 4] {
    to_margin(trainer, margin - ahead);
    let mut last: Option<Snapshot<f64>> = None;
    loop {
        let now = recorder.observe(trainer).expect("a reading");
        if now.margin_mean >= margin {
            let last = last.unwrap_or_else(|| panic!("the first reading has the margin {}", now.margin_mean));
            assert!(last.margin_mean > 0.97 * margin && now.margin_mean < 1.03 * margin, "{last:?}, {now:?}");
            let share = (margin / last.margin_mean).ln() / (now.margin_mean / last.margin_mean).ln();
            let numbers = |s: &Snapshot<f64>| [s.drift_max, s.drift_fro, s.lambda_min, s.param_distance].map(f64::ln);
            let (a, b) = (numbers(&last), numbers(&now));
            return [0, 1, 2, 3].map(|k| (a[k] + share * (b[k] - a[k])).exp());
        }
        last = Some(now);
        to_margin(trainer, 1.02 * trainer.objective().margin_mean);
    }
}

fn against_references<N: Network>(
    name: &str,
    network: &N,
    seed: u64,
    references: &[Reference; 4],
    burst: Burst,
    check: &mut Check,
    distance: &mut Check,
) {
    let (flow, ahead) = if burst == Burst::FINE { (FINE_FLOW, 0.6) } else { (FLOW, 1.2) };
    six(network, (seed, flow), [burst], |trainer, [recorder]| {
        for (margin, expected) in references {
            let seen = at_margin(trainer, recorder, (*margin, ahead));
            for (i, what) in ["drift_max", "drift_fro", "lambda_min"].into_iter().enumerate() {
                check.relative(&format!("{name}, {what}"), margin, expected[i], seen[i]);
            }
            distance.relative(&format!("{name}, distance"), margin, expected[3], seen[3]);
        }
    });
}

#[test]
fn readings_agree_with_another_program() {
    let (narrow, wide) = ([32; 2], [64; 2]);
    let (narrow, wide) = (named("bias1", 2, &narrow), named("bias1", 2, &wide));
    let mut distance = Check::named("distance at a margin");
    for (burst, mut of_narrow, mut of_wide) in [
        (Burst::STANDARD, Check::named("burst, width 32"), Check::named("burst, width 64")),
        (Burst::FINE, Check::named("fine reading, width 32"), Check::named("fine reading, width 64")),
    ] {
        against_references("standard, width 32", &narrow, 2, &STANDARD_32, burst, &mut of_narrow, &mut distance);
        against_references("standard, width 64", &wide, 1, &STANDARD_64, burst, &mut of_wide, &mut distance);
        let mirrored = Mirrored(wide);
        against_references("mirrored, width 64", &mirrored, 2, &MIRRORED_64, burst, &mut of_wide, &mut distance);
        of_narrow.finish();
        of_wide.finish();
    }
    distance.finish();
}

/// The states of a burst: parameters, outputs, and the time integral of the residuals over n up to the next.
struct States {
    thetas: Vec<Vec<f64>>,
    change: Vec<f64>,
    pushed: Vec<f64>,
}

/// Steps of the burst that is read next, looked at from outside: their length follows from the gradient.
fn states_of<N: Network>(trainer: &mut Trainer<'_, N, f64, Portable>, recorder: &mut Recorder<'_, f64>) -> States {
    let mut thetas: Vec<Vec<f64>> = Vec::new();
    let mut keep = |theta: &[f64]| {
        thetas.push(theta.to_vec());
        Ok(())
    };
    recorder.observe_states(trainer, &mut keep).expect("a reading");
    let (network, problem, x) = (trainer.problem().network(), trainer.problem(), six_points::<f64>());
    let f: Vec<_> = thetas.iter().map(|theta| outputs(network, theta, &x)).collect();
    let mut pushed = vec![0.0; 6];
    for (k, pair) in thetas.windows(2).enumerate() {
        let gradient = objective(network, problem, &pair[0], trainer.theta_0(), false).1;
        let moved: f64 = pair[0].iter().zip(&pair[1]).zip(&gradient).map(|((a, b), g)| (a - b) * g).sum();
        let step = moved / gradient.iter().map(|g| g * g).sum::<f64>();
        for i in 0..6 {
            pushed[i] += step * (1.0 / (1.0 + (-f[k][i]).exp()) - SIX_LABELS[i] as f64) / 6.0;
        }
    }
    let change = f[thetas.len() - 1].iter().zip(&f[0]).map(|(last, first)| last - first).collect();
    States { thetas, change, pushed }
}

/// |df + K R| / |df|
fn velocity_error(kernel: &[f64], States { change, pushed, .. }: &States) -> f64 {
    let norm = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>().sqrt();
    let off: Vec<_> = (0..6).map(|i| change[i] + (0..6).map(|j| kernel[6 * i + j] * pushed[j]).sum::<f64>()).collect();
    norm(&off) / norm(change)
}

/// Point kernels of the states, and the kernel of the mean of their (A, D), each from scratch.
fn kernels_of<N: Network>(network: &N, thetas: &[Vec<f64>]) -> (Vec<Vec<f64>>, Vec<f64>) {
    let (x, sizes) = (six_points::<f64>(), network.sizes());
    let mut space = vec![0.0; mean_tangent_len(sizes, 6)];
    let mut mean = MeanTangent::new(sizes, 6, &mut space).expect("length");
    let mut points = Vec::new();
    for theta in thetas {
        points.push(ntk(&Portable, (network, theta), &x, None, MultiOutput::Trace));
        let mut work = vec![0.0; tangent_len(sizes, 6)];
        let params = Params::new(network, theta).expect("length");
        mean.add(&tangent(&Portable, params, x.view(), &mut work).expect("shapes")).expect("the same network");
    }
    let (mut kernel, tile) = (vec![0.0; 36], Backend::<f64>::tile(&Portable));
    let mut scratch = vec![0.0; structured_scratch(tile, 6, 6)];
    let mean = mean.tangent(network, x.view()).expect("states");
    let view = MatMut::new(&mut kernel, 6, 6).expect("length");
    structured(&Portable, &mean, None, MultiOutput::Trace, view, &mut scratch).expect("shapes");
    (points, kernel)
}

fn mean_of(kernels: &[Vec<f64>]) -> Vec<f64> {
    (0..kernels[0].len()).map(|k| kernels.iter().map(|kernel| kernel[k]).sum::<f64>() / kernels.len() as f64).collect()
}

/// What holds of every burst, at the mean margins 2, 4, 8 and 13.
fn look_at_bursts<N: Network>(name: &str, network: &N, velocity: &mut Check, definite: &mut Check) {
    six(network, (3, FLOW), [Burst::STANDARD], |trainer, [recorder]| {
        for margin in [2.0, 4.0, 8.0, 13.0] {
            to_margin(trainer, margin);
            let states = states_of(trainer, recorder);
            let effective = recorder.current().data().to_vec();
            let (points, mean_tangent) = kernels_of(network, &states.thetas);
            let mean = mean_of(&points);
            // the kernel of the averaged derivatives, not the average of the kernels
            for (a, b) in effective.iter().zip(&mean_tangent) {
                definite.relative(&format!("{name}: K_eff"), margin, *b, *a);
            }
            // without the last state, from which no step is seen
            let (_, moves) = kernels_of(network, &states.thetas[..states.thetas.len() - 1]);
            let own = velocity_error(&moves, &states);
            assert!(own < 0.1, "{name} at {margin}: {own}");
            // the point kernel may by chance be one of few toggles; their mean is always wrong
            let wrong = [velocity_error(&mean, &states), velocity_error(&points[0], &states)];
            assert!(wrong[0] > 0.5, "{name} at {margin}: {wrong:?}");
            assert!(wrong[1] > 2.0 * own, "{name} at {margin}: {wrong:?}");
            let largest = eigenvalues(&mean, 6)[5];
            let excess: Vec<_> = mean.iter().zip(&effective).map(|(mean, effective)| mean - effective).collect();
            for (what, kernel) in [("K_eff", &effective), ("mean - K_eff", &excess)] {
                let below = (-eigenvalues(kernel, 6)[0] / largest).max(0.0);
                definite.absolute(&format!("{name}: {what} is positive semidefinite"), margin, 0.0, below);
            }
            let s = recorder.observe(trainer).expect("a reading");
            velocity.absolute(&name, margin, 0.0, s.velocity_error);
            assert!(s.sliding > 20 && s.drift_max_se > 0.0, "{name} at {margin}: {s:?}");
        }
    });
}

#[test]
fn the_mean_of_the_derivatives_moves_the_network_and_the_mean_of_the_kernels_does_not() {
    let widths = [64; 3];
    let (mut velocity, mut definite) = (Check::named("velocity error of a burst"), Check::named("kernels of a burst"));
    for (name, network) in [("depth 2", named("bias1", 2, &widths[..2])), ("depth 3", named("bias1", 2, &widths))] {
        look_at_bursts(name, &network, &mut velocity, &mut definite);
        look_at_bursts(&format!("mirrored, {name}"), &Mirrored(network), &mut velocity, &mut definite);
    }
    let residual = ResNet::new(2, 64, 2, 1, 0.5).and_then(|network| network.with_input_bias(1.0));
    look_at_bursts("residual", &residual.expect("positive sizes"), &mut velocity, &mut definite);
    velocity.finish();
    definite.finish();
}

#[test]
fn half_the_step_and_twice_the_states_read_the_same() {
    let widths = [64; 2];
    let mut check = Check::named("burst of half the step");
    let mut scatter = Vec::new();
    six(&named("bias1", 2, &widths), (1, FLOW), [Burst::STANDARD, HALVED], |trainer, [standard, halved]| {
        for margin in (6..=32).map(|half| f64::from(half) / 2.0) {
            to_margin(trainer, margin);
            let (a, b) = (standard.observe(trainer).expect("a reading"), halved.observe(trainer).expect("a reading"));
            check.relative(&"drift_max", margin, a.drift_max, b.drift_max);
            scatter.push(a.point_drift_max / a.drift_max);
        }
    });
    check.finish();
    let mean = scatter.iter().sum::<f64>() / scatter.len() as f64;
    let variance = scatter.iter().map(|s| (s / mean - 1.0).powi(2)).sum::<f64>() / (scatter.len() - 1) as f64;
    assert!(variance.sqrt() > 0.05, "the point kernel's drift scatters by {:.3}", variance.sqrt());
}

#[test]
fn smooth_networks_are_read_at_a_point() {
    let widths = [32; 2];
    let network = named("bias1", 2, &widths).with_activation(Activation::Erf);
    six(&network, (2, FLOW), [Burst::STANDARD], |trainer, [recorder]| {
        to_margin(trainer, 2.0);
        let s = recorder.observe(trainer).expect("a reading");
        let point = ntk(&Portable, (&network, trainer.theta()), &six_points(), None, MultiOutput::Trace);
        same_bits(&"K_t", &point, recorder.current().data());
        assert!(s.sliding == 0 && s.velocity_error.is_nan() && s.drift_max == s.point_drift_max);
        // and a mean of one state is that state
        let (_, mean) = kernels_of(&network, &[trainer.theta().to_vec()]);
        same_bits(&"mean of one", &point, &mean);
    });
    // a mean of states along a smooth path is the state in its middle, but for a term of second order in its length
    let around = |trainer: &Trainer<'_, Fcn, f64, Portable>, length: f64| {
        let gradient = objective(&network, trainer.problem(), trainer.theta(), trainer.theta_0(), false).1;
        let at = |k: i32| -> Vec<f64> {
            let share = length * f64::from(k);
            trainer.theta().iter().zip(&gradient).map(|(theta, g)| theta - share * g).collect()
        };
        let (points, mean) = kernels_of(&network, &[-2, -1, 0, 1, 2].map(at));
        mean.iter().zip(&points[2]).fold(0.0f64, |most, (a, b)| most.max((a - b).abs()))
    };
    six(&network, (2, FLOW), [], |trainer, []| {
        to_margin(trainer, 2.0);
        let order = (around(trainer, 1.0) / around(trainer, 0.5)).log2();
        assert!((1.8..2.2).contains(&order), "order {order}");
    });
}

/// Steps of a flow to `until`, ln(1 + t) from which on it rests, and where it ended.
fn to_the_end<N: Network>(
    network: &N,
    loss: Loss,
    (penalty, smoothing): (f64, f64),
    until: f64,
) -> (u64, Option<f64>, Vec<f64>) {
    let x = six_points::<f64>();
    let labels = targets::<f64>(loss, &SIX_LABELS, 1, smoothing);
    let problem = Problem::new(network, x.view(), labels.view(), loss, penalty).expect("a valid problem");
    train(problem, FLOW, 2, |trainer| {
        while !trainer.reached(until) {
            trainer.advance(Some(until)).expect("a step");
            assert!(trainer.step() < 20_000, "{loss:?}, penalty {penalty}, smoothing {smoothing}: no end");
        }
        (trainer.step(), trainer.resting_from(), trainer.theta().to_vec())
    })
}

#[test]
fn a_run_with_a_minimum_ends_in_a_number_of_steps_that_does_not_depend_on_the_time() {
    let widths = [32; 2];
    let relu = named("bias1", 2, &widths);
    for (name, network) in [("relu", relu), ("erf", relu.with_activation(Activation::Erf))] {
        for (loss, settings) in [
            (Loss::CrossEntropy, (0.03, 0.0)),
            (Loss::CrossEntropy, (0.3, 0.0)),
            (Loss::CrossEntropy, (0.0, 0.1)),
            (Loss::SquaredError, (0.0, 0.0)),
            (Loss::SquaredError, (0.03, 0.0)),
        ] {
            let (early, late) = (to_the_end(&network, loss, settings, 1e4), to_the_end(&network, loss, settings, 1e8));
            println!("{name}, {loss:?}, {settings:?}: {} and {} steps", early.0, late.0);
            assert!(early.0 == late.0, "{name}, {loss:?}, {settings:?}: {} and {} steps", early.0, late.0);
            assert!(early.1.is_some() && early.1 == late.1, "{name}, {loss:?}, {settings:?}: {:?}", early.1);
            same_bits(&"the end", &early.2, &late.2);
        }
    }
}

#[test]
fn what_has_no_minimum_is_never_called_at_rest() {
    let widths = [16; 2];
    let network = named("bias1", 2, &widths);
    let (x, labels) = (six_points::<f64>(), targets::<f64>(Loss::CrossEntropy, &SIX_LABELS, 1, 0.0));
    let problem = Problem::new(&network, x.view(), labels.view(), Loss::CrossEntropy, 0.0).expect("a valid problem");
    train(problem, FLOW, 1, |trainer| {
        while trainer.objective().margin_mean < 1e4 {
            trainer.advance(None).expect("a step");
            assert!(!trainer.at_rest() && trainer.resting_from().is_none(), "at step {}", trainer.step());
        }
    });
    // two samples in one place with both labels: they come to rest, the others go on for ever
    let mut twice = six_points::<f64>();
    twice.values.extend_from_within(0..2);
    twice.n += 1;
    let mut both = SIX_LABELS.to_vec();
    both.push(1 - SIX_LABELS[0]);
    let labels = targets::<f64>(Loss::CrossEntropy, &both, 1, 0.0);
    let problem =
        Problem::new(&network, twice.view(), labels.view(), Loss::CrossEntropy, 0.0).expect("a valid problem");
    train(problem, FLOW, 1, |trainer| {
        for _ in 0..3000 {
            trainer.advance(None).expect("a step");
            assert!(!trainer.at_rest(), "at step {}", trainer.step());
        }
        assert!(trainer.objective().margin_mean > 3.0, "{:?}", trainer.objective());
    });
}
