//! Claim A1: the NTK is strictly positive definite, but for networks whose odd part is linear.
//!
//! On the six points s = (-, +, -, +, -, +) is an eigenvector of every dot-product kernel. A ReLU network of one
//! hidden layer without biases has a linear odd part, so antipodal points with opposite labels lie in the null space of
//! its kernel; the same holds for one residual block.

use anyhow::Result;
use ntkscope_core::kernel::AnalyticKernel;
use ntkscope_core::network::{Bias, Fcn, Network, ResNet};
use ntkscope_core::{Backend, Error, MatMut, MatRef, Portable};

use crate::data::{DataSpec, Source, load};
use crate::kernel::analytic_kernel;
use crate::report::{Claim, Verdict, number};
use crate::study::group::Group;

/// lambda_min of the NTK on the six points, to the digits to which it is known from 40-digit arithmetic:
/// network, bias at the input, depth, value. Widths do not enter.
const KNOWN: [(Family, bool, usize, f64); 17] = [
    (Family::Fcn, false, 1, 0.0),
    (Family::Fcn, false, 2, 0.6664554841),
    (Family::Fcn, false, 3, 1.3231006504),
    (Family::Fcn, false, 5, 2.6580368418),
    (Family::Fcn, true, 1, 0.2952023005),
    (Family::Fcn, true, 2, 0.9177213623),
    (Family::Fcn, true, 3, 1.7580546045),
    (Family::Fcn, true, 5, 3.8385866674),
    (Family::ResNet(1.0), false, 1, 0.0),
    (Family::ResNet(1.0), false, 2, 1.9372369537),
    (Family::ResNet(1.0), false, 3, 8.2680103454),
    (Family::ResNet(1.0), true, 1, 0.5904046011),
    (Family::ResNet(1.0), true, 2, 3.0368333721),
    (Family::ResNet(1.0), true, 3, 10.8897363272),
    (Family::ResNet(0.5), false, 1, 0.0),
    (Family::ResNet(0.5), false, 2, 0.1812395011),
    (Family::ResNet(0.5), false, 3, 0.5252972796),
];

/// Of a network, with the branch scale of a residual one.
#[derive(Clone, Copy)]
enum Family {
    Fcn,
    ResNet(f64),
}

/// A claim for every network whose value is known.
pub fn on_six_points() -> Result<Vec<Claim>> {
    let samples = load(&DataSpec::new(Source::Circle))?;
    let x = MatRef::new(&samples.x, samples.n, samples.d)?;
    KNOWN.iter().map(|known| Ok(claim(*known, x)?)).collect()
}

fn claim((family, bias, depth, known): (Family, bool, usize, f64), x: MatRef<'_, f64>) -> Result<Claim, Error> {
    let widths = vec![1; depth];
    let (measured, name) = match family {
        Family::Fcn => {
            let network = Fcn::new(2, &widths, 1)?.with_bias(if bias { Bias::Input } else { Bias::None }, 1.0)?;
            (smallest_eigenvalue(&network, x)?, format!("FCN, L = {depth}"))
        }
        Family::ResNet(alpha) => {
            let network = ResNet::new(2, 1, depth, 1, alpha)?;
            let network = if bias { network.with_input_bias(1.0)? } else { network };
            (
                smallest_eigenvalue(&network, x)?,
                format!("ResNet, {depth} block{}, α = {alpha}", if depth == 1 { "" } else { "s" }),
            )
        }
    };
    let holds = (measured - known).abs() <= 1e-9;
    let (theory, note) = if known == 0.0 {
        (
            "0: not positive definite".to_owned(),
            "the odd part of this network is linear, so antipodal points with opposite labels cannot be fitted",
        )
    } else {
        (format!("{known}"), "")
    };
    Ok(Claim {
        claim: "A1 NTK positive definite, λ_{min}".into(),
        network: format!("{name}, {}; six-points", if bias { "input bias" } else { "no bias" }),
        loss: String::new(),
        init: String::new(),
        measured: Some(measured),
        uncertainty: None,
        theory,
        verdict: if holds { Verdict::Holds } else { Verdict::Fails },
        note: note.into(),
    })
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
    let run = group.all(crate::experiment::LossKind::CROSS_ENTROPY).next()?;
    let measured = run.finished.analytic_lambda_min;
    // n eps lambda_max, with lambda_max at most the trace; the kernel at initialization has its size
    let scale = run.rows().next().map_or(f64::NAN, |row| row.lambda_max);
    let rounding = run.finished.samples as f64 * f64::EPSILON * scale;
    Some(Claim {
        claim: "A1 NTK positive definite, λ_{min}".into(),
        network: format!("{}, input bias; {}", group.net.title(), group.part.name()),
        loss: String::new(),
        init: String::new(),
        measured: Some(measured),
        uncertainty: None,
        theory: "> 0".into(),
        verdict: if measured > rounding { Verdict::Holds } else { Verdict::NotReached },
        note: format!(
            "λ_{{min}} of the analytic NTK on {} samples; rounding is about {}",
            run.finished.samples,
            number(rounding)
        ),
    })
}
