//! Where ticks stand and what they say. Values are kept as integers times powers of ten, so labels are exact.

use super::axis::Span;

/// A tick; one without a label is a minor one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    /// Coordinate on the axis.
    pub(super) at: f64,
    pub(super) label: Option<String>,
}

/// Ticks of an axis, about `target` of them with labels.
pub(super) fn ticks(span: &Span, target: usize) -> Vec<Tick> {
    if span.scale.is_decades() { decades(span, target) } else { linear(span.low, span.high, target) }
}

/// Ticks at multiples of 1, 2 or 5 times a power of ten.
fn linear(low: f64, high: f64, target: usize) -> Vec<Tick> {
    let values = multiples(low, high, target);
    let largest = values.iter().map(|(n, _)| n.unsigned_abs()).max().unwrap_or(0);
    let digits = |n: u64| n.checked_ilog10().unwrap_or(0) as i32;
    let make = |&(n, exponent): &(i64, i32)| {
        let top = exponent + digits(largest);
        let label = match top {
            _ if n == 0 => "0".into(),
            -3..5 => decimal(n, exponent),
            _ => format!("{}×10^{{{}}}", decimal(n, exponent - top), integer(top.into())),
        };
        Tick { at: value(n, exponent), label: Some(label) }
    };
    values.iter().map(make).collect()
}

/// Pairs (n, e), each the number n 10^e, within `low..=high`.
fn multiples(low: f64, high: f64, target: usize) -> Vec<(i64, i32)> {
    let raw = high / target as f64 - low / target as f64;
    if !raw.is_normal() {
        return Vec::new();
    }
    let mut exponent = raw.log10().floor() as i32;
    let mut unit = 10;
    for candidate in [1, 2, 5] {
        if value(candidate, exponent) >= raw * 0.75 {
            unit = candidate;
            break;
        }
    }
    if unit == 10 {
        (unit, exponent) = (1, exponent + 1);
    }
    let step = value(unit, exponent);
    let first = (low / step).ceil() as i64;
    let all = (0..64).map(|i| first.saturating_add(i).saturating_mul(unit));
    all.take_while(|&n| value(n, exponent) <= high)
        .filter(|&n| value(n, exponent) >= low)
        .map(|n| (n, exponent))
        .collect()
}

/// Ticks at whole decades, every so many; on short intervals at 1, 2, 5 within a decade, or evenly.
fn decades(span: &Span, target: usize) -> Vec<Tick> {
    let (low, high) = (span.low, span.high);
    if low.abs().max(high.abs()) > 1e12 {
        return exponents(span, target);
    }
    let (first, last) = (low.ceil() as i64, high.floor() as i64);
    let mut step = 1;
    for factor in [2, 5, 10].into_iter().cycle().take(60) {
        if (high - low) / step as f64 <= target as f64 {
            break;
        }
        // 1, 2, 5, 10, 20, 50, ...
        step = if factor == 5 { step / 2 * 5 } else { step * 2 };
    }
    let start = first.div_euclid(step) * step + if first.rem_euclid(step) == 0 { 0 } else { step };
    let labelled = if start <= last { (last - start) / step + 1 } else { 0 };
    if labelled < 2 {
        return within_decades(span, target);
    }
    let power = |k: i64| Tick { at: k as f64, label: Some(format!("10^{{{}}}", integer(k))) };
    let mut ticks: Vec<Tick> = (0..labelled).map(|i| power(start + i * step)).collect();
    let minor = |at: f64| Tick { at, label: None };
    if step == 1 && high - low <= 12.0 {
        let inner = (first - 1..=last).flat_map(|k| (2..10).map(move |m| k as f64 + f64::from(m).log10()));
        ticks.extend(inner.filter(|&at| span.contains(at)).map(minor));
    } else if step > 1 && step <= 10 && high - low <= 100.0 {
        ticks.extend((first..=last).filter(|k| k.rem_euclid(step) != 0).map(|k| minor(k as f64)));
    }
    ticks
}

/// Ticks of an interval with fewer than two labelled decades.
fn within_decades(span: &Span, target: usize) -> Vec<Tick> {
    let (low, high) = (span.low, span.high);
    if low < -300.0 || high > 300.0 {
        return exponents(span, target);
    }
    let mut ticks = Vec::new();
    for k in (low.floor() as i32)..=(high.floor() as i32) {
        for m in 1..10 {
            let at = f64::from(k) + f64::from(m).log10();
            if span.contains(at) {
                let label = [1, 2, 5].contains(&m).then(|| match k {
                    -3..5 => decimal(m.into(), k),
                    _ => format!("{m}×10^{{{}}}", integer(k.into())),
                });
                ticks.push(Tick { at, label });
            }
        }
    }
    if ticks.iter().filter(|tick| tick.label.is_some()).count() >= 3 {
        return ticks;
    }
    let mut ticks = linear(10f64.powf(low), 10f64.powf(high), target);
    ticks.iter_mut().for_each(|tick| tick.at = tick.at.log10());
    ticks.retain(|tick| span.contains(tick.at));
    ticks
}

