//! Values that a figure gives to those who point at them: areas without a look, each with its words.

use std::fmt::Write;
use std::ops::Range;

use super::markup::{escape, spoken};
use super::{HeatMap, Mark, Scale, Series, ticks};

/// Around a data point, in steps of the grid.
const RADIUS: i32 = 36;

/// What can be pointed at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Target {
    /// around a point
    Point((i32, i32)),
    /// left, top, width and height
    Rectangle([i32; 4]),
}

/// A value that can be asked for.
#[derive(Clone, Debug)]
pub(super) struct Hover {
    pub(super) target: Target,
    /// without markup
    pub(super) text: String,
}

impl Hover {
    /// Appends it to an SVG: browsers show the title of what is pointed at.
    pub(super) fn svg(&self, out: &mut String) {
        let name = match self.target {
            Target::Point((x, y)) => {
                let _ = write!(out, "<circle cx=\"{x}\" cy=\"{y}\" r=\"{RADIUS}\"");
                "circle"
            }
            Target::Rectangle([x, y, width, height]) => {
                let _ = write!(out, "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"");
                "rect"
            }
        };
        out.push_str("><title>");
        escape(out, &self.text);
        let _ = writeln!(out, "</title></{name}>");
    }
}

/// A value of the data as it is said: four digits, three beside a power of ten, and no markup.
pub(super) fn said(scale: Scale, value: f64) -> String {
    let value = match scale {
        // beyond the range of an f64 the exponent is all there is to say
        Scale::Exponent if value.abs() > 300.0 => return spoken(&format!("10^{{{value:.0}}}").replace('-', "−")),
        Scale::Exponent => 10f64.powf(value),
        Scale::Linear | Scale::Root | Scale::Log | Scale::LogTime => value,
    };
    let rounded: f64 = format!("{value:.3e}").parse().unwrap_or(value);
    spoken(&match rounded.abs() {
        // of less than 1 four decimals would leave few digits
        size @ 1e-3..1.0 => {
            let text = format!("{rounded:.*}", (3.0 - size.log10().floor()) as usize);
            text.trim_end_matches('0').replace('-', "−")
        }
        1.0..1e6 => ticks::number(rounded),
        _ => ticks::number(value),
    })
}

/// The words for the i-th point of a series; `axis` names it where it has no label.
pub(super) fn of_point(series: &Series, axis: &str, scales: [Scale; 2], i: usize) -> String {
    let label = spoken(if series.label.is_empty() { axis } else { &series.label });
    let [x, y] = [said(scales[0], series.x[i]), said(scales[1], series.y[i])];
    match &series.mark {
        Mark::Band { low, high } if low[i] < high[i] => {
            let [low, high] = [low[i], high[i]].map(|limit| said(scales[1], limit));
            format!("{label}: {y} ({low} to {high}) at {x}")
        }
        _ => format!("{label}: {y} at {x}"),
    }
}

/// The values of a map whose left upper corner and side are these: of every cell where there are at most so many along a side,
/// else the means over as many blocks.
pub(super) fn of_map(map: &HeatMap, (left, top): (i32, i32), side: i32, most: usize) -> Vec<Hover> {
    let blocks = map.side.min(most);
    let block = |at: usize| at * map.side / blocks..(at + 1) * map.side / blocks;
    let edge = |cell: usize| (cell as i64 * i64::from(side) / map.side as i64) as i32;
    let named = |cells: &Range<usize>| match cells.len() {
        1 => cells.end.to_string(),
        _ => format!("{}–{}", cells.start + 1, cells.end),
    };
    let hover = |(rows, columns): (Range<usize>, Range<usize>)| {
        let count = (rows.len() * columns.len()) as f64;
        let cells = rows.clone().flat_map(|row| columns.clone().map(move |column| row * map.side + column));
        let mean: f64 = cells.map(|cell| map.cells[cell] / count).sum();
        let what = if count > 1.0 { "mean " } else { "" };
        let value = if mean.is_finite() { said(Scale::Linear, mean) } else { "not finite".into() };
        let [x, right] = [columns.start, columns.end].map(|cell| left + edge(cell));
        let [y, bottom] = [rows.start, rows.end].map(|cell| top + edge(cell));
        Hover {
            target: Target::Rectangle([x, y, right - x, bottom - y]),
            text: format!("{}: {what}{value}, row {}, column {}", spoken(&map.label), named(&rows), named(&columns)),
        }
    };
    (0..blocks).flat_map(|i| (0..blocks).map(move |j| (i, j))).map(|(i, j)| hover((block(i), block(j)))).collect()
}

/// At most `most` of so many places, evenly spread, with the first and the last.
pub(super) fn spread(count: usize, most: usize) -> Vec<usize> {
    let (last, steps) = (count.saturating_sub(1), most.min(count).saturating_sub(1).max(1));
    let mut places: Vec<usize> = (0..=steps).map(|i| i * last / steps).filter(|place| *place < count).collect();
    places.dedup();
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::{Hue, Shading};

    #[test]
    fn values_are_said_with_four_digits() {
        let linear = |value| said(Scale::Linear, value);
        let told = [0.0, 12.3456, 0.123_456, 0.012_345_6, 0.001_234_56, -0.5, 1.0, 123_456.0, 1.234_56e-5, 0.999_99]
            .map(linear);
        assert_eq!(told, ["0", "12.35", "0.1235", "0.01235", "0.001235", "−0.5", "1", "123500", "1.23×10⁻⁵", "1"]);
        assert_eq!([2.0, -1.0, 1e4].map(|v| said(Scale::Exponent, v)), ["100", "0.1", "10¹⁰⁰⁰⁰"]);
    }

    #[test]
    fn a_point_says_its_series_and_its_band() {
        let mark = Mark::Band { low: vec![1.0], high: vec![3.0] };
        let mut series = Series::new("K_{t}", (vec![64.0], vec![2.0]), mark, Hue::named("run", "a"));
        let scales = [Scale::Log, Scale::Linear];
        assert_eq!(of_point(&series, "y", scales, 0), "Kₜ: 2 (1 to 3) at 64");
        (series.label, series.mark) = (String::new(), Mark::Line);
        assert_eq!(of_point(&series, "λ_{i}", scales, 0), "λᵢ: 2 at 64");
    }

    #[test]
    fn a_map_says_its_cells_or_the_means_of_blocks() {
        let map = HeatMap::new("K_{0}", 3, |i, j| if i == 2 { f64::NAN } else { (i + j) as f64 }, Shading::Sequential);
        let cells = of_map(&map, (10, 20), 300, 4);
        assert_eq!((cells.len(), cells[1].target), (9, Target::Rectangle([110, 20, 100, 100])));
        assert_eq!([&cells[1].text, &cells[8].text], ["K₀: 1, row 1, column 2", "K₀: not finite, row 3, column 3"]);
        let blocks = of_map(&map, (10, 20), 300, 2);
        assert_eq!((blocks.len(), &blocks[1].text[..]), (4, "K₀: mean 1.5, row 1, column 2–3"));
    }

    #[test]
    fn places_are_spread_from_end_to_end() {
        assert_eq!((spread(0, 4), spread(1, 4), spread(3, 4)), (vec![], vec![0], vec![0, 1, 2]));
        assert_eq!((spread(101, 5), spread(4, 2)), (vec![0, 25, 50, 75, 100], vec![0, 3]));
    }
}
