//! A new experiment on one's own samples: a file of the firmware, written from a csv file.

use std::{fmt::Write, fs, path::Path};

use anyhow::{Context, Result, bail, ensure};

use crate::{image, process::root};

/// Most classes, as a label is a byte.
const CLASSES: usize = 256;

/// Writes `firmware/src/bin/NAME.rs` for the samples in the file.
pub(crate) fn new(name: &str, data: &Path) -> Result<()> {
    let is_word = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    ensure!(is_word, "`{name}` cannot be the name of a module: give small letters, digits and underscores");
    let text = fs::read_to_string(data).with_context(|| data.display().to_string())?;
    let source = source(name, &Samples::read(&text).with_context(|| data.display().to_string())?);
    let path = root().join("firmware/src/bin").join(name).with_extension("rs");
    ensure!(!image::all().any(|known| known == name) && !path.exists(), "{} is there already", path.display());
    fs::write(&path, source).with_context(|| path.display().to_string())?;
    println!("wrote {}: widths, times and seed are yours to change", path.display());
    println!("run it on an emulated board and compare it with this machine: cargo xtask qemu {name} --compare");
    println!("on a real one, recorded: cargo xtask flash {name} --board nrf52840dk --compare --save {name}");
    Ok(())
}

/// What a csv file holds.
#[derive(Debug, PartialEq)]
struct Samples {
    /// Row by row.
    x: Vec<f32>,
    features: usize,
    labels: Labels,
}

#[derive(Debug, PartialEq)]
enum Labels {
    /// Counted from 0, and what each was in the file.
    Classes(Vec<usize>, Vec<String>),
    Values(Vec<f32>),
}

impl Samples {
    /// Reads rows of numbers; a first row that is none of numbers is a header. In the last column, whole numbers and words are classes,
    /// in the order of the numbers or of the alphabet; other numbers are values.
    fn read(text: &str) -> Result<Self> {
        let rows = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let rows: Vec<(usize, Vec<&str>)> =
            rows.map(|(i, line)| (i + 1, line.split(',').map(str::trim).collect())).collect();
        let numbers = |cells: &[&str]| cells.iter().all(|cell| cell.parse::<f32>().is_ok());
        let (_, first) = rows.first().context("no rows")?;
        ensure!(first.len() > 1, "one column: a row is the numbers of a sample and its class or value");
        let header = usize::from(!numbers(&first[..first.len() - 1]));
        let (mut x, mut labels) = (Vec::new(), Vec::new());
        for (line, cells) in &rows[header..] {
            ensure!(cells.len() == first.len(), "line {line}: {} columns, the first has {}", cells.len(), first.len());
            let (label, features) = cells.split_last().expect("more than one column");
            for (column, cell) in features.iter().enumerate() {
                let number = cell.parse::<f32>().ok().filter(|number| number.is_finite());
                let number =
                    number.with_context(|| format!("line {line}, column {}: `{cell}` is no number", column + 1))?;
                x.push(number);
            }
            labels.push(*label);
        }
        ensure!(labels.len() > 1, "{} samples: give two or more", labels.len());
        Ok(Self { x, features: first.len() - 1, labels: Labels::of(&labels)? })
    }
}

impl Labels {
    fn of(labels: &[&str]) -> Result<Self> {
        let values: Option<Vec<f32>> = labels.iter().map(|label| label.parse().ok()).collect();
        if let Some(values) = values.filter(|values| values.iter().any(|value| value.fract() != 0.0)) {
            ensure!(values.iter().all(|value| value.is_finite()), "a value is not finite");
            return Ok(Self::Values(values));
        }
        let mut names: Vec<String> = labels.iter().map(|label| (*label).to_owned()).collect();
        let number = |name: &String| name.parse::<f32>().ok();
        names.sort_by(|a, b| match (number(a), number(b)) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            _ => a.cmp(b),
        });
        names.dedup();
        match names.len() {
            1 => bail!("every sample has the class `{}`: give two or more", names[0]),
            2..=CLASSES => (),
            more => bail!("{more} classes: give at most {CLASSES}"),
        }
        let class = |label: &&str| names.iter().position(|name| name == label).expect("a name of the list");
        Ok(Self::Classes(labels.iter().map(class).collect(), names))
    }
}

