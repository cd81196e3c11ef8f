//! Empirical kernel to analytic kernel: the error falls like one over the square root of the width, and its mean over
//! initializations is small.

use ntkscope_core::Portable;
use ntkscope_core::kernel::{AnalyticKernel, MultiOutput};
use ntkscope_core::network::{Network, ResNet, Trained};
use ntkscope_tests::cases::{biased_residual, named, six_points};
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
/// Twice the matrices of the same width: narrower, with more seeds.
const RESIDUAL_WIDTHS: &[(usize, u64)] = if cfg!(debug_assertions) {
    &[(32, 250), (64, 200), (128, 120), (256, 60)]
} else {
    &[(64, 300), (128, 200), (256, 120), (512, 80), (1024, 40)]
};

/// |K - Theta|_F / |Theta|_F of one seed on the six points.
fn error<N: Network>(network: &N, seed: u64, analytic: &[f64]) -> f64 {
    let theta: Vec<f32> = theta(network, seed);
    let kernel = ntk(&Portable, (network, &theta), &six_points::<f32>(), None, MultiOutput::Trace);
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

/// Fits the slope of ln(mean error) against ln(width); `error(width, seed)` is that of one seed.
fn fit_rate(name: &str, widths: &[(usize, u64)], error: impl Fn(usize, u64) -> f64) -> (f64, f64) {
    let mut points = Vec::new();
    for (width, seeds) in widths {
        let errors: Vec<f64> = (0..*seeds).map(|seed| error(*width, 100 * *width as u64 + seed)).collect();
        let count = *seeds as f64;
        let mean = errors.iter().sum::<f64>() / count;
        // relative variance of one seed's error; the same at all widths, so it is estimated from all below
        let variance = errors.iter().map(|e| (e / mean - 1.0) * (e / mean - 1.0)).sum::<f64>() / (count - 1.0);
        println!("{name}, width {width}: mean error {mean:.4}, relative deviation of a seed {:.3}", variance.sqrt());
        points.push(((*width as f64).ln(), mean.ln(), variance, count));
    }
    let pooled = points.iter().map(|p| p.2 * p.3).sum::<f64>() / points.iter().map(|p| p.3).sum::<f64>();
    let fit: Vec<_> = points.iter().map(|(x, y, _, count)| (*x, *y, pooled / count)).collect();
    let (slope, standard_error) = slope(&fit);
    println!("{name}, slope {slope:.4} +- {standard_error:.4}");
    // the size of the error: 3.5/sqrt(m) is the largest entry's deviation relative to the largest entry
    let scaled: Vec<f64> = fit.iter().map(|(x, y, _)| (y + 0.5 * x).exp()).collect();
    println!("{name}, error * sqrt(width): {scaled:?}");
    (slope, standard_error)
}

fn check_rate(name: &str, widths: &[(usize, u64)], error: impl Fn(usize, u64) -> f64) {
    let (slope, standard_error) = fit_rate(name, widths, error);
    let (mut check, mut scatter) = if cfg!(debug_assertions) {
        (Check::named("limit: slope, narrow networks"), Check::named("limit: standard error, narrow networks"))
    } else {
        (Check::named("limit: slope"), Check::named("limit: standard error of the slope"))
    };
    check.absolute(&name, widths, -0.5, slope);
    check.finish();
    scatter.absolute(&name, widths, 0.0, standard_error);
    scatter.finish();
}

#[test]
fn the_error_of_a_fully_connected_network_falls_like_one_over_the_square_root_of_the_width() {
    let x = six_points::<f64>();
    let analytic = analytic_kernel(&Portable, &named("bias1", 2, &[1, 1]), AnalyticKernel::Ntk, &x, None);
    check_rate("bias1, depth 2", WIDTHS, |width, seed| error(&named("bias1", 2, &[width; 2]), seed, &analytic));
}

#[test]
fn the_error_of_a_residual_network_falls_like_one_over_the_square_root_of_the_width() {
    let network =
        |width| ResNet::new(2, width, 2, 1, 1.0).expect("positive sizes").with_input_bias(1.0).expect("a scale");
    let analytic = analytic_kernel(&Portable, &network(1), AnalyticKernel::Ntk, &six_points::<f64>(), None);
    check_rate("resnet, 2 blocks", RESIDUAL_WIDTHS, |width, seed| error(&network(width), seed, &analytic));
}

/// (width, seeds) of the means: in debug builds core is some fifty times slower.
const MEANS: (usize, u64) = if cfg!(debug_assertions) { (64, 200) } else { (512, 600) };

/// The mean of the kernels of so many seeds, relative to its largest entry.
fn compare_mean<N: Network>(case: &str, network: &N) {
    let (_, seeds) = MEANS;
    let expected = analytic_kernel(&Portable, network, AnalyticKernel::Ntk, &six_points::<f64>(), None);
    let mut mean = vec![0.0; expected.len()];
    for seed in 0..seeds {
        let theta: Vec<f32> = theta(network, 1000 + seed);
        let kernel = ntk(&Portable, (network, &theta), &six_points::<f32>(), None, MultiOutput::Trace);
        mean.iter_mut().zip(&kernel).for_each(|(mean, k)| *mean += f64::from(*k) / seeds as f64);
    }
    let mut check = if cfg!(debug_assertions) {
        Check::named("mean kernel over initializations, narrow networks")
    } else {
        Check::named("mean kernel over initializations")
    };
    let largest = expected.iter().fold(0.0f64, |m, k| m.max(k.abs()));
    for (e, (expected, mean)) in expected.iter().zip(&mean).enumerate() {
        check.scaled(&case, (e / 6, e % 6), *expected, *mean, largest);
    }
    check.finish();
}

#[test]
fn the_mean_kernel_of_fully_connected_networks_is_the_limit() {
    let widths = [MEANS.0; 3];
    for depth in 1..=3 {
        compare_mean(&format!("hidden, depth {depth}"), &named("hidden", 2, &widths[..depth]));
    }
}

#[test]
fn the_mean_kernel_of_residual_networks_is_the_limit() {
    for (depth, alpha, trained) in [(2, 0.5, Trained::All), (1, 1.0, Trained::Branches), (3, 1.0, Trained::All)] {
        let network = biased_residual(2, (MEANS.0, depth), alpha, Some(1.0)).with_trained(trained);
        compare_mean(&format!("resnet, depth {depth}, alpha {alpha}, {trained}"), &network);
    }
}
