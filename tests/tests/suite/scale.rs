//! Homogeneity as an oracle: of ReLU networks `K(s X) = s^2 K(X)`, with biases where their scale grows with s, and for s a
//! power of two to the bit, over all of a scalar's range.

use ntkscope_core::kernel::AnalyticKernel::{self, Nngp, Ntk};
use ntkscope_core::kernel::{analytic, analytic_scratch, check_samples};
use ntkscope_core::network::{Activation, Bias, Fcn, Network, ResNet, Trained};
use ntkscope_core::{Backend, Error, MatMut, Portable, Real};
use ntkscope_tests::cases::Samples;
use ntkscope_tests::measure::analytic_kernel;
use ntkscope_tests::tolerance::{Check, same_bits};

const D: usize = 3;

/// Gaussian samples, and after them parallel, opposite, equal, nearly parallel ones and 0; times 2^power.
fn samples<T: Real>(power: i32) -> Samples<T> {
    let drawn: Samples<f64> = Samples::gaussian(3, D, 11);
    let row = |i: usize, factor: f64| -> Vec<f64> { drawn.view().row(i).iter().map(|x| factor * x).collect() };
    let mut near = row(2, 1.0);
    near[0] += 1e-3;
    let rows = [row(0, 1.0), row(1, 1.0), row(2, 1.0), row(0, 2.0), row(1, -1.0), row(2, 1.0), near, vec![0.0; D]];
    // exact: first the scalar's rounding, then the power
    let scaled = |x: &f64| T::from_f64(T::from_f64(*x).to_f64() * 2f64.powi(power));
    let values: Vec<T> = rows.iter().flatten().map(scaled).collect();
    Samples::from_values(&values, D)
}

/// K(2^k X) = 4^k K(X), to the bit, wherever all that is not 0 is in the scalar's range.
fn homogeneous<T: Real, N: Network>(case: &str, network: impl Fn(f64) -> N, powers: &[i32]) {
    for which in [Nngp, Ntk] {
        let base = analytic_kernel(&Portable, &network(1.0), which, &samples::<T>(0), None);
        for power in powers {
            // the factor may be out of range where its square's product is not
            let half = T::from_f64(2f64.powi(*power));
            let expected: Vec<T> = base.iter().map(|k| *k * half * half).collect();
            let scaled = network(2f64.powi(*power));
            let got = analytic_kernel(&Portable, &scaled, which, &samples::<T>(*power), None);
            same_bits(&format!("{case}, {which}, 2^{power}"), &expected, &got);
        }
    }
}

fn all_networks<T: Real>(scalar: &str, powers: &[i32]) {
    let plain = Fcn::new(D, &[1, 1, 1], 1).expect("sizes");
    homogeneous::<T, _>(&format!("{scalar}, fcn"), |_| plain, powers);
    for bias in [Bias::Input, Bias::All] {
        let biased = |s: f64| plain.with_bias(bias, 0.75 * s).expect("a scale");
        homogeneous::<T, _>(&format!("{scalar}, fcn with bias {bias}"), biased, powers);
    }
    let blocks = ResNet::new(D, 1, 3, 1, 0.5).expect("sizes");
    for trained in [Trained::All, Trained::Branches] {
        homogeneous::<T, _>(&format!("{scalar}, resnet, {trained}"), |_| blocks.with_trained(trained), powers);
    }
    homogeneous::<T, _>(
        &format!("{scalar}, resnet with bias"),
        |s| blocks.with_input_bias(0.75 * s).expect("a scale"),
        powers,
    );
}

/// Far beyond the fourth root of the scalar's range, where products of variances leave it.
#[test]
fn relu_kernels_of_samples_at_every_power_of_two() {
    all_networks::<f64>("f64", &[-480, -300, -256, -130, -7, 1, 100, 255, 257, 400, 500]);
    all_networks::<f32>("f32", &[-46, -40, -31, -16, -3, 5, 30, 33, 50, 58]);
}

