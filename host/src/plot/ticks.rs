//! Where ticks stand and what they say.

use super::axis::{Place, Span};
use super::{Scale, text};
use plotters::coord::ranged1d::{BoldPoints, Ranged};
use plotters::coord::types::RangedCoordf64;

/// At most so many ticks with a label.
const MOST: usize = 8;

/// Ticks of an axis, as fractions of its length.
#[derive(Clone, Default)]
pub(super) struct Ticks {
    pub(super) labelled: Vec<(f64, String)>,
    /// Lines of the grid in between.
    pub(super) minor: Vec<f64>,
}

impl Ticks {
    /// At round values.
    pub(super) fn new(span: &Span) -> Self {
        let mut ticks = match span.scale {
            Scale::Linear => labelled(linear(span.low, span.high)),
            Scale::Root => {
                let all = linear(span.low.max(0.0).powi(2), span.high.powi(2));
                labelled(all.into_iter().map(|(at, label)| (at.max(0.0).sqrt(), label)).collect())
            }
            Scale::Log | Scale::LogTime | Scale::Exponent => decades(span),
        };
        ticks.labelled.iter_mut().for_each(|(at, _)| *at = span.fraction(*at));
        ticks.minor.iter_mut().for_each(|at| *at = span.fraction(*at));
        ticks
    }

    /// At the values of the data.
    pub(super) fn at(values: &[f64], span: &Span) -> Self {
        let tick = |value: &f64| match span.scale.place(*value) {
            Place::At(at) if span.contains(at) => Some((span.fraction(at), number(*value))),
            _ => None,
        };
        labelled(values.iter().filter_map(tick).collect())
    }

    /// The same without labels that would touch on an axis this long: of round values every so many stay, of those of
    /// the data all that have room beside the one before.
    pub(super) fn thinned(mut self, length: i32, size: i32, measured: bool) -> Self {
        let half = |label: &str| f64::from(text::width(label, size) + size / 2) / f64::from(length.max(1)) / 2.0;
        let touch = |a: &(f64, String), b: &(f64, String)| b.0 - a.0 < half(&a.1) + half(&b.1);
        if measured {
            let mut last: Option<(f64, String)> = None;
            for tick in &mut self.labelled {
                if last.as_ref().is_some_and(|last| touch(last, tick)) {
                    tick.1.clear();
                } else {
                    last = Some(tick.clone());
                }
            }
            return self;
        }
        let all = std::mem::take(&mut self.labelled);
        let every = |stride: usize| all.iter().step_by(stride).cloned().collect::<Vec<_>>();
        let apart = |ticks: &[(f64, String)]| !ticks.windows(2).any(|pair| touch(&pair[0], &pair[1]));
        let kept = (1..=all.len().max(1)).map(every).find(|ticks| apart(ticks));
        self.labelled = kept.unwrap_or_default();
        self
    }
}

/// A value of a grid: plainly, but for the very large and small.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 || (1e-3..1e6).contains(&size) {
        let text = format!("{value:.4}");
        return text.trim_end_matches('0').trim_end_matches('.').replace('-', "−");
    }
    let text = format!("{value:.2e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let mantissa = mantissa.trim_end_matches('0').trim_end_matches('.');
    format!("{mantissa}×10^{{{exponent}}}").replace('-', "−")
}

fn labelled(labelled: Vec<(f64, String)>) -> Ticks {
    Ticks { labelled, minor: Vec::new() }
}

/// Ticks at round numbers; a power of ten that all of them share stays out of their digits.
fn linear(low: f64, high: f64) -> Vec<(f64, String)> {
    let size = low.abs().max(high.abs());
    let exponent = match size.log10().floor() {
        -3.0..5.0 => 0.0,
        exponent => exponent.max(-300.0),
    };
    let unit = 10f64.powf(exponent);
    let at = RangedCoordf64::from(low / unit..high / unit).key_points(BoldPoints(MOST));
    let step = at.get(1).map_or(1.0, |second| second - at[0]);
    // A step is 1, 2 or 5 times a power of ten.
    let whole = |step: f64| step > 0.5 && (step - step.round()).abs() < 0.02;
    let digits = (0..15).find(|&d| whole(step * 10f64.powi(d))).unwrap_or(15);
    let label = |at: f64| {
        let number = format!("{:.*}", digits as usize, at);
        let number = if at.abs() < step * 1e-3 { "0".into() } else { number.replace('-', "−") };
        if exponent == 0.0 || number == "0" { number } else { format!("{number}×{}", power(exponent)) }
    };
    at.into_iter().map(|at| (at * unit, label(at))).collect()
}

/// Ticks at whole decades, every so many; on short intervals at 1, 2, 5 within a decade, or evenly.
fn decades(span: &Span) -> Ticks {
    let (low, high) = (span.low, span.high);
    // 1, 2, 5, 10, 20, 50, ...
    let steps = (0..16).flat_map(|k| [1.0, 2.0, 5.0].map(|m| m * 10f64.powi(k)));
    let step = steps.into_iter().find(|step| (high - low) / step <= MOST as f64).unwrap_or(f64::MAX);
    let (first, last) = ((low / step).ceil(), (high / step).floor());
    if last <= first || high.abs().max(low.abs()) > 1e12 {
        return within_decades(span);
    }
    let count = (last - first) as usize;
    let whole = (0..=count).map(|i| (first + i as f64) * step).map(|at| (at, power(at))).collect();
    let inner = (0..=count + 1).flat_map(|i| (2..10).map(move |m| first - 1.0 + i as f64 + f64::from(m).log10()));
    let minor = if step == 1.0 { inner.filter(|&at| span.contains(at)).collect() } else { Vec::new() };
    Ticks { labelled: whole, minor }
}

