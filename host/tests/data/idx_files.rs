//! idx files: self-made ones of 2 x 2 pixels.

use std::fs;
use std::path::Path;

use ntkscope::data::{ClassSelection, DataSpec, Normalize, list};

use super::{assert_refused, directory, gzip, samples, spec};

const LABELS: [u8; 7] = [3, 8, 3, 5, 0, 8, 1];

fn header(magic: u32, dims: &[u32]) -> Vec<u8> {
    [magic].iter().chain(dims).flat_map(|word| word.to_be_bytes()).collect()
}

/// Image i has the pixels 10 i + 1, 10 i + 2, …
fn images() -> Vec<u8> {
    let pixels = (0..7u8).flat_map(|i| (1..=4u8).map(move |k| 10 * i + k));
    header(0x803, &[7, 2, 2]).into_iter().chain(pixels).collect()
}

fn labels() -> Vec<u8> {
    header(0x801, &[7]).into_iter().chain(LABELS).collect()
}

fn mnist(dir: &Path) -> DataSpec {
    DataSpec { dir: Some(dir.into()), ..spec("mnist") }
}

/// A t10k set in a new directory; both files may be changed.
fn set(test: &str, images: &[u8], labels: &[u8]) -> DataSpec {
    let dir = directory(test);
    fs::write(dir.join("t10k-images-idx3-ubyte.gz"), images).unwrap();
    fs::write(dir.join("t10k-labels-idx1-ubyte.gz"), labels).unwrap();
    mnist(&dir)
}

#[test]
fn parity_and_the_unit_sphere_are_the_defaults() {
    let mnist = samples(&set("parity", &gzip(&images()), &gzip(&labels())));
    assert_eq!((mnist.n, mnist.d, mnist.classes), (7, 4, 2));
    assert_eq!(mnist.y, LABELS.map(f64::from));
    assert_eq!(mnist.labels, [1, 0, 1, 1, 0, 0, 1]);
    for (image, row) in mnist.x.chunks_exact(4).enumerate() {
        assert!((row.iter().map(|v| v * v).sum::<f64>() - 1.0).abs() < 1e-15);
        let first = (10 * image + 1) as f64;
        assert!((row[1] / row[0] - (first + 1.0) / first).abs() < 1e-15);
    }
    assert!(mnist.description.contains("mnist (t10k-images-idx3-ubyte.gz): 7 samples"), "{}", mnist.description);
}

#[test]
fn n_counts_after_the_class_selection() {
    let all = set("selection", &images(), &labels());
    let pair =
        DataSpec { classes: Some(ClassSelection::Labels(vec![8, 3])), normalize: Some(Normalize::None), ..all.clone() };
    let whole = samples(&pair);
    assert_eq!((whole.y, whole.labels), (vec![3.0, 8.0, 3.0, 8.0], vec![1, 0, 1, 0]));
    let three = samples(&DataSpec { n: Some(3), ..pair.clone() });
    assert_eq!(three.labels, [1, 0, 1]);
    assert_eq!(three.x[8..], [21.0, 22.0, 23.0, 24.0].map(|v| v / 255.0));
    assert_refused(
        &DataSpec { n: Some(5), ..pair },
        2,
        &["--n 5", "only 4 samples after --classes 8,3", "t10k-images", "--n 4 or less"],
    );

    let every = samples(&DataSpec { classes: Some(ClassSelection::All), n: Some(2), ..all.clone() });
    assert_eq!((every.labels, every.classes), (vec![3, 8], 10)); // the data set has ten, though two samples have but 3 and 8
    assert_refused(&DataSpec { n: Some(8), ..all.clone() }, 2, &["--n 8", "only 7", "--classes parity"]);
    assert_refused(&DataSpec { n: Some(0), ..all.clone() }, 2, &["--n 0"]);
    assert_refused(
        &DataSpec { classes: Some(ClassSelection::Labels(vec![3, 7])), ..all },
        2,
        &["--classes 3,7", "the label 7", "0, 1, 3, 5, 8"],
    );
}

#[test]
fn parity_needs_both_kinds() {
    let odd = header(0x801, &[7]).into_iter().chain([1, 3, 5, 7, 9, 1, 3]).collect::<Vec<_>>();
    assert_refused(&set("odd", &images(), &odd), 2, &["--classes parity", "an even label", "1, 3, 5, 7, 9"]);
}

