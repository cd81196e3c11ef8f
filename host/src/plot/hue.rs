//! What colours stand for: one thing in a whole page, and theory none of them.
//!
//! Things of a kind that has an order (widths, margins) are shades of one colour, pale to dark; others have colours of
//! their own. Every one of them stands out against white by a factor of 3 in luminance at least.

use plotters::style::RGBColor;

use super::Figure;

/// What the colour of a series stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum Hue {
    /// theory of any kind: black or grey
    Theory,
    /// something measured
    Of {
        /// of which there are several: `width`, `loss`
        kind: &'static str,
        /// which of them
        name: String,
        /// its place in the order of the kind, for a kind that has one
        rank: Option<f64>,
    },
}

impl Hue {
    /// One of a kind without an order.
    pub fn named(kind: &'static str, name: impl Into<String>) -> Self {
        Self::Of { kind, name: name.into(), rank: None }
    }
    /// One of a kind that is a number.
    pub fn at(kind: &'static str, rank: f64) -> Self {
        Self::Of { kind, name: rank.to_string(), rank: Some(rank) }
    }
    fn kind(&self) -> Option<&'static str> {
        match self {
            Self::Theory => None,
            Self::Of { kind, .. } => Some(kind),
        }
    }
    fn rank(&self) -> Option<f64> {
        match self {
            Self::Theory => None,
            Self::Of { rank, .. } => *rank,
        }
    }
}

/// The hues of a page, each with its colour.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Palette {
    hues: Vec<(Hue, RGBColor)>,
}

/// Colours of kinds without an order: after Okabe and Ito, darkened where they were pale, and others as far from them.
const NAMED: [RGBColor; 12] = [
    RGBColor(213, 94, 0),
    RGBColor(0, 133, 98),
    RGBColor(130, 80, 190),
    RGBColor(150, 113, 0),
    RGBColor(0, 128, 160),
    RGBColor(121, 72, 45),
    RGBColor(196, 80, 150),
    RGBColor(94, 128, 20),
    RGBColor(70, 70, 160),
    RGBColor(176, 58, 46),
    RGBColor(150, 40, 160),
    RGBColor(0, 90, 60),
];
/// Palest and darkest shade of the kinds that have an order, kind by kind.
const SHADED: [(RGBColor, RGBColor); 3] = [
    (RGBColor(70, 145, 215), RGBColor(5, 35, 90)),
    (RGBColor(220, 90, 150), RGBColor(85, 5, 45)),
    (RGBColor(60, 155, 85), RGBColor(5, 50, 25)),
];

impl Palette {
    /// Of all series of these figures.
    pub fn new<'a>(figures: impl IntoIterator<Item = &'a Figure>) -> Self {
        let mut all: Vec<&Hue> = Vec::new();
        for series in figures.into_iter().flat_map(|figure| &figure.series) {
            if series.hue != Hue::Theory && !all.contains(&&series.hue) {
                all.push(&series.hue);
            }
        }
        let (mut hues, mut named, mut ramps) = (Vec::new(), 0, 0);
        let mut kinds: Vec<&str> = Vec::new();
        for kind in all.iter().filter_map(|hue| hue.kind()) {
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        for kind in kinds {
            let of_kind = || all.iter().filter(move |hue| hue.kind() == Some(kind));
            let mut ordered: Vec<&Hue> = of_kind().filter(|hue| hue.rank().is_some()).copied().collect();
            ordered.sort_by(|a, b| a.rank().unwrap_or(0.0).total_cmp(&b.rank().unwrap_or(0.0)));
            let count = ordered.len();
            hues.extend(ordered.into_iter().enumerate().map(|(i, hue)| (hue.clone(), shade(ramps, i, count))));
            ramps += usize::from(count > 0);
            for hue in of_kind().filter(|hue| hue.rank().is_none()) {
                hues.push(((*hue).clone(), colour_of_its_own(named)));
                named += 1;
            }
        }
        Self { hues }
    }

    /// The place of a hue among all, by which its marker is chosen; that of theory is 0.
    pub(super) fn place(&self, hue: &Hue) -> usize {
        self.hues.iter().position(|(known, _)| known == hue).unwrap_or(0)
    }

    /// The colour of a hue; `None`: it is theory, or not of this page.
    pub fn colour(&self, hue: &Hue) -> Option<[u8; 3]> {
        self.rgb(hue).map(|RGBColor(r, g, b)| [r, g, b])
    }

    pub(super) fn rgb(&self, hue: &Hue) -> Option<RGBColor> {
        self.hues.iter().find(|(known, _)| known == hue).map(|(_, colour)| *colour)
    }
}

/// The i-th of `count` shades of a ramp.
fn shade(ramp: usize, i: usize, count: usize) -> RGBColor {
    let (RGBColor(r, g, b), RGBColor(dr, dg, db)) = SHADED[ramp % SHADED.len()];
    let share = if count > 1 { i as f64 / (count - 1) as f64 } else { 0.4 };
    // a ramp that comes again is a little darker, so that no two shades are the same
    let again = 1.0 - 0.12 * (ramp / SHADED.len()) as f64;
    let mix = |from: u8, to: u8| ((f64::from(from) + share * (f64::from(to) - f64::from(from))) * again).round() as u8;
    RGBColor(mix(r, dr), mix(g, dg), mix(b, db))
}

/// The i-th colour of kinds without an order: those of the table, then the same ever darker.
fn colour_of_its_own(i: usize) -> RGBColor {
    let RGBColor(r, g, b) = NAMED[i % NAMED.len()];
    let darker = |v: u8| (f64::from(v) * 0.72f64.powi((i / NAMED.len()) as i32)).round() as u8;
    RGBColor(darker(r), darker(g), darker(b))
}

/// How far a colour stands out against white: the ratio of luminances by the Web Content Accessibility Guidelines.
pub fn contrast_on_white([r, g, b]: [u8; 3]) -> f64 {
    let linear = |v: u8| {
        let v = f64::from(v) / 255.0;
        if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    };
    1.05 / (0.05 + 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b))
}

/// As many colours of each kind as a page may have.
#[cfg(test)]
pub(super) fn some_colours() -> impl Iterator<Item = RGBColor> {
    let shades = (0..6).flat_map(|ramp| (0..9).map(move |i| shade(ramp, i, 9)));
    (0..36).map(colour_of_its_own).chain(shades)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn colours_are_distinct_and_stand_out() {
        let rgb = |RGBColor(r, g, b): RGBColor| [r, g, b];
        let all: Vec<_> = some_colours().map(rgb).collect();
        for colour in &all {
            assert!(contrast_on_white(*colour) >= 3.0, "{colour:?}: {}", contrast_on_white(*colour));
            // no grey, which is theory's
            let [r, g, b] = *colour;
            assert!(r.abs_diff(g).max(g.abs_diff(b)).max(b.abs_diff(r)) > 8, "{colour:?}");
        }
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
        assert_eq!((contrast_on_white([255; 3]), contrast_on_white([0; 3]).round()), (1.0, 21.0));
    }
}
