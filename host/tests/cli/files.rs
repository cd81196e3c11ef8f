//! Files made for the tests.

use std::io::{Cursor, Write};

use ntkscope::files::Dtype;
use ntkscope::files::npz::{Array, write};

use crate::Place;

/// `content` as a gzip stream.
pub(crate) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(content).unwrap();
    packer.finish().unwrap()
}

/// An idx file of n pictures, 28 x 28: a bright bar for the label, and dots that tell samples apart.
pub(crate) fn images(n: usize) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0x0803, n as u32, 28, 28] {
        file.extend(word.to_be_bytes());
    }
    for sample in 0..n {
        let row = 2 * (sample % 10) + 3;
        file.extend((0..28 * 28).map(|at| match at {
            at if at / 28 == row => 255,
            at if (at * 7 + sample * 31) % 53 == 0 => 128,
            _ => 0u8,
        }));
    }
    file
}

/// An idx file of the labels 0, 1, …, 9, 0, ….
pub(crate) fn labels(n: usize) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0x0801, n as u32] {
        file.extend(word.to_be_bytes());
    }
    file.extend((0..n).map(|sample| (sample % 10) as u8));
    file
}

/// A pair of idx files in the folder `name`, as the test set of MNIST has them.
pub(crate) fn digits(place: &Place, name: &str, n: usize) {
    place.file(&format!("{name}/t10k-images-idx3-ubyte.gz"), gzip(&images(n)));
    place.file(&format!("{name}/t10k-labels-idx1-ubyte.gz"), gzip(&labels(n)));
}

/// An npz file of f64 arrays.
pub(crate) fn npz(arrays: &[(&str, &[usize], &[f64])]) -> Vec<u8> {
    let numbers: Vec<_> = arrays.iter().map(|(_, _, data)| |at: usize| data[at]).collect();
    let arrays: Vec<Array<'_>> = arrays
        .iter()
        .zip(&numbers)
        .map(|((name, shape, _), number)| Array { name, shape, dtype: Dtype::F64, number })
        .collect();
    write(Cursor::new(Vec::new()), &arrays).unwrap().into_inner()
}
