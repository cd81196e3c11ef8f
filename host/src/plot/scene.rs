//! What a figure is made of once laid out: filled and stroked paths, nothing else.

/// A point in units of the SVG, y downwards.
pub(super) type Point = (f64, f64);

/// One step of an outline.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Move(Point),
    Line(Point),
    Quad(Point, Point),
    Cubic(Point, Point, Point),
    Close,
}

/// An outline.
#[derive(Clone, Debug, Default)]
pub(super) struct Path(pub(super) Vec<Step>);

impl Path {
    /// An open line through `points`.
    pub(super) fn line(points: &[Point]) -> Self {
        let step = |(i, &p): (usize, &Point)| if i == 0 { Step::Move(p) } else { Step::Line(p) };
        Self(points.iter().enumerate().map(step).collect())
    }

    /// A closed polygon.
    pub(super) fn polygon(points: &[Point]) -> Self {
        let mut path = Self::line(points);
        path.0.push(Step::Close);
        path
    }

    /// A circle, as four cubic arcs.
    pub(super) fn circle((x, y): Point, r: f64) -> Self {
        let k = r * 0.552_284_75;
        Self(vec![
            Step::Move((x + r, y)),
            Step::Cubic((x + r, y + k), (x + k, y + r), (x, y + r)),
            Step::Cubic((x - k, y + r), (x - r, y + k), (x - r, y)),
            Step::Cubic((x - r, y - k), (x - k, y - r), (x, y - r)),
            Step::Cubic((x + k, y - r), (x + r, y - k), (x + r, y)),
            Step::Close,
        ])
    }
}

/// An axis-parallel rectangle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rect {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

impl Rect {
    pub(super) fn width(&self) -> f64 {
        self.right - self.left
    }

    pub(super) fn height(&self) -> f64 {
        self.bottom - self.top
    }

    pub(super) fn path(&self) -> Path {
        let Rect { left, top, right, bottom } = *self;
        Path::polygon(&[(left, top), (right, top), (right, bottom), (left, bottom)])
    }
}

/// Red, green, blue.
pub(super) type Colour = [u8; 3];

/// A line's look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stroke {
    pub(super) colour: Colour,
    pub(super) width: f64,
    /// Lengths of dash and gap in turn, an even number of them; empty: solid.
    pub(super) dash: &'static [f64],
}

/// A path with its look.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) path: Path,
    pub(super) fill: Option<Colour>,
    /// Of the fill, 0 to 1.
    pub(super) opacity: f64,
    pub(super) stroke: Option<Stroke>,
    /// Drawn only inside `Scene::frame`.
    pub(super) clipped: bool,
}

impl Shape {
    pub(super) fn filled(path: Path, colour: Colour) -> Self {
        Self { path, fill: Some(colour), opacity: 1.0, stroke: None, clipped: false }
    }

    pub(super) fn stroked(path: Path, colour: Colour, width: f64, dash: &'static [f64]) -> Self {
        Self { path, fill: None, opacity: 1.0, stroke: Some(Stroke { colour, width, dash }), clipped: false }
    }

    pub(super) fn clipped(mut self) -> Self {
        self.clipped = true;
        self
    }
}

/// A whole picture.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    pub(super) width: f64,
    pub(super) height: f64,
    /// The rectangle between the axes.
    pub(super) frame: Rect,
    pub(super) shapes: Vec<Shape>,
    /// Plain text for those who cannot see the picture.
    pub(super) title: String,
    pub(super) description: String,
}
