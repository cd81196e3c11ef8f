//! What the degrees of a network in groups of its parameters say at every theta: a lower bound of the kernel, and what the
//! flow conserves.
//!
//! Of the networks of Yu, Tian, Chen 2025, (2.1) and (2.2). With a weight of l + 1 for the biases of layer l, a fully
//! connected network is of degree L + 1; a residual one is of degree 1 in v, and of degree 1 in A and all biases. So Cauchy
//! and Schwarz have, wherever f is differentiable,
//!
//! ```text
//! K(x, x) (sum |W_l|^2 + sum (l+1)^2 |b_l|^2)            >= (L+1)^2 f(x)^2       fully connected
//! K(x, x) (|v|^2 + |A|^2 + |b|^2 + sum |b_l|^2 + |d_l|^2) >= 4 f(x)^2             residual
//! ```
//!
//! The last layer and the last bias alone give `K(x, x) >= 2 c |f(x)|`, with c = sqrt(2/m) of a fully connected network and
//! alpha/sqrt(m) of a residual one.
//!
//! A ReLU that multiplies what leaves it by a number may divide what enters by it, so the flow conserves, of every hidden
//! unit j, `|W_l[j,:]|^2 + b_l[j]^2 - |W_{l+1}[:,j]|^2` (of a block `V_l` in place of `W_{l+1}`), and of a residual network
//! the square of v less those of A and all biases.

use ntkscope_core::linalg::sum_of_squares;
use ntkscope_core::network::{Dense, Network};

use crate::experiment::NetworkKind;
use crate::study::net::Net;

/// A difference of sums of squares that the flow conserves, and the sum of the same squares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Balance {
    /// conserved
    pub difference: f64,
    /// what its change is to be compared with
    pub sum: f64,
}

impl Balance {
    fn of(less: f64, more: f64) -> Self {
        Self { difference: more - less, sum: more + less }
    }
}

/// A bound `K(x, x) norm >= factor f(x)^2`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Identity {
    /// a sum of weighted squares of the parameters
    pub norm: f64,
    /// the square of the degree
    pub factor: f64,
}

/// The squares of a layer's weights and of its biases.
fn squares(layer: &Dense, theta: &[f64]) -> [f64; 2] {
    let biases = layer.bias.map_or(0.0, |at| sum_of_squares(&theta[at..][..layer.outputs]));
    [sum_of_squares(layer.weights_in(theta).data()), biases]
}

/// The bound by the degree.
pub fn identity<N: Network>(net: Net, network: &N, theta: &[f64]) -> Identity {
    let last = network.sizes().layers - 1;
    let layers = (0..=last).map(|index| (index, squares(&network.layer(index), theta)));
    match net.kind {
        NetworkKind::Fcn => {
            let weighted = layers.map(|(l, [weights, biases])| weights + ((l + 1) as f64).powi(2) * biases);
            Identity { norm: weighted.sum(), factor: net.degree().powi(2) }
        }
        NetworkKind::Resnet => {
            let taken =
                layers.map(|(l, [weights, biases])| if l == 0 || l == last { weights + biases } else { biases });
            Identity { norm: taken.sum(), factor: 4.0 }
        }
    }
}

/// c of the bound `K(x, x) >= 2 c |f(x)|` at width m.
pub fn bound_scale(net: Net, width: usize) -> f64 {
    match net.kind {
        NetworkKind::Fcn => (2.0 / width as f64).sqrt(),
        NetworkKind::Resnet => net.alpha / (width as f64).sqrt(),
    }
}

