//! npz and csv files.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use ntkscope::data::{DataSpec, Normalize, Targets};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{assert_refused, directory, file, samples};

fn as_classes(spec: DataSpec) -> DataSpec {
    DataSpec { targets: Some(Targets::Classes), ..spec }
}

pub(super) fn csv(test: &str, content: impl AsRef<[u8]>) -> DataSpec {
    let path = directory(test).join("table.csv");
    fs::write(&path, content).unwrap();
    file(path)
}

#[test]
fn csv_with_and_without_header() {
    for (test, text) in [
        ("plain", "0.5,-1e-3,-1\n 2 , 3, 1\n"),
        ("header", "a,b,y\n0.5,-1e-3,-1\n\n2,3,1"),
        ("windows", "\u{feff}a,b,y\r\n0.5,-0.001,-1\r\n2,3,1\r\n"),
    ] {
        let table = samples(&as_classes(csv(test, text)));
        assert_eq!((table.n, table.d, table.classes), (2, 2, 2), "{test}");
        assert_eq!(table.x, [0.5, -1e-3, 2.0, 3.0], "{test}");
        assert_eq!(table.y, [-1.0, 1.0]);
        assert_eq!(table.labels, [0, 1]);
        assert!(table.description.contains("table.csv: 2 samples, labels -1, 1 as classes 0, 1"));
    }
}

#[test]
fn damaged_csv_files_say_which_line() {
    let refused = |test: &str, text: &[u8], parts: &[&str]| {
        assert_refused(&csv(test, text), 3, &[&["table.csv", "--data"], parts].concat());
    };
    refused("nan", b"a,b,y\n1,2,0\n1,NaN,1\n", &["line 3", "column 2 of 3", "NaN is not finite"]);
    refused("nan first", b"nan,2,0\n", &["line 1", "column 1 of 3", "not finite"]);
    refused("inf", b"1,2,0\n-inf,2,1\n", &["line 2", "-inf is not finite"]);
    refused("overflow", b"1,2,0\n1e999,2,1\n", &["line 2", "1e999 is not finite"]);
    refused("ragged", b"1,2,0\n\n1,2,3,1\n", &["line 3", "4 columns", "have 3"]);
    refused("ragged header", b"a,b\n1,2,1\n", &["line 2", "3 columns", "have 2"]);
    refused("word", b"1,2,0\n1,two,1\n", &["line 2", "column 2 of 3", "\"two\" is not a number"]);
    refused("half header", b"1,b,y\n1,2,1\n", &["line 1", "\"b\" is not a number"]);
    refused("gap", b"1,2,0\n1,,1\n", &["line 2", "\"\" is not a number"]);
    refused("narrow", b"1\n2\n", &["line 1", "only one column"]);
    refused("empty", b"", &["no samples"]);
    refused("only header", b"a,b,y\n", &["no samples"]);
    refused("binary", b"1,2,0\n1,\xff\xfe,1\n", &["line 2", "column 2 of 3", "is not UTF-8"]);
    assert_refused(&file("/nowhere/table.csv".into()), 3, &["/nowhere/table.csv", "no such file", "--data"]);
    assert_refused(&file("/nowhere/table.npz".into()), 3, &["no such file", "--data"]);
    assert_refused(&file("/nowhere/table.txt".into()), 2, &["table.txt", ".npz, .csv or .npy"]);
}

/// A number as numpy stores it.
pub(super) trait Stored: Copy {
    const DESCR: &'static str;
    fn bytes(self) -> Vec<u8>;
}

macro_rules! stored {
    ($($t:ty: $descr:literal),*) => {$(
        impl Stored for $t {
            const DESCR: &'static str = $descr;
            fn bytes(self) -> Vec<u8> {
                self.to_le_bytes().to_vec()
            }
        }
    )*};
}
stored!(i8: "|i1", i16: "<i2", i32: "<i4", i64: "<i8", u8: "|u1", u16: "<u2", u32: "<u4", u64: "<u8", f32: "<f4", f64: "<f8");

impl Stored for bool {
    const DESCR: &'static str = "|b1";
    fn bytes(self) -> Vec<u8> {
        vec![u8::from(self)]
    }
}

