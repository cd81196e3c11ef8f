//! Samples: idx files, packed or not, npz, npy and csv.

use std::io::{Cursor, Write};

use flate2::{Compression, write::GzEncoder};
use ntkscope::{
    data::{self, ClassSelection, DataSpec, Normalize, Samples, Source, Targets},
    files::{
        Dtype, NpzError,
        npy::Npy,
        npz::{self, Array, Npz},
    },
};

use crate::{
    archive::{self, split},
    limits::budget,
    refused::{Refused, Verdict, check_message},
};

/// Packed files begin so.
const GZIP: &[u8] = b"\x1f\x8b";

/// How samples are asked for: an input's length chooses, so that of inputs that differ by a few bytes every way is tried.
fn asked(input: &[u8], source: Source) -> DataSpec {
    let spec = DataSpec::new(source);
    let classes = |targets, classes| DataSpec { targets, classes: Some(classes), ..spec.clone() };
    match input.len() % 7 {
        0 | 1 => spec,
        2 => DataSpec { targets: Some(Targets::Values), normalize: Some(Normalize::None), ..spec },
        3 => DataSpec { targets: Some(Targets::Classes), n: Some(2), held_out: 1, ..spec },
        4 => DataSpec { normalize: Some(Normalize::Sphere), held_out: 1, ..spec },
        5 => classes(None, ClassSelection::Parity),
        _ => DataSpec { held_out: 1, ..classes(Some(Targets::Classes), ClassSelection::Labels(vec![0, 1])) },
    }
}

/// What holds of any samples.
fn check(samples: &Samples, spec: &DataSpec) {
    let Samples { x, n, d, y, y_columns, held_out, held_out_y, targets, map, labels, classes, .. } = samples;
    assert!(*n > 0 && *d > 0 && x.len() == n * d, "{n} samples of {d} numbers, {} in all", x.len());
    assert!(held_out.len() == spec.held_out * d && spec.n.is_none_or(|asked| asked == *n));
    assert!(y.len() == n * y_columns && held_out_y.len() == spec.held_out * y_columns);
    assert!(x.iter().chain(held_out).chain(y).all(|v| v.is_finite()), "a number that is not finite");
    match targets {
        Some(Targets::Classes) => {
            let map = map.as_ref().expect("classes have a map");
            assert!(labels.len() == *n && labels.iter().all(|label| label < classes) && map.count() == *classes);
            assert!(
                y.iter().zip(labels).all(|(y, label)| map.class_of(*y) == Some(*label)),
                "a label of another class"
            );
            assert_eq!(samples.class_names().len(), *classes);
        }
        Some(Targets::Values) => assert!(*y_columns > 0 && *classes == 0 && labels.is_empty() && map.is_none()),
        None => assert!(*y_columns == 0 && *classes == 0 && labels.is_empty() && map.is_none()),
    }
    if spec.normalize == Some(Normalize::Sphere) {
        let norm = |row: &[f64]| row.iter().map(|v| v * v).sum::<f64>().sqrt();
        assert!(x.chunks(*d).chain(held_out.chunks(*d)).all(|row| (norm(row) - 1.0).abs() < 1e-12), "not of norm 1");
    }
    check_message(&samples.description);
    samples.warnings.iter().for_each(|warning| check_message(warning));
    // all pairs are looked at
    if *n <= 64 {
        assert!(!data::show(samples).to_string().is_empty());
    }
}

/// What was accepted is the same when it is written as an npz and read back.
fn check_round_trip(samples: &Samples) -> Verdict {
    let Samples { x, n, d, y, .. } = samples;
    let (shape, y_shape) = ([*n, *d], samples.y_shape());
    let (of_x, of_y) = (|at: usize| x[at], |at: usize| y[at]);
    let mut arrays = vec![Array { name: "x", shape: &shape, dtype: Dtype::F64, number: &of_x }];
    if samples.targets.is_some() {
        arrays.push(Array { name: "y", shape: &y_shape, dtype: Dtype::F64, number: &of_y });
    }
    let written = npz::write(Cursor::new(Vec::new()), &arrays).expect("memory can be written").into_inner();
    let spec = DataSpec { targets: samples.targets, ..DataSpec::new(Source::File("back.npz".into())) };
    let back = data::load_bytes(&spec, written, &budget())?;
    assert!(back.x == *x && back.y == *y && back.targets == samples.targets, "not the same when it is read back");
    Ok(())
}

/// An input as the file of this name.
fn file(input: &[u8], name: &str, mut spec: DataSpec) -> Verdict {
    spec.source = Source::File(name.into());
    let samples = data::load_bytes(&spec, input.into(), &budget())?;
    check(&samples, &spec);
    if samples.x.len() <= 1 << 12 {
        check_round_trip(&samples).expect("what was accepted is accepted again");
    }
    Ok(())
}

/// Images and labels.
pub(crate) fn idx(input: &[u8]) -> Verdict {
    let (images, labels) = split(input);
    let spec = asked(input, Source::Mnist);
    let samples = data::load_idx_bytes(&spec, [images.into(), labels.into()], &budget())?;
    check(&samples, &DataSpec { normalize: spec.normalize.or(Some(Normalize::Sphere)), ..spec });
    Ok(())
}

