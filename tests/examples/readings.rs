//! Readings of the effective kernel against finer ones, from single runs: `cargo run --release --example readings`.
//!
//! At the mean margins 4, 8 and 16 of a flow under cross-entropy on the six points, the standard burst is read, then fine
//! ones from the states that follow until two of them enclose its mean margin; between these the fine reading is
//! interpolated, in logarithms. The same of fine readings with steps half as long.

use ntkscope_core::Portable;
use ntkscope_core::loss::Loss;
use ntkscope_core::network::{Mirrored, Network, ResNet};
use ntkscope_core::record::{Burst, Recorder, Snapshot, Steps};
use ntkscope_core::train::{Optimizer, Problem, Trainer};
use ntkscope_tests::cases::{SIX_LABELS, named, six_points};
use ntkscope_tests::measure::{recorder_space, targets, train};

const MARGINS: [f64; 3] = [4.0, 8.0, 16.0];

/// The fine burst with steps half as long, over the same time.
fn finer() -> Burst {
    let half = |steps: Steps| Steps { count: 2 * steps.count, share: 0.5 * steps.share };
    Burst { settle: half(Burst::FINE.settle), read: half(Burst::FINE.read) }
}

/// ln drift and ln lambda_min at a mean margin between those of two readings.
fn between(a: &Snapshot<f64>, b: &Snapshot<f64>, margin: f64) -> [f64; 2] {
    let share = (margin / a.margin_mean).ln() / (b.margin_mean / a.margin_mean).ln();
    [(a.drift_max, b.drift_max), (a.lambda_min, b.lambda_min)].map(|(a, b)| a.ln() + share * (b / a).ln())
}

/// ln drift and ln lambda_min by both fine readings at the mean margin of `at`, from the present state of the flow and those
/// that follow.
fn enclosed<N: Network>(
    trainer: &mut Trainer<'_, N, f64, Portable>,
    recorders: &mut [Recorder<'_, f64>; 2],
    at: &Snapshot<f64>,
) -> [[f64; 2]; 2] {
    let mut observe =
        |trainer: &mut _| recorders.each_mut().map(|recorder| recorder.observe(trainer).expect("a reading"));
    let mut last = observe(trainer);
    loop {
        trainer.advance(None).expect("a step");
        let next = observe(trainer);
        if next.iter().all(|next| next.margin_mean >= at.margin_mean) {
            return [0, 1].map(|k| between(&last[k], &next[k], at.margin_mean));
        }
        if next.iter().all(|next| next.margin_mean < at.margin_mean) {
            last = next;
        }
    }
}

/// Prints a row for each margin, and returns the differences in per cent: of the burst and the fine reading in drift and in
/// lambda_min, of the two fine ones in both.
fn rows<N: Network>(name: &str, network: &N, seed: u64) -> Vec<[f64; 4]> {
    let (x, labels) = (six_points::<f64>(), targets::<f64>(Loss::CrossEntropy, &SIX_LABELS, 1, 0.0));
    let problem = Problem::new(network, x.view(), labels.view(), Loss::CrossEntropy, 0.0).expect("a problem");
    train(problem, Optimizer::Flow { tolerance: 0.01 }, seed, |trainer| {
        let space = || recorder_space(trainer, Some(Burst::STANDARD));
        let (mut a, mut b, mut c) = (space(), space(), space());
        let mut recorder =
            |burst, space| Recorder::new(trainer, Some(burst), space).expect("a recorder of a network with kinks");
        let mut standard = recorder(Burst::STANDARD, &mut a);
        let mut fine = [recorder(Burst::FINE, &mut b), recorder(finer(), &mut c)];
        let mut all = Vec::new();
        for margin in MARGINS {
            while trainer.objective().margin_mean < 0.95 * margin {
                trainer.advance(None).expect("a step");
            }
            let s = standard.observe(trainer).expect("a reading");
            let [fine, finer] = enclosed(trainer, &mut fine, &s);
            let per_cent = |a: f64, b: f64| 100.0 * (a - b).exp_m1();
            let row = [
                per_cent(s.drift_max.ln(), fine[0]),
                per_cent(s.lambda_min.ln(), fine[1]),
                per_cent(fine[0], finer[0]),
                per_cent(fine[1], finer[1]),
            ];
            let [drift, lambda, fine_drift, fine_lambda] = row.map(|x| format!("{x:+.2}"));
            let (u, se) = (s.margin_mean, 100.0 * s.drift_max_se / s.drift_max);
            let point = per_cent(s.point_drift_max.ln(), fine[0]);
            println!(
                "{name:<28} {seed:>4} {u:>6.2} {drift:>7} {se:>5.2} {lambda:>7} {point:>+7.1} {:>6.3} {:>5} {fine_drift:>7} {fine_lambda:>7}",
                s.velocity_error, s.sliding
            );
            all.push(row);
        }
        all
    })
}

fn main() {
    println!(
        "{:<28} seed margin   drift  s.e.  lam_min   point velocity sliding  fine/finer: drift, lam_min (differences in %)",
        "network"
    );
    let mut all = Vec::new();
    for width in [64, 256] {
        for seed in [1] {
            for depth in [2, 3] {
                let widths = [width; 3];
                let network = named("bias1", 2, &widths[..depth]);
                all.extend(rows(&format!("depth {depth}, width {width}"), &network, seed));
                all.extend(rows(&format!("depth {depth}, width {width}, mirrored"), &Mirrored(network), seed));
            }
            let network = ResNet::new(2, width, 2, 1, 0.5).and_then(|network| network.with_input_bias(1.0));
            let network = network.expect("positive sizes");
            all.extend(rows(&format!("resnet 2, width {width}"), &network, seed));
            all.extend(rows(&format!("resnet 2, width {width}, mirrored"), &Mirrored(network), seed));
        }
    }
    for (k, what) in ["drift", "lambda_min", "drift, fine", "lambda_min, fine"].into_iter().enumerate() {
        let column = || all.iter().map(|row| row[k]);
        let rms = (column().map(|x| x * x).sum::<f64>() / all.len() as f64).sqrt();
        println!("{what}: rms {rms:.2} %, largest {:.2} %", column().fold(0.0f64, |m, x| m.max(x.abs())));
    }
}
