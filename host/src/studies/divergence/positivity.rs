//! Claim A1: the NTK is strictly positive definite, but for networks whose odd part is linear.
//!
//! On the six points s = (-, +, -, +, -, +) is an eigenvector of every dot-product kernel. A ReLU network of one
//! hidden layer without biases has a linear odd part, so antipodal points with opposite labels lie in the null space of
//! its kernel; the same holds for one residual block.

use ntkscope_core::kernel::AnalyticKernel;
use ntkscope_core::network::{Bias, Fcn, Network, ResNet};
use ntkscope_core::{Backend, Error, MatMut, MatRef, Portable};

use crate::analysis::statistics::Estimate;
use crate::data::{DataSpec, Source, load};
use crate::kernel::analytic_kernel;
use crate::machine::Budget;
use crate::report::{Claim, number};
use crate::study;
use crate::study::group::Group;
use crate::study::judge::{self, Judged, Subject};
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

    fn claim(self, x: MatRef<'_, f64>) -> Result<Claim, Error> {
        let Self { alpha, bias, depth, lambda_min } = self;
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
        let (theory, note) = if lambda_min == 0.0 {
            (
                "0: not positive definite".to_owned(),
                "the odd part of this network is linear, so antipodal points with opposite labels cannot be fitted",
            )
        } else {
            (format!("{lambda_min}"), "")
        };
        let bias = if bias == Bias::Input { "input bias" } else { "no bias" };
        let subject = Subject { network: format!("{name}, {bias}; six-points"), ..Subject::default() };
        let judged = Judged {
            measured: Some(Estimate::extreme(measured)),
            theory,
            holds: judge::within(Some(measured), lambda_min, 1e-9),
            note: note.into(),
        };
        Ok(judged.claim(CLAIM, subject))
    }
}

const CLAIM: &str = "A1 NTK positive definite, λ_{min}";

/// A claim for every network whose value is known.
///
/// # Errors
/// None but those of the kernel, which has finite numbers here.
pub fn on_six_points() -> Result<Vec<Claim>, study::Error> {
    let samples = load(&DataSpec::new(Source::Circle), &Budget::default())?;
    let x = MatRef::new(&samples.x, samples.n, samples.d)?;
    KNOWN.iter().map(|known| Ok(known.claim(x)?)).collect()
}

fn smallest_eigenvalue<N: Network>(network: &N, x: MatRef<'_, f64>) -> Result<f64, Error> {
    let n = x.rows();
    let mut kernel = analytic_kernel(&Portable, network, AnalyticKernel::Ntk, x)?;
    let (mut values, mut scratch) = (vec![0.0; n], vec![0.0; n]);
    Portable.symmetric_eigenvalues(MatMut::new(&mut kernel, n, n)?, &mut values, &mut scratch)?;
    Ok(values[0])
}

/// The same for the samples of a group, where no value is known: positive beyond rounding.
pub fn on_samples(group: &Group<'_>) -> Option<Claim> {
    let run = group.runs(CE).next()?;
    let (measured, samples) = (run.finished.analytic_lambda_min, run.finished.samples);
    // n eps lambda_max, with lambda_max at most the trace; the kernel at initialization has its size
    let scale = run.rows().next().map_or(f64::NAN, |row| row.lambda_max);
    let rounding = samples as f64 * f64::EPSILON * scale;
    let network = format!("{}, input bias; {}", group.net.title(), group.part.name);
    let judged = Judged {
        measured: Some(Estimate::extreme(measured)),
        theory: "> 0".into(),
        // below rounding it may be positive all the same
        holds: judge::above(Some(measured), rounding).filter(|holds| *holds),
        note: format!("λ_{{min}} of the analytic NTK on {samples} samples; rounding is about {}", number(rounding)),
    };
    Some(judged.claim(CLAIM, Subject { network, ..Subject::default() }))
}
