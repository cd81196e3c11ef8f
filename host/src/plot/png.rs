//! A scene as pixels, two to a unit, by tiny-skia.

use super::scene::{Scene, Shape, Step};
use anyhow::{Context, Result};
use tiny_skia::{FillRule, Mask, Paint, PathBuilder, Pixmap, StrokeDash, Transform};

const PIXELS_PER_UNIT: f32 = 2.0;

/// An RGB picture on white.
pub(super) fn write(scene: &Scene) -> Result<Vec<u8>> {
    let pixels = |length: f64| (length * f64::from(PIXELS_PER_UNIT)).ceil() as u32;
    let (width, height) = (pixels(scene.width), pixels(scene.height));
    let mut pixmap = Pixmap::new(width, height).with_context(|| format!("no picture of {width} x {height} pixels"))?;
    pixmap.fill(tiny_skia::Color::WHITE);
    let transform = Transform::from_scale(PIXELS_PER_UNIT, PIXELS_PER_UNIT);

    let mut frame = Mask::new(width, height).context("no clip mask")?;
    if let Some(path) = outline(&scene.frame.path().0) {
        frame.fill_path(&path, FillRule::Winding, true, transform);
    }
    for shape in &scene.shapes {
        draw(&mut pixmap, shape, transform, shape.clipped.then_some(&frame));
    }
    pixmap.encode_png().context("cannot encode the PNG")
}

fn draw(pixmap: &mut Pixmap, shape: &Shape, transform: Transform, mask: Option<&Mask>) {
    let Some(path) = outline(&shape.path.0) else { return };
    let paint = |[r, g, b]: [u8; 3], opacity: f64| {
        let mut paint = Paint { anti_alias: true, ..Paint::default() };
        paint.set_color_rgba8(r, g, b, (opacity * 255.0).round() as u8);
        paint
    };
    if let Some(fill) = shape.fill {
        pixmap.fill_path(&path, &paint(fill, shape.opacity), FillRule::Winding, transform, mask);
    }
    if let Some(stroke) = shape.stroke {
        let dash = stroke.dash.iter().map(|&d| d as f32).collect();
        let look = tiny_skia::Stroke {
            width: stroke.width as f32,
            line_join: tiny_skia::LineJoin::Round,
            dash: StrokeDash::new(dash, 0.0),
            ..tiny_skia::Stroke::default()
        };
        pixmap.stroke_path(&path, &paint(stroke.colour, 1.0), &look, transform, mask);
    }
}

fn outline(steps: &[Step]) -> Option<tiny_skia::Path> {
    let mut path = PathBuilder::new();
    for step in steps {
        match *step {
            Step::Move((x, y)) => path.move_to(x as f32, y as f32),
            Step::Line((x, y)) => path.line_to(x as f32, y as f32),
            Step::Quad(a, p) => path.quad_to(a.0 as f32, a.1 as f32, p.0 as f32, p.1 as f32),
            Step::Cubic(a, b, p) => {
                path.cubic_to(a.0 as f32, a.1 as f32, b.0 as f32, b.1 as f32, p.0 as f32, p.1 as f32);
            }
            Step::Close => path.close(),
        }
    }
    path.finish()
}
