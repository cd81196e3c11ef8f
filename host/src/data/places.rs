//! Where data lies when `--data-dir` is not given.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use super::error::Error;
use super::spec::Source;

/// The per-user directory of a downloaded data set: `$XDG_DATA_HOME/ntkscope/NAME`, else
/// `~/.local/share/ntkscope/NAME`.
///
/// # Errors
/// [`Error::NothingToFetch`] for data that is not downloaded, [`Error::NoDataHome`] without a home directory.
pub fn default_dir(source: &Source) -> Result<PathBuf, Error> {
    if !source.is_images() {
        return Err(Error::NothingToFetch { source_name: source.to_string() });
    }
    data_home(env::var_os("XDG_DATA_HOME"), env::home_dir())
        .map(|home| home.join("ntkscope").join(source.to_string()))
        .ok_or(Error::NoDataHome)
}

/// The base directory; the XDG specification says that a relative one is to be ignored.
fn data_home(xdg: Option<OsString>, home: Option<PathBuf>) -> Option<PathBuf> {
    xdg.map(PathBuf::from)
        .filter(|dir| dir.is_absolute())
        .or_else(|| home.filter(|dir| !dir.as_os_str().is_empty()).map(|dir| dir.join(".local").join("share")))
}

#[cfg(test)]
mod tests {
    use super::data_home;

    #[test]
    fn xdg_first_then_home_and_never_a_relative_directory() {
        let home = || Some("/home/a".into());
        assert_eq!(data_home(Some("/data".into()), home()), Some("/data".into()));
        assert_eq!(data_home(Some("data".into()), home()), Some("/home/a/.local/share".into()));
        assert_eq!(data_home(Some("".into()), home()), Some("/home/a/.local/share".into()));
        assert_eq!(data_home(None, Some("".into())), None);
        assert_eq!(data_home(None, None), None);
    }
}
