//! How a text file is laid out: told from its first records, because every program writes tables in its own way.

use super::numbers::{integer, is_missing, is_number};
use super::records::{Field, Separator, fields};
use crate::words::excerpt;

/// Names of columns that are labels by every habit.
const LABELS: [&str; 6] = ["label", "labels", "target", "targets", "class", "y"];

const SEPARATORS: [Separator; 5] =
    [Separator::Byte(b','), Separator::Byte(b'\t'), Separator::Byte(b';'), Separator::Byte(b'|'), Separator::Blanks];

/// What the fields of every record are.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) separator: Separator,
    /// records before the first sample
    pub(super) above: usize,
    /// names of the columns, one for every field, where there are any
    pub(super) names: Option<Vec<String>>,
    /// fields of a record
    pub(super) fields: usize,
    /// the first field that is used; those before number or name the rows
    pub(super) first: usize,
    /// the field after the last that is used; after it every record has an empty one
    pub(super) end: usize,
    /// the field of the label
    pub(super) label: usize,
    /// doubtful readings
    pub(super) warnings: Vec<String>,
}

impl Layout {
    /// Tells it from the first records and the comment before them. `label` is the column that the user names.
    ///
    /// # Errors
    /// `label` is no column, or several could be it.
    pub(super) fn tell(head: &[Vec<u8>], comment: &[u8], label: Option<&str>) -> Result<Self, LabelFault> {
        let declared = head.first().and_then(|record| declared_separator(record));
        let head = &head[usize::from(declared.is_some())..];
        let separator = declared.unwrap_or_else(|| separator_of(head));
        let rows: Vec<Vec<Field<'_>>> = head.iter().map(|record| fields(record, separator)).collect();
        let mut warnings = Vec::new();
        let has_header =
            rows.split_first().is_some_and(|(first, rest)| is_header(first, rest, separator, &mut warnings));
        let body = &rows[usize::from(has_header)..];
        let mut names: Option<Vec<String>> = has_header.then(|| rows[0].iter().map(|f| name_of(*f)).collect());

        let expected = names.as_ref().map(Vec::len);
        let found = body.first().map_or(0, Vec::len);
        let ends_empty =
            |row: &Vec<Field<'_>>| row.len() > 1 && row.last().is_some_and(|f| f.text.is_empty() && !f.quoted);
        let named =
            names.as_ref().is_some_and(|names| names.len() == found && names.last().is_some_and(|n| !n.is_empty()));
        let trailing = !named && !body.is_empty() && body.iter().all(ends_empty);
        let named_rows = expected == Some(found.wrapping_sub(1)) && !trailing && number_the_rows(body, separator);
        if named_rows {
            names.iter_mut().for_each(|names| names.insert(0, String::new()));
        }
        if trailing && expected == Some(found - 1) {
            names.iter_mut().for_each(|names| names.push(String::new()));
        }
        let fields = names.as_ref().map_or(found, Vec::len);
        let end = fields - usize::from(trailing && fields > 1);
        let unnamed = names.as_ref().is_some_and(|names| fields > 2 && is_unnamed(&names[0]));
        let first = usize::from(named_rows || unnamed);
        if first == 1 {
            warnings.push("the unnamed first column is taken for row numbers and is left out".into());
        }
        if names.is_none() {
            // numpy.savetxt writes the names as a comment
            let texts = self::fields(comment, separator);
            names = (texts.len() == fields).then(|| texts.iter().map(|f| name_of(*f)).collect());
        }
        let label = label_of(names.as_deref(), first..end, label, &mut warnings)?;
        let above = usize::from(declared.is_some()) + usize::from(has_header);
        Ok(Self { separator, above, names, fields, first, end, label, warnings })
    }

    /// A field as messages call it.
    pub(super) fn column(&self, field: usize) -> String {
        let name = self.names.as_ref().and_then(|names| names.get(field)).filter(|name| !name.is_empty());
        let name = name.map_or(String::new(), |name| format!(" ({name:?})"));
        format!("column {} of {}{name}", field + 1, self.fields)
    }
}

/// Why no column is the label.
#[derive(Debug)]
pub(super) enum LabelFault {
    /// there is no such column; those that there are
    NoColumn(String),
    /// several have a label's name
    Several(String),
}

/// `sep=;`, as Excel writes it into the first line.
fn declared_separator(record: &[u8]) -> Option<Separator> {
    match record.trim_ascii() {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', separator] => Some(Separator::Byte(*separator)),
        _ => None,
    }
}

/// The separator that makes the most of these records: several fields in each, as many in all, numbers in most.
fn separator_of(head: &[Vec<u8>]) -> Separator {
    let score = |separator: &Separator| {
        let (mut least, mut most, mut numbers, mut all) = (usize::MAX, 0, 0, 0);
        // the first may be a header
        for record in head.get(1..).filter(|rest| !rest.is_empty()).unwrap_or(head) {
            let fields = fields(record, *separator);
            (least, most) = (least.min(fields.len()), most.max(fields.len()));
            numbers += fields.iter().filter(|f| is_number(**f, *separator)).count();
            all += fields.len();
        }
        (least >= 2 && most >= 2, least == most, 1000 * numbers / all.max(1))
    };
    // the first of the best
    let best = SEPARATORS.iter().rev().max_by_key(|separator| score(separator));
    best.copied().unwrap_or(Separator::Byte(b','))
}

