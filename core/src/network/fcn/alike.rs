//! Layers that follow from widths, a bias, two variances and a parametrization.

use super::Bias;
use crate::Error;
use crate::network::{Activation, Layer, Parametrization};

/// What errors call the two variances.
pub(super) const AT_THE_INPUT: &str = "variance at the input";
pub(super) const OF_THE_WEIGHTS: &str = "variance of the weights";

/// Layers that follow from a few numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Alike<'a> {
    pub(super) widths: &'a [usize],
    pub(super) outputs: usize,
    pub(super) activations: Activations<'a>,
    pub(super) bias: Bias,
    pub(super) bias_scale: f64,
    pub(super) input_variance: f64,
    pub(super) weight_variance: f64,
    pub(super) parametrization: Parametrization,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Activations<'a> {
    Same(Activation),
    Each(&'a [Activation]),
}

impl Alike<'_> {
    pub(super) const fn has_bias(&self, l: usize) -> bool {
        match self.bias {
            Bias::None => false,
            Bias::Input => l == 0,
            Bias::Hidden => l < self.widths.len(),
            Bias::All => true,
        }
    }
    pub(super) const fn activation(&self, l: usize) -> Activation {
        match self.activations {
            Activations::Same(activation) => activation,
            Activations::Each(all) if l < all.len() => all[l],
            // the output
            Activations::Each(_) => Activation::Identity,
        }
    }
    pub(super) const fn width(&self, l: usize) -> usize {
        if l == self.widths.len() { self.outputs } else { self.widths[l] }
    }
    /// # Errors
    /// The entries of an array are all 0: only in the NTK parametrization is a variance that of c alone.
    pub(super) const fn check(&self) -> Result<(), Error> {
        if matches!(self.parametrization, Parametrization::Ntk) {
            return Ok(());
        }
        let mut l = 0;
        while l <= self.widths.len() {
            if self.variance(l) == 0.0 {
                let what = if l == 0 { AT_THE_INPUT } else { OF_THE_WEIGHTS };
                return Err(Error::OutOfRange { what, needs: "> 0; the ntk parametrization takes 0 too", got: 0.0 });
            }
            l += 1;
        }
        Ok(())
    }
    /// v: of the first layer per input.
    pub(super) const fn variance(&self, l: usize) -> f64 {
        match self.parametrization {
            Parametrization::MeanField | Parametrization::Mup if l == self.widths.len() => {
                // c^2 n Var W = 1/n
                1.0 / self.width(l - 1) as f64
            }
            _ if l == 0 => self.input_variance,
            _ => self.weight_variance,
        }
    }
    pub(super) fn layer(&self, l: usize) -> Layer {
        let (width, s) = (self.width(l), self.bias_scale);
        let fan_in = if l == 0 { 1.0 } else { self.width(l - 1) as f64 };
        let deviation = libm::sqrt(self.variance(l) / fan_in);
        let (c, s, deviation, bias_deviation) = match self.parametrization {
            Parametrization::Ntk => (deviation, s, 1.0, 1.0),
            Parametrization::Standard => (1.0, 1.0, deviation, s),
            Parametrization::MeanField | Parametrization::Mup if l == self.widths.len() => {
                let c = 1.0 / libm::sqrt(fan_in);
                (c, 1.0, c, 0.0)
            }
            Parametrization::MeanField | Parametrization::Mup => {
                let root = libm::sqrt(width as f64);
                let c = root / libm::sqrt(fan_in);
                (c, root, deviation / c, s / root)
            }
        };
        Layer {
            width,
            activation: self.activation(l),
            weight_scale: c,
            bias_scale: if self.has_bias(l) { Some(s) } else { None },
            weight_deviation: deviation,
            bias_deviation,
            weights_trained: true,
            bias_trained: true,
        }
    }
}