#[test]
fn every_spelling_is_found_packed_or_not_and_train_goes_first() {
    let dir = directory("spelling");
    let write = |name: &str, content: &[u8]| fs::write(dir.join(name), content).unwrap();
    write("t10k-images.idx3-ubyte", &images());
    write("t10k-labels.idx1-ubyte.gz", &gzip(&labels()));
    assert!(samples(&mnist(&dir)).description.contains("t10k-images.idx3-ubyte"));
    write("train-images-idx3-ubyte", &images());
    assert_refused(
        &mnist(&dir),
        3,
        &["train-labels-idx1-ubyte", "other file is there", "data fetch mnist", "--data-dir"],
    );
    write("train-labels-idx1-ubyte", &labels());
    assert!(samples(&mnist(&dir)).description.contains("train-images-idx3-ubyte"));
    // Packed or not is told by the content: some browsers unpack a file and leave its name.
    write("train-images-idx3-ubyte", &gzip(&images()));
    assert_eq!(samples(&mnist(&dir)).n, 7);
}

#[test]
fn missing_directories_and_files_say_how_to_get_them() {
    let dir = directory("empty");
    assert_refused(&mnist(&dir.join("none")), 3, &["none", "no such directory", "data fetch mnist", "--data-dir"]);
    let fashion = DataSpec { dir: Some(dir.clone()), ..spec("fashion-mnist") };
    assert_refused(&fashion, 3, &["train-images-idx3-ubyte[.gz]", "data fetch fashion-mnist", "--data-dir"]);
    assert!(!list(Some(&dir)).iter().find(|e| e.name == "mnist").unwrap().present);
}

#[test]
fn damaged_files_say_what_is_wrong_and_where() {
    let (good_images, good_labels) = (images(), labels());
    let packed = gzip(&good_images);
    let mend = "--data-dir";

    for keep in [packed.len() - 1, packed.len() - 9, packed.len() / 2, 12] {
        let spec = set("truncated", &packed[..keep], &good_labels);
        assert_refused(&spec, 3, &["t10k-images-idx3-ubyte.gz", "is truncated", "data fetch", mend]);
    }
    let mut flipped = packed.clone();
    let crc = flipped.len() - 6;
    flipped[crc] ^= 1;
    assert_refused(&set("crc", &flipped, &good_labels), 3, &["gzip stream is damaged", mend]);

    let spec = set("short", &good_images[..good_images.len() - 3], &good_labels);
    assert_refused(&spec, 3, &["t10k-images", "ends after 25 of the 28 declared bytes of images", mend]);
    let spec = set("header", &good_images[..10], &good_labels);
    assert_refused(&spec, 3, &["cannot read the header (dimension 2)", "truncated", mend]);
    assert_refused(&set("nothing", b"", &good_labels), 3, &["cannot read the header (magic number)", mend]);
    assert_refused(
        &set("long", &[&good_images[..], &[0]].concat(), &good_labels),
        3,
        &["continues after the 28 declared bytes", mend],
    );

    assert_refused(&set("magic", &good_labels, &good_labels), 3, &["0x00000801", "images begin with 0x00000803", mend]);
    assert_refused(
        &set("magic2", &good_images, &good_images),
        3,
        &["t10k-labels", "labels begin with 0x00000801", mend],
    );
    assert_refused(&set("html", b"<html>404</html>", &good_labels), 3, &["magic number 0x3c68746d", mend]);

    let six = header(0x801, &[6]).into_iter().chain([1, 2, 3, 4, 5, 6]).collect::<Vec<_>>();
    assert_refused(&set("counts", &good_images, &six), 3, &["7 images, but 6 labels in", "t10k-labels", mend]);
    assert_refused(&set("zero", &header(0x803, &[0, 28, 28]), &good_labels), 3, &["no data", "[0, 28, 28]", mend]);
    let huge = header(0x803, &[u32::MAX, u32::MAX, u32::MAX]);
    assert_refused(&set("huge", &huge, &good_labels), 3, &["declares more than it can hold", mend]);
    // A header that promises much costs nothing until the bytes are there.
    let boast = header(0x803, &[u32::MAX, 1, u32::MAX / 4]);
    assert_refused(&set("boast", &boast, &good_labels), 3, &["declares more than it can hold", mend]);
}

#[test]
fn a_black_image_has_no_direction() {
    let mut images = images();
    images[16 + 3 * 4..][..4].fill(0); // image 3, label 5
    let spec = set("black", &images, &labels());
    assert_refused(&spec, 2, &["--normalize sphere", "sample 3 (row 3 of t10k-images", "--normalize none"]);
    let pair = DataSpec { classes: Some(ClassSelection::Labels(vec![8, 5])), ..spec.clone() };
    assert_refused(&pair, 2, &["sample 1 (row 3"]);
    assert_eq!(samples(&DataSpec { n: Some(3), ..spec.clone() }).n, 3);
    assert_eq!(samples(&DataSpec { normalize: Some(Normalize::None), ..spec }).n, 7);
}