/// Whether the first record names the columns: no field of it is a number, or those that are count the columns.
fn is_header(first: &[Field<'_>], rest: &[Vec<Field<'_>>], separator: Separator, warnings: &mut Vec<String>) -> bool {
    let number = |f: &Field<'_>| is_number(*f, separator);
    if !first.iter().any(number) {
        return true;
    }
    let unnamed = first[0].text.is_empty();
    let names = &first[usize::from(unnamed)..];
    let counts_from =
        |start: u64| names.iter().enumerate().all(|(at, f)| !number(f) || integer(*f) == Some(at as u64 + start));
    let numbers = names.iter().filter(|f| number(f)).count();
    let start = if counts_from(0) {
        0
    } else if numbers > 1 && counts_from(1) {
        1
    } else {
        return false;
    };
    if unnamed && rest.first().is_some_and(|row| row.len() == first.len() && row.iter().all(number)) {
        return true;
    }
    if numbers < names.len() {
        // a word above numbers is a name; above words it is a class among classes; what is missing names nothing
        let above_numbers = |at: usize| rest.iter().any(|row| row.get(at).is_some_and(number));
        let names = |f: &Field<'_>| !number(f) && !is_missing(*f);
        return numbers > 1 && (0..first.len()).any(|at| names(&first[at]) && above_numbers(at));
    }
    let goes_on = rest.first().and_then(|row| integer(*row.first()?)) == Some(start + numbers as u64);
    let fractions = rest.iter().flatten().any(|f| number(f) && integer(*f).is_none());
    let header = !rest.is_empty() && !goes_on && (numbers > 3 || (numbers == 3 && fractions));
    let counted = (start..).take(numbers.min(3)).map(|v| v.to_string()).collect::<Vec<_>>().join(", ");
    let counted = if numbers > 3 { format!("{counted}, …") } else { counted };
    if header {
        warnings.push(format!(
            "the first line ({counted}) is taken for a header and is left out; if it is a sample, add a line of column names above it"
        ));
    } else if numbers > 2 || fractions {
        warnings.push(format!(
            "the first line ({counted}) looks like a header but is read as a sample; if it is a header, use names for the columns"
        ));
    }
    header
}

/// Whether the first fields name or number the rows, as R's do.
fn number_the_rows(body: &[Vec<Field<'_>>], separator: Separator) -> bool {
    let Some(firsts) = body.iter().map(|row| row.first().copied()).collect::<Option<Vec<_>>>() else { return false };
    let follows =
        |w: &[Field<'_>]| integer(w[0]).and_then(|v| v.checked_add(1)).is_some_and(|v| integer(w[1]) == Some(v));
    let counts = firsts.len() > 1 && firsts.windows(2).all(follows);
    counts || firsts.iter().all(|f| f.quoted || !is_number(*f, separator))
}

fn name_of(field: Field<'_>) -> String {
    excerpt(&String::from_utf8_lossy(field.text))
}

/// What pandas calls an index that has no name, when it is saved and saved again.
fn is_unnamed(name: &str) -> bool {
    name.is_empty() || name.starts_with("Unnamed: 0")
}

/// The field of the label: the one that the user names, the one named so, or the last.
fn label_of(
    names: Option<&[String]>,
    columns: std::ops::Range<usize>,
    given: Option<&str>,
    warnings: &mut Vec<String>,
) -> Result<usize, LabelFault> {
    let last = columns.end.saturating_sub(1);
    let name = |at: usize| names.map_or("", |names| names[at].as_str());
    if let Some(given) = given {
        let called = |so: &dyn Fn(&str) -> bool| -> Vec<usize> {
            columns.clone().filter(|&at| names.is_some() && so(name(at))).collect()
        };
        let exactly = called(&|name| name == given);
        let named = if exactly.is_empty() { called(&|name| name.eq_ignore_ascii_case(given)) } else { exactly };
        if named.len() > 1 {
            let all: Vec<String> = named.iter().map(|at| format!("{} ({:?})", at + 1, name(*at))).collect();
            return Err(LabelFault::Several(crate::words::listed(&all)));
        }
        let number = || given.parse().ok().and_then(|at: usize| at.checked_sub(1)).filter(|at| columns.contains(at));
        return named.first().copied().or_else(number).ok_or_else(|| {
            let all: Vec<String> = columns.clone().map(name).filter(|n| !n.is_empty()).map(String::from).collect();
            let numbers = format!("columns {} to {}", columns.start + 1, columns.end);
            LabelFault::NoColumn(if all.is_empty() {
                numbers
            } else {
                format!("{numbers}, named {}", crate::words::listed(&all))
            })
        });
    }
    let is_label = |at: usize| LABELS.iter().any(|label| name(at).eq_ignore_ascii_case(label));
    if names.is_none() || columns.is_empty() {
        return Ok(last);
    }
    let named: Vec<usize> = columns.clone().filter(|&at| is_label(at)).collect();
    // y is a coordinate as often as a label
    let (coordinates, labels): (Vec<usize>, Vec<usize>) =
        named.iter().partition(|&&at| name(at).eq_ignore_ascii_case("y"));
    if is_label(last) {
        if let Some(other) = labels.iter().find(|&&at| at != last) {
            warnings.push(format!(
                "the label is the last column ({:?}), although column {} is named {:?}; choose that one with `label-column`",
                name(last),
                other + 1,
                name(*other)
            ));
        }
        return Ok(last);
    }
    match (&labels[..], &coordinates[..]) {
        ([], []) => Ok(last),
        ([at], _) => {
            warnings.push(format!(
                "the label is column {} ({:?}), not the last one; choose another with `label-column`",
                at + 1,
                name(*at)
            ));
            Ok(*at)
        }
        ([], [y, ..]) => {
            warnings.push(format!(
                "the label is the last column ({:?}), although column {} is named {:?}; choose that one with `label-column`",
                name(last),
                y + 1,
                name(*y)
            ));
            Ok(last)
        }
        (several, _) => {
            let all: Vec<String> = several.iter().map(|at| format!("{:?}", name(*at))).collect();
            Err(LabelFault::Several(crate::words::listed(&all)))
        }
    }
}