/// The file of the experiment.
fn source(name: &str, Samples { x, features, labels }: &Samples) -> String {
    let n = x.len() / features;
    let (kind, list, what, ends) = match labels {
        Labels::Classes(classes, names) => (
            format!("Labels::Classes(&LABELS, {})", names.len()),
            format!("[u8; {n}] = {classes:?}"),
            format!("classes {}", names.join(", ")),
            "accuracy {train accuracy}, smallest margin {train margin_min}",
        ),
        Labels::Values(values) => {
            ("Labels::Values(&LABELS)".into(), format!("[f32; {n}] = {values:?}"), "values".into(), "loss {train loss}")
        }
    };
    let mut rows = String::new();
    for row in x.chunks_exact(*features) {
        let row: Vec<String> = row.iter().map(|number| format!("{number:?}")).collect();
        writeln!(rows, "    {},", row.join(", ")).expect("a String takes all");
    }
    format!(
        r#"//! Learns {n} samples of {features} numbers, {what}, and records how the kernel moves.
#![cfg_attr(target_os = "none", no_std, no_main)]

use ntkscope_core::Error;
use ntkscope_firmware::experiment::{{
    Board, Experiment, Output,
    own::{{Labels, Task}},
}};

const TASK: Task<'_> = Task {{
    x: &X,
    features: {features},
    labels: {kind},
    widths: &[16, 16],
    seed: 1,
    times: &[0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0],
}};

pub(crate) const EXPERIMENT: Experiment = Experiment {{
    shows: "the kernel moved by {{train drift_fro}}, relative; {ends}",
    len,
    run,
}};

const fn len(board: Board) -> usize {{
    TASK.len(board)
}}

fn run(board: Board, buffer: &mut [f32], out: &mut dyn Output) -> Result<(), Error> {{
    TASK.run(board, buffer, out)
}}

#[cfg(target_os = "none")]
const LEN: usize = ntkscope_firmware::held(len(ntkscope_firmware::HERE));

#[cfg(target_os = "none")]
static BUFFER: ntkscope_firmware::Buffer<LEN> = ntkscope_firmware::Buffer::new();

#[cfg(target_os = "none")]
#[ntkscope_firmware::entry]
fn main() -> ! {{
    ntkscope_firmware::run(&EXPERIMENT, "{name}", BUFFER.take())
}}

#[rustfmt::skip]
static X: [f32; {len}] = [
{rows}];
#[rustfmt::skip]
static LABELS: {list};
"#,
        len = x.len(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_and_values_are_told_apart() {
        let read = |text: &str| Samples::read(text).unwrap();
        let samples = read("a,b,class\n1,2,yes\n3,4,no\n\n5,6,yes\n");
        assert_eq!((samples.x.len(), samples.features), (6, 2));
        assert_eq!(samples.labels, Labels::Classes(vec![1, 0, 1], vec!["no".into(), "yes".into()]));
        assert_eq!(read("1,10\n2,9\n3,10").labels, Labels::Classes(vec![1, 0, 1], vec!["9".into(), "10".into()]));
        assert_eq!(read("1,1.5\n2,2").labels, Labels::Values(vec![1.5, 2.0]));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, said) in [
            ("", "no rows"),
            ("1\n2", "one column"),
            ("1,0\n2,3,1", "line 2: 3 columns, the first has 2"),
            ("1,0\nx,1", "line 2, column 1: `x` is no number"),
            ("1,0\ninf,1", "line 2, column 1: `inf`"),
            ("1,a\n2,a", "every sample has the class `a`"),
            ("1,a", "1 samples"),
        ] {
            let error = format!("{:#}", Samples::read(text).unwrap_err());
            assert!(error.contains(said), "{text}: {error}");
        }
        let refused = |name: &str| new(name, Path::new("none.csv")).unwrap_err().to_string();
        assert!(refused("My-Data").contains("small letters") && refused("mine").contains("none.csv"));
    }

    /// The experiment beside the csv file is what it gives. It is in no image: its network is too large for the smallest board.
    #[test]
    fn the_example_is_written_from_its_samples() {
        let read = |path: &str| fs::read_to_string(root().join("firmware").join(path)).unwrap();
        let samples = Samples::read(&read("data/sensor.csv")).unwrap();
        assert_eq!(read("data/sensor.rs"), source("sensor", &samples));
    }
}
