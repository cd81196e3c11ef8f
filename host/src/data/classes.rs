//! What y means: which rows are used, and the class or the numbers of each.
//!
//! A row is looked at in the order of the file, and none after the last one that is used. So what a label means depends on
//! the settings, on the type that the file stores, and on the samples that are used; never on those that are not.

use super::error::Error;
use super::raw::{Raw, Y, YType};
use super::spec::{ClassSelection, Source, Targets};
use crate::words::listed;

/// The integers below this size are those that a float tells from their neighbours.
const LIMIT: f64 = 9_007_199_254_740_992.0;

/// From labels to classes 0..C.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Classes {
    /// even labels are class 0, odd ones class 1
    Parity,
    /// class k is the k-th of these labels
    Labels(Vec<i64>),
    /// class k has the k-th of these names, and its label is the number k
    Names(Vec<String>),
}

impl Classes {
    /// Number of classes C.
    pub fn count(&self) -> usize {
        match self {
            Self::Parity => 2,
            Self::Labels(labels) => labels.len(),
            Self::Names(names) => names.len(),
        }
    }

    /// The class of a label, if it has one.
    pub fn class_of(&self, label: f64) -> Option<usize> {
        let label = integer(label)?;
        match self {
            Self::Parity => Some(label.rem_euclid(2) as usize),
            Self::Labels(labels) => labels.iter().position(|l| *l == label),
            Self::Names(names) => usize::try_from(label).ok().filter(|class| *class < names.len()),
        }
    }

    /// What each class stands for, in the order of the classes: its label, or `even` and `odd`.
    pub fn names(&self) -> Vec<String> {
        match self {
            Self::Parity => vec!["even".into(), "odd".into()],
            Self::Labels(labels) => labels.iter().map(i64::to_string).collect(),
            Self::Names(names) => names.clone(),
        }
    }

    /// The labels as numbers, class by class; of parity the remainders 0 and 1.
    pub fn numbers(&self) -> Vec<f64> {
        match self {
            Self::Parity => vec![0.0, 1.0],
            Self::Labels(labels) => labels.iter().map(|label| *label as f64).collect(),
            Self::Names(names) => (0..names.len()).map(|class| class as f64).collect(),
        }
    }

    /// The numbers that labels, places in `names`, have here; NaN for a name that no class has.
    pub fn numbers_of_names(&self, labels: &[f64], names: &[String]) -> Vec<f64> {
        let Self::Names(classes) = self else { return vec![f64::NAN; labels.len()] };
        let number = |label: &f64| {
            let name = integer(*label).and_then(|place| names.get(usize::try_from(place).ok()?));
            name.and_then(|name| classes.iter().position(|class| class == name)).map_or(f64::NAN, |class| class as f64)
        };
        labels.iter().map(number).collect()
    }
}

/// The map in a few words: `labels -1, 1 as classes 0, 1`, or `2 classes` where the labels are 0, 1.
impl std::fmt::Display for Classes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let labels = match self {
            Self::Parity => return f.write_str("even labels as class 0, odd labels as class 1"),
            Self::Labels(labels) if self.count() > 1 && labels.iter().copied().eq(0..labels.len() as i64) => {
                return write!(f, "{} classes", labels.len());
            }
            Self::Labels(labels) => some_of(labels),
            Self::Names(names) => listed(names),
        };
        match self.count() {
            1 => write!(f, "only label {labels}"),
            count if count <= 12 => {
                let classes: Vec<String> = (0..count).map(|class| class.to_string()).collect();
                write!(f, "labels {labels} as classes {}", classes.join(", "))
            }
            count => write!(f, "labels {labels} as classes 0 to {}", count - 1),
        }
    }
}

/// Which rows are used and what their y is.
pub(super) struct Selected {
    /// Rows of the data, increasing: n, then those held out.
    pub(super) rows: Vec<usize>,
    /// What y is; `None` where the data has none.
    pub(super) targets: Option<Targets>,
    /// Of classes: the map, and the class of each of the n rows.
    pub(super) classes: Option<(Classes, Vec<usize>)>,
}

/// What is asked for.
pub(super) struct Wanted<'a> {
    pub(super) source: &'a Source,
    pub(super) targets: Option<Targets>,
    pub(super) selection: Option<&'a ClassSelection>,
    pub(super) n: Option<usize>,
    /// rows after the first n
    pub(super) apart: usize,
}

