//! Claims about networks: their outputs at initialization, their distance from the kernel's flow, their learning curves.

use super::super::outputs::{RandomOutputs, Tested};
use super::super::replica::Replica;
use super::{LOSS, subject};
use crate::analysis::curves::{Curves, Start, slope};
use crate::analysis::statistics::{Estimate, difference};
use crate::report::{Claim, number};
use crate::study::group::{Group, Run};
use crate::study::judge::{self, Evidence, Judged, Subject};
use crate::study::net::MSE;

/// C1: outputs at random initialization, narrow to wide, against GP(0, NNGP).
pub fn outputs(all: &[(RandomOutputs, Tested)]) -> Vec<Claim> {
    let mut claims = Vec::new();
    let untrained = |outputs: &RandomOutputs| Subject {
        network: format!("FCN, L = 1, m = {}; {} points on S^{{2}}", outputs.width, outputs.points),
        loss: "none".into(),
        init: "standard".into(),
        failed: 0,
    };
    for (outputs, tested) in all {
        let networks = outputs.networks;
        let note = format!(
            "largest of {} entries of the covariance less the NNGP, outputs whitened, in standard errors over {networks} networks; \
             allowed: 4",
            tested.pairs
        );
        let measured = Some(Estimate::extreme(tested.covariance));
        let holds = judge::below(Some(tested.covariance), 4.0);
        let covariance = Judged { measured, theory: "< 4".into(), holds, note };
        claims.push(covariance.claim("C1 covariance of f_{0}", untrained(outputs)));
        let theory = 15.0 / outputs.width as f64;
        let measured = Some(tested.kurtosis);
        let holds = judge::agrees(measured, theory, 0.1 * theory);
        let note = format!(
            "mean over the points, standard error over ten groups of {} networks; theory: 15/m; allowed: two standard errors, or a tenth",
            networks / 10
        );
        let kurtosis = Judged { measured, theory: number(theory), holds, note };
        claims.push(kurtosis.claim("C1 excess kurtosis of f_{0}", untrained(outputs)));
    }
    if let Some((outputs, tested)) = all.last() {
        let note = format!(
            "Kolmogorov's distance of the {} whitened outputs from N(0,1), times the root of their number; beyond 1.63 with probability 1 \
             % if they are Gaussian",
            outputs.networks * outputs.points as u64
        );
        let measured = Some(Estimate::extreme(tested.kolmogorov));
        let holds = judge::below(Some(tested.kolmogorov), 1.63);
        let normal = Judged { measured, theory: "< 1.63".into(), holds, note };
        claims.push(normal.claim("C1 normality of f_{0}", untrained(outputs)));
    }
    claims
}

/// sup over time and points of |f_t - f_t^NTK|, both from the network's own f_0.
pub fn farthest(run: &Run<'_>) -> Option<f64> {
    let rows = run.finished.predictions.rows.iter();
    rows.map(|row| row.ntk.difference.max(row.ntk.difference_held_out)).reduce(f64::max)
}

/// C2: networks stay beside the kernel's flow, at all times.
pub fn closeness(group: &Group<'_>) -> Claim {
    let widths = group.widths();
    let measured = group.exponent_in_width(MSE, &widths, farthest);
    let by_width = |width: &usize| {
        let at = group.mean_at(MSE, *width, farthest);
        format!("{width}: {}", at.map_or("none".into(), |e| number(e.value)))
    };
    let note = format!(
        "slope of the logarithm of the largest |f_{{t}} − f_{{t}}^{{NTK}}| against ln m, training and held-out points, all snapshots to t = 10^{{5}}; its \
         mean at each width: {}; expected: −1/2, the spread of K_{{0}}; holds below 0 by two standard errors",
        widths.iter().map(by_width).collect::<Vec<_>>().join(", ")
    );
    let holds = judge::negative(measured, Evidence::SPREAD);
    let judged = Judged { measured, theory: "< 0".into(), holds, note };
    judged.claim("C2 distance from the kernel's flow at all times", group.subject(LOSS))
}

/// A learning curve of networks: one dimension, n ascending.
pub struct Replicated {
    /// what was measured
    pub replicas: Vec<Replica>,
    /// and found
    pub curves: Vec<Curves>,
}

impl Replicated {
    /// n and mean logarithm of the smallest risk.
    pub fn points(&self, start: Start) -> Option<Vec<(usize, Estimate)>> {
        let point = |(replica, curves): (&Replica, &Curves)| {
            Some((replica.n, Estimate::from_values(&curves.log_best(start)?)?))
        };
        self.replicas.iter().zip(&self.curves).map(point).collect()
    }
}

/// C6: mirrored networks learn more from the same samples, and faster in n.
pub fn replica(replicated: &Replicated) -> Vec<Claim> {
    let mut claims = Vec::new();
    for (replica, curves) in replicated.replicas.iter().zip(&replicated.curves) {
        let network = format!("FCN, L = 1, m = {}; S^{{{}}}, n = {}", replica.width, replica.dimension - 1, replica.n);
        let pairs = curves.log_best(Start::Zero).zip(curves.log_best(Start::Random));
        let Some((zero, random)) = pairs else { continue };
        let differences: Vec<f64> = zero.iter().zip(&random).map(|(zero, random)| zero - random).collect();
        let measured = Estimate::from_values(&differences);
        let mean = |values: &[f64]| Estimate::from_values(values).map_or("none".into(), |e| number(e.value));
        let note = format!(
            "mean over {} trials of ln risk mirrored less ln risk standard, {} less {}; risk at the best of {} epochs; holds below 0 by two \
             standard errors",
            replica.trials,
            mean(&zero),
            mean(&random),
            replica.epochs
        );
        let holds = judge::negative(measured, Evidence::SPREAD);
        let judged = Judged { measured, theory: "< 0".into(), holds, note };
        claims.push(judged.claim("C6 mirrored networks learn more", subject(network, "both")));
    }
    let Some(last) = replicated.replicas.last() else { return claims };
    let [zero, random] = Start::ALL.map(|start| replicated.points(start).and_then(|points| slope(&points)));
    let measured = difference(zero, random);
    let holds = judge::negative(measured, Evidence::SPREAD);
    let text = |slope: Option<Estimate>| slope.map_or("none".into(), |e| number(e.value));
    let n: Vec<usize> = replicated.replicas.iter().map(|replica| replica.n).collect();
    let note = format!(
        "slope of mean ln risk against ln n, n = {n:?}: mirrored {}, standard {}; their difference; holds below 0 by two standard errors",
        text(zero),
        text(random)
    );
    let network = format!("FCN, L = 1, m = 20 n; S^{{{}}}", last.dimension - 1);
    let judged = Judged { measured, theory: "< 0".into(), holds, note };
    claims.push(judged.claim("C6 mirrored networks learn faster", subject(network, "both")));
    claims
}