pub(super) fn npy<T: Stored>(shape: &[usize], fortran: bool, values: &[T]) -> Vec<u8> {
    let shape: String = shape.iter().map(|s| format!("{s}, ")).collect();
    let order = if fortran { "True" } else { "False" };
    let header = format!("{{'descr': '{}', 'fortran_order': {order}, 'shape': ({shape}), }}", T::DESCR);
    let start = [b"\x93NUMPY\x01\x00\x76\x00", format!("{header:<117}\n").as_bytes()].concat();
    start.into_iter().chain(values.iter().flat_map(|v| v.bytes())).collect()
}

/// An npy file written by hand: whatever the header says, these bytes follow it.
fn npy_by_hand(dtype: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}, }}");
    [b"\x93NUMPY\x01\x00\x76\x00", format!("{header:<117}\n").as_bytes(), data].concat()
}

fn rows<T: Stored>(shape: &[usize], values: &[T]) -> Vec<u8> {
    npy(shape, false, values)
}

pub(super) fn npz(test: &str, arrays: &[(&str, Vec<u8>)]) -> DataSpec {
    let path = directory(test).join("arrays.npz");
    write_npz(&path, arrays);
    file(path)
}

fn write_npz(path: &Path, arrays: &[(&str, Vec<u8>)]) {
    let mut archive = ZipWriter::new(File::create(path).unwrap());
    for (k, (name, bytes)) in arrays.iter().enumerate() {
        // numpy's savez stores, savez_compressed deflates.
        let how = [zip::CompressionMethod::Stored, zip::CompressionMethod::Deflated][k % 2];
        archive.start_file(format!("{name}.npy"), SimpleFileOptions::default().compression_method(how)).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap();
}

#[test]
fn every_dtype_and_both_orders() {
    let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let x_bytes = [
        rows(&[3, 2], &x),
        rows(&[3, 2], &x.map(|v| v as f32)),
        rows(&[3, 2], &x.map(|v| v as u8)),
        rows(&[3, 2], &x.map(|v| v as i64)),
        npy(&[3, 2], true, &[1.0, 3.0, 5.0, 2.0, 4.0, 6.0]),
    ];
    let y_bytes = [
        rows(&[3], &[9i8, -4, 9]),
        rows(&[3], &[9i16, -4, 9]),
        rows(&[3], &[9i32, -4, 9]),
        rows(&[3], &[9i64, -4, 9]),
        rows(&[3], &[9f32, -4.0, 9.0]),
    ];
    for (k, (x_bytes, y_bytes)) in x_bytes.into_iter().zip(y_bytes).enumerate() {
        let arrays = samples(&as_classes(npz(&format!("dtype{k}"), &[("x", x_bytes), ("y", y_bytes)])));
        assert_eq!((arrays.n, arrays.d, arrays.classes), (3, 2, 2), "{k}");
        assert_eq!(arrays.x, x, "{k}");
        assert_eq!(arrays.y, [9.0, -4.0, 9.0], "{k}");
        assert_eq!(arrays.labels, [1, 0, 1], "{k}");
    }
    for (k, y) in [rows(&[2], &[9u16, 4]), rows(&[2], &[9u32, 4]), rows(&[2], &[9u64, 4])].into_iter().enumerate() {
        assert_eq!(
            samples(&npz(&format!("unsigned{k}"), &[("y", y), ("x", rows(&[2, 1], &[1.0, 2.0]))])).y,
            [9.0, 4.0]
        );
    }
    let truth = npz("bool", &[("x", rows(&[2, 1], &[1.0, 2.0])), ("y", rows(&[2], &[true, false]))]);
    assert_eq!(samples(&truth).labels, [1, 0]);
}

#[test]
fn damaged_npz_files_say_which_array() {
    let x = || rows(&[2, 2], &[1.0, 2.0, 3.0, 4.0]);
    let y = || rows(&[2], &[0u8, 1]);
    let refused = |test: &str, arrays: &[(&str, Vec<u8>)], parts: &[&str]| {
        assert_refused(&npz(test, arrays), 3, &[&["arrays.npz", "--data"], parts].concat());
    };
    refused("no x", &[("a", x()), ("y", y())], &["no array `x`", "it has a, y"]);
    refused("no array", &[], &["no array `x`", "empty"]);
    refused("flat x", &[("x", rows(&[4], &[1.0, 2.0, 3.0, 4.0])), ("y", y())], &["`x` has shape [4]", "(n, d)"]);
    refused("no rows", &[("x", rows::<f64>(&[0, 2], &[])), ("y", y())], &["[0, 2]", "no sample"]);
    refused("long y", &[("x", x()), ("y", rows(&[3], &[0u8, 1, 0]))], &["`y` has shape [3]", "2 samples"]);
    refused("square y", &[("x", x()), ("y", rows(&[1, 2], &[0u8, 1]))], &["`y` has shape [1, 2]", "(2,) or (2, C)"]);
    refused("nan", &[("x", rows(&[2, 2], &[1.0, 2.0, f64::NAN, 4.0])), ("y", y())], &["`x`, row 1 column 0", "NaN"]);
    refused("inf", &[("x", x()), ("y", rows(&[2], &[0.0, f32::INFINITY]))], &["`y`, row 1", "inf"]);
    refused("large", &[("x", x()), ("y", rows(&[2], &[i64::MAX, 0]))], &["`y`", "too large"]);
    refused("text", &[("x", b"not npy".to_vec()), ("y", y())], &["`x` is damaged"]);
    refused("cut", &[("x", x()[..100].to_vec()), ("y", y())], &["`x` is damaged"]);
    let cut = x();
    refused("short", &[("x", cut[..cut.len() - 8].to_vec()), ("y", y())], &["`x` is damaged", "truncated"]);
    let boast = npy_by_hand("'<f8'", "(2, 1000000)", &[0; 16]);
    refused("boast", &[("x", boast), ("y", y())], &["`x` is damaged", "needs more than the 144 bytes"]);
    let text = npy_by_hand("'|S2'", "(2, 2)", b"abcdefgh");
    refused(
        "text dtype",
        &[("x", text), ("y", y())],
        &["`x` has dtype '|S2'", "real numbers or integers", "a.astype(numpy.float64)"],
    );
    let complex = npy_by_hand("'<c16'", "(2, 2)", &[0; 64]);
    refused("complex", &[("x", complex), ("y", y())], &["`x` has dtype '<c16'", "a.real"]);
    let record = npy_by_hand("[('a', '<f8')]", "(2, 2)", &[0; 32]);
    refused("record", &[("x", record), ("y", y())], &["`x` has dtype [('a', '<f8')"]);
    let large_endian = npy_by_hand("'>i2'", "(2, 2)", &[0, 1, 0, 2, 1, 0, 0, 4]);
    assert_eq!(samples(&npz("large endian", &[("x", large_endian), ("y", y())])).x, [1.0, 2.0, 256.0, 4.0]);

    let path: PathBuf = directory("not zip").join("arrays.npz");
    fs::write(&path, "PK no").unwrap();
    assert_refused(&file(path), 3, &["not readable as an npz archive", "--data"]);

    let whole = npz("cut archive", &[("x", x()), ("y", y())]);
    let ntkscope::data::Source::File(path) = &whole.source else { unreachable!() };
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..bytes.len() - 30]).unwrap();
    assert_refused(&whole, 3, &["arrays.npz", "not readable as an npz archive"]);
    // One bit of a number: only the archive's checksum can tell.
    let mut bytes = bytes;
    let at = bytes.windows(8).position(|w| w == 3.0f64.to_le_bytes()).unwrap();
    bytes[at] ^= 1;
    fs::write(path, &bytes).unwrap();
    assert_refused(&whole, 3, &["array `x` is damaged", "hecksum"]);
}

#[test]
fn normalizing_keeps_the_direction_of_the_smallest_and_largest_samples() {
    let text = "3e-200,4e-200,0\n3,4,1\n3e300,4e300,0\n0,5e-324,1\n";
    let table = samples(&DataSpec { normalize: Some(Normalize::Sphere), ..csv("sizes", text) });
    for row in table.x.chunks_exact(2).take(3) {
        assert!((row[0] - 0.6).abs() < 1e-15 && (row[1] - 0.8).abs() < 1e-15, "{row:?}");
    }
    assert_eq!(table.x[6..], [0.0, 1.0]);
    let zero = DataSpec { normalize: Some(Normalize::Sphere), ..csv("zero", "1,2,0\n0,-0,1\n") };
    assert_refused(&zero, 2, &["sample 1 (row 1 of table.csv", "zero vector", "--normalize none"]);
}
