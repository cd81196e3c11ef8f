//! Why a kernel is singular, as far as its samples and entries show it.

use std::collections::HashMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use ntkscope_core::network::{Network, Source};

use crate::files::Dtype;

/// What was found in the samples, or in the kernel's entries. Samples are counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Degeneracy {
    /// every sample is the zero vector, and no bias moves it away from 0
    ZeroSamples,
    /// this sample is
    ZeroSample(usize),
    /// the gradient is 0 on every sample, because all units are off
    NoActiveUnit,
    /// the gradient is 0 on this sample
    NoActiveUnitOn(usize),
    /// the kernel of the infinitely wide network, where the network's scales take it out of the scalar's range
    Underflow,
    /// two samples are the same, in the scalar that is used
    Equal(usize, usize),
    /// the rows of two samples are multiples of each other
    Parallel(usize, usize),
}

/// The samples of a kernel, as far as a cause can lie in them.
#[derive(Clone, Copy, Debug)]
pub struct Suspects<'a> {
    /// the samples `(n, d)`
    pub x: &'a [f64],
    /// numbers of a sample
    pub d: usize,
    /// the scalar that the kernel was computed in
    pub dtype: Dtype,
    /// whether the first layer has a bias, of a scale that is not 0
    pub biased: bool,
    /// whether it is the kernel of a network at its parameters
    pub empirical: bool,
}

/// Entries of a kernel by sample, where they are held.
pub type Entry<'e> = &'e dyn Fn(usize, usize) -> f64;

impl Suspects<'_> {
    /// Whether some layer that sees the samples themselves has a bias.
    pub fn biased<N: Network>(network: &N) -> bool {
        let layers = (0..network.sizes().layers).map(|index| network.layer(index));
        layers
            .into_iter()
            .any(|layer| layer.source == Source::Samples && layer.bias.is_some() && layer.bias_scale != 0.0)
    }

    fn n(&self) -> usize {
        self.x.len() / self.d.max(1)
    }

    fn sample(&self, i: usize) -> &[f64] {
        &self.x[i * self.d..(i + 1) * self.d]
    }

    fn is_zero(&self, i: usize) -> bool {
        !self.biased && self.sample(i).iter().all(|x| *x == 0.0)
    }

    /// Why the kernel is 0. Samples so small that their products are 0 are refused before.
    pub fn of_zero(&self) -> Degeneracy {
        match self.empirical {
            _ if (0..self.n()).all(|i| self.is_zero(i)) => Degeneracy::ZeroSamples,
            true => Degeneracy::NoActiveUnit,
            false => Degeneracy::Underflow,
        }
    }

    /// Why the kernel is singular, and not 0; the entries, where they are held, show more. `None` where no single sample
    /// and no pair of them is the reason.
    pub fn of_singular(&self, entry: Option<Entry<'_>>) -> Option<Degeneracy> {
        let n = self.n();
        if let Some(i) = (0..n).find(|i| self.is_zero(*i)) {
            return Some(Degeneracy::ZeroSample(i));
        }
        if let Some(i) = entry.and_then(|k| (0..n).find(|i| k(*i, *i) == 0.0)) {
            return Some(Degeneracy::NoActiveUnitOn(i));
        }
        let mut seen = HashMap::new();
        for i in 0..n {
            let mut hasher = DefaultHasher::new();
            self.bits(i).for_each(|bits| bits.hash(&mut hasher));
            let first = seen.insert(hasher.finish(), i);
            if let Some(first) = first.filter(|first| self.bits(*first).eq(self.bits(i))) {
                return Some(Degeneracy::Equal(first, i));
            }
        }
        let k = entry?;
        // rounding of the entries, relative to them
        let parallel = |i: usize, j: usize| {
            (k(i, j).abs() / k(i, i).sqrt() / k(j, j).sqrt() - 1.0).abs() <= 64.0 * self.dtype.epsilon()
        };
        let mut pairs = (0..n).flat_map(|j| (0..j).map(move |i| (i, j)));
        pairs.find(|(i, j)| parallel(*i, *j)).map(|(i, j)| Degeneracy::Parallel(i, j))
    }

    /// The bits of a sample in the scalar in use, 0 and -0 being one number.
    fn bits(&self, i: usize) -> impl Iterator<Item = u64> {
        let single = self.dtype == Dtype::F32;
        let rounded = self.sample(i).iter().map(move |x| if single { f64::from(*x as f32) } else { *x });
        rounded.map(|x| (x + 0.0).to_bits())
    }
}

/// A clause, without a full stop.
impl fmt::Display for Degeneracy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ZeroSamples => f.write_str("every sample is the zero vector, and the network has no bias"),
            Self::ZeroSample(i) => write!(f, "sample {i} is the zero vector, and the network has no bias"),
            Self::NoActiveUnit => f.write_str("no unit is active on any sample"),
            Self::NoActiveUnitOn(i) => write!(f, "no unit is active on sample {i}"),
            Self::Underflow => f.write_str("the network's scales are so small that every entry underflows to 0"),
            Self::Equal(i, j) => write!(f, "samples {i} and {j} are equal"),
            Self::Parallel(i, j) => write!(f, "the rows of samples {i} and {j} are proportional"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(x: &[f64], biased: bool, kernel: Option<&[f64]>, dtype: Dtype) -> Option<Degeneracy> {
        let suspects = Suspects { x, d: 1, dtype, biased, empirical: true };
        let entry = |i: usize, j: usize| kernel.unwrap_or_default()[i * x.len() + j];
        suspects.of_singular(kernel.is_some().then_some(&entry))
    }

    #[test]
    fn each_cause_is_found() {
        use Dtype::{F32, F64};
        assert_eq!(found(&[1.0, 0.0], false, None, F64), Some(Degeneracy::ZeroSample(1)));
        assert_eq!(found(&[1.0, 0.0], true, None, F64), None, "a bias tells it from others");
        assert_eq!(found(&[1.0, 2.0, 1.0], true, None, F64), Some(Degeneracy::Equal(0, 2)));
        assert_eq!(found(&[0.0, -0.0], true, None, F64), Some(Degeneracy::Equal(0, 1)));
        assert_eq!(found(&[1.0, 1.0 + 1e-12], true, None, F32), Some(Degeneracy::Equal(0, 1)), "in f32");
        assert_eq!(found(&[1.0, 1.0 + 1e-12], true, None, F64), None);
        assert_eq!(found(&[1.0, 2.0], false, Some(&[1.0, -2.0, -2.0, 4.0]), F64), Some(Degeneracy::Parallel(0, 1)));
        assert_eq!(found(&[1.0, 2.0], false, Some(&[1.0, 1.9, 1.9, 4.0]), F64), None);
        assert_eq!(found(&[1.0, 2.0], true, Some(&[1.0, 0.0, 0.0, 0.0]), F64), Some(Degeneracy::NoActiveUnitOn(1)));
    }

    #[test]
    fn a_kernel_of_zeros_has_one_of_three() {
        for (x, biased, empirical, cause) in [
            (0.0, false, true, Degeneracy::ZeroSamples),
            (0.0, false, false, Degeneracy::ZeroSamples),
            (0.0, true, true, Degeneracy::NoActiveUnit),
            (1.0, false, true, Degeneracy::NoActiveUnit),
            (1e-300, false, false, Degeneracy::Underflow),
        ] {
            assert_eq!(Suspects { x: &[x], d: 1, dtype: Dtype::F64, biased, empirical }.of_zero(), cause);
        }
    }
}
