//! Options that commands share.

use std::path::Path;

use bytesize::ByteSize;
use clap::Args;

use crate::error::UsageError;
use crate::experiment::{ModelSettings, Settings, TrainingSettings};

/// Options of every command that works.
#[derive(Args, Debug, Clone)]
pub struct Common {
    /// One machine-readable summary on standard output
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// No messages and no progress bar
    #[arg(long, short, help_heading = "Output")]
    pub quiet: bool,
    /// Threads; results do not depend on it [default: all cores]
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u16).range(1..), help_heading = "Machine")]
    pub threads: Option<u16>,
    /// Take no more memory than this, e.g. 4GiB: work in blocks, or refuse [default: what is free]
    #[arg(long, value_name = "SIZE", help_heading = "Machine")]
    pub memory: Option<ByteSize>,
}

/// Network and data of every command that builds a network.
#[derive(Args, Debug)]
pub struct ModelArgs {
    /// One setting, e.g. width=512; below flags, above a file of settings
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// The flags
    #[command(flatten)]
    pub settings: ModelSettings,
}

impl ModelArgs {
    /// With the flags of training, over `file`. Errors: those of [`Settings::layered`].
    pub fn layered(&self, training: TrainingSettings, file: Option<&Path>) -> Result<Settings, UsageError> {
        Settings::layered(&Settings { model: self.settings.clone(), training }, &self.set, file)
    }
}
