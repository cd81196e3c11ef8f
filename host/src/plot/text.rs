//! Text in the embedded font (licence: `font/OFL.txt`), so that lengths and pixels do not depend on a machine's fonts.

use super::style::INK;
use plotters::style::{FontDesc, FontFamily, FontStyle, RGBColor, TextStyle, register_font};
use std::sync::Once;

/// The name of the embedded font is what an SVG asks its reader for.
const FAMILY: &str = "Inter, sans-serif";
static FONT: &[u8] = include_bytes!("font/inter-regular-subset.otf");
/// Plotters counts from the deepest descender to the highest ascender; sizes here are those of an em.
const HEIGHT_OF_EM: f64 = 1.24;

/// A style of `size` steps to an em.
pub(super) fn style(size: i32) -> TextStyle<'static> {
    coloured(size, INK)
}

pub(super) fn coloured(size: i32, colour: RGBColor) -> TextStyle<'static> {
    static REGISTERED: Once = Once::new();
    REGISTERED
        .call_once(|| assert!(register_font(FAMILY, FontStyle::Normal, FONT).is_ok(), "the embedded font is whole"));
    FontDesc::new(FontFamily::Name(FAMILY), f64::from(size) * HEIGHT_OF_EM, FontStyle::Normal).color(&colour)
}

/// Length of a line of text.
pub(super) fn width(text: &str, size: i32) -> i32 {
    style(size).font.layout_box(text).map_or(0, |(from, to)| to.0 - from.0)
}

/// The text if it fits into `room`, else as much of it as fits with an ellipsis. A tenth of the room stays free: an SVG may be read
/// without the font, in a wider one.
pub(super) fn fit(text: &str, size: i32, room: i32) -> String {
    let room = room - room / 10;
    if width(text, size) <= room {
        return text.into();
    }
    let cuts = text.char_indices().rev().map(|(end, _)| format!("{}…", text[..end].trim_end()));
    cuts.into_iter().find(|cut| width(cut, size) <= room).unwrap_or_else(|| "…".into())
}

#[cfg(test)]
mod tests {
    use super::super::markup;
    use super::*;

    #[test]
    fn the_font_has_what_labels_of_kernels_need() {
        let missing = width("\u{e000}", 1000);
        let raised = markup::unicode("_{0123456789+−aehijklmnoprstuvx}^{0123456789+−n}");
        assert!(!raised.contains(['_', '^']), "{raised}");
        for c in "|−×≤≥·…±∞→‖ΘθλκστφδΔ√∂∑≈′".chars().chain(raised.chars()) {
            assert_ne!(width(&c.to_string(), 1000), missing, "no glyph for {c}");
        }
    }

    #[test]
    fn a_label_too_long_is_cut_to_the_room() {
        let label = "a very long label with Kₜ in it";
        for room in [40, 80, 120, 160] {
            let cut = fit(label, 12, room);
            assert!(cut.ends_with('…') && width(&cut, 12) <= room, "{cut:?} in {room}");
        }
        assert_eq!(fit(label, 12, 1000), label);
        assert_eq!(fit(label, 12, -5), "…");
    }
}
