//! Samples from a text file of one sample a line: separated by commas, semicolons, tabs, bars or blanks, with or without
//! names of the columns, comments (`#`) and numbered rows. The last column is y, unless another is named so.
//!
//! The file is read twice: once for the labels, which say what rows are used, and once for those rows.

mod layout;
mod numbers;
mod records;

use std::collections::BTreeMap;
use std::io::SeekFrom;
use std::path::PathBuf;

use super::error::Error;
use super::format::{Content, Opened, Reading};
use super::raw::{Raw, Stored, Values, Y, YType, room};
use crate::machine::{self, Budget};
use crate::words::excerpt;
use layout::{LabelFault, Layout};
use numbers::{Decimals, is_missing};
use records::{Fault, Field, Records, fields};

/// Records that the layout is told from, and about how many bytes of them.
const HEAD: (usize, usize) = (32, 1 << 20);

/// Most names of classes: more are texts.
const MOST_NAMES: usize = 1000;

/// Most bytes of one.
const LONGEST_NAME: usize = 200;

/// Reads the labels, and checks every number.
pub(super) fn read(opened: Opened, reading: &Reading<'_>) -> Result<Raw, Error> {
    let Opened { content, path, .. } = opened;
    let place = super::file_name(&path);
    let mut table = Table { content, path };
    let (layout, mut warnings) = table.layout(reading.label_column)?;
    let mut labels = Labels::default();
    let mut counting = true;
    let mut y = Vec::new();
    table.samples(&layout, |row, line, fields, decimals| {
        let numbers = fields[layout.first..layout.end].iter().zip(layout.first..);
        let mut first = true;
        for (field, at) in numbers {
            let at_field = |what: String| Fault::Line { line, what: format!("{}: {what}", layout.column(at)) };
            if at == layout.label {
                y.push(labels.read(*field, decimals).map_err(at_field)?);
                continue;
            }
            let value = decimals.number(*field).map_err(at_field)?;
            if std::mem::take(&mut first) {
                counting &= value == row as f64 || value == row as f64 + 1.0;
            }
        }
        // with what the selection of classes takes
        if row % 4096 == 0 {
            reading.budget.draw(&place, 40 * 4096)?;
        }
        Ok(())
    })?;
    let (n, d) = (y.len(), layout.end - layout.first - 1);
    if counting && n > 2 && d > 1 {
        let column = layout.column(if layout.label == layout.first { layout.first + 1 } else { layout.first });
        warnings.push(format!(
            "{column} counts the samples, but is used as an input; if it is a row number, remove it from the file"
        ));
    }
    let label_names = labels.sorted(&mut y);
    // numbers in text have no type, names are those of classes
    let stored = if label_names.is_empty() { YType::Real } else { YType::Integer };
    let y = Some(Y { values: y, columns: 1, stored });
    let values = Values::Stored(Box::new(Rows { table, layout, d }));
    Ok(Raw { label_names, warnings, ..Raw::new(values, [n, d], y, place) })
}

/// The file.
struct Table {
    content: Box<dyn Content>,
    path: PathBuf,
}

/// Why reading ends early.
enum Stop {
    Damaged(Fault),
    Memory(machine::Error),
    Enough,
}

impl From<machine::Error> for Stop {
    fn from(error: machine::Error) -> Self {
        Self::Memory(error)
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Damaged(fault)
    }
}

impl Table {
    fn error(&self, fault: Fault) -> Error {
        match fault {
            Fault::Line { line, what } => Error::Csv { path: self.path.clone(), line, what },
            Fault::Unreadable(reason) => Error::unreadable(&self.path)(reason),
        }
    }
    fn records(&mut self) -> Result<Records<&mut Box<dyn Content>>, Fault> {
        self.content.seek(SeekFrom::Start(0)).map_err(Fault::Unreadable)?;
        Ok(Records::new(&mut self.content))
    }

    /// The layout, and what is doubtful about it.
    fn layout(&mut self, label: Option<&str>) -> Result<(Layout, Vec<String>), Error> {
        let (head, comment) = self.head().map_err(|fault| self.error(fault))?;
        let place = super::file_name(&self.path);
        let layout = Layout::tell(&head, &comment, label).map_err(|fault| match fault {
            LabelFault::NoColumn(present) => {
                Error::NoLabelColumn { given: excerpt(label.unwrap_or_default()), place: place.clone(), present }
            }
            LabelFault::Several(columns) => Error::SeveralLabels { place: place.clone(), columns },
        })?;
        if head.len() > layout.above && layout.end - layout.first < 2 {
            let what =
                "only one column, but at least one input and the label y are needed; separate the columns with commas"
                    .into();
            return Err(self.error(Fault::Line { line: 1, what }));
        }
        let warnings = layout.warnings.iter().map(|warning| format!("{place}: {warning}")).collect();
        Ok((layout, warnings))
    }
    fn head(&mut self) -> Result<(Vec<Vec<u8>>, Vec<u8>), Fault> {
        let (mut records, mut head, mut bytes) = (self.records()?, Vec::new(), 0);
        while head.len() < HEAD.0 && (bytes < HEAD.1 || head.len() < 3) {
            let Some((_, record)) = records.next()? else { break };
            bytes += record.len();
            head.push(record.to_vec());
        }
        Ok((head, records.comment().to_vec()))
    }