/// Even steps of the exponent, for powers of ten beyond what a number can hold.
fn exponents(span: &Span, target: usize) -> Vec<Tick> {
    let raised = |label: String| if label.contains('^') { format!("10^({label})") } else { format!("10^{{{label}}}") };
    let ticks = linear(span.low, span.high, target).into_iter();
    ticks.map(|tick| Tick { label: tick.label.map(raised), ..tick }).collect()
}

/// n 10^exponent, correctly rounded.
fn value(n: i64, exponent: i32) -> f64 {
    format!("{n}e{exponent}").parse().unwrap_or(f64::NAN)
}

fn integer(n: i64) -> String {
    decimal(n, 0)
}

/// n 10^exponent written out, with a proper minus sign.
fn decimal(n: i64, exponent: i32) -> String {
    let sign = if n < 0 { "−" } else { "" };
    let digits = n.unsigned_abs().to_string();
    if exponent >= 0 {
        return format!("{sign}{digits}{}", "0".repeat(exponent as usize));
    }
    let places = exponent.unsigned_abs() as usize;
    let digits = format!("{digits:0>width$}", width = places + 1);
    let (whole, part) = digits.split_at(digits.len() - places);
    format!("{sign}{whole}.{part}")
}

#[cfg(test)]
mod tests {
    use super::super::Scale;
    use super::*;

    fn labels(scale: Scale, low: f64, high: f64, target: usize) -> Vec<String> {
        ticks(&Span { scale, low, high }, target).into_iter().filter_map(|tick| tick.label).collect()
    }

    #[test]
    fn linear_labels_are_exact() {
        assert_eq!(labels(Scale::Linear, -0.25, 0.31, 6), ["−0.2", "−0.1", "0", "0.1", "0.2", "0.3"]);
        assert_eq!(labels(Scale::Linear, 0.0, 4.1e7, 4), ["0", "1×10^{7}", "2×10^{7}", "3×10^{7}", "4×10^{7}"]);
        assert_eq!(labels(Scale::Linear, 0.0, 0.00021, 2), ["0", "1×10^{−4}", "2×10^{−4}"]);
        assert_eq!(labels(Scale::Linear, 6.0, 6.000_000_2, 2), ["6.0000000", "6.0000001", "6.0000002"]);
        assert_eq!(labels(Scale::Linear, 0.0, 900.0, 3), ["0", "500"]);
    }

    #[test]
    fn decades_thin_out_over_long_ranges() {
        assert_eq!(labels(Scale::Log, -1.2, 2.3, 8), ["10^{−1}", "10^{0}", "10^{1}", "10^{2}"]);
        assert_eq!(
            labels(Scale::Log, -320.0, 300.0, 7),
            ["10^{−300}", "10^{−200}", "10^{−100}", "10^{0}", "10^{100}", "10^{200}", "10^{300}"]
        );
        assert_eq!(labels(Scale::Log, -0.4, 0.6, 8), ["0.5", "1", "2"]);
        assert_eq!(labels(Scale::Log, 1.0, 1.02, 3), ["10.0", "10.2", "10.4"]);
        assert_eq!(labels(Scale::Exponent, 0.0, 2.1e5, 3), ["10^{0}", "10^{100000}", "10^{200000}"]);
        assert_eq!(
            labels(Scale::Exponent, 1000.1, 1000.4, 3),
            ["10^{1000.1}", "10^{1000.2}", "10^{1000.3}", "10^{1000.4}"]
        );
    }

    #[test]
    fn no_range_hangs_or_crashes() {
        for (low, high) in [
            (f64::MIN, f64::MAX),
            (0.0, f64::MIN_POSITIVE),
            (1.0, 1.0f64.next_up()),
            (-1e-320, 1e-320),
            (1e15, 1e15 + 1.0),
        ] {
            for target in [2, 8] {
                assert!(labels(Scale::Linear, low, high, target).len() <= 64);
                assert!(labels(Scale::Exponent, low, high, target).len() <= 64);
            }
        }
    }
}