/// What of the samples is out of range is refused, with its index; 0 is not.
#[test]
fn samples_out_of_range_are_refused() {
    fn refused<T: Real>(power: i32, sample: usize, large: bool) {
        let network = Fcn::new(D, &[1], 1).expect("sizes");
        let mut x = samples::<T>(0);
        x.values[sample * D..][..D].fill(T::from_f64(2f64.powi(power)));
        let expected = Err(Error::SampleScale { sample, large });
        assert_eq!(check_samples(&network, x.view()), expected);
        let (mut kernel, mut scratch) =
            (vec![T::ZERO; 64], vec![T::ZERO; analytic_scratch(network.sizes(), Backend::<T>::tile(&Portable), 8, 8)]);
        let out = MatMut::new(&mut kernel, 8, 8).expect("length");
        assert_eq!(analytic(&Portable, &network, Ntk, x.view(), None, out, &mut scratch), expected);
        let biased = network.with_bias(Bias::Input, 1.0).expect("a scale");
        assert_eq!(check_samples(&biased, x.view()).is_err(), large, "a bias is there whatever the sample");
    }
    refused::<f64>(-520, 2, false);
    refused::<f64>(520, 5, true);
    refused::<f32>(-66, 0, false);
    refused::<f32>(66, 7, true);
    assert_eq!(check_samples(&Fcn::new(D, &[1], 1).expect("sizes"), samples::<f32>(0).view()), Ok(()));
}

/// erf and GELU are not homogeneous, but have limits: of large samples E[phi phi] depends on the angle alone for erf, and
/// is that of ReLU for GELU; of small ones phi is linear.
#[test]
fn smooth_activations_of_tiny_and_huge_samples() {
    fn limits<T: Real>(tiny: i32, huge: i32, check: &mut Check) {
        let network = |phi| Fcn::new(D, &[1], 1).expect("sizes").with_activation(phi);
        let kernel = |phi, power| analytic_kernel(&Portable, &network(phi), Nngp, &samples::<T>(power), None);
        let scaled = |kernel: Vec<T>, power: i32| -> Vec<f64> {
            kernel.iter().map(|k| k.to_f64() / 2f64.powi(power) / 2f64.powi(power)).collect()
        };
        let x = samples::<f64>(0);
        let inner = |i: usize, j: usize| (0..D).map(|k| x.values[i * D + k] * x.values[j * D + k]).sum::<f64>();
        let gram: Vec<f64> = (0..64).map(|e| inner(e / 8, e % 8)).collect();
        // erf'(0) = 2/sqrt(pi), GELU'(0) = 1/2; sigma_w^2 = 2
        let linear = |slope2: f64| -> Vec<f64> { gram.iter().map(|k| 2.0 * slope2 * k).collect() };
        check.all_scaled(
            &"tiny, erf",
            &linear(4.0 / std::f64::consts::PI),
            &scaled(kernel(Activation::Erf, tiny), tiny),
        );
        check.all_scaled(&"tiny, GELU", &linear(0.25), &scaled(kernel(Activation::Gelu, tiny), tiny));
        let relu = scaled(kernel(Activation::Relu, huge), huge);
        check.all_scaled(&"huge, GELU", &relu, &scaled(kernel(Activation::Gelu, huge), huge));
        // (2/pi) asin(cos angle) of what is not 0
        let angle = |e: usize| {
            let cosine = gram[e] / (gram[e / 8 * 9] * gram[e % 8 * 9]).sqrt();
            if cosine.is_nan() { 0.0 } else { 4.0 / std::f64::consts::PI * cosine.clamp(-1.0, 1.0).asin() }
        };
        let of_erf = kernel(Activation::Erf, huge);
        for e in (0..64).filter(|e| gram[*e].abs() < 0.99 * (gram[e / 8 * 9] * gram[e % 8 * 9]).sqrt()) {
            check.absolute(&"huge, erf", e, angle(e), of_erf[e].to_f64());
        }
    }
    let mut check = Check::named("limits of smooth activations");
    limits::<f64>(-400, 500, &mut check);
    check.finish();
    let mut check = Check::named("limits of smooth activations, f32");
    limits::<f32>(-50, 60, &mut check);
    check.finish();
    // the tangent kernels are finite there as well
    for which in [AnalyticKernel::Nngp, AnalyticKernel::Ntk] {
        for phi in [Activation::Erf, Activation::Gelu] {
            let network = Fcn::new(D, &[1, 1, 1], 1).expect("sizes").with_activation(phi);
            for power in [-60, -30, 0, 30, 60] {
                let k = analytic_kernel(&Portable, &network, which, &samples::<f32>(power), None);
                assert!(k.iter().all(|k| k.is_finite()), "{phi}, {which}, 2^{power}");
            }
        }
    }
}
