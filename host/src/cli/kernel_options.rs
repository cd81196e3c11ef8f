//! Options of a kernel that several commands have: which outputs it is of, and in which order a file's layers come.

use clap::Args;
use clap::builder::{StringValueParser, TypedValueParser};
use ntkscope_core::kernel::MultiOutput;
use toml::{Table, Value};

use super::UsageError;
use crate::experiment::Open;
use crate::words::did_you_mean;

const KINDS: [&str; 2] = ["full", "trace"];

/// Which outputs an empirical kernel is of.
#[derive(Args, Debug)]
pub struct OutputsArgs {
    /// Kernel of C outputs: full (nC x nC, row i C + c), trace (n x n, divided by C), or the index of one output [default:
    /// trace]
    #[arg(long, value_name = "full|trace|CLASS", value_parser = Open::new(StringValueParser::new().try_map(known), KINDS), hide_possible_values = true, help_heading = "Kernel")]
    multi_output: Option<String>,
}

/// The order of the layers of a network that another program has stored.
#[derive(Args, Debug)]
pub struct OrderArgs {
    /// Names of the layers of another program's network in their order, separated by commas, where the file leaves it open
    #[arg(long = "order", id = "order", value_name = "NAME,…", value_delimiter = ',', help_heading = "Kernel")]
    pub names: Option<Vec<String>>,
}

/// The value of `--multi-output`, as far as it can be told without the network.
fn known(text: String) -> Result<String, String> {
    if KINDS.contains(&text.as_str()) || text.parse::<usize>().is_ok() {
        return Ok(text);
    }
    Err(format!("give full, trace, or the number of an output{}", did_you_mean(&text, KINDS)))
}

impl OutputsArgs {
    /// As it was given, or the default.
    pub(super) fn text(&self) -> &str {
        self.multi_output.as_deref().unwrap_or("trace")
    }

    /// As a setting, where it was given.
    pub(super) fn given(&self) -> Table {
        self.multi_output.iter().map(|text| ("multi-output".into(), Value::String(text.clone()))).collect()
    }

    /// Of a network with so many outputs.
    ///
    /// # Errors
    /// The index of an output that it has not.
    pub(super) fn of(&self, outputs: usize) -> Result<MultiOutput, UsageError> {
        let class = match self.text() {
            "full" => return Ok(MultiOutput::Full),
            "trace" => return Ok(MultiOutput::Trace),
            class => class,
        };
        let what = match class.parse() {
            Ok(index) if index < outputs => return Ok(MultiOutput::Class(index)),
            _ if outputs == 1 => "the network has one output; give 0, or leave it out".into(),
            _ => format!("the network has {outputs} outputs; give one of 0 to {}", outputs - 1),
        };
        Err(UsageError::Range { flag: "--multi-output", given: class.into(), what })
    }
}

impl OrderArgs {
    /// As a setting, where it was given.
    pub(super) fn given(&self) -> Table {
        self.names.iter().map(|names| ("order".into(), Value::String(names.join(",")))).collect()
    }
}
