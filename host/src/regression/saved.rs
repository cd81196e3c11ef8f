//! What a regression goes on from after it was cut off, in a file.

use std::path::Path;

use super::Error;
use super::conjugate::Iterate;
use super::logistic::Newton;
use crate::files::npz::{self, Array};
use crate::files::{self, Dtype, write_pieces};

/// All that a regression's next product depends on, but for the problem itself and the low-rank part, which follow from what was
/// asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Saved {
    /// what was asked for, in words that differ where anything does
    pub asked: String,
    /// of the linear system under way
    pub iterate: Iterate,
    /// of Newton's method, where it is under way
    pub newton: Option<Newton>,
}

impl Saved {
    /// Writes it, under a temporary name until it is whole.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write(asked: &str, iterate: &Iterate, newton: Option<&Newton>, path: &Path) -> Result<(), Error> {
        let none = Newton::default();
        let of = newton.unwrap_or(&none);
        let (asked, counts) = (
            asked.bytes().map(f64::from).collect::<Vec<_>>(),
            [iterate.products, of.products, of.steps, usize::from(newton.is_some())].map(|count| count as f64),
        );
        let first = [of.first];
        let all: [(&str, &[f64]); 10] = [
            ("asked", &asked),
            ("x", &iterate.x),
            ("r", &iterate.r),
            ("p", &iterate.p),
            ("rz", &iterate.rz),
            ("size", &iterate.size),
            ("dual", &of.dual),
            ("outputs", &of.outputs),
            ("rhs", &of.rhs),
            ("first", &first),
        ];
        let all = all.into_iter().chain([("counts", &counts[..])]).collect::<Vec<_>>();
        let shapes: Vec<[usize; 1]> = all.iter().map(|(_, numbers)| [numbers.len()]).collect();
        let numbers: Vec<_> = all.iter().map(|(_, numbers)| |at: usize| numbers[at]).collect();
        let arrays: Vec<Array<'_>> = all
            .iter()
            .zip(&shapes)
            .zip(&numbers)
            .map(|(((name, _), shape), number)| Array { name, shape, dtype: Dtype::F64, number })
            .collect();
        Ok(write_pieces(path, |out| npz::write(out, &arrays).map(|_| ()))?)
    }

    /// Reads it; `None` where there is no such file.
    ///
    /// # Errors
    /// A damaged file; one of something else than `asked`, or of vectors of another length than `numbers`.
    pub fn read(path: &Path, asked: &str, numbers: usize) -> Result<Option<Self>, Error> {
        if files::look(path)?.is_none() {
            return Ok(None);
        }
        let wrong = |what: String| Error::State { path: path.into(), what };
        let mut file = npz::open(path)?;
        let mut array = |name: &str| -> Result<Vec<f64>, Error> {
            let read = file.array(name).map_err(|fault| files::Error::Npz { path: path.into(), fault });
            Ok(read.map(|(_, numbers)| numbers)?)
        };
        let bytes: Vec<u8> = array("asked")?.into_iter().map(|byte| byte as u8).collect();
        if bytes != asked.as_bytes() {
            let was = String::from_utf8_lossy(&bytes).into_owned();
            return Err(wrong(format!("what another regression can resume from: {was}")));
        }
        let counts: Vec<usize> = array("counts")?.into_iter().map(|count| count as usize).collect();
        let (&[in_system, products, steps, with_newton], Some(first)) = (&counts[..], array("first")?.first().copied())
        else {
            return Err(wrong("damaged".into()));
        };
        let iterate = Iterate {
            x: array("x")?,
            r: array("r")?,
            p: array("p")?,
            rz: array("rz")?,
            size: array("size")?,
            products: in_system,
        };
        let newton =
            Newton { dual: array("dual")?, outputs: array("outputs")?, rhs: array("rhs")?, first, steps, products };
        let vectors = [&iterate.x, &iterate.r, &iterate.p, &newton.dual, &newton.outputs, &newton.rhs];
        if vectors.iter().any(|vector| !vector.is_empty() && vector.len() != numbers) {
            return Err(wrong("damaged".into()));
        }
        Ok(Some(Self { asked: asked.into(), iterate, newton: (with_newton > 0).then_some(newton) }))
    }
}