/// Records of CIFAR-10 of 3073 bytes; so that short inputs have any, what is missing of the last is zeros.
pub(crate) fn cifar(input: &[u8]) -> Verdict {
    let spec = asked(input, Source::Cifar10);
    let mut content = input.to_vec();
    // an odd length stays as it is, and is refused unless it is right
    if input.len().is_multiple_of(2) && input.len() <= 1 << 16 {
        content.resize(input.len().next_multiple_of(3073), 0);
    }
    let samples = data::load_cifar_bytes(&spec, content, &budget())?;
    check(&samples, &DataSpec { normalize: spec.normalize.or(Some(Normalize::Sphere)), ..spec });
    Ok(())
}

/// A packed file of images, with labels of four; or two files, which say the same when they are packed.
pub(crate) fn gzip(input: &[u8]) -> Verdict {
    let mut spec = asked(input, Source::Mnist);
    let load = |spec: &DataSpec, files| data::load_idx_bytes(spec, files, &budget());
    if input.starts_with(GZIP) {
        let labels = b"\0\0\x08\x01\0\0\0\x04\0\x01\x02\x03".into();
        let samples = load(&spec, [input.into(), labels])?;
        spec.normalize.get_or_insert(Normalize::Sphere);
        check(&samples, &spec);
        return Ok(());
    }
    let (images, labels) = split(input);
    let plain = load(&spec, [images.into(), labels.into()]);
    if !images.starts_with(GZIP) && !labels.starts_with(GZIP) {
        let packed = load(&spec, [pack(images), pack(labels)]);
        assert_eq!(plain.as_ref().ok(), packed.as_ref().ok(), "another set when it is packed");
        plain.as_ref().err().zip(packed.err()).map_or(Ok(()), |(_, packed)| Err(packed))?;
    }
    plain?;
    Ok(())
}

fn pack(content: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(content).and_then(|()| packed.finish()).expect("memory can be written")
}

/// An archive as it stands, and each of its arrays.
pub(crate) fn npz(input: &[u8]) -> Verdict {
    let mut archive = Npz::of(Cursor::new(input), input.len() as u64)?;
    let mut found = Vec::new();
    for name in archive.names().into_iter().take(8) {
        match archive.array_within(&name, 1 << 20) {
            Ok((shape, numbers)) => {
                assert_eq!(shape.iter().product::<usize>(), numbers.len());
                found.push((name, shape, numbers));
            }
            Err(NpzError::NoArray { .. }) => panic!("{name:?} is listed and not there"),
            Err(fault) => drop(Refused::from(fault)),
        }
    }
    let numbers: Vec<_> = found.iter().map(|(.., numbers)| |at: usize| numbers[at]).collect();
    let of_found = found.iter().zip(&numbers).enumerate();
    let arrays = of_found.filter(|(at, ((name, ..), _))| found[..*at].iter().all(|(other, ..)| other != name));
    let arrays = arrays.map(|(_, ((name, shape, _), number))| Array { name, shape, dtype: Dtype::F64, number });
    let arrays: Vec<_> = arrays.filter(|array| array.shape.iter().product::<usize>() <= 1 << 10).collect();
    if let Ok(written) = npz::write(Cursor::new(Vec::new()), &arrays) {
        let length = written.get_ref().len() as u64;
        let mut back = Npz::of(written, length).expect("what was written is an archive");
        for Array { name, shape, number, .. } in &arrays {
            let (again, numbers) = back.array(name).unwrap_or_else(|fault| panic!("{fault}"));
            let same = numbers.iter().enumerate().all(|(at, v)| v.to_bits() == number(at).to_bits() || v.is_nan());
            assert!(again == *shape && same, "{name} is not the same when it is read back");
        }
    }
    file(input, "data.npz", asked(input, Source::Circle))
}

/// x as a file of its own, and as an array of an archive with y.
pub(crate) fn npy(input: &[u8]) -> Verdict {
    let (x, y) = split(input);
    let files = [("x", x), ("y", y)];
    let archive = archive::npz(&files[..1 + usize::from(!y.is_empty())], input.len().is_multiple_of(2));
    let spec = DataSpec::new(Source::File("data.npy".into()));
    let alone = data::load_bytes(&spec, x.into(), &budget());
    let whole = Npy::new(x, x.len() as u64).and_then(|npy| {
        let mut header = Vec::new();
        if npy.header().write(&mut header).is_ok() {
            let (again, _) = ntkscope::files::npy::Header::read(&mut header.as_slice()).expect("our own header");
            assert_eq!((&again.number, &again.shape), (&npy.header().number, &npy.header().shape));
        }
        npy.all(1 << 20)
    });
    match &alone {
        Ok(samples) => {
            check(samples, &spec);
            assert!(whole.is_err() || whole.is_ok_and(|whole| whole == samples.x), "two readers read other numbers");
            let archived = data::load_bytes(
                &DataSpec::new(Source::File("x.npz".into())),
                archive::npz(&files[..1], false),
                &budget(),
            )?;
            assert_eq!(archived.x, samples.x, "other numbers in an archive");
        }
        Err(_) => drop(whole?),
    }
    file(&archive, "data.npz", asked(input, Source::Circle))?;
    alone?;
    Ok(())
}

/// A text; of some the label's column is named.
pub(crate) fn csv(input: &[u8]) -> Verdict {
    let mut spec = asked(input, Source::Circle);
    if input.len() % 5 == 1 {
        spec.label_column = Some(if input.len().is_multiple_of(2) { "1" } else { "y" }.into());
    }
    file(input, "data.csv", spec)
}
