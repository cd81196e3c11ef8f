//! `ntkscope device`: what a board sends, or has sent, made into tables, figures and a report as a run's.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;
use ntkscope_frames::{Event, Received, Recording, Source, Until, receive, serial};
use serde_json::json;
use toml::{Table as Settings, Value};

use super::json::{document, fail, print_document};
use super::terminal::{DONE, FAILED, INTERRUPTED, command, print, say, stop_on_interrupt};
use super::{Page, UsageError};
use crate::files::numbers::Json;
use crate::files::{self, Roles};
use crate::plot::{FigureStyle, share_palette};
use crate::report::narrative::{TERMS, plain_table};
use crate::report::{Block, Report, Section, Table, VERSION, number, provenance, run_figures};
use crate::run::{Device, RunDirectory, Trace, result_paths};
use crate::words::count;

const EXAMPLES: &str = "\
Examples:
  ntkscope device recorded
      what `cargo xtask qemu divergence --save recorded` has left
  ntkscope device --serial /dev/ttyACM0 --elf divergence
      a board that is started now, row by row as they come
  ntkscope run --times runs/device/times.csv --dtype f32 --backend portable
      this computer's rows at the moments of the board's";

/// `ntkscope device`
#[derive(Args, Debug)]
#[command(before_help = EXAMPLES)]
pub struct DeviceArgs {
    /// Frames that were recorded: a file of lines, or a directory with a frames.txt
    #[arg(value_name = "DIR|FILE")]
    pub recorded: Option<PathBuf>,
    /// Frames that come by this serial port, until the board's last one
    #[arg(long, value_name = "PORT", help_heading = "Board")]
    pub serial: Option<PathBuf>,
    /// Image that the board runs, with the table that decodes what it sends; without it the port sends lines of text
    #[arg(long, value_name = "IMAGE", help_heading = "Board")]
    pub elf: Option<PathBuf>,
    /// Speed of the port in bits a second
    #[arg(long, value_name = "B", default_value_t = 115_200, help_heading = "Board")]
    pub baud: u32,
    /// Directory for the results [default: the first unused runs/device]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Of its page
    #[command(flatten)]
    pub page: Page,
}

/// Whoever listens ends it.
const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// Between two signs of life that are told.
const SELDOM: Duration = Duration::from_secs(5);

/// Receives, writes and draws; returns the exit code.
pub fn device(args: &DeviceArgs) -> Result<u8> {
    let source = source(args)?;
    let written = args.out.as_deref().map(result_paths);
    let read = Roles::new().reads("DIR", args.recorded.iter().cloned()).reads("elf", args.elf.iter().cloned());
    read.writes("out", written.into_iter().flatten())?;
    let directory = RunDirectory::create(args.out.as_deref(), "device", args.page.force)?;
    let mut recording = Recording::create(directory.path())?;
    let stop = stop_on_interrupt();
    let until = Until { limit: FOR_EVER, stopped: &|| stop.requested() };
    let mut told = Instant::now();
    let mut show = |event: Event<'_>| {
        let text = match event {
            Event::Said(frame) => frame.to_string(),
            Event::Record(record) => record.line(),
            Event::Alive(_) if told.elapsed() < SELDOM => return,
            Event::Alive(at) => format!("  {at}"),
            Event::Silence(since) => format!("  nothing has come for {} s", since.as_secs()),
        };
        told = Instant::now();
        if !args.page.quiet {
            say(&text);
        }
    };
    let received = receive(&source, until, Some(&mut recording), &mut show)?;
    let device = Device(&received);
    device.write(&directory)?;
    let traces = device.traces();
    page(args, &received, &traces, &directory)?;
    if !stop.requested() {
        // all that came is written; what is missing is an error still
        let place =
            args.recorded.as_ref().or(args.serial.as_ref()).map_or_else(String::new, |path| path.display().to_string());
        received.ended().context(place)?;
    }
    let failed = (received.code != Some(0)).then(|| sentence(&received));
    if args.page.json {
        let mut all = document("device", &settings(args), summary(&received, &traces, &directory));
        if let Some(message) = &failed {
            fail(&mut all, if stop.requested() { INTERRUPTED } else { FAILED }, message);
        }
        print_document(&all)?;
    } else {
        print(&plain_table(&table(&traces)).to_string())?;
        print(&sentence(&received))?;
    }
    if !args.page.quiet {
        say(&format!("report: {}", directory.file("report.html").display()));
    }
    Ok(match failed {
        _ if stop.requested() => INTERRUPTED,
        Some(message) => {
            say(&format!("error: {message}"));
            FAILED
        }
        None => DONE,
    })
}