/// Ticks of an interval with fewer than two whole decades.
fn within_decades(span: &Span) -> Ticks {
    let (low, high) = (span.low, span.high);
    if low < -300.0 || high > 300.0 {
        let raised = |(at, label): (f64, String)| (at, format!("10^{{{label}}}"));
        return labelled(linear(low, high).into_iter().map(raised).collect());
    }
    let near = (low.floor() as i32..=high.floor() as i32).flat_map(|k| [1, 2, 5].map(|m| (k, m)));
    let label = |(k, m): (i32, i32)| match k {
        -3..5 => format!("{}", f64::from(m) * 10f64.powi(k)),
        _ => format!("{m}×{}", power(k.into())),
    };
    let all: Vec<_> = near.map(|(k, m)| (f64::from(k) + f64::from(m).log10(), label((k, m)))).collect();
    let mut inside: Vec<_> = all.into_iter().filter(|(at, _)| span.contains(*at)).collect();
    if inside.len() < 3 {
        inside = linear(10f64.powf(low), 10f64.powf(high)).into_iter().map(|(at, label)| (at.log10(), label)).collect();
    }
    labelled(inside)
}

fn power(exponent: f64) -> String {
    format!("10^{{{exponent:.0}}}").replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::super::markup;
    use super::*;

    fn labels(scale: Scale, low: f64, high: f64) -> Vec<String> {
        let ticks = Ticks::new(&Span { scale, low, high }).labelled;
        ticks.into_iter().map(|tick| markup::spoken(&tick.1)).collect()
    }

    #[test]
    fn linear_labels_are_exact() {
        assert_eq!(labels(Scale::Linear, -0.25, 0.31), ["−0.2", "−0.1", "0", "0.1", "0.2", "0.3"]);
        assert_eq!(labels(Scale::Linear, 0.0, 4.1e7), ["0", "1×10⁷", "2×10⁷", "3×10⁷", "4×10⁷"]);
        assert_eq!(labels(Scale::Linear, 0.0, 0.00021), ["0", "0.5×10⁻⁴", "1.0×10⁻⁴", "1.5×10⁻⁴", "2.0×10⁻⁴"]);
        assert_eq!(labels(Scale::Linear, 6.0, 6.000_000_2)[1], "6.00000005");
        assert_eq!(labels(Scale::Linear, 0.0, 900.0).len(), 5);
    }

    #[test]
    fn decades_thin_out_over_long_ranges() {
        assert_eq!(labels(Scale::Log, -1.2, 2.3), ["10⁻¹", "10⁰", "10¹", "10²"]);
        assert_eq!(labels(Scale::Log, -320.0, 300.0)[0], "10⁻³⁰⁰");
        assert_eq!(labels(Scale::Log, -0.4, 0.6), ["0.5", "1", "2"]);
        assert_eq!(labels(Scale::Log, -1.4, -0.4), ["0.05", "0.1", "0.2"]);
        assert_eq!(labels(Scale::Exponent, 0.0, 2.1e5)[1], "10⁵⁰⁰⁰⁰");
        assert_eq!(labels(Scale::Exponent, 1000.1, 1000.4).last().unwrap(), "10 super 1000.40");
    }

    #[test]
    fn a_grid_has_its_ticks_at_its_values() {
        let widths = [64.0, 128.0];
        let span = Span { scale: Scale::Log, low: 64f64.log10() - 0.01, high: 128f64.log10() + 0.01 };
        let ticks = Ticks::at(&widths, &span).thinned(2000, 50, true);
        assert_eq!(ticks.labelled.iter().map(|tick| tick.1.as_str()).collect::<Vec<_>>(), ["64", "128"]);
        assert!(ticks.labelled[0].0 < 0.1 && ticks.labelled[1].0 > 0.9 && ticks.minor.is_empty());
        let root = Span { scale: Scale::Root, low: 0.0, high: 10.0 };
        assert_eq!(Ticks::at(&[25.0, 200.0], &root).labelled, [(0.5, "25".to_owned())]);
        // a tick whose label has no room stays without it
        let close = Ticks::at(&[1.0, 1.01, 50.0], &Span { scale: Scale::Linear, low: 0.0, high: 51.0 });
        let said: Vec<_> = close.thinned(1000, 50, true).labelled.into_iter().map(|tick| tick.1).collect();
        assert_eq!(said, ["1", "", "50"]);
        assert_eq!([0.25, 1e6, 2.5e-5, 1234.5].map(number), ["0.25", "1×10^{6}", "2.5×10^{−5}", "1234.5"]);
        let many = Ticks::new(&Span { scale: Scale::Linear, low: 0.0, high: 0.00021 }).thinned(300, 50, false);
        assert!(many.labelled.len() < 3);
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
            for scale in [Scale::Linear, Scale::Exponent] {
                assert!(labels(scale, low, high).len() <= 64);
            }
        }
    }
}
