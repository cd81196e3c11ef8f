//! What is asked of a place for results before the work begins: that its name says what is written, that it can be
//! written, and that it is nothing else of the same call.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use super::identity::Identity;
use super::{Error, Unfinished};

/// What a file of results holds, which its name's ending says, in small or capital letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// named arrays
    Npz,
    /// one array
    Npy,
    /// a table
    Csv,
    /// a page
    Html,
}

impl Format {
    /// How names of such files end, without the dot.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Npz => "npz",
            Self::Npy => "npy",
            Self::Csv => "csv",
            Self::Html => "html",
        }
    }
}

/// Looks at a place for a file of one of these formats before the work begins: makes the very file, and takes it away again.
///
/// # Errors
/// [`Error::Place`], [`Error::Refused`], each with the setting that names the place.
pub fn check_output(setting: &'static str, path: &Path, formats: &[Format]) -> Result<Format, Error> {
    let endings: Vec<String> = formats.iter().map(|format| format!(".{}", format.ending())).collect();
    let endings = endings.join(" or ");
    let refuse = |what: String| Error::Place { setting, path: path.into(), what };
    let ending = path.extension();
    let format = formats.iter().find(|format| ending.is_some_and(|e| e.eq_ignore_ascii_case(format.ending())));
    match (format, Unfinished::try_create(path)) {
        (_, Err(Error::NotAFile { kind, .. })) => {
            Err(refuse(format!("is a {kind}; give the name of a file that ends in {endings}")))
        }
        (None, _) => Err(refuse(format!("the name does not tell the format; give one that ends in {endings}"))),
        (Some(_), Err(error)) => Err(error.of_place(setting, path, "give a file in an existing directory")),
        (Some(format), Ok(())) => Ok(*format),
    }
}

/// The files of one call, each with the setting that names it.
#[derive(Debug, Default)]
pub struct Roles {
    inputs: BTreeMap<Identity, &'static str>,
    outputs: BTreeMap<Identity, &'static str>,
}

impl Roles {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// These files are read.
    pub fn reads<P: AsRef<Path>>(mut self, setting: &'static str, paths: impl IntoIterator<Item = P>) -> Self {
        let files = paths.into_iter().filter_map(|path| Identity::of(path.as_ref()));
        self.inputs.extend(files.map(|file| (file, setting)));
        self
    }

    /// These files are written; several of one setting are no two outputs.
    ///
    /// # Errors
    /// [`Error::TwoRoles`] for one that is read, or written for another setting.
    pub fn writes<P: AsRef<Path>>(
        mut self,
        setting: &'static str,
        paths: impl IntoIterator<Item = P>,
    ) -> Result<Self, Error> {
        for path in paths {
            let Some(file) = Identity::of(path.as_ref()) else { continue };
            let other = self.inputs.get(&file).or(self.outputs.get(&file)).copied();
            if let Some(other) = other.filter(|other| *other != setting || self.inputs.contains_key(&file)) {
                return Err(Error::TwoRoles { path: path.as_ref().into(), setting, other });
            }
            self.outputs.insert(file, setting);
        }
        Ok(self)
    }
}

impl Error {
    /// What is wrong with a place that was asked for: `self` arose when it was tried.
    pub fn of_place(self, setting: &'static str, place: &Path, advice: &str) -> Self {
        let path = place.into();
        match self {
            // what is not there, or cannot be a name, was typed wrongly
            Self::Io { source, .. }
                if matches!(
                    source.kind(),
                    ErrorKind::NotFound
                        | ErrorKind::NotADirectory
                        | ErrorKind::AlreadyExists
                        | ErrorKind::InvalidFilename
                        | ErrorKind::InvalidInput
                ) =>
            {
                Self::Place { setting, path, what: format!("cannot be written: {source}; {advice}") }
            }
            Self::Io { source, .. } => Self::Refused { setting, path, source },
            Self::NotAFile { path: found, kind } => {
                let what = if found == path {
                    format!("is a {kind}")
                } else {
                    format!("has a {kind} in place of {}", name(&found))
                };
                Self::Place { setting, path, what: format!("{what}; {advice}") }
            }
            other => other,
        }
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