/// All that the flow conserves.
pub fn balances<N: Network>(net: Net, network: &N, theta: &[f64]) -> Vec<Balance> {
    let last = network.sizes().layers - 1;
    // (the layer into the units, the layer out of them)
    let pairs: Vec<usize> = match net.kind {
        NetworkKind::Fcn => (0..last).collect(),
        NetworkKind::Resnet => (1..last).step_by(2).collect(),
    };
    let mut all = Vec::new();
    for index in pairs {
        let (into, out) = (network.layer(index), network.layer(index + 1));
        let (rows, columns) = (into.weights_in(theta), out.weights_in(theta).t());
        for unit in 0..into.outputs {
            let bias = into.bias.map_or(0.0, |at| theta[at + unit].powi(2));
            let leaving = (0..out.outputs).map(|k| columns.at(unit, k).powi(2)).sum();
            all.push(Balance::of(leaving, sum_of_squares(rows.row(unit)) + bias));
        }
    }
    if net.kind == NetworkKind::Resnet {
        let [v, _] = squares(&network.layer(last), theta);
        all.push(Balance::of(identity(net, network, theta).norm - v, v));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::load;
    use crate::experiment::{AnyNetwork, Init, Model};
    use crate::machine::Budget;
    use crate::run::targets;
    use crate::studies::divergence::rates::growth::six_points;
    use ntkscope_core::init::Normals;
    use ntkscope_core::loss::Loss;
    use ntkscope_core::network::Bias;
    use ntkscope_core::train::{Position, Problem};
    use ntkscope_core::{MatRef, Portable};

    fn nets() -> [Net; 4] {
        [Net::fcn(2), Net::fcn(3), Net::resnet(1, 1.0), Net::resnet(2, 0.5)].map(|net| net.with_bias(Bias::Hidden))
    }

    /// Every parameter, weights of 1 or of the squares of layers' numbers: counted by hand.
    #[test]
    fn norms_have_their_weights() {
        for (net, norm, factor) in [
            // two inputs, width 1, two hidden layers: W_0 b_0, W_1 b_1, W_2
            (nets()[0], (2.0 + 1.0) + (1.0 + 4.0) + 1.0, 9.0),
            (nets()[1], (2.0 + 1.0) + (1.0 + 4.0) + (1.0 + 9.0) + 1.0, 16.0),
            // A b, b_1 and d_1, v
            (nets()[2], (2.0 + 1.0) + 2.0 + 1.0, 4.0),
            (nets()[3], (2.0 + 1.0) + 4.0 + 1.0, 4.0),
        ] {
            let model = net.model(1, &Model { init: Init::Standard, ..Model::default() });
            let shape = model.shape_of(2, 1);
            let network = model.network(&shape).unwrap();
            let theta = vec![1.0; network.sizes().parameters];
            assert_eq!(identity(net, &network, &theta), Identity { norm, factor }, "{}", net.title());
            // of weights and biases of 1 a unit has a bias too many; v is against A and all biases
            let balances: Vec<f64> = balances(net, &network, &theta).iter().map(|b| b.difference).collect();
            let expected: Vec<f64> = match net.kind {
                NetworkKind::Fcn => [vec![2.0], vec![1.0; net.depth - 1]].concat(),
                NetworkKind::Resnet => [vec![1.0; net.depth], vec![2.0 - norm]].concat(),
            };
            assert_eq!(balances, expected, "{}", net.title());
        }
        assert_eq!(bound_scale(nets()[0], 8), 0.5);
        assert_eq!(bound_scale(nets()[3], 16), 0.125);
    }

    /// To first order a step along the gradient of any loss changes nothing that the flow conserves: central differences of
    /// squares are exact.
    #[test]
    fn a_gradient_leaves_what_is_conserved() {
        let samples = load(&six_points().data_spec(), &Budget::default()).unwrap();
        let y: Vec<f64> = targets(&samples, Loss::CrossEntropy, 0.0, 1).unwrap();
        let (x, y) = (MatRef::new(&samples.x, 6, 2).unwrap(), MatRef::new(&y, 6, 1).unwrap());
        for net in nets() {
            let model = net.model(5, &Model { init: Init::Standard, ..Model::default() });
            let shape = model.shape_of(2, 1);
            let network = model.network(&shape).unwrap();
            let sizes = network.sizes();
            let mut normals = Normals::new(3);
            let theta: Vec<f64> = (0..sizes.parameters).map(|_| normals.draw()).collect();
            let problem = Problem::new(&network, x, y, Loss::CrossEntropy, 0.0).unwrap();
            let mut gradient = vec![0.0; sizes.parameters];
            let mut work = vec![0.0; Problem::<'_, AnyNetwork<'_>, f64>::work_len(sizes, 6)];
            let position = Position { theta: &theta, theta_0: &theta };
            problem.evaluate(&Portable, position, false, &mut gradient, &mut work).unwrap();
            let along = |step: f64| {
                let moved: Vec<f64> = theta.iter().zip(&gradient).map(|(theta, g)| theta + step * g).collect();
                balances(net, &network, &moved)
            };
            for (forth, back) in along(1.0).iter().zip(along(-1.0)) {
                let change = (forth.difference - back.difference).abs();
                assert!(change < 1e-13 * (forth.sum + back.sum), "{}: {change}", net.title());
            }
        }
    }
}
