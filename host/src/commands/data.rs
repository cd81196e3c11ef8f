//! `ntkscope data list / show / fetch`.

use anyhow::Result;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{DONE, print};
use crate::cli::{DataArgs, DataCommand};
use crate::data::{self, FetchProgress};
use crate::experiment::data_spec;

/// Carries out one of them; returns the exit code.
pub fn data(args: DataArgs) -> Result<u8> {
    match args.command {
        DataCommand::List { data_dir, json } => {
            let entries = data::list(data_dir.as_deref());
            if json {
                print(&serde_json::to_string_pretty(&entries)?)?;
            } else {
                for entry in entries {
                    print(&entry.to_string())?;
                }
            }
        }
        DataCommand::Show { model, json } => {
            let summary = data::show(&data::load(&data_spec(&model))?);
            print(&if json { serde_json::to_string_pretty(&summary)? } else { summary.to_string() })?;
        }
        DataCommand::Fetch { dataset, data_dir, mirror, quiet } => {
            let dir = match data_dir {
                Some(dir) => dir,
                None => data::default_dir(&dataset)?,
            };
            let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
            let bar = ProgressBar::with_draw_target(None, target);
            if let Ok(style) = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes}  {eta} left") {
                bar.set_style(style);
            }
            let paths = data::fetch(&dataset, &dir, mirror.as_deref(), &mut |at| follow(&bar, quiet, at))?;
            bar.finish_and_clear();
            for path in paths {
                print(&path.display().to_string())?;
            }
        }
    }
    Ok(DONE)
}

fn follow(bar: &ProgressBar, quiet: bool, at: FetchProgress) {
    let say = |text: String| {
        if !quiet {
            bar.suspend(|| eprintln!("{text}"));
        }
    };
    match at {
        FetchProgress::Kept { path } => say(format!("{}: there already, and right", path.display())),
        FetchProgress::Started { url, resumed_at, total } => {
            bar.set_length(total.unwrap_or(0));
            bar.set_position(resumed_at);
            say(if resumed_at > 0 { format!("{url}: resumed at byte {resumed_at}") } else { url });
        }
        FetchProgress::Received { bytes, .. } => bar.set_position(bytes),
        FetchProgress::Finished { path, check } => say(format!("{}: {check} is right", path.display())),
    }
}
