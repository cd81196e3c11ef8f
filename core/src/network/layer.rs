//! One layer of a fully connected network as data, and what the parametrizations make of it.

use super::{Activation, check_scale};
use crate::Error;
use crate::choice::choice;

/// A layer `z = c W a + s b` of a fully connected network, the law of its entries at initialization, and the function
/// after it.
///
/// ```
/// use ntkscope_core::network::{Activation, Fcn, Layer};
/// // as PyTorch stores nn.Sequential(Linear(3, 8), GELU(), Linear(8, 2, bias=False))
/// let hidden = Layer { bias_scale: Some(1.0), activation: Activation::Gelu, ..Layer::new(8) };
/// let layers = [hidden, Layer::new(2)];
/// let network = Fcn::of_layers(3, &layers)?;
/// assert_eq!(network.sizes().parameters, 8 * 3 + 8 + 2 * 8);
/// # Ok::<(), ntkscope_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Layer {
    /// numbers in z
    pub width: usize,
    /// phi, after the layer; the output layer has none, whatever stands here
    pub activation: Activation,
    /// c
    pub weight_scale: f64,
    /// s, where there is a bias
    pub bias_scale: Option<f64>,
    /// standard deviation of the entries of W at initialization
    pub weight_deviation: f64,
    /// that of the entries of b; 0 where the bias starts at 0
    pub bias_deviation: f64,
    /// whether W moves, and counts in kernels
    pub weights_trained: bool,
    /// the same of b
    pub bias_trained: bool,
}

impl Layer {
    /// `z = W a` without bias, entries of N(0,1), all trained, without a function after it.
    pub const fn new(width: usize) -> Self {
        Self {
            width,
            activation: Activation::Identity,
            weight_scale: 1.0,
            bias_scale: None,
            weight_deviation: 1.0,
            bias_deviation: 1.0,
            weights_trained: true,
            bias_trained: true,
        }
    }

    /// Whether the numbers are in range.
    pub(super) const fn check(&self) -> Result<(), Error> {
        if self.width == 0 {
            return Err(Error::OutOfRange { what: "width", needs: "at least 1", got: 0.0 });
        }
        let scale = match self.bias_scale {
            Some(scale) => scale,
            None => 0.0,
        };
        let deviation = self.weight_deviation;
        if !(deviation > 0.0 && deviation.is_finite()) {
            return Err(Error::OutOfRange {
                what: "deviation of the weights",
                needs: "finite and > 0",
                got: deviation,
            });
        }
        match (
            check_scale("scale of the weights", self.weight_scale),
            check_scale("scale of the bias", scale),
            check_scale("deviation of the bias", self.bias_deviation),
        ) {
            (Ok(()), Ok(()), Ok(())) => Ok(()),
            (Err(e), _, _) | (_, Err(e), _) | (_, _, Err(e)) => Err(e),
        }
    }
}

choice! {
    /// How the layers of a fully connected network are scaled: which of it lies in c and s, and which in the entries.
    ///
    /// Of layer l with n_l inputs and m_l outputs, in terms of the weight variance sigma_w^2 (that of the first layer is
    /// `c_in n_0`) and the bias scale s; entries are centred normal and all learning rates are 1:
    ///
    /// | | c | variance of W | s | variance of b |
    /// | --- | --- | --- | --- | --- |
    /// | ntk | sqrt(sigma_w^2/n_l) | 1 | s | 1 |
    /// | standard | 1 | sigma_w^2/n_l | 1 | s^2 |
    /// | mup, mean-field: first, hidden | sqrt(m_1), sqrt(m_l/n_l) | sigma_w^2/(n_l c^2) | sqrt(m_l) | s^2/m_l |
    /// | output | 1/sqrt(n_L) | 1/n_L | 1 | 0 |
    ///
    /// The standard network is at its start that of ntk, stored otherwise. The shares in its kernel of all weights but the first
    /// are m times as large: a stable rate is 1/m of that of ntk, at which the first layer and the biases hardly learn.
    /// Stored with c = s = 1, the last two rows have the learning rate c^2 for W, and s^2 for b: (c, W, eta) and
    /// (c', W c/c', eta (c/c')^2) train alike (Yang and Hu 2021). Mean field (Mei, Montanari, Nguyen 2018) is the same for
    /// one hidden layer. Under both the kernel moves by O(1) at any width: its limit is that of the start alone.
    #[non_exhaustive]
    pub enum Parametrization {
        /// NTK: entries N(0,1), the scale in front of the weights; its kernel has a limit and stays there
        Ntk = "ntk",
        /// standard: the scale in the entries, as libraries store it
        Standard = "standard",
        /// mean field: one hidden layer, output divided by its width; the kernel moves at any width
        MeanField = "mean-field",
        /// muP for gradient descent: every layer moves at any width, and so does the kernel
        Mup = "mup",
    }
}

impl Parametrization {
    /// Whether the kernel stays that of the start as the width grows, so that the infinite-width kernel predicts training.
    pub const fn has_kernel_regime(self) -> bool {
        matches!(self, Self::Ntk | Self::Standard)
    }
}
