//! Figures on a dark ground: every colour with its lightness turned around, hue and meaning kept.
//!
//! A page holds its figures light; rules of its style sheet, one for each colour that they have, stand over the colours of
//! the attributes where the reader wants it dark. So a figure is the same bytes in a page and in a file.

use std::collections::BTreeSet;
use std::fmt::Write;

use plotters::style::{RGBColor, WHITE};

/// What white becomes: the ground of the page.
const GROUND: RGBColor = RGBColor(21, 24, 28);

/// The rules for all colours of the figures in this HTML. Cells of heat maps have none: their legend has them as they are.
pub(crate) fn dark_rules(html: &str) -> String {
    let mut found: BTreeSet<(&str, &str)> = BTreeSet::new();
    for attribute in ["fill", "stroke"] {
        for rest in html.split(&format!(" {attribute}=\"#")).skip(1) {
            if let Some(digits) = rest.get(..6).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit())) {
                found.insert((attribute, digits));
            }
        }
    }
    let mut out = String::new();
    for (attribute, digits) in found {
        let part = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap_or(0);
        let RGBColor(r, g, b) = dark(RGBColor(part(0), part(2), part(4)));
        let _ = writeln!(out, "  svg [{attribute}=\"#{digits}\"] {{ {attribute}: #{r:02x}{g:02x}{b:02x}; }}");
    }
    if out.is_empty() { out } else { format!("@media screen and (prefers-color-scheme: dark) {{\n{out}}}\n") }
}

/// The colour that stands for this one on a dark ground.
pub(super) fn dark(colour: RGBColor) -> RGBColor {
    if colour == WHITE {
        return GROUND;
    }
    let [light, a, b] = to_oklab(colour);
    // from white to black: a little above the ground to nearly white
    let light = (1.04 - 0.75 * light).min(0.98);
    // less colour where there is none of that lightness
    let colours = (0..60).map(|step| from_oklab([light, a * 0.95f64.powi(step), b * 0.95f64.powi(step)]));
    colours.into_iter().flatten().next().unwrap_or(GROUND)
}

/// Lightness and two coordinates of colour in which equal distances look equal (B. Ottosson's Oklab).
fn to_oklab(RGBColor(r, g, b): RGBColor) -> [f64; 3] {
    let linear = |v: u8| {
        let v = f64::from(v) / 255.0;
        if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    };
    let rgb = [r, g, b].map(linear);
    let cones = [
        [0.412_221_470_8, 0.536_332_536_3, 0.051_445_992_9],
        [0.211_903_498_2, 0.680_699_545_1, 0.107_396_956_6],
        [0.088_302_461_9, 0.281_718_837_6, 0.629_978_700_5],
    ];
    let cones = product(&cones, rgb).map(f64::cbrt);
    let lab = [
        [0.210_454_255_3, 0.793_617_785, -0.004_072_046_8],
        [1.977_998_495_1, -2.428_592_205, 0.450_593_709_9],
        [0.025_904_037_1, 0.782_771_766_2, -0.808_675_766],
    ];
    product(&lab, cones)
}

/// The colour of these coordinates; `None`: a screen has none.
fn from_oklab(lab: [f64; 3]) -> Option<RGBColor> {
    let cones = [
        [1.0, 0.396_337_777_4, 0.215_803_757_3],
        [1.0, -0.105_561_345_8, -0.063_854_172_8],
        [1.0, -0.089_484_177_5, -1.291_485_548],
    ];
    let cones = product(&cones, lab).map(|v| v * v * v);
    let rgb = [
        [4.076_741_662_1, -3.307_711_591_3, 0.230_969_929_2],
        [-1.268_438_004_6, 2.609_757_401_1, -0.341_319_396_5],
        [-0.004_196_086_3, -0.703_418_614_7, 1.707_614_701],
    ];
    let [r, g, b] = product(&rgb, cones);
    let byte = |v: f64| {
        let v = if v <= 0.003_130_8 { 12.92 * v } else { 1.055 * v.powf(1.0 / 2.4) - 0.055 };
        (-0.002..=1.002).contains(&v).then(|| (255.0 * v).round() as u8)
    };
    Some(RGBColor(byte(r)?, byte(g)?, byte(b)?))
}

fn product(matrix: &[[f64; 3]; 3], vector: [f64; 3]) -> [f64; 3] {
    matrix.map(|row| row.iter().zip(vector).map(|(a, b)| a * b).sum())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::plot::contrast_on_white;
    use crate::plot::hue::some_colours;
    use crate::plot::style::{FAINT, GRID, INK};

    /// The ratio of luminances against the dark ground.
    fn contrast(RGBColor(r, g, b): RGBColor) -> f64 {
        let RGBColor(x, y, z) = GROUND;
        contrast_on_white([x, y, z]) / contrast_on_white([r, g, b])
    }

    #[test]
    fn colours_stand_out_and_stay_distinct() {
        let colours: Vec<RGBColor> = some_colours().collect();
        let dark: Vec<RGBColor> = colours.iter().map(|colour| dark(*colour)).collect();
        for (light, dark) in colours.iter().zip(&dark) {
            assert!(contrast(*dark) >= 3.0, "{light:?} {dark:?}: {}", contrast(*dark));
            let RGBColor(r, g, b) = *dark;
            assert!(r.abs_diff(g).max(g.abs_diff(b)).max(b.abs_diff(r)) > 8, "{light:?} has become a grey: {dark:?}");
        }
        let distinct: HashSet<[u8; 3]> = dark.iter().map(|RGBColor(r, g, b)| [*r, *g, *b]).collect();
        assert_eq!(distinct.len(), dark.len());
    }

    /// What has an order stands out the more the farther on it is, on either ground.
    #[test]
    fn shades_keep_their_order() {
        let shades: Vec<RGBColor> = some_colours().skip(36).collect();
        for ramp in shades.chunks(9) {
            let light = ramp.iter().map(|RGBColor(r, g, b)| contrast_on_white([*r, *g, *b]));
            assert!(light.is_sorted() && ramp.iter().map(|colour| contrast(dark(*colour))).is_sorted(), "{ramp:?}");
        }
    }

    #[test]
    fn greys_stay_greys_and_text_is_read() {
        for (colour, least) in [(INK, 7.0), (FAINT, 4.5), (RGBColor(0, 0, 0), 12.0), (RGBColor(105, 105, 105), 4.5)] {
            let dark = dark(colour);
            assert!(contrast(dark) >= least, "{colour:?}: {dark:?} {}", contrast(dark));
            assert!(dark.0.abs_diff(dark.1) < 3 && dark.1.abs_diff(dark.2) < 3, "{dark:?}");
        }
        let grid = contrast(dark(GRID));
        assert!((1.2..2.5).contains(&grid), "{grid}");
        assert_eq!((dark(WHITE), contrast(GROUND)), (GROUND, 1.0));
    }

    #[test]
    fn there_is_a_rule_for_every_colour() {
        let html =
            "<path fill=\"#ffffff\"/><path fill=\"none\" stroke=\"#222222\"/><path fill=\"#ffffff\"/><p>fill=\"#é";
        let rules = dark_rules(html);
        assert_eq!(rules.matches("svg [").count(), 2);
        assert!(rules.contains("svg [fill=\"#ffffff\"] { fill: #15181c; }"), "{rules}");
        assert_eq!(dark_rules("<p>no figure</p>"), "");
    }
}
