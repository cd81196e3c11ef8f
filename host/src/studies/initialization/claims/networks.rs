//! Claims about networks: their outputs at initialization, their distance from the kernel's flow, their learning curves.

use super::super::outputs::{RandomOutputs, Tested};
use super::super::replica::Replica;
use super::{LOSS, differences, slope, subject};
use crate::analysis::curves::{Curves, Start, of_draws};
use crate::analysis::statistics::{Estimate, larger};
use crate::report::{Kind, number};
use crate::study::claim::{Claim, Failing, Stated, Subject, Theory, UNEXPLAINED, state_all};
use crate::study::group::{Group, Run};
use crate::study::judge::Measured;
use crate::study::net::MSE;

/// Outputs at initialization with what they were tested for.
pub struct OutputsTested {
    /// what was drawn
    pub outputs: RandomOutputs,
    /// and found
    pub tested: Tested,
}

impl OutputsTested {
    fn subject(&self) -> Subject {
        Subject {
            network: format!("FCN, L = 1, m = {}; {} points on S^{{2}}", self.outputs.width, self.outputs.points),
            loss: "none".into(),
            init: "standard".into(),
            failed: 0,
        }
    }
    /// Pseudo-values, one for each of so many equal groups.
    fn of_groups(&self, values: &[f64]) -> Measured {
        let each = self.outputs.networks as usize / values.len().max(1);
        Measured::sample(values.to_vec(), format!("groups of {each} networks"))
    }
    /// 15/m.
    fn kurtosis(&self) -> f64 {
        15.0 / self.outputs.width as f64
    }
}

/// C1: outputs at random initialization against GP(0, NNGP).
static OUTPUTS: &[Claim<OutputsTested>] = &[
    Claim {
        name: "C1 covariance of f_{0}",
        place: "Lemma 3.2; the covariance is exact at every width of one hidden layer",
        kind: Kind::Check,
        about: OutputsTested::subject,
        measure: |all| Measured::Exact(all.tested.covariance),
        theory: |_| Some(Theory::at_most(4.0)),
        note: |all| {
            format!(
                "largest deviation among {} entries of the covariance of the whitened outputs from the NNGP, in standard errors over {} networks; \
                 exact at every width, so only chance (1 in 1,600) or an error of the program exceeds 4",
                all.tested.pairs, all.outputs.networks
            )
        },
        failing: UNEXPLAINED,
    },
    Claim {
        name: "C1 excess kurtosis of f_{0}",
        place: "derived: 15/m",
        kind: Kind::Claim,
        about: OutputsTested::subject,
        measure: |all| all.of_groups(&all.tested.kurtosis),
        theory: |all| {
            let reason = "a tenth, or a kurtosis that shifts no quantile within two standard deviations by 1 %";
            Some(Theory::number(all.kurtosis()).within(f64::max(0.1 * all.kurtosis(), 0.1), reason))
        },
        note: |all| {
            format!("mean over the points, {} networks; jackknife interval over ten groups", all.outputs.networks)
        },
        failing: UNEXPLAINED,
    },
    Claim {
        name: "C1 normality of f_{0}",
        place: "Lemma 3.2: Gaussian in the limit; derived: 0.023 · 15/m",
        kind: Kind::Claim,
        about: OutputsTested::subject,
        measure: |all| all.of_groups(&all.tested.distances),
        theory: |all| {
            // of an expansion in the cumulants: phi(z) kappa/24 |z^3 - 3 z| is largest, 0.023 kappa, at z = 0.74
            let reason = "higher cumulants at small widths, sampling noise at large ones";
            Some(Theory::number(0.023 * all.kurtosis()).within(0.01, reason))
        },
        note: |all| {
            format!(
                "Kolmogorov distance of the whitened outputs of {} networks from N(0,1); jackknife interval over ten groups",
                all.outputs.networks
            )
        },
        failing: UNEXPLAINED,
    },
];

/// C1 for one width.
pub fn outputs(tested: &OutputsTested) -> Vec<Stated> {
    state_all(OUTPUTS, tested)
}

/// sup over time and points of |f_t - f_t^NTK|, both from the network's own f_0.
pub fn farthest(run: &Run) -> Option<f64> {
    let rows = run.finished.predictions.rows.iter();
    rows.map(|row| row.ntk.difference.max(row.ntk.difference_held_out)).reduce(larger)
}

