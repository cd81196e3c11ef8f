//! npy and npz files: every type of numbers in both byte orders and both orders of the indices; rows that are kept.

use std::fs;
use std::io::{Cursor, Write};

use ntkscope::data::{DataSpec, Source, load, load_bytes};
use ntkscope::machine::Budget;
use ntkscope::machine::memory::{LimitSource, MemoryLimit};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{assert_refused, assert_says, directory, file, samples};

fn npy(descr: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
    let order = if fortran { "True" } else { "False" };
    let header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}");
    [b"\x93NUMPY\x01\x00\x76\x00", format!("{header:<117}\n").as_bytes(), data].concat()
}

fn npz(arrays: &[(&str, &[u8])], how: zip::CompressionMethod) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in arrays {
        archive.start_file(format!("{name}.npy"), SimpleFileOptions::default().compression_method(how)).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// 1, 2, 3, … as bytes of this type.
fn counted(descr: &str, order: &[usize]) -> Vec<u8> {
    let number = |v: usize| -> Vec<u8> {
        match &descr[1..] {
            "f8" => (v as f64).to_le_bytes().to_vec(),
            "f4" => (v as f32).to_le_bytes().to_vec(),
            // 1 + v/1024 … are halves with the exponent of 0: 2^e (1 + m/1024)
            "f2" => {
                let exponent = v.ilog2();
                let fraction = (v << 10 >> exponent) as u16 & 1023;
                (((exponent as u16 + 15) << 10) | fraction).to_le_bytes().to_vec()
            }
            "i8" | "u8" => (v as u64).to_le_bytes().to_vec(),
            "i4" | "u4" => (v as u32).to_le_bytes().to_vec(),
            "i2" | "u2" => (v as u16).to_le_bytes().to_vec(),
            _ => vec![v as u8],
        }
    };
    let swap = |mut bytes: Vec<u8>| {
        if descr.starts_with('>') {
            bytes.reverse();
        }
        bytes
    };
    order.iter().flat_map(|&v| swap(number(v))).collect()
}

#[test]
fn every_type_in_every_order_alone_and_in_an_archive() {
    let dir = directory("every type");
    let kinds = ["f8", "f4", "f2", "i8", "i4", "i2", "u8", "u4", "u2"];
    let descrs = kinds.iter().flat_map(|kind| [format!("<{kind}"), format!(">{kind}")]);
    for descr in descrs.chain(["|i1".into(), "|u1".into()]) {
        for fortran in [false, true] {
            let order: &[usize] = if fortran { &[1, 3, 5, 2, 4, 6] } else { &[1, 2, 3, 4, 5, 6] };
            let x = npy(&descr, fortran, "(3, 2)", &counted(&descr, order));
            let y = npy(&descr, false, "(3,)", &counted(&descr, &[7, 9, 7]));
            fs::write(dir.join("x.npy"), &x).unwrap();
            fs::write(dir.join("y.npy"), &y).unwrap();
            let stored = npz(&[("x", &x), ("y", &y)], zip::CompressionMethod::Stored);
            let packed = npz(&[("y", &y), ("x", &x)], zip::CompressionMethod::Deflated);
            let of = |bytes| load_bytes(&file("a.npz".into()), bytes, &Budget::default()).unwrap();
            for found in [samples(&file(dir.join("x.npy"))), of(stored), of(packed)] {
                assert_eq!(found.x, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "{descr} {fortran}");
                assert_eq!(found.y, [7.0, 9.0, 7.0], "{descr} {fortran}");
            }
            // the rows of a part are those of the whole
            let part = DataSpec { n: Some(1), held_out: 1, ..file(dir.join("x.npy")) };
            assert_eq!((samples(&part).x, samples(&part).held_out), (vec![1.0, 2.0], vec![3.0, 4.0]), "{descr}");
        }
    }
}

#[test]
fn other_types_are_named_with_the_call_that_converts_them() {
    let y = npy("|u1", false, "(1,)", &[1]);
    for (descr, call) in [
        ("<c16", "a.real.astype(numpy.float64)"),
        ("|O", "a.astype(numpy.float64)"),
        ("<U5", "a.astype(numpy.float64)"),
        ("|S3", "a.astype(numpy.float64)"),
        ("<f16", "a.astype(numpy.float64)"),
        ("<M8[ns]", "a.astype(numpy.int64)"),
        ("|V2", "a.view(dtype)"),
    ] {
        let bytes = npz(&[("x", &npy(descr, false, "(1, 1)", &[0; 16])), ("y", &y)], zip::CompressionMethod::Stored);
        let error = load_bytes(&file("a.npz".into()), bytes, &Budget::default()).unwrap_err();
        assert_says(&error, 3, &["a.npz", "`x`", descr, call]);
    }
    for (shape, size, call) in [("(2,)", 2, "x[:, None]"), ("(2, 2, 1)", 4, "x.reshape(len(x), -1)")] {
        let bytes = npz(&[("x", &npy("|u1", false, shape, &vec![1; size])), ("y", &y)], zip::CompressionMethod::Stored);
        assert_says(&load_bytes(&file("a.npz".into()), bytes, &Budget::default()).unwrap_err(), 3, &["`x`", call]);
    }
}

#[test]
fn labels_lie_beside_inputs() {
    let dir = directory("beside");
    let x = npy("|u1", false, "(2, 1)", &[3, 4]);
    for name in ["x.npy", "x_train.npy", "data.npy"] {
        fs::write(dir.join(name), &x).unwrap();
        let alone = samples(&file(dir.join(name)));
        assert_eq!((alone.x.as_slice(), alone.targets), (&[3.0, 4.0][..], None), "{name}");
        assert_says(&alone.need_y("training").unwrap_err(), 3, &[name, "no y", "x.npy next to y.npy", "--data"]);
    }
    fs::write(dir.join("y_train.npy"), npy("|u1", false, "(2,)", &[0, 1])).unwrap();
    let both = samples(&file(dir.join("x_train.npy")));
    assert_eq!((both.y, both.labels), (vec![0.0, 1.0], vec![0, 1]));
    assert!(samples(&file(dir.join("x.npy"))).y.is_empty(), "that is of x_train");
    fs::write(dir.join("y_train.npy"), npy("|u1", false, "(3,)", &[0, 1, 0])).unwrap();
    assert_refused(&file(dir.join("x_train.npy")), 3, &["y_train.npy", "[3]", "2 samples"]);
}

/// Of a large set only what is used takes memory.
#[test]
fn only_the_rows_that_are_used_are_kept() {
    let n = 300_000;
    let x = npy("<f8", false, &format!("({n}, 40)"), &vec![0; 8 * 40 * n]);
    let y = npy("|u1", false, &format!("({n},)"), &(0..n).map(|k| (k % 2) as u8).collect::<Vec<_>>());
    let path = directory("large").join("large.npz");
    fs::write(&path, npz(&[("x", &x), ("y", &y)], zip::CompressionMethod::Deflated)).unwrap();
    assert!(fs::metadata(&path).unwrap().len() < 1 << 20);
    let limit = Some(MemoryLimit { bytes: 24 << 20, source: LimitSource::Setting, smaller: None });
    let two = DataSpec { n: Some(2), ..DataSpec::new(Source::File(path)) };
    assert_eq!(load(&two, &Budget::within(limit)).unwrap().n, 2);
    let all = DataSpec { n: None, ..two };
    let error = load(&all, &Budget::within(limit)).unwrap_err();
    assert_says(&error, 2, &["large.npz", "--memory", "--n"]);
}

#[test]
fn archives_that_lie_are_found_out() {
    let y = npy("|u1", false, "(1,)", &[1]);
    for shape in ["(100000000, 10000000)", "(9223372036854775807, 2)", "(1000, 1000)"] {
        let bytes = npz(&[("x", &npy("<f8", false, shape, &[])), ("y", &y)], zip::CompressionMethod::Stored);
        let error = load_bytes(&file("a.npz".into()), bytes, &Budget::default()).unwrap_err();
        assert_says(&error, 3, &["a.npz", "`x`", "truncated"]);
    }
    // every archive cut anywhere, and every byte of its ends changed, is refused or read without a panic
    let x = npy("<f8", false, "(1, 2)", &[0; 16]);
    let whole = npz(&[("x", &x), ("y", &y)], zip::CompressionMethod::Deflated);
    for cut in 0..whole.len() {
        assert!(load_bytes(&file("a.npz".into()), whole[..cut].to_vec(), &Budget::default()).is_err(), "{cut}");
    }
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 0x55;
        let _ = load_bytes(&file("a.npz".into()), changed, &Budget::default());
    }
}
