//! Predictions from more samples than the kernel's matrix leaves room for: where training ends under a penalty, by products with
//! the kernel alone.

use anyhow::Result;
use ntkscope_core::MatRef;
use ntkscope_core::kernel::AnalyticKernel;
use ntkscope_core::loss::Loss;
use ntkscope_core::network::Network;

use super::computation::Predicted;
use crate::backend::{HostReal, threads};
use crate::cli::UsageError;
use crate::cli::terminal::{in_flags, phase, say};
use crate::data::Samples;
use crate::experiment::{Init, Model};
use crate::kernel::{Analytic, HeldOut, Panels, ProductWork};
use crate::machine::memory::process_bytes;
use crate::machine::{Alone, Budget, Ended, Stop};
use crate::regression::{Accuracy, FitWork, Follow, Problem, Saved, fit, predictions};
use crate::run;
use crate::words::{count, number};

/// Residual of the equations, as a share of their right-hand side.
const TOLERANCE: f64 = 1e-8;
/// Most products with the kernel.
const MOST: usize = 2000;

/// Whether products suffice: of what starts at 0 and ends at a penalty's minimum nothing is random.
pub(super) fn by_products(model: &Model, loss: Loss, penalty: f64) -> bool {
    let starts_at_0 = matches!(model.init, Init::Mirrored | Init::Shifted);
    starts_at_0 && penalty > 0.0 && [Loss::SquaredError, Loss::CrossEntropy].contains(&loss)
}

/// What is predicted from.
pub(super) struct Regression<'a, N> {
    pub(super) network: &'a N,
    pub(super) samples: &'a Samples,
    pub(super) loss: Loss,
    pub(super) smoothing: f64,
    /// of the mean loss
    pub(super) penalty: f64,
    /// C
    pub(super) outputs: usize,
}

struct Silent;
impl Follow for Silent {
    fn product(&mut self, _: usize, _: f64) {}
}

impl<N: Network> Regression<'_, N> {
    /// The mean; no deviation, and none of Laplace's approximation, which would take the matrix.
    pub(super) fn predicted(&self, what: &str, least: u64, budget: &Budget, quiet: bool) -> Result<Predicted> {
        let Self { network, samples, loss, smoothing, penalty, outputs } = *self;
        let (n, points) = (samples.n, samples.held_out_count());
        let work = ProductWork {
            samples: n,
            inputs: samples.d,
            sizes: network.sizes(),
            empirical: None,
            scalar: size_of::<f64>(),
            tile: f64::fast().tile(),
            threads: threads(),
            ranks: 1,
            beside: least.saturating_sub(process_bytes(threads())),
        };
        let (_, rank) =
            FitWork { outputs, points, loss, rank: None }.plan(work, &format!("a {what}"), budget.limit())?;
        if !quiet {
            let why = "the kernel does not fit into memory: predictions by products with it, without laplace_sd";
            say(&format!("note: {why}"));
        }
        let _bar = phase(what, quiet);
        let by_sample: Vec<f64> = run::targets(samples, loss, smoothing, outputs)?;
        let targets: Vec<f64> = (0..outputs).flat_map(|c| by_sample.iter().skip(c).step_by(outputs).copied()).collect();
        let problem = Problem { loss, targets: MatRef::new(&targets, outputs, n)?, ridge: penalty, rank };
        let of = AnalyticKernel::Ntk;
        let source = Analytic { backend: f64::fast(), network, samples, which: of };
        let held_out = HeldOut(samples);
        let others = Analytic { samples: &held_out, ..source };
        let stop = Stop::new();
        let accuracy = Accuracy { tolerance: TOLERANCE, most: MOST, stop: &stop };
        let fitted = fit(&mut Panels::new(&source), &problem, Saved::default(), &mut Silent, &accuracy)?;
        let Ended::Done(fit) = fitted else { unreachable!("nobody asks it to end") };
        if !fit.solved.converged {
            let left = number(fit.solved.residual);
            let products = count(fit.solved.products, "product");
            let what = format!("the equations keep a residual of {left} after {products} with the kernel; raise it");
            return Err(
                UsageError::Range { flag: "--penalty", given: penalty.to_string(), what: in_flags(&what) }.into()
            );
        }
        let a = MatRef::new(&fit.dual, outputs, n)?;
        let found = predictions((&others, &source), a, &Alone, &mut |_| (), &stop)?;
        let Ended::Done(mean) = found else { unreachable!("nobody asks it to end") };
        Ok(Predicted { deviation: vec![0.0; mean.len()], mean, laplace: None, fit: None })
    }
}
