//! The record's capacity and spacing; snapshots against what they are defined to be.

use ntkscope_core::Portable;
use ntkscope_core::kernel::{AnalyticKernel, MultiOutput};
use ntkscope_core::loss::Loss;
use ntkscope_core::network::Mirrored;
use ntkscope_core::record::{Burst, Record, Recorder, Snapshot};
use ntkscope_core::train::{Optimizer, Problem};
use ntkscope_tests::cases::{SIX_LABELS, Samples, named, six_points};
use ntkscope_tests::measure::{analytic_kernel, eigenvalues, ntk, recorder_space, targets, theta, train};
use ntkscope_tests::tolerance::{Check, same_bits};

fn snapshot(step: u64, log_time: f64) -> Snapshot<f64> {
    let mut snapshot = Snapshot::default();
    (snapshot.step, snapshot.time, snapshot.log_time) = (step, log_time.exp_m1(), log_time);
    snapshot
}

const BURST: Option<Burst> = Some(Burst::STANDARD);
const CAPACITY: usize = 20;

/// A run of `steps` steps that ends at `end` in ln(1 + t), as a caller records it: what is due, and the end.
fn record(capacity: usize, until: Option<f64>, steps: u64, end: f64) -> Record<f64, CAPACITY> {
    let mut record = Record::new(capacity, until).expect("a valid capacity");
    for step in 0..=steps {
        let log_time = end * step as f64 / steps.max(1) as f64;
        if record.due(log_time) || step == steps {
            record.push(snapshot(step, log_time));
        }
        assert!(record.snapshots().len() <= capacity);
        assert_eq!(record.snapshots()[0].step, 0, "the first is kept");
    }
    record
}

#[test]
fn a_record_keeps_its_capacity_its_ends_and_its_order() {
    for capacity in [3, 4, 7, 8, 19, 20] {
        for (steps, end) in [(1, 0.1), (5, 3.0), (1000, 0.01), (1000, 2.0), (1000, 40.0), (5000, 1e4)] {
            for until in [None, Some(f64::exp_m1(end))].into_iter().filter(|u| u.is_none_or(f64::is_finite)) {
                let record = record(capacity, until, steps, end);
                let kept = record.snapshots();
                let case = format!("capacity {capacity}, {steps} steps to {end}, until {until:?}");
                assert_eq!(kept.last().map(|s| s.step), Some(steps), "{case}: the last is kept");
                assert!(kept.windows(2).all(|w| w[0].step < w[1].step), "{case}: in order");
                // a run long enough to fill the record leaves at least half of it filled
                if steps == 1000 && (until.is_some() || end >= 40.0) || steps == 5000 {
                    assert!(2 * kept.len() >= capacity - 1, "{case}: {} kept", kept.len());
                }
            }
        }
    }
}

#[test]
fn a_record_is_evenly_spaced_in_log_time() {
    let mut check = Check::named("spacing of a record");
    for capacity in [3, 8, 13, 20] {
        for until in [None, Some(f64::exp_m1(60.0))] {
            let record = record(capacity, until, 60_000, 60.0);
            let gaps: Vec<f64> = record.snapshots().windows(2).map(|w| w[1].log_time - w[0].log_time).collect();
            // the last gap is as long as the end leaves it
            let inner = &gaps[..gaps.len() - 1];
            let spacing = inner.iter().copied().fold(0.0, f64::max);
            for (i, gap) in inner.iter().enumerate() {
                check.relative(&format!("capacity {capacity}, until {until:?}"), i, spacing, *gap);
            }
        }
    }
    check.finish();
}

#[test]
fn capacities_that_cannot_work_are_refused() {
    for capacity in [0, 1, 2, CAPACITY + 1] {
        assert!(Record::<f64, CAPACITY>::new(capacity, None).is_err(), "{capacity}");
    }
    assert!(Record::<f64, CAPACITY>::new(CAPACITY, Some(1e300)).is_ok());
}

