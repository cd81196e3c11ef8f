//! From values to positions: what a scale can show, and the interval an axis spans.

use super::{Axis, Scale};

/// A value on an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Place {
    /// Its coordinate: the value itself, or its decimal logarithm.
    At(f64),
    /// The start of a time axis, which a logarithm cannot show and nobody misses.
    Start,
    NotPositive,
    NotFinite,
}

impl Scale {
    /// Coordinate of a value.
    pub(super) fn place(self, value: f64) -> Place {
        match self {
            Self::Exponent if value == f64::NEG_INFINITY => Place::Start,
            _ if !value.is_finite() => Place::NotFinite,
            Self::Linear | Self::Exponent => Place::At(value),
            Self::Root if value < 0.0 => Place::NotPositive,
            Self::Root => Place::At(value.sqrt()),
            Self::LogTime if value == 0.0 => Place::Start,
            Self::Log | Self::LogTime if value <= 0.0 => Place::NotPositive,
            Self::Log | Self::LogTime => Place::At(value.log10()),
        }
    }

    /// Whether coordinates are decimal logarithms.
    pub(super) fn is_decades(self) -> bool {
        match self {
            Self::Linear | Self::Root => false,
            Self::Log | Self::LogTime | Self::Exponent => true,
        }
    }
}

/// The interval of coordinates between the two ends of an axis; `low < high`, both finite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Span {
    pub(super) scale: Scale,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Span {
    /// The axis' own range, or the least interval around the coordinates with `margin` (a fraction) added on both sides.
    pub(super) fn new(axis: &Axis, coordinates: impl Iterator<Item = f64>, margin: f64) -> Self {
        let scale = axis.scale;
        if let Some((low, high)) = axis.range
            && let (Place::At(low), Place::At(high)) = (scale.place(low), scale.place(high))
        {
            return Self { scale, low, high };
        }
        let (low, high) = coordinates.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), c| (a.min(c), b.max(c)));
        if low > high {
            return Self { scale, low: 0.0, high: 1.0 };
        }
        // Halves, so that the width of an interval from -1e308 to 1e308 is still a number.
        let half = high / 2.0 - low / 2.0;
        let size = low.abs().max(high.abs());
        let pad = if half > size * 1e-12 {
            2.0 * margin * half
        } else if scale.is_decades() {
            (size * 1e-9).max(0.5)
        } else if size == 0.0 {
            1.0
        } else {
            (size * 0.1).max(f64::MIN_POSITIVE)
        };
        Self { scale, low: (low - pad).max(f64::MIN), high: (high + pad).min(f64::MAX) }
    }

    /// 0 at the low end, 1 at the high end.
    pub(super) fn fraction(&self, coordinate: f64) -> f64 {
        // Nothing needs to be farther out than this for its visible part to be right.
        ((coordinate / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0)).clamp(-1e9, 1e9)
    }

    /// Whether a coordinate lies on the axis.
    pub(super) fn contains(&self, coordinate: f64) -> bool {
        (self.low..=self.high).contains(&coordinate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(scale: Scale, values: &[f64]) -> Span {
        Span::new(&Axis::new("", scale), values.iter().copied(), 0.05)
    }

    #[test]
    fn places_say_why_a_value_is_left_out() {
        assert_eq!(Scale::Log.place(0.0), Place::NotPositive);
        assert_eq!(Scale::LogTime.place(0.0), Place::Start);
        assert_eq!(Scale::LogTime.place(-1.0), Place::NotPositive);
        assert_eq!(Scale::Exponent.place(f64::NEG_INFINITY), Place::Start);
        assert_eq!(Scale::Exponent.place(-3.0), Place::At(-3.0));
        assert_eq!(Scale::Linear.place(f64::NAN), Place::NotFinite);
        assert_eq!(Scale::Log.place(f64::INFINITY), Place::NotFinite);
    }

    #[test]
    fn every_span_is_wider_than_nothing() {
        let tiny = f64::from_bits(1);
        for values in
            [&[0.0][..], &[5.0], &[-3.0, -3.0], &[f64::MAX, f64::MIN], &[f64::MAX], &[tiny], &[1.0, 1.0 + 1e-15], &[]]
        {
            for scale in [Scale::Linear, Scale::Exponent] {
                let span = span(scale, values);
                assert!(span.low < span.high && span.low.is_finite() && span.high.is_finite(), "{values:?} {span:?}");
                for &v in values {
                    assert!((0.0..=1.0).contains(&span.fraction(v)), "{v} in {span:?}");
                }
            }
        }
    }
}
