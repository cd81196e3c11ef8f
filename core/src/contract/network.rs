//! The contract of a [`Network`].

use super::{SEED, near, same};
use crate::backward::{backward, gradient};
use crate::buffer::take_front;
use crate::forward::{Params, forward};
use crate::init::{Normals, initialize};
use crate::kernel::{AnalyticKernel, analytic, analytic_scratch};
use crate::network::{Network, Sizes, Source};
use crate::{Backend, MatMut, MatRef, Portable};

/// Samples.
const N: usize = 3;
/// Step of the central differences; their error is about its square, and epsilon over it.
const STEP: f64 = 1e-6;
/// Relative error allowed to central differences: three digits more than the step loses to rounding.
const DIFFERENCE: f64 = 1e-6;

/// Elements of the buffer of [`network`].
pub const fn network_len(sizes: Sizes) -> usize {
    let scratch = analytic_scratch(sizes, Portable::TILE, N, N);
    let directions = sizes.outputs;
    3 * sizes.parameters
        + 2 * N * sizes.activations
        + 2 * N * directions * sizes.deltas
        + N * directions * sizes.outputs
        + N * sizes.inputs
        + 2 * N * N
        + scratch
}

/// Panics where `network` breaks the contract of [`Network`]:
///
/// - the layers tile the parameters: every parameter is a weight or a bias of exactly one layer; no two arrays have one
///   name; inputs and derivatives lie inside the buffers, and derivatives do not overlap;
/// - initialization sets every parameter, and the same ones again for the same seed;
/// - the forward pass fills every activation and reads none that it has not written, and a sample's are those that it has in a
///   batch by itself; the outputs are the last C;
/// - the backward pass fills every derivative, does not read the outputs, takes every direction as it would be taken by
///   itself, and is linear in the cotangent;
/// - the gradient that the layers' pairs (A, D) give is that of central differences, parameter by parameter, and 0 where a
///   layer is not trained;
/// - the analytic kernels are finite and symmetric, and that of a sample with itself is not negative.
///
/// `buffer` holds at least [`network_len`] numbers. Meant for small networks: the gradient takes two forward passes for each parameter.
#[track_caller]
pub fn network<N: Network>(network: &N, buffer: &mut [f64]) {
    let sizes = network.sizes();
    assert!(buffer.len() >= network_len(sizes), "a buffer of {} numbers is needed", network_len(sizes));
    assert!(sizes.inputs > 0 && sizes.outputs > 0 && sizes.layers > 0, "sizes: {sizes:?}");
    layers(network);
    let mut rest = buffer;
    let (theta, again) = (take_front(&mut rest, sizes.parameters), take_front(&mut rest, sizes.parameters));
    let x = take_front(&mut rest, self::N * sizes.inputs);
    let mut normals = Normals::new(SEED);
    x.iter_mut().for_each(|x| *x = normals.draw());
    let x = MatRef::dense(x, self::N, sizes.inputs);
    parameters(network, theta, again);
    passes(network, theta, x, rest);
    differences(network, theta, again, x, rest);
    limit(network, x, rest);
}

