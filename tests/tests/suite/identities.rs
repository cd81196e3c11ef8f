//! Identities and lower bounds that every gradient keeps, at parameters of which no bias is 0.

use ntkscope_core::Portable;
use ntkscope_core::init::Normals;
use ntkscope_core::kernel::MultiOutput;
use ntkscope_core::network::{Dense, Network};
use ntkscope_tests::cases::{Samples, biased_residual, named};
use ntkscope_tests::measure::{jacobian_of, layers, ntk, outputs};
use ntkscope_tests::tolerance::Check;

/// Independent N(0,1) parameters, of which no bias is 0.
fn random<N: Network>(network: &N, seed: u64) -> Vec<f64> {
    let mut normals = Normals::new(seed);
    (0..network.sizes().parameters).map(|_| normals.draw()).collect()
}

/// W . df/dW and b . df/db of a layer, and |W|^2 and |b|^2; the bias's are 0 where there is none.
struct Shares {
    products: [f64; 2],
    squares: [f64; 2],
}

fn shares(layer: &Dense, theta: &[f64], gradient: &[f64]) -> Shares {
    let ranges = [layer.weights..layer.weights + layer.inputs * layer.outputs, {
        let at = layer.bias.unwrap_or(0);
        at..at + layer.bias.map_or(0, |_| layer.outputs)
    }];
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    Shares {
        products: ranges.clone().map(|range| dot(&theta[range.clone()], &gradient[range])),
        squares: ranges.map(|range| dot(&theta[range.clone()], &theta[range])),
    }
}

/// What a unit of a layer keeps under gradient flow is the square of what enters it less that of what leaves it: half the
/// rate at which that changes along df/dtheta, for every unit.
fn balances<'a>(into: Dense, out: Dense, theta: &'a [f64], gradient: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
    let product = |at: usize| theta[at] * gradient[at];
    (0..into.outputs).map(move |j| {
        let weights: f64 = (0..into.inputs).map(|k| product(into.weights + j * into.inputs + k)).sum();
        let leaving: f64 = (0..out.outputs).map(|k| product(out.weights + k * out.inputs + j)).sum();
        weights + into.bias.map_or(0.0, |at| product(at + j)) - leaving
    })
}

/// Weights count once and the bias of the l-th layer l times (Euler); K(x, x) is bounded from below by it, and by the last
/// layer and the last bias.
#[test]
fn identities_and_bounds_of_fully_connected_networks() {
    let x: Samples<f64> = Samples::gaussian(5, 3, 11);
    let widths = [40, 31, 28, 33];
    let (mut euler, mut kept) = (Check::named("homogeneity"), Check::named("conserved quantities"));
    for depth in 1..=4 {
        for seed in 0..4 {
            let network = named("hidden", 3, &widths[..depth]);
            let theta = random(&network, 100 * depth as u64 + seed);
            let (f, jacobian) = (outputs(&network, &theta, &x), jacobian_of(&network, &theta, &x));
            let kernel = ntk(&Portable, (&network, &theta), &x, None, MultiOutput::Trace);
            let scale = f.iter().fold(0.0f64, |m, v| m.max(v.abs()));
            for (i, row) in jacobian.chunks_exact(theta.len()).enumerate() {
                let (mut product, mut square) = (0.0, 0.0);
                for (l, layer) in layers(&network).enumerate() {
                    let (Shares { products, squares }, weight) = (shares(&layer, &theta, row), (l + 1) as f64);
                    product += products[0] + weight * products[1];
                    square += squares[0] + weight * weight * squares[1];
                }
                let (degree, case) = ((depth + 1) as f64, format!("hidden, depth {depth}, seed {seed}"));
                euler.scaled(&case, i, degree * f[i], product, scale);
                let own = kernel[i * (x.n + 1)];
                assert!(own * square >= degree * degree * f[i] * f[i], "{case}, sample {i}");
                let narrow = widths[depth - 1] as f64;
                assert!(own >= 2.0 * (2.0 / narrow).sqrt() * f[i].abs(), "{case}, sample {i}");
                for l in 0..depth {
                    let (into, out) = (network.layer(l), network.layer(l + 1));
                    for (j, change) in balances(into, out, &theta, row).enumerate() {
                        kept.scaled(&case, (i, l, j), 0.0, change, scale);
                    }
                }
            }
        }
    }
    euler.finish();
    kept.finish();
}

/// f is of degree 1 in v, and in all that enters the stream without passing through it: A and every bias.
#[test]
fn identities_and_bounds_of_residual_networks() {
    let x: Samples<f64> = Samples::gaussian(5, 3, 12);
    let (mut euler, mut kept) = (Check::named("homogeneity"), Check::named("conserved quantities"));
    for depth in 1..=3 {
        for (seed, alpha) in [(0, 1.0), (1, 0.5), (2, 0.3)] {
            let width = 30;
            let network = biased_residual(3, (width, depth), alpha, Some(1.0));
            let theta = random(&network, 200 * depth as u64 + seed);
            let (f, jacobian) = (outputs(&network, &theta, &x), jacobian_of(&network, &theta, &x));
            let kernel = ntk(&Portable, (&network, &theta), &x, None, MultiOutput::Trace);
            let scale = f.iter().fold(0.0f64, |m, v| m.max(v.abs()));
            for (i, row) in jacobian.chunks_exact(theta.len()).enumerate() {
                let case = format!("resnet, depth {depth}, alpha {alpha}");
                let (mut enters, mut leaves, mut square) = (0.0, 0.0, 0.0);
                for layer in layers(&network) {
                    let Shares { products, squares } = shares(&layer, &theta, row);
                    enters += products[1];
                    square += squares[1];
                    match layer.name.weights {
                        "A" => (enters, square) = (enters + products[0], square + squares[0]),
                        "v" => (leaves, square) = (leaves + products[0], square + squares[0]),
                        _ => {}
                    }
                }
                euler.scaled(&case, i, f[i], enters, scale);
                euler.scaled(&case, i, f[i], leaves, scale);
                kept.scaled(&case, i, 0.0, leaves - enters, scale);
                let own = kernel[i * (x.n + 1)];
                assert!(own * square >= 4.0 * f[i] * f[i], "{case}, sample {i}");
                assert!(own >= 2.0 * alpha / (width as f64).sqrt() * f[i].abs(), "{case}, sample {i}");
                for block in 0..depth {
                    let (into, out) = (network.layer(2 * block + 1), network.layer(2 * block + 2));
                    for (j, change) in balances(into, out, &theta, row).enumerate() {
                        kept.scaled(&case, (i, block, j), 0.0, change, scale);
                    }
                }
            }
        }
    }
    euler.finish();
    kept.finish();
}
