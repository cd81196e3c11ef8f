//! The network that a [`crate::experiment::Model`] describes, whichever it is: one type for all of them, so that
//! runs and kernels are compiled once for every scalar, not once for every network.

use ntkscope_core::network::{Dense, Fcn, Mirrored, Network, Pairs, ResNet, Sizes};
use ntkscope_core::{Backend, MatRef, Real};

/// A network of any family.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Family<'a> {
    /// fully connected
    Fcn(Fcn<'a>),
    /// residual
    ResNet(ResNet),
}

/// A network of any family, or two copies of it, subtracted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AnyNetwork<'a> {
    /// one copy
    Plain(Family<'a>),
    /// two copies
    Mirrored(Mirrored<Family<'a>>),
}

/// Makes an enum of networks a network: each call goes to the network inside. A macro, because the calls are generic
/// in scalar and backend, which no trait object and no closure can be.
macro_rules! delegate_to_variants {
    ($enum:ident: $($variant:ident),+) => {
        impl Network for $enum<'_> {
            fn sizes(&self) -> Sizes {
                match self { $(Self::$variant(network) => network.sizes(),)+ }
            }
            fn layer(&self, index: usize) -> Dense {
                match self { $(Self::$variant(network) => network.layer(index),)+ }
            }
            fn forward<T: Real, B: Backend<T> + ?Sized>(
                &self,
                backend: &B,
                theta: &[T],
                x: MatRef<'_, T>,
                activations: &mut [T],
            ) {
                match self { $(Self::$variant(network) => network.forward(backend, theta, x, activations),)+ }
            }
            fn backward<T: Real, B: Backend<T> + ?Sized>(
                &self,
                backend: &B,
                theta: &[T],
                activations: &[T],
                cotangent: MatRef<'_, T>,
                deltas: &mut [T],
            ) {
                match self {
                    $(Self::$variant(network) => network.backward(backend, theta, activations, cotangent, deltas),)+
                }
            }
            fn initialize<T: Real>(&self, theta: &mut [T], normal: &mut dyn FnMut() -> f64) {
                match self { $(Self::$variant(network) => network.initialize(theta, normal),)+ }
            }
            fn input_variances(&self) -> (f64, f64) {
                match self { $(Self::$variant(network) => network.input_variances(),)+ }
            }
            fn analytic<T: Real, B: Backend<T> + ?Sized>(&self, backend: &B, pairs: &mut Pairs<'_, T>, ntk: &mut [T]) {
                match self { $(Self::$variant(network) => network.analytic(backend, pairs, ntk),)+ }
            }
        }
    };
}

delegate_to_variants!(Family: Fcn, ResNet);
delegate_to_variants!(AnyNetwork: Plain, Mirrored);

#[cfg(test)]
mod tests {
    use ntkscope_core::choice::Choice;
    use ntkscope_core::contract::{network, network_len};
    use ntkscope_core::network::{Activation, Bias, Trained};

    use super::*;
    use crate::experiment::{Init, Model, NetworkKind};

    /// Every family with every choice that it takes, plain and mirrored.
    #[test]
    fn every_network_of_a_model_keeps_the_contract() {
        let mut kept = 0;
        for family in [NetworkKind::Fcn, NetworkKind::Resnet] {
            for activation in Activation::ALL {
                for bias in Bias::ALL {
                    for trained in Trained::ALL {
                        for init in [Init::Standard, Init::Mirrored] {
                            let bias_scale = if *bias == Bias::None { 1.0 } else { 0.5 };
                            let base = Model { width: 3, outputs: Some(2), bias_scale, ..Model::default() };
                            let model = Model {
                                network: family,
                                activation: (*activation).into(),
                                bias: *bias,
                                trained: *trained,
                                init,
                                ..base
                            };
                            if model.check().is_err() {
                                continue;
                            }
                            let shape = model.shape_of(2, 2);
                            let described = model.network(&shape).unwrap();
                            assert_eq!(matches!(described, AnyNetwork::Mirrored(_)), init == Init::Mirrored);
                            network(&described, &mut vec![0.0; network_len(described.sizes())]);
                            kept += 1;
                        }
                    }
                }
            }
        }
        let families = Activation::ALL.len() * (Bias::ALL.len() + 2 * 3);
        assert_eq!(kept, 2 * families, "networks that the check lets pass");
    }
}
