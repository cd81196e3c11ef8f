//! The paper's kernels as printed, beside those of the networks that it defines.

use std::f64::consts::FRAC_PI_3;
use std::path::Path;

use ntkscope_core::angle::arc_cosine;
use ntkscope_core::network::Bias;

use super::initial::{Initial, Kernels, read};
use super::reading::spread;
use crate::analysis::statistics::smaller;
use crate::experiment::NetworkKind;
use crate::report::{Kind, Table, number};
use crate::study::Error;
use crate::study::cell::Finished;
use crate::study::claim::{Claim, Subject, Theory, UNEXPLAINED, state_all};
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
        NetworkKind::Fcn => with_bias_at_the_output(net.depth, 2.0, 1.0),
        // (3.9), (3.10): the terms of the biases times |x~|^2 = |x|^2 + 1
        NetworkKind::Resnet => of_network + NORM * 2.0 * ((1.0 + net.alpha * net.alpha).powi(net.depth as i32) - 1.0),
    }
}

/// K(x, x') of a fully connected network at the angle of this cosine, from Sigma = Theta = x · x' + 1 on: in every layer Sigma is
/// that of the ReLU and `bias`, Theta is Theta kappa_0 + Sigma.
fn with_bias_at_the_output(depth: usize, bias: f64, cosine: f64) -> f64 {
    let (mut variance, mut sigma) = (NORM + 1.0, NORM * cosine + 1.0);
    (0..depth).fold(sigma, |theta, _| {
        let correlation = sigma / variance;
        let (kappa_0, below_1) = arc_cosine(0.5 * (1.0 - correlation), 0.5 * (1.0 + correlation), f64::sqrt);
        sigma = variance * (1.0 - below_1) + bias;
        variance += bias;
        theta * kappa_0 + sigma
    })
}

/// The smallest eigenvalue on the six points of a kernel with these entries at 0, 60, 120 and 180 degrees.
fn smallest_eigenvalue(entries: [f64; 4]) -> f64 {
    let eigenvalue = |k: u32| {
        let cosine = |j: u32| (f64::from(j * k) * FRAC_PI_3).cos();
        entries[0] + 2.0 * (entries[1] * cosine(1) + entries[2] * cosine(2)) + entries[3] * cosine(3)
    };
    (0..4).map(eigenvalue).fold(f64::INFINITY, smaller)
}

/// lambda_0 of the network's own kernel, of the printed one, and of that with 2 E + 1 and a bias at the output.
fn smallest_eigenvalues(kernels: &Kernels, without_branch_biases: &[f64]) -> [f64; 3] {
    let own: [f64; 4] = std::array::from_fn(|j| kernels.analytic[j]);
    let fully_connected = |bias: f64| {
        let entry = |j: usize| with_bias_at_the_output(kernels.net.depth, bias, (j as f64 * FRAC_PI_3).cos());
        smallest_eigenvalue(std::array::from_fn(entry))
    };
    let [printed, kindly] = match kernels.net.kind {
        NetworkKind::Fcn => [2.0, 1.0].map(fully_connected),
        NetworkKind::Resnet => {
            // (3.9), (3.10): the terms of the biases times |x~| |x~'| = 2 here
            [smallest_eigenvalue(std::array::from_fn(|j| 2.0 * own[j] - without_branch_biases[j])), f64::NAN]
        }
    };
    [smallest_eigenvalue(own), printed, kindly]
}

/// The nearest of the kernels that the network does not have.
fn gap(kernels: &Kernels) -> f64 {
    let true_one = kernels.analytic_diagonal;
    let kindly = match kernels.net.kind {
        NetworkKind::Fcn => with_bias_at_the_output(kernels.net.depth, 1.0, 1.0),
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
                let kindly = number(with_bias_at_the_output(kernels.net.depth, 1.0, 1.0));
                format!(", with 2 E + 1 and a bias at the output {kindly}")
            }
            NetworkKind::Resnet => String::new(),
        };
        let printed = number(printed(kernels.net, kernels.analytic_diagonal));
        format!("K_{{0}}(x, x), mean over the six points, width {WIDTH}; as printed {printed}{kindly}")
    },
    failing: UNEXPLAINED,
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
            "λ_{0} of the network's NTK",
            "λ_{0} as printed",
            "λ_{0} with 2 E + 1 and an output bias",
        ];
        let caption = format!(
            "K(x, x) on the unit circle, and the smallest eigenvalue λ_{{0}} on the six points. Measured: K_{{0}} at width {WIDTH}."
        );
        let mut table = Table::new(caption, header);
        for (kernels, kept) in all.iter().zip(&self.0) {
            let Kernels { net, diagonal, analytic_diagonal, .. } = kernels;
            let kindly = match net.kind {
                NetworkKind::Fcn => number(with_bias_at_the_output(net.depth, 1.0, 1.0)),
                NetworkKind::Resnet => "–".into(),
            };
            let measured = spread(&Measured::Values(diagonal.clone()));
            let printed = number(printed(*net, *analytic_diagonal));
            let without_branch_biases = kept.measurement.with_bias(Bias::Input).analytic()?;
            let shown = |value: f64| if value.is_nan() { "–".into() } else { number((1e4 * value).round() / 1e4) };
            let smallest = smallest_eigenvalues(kernels, &without_branch_biases[1..]).map(shown);
            table
                .push([net.title(), measured, number(*analytic_diagonal), printed, kindly].into_iter().chain(smallest));
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
            assert_eq!(with_bias_at_the_output(depth, 1.0, 1.0), kindly);
            assert_eq!(printed(Net::fcn(depth), own), as_printed);
        }
        let resnet = |alpha, depth, own, as_printed| assert_eq!(printed(Net::resnet(depth, alpha), own), as_printed);
        resnet(0.5, 1, 6.5, 7.0);
        resnet(0.5, 2, 9.875, 11.0);
        resnet(0.5, 3, 14.40625, 16.3125);
        resnet(1.0, 3, 94.0, 108.0);
    }

    /// On the six points, to four places, by 40-digit arithmetic for the networks' own.
    #[test]
    fn smallest_eigenvalues_on_six_points() {
        let of = |net: Net| {
            let analytic = |net: Net| Initial::new("test", net, 8, 6, 1).measurement.analytic().unwrap();
            let own = analytic(net.with_bias(Bias::Hidden));
            let kernels = Kernels {
                net,
                width: 8,
                diagonal: Vec::new(),
                rows: Vec::new(),
                analytic_diagonal: own[0],
                analytic: own[1..].to_vec(),
            };
            smallest_eigenvalues(&kernels, &analytic(net.with_bias(Bias::Input))[1..])
        };
        for (net, expected) in [
            (Net::fcn(1), [0.2952, 0.2952, 0.2952]),
            (Net::fcn(2), [0.9069, 0.9136, 0.9069]),
            (Net::fcn(3), [1.7755, 1.8414, 1.7755]),
            (Net::resnet(1, 0.5), [0.1778, 0.2081, f64::NAN]),
            (Net::resnet(3, 1.0), [12.9046, 14.9195, f64::NAN]),
        ] {
            for (here, expected) in of(net).into_iter().zip(expected) {
                assert!(expected.is_nan() || (here - expected).abs() < 6e-5, "{}: {here} {expected}", net.title());
            }
        }
    }
}
