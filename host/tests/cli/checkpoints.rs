//! Networks that other programs have stored, against Jacobians of theirs; the files are made by tests/checkpoints/make.py.

use std::path::{Path, PathBuf};

use ntkscope::files::npy::Npy;
use ntkscope::files::npz::{self, Array};
use safetensors::Dtype;
use safetensors::tensor::TensorView;

use crate::Place;

/// Name, activations, and whether there is more than one.
const NETWORKS: [(&str, &str); 5] = [
    ("seq", "gelu,tanh"),
    ("mixed", "leaky-relu:0.2,silu,softplus"),
    ("deep", "relu"),
    ("linear", ""),
    ("sig", "sigmoid,sine,erf"),
];

fn stored(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/checkpoints").join(name)
}

fn quoted(path: PathBuf) -> String {
    path.into_os_string().into_string().unwrap()
}

fn npy(bytes: &[u8]) -> (Vec<usize>, Vec<f64>) {
    let npy = Npy::new(bytes, bytes.len() as u64).unwrap();
    (npy.shape().to_vec(), npy.all(u64::MAX).unwrap())
}

fn activation(names: &str) -> String {
    if names.is_empty() { String::new() } else { format!(" --activation {names}") }
}

#[test]
fn kernels_are_those_of_jacobians() {
    let place = Place::new();
    for (name, activations) in NETWORKS {
        let (file, x) = (quoted(stored(&format!("{name}.pt"))), quoted(stored("x.npy")));
        let line = format!("kernel empirical --params {file} --data {x} --multi-output full --quiet");
        place.succeed(&format!("{line}{} --out K.npz", activation(activations)));
        let (shape, kernel) = place.array("K.npz", "kernel");
        let (known_shape, known) = npy(&std::fs::read(stored(&format!("{name}_K.npy"))).unwrap());
        assert_eq!(shape, known_shape, "{name}");
        let largest = known.iter().fold(0.0f64, |largest, k| largest.max(k.abs()));
        for (k, expected) in kernel.iter().zip(&known) {
            assert!((k - expected).abs() < 1e-14 * largest, "{name}: {k} in place of {expected}");
        }
    }
}

/// Names of Flax and prefixes; the order that a file leaves open is asked for, and that of its metadata taken.
#[test]
fn names_of_other_libraries() {
    let place = Place::new();
    let write = |name: &str, arrays: &[(&str, &[usize])], activation: Option<&str>| {
        let bytes: Vec<(String, Vec<usize>, Vec<u8>)> = arrays
            .iter()
            .map(|(name, shape)| {
                let count: usize = shape.iter().product();
                let numbers = (0..count).flat_map(|i| (0.1 + (i as f64 * 0.7).sin()).to_le_bytes()).collect();
                ((*name).to_owned(), shape.to_vec(), numbers)
            })
            .collect();
        let views = bytes
            .iter()
            .map(|(name, shape, bytes)| (name.as_str(), TensorView::new(Dtype::F64, shape.clone(), bytes).unwrap()));
        let metadata = activation.map(|text| [("activation".to_owned(), text.to_owned())].into());
        place.file(name, safetensors::serialize(views, metadata).unwrap());
    };
    let x = quoted(stored("x.npy"));
    write("flax.safetensors", &[("params.Dense_0.kernel", &[3, 5]), ("params.Dense_1.kernel", &[5, 2])], Some("silu"));
    write("torch.safetensors", &[("model.fc10.weight", &[4, 4]), ("model.fc2.weight", &[4, 3])], None);
    let done = place.succeed(&format!("kernel empirical --params flax.safetensors --data {x}"));
    assert!(
        done.stderr.contains("3-5-2, silu, no biases; layers in order: params.Dense_0, params.Dense_1"),
        "{}",
        done.stderr
    );
    let done = place.succeed(&format!("kernel empirical --params torch.safetensors --data {x} --activation tanh"));
    assert!(done.stderr.contains("layers in order: model.fc2, model.fc10"), "{}", done.stderr);
    write("open.safetensors", &[("a.weight", &[3, 3]), ("b.weight", &[3, 3])], None);
    let line = format!("kernel empirical --params open.safetensors --data {x} --activation relu");
    let refused = place.run(line.split(' '));
    assert!(
        refused.code == 2 && refused.stderr.contains("give their names in order with --order"),
        "{}",
        refused.stderr
    );
    let done = place.succeed(&format!("{line} --order b,a"));
    assert!(done.stderr.contains("layers in order: b, a"), "{}", done.stderr);
    for (more, told) in [
        (" --order b", "--order has to name every layer once"),
        (" --order b,a --width 3", "the file says it"),
        (" --order b,a --params-out P.npz", "the parameters are in the file already"),
    ] {
        let refused = place.run(format!("{line}{more}").split(' '));
        assert!(refused.code == 2 && refused.stderr.contains(told), "{more}: {}", refused.stderr);
    }
}

