//! The last file of a finished job: what it left, with the checksum of each file, and the circumstances it was made
//! under. A directory that does not answer to its manifest is no result, and the job is done again.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Error;
use crate::backend::InstructionSet;
use crate::files;
use crate::words::excerpt;

/// Its name.
pub const MANIFEST: &str = "manifest.toml";
/// The number of the arithmetic: raised whenever the bits of a run or a measurement change, so that what was computed
/// otherwise before is computed again.
pub const ARITHMETIC: u32 = 4;
/// What stands before the checksum of the manifest itself, on its last line.
const SEAL: &str = "# SHA-256 of the lines above: ";

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// in words
    pub how: String,
    /// whether it came to one of the ends that were planned for it
    pub planned: bool,
    /// SHA-256 of the samples that it used, where it used any
    pub data: Option<String>,
}

impl End {
    /// Of a measurement whose table is whole.
    pub fn whole() -> Self {
        Self { how: "whole".into(), planned: true, data: None }
    }
}

/// What a finished job left, and how it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Manifest {
    /// the job
    pub id: String,
    /// see [`ARITHMETIC`]
    pub arithmetic: u32,
    /// version of the program
    pub ntkscope: String,
    /// instruction set of the machine, by which the bits of sums differ
    pub instructions: String,
    /// see [`End::data`]
    pub data_sha256: Option<String>,
    /// see [`End::how`]
    pub ended: String,
    /// see [`End::planned`]
    pub as_planned: bool,
    /// SHA-256 of every other file of the directory, by its name
    pub files: BTreeMap<String, String>,
}

/// Why what lies in a job's place is no result of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// something that is no directory lies there: `a file`, `a link`
    Place(&'static str),
    /// there is no manifest
    Unfinished,
    /// the manifest is not as it was written
    Manifest,
    /// a file is missing
    Missing(String),
    /// there is a file more, which no run writes
    Added(String),
    /// a file is not the one that was written
    Changed(String),
    /// a link or a directory stands for a file
    NoFile(String),
    /// it is the result of another job
    Job(String),
    /// it was made with other settings
    Settings,
    /// it was made from other data
    Data,
    /// another version of the program made it
    Version(String),
    /// the arithmetic was another then
    Arithmetic,
    /// it did not come to an end that was planned
    Ended(String),
    /// all files are as they were written, but cannot be read
    Unreadable(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Place(what) => write!(f, "damaged: {what} is in place of its directory"),
            Self::Unfinished => write!(f, "not finished: no {MANIFEST}"),
            Self::Manifest => write!(f, "damaged: {MANIFEST} was changed after it was written"),
            Self::Missing(file) => write!(f, "damaged: {} is missing", excerpt(file)),
            Self::Added(file) => write!(f, "changed: {} does not belong to a run", excerpt(file)),
            Self::Changed(file) => write!(f, "damaged: {} was changed after it was written", excerpt(file)),
            Self::NoFile(file) => write!(f, "damaged: {} is not a file", excerpt(file)),
            Self::Job(id) => write!(f, "changed: its directory holds {}", excerpt(id)),
            Self::Settings => write!(f, "its settings were different"),
            Self::Data => write!(f, "its data were different"),
            Self::Version(version) => write!(f, "made by another version, {}", excerpt(version)),
            Self::Arithmetic => write!(f, "made by another version with different rounding"),
            Self::Ended(how) => write!(f, "it did not end as planned ({})", excerpt(how)),
            Self::Unreadable(why) => write!(f, "damaged: {why}"),
        }
    }
}