impl Wanted<'_> {
    /// What y is: what was asked for; else classes where they were selected or the file stores integers, and numbers where it
    /// stores real numbers or, as a csv file, no type.
    fn targets_of(&self, y: &Y) -> Targets {
        self.targets.unwrap_or(match (self.selection, y.stored) {
            (None, YType::Real) => Targets::Values,
            _ => Targets::Classes,
        })
    }

    /// The rows, what y is, and the classes.
    pub(super) fn select(&self, raw: &Raw) -> Result<Selected, Error> {
        let most = self.n.map_or(raw.n, |n| n.saturating_add(self.apart).min(raw.n));
        let Some(y) = &raw.y else {
            if self.selection.is_some() || self.targets.is_some() {
                return Err(self.without_y(raw));
            }
            return Ok(Selected { rows: (0..most).collect(), targets: None, classes: None });
        };
        if self.targets_of(y) == Targets::Values {
            if let Some(selection) = self.selection {
                return Err(Error::ClassesOfValues { selection: selection.to_string() });
            }
            return Ok(Selected { rows: (0..most).collect(), targets: Some(Targets::Values), classes: None });
        }
        if y.columns != 1 {
            return Err(Error::NoClasses { place: raw.place.clone(), columns: y.columns });
        }
        let (rows, classes) = self.classes(raw, &y.values, most)?;
        // those after are held out; a label that only they have is none of the classes
        let n = self.n.unwrap_or(rows.len().saturating_sub(self.apart)).min(rows.len());
        let classes = match classes {
            Some(classes) => classes,
            None => self.of_used(raw, &y.values, &rows[..n])?,
        };
        let class = |row: &usize| {
            let value = y.values[*row];
            classes.class_of(value).ok_or_else(|| self.no_class(raw, *row, value))
        };
        let labels = rows[..n].iter().map(class).collect::<Result<_, _>>()?;
        Ok(Selected { rows, targets: Some(Targets::Classes), classes: Some((classes, labels)) })
    }

    /// The rows; the classes unless they are those of the labels that are used.
    fn classes(&self, raw: &Raw, y: &[f64], most: usize) -> Result<(Vec<usize>, Option<Classes>), Error> {
        let Some(selection) = self.selection else { return Ok(((0..most).collect(), None)) };
        let ClassSelection::Labels(labels) = selection else {
            let parity = *selection == ClassSelection::Parity;
            if parity && most == raw.n {
                self.both_kinds(raw, y)?;
            }
            return Ok(((0..most).collect(), parity.then_some(Classes::Parity)));
        };
        let classes = Classes::Labels(labels.clone());
        let (mut rows, mut seen) = (Vec::new(), vec![false; labels.len()]);
        for (row, value) in y.iter().enumerate() {
            if rows.len() == most {
                return Ok((rows, Some(classes)));
            }
            integer(*value).ok_or_else(|| self.no_class(raw, row, *value))?;
            if let Some(class) = classes.class_of(*value) {
                rows.push(row);
                seen[class] = true;
            }
        }
        match labels.iter().zip(&seen).find(|(_, seen)| !**seen) {
            // with as many samples as were asked for, one class may be missing
            Some((absent, _)) if self.n.is_none_or(|n| rows.len() < n + self.apart) => {
                Err(self.missing(raw, y, format!("the label {absent}")))
            }
            _ => Ok((rows, Some(classes))),
        }
    }

    /// Refuses a whole data set of one parity.
    fn both_kinds(&self, raw: &Raw, y: &[f64]) -> Result<(), Error> {
        for (parity, name) in [(0, "an even label"), (1, "an odd label")] {
            let mut kinds = y.iter().map(|label| Classes::Parity.class_of(*label));
            if kinds.clone().all(|kind| kind.is_some()) && !kinds.any(|kind| kind == Some(parity)) {
                return Err(self.missing(raw, y, name.into()));
            }
        }
        Ok(())
    }

    /// Every label is a class: those that the data set is defined to have, or else the distinct ones that are used.
    fn of_used(&self, raw: &Raw, y: &[f64], rows: &[usize]) -> Result<Classes, Error> {
        let defined = match self.source {
            Source::File(_) => 0..0,
            source if source.is_images() => 0..10,
            _ => 0..2,
        };
        let used = rows.iter().map(|row| integer(y[*row]).ok_or_else(|| self.no_class(raw, *row, y[*row])));
        let mut distinct: Vec<i64> = defined.map(Ok).chain(used).collect::<Result<_, _>>()?;
        distinct.sort_unstable();
        distinct.dedup();
        Ok(Classes::Labels(distinct))
    }

    fn no_class(&self, raw: &Raw, row: usize, value: f64) -> Error {
        Error::NotAClass { place: raw.place.clone(), row, value }
    }

    fn missing(&self, raw: &Raw, y: &[f64], class: String) -> Error {
        let mut present: Vec<i64> = y.iter().filter_map(|label| integer(*label)).collect();
        present.sort_unstable();
        present.dedup();
        let selection = self.selection.map_or_else(String::new, ClassSelection::to_string);
        Error::MissingClass { selection, place: raw.place.clone(), class, present: some_of(&present) }
    }

    fn without_y(&self, raw: &Raw) -> Error {
        let what = match (self.selection, self.targets) {
            (None, Some(targets)) => format!("`targets = {targets}`"),
            (selection, _) => format!("`classes = {}`", selection.map_or_else(String::new, ClassSelection::to_string)),
        };
        Error::NoLabels { what, place: raw.place.clone() }
    }
}

/// The integer that a label is.
fn integer(label: f64) -> Option<i64> {
    (label.fract() == 0.0 && label.abs() < LIMIT).then_some(label as i64)
}

/// Labels for a message: all of them, or the first few and the last.
fn some_of(distinct: &[i64]) -> String {
    let text = |values: &[i64]| values.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
    match distinct {
        [first @ .., last] if first.len() > 12 => format!("{}, …, {last}", text(&first[..8])),
        all => text(all),
    }
}