/// Where the layers say that their pieces lie.
#[track_caller]
fn layers<N: Network>(network: &N) {
    let sizes = network.sizes();
    let inside = |at: usize, from: usize, len: usize| usize::from((from..from + len).contains(&at));
    let all = || (0..sizes.layers).map(|index| network.layer(index));
    for at in 0..sizes.parameters {
        let owners: usize = all()
            .map(|l| inside(at, l.weights, l.inputs * l.outputs) + l.bias.map_or(0, |bias| inside(at, bias, l.outputs)))
            .sum();
        assert!(owners == 1, "parameter {at} of {} belongs to {owners} arrays of the layers", sizes.parameters);
    }
    let kinks: usize = all().map(|l| l.kinks.map_or(0, |_| l.outputs)).sum();
    assert!(kinks == sizes.kinks, "the layers have {kinks} kinks, the network {}", sizes.kinks);
    let held: usize = all().map(|l| l.inputs * l.outputs + l.bias.map_or(0, |_| l.outputs)).sum();
    assert!(held == sizes.parameters, "the layers hold {held} parameters, the network has {}", sizes.parameters);
    for (i, layer) in all().enumerate() {
        match layer.source {
            Source::Samples => assert!(layer.inputs == sizes.inputs, "layer {i} reads samples of {}", layer.inputs),
            Source::Activations(at) => {
                assert!(at + layer.inputs <= sizes.activations, "layer {i} reads beyond the activations");
            }
        }
        assert!(layer.delta + layer.outputs <= sizes.deltas, "layer {i}: its derivatives lie beyond the buffer");
        let kinks_inside = layer.kinks.is_none_or(|at| at + layer.outputs <= sizes.activations);
        assert!(kinks_inside, "layer {i}: its kinks lie beyond the activations");
        assert!(layer.weight_scale.is_finite() && layer.bias_scale.is_finite(), "layer {i}: its scales");
        for (j, other) in all().enumerate().take(i) {
            let apart = layer.delta + layer.outputs <= other.delta || other.delta + other.outputs <= layer.delta;
            assert!(apart, "the derivatives of layers {j} and {i} overlap");
            let (a, b) = (&layer.name, &other.name);
            let (weights, bias) = (a.weights == b.weights, layer.bias.and(other.bias).is_some() && a.bias == b.bias);
            let alike = a.prefix == b.prefix && a.index == b.index && (weights || bias);
            assert!(!alike, "layers {j} and {i} have an array of the same name, {}", a.of_weights());
        }
    }
}

#[track_caller]
fn parameters<N: Network>(network: &N, theta: &mut [f64], again: &mut [f64]) {
    theta.fill(f64::NAN);
    again.fill(f64::INFINITY);
    for theta in [&mut *theta, &mut *again] {
        let done = initialize(network, SEED, theta);
        assert!(done == Ok(()), "initialization: {done:?}");
    }
    let wrong = (0..theta.len()).find(|at| !theta[*at].is_finite() || !same(theta[*at], again[*at]));
    assert!(wrong.is_none(), "initialization leaves parameter {wrong:?}, or draws it otherwise the next time");
}

