//! `ntkscope data list / show / fetch`.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};

use super::terminal::{DONE, Progress, bytes, in_flags, print, say, warn};
use crate::data;
use crate::data::{FetchProgress, Source};
use crate::experiment::Model;
use crate::machine::{Budget, with_threads};

/// `ntkscope data`
#[derive(Args, Debug)]
pub struct DataArgs {
    /// What to do with them
    #[command(subcommand)]
    pub command: DataCommand,
}

/// `ntkscope data list / show / fetch`
#[derive(Subcommand, Debug)]
pub enum DataCommand {
    /// The data sets, and where their files are looked for
    List {
        /// Folder of the idx files
        #[arg(long, value_name = "DIR")]
        data_dir: Option<PathBuf>,
        /// Print a JSON summary to standard output
        #[arg(long)]
        json: bool,
    },
    /// Summarize the selected samples
    Show {
        /// Network and data
        #[command(flatten)]
        model: Model,
        /// Print a JSON summary to standard output
        #[arg(long)]
        json: bool,
    },
    /// Download mnist or fashion-mnist and check every file
    Fetch {
        /// mnist or fashion-mnist
        dataset: Source,
        /// Where to [default: the per-user data folder]
        #[arg(long, value_name = "DIR")]
        data_dir: Option<PathBuf>,
        /// Where from, a URL that the files' names are appended to
        #[arg(long, value_name = "URL")]
        mirror: Option<String>,
        /// No progress
        #[arg(long, short)]
        quiet: bool,
    },
}

/// Runs one of them; returns the exit code.
pub fn data(args: DataArgs) -> Result<u8> {
    match args.command {
        DataCommand::List { data_dir, json } => {
            let entries = data::list(data_dir.as_deref());
            if json {
                print(&serde_json::to_string_pretty(&entries)?)?;
            } else {
                for entry in entries {
                    print(&in_flags(&entry.to_string()))?;
                }
            }
        }
        DataCommand::Show { model, json } => {
            let samples = data::load(&model.data_spec(), &Budget::default())?;
            warn(&samples, false);
            let summary = with_threads(None, || data::show(&samples))?;
            print(&if json { serde_json::to_string_pretty(&summary)? } else { summary.to_string() })?;
        }
        DataCommand::Fetch { dataset, data_dir, mirror, quiet } => {
            let dir = match data_dir {
                Some(dir) => dir,
                None => data::default_dir(&dataset)?,
            };
            let bar = bytes(quiet);
            let paths = data::fetch(&dataset, &dir, mirror.as_deref(), &mut |at| follow(&bar, quiet, at))?;
            bar.finish_and_clear();
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
        FetchProgress::Kept { path } => tell(format!("{}: there already, and right", path.display())),
        FetchProgress::Started { url, resumed_at, total } => {
            bar.set_length(total.unwrap_or(0));
            bar.set_position(resumed_at);
            bar.set_prefix(&url);
            tell(if resumed_at > 0 { format!("{url}: resumed at byte {resumed_at}") } else { url });
        }
        FetchProgress::Received { bytes, .. } => bar.set_position(bytes),
        FetchProgress::Finished { path, check } => tell(format!("{}: {check} is right", path.display())),
    }
}
