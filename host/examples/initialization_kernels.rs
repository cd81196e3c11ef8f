//! What kernels alone say about random initialization: decay of spectra and of random outputs on spheres, learning
//! curves on S^2 from f_0 = 0 and f_0 = f^GP.
//!
//! `cargo run --release --example initialization_kernels -- [POINTS [DRAWS [LARGEST [LEARNING_DRAWS]]]]`, by default
//! 3000 20 800 10: points and draws of the spectra, the largest n of the learning curves (100, 200, ... up to it) and
//! their draws.

use std::time::Instant;

use anyhow::{Context, Result};
use ntkscope::backend::HostReal;
use ntkscope::studies::initialization::learning::{Experiment, log_grid, slope, squared_sum, zero};
use ntkscope::studies::initialization::spectrum::{PowerLaw, Spectrum, eigenvalues, power_law, tail_sums};
use ntkscope::studies::initialization::{kernel, sphere};
use ntkscope::studies::statistics::Estimate;
use ntkscope_core::init::Normals;
use ntkscope_core::kernel::AnalyticKernel;
use ntkscope_core::network::{Bias, Fcn};
use ntkscope_core::predict::{GaussianProcess, gaussian_process_len};
use ntkscope_core::{MatMut, MatRef};

fn main() -> Result<()> {
    let given = std::env::args().skip(1).map(|arg| arg.parse().with_context(|| format!("not a count: {arg}")));
    let given = given.collect::<Result<Vec<usize>>>()?;
    let count = |index: usize, default: usize| given.get(index).copied().unwrap_or(default);
    let (points, draws, largest) = (count(0, 3000), count(1, 20), count(2, 800));
    println!("slopes on S^d, {points} points, {draws} draws of f^GP; the error of a fit says how straight it is");
    for (d, depth) in [(1, 2), (2, 1), (4, 1)] {
        spectra(d, depth, points, draws)?;
    }
    let learning_draws = u32::try_from(count(3, 10))?;
    learning("f* = (sum x)^2", squared_sum, largest, learning_draws)?;
    learning("f* = 0", zero, largest, learning_draws)
}

fn spectra(d: usize, depth: usize, points: usize, draws: usize) -> Result<()> {
    let begin = Instant::now();
    let widths = vec![1; depth];
    let network = Fcn::new(d + 1, &widths, 1)?.with_bias(Bias::None, 0.0);
    let mut normals = Normals::new(d as u64);
    let x = sphere(points, d + 1, &mut normals);
    let x = MatRef::new(&x, points, d + 1)?;
    // the largest eigenvalues come in groups of equal ones, and towards the last of n points everything bends down
    let window = if d == 1 { 10..=points / 15 } else { 20..=points / 5 };
    let nngp = kernel(&network, AnalyticKernel::Nngp, x)?;
    let nngp = MatRef::new(&nngp, points, points)?;
    let values = eigenvalues(nngp)?;
    let mut f = vec![0.0; points * draws];
    let mut buffer = vec![0.0; gaussian_process_len(points)];
    let mut process = GaussianProcess::new(f64::fast(), nngp, &mut buffer)?;
    process.draw(f64::fast(), &mut normals, MatMut::new(&mut f, points, draws)?)?;
    drop(buffer);
    let ntk = kernel(&network, AnalyticKernel::Ntk, x)?;
    let spectrum = Spectrum::new(MatRef::new(&ntk, points, points)?)?;
    let c = spectrum.coefficients(MatRef::new(&f, points, draws)?)?;
    let missing = "a fit has too few points, or vanishing ones";
    let [ntk, nngp, tail] = [spectrum.values(), &values, &tail_sums(&c, draws)].map(|v| power_law(v, &window));
    let (ntk, nngp, tail) = (ntk.context(missing)?, nngp.context(missing)?, tail.context(missing)?);
    let one = |draw: usize| {
        let c: Vec<f64> = c.iter().skip(draw).step_by(draws).copied().collect();
        power_law(&tail_sums(&c, 1), &window).map(|law| law.exponent)
    };
    let singly: Vec<f64> = (0..draws).filter_map(one).collect();
    let d = d as f64;
    println!("d = {d}, L = {depth}, k in {window:?} [{:.0} s]", begin.elapsed().as_secs_f64());
    let row = |what: &str, law: PowerLaw, theory: f64| {
        println!("  {what:24} {:7.3} +- {:.3}   theory {theory:.3}", law.exponent, law.error);
    };
    row("NTK", ntk, -(d + 1.0) / d);
    row("NNGP", nngp, -(d + 3.0) / d);
    row("tail sums of f^GP, mean", tail, -3.0 / d);
    println!("  {:24} {}   (mean of slopes, error over draws)", "the same, draw by draw", show(Estimate::of(&singly)));
    println!("  {:24} {:7.3}             theory {:.3}", "alpha", tail.exponent / ntk.exponent, 3.0 / (d + 1.0));
    Ok(())
}

fn learning(name: &str, target: fn(&[f64]) -> f64, largest: usize, draws: u32) -> Result<()> {
    let network = Fcn::new(3, &[1], 1)?.with_bias(Bias::None, 0.0);
    let times = log_grid(1.0, 1e7, 90);
    let experiment = Experiment { network: &network, target, noise: 0.2, test: 600, times: &times, seed: 0 };
    println!("learning on S^2, {name}, noise 0.2, {draws} draws: mean log risk from 0 and from f^GP");
    let (mut from_zero, mut from_gaussian) = (Vec::new(), Vec::new());
    for n in std::iter::successors(Some(100), |n| Some(2 * n)).take_while(|n| *n <= largest) {
        let begin = Instant::now();
        let point = experiment.point(n, draws)?;
        let (zero, gaussian) = (show(Some(point.zero.log)), show(Some(point.gaussian.log)));
        let seconds = begin.elapsed().as_secs_f64();
        println!(
            "  n = {n:5}  {zero}   {gaussian}   best time at an end: {}, {} [{seconds:.0} s]",
            point.zero.at_an_end, point.gaussian.at_an_end
        );
        from_zero.push((n, point.zero.log));
        from_gaussian.push((n, point.gaussian.log));
    }
    for from in [0, 1] {
        let [zero, gaussian] = [&from_zero, &from_gaussian].map(|all| show(slope(&all[from.min(all.len())..])));
        println!("  slope from n = {}: {zero}   {gaussian}   theory for f^GP {:.3}", 100 << from, -3.0 / 5.0);
    }
    Ok(())
}

fn show(estimate: Option<Estimate>) -> String {
    estimate.map_or_else(|| "     -          ".into(), |e| format!("{:7.3} +- {:.3}", e.value, e.error_or_0()))
}
