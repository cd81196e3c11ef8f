//! `ntkscope data list / show / fetch`.

use std::path::PathBuf;

use anyhow::Result;
use clap::builder::{StringValueParser, TypedValueParser};
use clap::{Args, Subcommand};
use serde_json::json;
use toml::Table;

use super::ModelArgs;
use super::json::{document, print_document};
use super::terminal::{DONE, Progress, bytes, in_flags, print, say, warn};
use super::unused::{Takes, refuse, refuse_seed, used};
use crate::data;
use crate::data::{FetchProgress, Source};
use crate::experiment::{Open, Settings};
use crate::machine::{Budget, with_threads};
use crate::words::count;

const EXAMPLES: &str = "\
Examples:
  ntkscope data list
  ntkscope data fetch mnist
  ntkscope data show --data mnist --classes 3,8 --n 100
  ntkscope data show --data samples.csv --json";

/// `ntkscope data`
#[derive(Args, Debug)]
#[command(before_help = EXAMPLES)]
pub struct DataArgs {
    /// What to do with them
    #[command(subcommand)]
    pub command: DataCommand,
}

/// `ntkscope data list / show / fetch`
#[derive(Subcommand, Debug)]
pub enum DataCommand {
    /// List the data sets and where their files are expected
    List {
        /// Folder with the files of images
        #[arg(long, value_name = "DIR")]
        data_dir: Option<PathBuf>,
        /// Print a JSON summary to standard output
        #[arg(long)]
        json: bool,
    },
    /// Summarize the selected samples
    Show {
        /// Data
        #[command(flatten)]
        model: ModelArgs,
        /// Print a JSON summary to standard output
        #[arg(long)]
        json: bool,
    },
    /// Download mnist, fashion-mnist or cifar-10 and verify every file
    Fetch {
        /// mnist, fashion-mnist or cifar-10
        #[arg(value_parser = Open::new(StringValueParser::new().try_map(|name| name.parse::<Source>()), ["mnist", "fashion-mnist", "cifar-10"]), hide_possible_values = true)]
        dataset: Source,
        /// Destination folder [default: the per-user data folder]
        #[arg(long, value_name = "DIR")]
        data_dir: Option<PathBuf>,
        /// Download from this base URL, to which the file names are appended
        #[arg(long, value_name = "URL")]
        mirror: Option<String>,
        /// Suppress progress
        #[arg(long, short)]
        quiet: bool,
        /// Print a JSON summary to standard output
        #[arg(long)]
        json: bool,
    },
}

/// Runs one of them; returns the exit code.
pub fn data(args: DataArgs) -> Result<u8> {
    match args.command {
        DataCommand::List { data_dir, json } => {
            let entries = data::list(data_dir.as_deref());
            if json {
                let dir = data_dir.map(|dir| ("data-dir".to_owned(), toml::Value::String(dir.display().to_string())));
                let settings = dir.into_iter().collect();
                print_document(&document("data list", &settings, json!({ "data_sets": entries })))?;
            } else {
                for entry in entries {
                    print(&in_flags(&entry.to_string()))?;
                }
            }
        }
        DataCommand::Show { model, json } => {
            let given = model.given(&Table::new(), None)?;
            refuse("data show", &given, &Takes::Only(&[]))?;
            refuse_seed("data show", &given, false)?;
            let model = Settings::from_table(given)?.model;
            let samples = data::load(&model.data_spec(), &Budget::default())?;
            warn(&samples, false);
            let summary = with_threads(None, || data::show(&samples))?;
            if json {
                let settings = used("data show", Table::try_from(&model)?);
                print_document(&document("data show", &settings, serde_json::to_value(summary)?))?;
            } else {
                print(&summary.to_string())?;
            }
        }
        DataCommand::Fetch { dataset, data_dir, mirror, quiet, json } => {
            let dir = match data_dir {
                Some(dir) => dir,
                None => data::default_dir(&dataset)?,
            };
            let bar = bytes(quiet);
            let paths = data::fetch(&dataset, &dir, mirror.as_deref(), &mut |at| follow(&bar, quiet, at))?;
            bar.finish_and_clear();
            if json {
                let text = |text: String| toml::Value::String(text);
                let mut settings = Table::from_iter([("data".to_owned(), text(dataset.to_string()))]);
                settings.insert("data-dir".into(), text(dir.display().to_string()));
                return print_document(&document("data fetch", &settings, json!({ "files": paths }))).map(|()| DONE);
            }
            for path in paths {
                print(&path.display().to_string())?;
            }
        }
    }
    Ok(DONE)
}

fn follow(bar: &Progress, quiet: bool, at: FetchProgress) {
    let tell = |text: String| {
        if !quiet {
            say(&text);
        }
    };
    match at {
        FetchProgress::Kept { path } => tell(format!("{}: already present and verified", path.display())),
        FetchProgress::Started { url, resumed_at, total } => {
            bar.set_length(total.unwrap_or(0));
            bar.set_position(resumed_at);
            bar.set_prefix(&url);
            tell(if resumed_at > 0 { format!("{url}: resuming at byte {resumed_at}") } else { url });
        }
        FetchProgress::Received { bytes, .. } => bar.set_position(bytes),
        FetchProgress::Unpacked { archive, files } => {
            tell(format!("{}: unpacked {}", archive.display(), count(files, "file")));
        }
        FetchProgress::Finished { path, check } => tell(format!("{}: verified ({check})", path.display())),
    }
}
