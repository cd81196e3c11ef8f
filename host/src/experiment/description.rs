//! A network in words, as pages and messages have it.

use ntkscope_core::network::{Bias, Parametrization, Trained};

use super::Model;
use crate::experiment::NetworkKind;
use crate::words::{count, number};

impl Model {
    /// The network in a few words.
    pub fn describe(&self) -> String {
        let Self { bias, init, seed, .. } = self;
        let outputs = self.outputs.map_or(String::new(), |outputs| format!(", {}", count(outputs, "output")));
        let width = self.describe_widths();
        let (kind, activation) = (self.describe_family(), self.describe_activation());
        format!("{kind}, {width}{outputs}, {activation}, bias {bias}, {init} initialization, seed {seed}")
    }

    /// The infinitely wide network in a few words: it has neither parameters nor their seed.
    pub fn describe_limit(&self) -> String {
        // kernels of the other parametrizations grow or fall with the widths
        let wide = match self.parametrization {
            Parametrization::Ntk => "infinitely wide".into(),
            Parametrization::Standard => {
                format!("in the limit of infinite width, scaled to {}", self.describe_widths())
            }
            _ => format!("in the limit of infinite width at initialization, scaled to {}", self.describe_widths()),
        };
        format!("{}, {wide}, {}, bias {}", self.describe_family(), self.describe_activation(), self.bias)
    }

    fn describe_widths(&self) -> String {
        match &self.widths {
            None => format!("width {}", self.width),
            Some(widths) => format!("widths {}", listed_plainly(widths.values())),
        }
    }

    fn describe_activation(&self) -> String {
        listed_plainly(self.activation.values())
    }

    /// The architecture in a few words, without its width.
    pub fn describe_family(&self) -> String {
        match self.network {
            NetworkKind::Fcn => {
                let scaled = match self.parametrization {
                    Parametrization::Ntk => String::new(),
                    other => format!(", {other} parametrization"),
                };
                format!("fully connected, depth {}{scaled}", self.hidden().len())
            }
            NetworkKind::Resnet => {
                let trained = match (self.trained, self.bias) {
                    (Trained::All, _) => "",
                    (_, Bias::Hidden) => ", only V, W and their biases trained",
                    _ => ", only V and W trained",
                };
                let (blocks, alpha) = (count(self.depth, "block"), number(self.alpha.unwrap_or(1.0)));
                format!("residual, {blocks}, alpha {alpha}{trained}")
            }
        }
    }
}

/// The values, separated by commas.
fn listed_plainly<T: ToString>(values: &[T]) -> String {
    values.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}