#[test]
fn snapshots_are_what_they_are_defined_to_be() {
    let (network, x) = (Mirrored(named("bias1", 2, &[24, 24])), six_points::<f64>());
    let labels = targets::<f64>(Loss::CrossEntropy, &SIX_LABELS, 1, 0.0);
    let problem = Problem::new(&network, x.view(), labels.view(), Loss::CrossEntropy, 0.0).expect("a valid problem");
    let mut check = Check::named("snapshot by definition");
    train(problem, Optimizer::Descent { rate: 0.5 }, 3, |trainer| {
        let mut buffer = recorder_space(trainer, BURST);
        let mut recorder = Recorder::new(trainer, BURST, &mut buffer).expect("length");
        let first = recorder.observe(trainer).expect("finite");
        assert_eq!((first.drift_max, first.drift_fro, first.param_distance, first.step), (0.0, 0.0, 0.0, 0));
        assert_eq!((first.time, first.log_time, first.logit_max, first.accuracy), (0.0, 0.0, 0.0, 0.0));
        for _ in 0..40 {
            trainer.advance(None).expect("finite");
        }
        let s = recorder.observe(trainer).expect("finite");
        let (theta_0, now) = (theta::<_, f64>(&network, 3), trainer.theta());
        let of = |theta: &[f64]| ntk(&Portable, (&network, theta), &x, None, MultiOutput::Trace);
        let (k_0, k) = (of(&theta_0), of(now));
        let analytic = analytic_kernel(&Portable, &network, AnalyticKernel::Ntk, &x, None);
        same_bits(&"theta_0", &theta_0, trainer.theta_0());
        same_bits(&"K_0", &k_0, recorder.initial().data());
        same_bits(&"K_t", &k, recorder.current().data());
        same_bits(&"Theta", &analytic, recorder.analytic().data());
        let norm = |v: &mut dyn Iterator<Item = f64>| v.map(|x| x * x).sum::<f64>().sqrt();
        let distance = |a: &[f64], b: &[f64]| norm(&mut a.iter().zip(b).map(|(x, y)| x - y));
        let largest = |a: &[f64], b: &[f64]| a.iter().zip(b).fold(0.0f64, |m, (x, y)| m.max((x - y).abs()));
        let values = eigenvalues(&k, 6);
        for (name, expected, actual) in [
            ("time", 20.0, s.time),
            ("log_time", 21f64.ln(), s.log_time),
            ("param_norm", norm(&mut now.iter().copied()), s.param_norm),
            ("param_distance", distance(now, &theta_0), s.param_distance),
            ("param_max", largest(now, &theta_0), s.param_max),
            ("drift_max", largest(&k, &k_0), s.drift_max),
            ("drift_fro", distance(&k, &k_0) / norm(&mut k_0.iter().copied()), s.drift_fro),
            ("error_max", largest(&k, &analytic), s.error_max),
            ("error_highest", largest(&k, &analytic).max(largest(&k_0, &analytic)), s.error_highest),
            ("error_fro", distance(&k, &analytic) / norm(&mut analytic.iter().copied()), s.error_fro),
            ("lambda_min", values[0], s.lambda_min),
            ("lambda_max", values[5], s.lambda_max),
            ("condition", values[5] / values[0], s.condition),
        ] {
            check.relative(&name, 0, expected, actual);
        }
        assert!(s.finite && s.step == 40 && s.drift_max > 0.0 && s.margin_min <= s.margin_mean);
        // what only a burst has
        let of_bursts = ["drift_max_se", "velocity_error"];
        assert!(s.fields().all(|(name, v)| v.is_finite() != of_bursts.contains(&name)));
        assert_eq!((s.drift_highest, s.point_drift_max, s.sliding), (s.drift_max, s.drift_max, 0));
    });
    check.finish();
}

#[test]
fn the_recorder_says_how_much_memory_it_needs() {
    let (network, x) = (named("bias1", 2, &[4]), Samples::<f64>::gaussian(3, 2, 1));
    let labels = targets::<f64>(Loss::SquaredError, &[0, 1, 0], 1, 0.0);
    let problem = Problem::new(&network, x.view(), labels.view(), Loss::SquaredError, 0.0).expect("a valid problem");
    train(problem, Optimizer::Flow { tolerance: 0.01 }, 3, |trainer| {
        let mut short = recorder_space(trainer, BURST);
        short.pop();
        assert!(Recorder::new(trainer, BURST, &mut short).is_err());
    });
}
