//! Settings that have several values, separated by commas.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use ntkscope_core::choice::Choice;
use ntkscope_core::network::Activation;
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::words::{did_you_mean, either, excerpt};

/// What a list can be of.
pub trait Item: FromStr + fmt::Display {
    /// What a text that is none of them is to be replaced with.
    fn needed(text: &str) -> String;
}

impl Item for usize {
    fn needed(text: &str) -> String {
        format!("give a whole number in place of `{text}`, as in 256,128")
    }
}

impl Item for Activation {
    fn needed(text: &str) -> String {
        let names: Vec<&str> = Self::ALL.iter().map(|activation| activation.name()).collect();
        let near = did_you_mean(text, names.iter().copied());
        format!(
            "give {}, or leaky-relu with its slope, as in leaky-relu:0.2, in place of `{text}`{near}",
            either(&names)
        )
    }
}

/// A text that is no list, in words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoList(String);

/// At least one value. A flag has them separated by commas, and so have files; of these, a list of the language passes too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List<T>(Vec<T>);

impl<T> List<T> {
    /// The values.
    pub fn values(&self) -> &[T] {
        &self.0
    }
}

impl<T: Copy> List<T> {
    /// Of `count` things: the values where there are as many, or the only one of all.
    pub fn spread(&self, count: usize) -> Option<Vec<T>> {
        match self.0[..] {
            [one] => Some(vec![one; count]),
            _ => (self.0.len() == count).then(|| self.0.clone()),
        }
    }
}

impl<T> From<T> for List<T> {
    fn from(one: T) -> Self {
        Self(vec![one])
    }
}

impl<T: fmt::Display> fmt::Display for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, value) in self.0.iter().enumerate() {
            write!(f, "{}{value}", if i == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl<T: Item> FromStr for List<T> {
    type Err = NoList;
    fn from_str(text: &str) -> Result<Self, NoList> {
        let value = |text: &str| text.parse().map_err(|_| NoList(T::needed(&excerpt(text))));
        text.split(',').map(|text| value(text.trim())).collect::<Result<_, _>>().map(Self)
    }
}

impl<T: fmt::Display> Serialize for List<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, T: Item> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Values<T>(PhantomData<T>);
        impl<'de, T: Item> Visitor<'de> for Values<T> {
            type Value = List<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("values separated by commas")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<List<T>, E> {
                text.parse().map_err(E::custom)
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<List<T>, E> {
                self.visit_str(&number.to_string())
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<List<T>, E> {
                self.visit_str(&number.to_string())
            }
            // neither is a value of any list, and the message says so
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<List<T>, E> {
                self.visit_str(&number.to_string())
            }
            fn visit_bool<E: de::Error>(self, flag: bool) -> Result<List<T>, E> {
                self.visit_str(&flag.to_string())
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<List<T>, A::Error> {
                let mut all = Vec::new();
                while let Some(List(some)) = values.next_element::<List<T>>()? {
                    all.extend(some);
                }
                if all.is_empty() { Err(de::Error::custom("give at least one value")) } else { Ok(List(all)) }
            }
        }
        deserializer.deserialize_any(Values(PhantomData))
    }
}

/// Parser of a list of choices for clap, which shows every name with its summary.
#[derive(Clone, Debug)]
pub(super) struct Choices<C>(PhantomData<C>);

impl<C> Choices<C> {
    pub(super) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<C> TypedValueParser for Choices<C>
where
    C: Choice + Item + Send + Sync,
{
    type Value = List<C>;
    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<Self::Value, clap::Error> {
        StringValueParser::new().try_map(|text| text.parse::<List<C>>()).parse_ref(command, argument, value)
    }
    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(C::ALL.iter().map(super::kinds::possible)))
    }
}

#[cfg(test)]
mod tests {
    use toml::Table;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Both {
        widths: List<usize>,
        activation: List<Activation>,
    }

    #[test]
    fn texts_numbers_and_lists_are_read_alike() {
        for text in [
            "widths = '64,32'\nactivation = 'relu,leaky-relu:0.2'",
            "widths = [64, 32]\nactivation = ['relu', 'leaky-relu:0.2']",
            "widths = '64, 32'\nactivation = ['relu,leaky_relu:0.2']",
        ] {
            let both: Both = toml::from_str(text).unwrap();
            assert_eq!((both.widths.values(), both.widths.to_string().as_str()), (&[64, 32][..], "64,32"));
            assert_eq!(both.activation.to_string(), "relu,leaky-relu:0.2");
            assert_eq!(Table::try_from(&both).unwrap().try_into::<Both>().unwrap(), both);
        }
        let one: Both = toml::from_str("widths = 7\nactivation = 'erf'").unwrap();
        assert_eq!((one.widths.spread(3), one.activation.values()), (Some(vec![7; 3]), &[Activation::Erf][..]));
        for wrong in
            ["widths = []\nactivation = 'erf'", "widths = 'a'\nactivation = 'erf'", "widths = 1\nactivation = 'step'"]
        {
            assert!(toml::from_str::<Both>(wrong).is_err(), "{wrong}");
        }
        assert_eq!("1,2".parse::<List<usize>>().unwrap().spread(3), None);
    }
}
