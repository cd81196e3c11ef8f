//! Checksums of files.

use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::{Error, open_input};

/// SHA-256 of a file's bytes, in hexadecimal.
///
/// # Errors
/// [`Error::Input`], [`Error::Io`].
pub fn sha256(path: &Path) -> Result<String, Error> {
    let mut file = open_input(path).map_err(Error::input(path))?.file;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer).map_err(Error::io("read", path))? {
            0 => return Ok(hexadecimal(&hash.finalize())),
            read => hash.update(&buffer[..read]),
        }
    }
}

/// SHA-256 of a text, in hexadecimal.
pub fn sha256_of(text: &str) -> String {
    hexadecimal(&Sha256::digest(text))
}

/// SHA-256 of the bits of these numbers, in hexadecimal.
pub fn sha256_of_numbers(numbers: impl IntoIterator<Item = f64>) -> String {
    let mut hash = Sha256::new();
    numbers.into_iter().for_each(|number| hash.update(number.to_le_bytes()));
    hexadecimal(&hash.finalize())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_the_checksum_of_its_text() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!((sha256(&path).unwrap().as_str(), sha256_of("abc").as_str()), (known, known));
        assert!(sha256(place.path()).is_err());
    }
}