impl Manifest {
    /// Of the files in this directory, made here and now.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn of(directory: &Path, id: &str, end: End) -> Result<Self, Error> {
        let mut files = BTreeMap::new();
        for (name, is_file) in entries(directory)? {
            if is_file && name != MANIFEST {
                files.insert(name.clone(), files::sha256(&directory.join(&name))?);
            }
        }
        Ok(Self {
            id: id.into(),
            arithmetic: ARITHMETIC,
            ntkscope: env!("CARGO_PKG_VERSION").into(),
            instructions: InstructionSet::here().name().into(),
            data_sha256: end.data,
            ended: end.how,
            as_planned: end.planned,
            files,
        })
    }

    /// Writes it into the directory: from then on the job is finished.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write(&self, directory: &Path) -> Result<(), Error> {
        Ok(files::write_atomic(&directory.join(MANIFEST), self.text()?.as_bytes())?)
    }

    /// The content of its file.
    ///
    /// # Errors
    /// A text that toml cannot hold.
    pub fn text(&self) -> Result<String, Error> {
        let body = format!("# What this directory holds; without it, it is no result.\n{}", toml::to_string(self)?);
        Ok(sealed(&body))
    }

    /// The manifest of a directory, if that is as it was when it was written and made by this program.
    ///
    /// # Errors
    /// A file that cannot be read, which is not a [`Fault`] of the directory.
    pub fn check(directory: &Path, id: &str) -> Result<Result<Self, Fault>, Error> {
        let Some(what) = kind(directory)? else { return Ok(Err(Fault::Unfinished)) };
        if what != "a directory" {
            return Ok(Err(Fault::Place(what)));
        }
        let entries: BTreeMap<String, bool> = entries(directory)?.into_iter().collect();
        let manifest = match entries.get(MANIFEST) {
            None => return Ok(Err(Fault::Unfinished)),
            Some(false) => return Ok(Err(Fault::NoFile(MANIFEST.into()))),
            Some(true) => Self::read(directory)?,
        };
        let Some(manifest) = manifest else { return Ok(Err(Fault::Manifest)) };
        if let Some(added) = entries.keys().find(|name| *name != MANIFEST && !manifest.files.contains_key(*name)) {
            return Ok(Err(Fault::Added(added.clone())));
        }
        for (name, checksum) in &manifest.files {
            match entries.get(name) {
                None => return Ok(Err(Fault::Missing(name.clone()))),
                Some(false) => return Ok(Err(Fault::NoFile(name.clone()))),
                Some(true) if files::sha256(&directory.join(name))? != *checksum => {
                    return Ok(Err(Fault::Changed(name.clone())));
                }
                Some(true) => {}
            }
        }
        Ok(manifest.of_this_program(id))
    }

    /// The manifest of a directory whose files have been looked at before; `None` where there is none that can be read.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn read(directory: &Path) -> Result<Option<Self>, Error> {
        let path = directory.join(MANIFEST);
        Ok(Self::parse(&files::read_input(&path, 1 << 22).map_err(files::Error::input(path))?))
    }

    /// The manifest in the content of its file; `None` where that is not as it was written.
    pub fn parse(content: &[u8]) -> Option<Self> {
        let (body, seal) = std::str::from_utf8(content).ok()?.rsplit_once(SEAL)?;
        (seal.strip_suffix('\n')? == files::sha256_of(body)).then(|| toml::from_str(body).ok())?
    }

    fn of_this_program(self, id: &str) -> Result<Self, Fault> {
        if self.id != id {
            return Err(Fault::Job(self.id));
        }
        if self.ntkscope != env!("CARGO_PKG_VERSION") {
            return Err(Fault::Version(self.ntkscope));
        }
        if self.arithmetic != ARITHMETIC {
            return Err(Fault::Arithmetic);
        }
        Ok(self)
    }
}

/// The lines of a manifest with their checksum after them.
pub fn sealed(body: &str) -> String {
    format!("{body}{SEAL}{}\n", files::sha256_of(body))
}

/// What lies at a path, links not followed; `None`: nothing.
pub(super) fn kind(path: &Path) -> Result<Option<&'static str>, Error> {
    match path.symlink_metadata() {
        Ok(found) if found.is_dir() => Ok(Some("a directory")),
        Ok(found) if found.is_symlink() => Ok(Some("a link")),
        Ok(_) => Ok(Some("a file")),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(files::Error::io("read", path)(e).into()),
    }
}

/// Names in a directory, and whether each is a file, links not followed.
pub(super) fn entries(directory: &Path) -> Result<Vec<(String, bool)>, Error> {
    let refused = || files::Error::io("read", directory);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(refused())? {
        let entry = entry.map_err(refused())?;
        let is_file = entry.file_type().map_err(refused())?.is_file();
        found.push((entry.file_name().to_string_lossy().into_owned(), is_file));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_a_manifest_stays_in_a_line_of_the_message() {
        let strange = format!("\u{1b}[2J\n{}", "x".repeat(5000));
        let faults =
            [Fault::Missing, Fault::Added, Fault::Changed, Fault::NoFile, Fault::Job, Fault::Version, Fault::Ended];
        for fault in faults {
            let told = fault(strange.clone()).to_string();
            assert!(told.len() < 300 && !told.contains(char::is_control), "{told}");
        }
    }

    #[test]
    fn a_manifest_is_read_back_only_as_it_was_written() {
        let manifest = Manifest {
            id: "a".into(),
            arithmetic: ARITHMETIC,
            ntkscope: "0".into(),
            instructions: "scalar".into(),
            data_sha256: None,
            ended: "whole".into(),
            as_planned: true,
            files: BTreeMap::from([("numbers.csv".to_owned(), "0".to_owned())]),
        };
        let text = manifest.text().unwrap();
        assert_eq!(Manifest::parse(text.as_bytes()), Some(manifest));
        for cut in 0..text.len() {
            assert_eq!(Manifest::parse(&text.as_bytes()[..cut]), None, "{cut}");
        }
        assert_eq!(Manifest::parse(sealed("id = 1").as_bytes()), None);
    }
}
