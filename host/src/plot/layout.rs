//! Where everything stands: sizes follow from the text, so that nothing is cut off.

use super::Figure;
use super::axis::Span;
use super::legend::Legend;
use super::scene::Rect;
use super::text;
use super::ticks::{Tick, ticks};

pub(super) const TITLE: f64 = 17.0;
pub(super) const LABEL: f64 = 14.5;
pub(super) const TICK: f64 = 13.0;
pub(super) const NOTE: f64 = 11.5;

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 560.0;
/// The axes are never lower than this: a long legend makes the figure higher instead.
const LEAST_FRAME: f64 = 320.0;
const RIGHT: f64 = 28.0;

/// The geometry of a figure.
pub(super) struct Layout<'a> {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) frame: Rect,
    pub(super) legend: Legend<'a>,
    pub(super) legend_top: f64,
    pub(super) x_ticks: Vec<Tick>,
    pub(super) y_ticks: Vec<Tick>,
}

impl<'a> Layout<'a> {
    pub(super) fn new(figure: &'a Figure, x: &Span, y: &Span, note: bool) -> Self {
        let y_ticks = ticks(y, 8);
        let widest = widths(&y_ticks).fold(0.0, f64::max);
        let y_label = if figure.y.label.is_empty() { 0.0 } else { 30.0 };
        let left = (14.0 + y_label + widest + 10.0).round();

        let legend = Legend::new(figure, WIDTH - RIGHT - left);
        let legend_top = if figure.title.is_empty() { 14.0 } else { 44.0 };
        let top = (legend_top + legend.height() + if legend.height() > 0.0 { 8.0 } else { 4.0 }).round();
        let x_label = if figure.x.label.is_empty() { 0.0 } else { 26.0 };
        let below = 32.0 + x_label + if note { 20.0 } else { 4.0 };
        let height = HEIGHT.max(top + LEAST_FRAME + below);
        let frame = Rect { left, top, right: WIDTH - RIGHT, bottom: height - below };
        let x_ticks = [10, 8, 6, 4, 3].into_iter().map(|target| ticks(x, target)).find(|ticks| apart(ticks, x, &frame));
        let x_ticks = x_ticks.unwrap_or_else(|| ticks(x, 2));
        Self { width: WIDTH, height, frame, legend, legend_top, x_ticks, y_ticks }
    }
}

fn widths(ticks: &[Tick]) -> impl Iterator<Item = f64> {
    ticks.iter().filter_map(|tick| tick.label.as_deref()).map(|label| text::width(label, TICK))
}

/// Whether no label of the horizontal axis touches its neighbour.
fn apart(ticks: &[Tick], span: &Span, frame: &Rect) -> bool {
    let mut reached = f64::NEG_INFINITY;
    let labelled = ticks.iter().filter(|tick| tick.label.is_some());
    labelled.zip(widths(ticks)).all(|(tick, width)| {
        let middle = frame.left + span.fraction(tick.at) * frame.width();
        let clear = middle - width / 2.0 >= reached;
        reached = middle + width / 2.0 + 12.0;
        clear
    })
}
