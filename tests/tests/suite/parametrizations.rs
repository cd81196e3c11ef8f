//! Scales between c and the entries: rules that every parametrization keeps, and limits at initialization.

use ntkscope_core::Portable;
use ntkscope_core::choice::Choice;
use ntkscope_core::kernel::{AnalyticKernel, MultiOutput};
use ntkscope_core::loss::Loss;
use ntkscope_core::network::{Activation, Bias, Fcn, Layer, Network, Parametrization, ResNet};
use ntkscope_core::train::{Optimizer, Problem};
use ntkscope_tests::cases::{Samples, six_points};
use ntkscope_tests::measure::{analytic_kernel, ntk, outputs, targets, theta, train, trained_outputs};
use ntkscope_tests::tolerance::Check;

/// The layers of a network of two hidden layers, c and s times these factors and entries divided by them.
fn layers(factors: [f64; 3]) -> [Layer; 3] {
    let layer = |width: usize, c: f64, factor: f64, activation| Layer {
        weight_scale: c * factor,
        weight_deviation: 1.0 / factor,
        bias_scale: Some(0.5 * factor),
        bias_deviation: 1.0 / factor,
        activation,
        ..Layer::new(width)
    };
    [
        layer(7, 1.0, factors[0], Activation::Tanh),
        layer(5, 0.6, factors[1], Activation::LeakyRelu(ntkscope_core::network::Slope::USUAL)),
        layer(2, 0.7, factors[2], Activation::Identity),
    ]
}

/// Rules 1, 2, 5: the function and the NNGP kernel stay, and a layer's part of the NTK is multiplied by the square of its factor.
#[test]
fn a_factor_between_c_and_the_entries() {
    let mut check = Check::named("parametrizations: rules");
    let x: Samples<f64> = Samples::gaussian(5, 3, 1);
    let plain = layers([1.0; 3]);
    let network = Fcn::of_layers(3, &plain).expect("layers");
    let theta_plain: Vec<f64> = theta(&network, 4);
    let f = outputs(&network, &theta_plain, &x);
    let kernel = |layers: &[Layer; 3], theta: &[f64]| {
        let network = Fcn::of_layers(3, layers).expect("layers");
        ntk(&Portable, (&network, theta), &x, None, MultiOutput::Full)
    };
    let part = |of: usize| {
        let frozen = |l: usize| l != of;
        let mut only = plain;
        for (l, layer) in only.iter_mut().enumerate() {
            (layer.weights_trained, layer.bias_trained) = (!frozen(l), !frozen(l));
        }
        kernel(&only, &theta_plain)
    };
    let parts = [part(0), part(1), part(2)];
    let sum = |squares: [f64; 3]| -> Vec<f64> {
        (0..parts[0].len()).map(|i| parts.iter().zip(squares).map(|(part, square)| square * part[i]).sum()).collect()
    };
    check.all_scaled(&"the parts sum to the kernel", &sum([1.0; 3]), &kernel(&plain, &theta_plain));
    for factors in [[2.0, 0.3, 1.7], [0.1, 5.0, 3.0]] {
        let moved = layers(factors);
        let network = Fcn::of_layers(3, &moved).expect("layers");
        let theta_moved: Vec<f64> = theta(&network, 4);
        check.all_scaled(&"outputs", &f, &outputs(&network, &theta_moved, &x));
        check.all_scaled(&"kernel", &sum(factors.map(|f| f * f)), &kernel(&moved, &theta_moved));
        let nngp = |layers: &[Layer; 3]| {
            analytic_kernel(&Portable, &Fcn::of_layers(3, layers).expect("layers"), AnalyticKernel::Nngp, &x, None)
        };
        check.all_scaled(&"NNGP", &nngp(&plain), &nngp(&moved));
    }
    check.finish();
}

/// Rule 4: standard networks are those of the theory; with all scales equal, descent at a rate divided by the square takes the same path.
#[test]
fn equal_factors_rescale_time() {
    let mut check = Check::named("parametrizations: descent");
    let (x, factor) = (six_points::<f64>(), 3.0);
    let labels = [0, 0, 0, 1, 1, 1];
    let y = targets::<f64>(Loss::CrossEntropy, &labels, 2, 0.0);
    let run = |factor: f64| {
        let all = layers([factor; 3]);
        let network = Fcn::of_layers(2, &all).expect("layers");
        let optimizer = Optimizer::Descent { rate: 0.05 / (factor * factor) };
        let problem = Problem::new(&network, x.view(), y.view(), Loss::CrossEntropy, 0.0).expect("a problem");
        train(problem, optimizer, 4, |trainer| {
            for _ in 0..40 {
                trainer.advance(None).expect("a step");
            }
            trained_outputs(trainer, &x)
        })
    };
    check.all_scaled(&"outputs", &run(1.0), &run(factor));
    check.finish();
}

/// The mean kernel of random networks of one width, against the limit at that width.
#[test]
fn limits_at_initialization() {
    let mut check = Check::named("parametrizations: limit");
    let x: Samples<f64> = Samples::gaussian(6, 4, 2);
    let against = |case: &str, (mean, limit): (Vec<f64>, Vec<f64>)| {
        let square = |k: &[f64]| k.iter().map(|k| k * k).sum::<f64>();
        let difference: Vec<f64> = mean.iter().zip(&limit).map(|(a, b)| a - b).collect();
        (case.to_owned(), (square(&difference) / square(&limit)).sqrt())
    };
    fn mean_and_limit<N: Network>(network: &N, x: &Samples<f64>) -> (Vec<f64>, Vec<f64>) {
        const SEEDS: u64 = 24;
        let mut mean = vec![0.0; x.n * x.n];
        for seed in 0..SEEDS {
            let kernel = ntk(&Portable, (network, &theta::<_, f64>(network, seed)), x, None, MultiOutput::Trace);
            mean.iter_mut().zip(kernel).for_each(|(mean, k)| *mean += k / SEEDS as f64);
        }
        (mean, analytic_kernel(&Portable, network, AnalyticKernel::Ntk, x, None))
    }
    let mut found = Vec::new();
    for parametrization in Parametrization::ALL.iter().copied() {
        for (widths, activation) in
            [(&[128][..], Activation::Relu), (&[128, 96], Activation::Gelu), (&[128, 64], Activation::Tanh)]
        {
            let network = Fcn::new(4, widths, 1).expect("sizes").with_activation(activation);
            let network = network.with_bias(Bias::All, 0.5).expect("a scale");
            if let Ok(network) = network.with_parametrization(parametrization) {
                found.push(against(&format!("{parametrization} {activation}"), mean_and_limit(&network, &x)));
            }
        }
    }
    for activation in [Activation::Silu, Activation::LeakyRelu(ntkscope_core::network::Slope::USUAL), Activation::Sine]
    {
        let network = ResNet::new(4, 96, 2, 1, 0.7).expect("sizes").with_activation(activation);
        let network = network.with_input_bias(0.5).and_then(|n| n.with_branch_bias(0.5)).expect("scales");
        found.push(against(&format!("residual {activation}"), mean_and_limit(&network, &x)));
    }
    for (case, apart) in found {
        println!("{case}: {apart:.4}");
        check.absolute(&case, [()], 0.0, apart);
    }
    check.finish();
}
