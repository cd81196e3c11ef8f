//! The paper's kernels as printed, beside those of the networks that it defines.

use std::path::Path;

use ntkscope_core::network::Bias;

use super::initial::{Initial, Kernels, read};
use super::reading::spread;
use crate::experiment::NetworkKind;
use crate::report::{Kind, Table, number};
use crate::study::Error;
use crate::study::cell::Finished;
use crate::study::claim::{Claim, Subject, Theory, state_all};
use crate::study::grid::Job;
use crate::study::judge::Measured;
use crate::study::kept::Kept;
use crate::study::net::Net;
use crate::study::options::Options;
use crate::study::plan::{Findings, Plan};

/// Width at which kernels are measured: one of a kernel's mean over seeds off its limit by less than a hundredth.
const WIDTH: usize = 512;
/// |x|^2 on the unit circle.
const NORM: f64 = 1.0;

/// Kernels of both networks at their start.
pub(super) struct Errata(Vec<Kept<Initial>>);

impl Errata {
    /// Depths 1 to 3 of every family that is asked for.
    pub(super) fn new(options: &Options) -> Self {
        let seeds = options.seeds.unwrap_or(if options.full { 2000 } else { 400 });
        let nets = |depth| [Net::fcn(depth), Net::resnet(depth, 0.5), Net::resnet(depth, 1.0)];
        let nets = (1..=3).flat_map(nets).map(|net| net.with_bias(Bias::Hidden));
        let nets = nets.filter(|net| options.has_network(net.kind));
        Self(nets.map(|net| Initial::new("errata", net, WIDTH, 6, seeds)).collect())
    }
}

/// K(x, x) of the infinitely wide network as the paper prints it.
fn printed(net: Net, of_network: f64) -> f64 {
    match net.kind {
        // (3.6): Sigma <- 2 (Sigma/2 + 1); (3.7): Theta <- Theta + Sigma, to L + 1
        NetworkKind::Fcn => with_bias_at_the_output(net.depth, 2.0),
        // (3.9), (3.10): the terms of the biases times |x~|^2 = |x|^2 + 1
        NetworkKind::Resnet => of_network + NORM * 2.0 * ((1.0 + net.alpha * net.alpha).powi(net.depth as i32) - 1.0),
    }
}

/// K(x, x) of a fully connected network from Sigma = Theta = |x|^2 + 1 on: Sigma grows by `bias` a layer, Theta by Sigma.
fn with_bias_at_the_output(depth: usize, bias: f64) -> f64 {
    let mut sigma = NORM + 1.0;
    (0..depth).fold(sigma, |theta, _| {
        sigma += bias;
        theta + sigma
    })
}

/// The nearest of the kernels that the network does not have.
fn gap(kernels: &Kernels) -> f64 {
    let true_one = kernels.analytic_diagonal;
    let kindly = match kernels.net.kind {
        NetworkKind::Fcn => with_bias_at_the_output(kernels.net.depth, 1.0),
        NetworkKind::Resnet => f64::INFINITY,
    };
    (printed(kernels.net, true_one) - true_one).min(kindly - true_one)
}

static CLAIMS: &[Claim<Kernels>] = &[Claim {
    name: "A6 erratum: the NTK of the network differs from the printed one",
    place: "(3.3), (3.6), (3.7), (3.9), (3.10); derived",
    kind: Kind::Check,
    about: |kernels| Subject {
        network: format!("{}; errata", kernels.net.title()),
        init: "standard".into(),
        ..Subject::default()
    },
    measure: |kernels| Measured::Values(kernels.diagonal.clone()),
    theory: |kernels| {
        let reason = "a quarter of the way to the nearest kernel that the network does not have";
        Some(Theory::number(kernels.analytic_diagonal).within(gap(kernels) / 4.0, reason))
    },
    note: |kernels| {
        let kindly = match kernels.net.kind {
            NetworkKind::Fcn => {
                let kindly = number(with_bias_at_the_output(kernels.net.depth, 1.0));
                format!(", with 2 E + 1 and a bias at the output {kindly}")
            }
            NetworkKind::Resnet => String::new(),
        };
        let printed = number(printed(kernels.net, kernels.analytic_diagonal));
        format!("K_{{0}}(x, x), mean over the six points, width {WIDTH}; as printed {printed}{kindly}")
    },
    failing: "",
}];

impl Plan for Errata {
    fn jobs(&self) -> Vec<&dyn Job> {
        self.0.iter().map(|kept| kept as &dyn Job).collect()
    }

    fn findings(&self, _: &[Finished], study: &Path) -> Result<Findings, Error> {
        let all: Vec<Kernels> = self.0.iter().map(|kept| read(kept, study)).collect::<Result<_, _>>()?;
        let header = [
            "network",
            "measured, mean ± standard deviation of one seed",
            "the network's NTK",
            "as printed",
            "with 2 E + 1 and an output bias",
        ];
        let mut table = Table::new(format!("K(x, x) on the unit circle. Measured: K_{{0}} at width {WIDTH}."), header);
        for kernels in &all {
            let Kernels { net, diagonal, analytic_diagonal, .. } = kernels;
            let kindly = match net.kind {
                NetworkKind::Fcn => number(with_bias_at_the_output(net.depth, 1.0)),
                NetworkKind::Resnet => "–".into(),
            };
            let measured = spread(&Measured::Values(diagonal.clone()));
            let printed = number(printed(*net, *analytic_diagonal));
            table.push([net.title(), measured, number(*analytic_diagonal), printed, kindly]);
        }
        let claims = all.iter().flat_map(|kernels| state_all(CLAIMS, kernels)).collect();
        Ok(Findings { claims, tables: vec![table], ..Findings::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values that were worked out by hand from the paper's formulas.
    #[test]
    fn printed_kernels_are_those_of_the_paper() {
        for (depth, [own, kindly, as_printed]) in [(1, [4.0, 5.0, 6.0]), (2, [8.0, 9.0, 12.0]), (3, [13.0, 14.0, 20.0])]
        {
            assert_eq!(with_bias_at_the_output(depth, 1.0), kindly);
            assert_eq!(printed(Net::fcn(depth), own), as_printed);
        }
        let resnet = |alpha, depth, own, as_printed| assert_eq!(printed(Net::resnet(depth, alpha), own), as_printed);
        resnet(0.5, 1, 6.5, 7.0);
        resnet(0.5, 2, 9.875, 11.0);
        resnet(0.5, 3, 14.40625, 16.3125);
        resnet(1.0, 3, 94.0, 108.0);
    }
}
