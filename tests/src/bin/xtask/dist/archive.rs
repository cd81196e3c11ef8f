//! Archives with the same bytes whenever the files are the same: sorted, of one time, of nobody, without the packer's name.

use std::{collections::BTreeMap, io::Read, path::Path};

use anyhow::{Context, Result, ensure};
use flate2::{Compression, GzBuilder, read::GzDecoder};
use sha2::{Digest, Sha256};

/// A tar.gz of `files` by their paths, in the folder `name`; `changed` is the time of each, in seconds since 1970. The one
/// file without an extension and with the first bytes of a program may be executed.
pub(super) fn pack(name: &str, files: &BTreeMap<String, Vec<u8>>, changed: u64) -> Result<Vec<u8>> {
    let mut tar = tar::Builder::new(GzBuilder::new().write(Vec::new(), Compression::best()));
    for (path, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_size(bytes.len() as u64);
        header.set_mode(if bytes.starts_with(b"\x7fELF") { 0o755 } else { 0o644 });
        header.set_mtime(changed);
        header.set_uid(0);
        header.set_gid(0);
        tar.append_data(&mut header, format!("{name}/{path}"), bytes.as_slice())?;
    }
    Ok(tar.into_inner()?.finish()?)
}

/// Unpacks [`pack`]'s bytes into the folder `place`.
pub(super) fn unpack(packed: &[u8], place: &Path) -> Result<()> {
    let mut tar = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut tar)?;
    tar::Archive::new(tar.as_slice()).unpack(place).with_context(|| place.display().to_string())?;
    ensure!(place.is_dir(), "an archive without a file");
    Ok(())
}

/// SHA-256 in hexadecimal digits.
pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_files_give_the_same_bytes_and_come_back() {
        let program = std::fs::read(std::env::current_exe().expect("a path")).expect("a program");
        let files = BTreeMap::from([
            ("man/man1/a.1".to_owned(), b".TH A 1\n".to_vec()),
            ("a".to_owned(), program),
            ("README.md".to_owned(), Vec::new()),
        ]);
        let packed = pack("a-1", &files, 1_700_000_000).expect("packed");
        assert!(packed == pack("a-1", &files, 1_700_000_000).expect("packed"), "two archives of the same files differ");
        let place = std::env::temp_dir().join(format!("ntkscope-archive-{}", std::process::id()));
        unpack(&packed, &place).expect("unpacked");
        for (path, bytes) in &files {
            assert!(std::fs::read(place.join("a-1").join(path)).expect("a file") == *bytes, "{path}");
        }
        // what was a program is one: this test lists itself
        let listed = std::process::Command::new(place.join("a-1/a")).arg("--list").output().expect("a program");
        assert!(String::from_utf8_lossy(&listed.stdout).contains("the_same_files_give_the_same_bytes"));
        std::fs::remove_dir_all(&place).expect("removed");
    }

    #[test]
    fn a_sum_is_that_of_the_standard() {
        // FIPS 180-4, the message "abc"
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