#[track_caller]
fn passes<N: Network>(network: &N, theta: &[f64], x: MatRef<'_, f64>, mut rest: &mut [f64]) {
    let (sizes, n) = (network.sizes(), x.rows());
    let (c, directions) = (sizes.outputs, sizes.outputs);
    let values = take_front(&mut rest, n * sizes.activations);
    let alone = take_front(&mut rest, sizes.activations);
    values.fill(f64::NAN);
    network.forward(&Portable, theta, x, values);
    assert!(values.iter().all(|v| v.is_finite()), "the forward pass leaves an activation, or reads one too early");
    for i in 0..n {
        alone.fill(f64::NAN);
        network.forward(&Portable, theta, x.block(i..i + 1, 0..x.cols()), alone);
        for layer in (0..sizes.layers).map(|index| network.layer(index)) {
            let Source::Activations(at) = layer.source else { continue };
            let batch = &values[n * at + i * layer.inputs..][..layer.inputs];
            let equal = batch.iter().zip(&alone[at..]).all(|(a, b)| near(*a, *b, 1e-13 * (1.0 + b.abs())));
            assert!(equal, "sample {i} has other inputs of {} in a batch than alone", layer.name.of_weights());
        }
        let outputs = &values[n * (sizes.activations - c) + i * c..][..c];
        let equal =
            outputs.iter().zip(&alone[sizes.activations - c..]).all(|(a, b)| near(*a, *b, 1e-12 * (1.0 + b.abs())));
        assert!(equal, "sample {i} has other outputs in a batch than alone");
    }
    // cotangents of every direction, random
    let mut normals = Normals::new(SEED + 1);
    let cotangent = take_front(&mut rest, n * directions * c);
    cotangent.iter_mut().for_each(|v| *v = normals.draw());
    values[n * (sizes.activations - c)..].fill(f64::NAN);
    let deltas = take_front(&mut rest, n * directions * sizes.deltas);
    let once = take_front(&mut rest, n * sizes.deltas);
    deltas.fill(f64::NAN);
    let rows = MatRef::dense(cotangent, n * directions, c);
    network.backward(&Portable, theta, values, rows, deltas);
    let whole = deltas.iter().all(|v| v.is_finite());
    assert!(whole, "the backward pass leaves a derivative, reads one too early, or reads the outputs");
    for r in 0..directions {
        // row i R + r is sample i in direction r, and twice the cotangent gives twice the derivative
        let mut one = [0.0; MOST];
        assert!(n * c <= MOST, "at most {} outputs are tried", MOST / n);
        for (i, row) in one.chunks_exact_mut(c).enumerate().take(n) {
            row.iter_mut().zip(rows.row(i * directions + r)).for_each(|(a, b)| *a = -2.0 * b);
        }
        once.fill(f64::NAN);
        network.backward(&Portable, theta, values, MatRef::dense(&one[..n * c], n, c), once);
        for layer in (0..sizes.layers).map(|index| network.layer(index)) {
            let m = layer.outputs;
            for i in 0..n {
                let all = &deltas[n * directions * layer.delta + (i * directions + r) * m..][..m];
                let single = &once[n * layer.delta + i * m..][..m];
                let equal = all.iter().zip(single).all(|(a, b)| near(-2.0 * a, *b, 1e-12 * (1.0 + b.abs())));
                assert!(
                    equal,
                    "direction {r} of sample {i} differs by itself, or is not linear: {}",
                    layer.name.of_weights()
                );
            }
        }
    }
}

/// Most cotangents of one direction.
const MOST: usize = 64;

#[track_caller]
fn differences<N: Network>(network: &N, theta: &[f64], moved: &mut [f64], x: MatRef<'_, f64>, mut rest: &mut [f64]) {
    let (sizes, n) = (network.sizes(), x.rows());
    let c = sizes.outputs;
    let slope = take_front(&mut rest, sizes.parameters);
    let values = take_front(&mut rest, n * sizes.activations);
    let deltas = take_front(&mut rest, n * sizes.deltas);
    let mut cotangent = [0.0; MOST];
    let mut normals = Normals::new(SEED + 2);
    cotangent[..n * c].iter_mut().for_each(|v| *v = normals.draw());
    let cotangent = &cotangent[..n * c];
    let done = Params::new(network, theta).and_then(|params| {
        let activations = forward(&Portable, params, x, values)?;
        let deltas = backward(&Portable, params, &activations, MatRef::dense(cotangent, n, c), deltas)?;
        gradient(&Portable, &activations, &deltas, slope)
    });
    assert!(done == Ok(()), "the gradient: {done:?}");
    let mut value_at = |theta: &[f64]| {
        network.forward(&Portable, theta, x, values);
        let outputs = &values[n * (sizes.activations - c)..];
        outputs.iter().zip(cotangent).fold(0.0, |s, (f, g)| s + f * g)
    };
    moved.copy_from_slice(theta);
    for layer in (0..sizes.layers).map(|index| network.layer(index)) {
        let bias = layer.bias.map_or(0..0, |at| at..at + layer.outputs);
        let weights = layer.weights..layer.weights + layer.inputs * layer.outputs;
        for at in weights.clone().chain(bias) {
            moved[at] = theta[at] + STEP;
            let above = value_at(moved);
            moved[at] = theta[at] - STEP;
            let difference = (above - value_at(moved)) / (2.0 * STEP);
            moved[at] = theta[at];
            let trained = if weights.contains(&at) { layer.weights_trained } else { layer.bias_trained };
            let expected = if trained { difference } else { 0.0 };
            assert!(
                near(slope[at], expected, DIFFERENCE * (1.0 + difference.abs())),
                "the gradient in parameter {at} ({}): {} in place of {expected}",
                layer.name.of_weights(),
                slope[at]
            );
        }
    }
}

