//! How smooth the labels of images are for the NTK of one hidden layer, for every coding of the labels and scale of the
//! images: `cargo run --release --example image_smoothness -- mnist|fashion-mnist DIR [SAMPLES]`, 3000 by default.
//!
//! The paper has 0.40 for MNIST and 0.22 for Fashion-MNIST, and says neither coding nor scale.

use anyhow::{Context, Result};
use ntkscope::data::{ClassSelection, DataSpec, Normalize, Source, load};
use ntkscope::studies::initialization::kernel;
use ntkscope::studies::initialization::smoothness::{Coding, Decay, nearly_all, smoothness};
use ntkscope::studies::initialization::spectrum::Spectrum;
use ntkscope_core::MatRef;
use ntkscope_core::kernel::AnalyticKernel;
use ntkscope_core::network::{Bias, Fcn};

fn main() -> Result<()> {
    let mut given = std::env::args().skip(1);
    let source: Source = given.next().context("which data set?")?.parse()?;
    let dir = given.next().context("in which directory?")?;
    let n = given.next().map_or(Ok(3000), |n| n.parse())?;
    println!("scale, coding: alpha = slope of tail sums / decay, assumed (d+1)/d, and fitted");
    for (scale, normalize) in [("as they are", Normalize::None), ("unit sphere", Normalize::Sphere)] {
        let (classes, normalize) = (Some(ClassSelection::All), Some(normalize));
        let spec =
            DataSpec { dir: Some(dir.clone().into()), n: Some(n), classes, normalize, ..DataSpec::new(source.clone()) };
        let samples = load(&spec)?;
        let network = Fcn::new(samples.d, &[1], 1)?.with_bias(Bias::Input, 1.0);
        let ntk = kernel(&network, AnalyticKernel::Ntk, MatRef::new(&samples.x, n, samples.d)?)?;
        let spectrum = Spectrum::new(MatRef::new(&ntk, n, n)?)?;
        for coding in [Coding::Value, Coding::Parity, Coding::OneHot] {
            let (f, columns) = coding.encode(&samples.labels, samples.classes)?;
            let f = MatRef::new(&f, n, columns)?;
            let row = |window, decay| -> Result<String> {
                let found = smoothness(&spectrum, f, &window, &decay)?;
                Ok(found
                    .map_or_else(|| "-".into(), |s| format!("{:.3} +- {:.3} (decay {:.3})", s.alpha, s.error, s.decay)))
            };
            let (all, middle) = (nearly_all(n), 20..=n / 5);
            let assumed = row(all, Decay::Dimension(samples.d))?;
            let fitted = row(middle.clone(), Decay::Fitted(middle))?;
            println!("{scale}, {coding:?}: k < 0.9 n {assumed};  k in 20..n/5 {fitted}");
        }
    }
    Ok(())
}
