//! Settings files, such as the `run.toml` of a run.

use std::path::{Component, Path, PathBuf};

use toml::{Table, Value};

use super::settings::overlay;
use super::{Error, Model, Times, Training};
use crate::data::{CurveSource, Source};
use crate::files::{InputFault, read_text};
use crate::words::excerpt;

/// Most bytes of a settings file: hundreds of times those of one with every setting.
const MOST_BYTES: u64 = 1 << 20;

/// The content of a settings file.
///
/// # Errors
/// [`Error::File`]: it cannot be read, is none, or is not toml.
pub fn read_toml(path: &Path) -> Result<Table, Error> {
    parse_toml(path, &text_of(path)?)
}

fn text_of(path: &Path) -> Result<String, Error> {
    let wrong = |what: String| Error::File { path: path.into(), what };
    read_text(path, MOST_BYTES).map_err(|fault| match fault {
        InputFault::NotAFile("a directory") => wrong("is a directory; give the run.toml inside it".into()),
        fault => Error::Unreadable { path: path.into(), fault },
    })
}

/// The settings in `text`; `path` is for messages.
///
/// # Errors
/// [`Error::File`].
pub fn parse_toml(path: &Path, text: &str) -> Result<Table, Error> {
    text.parse().map_err(|e: toml::de::Error| {
        let at = e.span().map_or(0, |span| span.start);
        let line = 1 + text.bytes().take(at).filter(|b| *b == b'\n').count();
        let what = excerpt(e.message().lines().next().unwrap_or_default());
        Error::File { path: path.into(), what: format!("line {line}: {what}") }
    })
}

/// Lays the settings of a file over those of `base`. A relative path in it is relative to its directory.
///
/// # Errors
/// Those of [`read_toml`] and [`overlay`].
pub fn overlay_file(base: &mut Table, path: &Path) -> Result<(), Error> {
    overlay_text(base, path, &text_of(path)?)
}

/// The same from the content of a file of this name.
///
/// # Errors
/// Those of [`parse_toml`] and [`overlay`].
pub fn overlay_text(base: &mut Table, path: &Path, text: &str) -> Result<(), Error> {
    let mut read = Table::new();
    overlay(&mut read, parse_toml(path, text)?, &format!("in {}", path.display()))?;
    place_paths(&mut read, path.parent().unwrap_or(Path::new("")));
    base.extend(read);
    Ok(())
}

/// Makes the paths in these settings, which are relative to `directory`, relative to the current one.
pub fn place_paths(settings: &mut Table, directory: &Path) {
    for key in ["data", "data-dir", "profile", "times"] {
        let Some(Value::String(text)) = settings.get_mut(key) else { continue };
        let is_path = key == "data-dir" || matches!(text.parse(), Ok(Source::File(_)));
        // a text in toml stays one: a path that is none in UTF-8 cannot have been written
        if let (true, Some(path)) = (is_path, tidy(&directory.join(&text)).to_str()) {
            *text = path.to_owned();
        }
    }
}

impl Model {
    /// The same with its relative paths, which are relative to the current directory, relative to `directory`, as a file
    /// in it has them.
    pub fn seen_from(&self, directory: &Path) -> Self {
        let mut seen = self.clone();
        if let Source::File(path) = &mut seen.data {
            *path = relative(path, directory);
        }
        seen.data_dir = seen.data_dir.map(|path| relative(&path, directory));
        seen
    }
}

impl Training {
    /// The same with its relative paths as [`Model::seen_from`] has them.
    pub fn seen_from(&self, directory: &Path) -> Self {
        let mut seen = self.clone();
        if let Some(CurveSource::File(path)) = &mut seen.profile {
            *path = relative(path, directory);
        }
        if let Some(Times::File(path)) = &mut seen.times {
            *path = relative(path, directory);
        }
        seen
    }
}

/// `path`, if it is relative, as one relative to `directory`, through which links do not lead astray; an absolute one
/// where there is none.
fn relative(path: &Path, directory: &Path) -> PathBuf {
    if path.is_absolute() {
        return path.into();
    }
    let whole = |path: &Path| match (path.parent(), path.file_name()) {
        // the file itself may be a link
        (Some(parent), Some(name)) => {
            let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
            parent.canonicalize().map(|parent| parent.join(name))
        }
        _ => path.canonicalize(),
    };
    let (Ok(to), Ok(from)) = (whole(path), directory.canonicalize()) else {
        return std::path::absolute(path).unwrap_or_else(|_| path.into());
    };
    let shared = to.components().zip(from.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    let relative: PathBuf = up.chain(to.components().skip(shared)).collect();
    if shared == 0 { to } else { relative }
}

/// `path` without what leads down and up again, where no link can be in between.
fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for component in path.components() {
        let below = matches!(tidy.components().next_back(), Some(Component::Normal(_)));
        if component == Component::ParentDir && below && !tidy.is_symlink() {
            tidy.pop();
        } else {
            tidy.push(component);
        }
    }
    tidy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_comes_back_from_any_directory() {
        let place = tempfile::tempdir().unwrap();
        let here = place.path().canonicalize().unwrap();
        for directory in ["a/b", "c"] {
            std::fs::create_dir_all(here.join(directory)).unwrap();
        }
        std::fs::write(here.join("c/x.csv"), "").unwrap();
        let current = std::env::current_dir().unwrap();
        // a relative path to the file, whatever the current directory is
        let up: PathBuf = current.components().skip(1).map(|_| Component::ParentDir).collect();
        let given = up.join(here.strip_prefix("/").unwrap()).join("c/x.csv");
        assert!(given.is_relative() && given.exists());
        for (from, expected) in [("a/b", "../../c/x.csv"), ("c", "x.csv"), ("", "c/x.csv")] {
            let model = Model { data: Source::File(given.clone()), ..Model::default() };
            let seen = model.seen_from(&here.join(from));
            assert_eq!(seen.data, Source::File(expected.into()));
            let mut table = Table::from_iter([("data".to_owned(), Value::String(seen.data.to_string()))]);
            place_paths(&mut table, &here.join(from));
            assert_eq!(table["data"].as_str().unwrap(), here.join("c/x.csv").to_str().unwrap());
            let training = Training { profile: Some(CurveSource::File(given.clone())), ..Training::default() };
            let seen = Table::try_from(training.seen_from(&here.join(from))).unwrap();
            assert_eq!(seen["profile"].as_str(), Some(expected));
        }
        let absolute = Model { data: Source::File("/n/x.csv".into()), data_dir: Some("/d".into()), ..Model::default() };
        assert_eq!(absolute.seen_from(&here), absolute);
        let mut table: Table = "data = \"circle\"\ndata-dir = \"d\"\n".parse().unwrap();
        place_paths(&mut table, Path::new("o"));
        assert_eq!((table["data"].as_str(), table["data-dir"].as_str()), (Some("circle"), Some("o/d")));
        place_paths(&mut table, Path::new("a/../b"));
        assert_eq!(table["data-dir"].as_str(), Some("b/o/d"));
    }

    #[test]
    fn what_is_wrong_is_told_in_a_line() {
        let told = |text: &str| parse_toml(Path::new("a.toml"), text).unwrap_err().to_string();
        assert!(told("width = 3\ndepth = \n").starts_with("a.toml: line 2: "));
        for text in
            ["[".repeat(60_000), format!("a = {}", "[".repeat(60_000)), "x".repeat(60_000), "a=1\n".repeat(9999)]
        {
            assert!(told(&text).len() < 200, "{}", told(&text));
        }
    }
}
