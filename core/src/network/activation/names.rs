//! Names of activations: those of the other choices, and a slope after that of leaky ReLU.

use core::fmt;
use core::str::FromStr;

use super::{Activation, Slope};
use crate::choice::Choice;

impl Choice for Activation {
    const ALL: &'static [Self] = &[
        Self::Relu,
        Self::LeakyRelu(Slope::USUAL),
        Self::Erf,
        Self::Gelu,
        Self::Tanh,
        Self::Sigmoid,
        Self::Silu,
        Self::Softplus,
        Self::Sine,
        Self::Identity,
    ];
    fn name(self) -> &'static str {
        match self {
            Self::Relu => "relu",
            Self::LeakyRelu(_) => "leaky-relu",
            Self::Erf => "erf",
            Self::Gelu => "gelu",
            Self::Tanh => "tanh",
            Self::Sigmoid => "sigmoid",
            Self::Silu => "silu",
            Self::Softplus => "softplus",
            Self::Sine => "sine",
            Self::Identity => "identity",
        }
    }
    fn summary(self) -> &'static str {
        match self {
            Self::Relu => "max(z, 0)",
            Self::LeakyRelu(_) => "max(z, 0.01 z); leaky-relu:A has A in place of 0.01",
            Self::Erf => "error function",
            Self::Gelu => "GELU: z times the normal distribution function",
            Self::Tanh => "hyperbolic tangent",
            Self::Sigmoid => "1/(1 + exp(-z))",
            Self::Silu => "SiLU, swish: z/(1 + exp(-z))",
            Self::Softplus => "ln(1 + exp(z))",
            Self::Sine => "sin(z)",
            Self::Identity => "z: a linear layer",
        }
    }
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::LeakyRelu(slope) if slope != Slope::USUAL => write!(f, "{}:{}", self.name(), slope.get()),
            _ => f.pad(self.name()),
        }
    }
}

/// A text that names no activation; displayed as what would.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownActivation(());

impl fmt::Display for UnknownActivation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected one of: ")?;
        for (i, activation) in Activation::ALL.iter().enumerate() {
            f.write_str(if i == 0 { "" } else { ", " })?;
            f.write_str(activation.name())?;
        }
        f.write_str("; leaky-relu may have its slope after a colon, as in leaky-relu:0.2")
    }
}

impl core::error::Error for UnknownActivation {}

impl FromStr for Activation {
    type Err = UnknownActivation;
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let Some((name, slope)) = name.split_once(':') else {
            return Self::from_name(name).map_err(|_| UnknownActivation(()));
        };
        match (Self::from_name(name), slope.parse().map(Slope::new)) {
            (Ok(Self::LeakyRelu(_)), Ok(Ok(slope))) => Ok(Self::LeakyRelu(slope)),
            _ => Err(UnknownActivation(())),
        }
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Activation {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Activation {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl serde::de::Visitor<'_> for Name {
            type Value = Activation;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of an activation")
            }
            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Activation, E> {
                name.parse()
                    .map_err(|unknown: UnknownActivation| E::custom(format_args!("unknown activation, {unknown}")))
            }
        }
        deserializer.deserialize_str(Name)
    }
}
