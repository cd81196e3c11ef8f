//! A scene as an SVG document: paths only, no fonts, no ids, no links, so that it may stand in any page any number of times.

use super::markup::escape;
use super::scene::{Point, Scene, Shape, Step};
use std::fmt::Write;

/// The document, ending in a newline.
pub(super) fn write(scene: &Scene) -> String {
    let (w, h) = (number(scene.width), number(scene.height));
    let mut out =
        format!("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\"");
    out.push_str(" role=\"img\" aria-label=\"");
    escape(&mut out, &scene.title);
    out.push_str("\">\n<desc>");
    escape(&mut out, &scene.description);
    out.push_str("</desc>\n");
    for group in scene.shapes.chunk_by(|a, b| a.clipped == b.clipped) {
        let clipped = group[0].clipped;
        if clipped {
            // A nested viewport clips to its rectangle, and unlike a clip path it needs no id.
            let (f, x, y) = (&scene.frame, number(scene.frame.left), number(scene.frame.top));
            let (w, h) = (number(f.width()), number(f.height()));
            let _ = writeln!(
                out,
                "<svg x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" viewBox=\"{x} {y} {w} {h}\" overflow=\"hidden\">"
            );
        }
        group.iter().for_each(|shape| write_shape(&mut out, shape));
        if clipped {
            out.push_str("</svg>\n");
        }
    }
    out.push_str("</svg>\n");
    out
}

fn write_shape(out: &mut String, shape: &Shape) {
    out.push_str("<path d=\"");
    write_steps(out, &shape.path.0);
    out.push('"');
    match shape.fill {
        None => out.push_str(" fill=\"none\""),
        Some([r, g, b]) => {
            let _ = write!(out, " fill=\"#{r:02x}{g:02x}{b:02x}\"");
        }
    }
    if shape.opacity < 1.0 {
        let _ = write!(out, " fill-opacity=\"{}\"", number(shape.opacity));
    }
    if let Some(stroke) = shape.stroke {
        let [r, g, b] = stroke.colour;
        let _ = write!(out, " stroke=\"#{r:02x}{g:02x}{b:02x}\" stroke-width=\"{}\"", number(stroke.width));
        out.push_str(" stroke-linejoin=\"round\"");
        if !stroke.dash.is_empty() {
            let dash: Vec<_> = stroke.dash.iter().map(|&d| number(d)).collect();
            let _ = write!(out, " stroke-dasharray=\"{}\"", dash.join(" "));
        }
    }
    out.push_str("/>\n");
}

/// Steps relative to one another in hundredths of a unit, which is short; positions are rounded, so errors do not add up.
fn write_steps(out: &mut String, steps: &[Step]) {
    let (mut at, mut start) = ((0, 0), (0, 0));
    let round = |(x, y): Point| ((x * 100.0).round() as i64, (y * 100.0).round() as i64);
    for step in steps {
        let (letter, points): (char, &[Point]) = match step {
            Step::Move(p) => {
                at = (0, 0);
                ('M', &[*p])
            }
            Step::Line(p) => ('l', &[*p]),
            Step::Quad(a, p) => ('q', &[*a, *p]),
            Step::Cubic(a, b, p) => ('c', &[*a, *b, *p]),
            Step::Close => {
                out.push('z');
                at = start;
                continue;
            }
        };
        out.push(letter);
        let mut end = at;
        let mut first = true;
        for &p in points {
            end = round(p);
            for delta in [end.0 - at.0, end.1 - at.1] {
                let text = hundredths(delta);
                if !first && !text.starts_with('-') {
                    out.push(' ');
                }
                out.push_str(&text);
                first = false;
            }
        }
        at = end;
        if letter == 'M' {
            start = at;
        }
    }
}

/// A length with at most two decimals.
fn number(x: f64) -> String {
    hundredths((x * 100.0).round() as i64)
}

/// `v / 100` in its shortest form: `-.5`, `12`, `3.25`.
fn hundredths(v: i64) -> String {
    let sign = if v < 0 { "-" } else { "" };
    let (whole, part) = (v.unsigned_abs() / 100, v.unsigned_abs() % 100);
    match (whole, part) {
        (0, 0) => "0".into(),
        (_, 0) => format!("{sign}{whole}"),
        (0, _) => format!("{sign}.{part:02}").trim_end_matches('0').into(),
        _ => format!("{sign}{whole}.{part:02}").trim_end_matches('0').into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let text: Vec<_> = [0, 5, -50, 100, -1234, 10_000].into_iter().map(hundredths).collect();
        assert_eq!(text, ["0", ".05", "-.5", "1", "-12.34", "100"]);
    }

    #[test]
    fn steps_are_relative_and_end_where_they_should() {
        let mut out = String::new();
        let steps = [
            Step::Move((1.0, 2.0)),
            Step::Line((0.5, 2.5)),
            Step::Close,
            Step::Move((3.0, 3.0)),
            Step::Line((4.0, 3.0)),
        ];
        write_steps(&mut out, &steps);
        assert_eq!(out, "M1 2l-.5 .5zM3 3l1 0");
    }
}
