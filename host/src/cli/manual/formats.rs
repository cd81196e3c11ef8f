//! The pages of formats: the files with their columns, the objects that `--json` prints.

use clap_mangen::roff::{Roff, bold, roman};
use serde_json::Value;

use super::source::tidied;
use super::{Fault, Page, RELEASED};
use crate::cli::columns;
use crate::cli::json::SCHEMA;
use crate::cli::terminal::in_flags;

/// The page of a format: its sections, each of named things.
fn format_page(name: &str, about: &str, sections: &[(String, Vec<(String, String)>)]) -> Result<Page, Fault> {
    let mut page = Roff::new();
    let source = format!("ntkscope {}", env!("CARGO_PKG_VERSION"));
    page.control("TH", [&*name.to_uppercase(), "5", RELEASED, &*source, "ntkscope"]);
    page.control("SH", ["NAME"]);
    page.text([roman(format!("{name} - {about}"))]);
    for (title, things) in sections {
        // the name of a file stays as it is
        let title = if title.contains('.') { title.clone() } else { title.to_uppercase() };
        page.control("SH", [&*title]);
        for (thing, what) in things {
            page.control("TP", []);
            page.text([bold(thing)]);
            page.text([roman(what)]);
        }
    }
    page.control("SH", ["SEE ALSO"]);
    page.text([roman("ntkscope(1)")]);
    let mut text = Vec::new();
    page.to_writer(&mut text)?;
    Ok(Page { name: name.into(), section: 5, text: tidied(&String::from_utf8(text)?) })
}

pub(super) fn files_page() -> Result<Page, Fault> {
    let told = |all: &[(&str, &str)]| all.iter().map(|(name, what)| ((*name).into(), (*what).into())).collect();
    let mut sections: Vec<(String, Vec<(String, String)>)> = vec![
        (
            "Input files".into(),
            told(&[
                ("FILE.toml", "Settings as key = value, as in run.toml; keys are the long names of the flags."),
                ("FILE.npz", "Samples: arrays x (n, d) and y (n)."),
                ("FILE.csv", "Samples: one per row, the last column is y; a header is optional."),
                ("train-images-idx3-ubyte[.gz], …", "MNIST and Fashion-MNIST, as published."),
                (
                    "data_batch_1.bin, …",
                    "CIFAR-10 in its binary version: records of 3073 bytes, a label from 0 to 9 and 32 x 32 pixels of red, of green, of blue.",
                ),
                (
                    "P.npz, P.safetensors",
                    "Parameters: W0 b0 W1 … WL, each (out, in); for a residual network A b W1 b1 V1 d1 … v; a mirrored network has two sets (prefixes first. and second.).",
                ),
            ]),
        ),
        (
            "Output files".into(),
            told(&[
                (
                    "run.toml",
                    "The resolved settings of a run; versions, backend and the SHA-256 of the data under [provenance]. Running it again gives the same bits.",
                ),
                ("trace.csv", "One row per snapshot of a run."),
                (
                    "predictions.csv",
                    "One row per snapshot: the predictions of fixed kernels, and how far the run is from them.",
                ),
                (
                    "kernels.npz",
                    "Arrays analytic, initial, final (n, n), and times; with --kernels all snapshots, points (k, n, n) and spectra (k, n).",
                ),
                (
                    "profile.csv",
                    "One row per snapshot and input of the curve given by --profile: the kernel K_t(x_0, x).",
                ),
                ("params.npz", "The parameters at the end."),
                (
                    "state.bin",
                    "State from which ntkscope run --continue resumes: training between two steps, with a checksum.",
                ),
                (
                    "K.npz, K.npy",
                    "A kernel: arrays kernel (n, n), x, y; for an analytic kernel also ntk and nngp. An npy file holds kernel only.",
                ),
                (
                    "figures/NAME.svg, NAME.pdf, NAME.png",
                    "A figure in three formats: an SVG that needs no fonts and shows values on hover, a PDF with searchable text, and a bitmap.",
                ),
                ("report.html", "Report as a single self-contained page."),
                (
                    "frames.txt",
                    "What a board sent, a line each: what it said, and numbers as RUN RECORD FIELD BITS VALUE #SEQUENCE CHECKSUM.",
                ),
                ("numbers.csv", "One row per number that a board sent."),
                ("times.csv", "The times at which a board was to record; what run --times takes."),
                ("claims.csv", "One row per claim of a study, with the measured value and the verdict."),
                ("cells.csv", "One row per run of a study or a sweep."),
            ]),
        ),
    ];
    for column in columns::described() {
        let unit = if column.unit.is_empty() { String::new() } else { format!(" [{}]", column.unit) };
        let told = (format!("{}{unit}", column.name), in_flags(column.meaning));
        match sections.last_mut().filter(|(file, _)| file == column.file) {
            Some((_, columns)) => columns.push(told),
            None => sections.push((column.file.to_owned(), vec![told])),
        }
    }
    format_page("ntkscope-files", "files that ntkscope reads and writes", &sections)
}

pub(super) fn json_page() -> Result<Page, Fault> {
    let schema: Value = serde_json::from_str(SCHEMA)?;
    let shared = [("Every command", "/$defs/document"), ("A kernel", "/$defs/kernel")];
    let mut sections: Vec<(String, Vec<(String, String)>)> = shared
        .iter()
        .map(|(title, place)| ((*title).to_owned(), schema.pointer(place).map(described).unwrap_or_default()))
        .collect();
    for (command, shape) in schema["commands"].as_object().into_iter().flatten() {
        sections.push((format!("ntkscope {command}"), described(shape)));
    }
    format_page("ntkscope-json", "output of --json", &sections)
}

/// The keys of an object with what they mean, those of objects inside as `runs[].time`.
fn described(shape: &Value) -> Vec<(String, String)> {
    let mut all = Vec::new();
    describe(shape, "", &mut all);
    all
}

fn describe(shape: &Value, path: &str, all: &mut Vec<(String, String)>) {
    for (key, inner) in shape["properties"].as_object().into_iter().flatten() {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        if let Some(what) = inner["description"].as_str() {
            let kernel = if inner["$ref"].is_string() { " Keys as under A KERNEL above." } else { "" };
            all.push((path.clone(), format!("{what}{kernel}")));
        }
        describe(inner, &path, all);
        describe(&inner["items"], &format!("{path}[]"), all);
    }
}