/// C2: networks stay beside the kernel's flow, at all times.
static CLOSENESS: &[Claim<Group>] = &[Claim {
    name: "C2 distance from the kernel flow, uniformly in time",
    place: "Proposition 3.3; the rate is that of K_{0}",
    kind: Kind::Claim,
    about: |group| group.subject(LOSS),
    measure: |group| group.exponents_in_width(MSE, &group.widths(), farthest),
    theory: |_| {
        let reason = "small widths; the alternative is a distance that does not decay, 0";
        Some(Theory::number(-0.5).said("−1/2").within(0.25, reason))
    },
    note: |group| {
        format!(
            "slope of the logarithm of the largest |f_{{t}} − f_{{t}}^{{NTK}}| against ln m, training and held-out points, all snapshots to t = {}; its \
             mean at each width: {}",
            group
                .runs(MSE)
                .next()
                .map_or("none".into(), |run| number(run.finished.cell.run.settings.training.until_time)),
            group.by_width(MSE, farthest)
        )
    },
    failing: Failing {
        above: "eigenvalues smaller than the spread of K_{0} at these widths are learned within the time measured, and there a network \
                follows its own kernel: no width is wide yet",
        ..UNEXPLAINED
    },
}];

/// C2 for one initialization.
pub fn closeness(group: &Group) -> Vec<Stated> {
    state_all(CLOSENESS, group)
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
    /// Slope of ln risk over ln n of every trial.
    fn slopes(&self, start: Start) -> Option<Vec<f64>> {
        let logs = |(replica, curves): (&Replica, &Curves)| (replica.n, curves.log_best(start));
        of_draws(self.replicas.iter().zip(&self.curves).map(logs), slope)
    }
}

/// Networks of one size.
struct OfSize<'r> {
    replica: &'r Replica,
    curves: &'r Curves,
}

fn mean(values: Option<Vec<f64>>) -> String {
    values.and_then(|values| Estimate::from_values(&values)).map_or("none".into(), |mean| number(mean.value))
}

/// C6 at one n.
fn more<'r>() -> Claim<OfSize<'r>> {
    Claim {
        name: "C6 mirrored networks learn more",
        place: "Figure 1",
        kind: Kind::Claim,
        about: |of| {
            let Replica { width, dimension, n, .. } = *of.replica;
            subject(format!("FCN, L = 1, m = {width}; S^{{{}}}, n = {n}", dimension - 1), "both")
        },
        measure: |of| differences(of.curves.log_best(Start::Zero), of.curves.log_best(Start::Random)),
        theory: |_| Some(Theory::below(0.0)),
        note: |of| {
            format!(
                "ln risk mirrored, {}, minus ln risk standard, {}, on the same samples, {} trials; risk at the best of {} epochs",
                mean(of.curves.log_best(Start::Zero)),
                mean(of.curves.log_best(Start::Random)),
                of.replica.trials,
                of.replica.epochs
            )
        },
        failing: UNEXPLAINED,
    }
}

/// C6 over n.
static FASTER: &[Claim<Replicated>] = &[Claim {
    name: "C6 mirrored networks learn faster",
    place: "Figure 1",
    kind: Kind::Claim,
    about: |all| {
        let sphere = all.replicas.first().map_or(0, |replica| replica.dimension - 1);
        subject(format!("FCN, L = 1, m = 20 n; S^{{{sphere}}}"), "both")
    },
    measure: |all| differences(all.slopes(Start::Zero), all.slopes(Start::Random)),
    theory: |_| Some(Theory::below(0.0)),
    note: |all| {
        let n: Vec<usize> = all.replicas.iter().map(|replica| replica.n).collect();
        format!(
            "slope of ln risk against ln n, n = {n:?}: mirrored {}, minus standard {}, one value per trial",
            mean(all.slopes(Start::Zero)),
            mean(all.slopes(Start::Random))
        )
    },
    failing: UNEXPLAINED,
}];

/// C6: mirrored networks learn more from the same samples, and faster in n.
pub fn replica(replicated: &Replicated) -> Vec<Stated> {
    let sizes = replicated.replicas.iter().zip(&replicated.curves);
    let at_n = sizes.filter_map(|(replica, curves)| more().state(&OfSize { replica, curves }));
    at_n.chain(state_all(FASTER, replicated)).collect()
}
