//! Empirical kernel to analytic kernel: the error falls like one over the square root of the width.

use ntkscope_core::Portable;
use ntkscope_core::kernel::{AnalyticKernel, MultiOutput};
use ntkscope_tests::cases::{Samples, named, six_points};
use ntkscope_tests::measure::{analytic_kernel, ntk, theta};
use ntkscope_tests::tolerance::Check;

/// (width, seeds). The logarithm of one seed's error scatters by about 0.5, so with these numbers the
/// fitted slope has a standard error of at most 0.023, a third of its tolerance; that too is checked.
/// In debug builds core runs some fifty times slower: the wide networks, and with them most of the range,
/// are left to release builds, and the tolerance of the slope is the wider one of its own entry.
const WIDTHS: &[(usize, u64)] = if cfg!(debug_assertions) {
    &[(32, 150), (64, 100), (128, 60), (256, 30)]
} else {
    &[(64, 160), (128, 80), (256, 48), (512, 32), (1024, 24), (2048, 16), (4096, 10)]
};

/// |K - Theta|_F / |Theta|_F of one seed.
fn error(width: usize, seed: u64, x: &Samples<f32>, analytic: &[f64]) -> f64 {
    let widths = [width; 2];
    let network = named("bias1", 2, &widths);
    let theta: Vec<f32> = theta(&network, seed);
    let kernel = ntk(&Portable, (&network, &theta), x, None, MultiOutput::Trace);
    let (difference, norm) = kernel
        .iter()
        .zip(analytic)
        .fold((0.0, 0.0), |(d, n), (k, t)| (d + (f64::from(*k) - t) * (f64::from(*k) - t), n + t * t));
    (difference / norm).sqrt()
}

/// Slope of y against x with weights, and its standard error for independent y of these variances.
fn slope(points: &[(f64, f64, f64)]) -> (f64, f64) {
    let weight = |variance: f64| 1.0 / variance;
    let total: f64 = points.iter().map(|(_, _, v)| weight(*v)).sum();
    let mean = |f: &dyn Fn(&(f64, f64, f64)) -> f64| points.iter().map(|p| weight(p.2) * f(p)).sum::<f64>() / total;
    let (mean_x, mean_y) = (mean(&|p| p.0), mean(&|p| p.1));
    let spread: f64 = points.iter().map(|(x, _, v)| weight(*v) * (x - mean_x) * (x - mean_x)).sum();
    let product: f64 = points.iter().map(|(x, y, v)| weight(*v) * (x - mean_x) * (y - mean_y)).sum();
    (product / spread, 1.0 / spread.sqrt())
}

#[test]
fn the_error_falls_like_one_over_the_square_root_of_the_width() {
    let x = six_points::<f32>();
    let analytic =
        analytic_kernel(&Portable, &named("bias1", 2, &[1, 1]), AnalyticKernel::Ntk, &six_points::<f64>(), None);
    let mut points = Vec::new();
    for (width, seeds) in WIDTHS {
        let errors: Vec<f64> =
            (0..*seeds).map(|seed| error(*width, 100 * *width as u64 + seed, &x, &analytic)).collect();
        let count = *seeds as f64;
        let mean = errors.iter().sum::<f64>() / count;
        // relative variance of one seed's error; the same at all widths, so it is estimated from all below
        let variance = errors.iter().map(|e| (e / mean - 1.0) * (e / mean - 1.0)).sum::<f64>() / (count - 1.0);
        println!("width {width}: mean error {mean:.4}, relative deviation of a seed {:.3}", variance.sqrt());
        points.push(((*width as f64).ln(), mean.ln(), variance, count));
    }
    let pooled = points.iter().map(|p| p.2 * p.3).sum::<f64>() / points.iter().map(|p| p.3).sum::<f64>();
    let fit: Vec<_> = points.iter().map(|(x, y, _, count)| (*x, *y, pooled / count)).collect();
    let (slope, standard_error) = slope(&fit);
    println!("slope {slope:.4} +- {standard_error:.4}");
    let (mut check, mut scatter) = if cfg!(debug_assertions) {
        (Check::of("limit: slope, narrow networks"), Check::of("limit: standard error, narrow networks"))
    } else {
        (Check::of("limit: slope"), Check::of("limit: standard error of the slope"))
    };
    check.absolute(&"slope", WIDTHS, -0.5, slope);
    check.finish();
    scatter.absolute(&"standard error", WIDTHS, 0.0, standard_error);
    scatter.finish();
    // the size of the error: 3.5/sqrt(m) is the largest entry's deviation relative to the largest entry
    let scaled: Vec<f64> = fit.iter().map(|(x, y, _)| (y + 0.5 * x).exp()).collect();
    println!("error * sqrt(width): {scaled:?}");
}
