//! A curve of inputs along which a kernel K(x_0, x) is read.

use std::f64::consts::PI;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::format::format_of;
use super::generate::cos_sin_turn;
use super::spec::{DataSpec, Normalize, Source};
use super::{Samples, inputs, load};
use crate::machine::Budget;

/// Which curve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum CurveSource {
    /// the first sample, turned about the origin through all degrees from -180 to 180
    Circle,
    /// the rows of a file, from the first one, x_0, on
    File(PathBuf),
}

/// The inputs of a curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// x, `(q, d)` row-major
    pub x: Vec<f64>,
    /// where each of them is, `(q)`: the angle from x_0 in radians, or the row
    pub positions: Vec<f64>,
    /// the row of x_0
    pub origin: usize,
}

impl CurveSource {
    /// The curves that have a name.
    pub const NAMES: [&'static str; 1] = ["circle"];

    /// The files that are read for it.
    pub fn inputs(&self) -> Vec<PathBuf> {
        match self {
            Self::Circle => Vec::new(),
            Self::File(path) => inputs(&DataSpec::new(Source::File(path.clone()))),
        }
    }
}

impl Curve {
    /// `x` `(d)` turned about the origin, where d is 2.
    fn circle(x: [f64; 2]) -> Self {
        let degrees = || (0..=360u32).map(|k| (f64::from(k) - 180.0, cos_sin_turn(u64::from(k) + 180, 360)));
        let [first, second] = x;
        let turned = |(_, (cos, sin)): (f64, (f64, f64))| [cos * first - sin * second, sin * first + cos * second];
        Self {
            x: degrees().flat_map(turned).collect(),
            positions: degrees().map(|(degree, _)| degree * (PI / 180.0)).collect(),
            origin: 180,
        }
    }

    /// Number of inputs q.
    pub fn len(&self) -> usize {
        self.positions.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }
}

impl Samples {
    /// Takes a curve beside the samples, those of a file normalized as the samples are; its memory is drawn from `budget`.
    ///
    /// # Errors
    /// A circle where there are not two numbers per sample; a file that [`load`] refuses, or with another number of them.
    pub fn follow(&mut self, curve: &CurveSource, normalize: Normalize, budget: &Budget) -> Result<(), Error> {
        let given = || curve.to_string();
        self.curve = Some(match curve {
            CurveSource::Circle => match self.x[..] {
                [first, second, ..] if self.d == 2 => Curve::circle([first, second]),
                _ => return Err(Error::FlatCurve { d: self.d }),
            },
            CurveSource::File(path) => {
                let spec = DataSpec { normalize: Some(normalize), ..DataSpec::new(Source::File(path.clone())) };
                let read = load(&spec, budget).map_err(Error::of_curve)?;
                if read.d != self.d {
                    return Err(Error::CurveDimension { given: given(), found: read.d, d: self.d });
                }
                self.warnings.extend(read.warnings);
                Curve { x: read.x, positions: (0..read.n).map(|row| row as f64).collect(), origin: 0 }
            }
        });
        Ok(())
    }
}

impl FromStr for CurveSource {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "circle" => Ok(Self::Circle),
            file if format_of(Path::new(file)).is_some() => Ok(Self::File(file.into())),
            _ => Err(Error::UnknownCurve { given: text.into() }),
        }
    }
}

impl fmt::Display for CurveSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Circle => f.pad("circle"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

impl TryFrom<String> for CurveSource {
    type Error = Error;
    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<CurveSource> for String {
    fn from(curve: CurveSource) -> Self {
        curve.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(source: Source) -> Samples {
        load(&DataSpec::new(source), &Budget::default()).unwrap()
    }

    #[test]
    fn a_circle_is_the_first_sample_turned() {
        let mut circle = samples(Source::Circle);
        circle.follow(&CurveSource::Circle, Normalize::None, &Budget::default()).unwrap();
        let Curve { x, positions, origin } = circle.curve.as_ref().unwrap();
        assert_eq!((positions.len(), positions[0], positions[360], positions[*origin]), (361, -PI, PI, 0.0));
        let at = |row: usize| &x[2 * row..][..2];
        assert_eq!(at(*origin), &circle.x[..2]);
        assert_eq!(at(0), [-circle.x[0], -circle.x[1]]);
        assert_eq!(at(0), at(360));
        for (row, angle) in positions.iter().enumerate() {
            let (dot, norm) = (at(row)[0] * x[360] + at(row)[1] * x[361], x[360].hypot(x[361]));
            assert!((dot / (norm * norm) - angle.cos()).abs() < 1e-15, "{angle}");
        }
        let refused = samples(Source::Sphere).follow(&CurveSource::Circle, Normalize::None, &Budget::default());
        let told = refused.unwrap_err().to_string();
        assert!(told.starts_with("`profile = circle`") && told.contains("3 numbers"), "{told}");
    }

    #[test]
    fn a_file_is_a_curve_of_its_rows() {
        let place = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            std::fs::write(place.path().join(name), text).unwrap();
            CurveSource::File(place.path().join(name))
        };
        let mut circle = samples(Source::Circle);
        let file = write("c.csv", "3,4,0\n0,2,0\n");
        circle.follow(&file, Normalize::Sphere, &Budget::default()).unwrap();
        let curve = circle.curve.as_ref().unwrap();
        assert_eq!(curve, &Curve { x: vec![0.6, 0.8, 0.0, 1.0], positions: vec![0.0, 1.0], origin: 0 });
        for (curve, part) in [
            (write("d.csv", "1,2,3,0\n"), "has 3 numbers per sample"),
            (CurveSource::File(place.path().join("none.npz")), "with `profile`"),
            (write("e.csv", "1,x,0\n"), "with `profile`"),
        ] {
            let told = circle.follow(&curve, Normalize::None, &Budget::default()).unwrap_err().to_string();
            assert!(told.contains(part) && !told.contains("`data`"), "{told}");
        }
        assert_eq!(file.to_string().parse::<CurveSource>().unwrap(), file);
        assert!("sphere".parse::<CurveSource>().is_err());
    }
}
