//! Claim A1: the NTK is strictly positive definite, but for networks whose odd part is linear.
//!
//! On the six points s = (-, +, -, +, -, +) is an eigenvector of every dot-product kernel. A ReLU network of one
//! hidden layer without biases has a linear odd part, so antipodal points with opposite labels lie in the null space of
//! its kernel; the same holds for one residual block.

use ntkscope_core::kernel::AnalyticKernel;
use ntkscope_core::network::{Bias, Fcn, Network, ResNet, Trained};
use ntkscope_core::{Backend, Error, MatMut, MatRef, Portable};

use crate::data::{DataSpec, Source, load};
use crate::kernel::analytic_kernel;
use crate::machine::Budget;
use crate::report::{Kind, number};
use crate::study;
use crate::study::claim::{Claim, Stated, Subject, Theory, UNEXPLAINED, state_all};
use crate::study::group::Group;
use crate::study::judge::Measured;
use crate::study::net::CE;
use crate::words::count;

/// lambda_min of the NTK on the six points, to the digits to which it is known from 40-digit arithmetic. Widths do not
/// enter.
const KNOWN: [Known; 33] = [
    Known::fcn(Bias::None, 1, 0.0),
    Known::fcn(Bias::None, 2, 0.6664554841),
    Known::fcn(Bias::None, 3, 1.3231006504),
    Known::fcn(Bias::None, 5, 2.6580368418),
    Known::fcn(Bias::Input, 1, 0.2952023005),
    Known::fcn(Bias::Input, 2, 0.9177213623),
    Known::fcn(Bias::Input, 3, 1.7580546045),
    Known::fcn(Bias::Input, 5, 3.8385866674),
    // the network of (2.1)
    Known::fcn(Bias::Hidden, 1, 0.2952023005),
    Known::fcn(Bias::Hidden, 2, 0.9069271237),
    Known::fcn(Bias::Hidden, 3, 1.7755340166),
    Known::fcn(Bias::Hidden, 5, 4.2716447057),
    Known::resnet(1.0, Bias::None, 1, 0.0),
    Known::resnet(1.0, Bias::None, 2, 1.9372369537),
    Known::resnet(1.0, Bias::None, 3, 8.2680103454),
    Known::resnet(1.0, Bias::Input, 1, 0.5904046011),
    Known::resnet(1.0, Bias::Input, 2, 3.0368333721),
    Known::resnet(1.0, Bias::Input, 3, 10.8897363272),
    Known::resnet(0.5, Bias::None, 1, 0.0),
    Known::resnet(0.5, Bias::None, 2, 0.1812395011),
    Known::resnet(0.5, Bias::None, 3, 0.5252972796),
    // the network of (2.2)
    Known::resnet(1.0, Bias::Hidden, 1, 0.7113727599),
    Known::resnet(1.0, Bias::Hidden, 2, 3.6344048537),
    Known::resnet(1.0, Bias::Hidden, 3, 12.9046270593),
    Known::resnet(0.5, Bias::Hidden, 1, 0.1778431900),
    Known::resnet(0.5, Bias::Hidden, 2, 0.4946966324),
    Known::resnet(0.5, Bias::Hidden, 3, 1.0154514134),
    Known::resnet(1.0, Bias::Hidden, 1, 0.4161704594).branches(),
    Known::resnet(1.0, Bias::Hidden, 2, 2.4231190714).branches(),
    Known::resnet(1.0, Bias::Hidden, 3, 9.2803353687).branches(),
    Known::resnet(0.5, Bias::Hidden, 1, 0.1040426148).branches(),
    Known::resnet(0.5, Bias::Hidden, 2, 0.3078854826).branches(),
    Known::resnet(0.5, Bias::Hidden, 3, 0.6627380225).branches(),
];

/// A network and its smallest eigenvalue.
#[derive(Clone, Copy)]
struct Known {
    /// branch scale of a residual network; `None` is fully connected
    alpha: Option<f64>,
    bias: Bias,
    depth: usize,
    trained: Trained,
    lambda_min: f64,
}

impl Known {
    const fn fcn(bias: Bias, depth: usize, lambda_min: f64) -> Self {
        Self { alpha: None, bias, depth, trained: Trained::All, lambda_min }
    }
    const fn resnet(alpha: f64, bias: Bias, depth: usize, lambda_min: f64) -> Self {
        Self { alpha: Some(alpha), ..Self::fcn(bias, depth, lambda_min) }
    }
    /// Of which only the branches are trained: V, W and their biases.
    const fn branches(self) -> Self {
        Self { trained: Trained::Branches, ..self }
    }

    /// The analytic kernel's smallest eigenvalue.
    fn measure(self, x: MatRef<'_, f64>) -> Result<f64, Error> {
        let Self { alpha, bias, depth, trained, .. } = self;
        let Some(alpha) = alpha else {
            let widths = vec![1; depth];
            return smallest_eigenvalue(&Fcn::new(2, &widths, 1)?.with_bias(bias, 1.0)?, x);
        };
        let mut network = ResNet::new(2, 1, depth, 1, alpha)?;
        if bias != Bias::None {
            network = network.with_input_bias(1.0)?;
        }
        if bias == Bias::Hidden {
            network = network.with_branch_bias(1.0)?;
        }
        smallest_eigenvalue(&network.with_trained(trained), x)
    }

    /// The network for people.
    fn title(self) -> String {
        let Self { alpha, bias, depth, trained, .. } = self;
        let network = match alpha {
            None => format!("FCN, L = {depth}"),
            Some(alpha) => format!("ResNet, {}, α = {alpha}", count(depth, "block")),
        };
        let bias = match bias {
            Bias::None => "no bias".into(),
            Bias::Input => "input bias".into(),
            other => format!("{other} biases"),
        };
        let trained = if trained == Trained::Branches { ", only V, W, b, d trained" } else { "" };
        format!("{network}, {bias}{trained}; six-points")
    }
}

/// A known network with what was computed for it.
struct Computed {
    known: Known,
    measured: f64,
}

const NAME: &str = "A1 NTK positive definite, λ_{min}";

/// Every network whose value is known.
static KNOWN_VALUES: &[Claim<Computed>] = &[Claim {
    name: NAME,
    place: "Proposition 1; values from 40-digit arithmetic",
    kind: Kind::Check,
    about: |computed| Subject { network: computed.known.title(), ..Subject::default() },
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
    failing: UNEXPLAINED,
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
        let computed = Computed { known, measured: known.measure(x)? };
        stated.extend(state_all(KNOWN_VALUES, &computed));
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
        // within rounding it may be positive all the same
        Some(value) if value.abs() <= rounding(group) => Measured::Nothing("it is below rounding error".into()),
        value => Measured::extreme(value, "there is no run"),
    },
    theory: |_| Some(Theory::above(0.0)),
    note: |group| {
        let samples = group.runs(CE).next().map_or(0, |run| run.finished.samples);
        format!("λ_{{min}} of the analytic NTK on {samples} samples; rounding error about {}", number(rounding(group)))
    },
    failing: UNEXPLAINED,
}];

/// n eps lambda_max, with lambda_max of the kernel at initialization, which has the analytic one's size.
fn rounding(group: &Group) -> f64 {
    let run = group.runs(CE).next();
    let scale = run.as_ref().and_then(|run| run.rows().next()).map_or(f64::NAN, |row| row.lambda_max);
    run.map_or(f64::NAN, |run| run.finished.samples as f64) * f64::EPSILON * scale
}
