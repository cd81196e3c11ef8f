//! npz archives made of an input. Of an archive as it stands hardly any change is seen by a reader of arrays: its checksums
//! do not fit any more.

use std::io::{Cursor, Write};

use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// Splits an input: the first two bytes say how long the first part is.
pub(crate) fn split(input: &[u8]) -> (&[u8], &[u8]) {
    let Some((length, rest)) = input.split_first_chunk() else { return (input, &[]) };
    rest.split_at(rest.len().min(usize::from(u16::from_le_bytes(*length))))
}

/// Archive of these files, as they are.
pub(crate) fn plain(files: &[(&str, &[u8])]) -> Vec<u8> {
    of_files(files.iter().map(|(name, content)| ((*name).to_owned(), *content)), CompressionMethod::Stored)
}

/// Archive of these arrays, packed or not.
pub(crate) fn npz(files: &[(&str, &[u8])], packed: bool) -> Vec<u8> {
    let method = if packed { CompressionMethod::Deflated } else { CompressionMethod::Stored };
    of_files(files.iter().map(|(name, content)| (format!("{name}.npy"), *content)), method)
}

fn of_files<'a>(files: impl Iterator<Item = (String, &'a [u8])>, method: CompressionMethod) -> Vec<u8> {
    let options = SimpleFileOptions::default().compression_method(method).last_modified_time(zip::DateTime::default());
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        archive.start_file(name, options).expect("a new name");
        archive.write_all(content).expect("there is room");
    }
    archive.finish().expect("there is room").into_inner()
}

/// An archive of the parts that the input is split into, under these names; or the input, if it is an archive already.
pub(crate) fn of_parts(input: &[u8], names: &[&str]) -> Vec<u8> {
    if input.starts_with(b"PK") {
        return input.into();
    }
    let (mut files, mut rest) = (Vec::new(), input);
    for name in names {
        if rest.is_empty() {
            break;
        }
        let (part, others) = split(rest);
        files.push((*name, part));
        rest = others;
    }
    npz(&files, input.len().is_multiple_of(2))
}