    /// Shows every sample to `visit`: its row from 0, its line from 1, its fields.
    fn samples(
        &mut self,
        layout: &Layout,
        mut visit: impl FnMut(usize, u64, &[Field<'_>], &mut Decimals) -> Result<(), Stop>,
    ) -> Result<(), Error> {
        let mut read = || -> Result<(), Stop> {
            let mut decimals = Decimals::new(layout.separator);
            let (mut records, mut index) = (self.records()?, 0);
            while let Some((line, record)) = records.next()? {
                index += 1;
                let Some(row) = (index - 1usize).checked_sub(layout.above) else { continue };
                let fields = fields(record, layout.separator);
                if fields.len() != layout.fields {
                    let what = format!("{} columns, but the lines above have {}", fields.len(), layout.fields);
                    return Err(Fault::Line { line, what }.into());
                }
                if fields[layout.end..].iter().any(|field| !field.text.is_empty()) {
                    let what = format!("{} is not empty, but it is in the lines above", layout.column(layout.end));
                    return Err(Fault::Line { line, what }.into());
                }
                visit(row, line, &fields, &mut decimals)?;
            }
            if index <= layout.above {
                return Err(Fault::Line { line: 1, what: "no samples in this file".into() }.into());
            }
            Ok(())
        };
        match read() {
            Ok(()) | Err(Stop::Enough) => Ok(()),
            Err(Stop::Damaged(fault)) => Err(self.error(fault)),
            Err(Stop::Memory(error)) => Err(error.into()),
        }
    }
}

/// Labels, of which either all are numbers or all are names of classes.
#[derive(Default)]
struct Labels {
    /// whether the first one is a name
    named: Option<bool>,
    /// number of each name, in the order in which they came
    names: BTreeMap<String, usize>,
}

impl Labels {
    fn read(&mut self, field: Field<'_>, decimals: &mut Decimals) -> Result<f64, String> {
        // names that differ in their bytes would be one where those cannot be told
        let text =
            std::str::from_utf8(field.text).map_err(|_| "the label is not UTF-8 text; save the file as UTF-8")?;
        let number = decimals.number(field);
        let named = *self.named.get_or_insert(!text.is_empty() && text.parse::<f64>().is_err() && number.is_err());
        match (named, number) {
            (false, Ok(value)) => match text.parse::<i128>() {
                Ok(integer) if value as i128 != integer => {
                    Err(format!("the integer {} is too large to be represented exactly", excerpt(text)))
                }
                _ => Ok(value),
            },
            (false, Err(what)) => Err(what),
            (true, Ok(_)) => Err(format!("the label {} is a number, but those above are names", excerpt(text))),
            (true, Err(_)) if is_missing(field) => {
                let written = if text.is_empty() { String::new() } else { format!(" ({})", excerpt(text)) };
                Err(format!("the label is missing{written}"))
            }
            (true, Err(_)) => {
                let next = self.names.len();
                let known = self.names.contains_key(text);
                if text.len() > LONGEST_NAME || (next == MOST_NAMES && !known) {
                    let most = format!("classes can have at most {MOST_NAMES} names of {LONGEST_NAME} letters");
                    return Err(format!("the label {:?}: {most}", excerpt(text)));
                }
                Ok(*self.names.entry(text.to_owned()).or_insert(next) as f64)
            }
        }
    }

    /// The names in order; `y` becomes the place of each label's name among them.
    fn sorted(self, y: &mut [f64]) -> Vec<String> {
        let mut place = vec![0.0; self.names.len()];
        self.names.values().enumerate().for_each(|(sorted, &came)| place[came] = sorted as f64);
        if self.named == Some(true) {
            y.iter_mut().for_each(|label| *label = place[*label as usize]);
        }
        self.names.into_keys().collect()
    }
}

/// The numbers of a file whose layout is known.
struct Rows {
    table: Table,
    layout: Layout,
    d: usize,
}

impl Stored for Rows {
    fn rows(&mut self, rows: &[usize], budget: &Budget) -> Result<Vec<f64>, Error> {
        let what = super::file_name(&self.table.path);
        let mut x = room(&what, rows.len(), self.d, budget)?;
        let (mut wanted, layout) = (rows.iter().copied().peekable(), &self.layout);
        self.table.samples(layout, |row, line, fields, decimals| {
            let Some(next) = wanted.peek() else { return Err(Stop::Enough) };
            if row != *next {
                return Ok(());
            }
            for (field, at) in fields[layout.first..layout.end].iter().zip(layout.first..) {
                if at != layout.label {
                    let at_field = |what| Fault::Line { line, what: format!("{}: {what}", layout.column(at)) };
                    x.push(decimals.number(*field).map_err(at_field)?);
                }
            }
            wanted.next();
            Ok(())
        })?;
        Ok(x)
    }
}
