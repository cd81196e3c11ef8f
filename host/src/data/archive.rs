//! The archive of CIFAR-10, `cifar-10-binary.tar.gz`, unpacked once its checksum was right.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use super::cifar::names;
use super::error::Error;
use super::part::refused;
use super::spec::Split;
use crate::files::Unfinished;

/// Unpacks the files of images in `archive` into `dir`, whatever folder of the archive they lie in, and nothing else; returns
/// their paths.
///
/// # Errors
/// [`Error::Images`]: no archive, or one without these files; [`Error::Io`], [`Error::File`].
pub(super) fn unpack(archive: &Path, dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let damaged = |what: String| Error::Images { path: archive.into(), what };
    let unreadable = |error: io::Error| match error.raw_os_error() {
        Some(_) => refused(archive, "read")(error),
        None => damaged(format!("is no archive of CIFAR-10, or is damaged ({error})")),
    };
    let file = File::open(archive).map_err(refused(archive, "read"))?;
    let mut entries = tar::Archive::new(MultiGzDecoder::new(BufReader::new(file)));
    let wanted: Vec<String> = [Split::Train, Split::T10k].into_iter().flat_map(names).collect();
    let mut unpacked = vec![None; wanted.len()];
    for entry in entries.entries().map_err(unreadable)? {
        let mut entry = entry.map_err(unreadable)?;
        let name = entry.path().map_err(unreadable)?.file_name().map(|name| name.to_string_lossy().into_owned());
        let place = wanted.iter().position(|wanted| Some(wanted) == name.as_ref());
        let (Some(place), true) = (place, entry.header().entry_type().is_file()) else { continue };
        let path = dir.join(&wanted[place]);
        let (unfinished, mut file) = Unfinished::create(&path)?;
        // not `unpack`, which takes times and permissions too
        io::copy(&mut entry, &mut file).map_err(unreadable)?;
        unfinished.commit(&file)?;
        unpacked[place] = Some(path);
    }
    match unpacked.iter().position(Option::is_none) {
        Some(missing) => Err(damaged(format!("has no file {}", wanted[missing]))),
        None => Ok(unpacked.into_iter().flatten().collect()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    /// An archive of these files, packed.
    fn archive(path: &Path, files: &[(&str, &[u8])]) {
        let mut builder = tar::Builder::new(GzEncoder::new(File::create(path).unwrap(), Compression::fast()));
        for (name, content) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o600);
            builder.append_data(&mut header, name, *content).unwrap();
        }
        builder.into_inner().unwrap().finish().unwrap();
    }

    #[test]
    fn the_files_of_images_are_unpacked_and_no_other() {
        let place = tempfile::tempdir().unwrap();
        let packed = place.path().join("cifar.tar.gz");
        let names: Vec<String> = [Split::Train, Split::T10k].into_iter().flat_map(names).collect();
        let inside: Vec<String> = names.iter().map(|name| format!("cifar-10-batches-bin/{name}")).collect();
        let mut files: Vec<(&str, &[u8])> = vec![("cifar-10-batches-bin/readme.html", b"read me")];
        files.extend(inside.iter().map(|name| (name.as_str(), name.as_bytes())));
        archive(&packed, &files);
        let paths = unpack(&packed, place.path()).unwrap();
        assert_eq!(paths, names.iter().map(|name| place.path().join(name)).collect::<Vec<_>>());
        for (path, name) in paths.iter().zip(&inside) {
            assert_eq!(fs::read_to_string(path).unwrap(), *name);
        }
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 7, "an archive and six files");
        archive(&packed, &files[..4]);
        assert!(unpack(&packed, place.path()).unwrap_err().to_string().contains("has no file data_batch_4.bin"));
        for bytes in [&b"no archive"[..], b""] {
            fs::write(&packed, bytes).unwrap();
            assert!(matches!(unpack(&packed, place.path()), Err(Error::Images { .. })));
        }
    }
}