#[track_caller]
fn limit<N: Network>(network: &N, x: MatRef<'_, f64>, mut rest: &mut [f64]) {
    let n = x.rows();
    let (kernel, swapped) = (take_front(&mut rest, n * n), take_front(&mut rest, n * n));
    let scratch = take_front(&mut rest, analytic_scratch(network.sizes(), Backend::<f64>::tile(&Portable), n, n));
    for which in [AnalyticKernel::Nngp, AnalyticKernel::Ntk] {
        kernel.fill(f64::NAN);
        let done = analytic(&Portable, network, which, x, None, MatMut::dense(kernel, n, n), scratch)
            .and_then(|()| analytic(&Portable, network, which, x, Some(x), MatMut::dense(swapped, n, n), scratch));
        assert!(done == Ok(()), "{which:?}: {done:?}");
        let size = kernel.iter().fold(0.0f64, |m, k| m.max(k.abs()));
        for i in 0..n {
            assert!(kernel[i * n + i] >= 0.0, "{which:?}: sample {i} with itself has {}", kernel[i * n + i]);
            for j in 0..n {
                let (one, other) = (swapped[i * n + j], swapped[j * n + i]);
                let equal = near(one, other, 1e-13 * size) && near(one, kernel[i * n + j], 1e-13 * size);
                assert!(size.is_finite() && equal, "{which:?}: samples {i} and {j} have {one} and {other}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{network, network_len};
    use crate::choice::Choice;
    use crate::network::{
        Activation, Bias, Dense, Fcn, Layer, Mirrored, Network, Pairs, Parametrization, ResNet, Sizes, Slope, Trained,
    };
    use crate::{Backend, MatRef, Real};

    const BUFFER: usize = 16000;

    fn check<N: Network>(n: &N) {
        let mut buffer = [0.0; BUFFER];
        assert!(network_len(n.sizes()) <= BUFFER, "{}", network_len(n.sizes()));
        network(n, &mut buffer);
    }

    #[test]
    fn networks_of_this_crate_pass() {
        for bias in [Bias::None, Bias::Input, Bias::Hidden, Bias::All] {
            for activation in Activation::ALL.iter().copied() {
                for (widths, outputs) in [(&[3][..], 1), (&[4, 5], 2), (&[3, 1, 4], 3)] {
                    let fcn =
                        Fcn::new(2, widths, outputs).unwrap().with_activation(activation).with_bias(bias, 0.7).unwrap();
                    check(&fcn);
                    check(&Mirrored(fcn));
                }
            }
        }
        for (trained, activation) in [
            (Trained::All, Activation::Relu),
            (Trained::Branches, Activation::Relu),
            (Trained::All, Activation::Silu),
            (Trained::All, Activation::LeakyRelu(Slope::USUAL)),
        ] {
            for (depth, outputs) in [(1, 1), (2, 3)] {
                let resnet =
                    ResNet::new(2, 4, depth, outputs, 0.5).unwrap().with_trained(trained).with_activation(activation);
                let biased = resnet.with_input_bias(1.5).unwrap();
                for resnet in
                    [resnet, biased, biased.with_branch_bias(0.8).unwrap(), resnet.with_branch_bias(1.0).unwrap()]
                {
                    check(&resnet);
                    check(&Mirrored(resnet));
                }
            }
        }
    }

    #[test]
    fn layers_given_one_by_one_pass() {
        let hidden = Layer { bias_scale: Some(0.7), activation: Activation::Gelu, weight_scale: 0.5, ..Layer::new(3) };
        let without = Layer { activation: Activation::Tanh, weight_deviation: 2.0, ..Layer::new(4) };
        let frozen = Layer { weights_trained: false, bias_scale: Some(1.0), bias_deviation: 0.0, ..Layer::new(2) };
        check(&Fcn::of_layers(2, &[hidden, without, frozen]).unwrap());
        check(&Fcn::of_layers(2, &[Layer { bias_trained: false, ..hidden }, frozen]).unwrap());
        check(&Fcn::of_layers(3, &[frozen]).unwrap());
    }

    #[test]
    fn every_parametrization_passes() {
        for parametrization in Parametrization::ALL.iter().copied() {
            let fcn = Fcn::new(2, &[5], 2).unwrap().with_bias(Bias::All, 0.7).unwrap();
            check(&fcn.with_parametrization(parametrization).unwrap());
            let deep = Fcn::new(2, &[5, 3], 1).unwrap().with_activations(&[Activation::Erf, Activation::Sine]).unwrap();
            match deep.with_parametrization(parametrization) {
                Ok(deep) => check(&deep),
                Err(_) => assert_eq!(parametrization, Parametrization::MeanField),
            }
        }
    }

    /// A network with one fault.
    #[derive(Clone, Copy)]
    struct Faulty(Fcn<'static>, Fault);

    #[derive(Clone, Copy, PartialEq)]
    enum Fault {
        Overlap,
        SameName,
        Unwritten,
        Scale,
        ReadsOutputs,
        Untrained,
    }

    impl Network for Faulty {
        fn sizes(&self) -> Sizes {
            self.0.sizes()
        }
        fn layer(&self, index: usize) -> Dense {
            let mut layer = self.0.layer(index);
            match self.1 {
                Fault::Overlap if index == 1 => layer.weights -= 1,
                Fault::SameName => layer.name.index = None,
                Fault::Scale => layer.weight_scale *= 2.0,
                _ => {}
            }
            layer.weights_trained = self.1 != Fault::Untrained;
            layer
        }
        fn forward<T: Real, B: Backend<T> + ?Sized>(
            &self,
            backend: &B,
            theta: &[T],
            x: MatRef<'_, T>,
            values: &mut [T],
        ) {
            let kept = values[0];
            self.0.forward(backend, theta, x, values);
            if self.1 == Fault::Unwritten {
                values[0] = kept;
            }
        }
        fn backward<T: Real, B: Backend<T> + ?Sized>(
            &self,
            backend: &B,
            theta: &[T],
            activations: &[T],
            cotangent: MatRef<'_, T>,
            deltas: &mut [T],
        ) {
            self.0.backward(backend, theta, activations, cotangent, deltas);
            if self.1 == Fault::ReadsOutputs {
                deltas[0] += activations[activations.len() - 1];
            }
        }
        fn input_variances(&self) -> (f64, f64) {
            self.0.input_variances()
        }
        fn analytic<T: Real, B: Backend<T> + ?Sized>(&self, backend: &B, pairs: &mut Pairs<'_, T>, ntk: &mut [T]) {
            self.0.analytic(backend, pairs, ntk);
        }
    }

    fn faulty(fault: Fault) {
        check(&Faulty(Fcn::new(2, &[3, 3], 1).unwrap(), fault));
    }

    #[test]
    #[should_panic(expected = "belongs to")]
    fn overlapping_layers_are_noticed() {
        faulty(Fault::Overlap);
    }
    #[test]
    #[should_panic(expected = "the same name")]
    fn names_that_stand_twice_are_noticed() {
        faulty(Fault::SameName);
    }
    #[test]
    #[should_panic(expected = "leaves an activation")]
    fn an_activation_that_is_left_is_noticed() {
        faulty(Fault::Unwritten);
    }
    #[test]
    #[should_panic(expected = "the gradient in parameter")]
    fn a_wrong_scale_is_noticed() {
        faulty(Fault::Scale);
    }
    #[test]
    #[should_panic(expected = "reads the outputs")]
    fn reading_the_outputs_is_noticed() {
        faulty(Fault::ReadsOutputs);
    }
    #[test]
    fn what_is_not_trained_has_gradient_0() {
        faulty(Fault::Untrained);
    }
}