/// An npz keeps the order in which it was written, which says nothing where it is merely sorted.
#[test]
fn a_sorted_npz_leaves_the_order_open() {
    let place = Place::new();
    let x = quoted(stored("x.npy"));
    let write = |file: &str, names: [&str; 2]| {
        let shape = [3usize, 3];
        let number = |at: usize| (0.3 + at as f64).sin();
        let arrays =
            names.map(|name| Array { name, shape: &shape, dtype: ntkscope::files::Dtype::F64, number: &number });
        let mut bytes = std::io::Cursor::new(Vec::new());
        npz::write(&mut bytes, &arrays).unwrap();
        place.file(file, bytes.into_inner());
    };
    write("sorted.npz", ["decoder/kernel", "encoder/kernel"]);
    let line = |file: &str| format!("kernel empirical --params {file} --data {x} --activation relu");
    let refused = place.run(line("sorted.npz").split(' '));
    assert!(refused.code == 2 && refused.stderr.contains("in order with --order"), "{}", refused.stderr);
    let done = place.succeed(&format!("{} --order encoder,decoder", line("sorted.npz")));
    assert!(done.stderr.contains("layers in order: encoder, decoder"), "{}", done.stderr);
    write("written.npz", ["encoder/kernel", "decoder/kernel"]);
    let done = place.succeed(&line("written.npz"));
    assert!(done.stderr.contains("layers in order: encoder, decoder"), "{}", done.stderr);
}

#[test]
fn what_is_no_such_network_is_refused_in_a_sentence() {
    let place = Place::new();
    let x = quoted(stored("x.npy"));
    for (name, told) in [
        ("whole", "names `torch.nn.modules.container.Sequential`, which could only be read by running its code"),
        ("lightning", "an entry `state_dict` that is a dictionary itself"),
        ("conv", "of shape [2, 1, 3, 3] is of a convolution"),
        ("norm", "array `1.weight` of shape [4] is of a normalization"),
        ("lstm", "array `weight_ih_l0` of shape [16, 3] has no place in a fully connected network"),
        ("old", "is no state_dict that torch.save (PyTorch 1.6 or later) has written"),
        ("tied", "array `0.weight` and array `2.weight` are one tensor"),
        ("tensor", "holds a single tensor, not the state_dict of a network"),
        ("evil", "names `posix.system`, which could only be read by running its code"),
    ] {
        let file = quoted(stored(&format!("{name}.pt")));
        let line = format!("kernel empirical --params {file} --data {x} --activation relu --quiet");
        let refused = place.run(line.split(' '));
        assert_eq!(refused.code, 3, "{name}: {}", refused.stderr);
        assert!(refused.stderr.contains(told), "{name}: {}", refused.stderr);
        assert_eq!(refused.stderr.trim().lines().count(), 1, "{}", refused.stderr);
    }
    // nothing ran
    assert!(!place.path("ran").exists());
    let file = quoted(stored("seq.pt"));
    for (more, told) in [
        ("", "does not say its activation; give it with --activation"),
        (" --activation gelu,tanh,relu", "has 2 hidden layers, but 3 activations"),
    ] {
        let refused = place.run(format!("kernel empirical --params {file} --data {x}{more}").split(' '));
        assert!(refused.code == 2 && refused.stderr.contains(told), "{more}: {}", refused.stderr);
    }
}