/// Where the frames come from.
fn source(args: &DeviceArgs) -> Result<Source> {
    match (&args.recorded, &args.serial, &args.elf) {
        (Some(_), Some(port), _) => {
            let what = "frames come from a file or from a port; leave one of them out".into();
            Err(UsageError::Range { flag: "--serial", given: port.display().to_string(), what }.into())
        }
        (Some(_), None, Some(elf)) => {
            let what = "is for --serial; frames that were recorded are decoded".into();
            Err(UsageError::Range { flag: "--elf", given: elf.display().to_string(), what }.into())
        }
        (Some(path), None, None) => {
            let path = if path.is_dir() { path.join(Recording::FILE) } else { path.clone() };
            Ok(Source::file(&path)?)
        }
        (None, Some(port), elf) => {
            let place = port.display().to_string();
            let image = elf.as_ref().map(|elf| fs::read(elf).map_err(files::Error::io("read", elf))).transpose()?;
            let port = serial(port, args.baud)?;
            Ok(match image {
                Some(image) => Source::defmt(place, &image, true, port)?,
                None => Source::lines(place, port),
            })
        }
        (None, None, _) => {
            let what = "give the directory of a recording, or the port of a board with --serial".into();
            Err(UsageError::Range { flag: "DIR", given: "none".into(), what }.into())
        }
    }
}

/// What the numbers show, or how the board ended instead.
fn sentence(received: &Received) -> String {
    match (received.code, received.error()) {
        (Some(0), _) => received.closing().unwrap_or_else(|| "the experiment is done".into()),
        (_, Some(error)) => format!("the board stopped: {error}"),
        (Some(code), None) => format!("the board ended with exit code {code}"),
        (None, None) => "interrupted before the board's last frame".into(),
    }
}

/// How each part ended.
fn table(traces: &[Trace]) -> Table {
    let header = ["run", "records", "time t", "loss", "smallest margin", "drift max|K_{t} − K_{0}|", "relative drift"];
    let mut table = Table::new("Where the board's runs ended.", header);
    for Trace { label, rows } in traces {
        let last = rows.last().copied().unwrap_or_default();
        let ends = [last.time, last.loss, last.margin_min, last.drift_max, last.drift_fro].map(number);
        table.push([label.clone(), rows.len().to_string()].into_iter().chain(ends));
    }
    table
}

fn page(args: &DeviceArgs, received: &Received, traces: &[Trace], directory: &RunDirectory) -> Result<()> {
    let said = received.frames.iter().filter(|frame| frame.level.is_some() && !frame.text.starts_with("alive"));
    let said: Vec<Block> = said.map(|frame| Block::Paragraph(frame.to_string())).collect();
    let mut sections = vec![Section { title: "Runs".into(), blocks: vec![Block::Table(table(traces))] }];
    if let Some(style) = args.page.figures.style() {
        sections.push(Section { title: "Figures".into(), blocks: figures(traces, directory, style)? });
    }
    sections.push(Section { title: "What the board said".into(), blocks: said });
    sections.push(Section { title: "Notation".into(), blocks: vec![Block::Paragraph(TERMS.into())] });
    sections.push(Section { title: "Provenance".into(), blocks: provenance(&command()) });
    let lead = format!("{}. {} by the board itself.", sentence(received), count(received.numbers.len(), "number"));
    Ok(Report { title: "A device's run".into(), lead, sections }.save(&directory.file("report.html"))?)
}

fn figures(traces: &[Trace], directory: &RunDirectory, style: FigureStyle) -> Result<Vec<Block>> {
    let mut figures = run_figures(traces, &[]);
    share_palette(&mut figures.iter_mut().collect::<Vec<_>>());
    for figure in &mut figures {
        figure.style = style;
        figure.settings = format!("ntkscope {VERSION}; device");
    }
    directory.write_figures(&figures)?;
    Ok(figures.into_iter().map(|figure| Block::Figure(Box::new(figure))).collect())
}

fn settings(args: &DeviceArgs) -> Settings {
    let given = args.recorded.as_ref().or(args.serial.as_ref());
    Settings::from_iter([(
        "source".to_owned(),
        Value::String(given.map_or(String::new(), |p| p.display().to_string())),
    )])
}

/// What a script reads.
fn summary(received: &Received, traces: &[Trace], directory: &RunDirectory) -> serde_json::Value {
    let number = Json;
    let run = |Trace { label, rows }: &Trace| {
        let last = rows.last().copied().unwrap_or_default();
        json!({
            "label": label, "records": rows.len(), "time": number(last.time), "final_loss": number(last.loss),
            "margin_min": number(last.margin_min), "drift_max": number(last.drift_max), "drift_fro": number(last.drift_fro),
        })
    };
    json!({
        "directory": directory.path(), "numbers": received.numbers.len(), "code": received.code,
        "shows": received.closing(), "runs": traces.iter().map(run).collect::<Vec<_>>(),
    })
}
