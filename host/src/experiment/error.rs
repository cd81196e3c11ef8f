//! Wrong settings.

use std::path::PathBuf;

use crate::files::InputFault;
use crate::machine::Cause;
use crate::words::excerpt;

/// A setting that is none, or has a value that it cannot have. A setting stands in backticks as a file would have it,
/// `width` or `network = fcn`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A key that is no setting.
    #[error("unknown key `{}` {place}{}; a saved run.toml lists them all", excerpt(key), hint(near))]
    UnknownKey {
        /// the key
        key: String,
        /// where it stands: "in run.toml"
        place: String,
        /// the setting that may have been meant
        near: Option<String>,
    },
    /// What should be `KEY=VALUE` and has no `=`.
    #[error("`set = {}`: no `=`; give key=value, such as width=512", excerpt(given))]
    Pair {
        /// what was given
        given: String,
    },
    /// A settings file that cannot be read, or is none.
    #[error("{}: {what}", path.display())]
    File {
        /// the file
        path: PathBuf,
        /// why
        what: String,
    },
    /// A settings file that the system does not let be read.
    #[error("{}: {fault}", path.display())]
    Unreadable {
        /// the file
        path: PathBuf,
        /// why
        fault: InputFault,
    },
    /// A value of the wrong kind.
    #[error("{}", if what.starts_with('`') { format!("{what} ({place})") } else { format!("key `{key} = {}` {place}: {what}", excerpt(value)) })]
    Value {
        /// the setting
        key: String,
        /// as toml
        value: String,
        /// what it needs
        what: String,
        /// where it stands: "in run.toml"
        place: String,
    },
    /// Settings that are no table of settings as a whole.
    #[error("settings: {0}")]
    Table(#[from] toml::de::Error),
    /// Settings that toml cannot hold.
    #[error("settings: {0}")]
    Unwritable(#[from] toml::ser::Error),
    /// A number outside its range, or settings that do not go together.
    #[error("`{setting} = {}`: {what}", excerpt(given))]
    Range {
        /// the setting
        setting: &'static str,
        /// its value
        given: String,
        /// what is wrong and what fixes it
        what: String,
    },
}

impl Error {
    /// Where the cause lies.
    pub const fn cause(&self) -> Cause {
        match self {
            Self::Unreadable { fault: InputFault::System(_), .. } => Cause::System,
            Self::UnknownKey { .. }
            | Self::Pair { .. }
            | Self::File { .. }
            | Self::Unreadable { .. }
            | Self::Value { .. }
            | Self::Table(_)
            | Self::Unwritable(_)
            | Self::Range { .. } => Cause::Settings,
        }
    }
}

fn hint(near: &Option<String>) -> String {
    near.as_ref().map_or(String::new(), |key| format!("; did you mean {key}?"))
}
