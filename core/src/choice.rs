//! Choices with names: what a file or a command line calls the variants of an enum, stated once.
//!
//! ```
//! use ntkscope_core::choice::Choice;
//! use ntkscope_core::network::Activation;
//!
//! assert_eq!("erf".parse(), Ok(Activation::Erf));
//! assert_eq!(Activation::Relu.to_string(), "relu");
//! let error = "step".parse::<Activation>().unwrap_err().to_string();
//! assert!(error.starts_with("expected one of: relu, leaky-relu"), "{error}");
//! ```
//!
//! With the feature `serde` a choice is serialized as its name.

use core::fmt;
use core::marker::PhantomData;

/// An enum without data whose variants have names.
pub trait Choice: Copy + Eq + 'static {
    /// Every variant, in the order in which a list shows them.
    const ALL: &'static [Self];
    /// The name in files and on the command line, in lower case with hyphens.
    fn name(self) -> &'static str;
    /// What it is, in one line of a help text.
    fn summary(self) -> &'static str;

    /// The variant of this name; underscores pass for hyphens.
    ///
    /// # Errors
    /// No variant has this name. The error lists those that there are.
    fn from_name(name: &str) -> Result<Self, UnknownName<Self>> {
        let hyphen = |byte: u8| if byte == b'_' { b'-' } else { byte };
        let found = Self::ALL.iter().find(|choice| choice.name().bytes().eq(name.bytes().map(hyphen)));
        found.copied().ok_or(UnknownName(PhantomData))
    }
}

/// A text that names no variant of `C`; displayed as the list of the names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownName<C>(PhantomData<C>);

impl<C: Choice> fmt::Display for UnknownName<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected ")?;
        list::<C>(f)
    }
}

impl<C: Choice + fmt::Debug> core::error::Error for UnknownName<C> {}

/// `one of: relu, erf`
fn list<C: Choice>(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("one of: ")?;
    for (i, choice) in C::ALL.iter().enumerate() {
        f.write_str(if i == 0 { "" } else { ", " })?;
        f.write_str(choice.name())?;
    }
    Ok(())
}

/// Reads a name, for serde.
#[cfg(feature = "serde")]
pub(crate) struct NameVisitor<C>(pub(crate) PhantomData<C>);

#[cfg(feature = "serde")]
impl<C: Choice> serde::de::Visitor<'_> for NameVisitor<C> {
    type Value = C;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        list::<C>(f)
    }
    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<C, E> {
        C::from_name(name).map_err(|_| E::invalid_value(serde::de::Unexpected::Str(name), &self))
    }
}

/// Declares an enum that is a [`Choice`]. Every variant stands once, with its summary as the first line of its
/// documentation and its name after the equals sign.
///
/// A macro, because no blanket implementation of `Display`, `FromStr` and serde's traits is allowed for all choices.
macro_rules! choice {
    (
        $(#[$attribute:meta])*
        pub enum $choice:ident {
            $(#[doc = $summary:literal] $(#[$more:meta])* $variant:ident = $name:literal,)+
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        pub enum $choice {
            $(#[doc = $summary] $(#[$more])* $variant,)+
        }

        impl $crate::choice::Choice for $choice {
            const ALL: &'static [Self] = &[$(Self::$variant),+];
            fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
            fn summary(self) -> &'static str {
                match self {
                    $(Self::$variant => $summary.trim_ascii(),)+
                }
            }
        }

        impl core::fmt::Display for $choice {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad($crate::choice::Choice::name(*self))
            }
        }

        impl core::str::FromStr for $choice {
            type Err = $crate::choice::UnknownName<Self>;
            fn from_str(name: &str) -> Result<Self, Self::Err> {
                $crate::choice::Choice::from_name(name)
            }
        }

        #[cfg(feature = "serde")]
        impl serde::Serialize for $choice {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str($crate::choice::Choice::name(*self))
            }
        }

        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $choice {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str($crate::choice::NameVisitor(core::marker::PhantomData))
            }
        }
    };
}
pub(crate) use choice;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{AnalyticKernel, Definiteness};
    use crate::loss::Loss;
    use crate::network::{Activation, Bias, Trained};
    use crate::train::Method;

    fn names_lead_back<C: Choice + fmt::Debug>() {
        for (i, choice) in C::ALL.iter().enumerate() {
            let name = choice.name();
            assert_eq!(C::from_name(name), Ok(*choice));
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{name}");
            assert!(!choice.summary().is_empty() && choice.summary().trim() == choice.summary(), "{name}");
            assert!(C::ALL[..i].iter().all(|other| other.name() != name), "{name} twice");
        }
        assert!(C::from_name("").is_err() && C::from_name("no-such-thing").is_err());
    }

    #[test]
    fn every_choice_has_names_that_lead_back() {
        names_lead_back::<Activation>();
        names_lead_back::<AnalyticKernel>();
        names_lead_back::<Bias>();
        names_lead_back::<Definiteness>();
        names_lead_back::<Loss>();
        names_lead_back::<Method>();
        names_lead_back::<Trained>();
    }

    #[test]
    fn underscores_pass_for_hyphens() {
        assert_eq!("cross_entropy".parse(), Ok(Loss::CrossEntropy));
        assert!("Cross-entropy".parse::<Loss>().is_err() && "crossentropy".parse::<Loss>().is_err());
    }
}
