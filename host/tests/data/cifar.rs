//! Files of CIFAR-10: self-made ones of a few records.

use std::fs;
use std::path::Path;

use ntkscope::data::{ClassSelection, DataSpec, Normalize, Split};

use super::{assert_refused, directory, samples, spec};

const RECORD: usize = 3073;

/// Records with these labels; record i has the pixels i, i + 1, … modulo 256.
fn records(labels: &[u8]) -> Vec<u8> {
    let record = |(i, label): (usize, &u8)| std::iter::once(*label).chain((0..RECORD - 1).map(move |k| (i + k) as u8));
    labels.iter().enumerate().flat_map(record).collect()
}

fn cifar(dir: &Path) -> DataSpec {
    let normalize = Some(Normalize::None);
    DataSpec { dir: Some(dir.into()), classes: Some(ClassSelection::All), normalize, ..spec("cifar-10") }
}

/// A training set of five files of two records each, and a test set of three.
fn set(dir: &Path) {
    for batch in 1..=5u8 {
        fs::write(dir.join(format!("data_batch_{batch}.bin")), records(&[batch, 2 * batch - 1])).unwrap();
    }
    fs::write(dir.join("test_batch.bin"), records(&[9, 0, 7])).unwrap();
}

#[test]
fn both_sets_are_read() {
    let dir = directory("cifar");
    set(&dir);
    let train = samples(&cifar(&dir));
    assert_eq!((train.n, train.d, train.classes), (10, 3072, 10));
    assert_eq!(train.y, [1, 1, 2, 3, 3, 5, 4, 7, 5, 9].map(f64::from));
    // the second record of the third file
    assert_eq!(train.x[5 * 3072..][..3], [1, 2, 3].map(|b| f64::from(b) / 255.0));
    assert!(train.description.contains("cifar-10 (data_batch_1.bin and 4 more): 10 samples"), "{}", train.description);
    let test = samples(&DataSpec { split: Some(Split::T10k), n: Some(2), ..cifar(&dir) });
    assert_eq!((test.y, test.n), (vec![9.0, 0.0], 2));
    let defaults = samples(&DataSpec { dir: Some(dir.clone()), ..spec("cifar-10") });
    assert_eq!(defaults.classes, 2, "odd and even labels");
    assert!((defaults.x[..3072].iter().map(|v| v * v).sum::<f64>() - 1.0).abs() < 1e-14);
    let chosen = DataSpec { classes: Some(ClassSelection::Labels(vec![7, 3])), ..cifar(&dir) };
    let chosen = samples(&chosen);
    assert_eq!((chosen.labels, chosen.x[2 * 3072]), (vec![1, 1, 0], 1.0 / 255.0));
    // in the folder that the archive unpacks to
    let outer = directory("cifar-outer");
    fs::create_dir(outer.join("cifar-10-batches-bin")).unwrap();
    set(&outer.join("cifar-10-batches-bin"));
    assert_eq!(samples(&cifar(&outer)).sha256, train.sha256);
}

#[test]
fn what_is_wrong_is_named() {
    let dir = directory("cifar-wrong");
    assert_refused(&cifar(&dir), 3, &["data_batch_1.bin", "test_batch.bin", "data fetch cifar-10", "--data-dir"]);
    assert_refused(&cifar(&dir.join("none")), 3, &["no such directory", "--data-dir"]);
    set(&dir);
    let third = dir.join("data_batch_3.bin");
    for (content, said) in [
        (records(&[3, 5])[..RECORD + 100].to_vec(), "is truncated or no file of CIFAR-10: 3173 bytes"),
        (Vec::new(), "0 bytes are no whole number of records of 3073"),
        (records(&[3, 10]), "record 2 has the label 10, but those of CIFAR-10 are 0 to 9"),
    ] {
        fs::write(&third, content).unwrap();
        assert_refused(&cifar(&dir), 3, &["data_batch_3.bin", said, "ntkscope data fetch", "--data-dir"]);
    }
    fs::remove_file(&third).unwrap();
    assert_refused(&cifar(&dir), 3, &["data_batch_3.bin", "others of the set are there"]);
    // the set that is whole is read where it is asked for
    assert_eq!(samples(&DataSpec { split: Some(Split::T10k), ..cifar(&dir) }).n, 3);
    let many = DataSpec { n: Some(4), split: Some(Split::T10k), ..cifar(&dir) };
    assert_refused(&many, 2, &["--n 4", "3"]);
}
