//! Claim A1: the NTK is strictly positive definite, but for networks whose odd part is linear.
//!
//! On the six points s = (-, +, -, +, -, +) is an eigenvector of every dot-product kernel. A ReLU network of one
//! hidden layer without biases has a linear odd part, so antipodal points with opposite labels lie in the null space of
//! its kernel; the same holds for one residual block.

use ntkscope_core::kernel::AnalyticKernel;
use ntkscope_core::network::{Bias, Fcn, Network, ResNet};
use ntkscope_core::{Backend, Error, MatMut, MatRef, Portable};

use crate::data::{DataSpec, Source, load};
use crate::kernel::analytic_kernel;
use crate::machine::Budget;
use crate::report::{Kind, number};
use crate::study;
use crate::study::claim::{Claim, Stated, Subject, Theory, state_all};
use crate::study::group::Group;
use crate::study::judge::Measured;
use crate::study::net::CE;

/// lambda_min of the NTK on the six points, to the digits to which it is known from 40-digit arithmetic. Widths do not
/// enter.
const KNOWN: [Known; 17] = [
    Known::fcn(Bias::None, 1, 0.0),
    Known::fcn(Bias::None, 2, 0.6664554841),
    Known::fcn(Bias::None, 3, 1.3231006504),
    Known::fcn(Bias::None, 5, 2.6580368418),
    Known::fcn(Bias::Input, 1, 0.2952023005),
    Known::fcn(Bias::Input, 2, 0.9177213623),
    Known::fcn(Bias::Input, 3, 1.7580546045),
    Known::fcn(Bias::Input, 5, 3.8385866674),
    Known::resnet(1.0, Bias::None, 1, 0.0),
    Known::resnet(1.0, Bias::None, 2, 1.9372369537),
    Known::resnet(1.0, Bias::None, 3, 8.2680103454),
    Known::resnet(1.0, Bias::Input, 1, 0.5904046011),
    Known::resnet(1.0, Bias::Input, 2, 3.0368333721),
    Known::resnet(1.0, Bias::Input, 3, 10.8897363272),
    Known::resnet(0.5, Bias::None, 1, 0.0),
    Known::resnet(0.5, Bias::None, 2, 0.1812395011),
    Known::resnet(0.5, Bias::None, 3, 0.5252972796),
];

/// A network and its smallest eigenvalue.
#[derive(Clone, Copy)]
struct Known {
    /// branch scale of a residual network; `None` is fully connected
    alpha: Option<f64>,
    bias: Bias,
    depth: usize,
    lambda_min: f64,
}

impl Known {
    const fn fcn(bias: Bias, depth: usize, lambda_min: f64) -> Self {
        Self { alpha: None, bias, depth, lambda_min }
    }
    const fn resnet(alpha: f64, bias: Bias, depth: usize, lambda_min: f64) -> Self {
        Self { alpha: Some(alpha), bias, depth, lambda_min }
    }

    /// The analytic kernel's smallest eigenvalue, and the network's name.
    fn measure(self, x: MatRef<'_, f64>) -> Result<(f64, String), Error> {
        let Self { alpha, bias, depth, .. } = self;
        let widths = vec![1; depth];
        let (measured, name) = match alpha {
            None => {
                let network = Fcn::new(2, &widths, 1)?.with_bias(bias, 1.0)?;
                (smallest_eigenvalue(&network, x)?, format!("FCN, L = {depth}"))
            }
            Some(alpha) => {
                let network = ResNet::new(2, 1, depth, 1, alpha)?;
                let network = if bias == Bias::Input { network.with_input_bias(1.0)? } else { network };
                let plural = if depth == 1 { "" } else { "s" };
                (smallest_eigenvalue(&network, x)?, format!("ResNet, {depth} block{plural}, α = {alpha}"))
            }
        };
        let bias = if bias == Bias::Input { "input bias" } else { "no bias" };
        Ok((measured, format!("{name}, {bias}; six-points")))
    }
}

/// A known network with what was computed for it.
pub struct Computed {
    known: Known,
    measured: f64,
    network: String,
}

const NAME: &str = "A1 NTK positive definite, λ_{min}";

/// Every network whose value is known.
pub static KNOWN_VALUES: &[Claim<Computed>] = &[Claim {
    name: NAME,
    place: "Proposition 1; values from 40-digit arithmetic",
    kind: Kind::Check,
    about: |computed| Subject { network: computed.network.clone(), ..Subject::default() },
    measure: |computed| Measured::Exact(computed.measured),
    theory: |computed| {
        let theory = Theory::number(computed.known.lambda_min).within(1e-9, "the digits known");
        Some(match computed.known.lambda_min {
            0.0 => theory.said("0: not positive definite"),
            value => theory.said(format!("{value}")),
        })
    },
    note: |computed| match computed.known.lambda_min {
        0.0 => {
            "the odd part of this network is linear, so antipodal points with opposite labels cannot be fitted".into()
        }
        _ => String::new(),
    },
    failing: "",
}];

/// What they say of every network whose value is known.
///
/// # Errors
/// None but those of the kernel, which has finite numbers here.
pub fn on_six_points() -> Result<Vec<Stated>, study::Error> {
    let samples = load(&DataSpec::new(Source::Circle), &Budget::default())?;
    let x = MatRef::new(&samples.x, samples.n, samples.d)?;
    let mut stated = Vec::new();
    for known in KNOWN {
        let (measured, network) = known.measure(x)?;
        stated.extend(state_all(KNOWN_VALUES, &Computed { known, measured, network }));
    }
    Ok(stated)
}

fn smallest_eigenvalue<N: Network>(network: &N, x: MatRef<'_, f64>) -> Result<f64, Error> {
    let n = x.rows();
    let mut kernel = analytic_kernel(&Portable, network, AnalyticKernel::Ntk, x)?;
    let (mut values, mut scratch) = (vec![0.0; n], vec![0.0; n]);
    Portable.symmetric_eigenvalues(MatMut::new(&mut kernel, n, n)?, &mut values, &mut scratch)?;
    Ok(values[0])
}

/// The samples of a group, where no value is known: positive beyond rounding.
pub static ON_SAMPLES: &[Claim<Group>] = &[Claim {
    name: NAME,
    place: "Proposition 1",
    kind: Kind::Check,
    about: |group| Subject {
        network: format!("{}, input bias; {}", group.net.title(), group.part.name),
        ..Subject::default()
    },
    measure: |group| match group.runs(CE).next().map(|run| run.finished.analytic_lambda_min) {
        // below rounding it may be positive all the same
        Some(value) if value <= rounding(group) => Measured::Nothing("it is below rounding error".into()),
        value => Measured::extreme(value, "there is no run"),
    },
    theory: |_| Some(Theory::at_least(0.0).said("> 0")),
    note: |group| {
        let samples = group.runs(CE).next().map_or(0, |run| run.finished.samples);
        format!("λ_{{min}} of the analytic NTK on {samples} samples; rounding error about {}", number(rounding(group)))
    },
    failing: "",
}];

/// n eps lambda_max, with lambda_max of the kernel at initialization, which has the analytic one's size.
fn rounding(group: &Group) -> f64 {
    let run = group.runs(CE).next();
    let scale = run.as_ref().and_then(|run| run.rows().next()).map_or(f64::NAN, |row| row.lambda_max);
    run.map_or(f64::NAN, |run| run.finished.samples as f64) * f64::EPSILON * scale
}
