//! From the labels of a file to classes 0..C.

use super::error::Error;
use super::raw::Raw;
use super::spec::ClassSelection;

/// Which rows are used and the class of each.
pub(super) struct Selected {
    /// Rows of the data, increasing.
    pub(super) rows: Vec<usize>,
    /// Class of each of `rows`; empty for regression data.
    pub(super) labels: Vec<usize>,
    /// Number of classes; 0 for regression data.
    pub(super) classes: usize,
}

/// Applies `selection` to all of `raw`; `None` keeps every sample: as class `all` when the labels are integers, without
/// classes when one is not.
pub(super) fn select(raw: &Raw, selection: Option<ClassSelection>) -> Result<Selected, Error> {
    let integers = match integers(raw, selection.unwrap_or(ClassSelection::All)) {
        Ok(integers) => integers,
        Err(_) if selection.is_none() => {
            return Ok(Selected { rows: (0..raw.n).collect(), labels: Vec::new(), classes: 0 });
        }
        Err(error) => return Err(error),
    };
    let mut distinct = integers.clone();
    distinct.sort_unstable();
    distinct.dedup();

    let selection = selection.unwrap_or(ClassSelection::All);
    let missing = |class: String| Error::MissingClass {
        selection: selection.to_string(),
        place: raw.place.clone(),
        class,
        present: some_of(&distinct),
    };
    let class_of: Box<dyn Fn(i64) -> Option<usize>> = match selection {
        ClassSelection::Parity => {
            for (parity, name) in [(0, "an even label"), (1, "an odd label")] {
                if !distinct.iter().any(|v| v.rem_euclid(2) == parity) {
                    return Err(missing(name.into()));
                }
            }
            Box::new(|v| Some(v.rem_euclid(2) as usize))
        }
        ClassSelection::Pair(a, b) => {
            if a == b {
                return Err(Error::BadClasses { given: selection.to_string() });
            }
            let (a, b) = (i64::from(a), i64::from(b));
            if let Some(absent) = [a, b].into_iter().find(|v| distinct.binary_search(v).is_err()) {
                return Err(missing(format!("the label {absent}")));
            }
            Box::new(move |v| if v == a { Some(0) } else { (v == b).then_some(1) })
        }
        ClassSelection::All => Box::new(|v| distinct.binary_search(&v).ok()),
    };
    let (rows, labels) =
        integers.iter().enumerate().filter_map(|(row, &v)| class_of(v).map(|class| (row, class))).unzip();
    let classes = if selection == ClassSelection::All { distinct.len() } else { 2 };
    Ok(Selected { rows, labels, classes })
}

/// The labels as integers, or the first one that is none.
fn integers(raw: &Raw, selection: ClassSelection) -> Result<Vec<i64>, Error> {
    let integer = |(row, &value): (usize, &f64)| {
        // Beyond 2^53 a float no longer says which integer was meant.
        if value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0 {
            Ok(value as i64)
        } else {
            Err(Error::NotAClass { place: raw.place.clone(), row, value, selection: selection.to_string() })
        }
    };
    raw.y.iter().enumerate().map(integer).collect()
}

/// The labels for a message: all of them, or the first few and the last.
fn some_of(distinct: &[i64]) -> String {
    let text = |values: &[i64]| values.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
    match distinct {
        [first @ .., last] if first.len() > 12 => format!("{}, …, {last}", text(&first[..8])),
        all => text(all),
    }
}
