//! Kernels, and parameters of a network.

use std::{
    fs::File,
    io::{Cursor, Seek, Write},
    path::Path,
    sync::LazyLock,
};

use ntkscope::{
    checkpoint::{Checkpoint, DescribedLayer, LAYERS, Reading, SETTINGS, text_of},
    experiment::{AnyNetwork, Init, Model},
    files::{
        Dtype, Input, nameless_file,
        npy::Npy,
        npz::{self, Array, Npz},
    },
    kernel::{KernelFault, KernelFile, check_symmetric},
    run::{params::parameters_of_bytes, tensors},
};
use ntkscope_core::{
    MatRef, Real,
    network::{Activation, Network},
};

use crate::{
    FOLDER, archive,
    refused::{Refused, Verdict},
};

/// The square matrix in an npy file, read whole.
fn held(input: &[u8]) -> Result<(usize, Vec<f64>), KernelFault> {
    let npy = Npy::new(input, input.len() as u64).map_err(KernelFault::Npy)?;
    let [n, m] = npy.shape()[..] else {
        return Err(KernelFault::Shape { array: None, shape: npy.shape().to_vec() });
    };
    if n != m || n == 0 {
        return Err(KernelFault::Shape { array: None, shape: vec![n, m] });
    }
    let kernel = npy.all(1 << 21).map_err(KernelFault::Npy)?;
    check_symmetric(None, n, &kernel)?;
    Ok((n, kernel))
}

/// A kernel, read in rows, whole, and from an archive: every reader comes to the same.
pub(crate) fn kernel(input: &[u8]) -> Verdict {
    let on_disk = KernelFile::of(Input { file: file_of(input), bytes: input.len() as u64 });
    let held = held(input);
    let mut archived = archive::npz(&[("kernel", input)], true);
    if input.starts_with(b"PK") {
        archived = input.into();
    }
    let length = archived.len() as u64;
    let in_archive = Npz::of(Cursor::new(archived), length).and_then(|mut npz| npz.array_within("kernel", 1 << 21));
    let (mut on_disk, (n, kernel)) = match (on_disk, held) {
        (Ok(on_disk), Ok(held)) => (on_disk, held),
        (Err(fault), Err(other)) => {
            in_archive?;
            let _ = Refused::from(other);
            return Err(fault.into());
        }
        (on_disk, held) => panic!("one reader takes it, another refuses: {:?} {held:?}", on_disk.map(|_| ())),
    };
    assert_eq!(in_archive.expect("a kernel is one in an archive too").1, kernel);
    assert!(on_disk.rows() == n && kernel.len() == n * n && kernel.iter().all(|v| v.is_finite()));
    let rows = on_disk.read_rows(0..n).expect("a temporary file can be read");
    // a file in Fortran order is read by columns, which are the rows up to rounding
    let fortran = Npy::new(input, input.len() as u64).is_ok_and(|npy| npy.header().fortran);
    let same = (0..n * n).all(|at| rows[at] == kernel[if fortran { at % n * n + at / n } else { at }]);
    assert!(same, "its rows are other numbers");
    check_product(&mut on_disk, &rows);
    let mut written = KernelFile::nameless(&FOLDER, n, Dtype::F64).expect("a temporary file");
    let block = MatRef::new(&rows, n, n).expect("a square");
    written.write_block(0, 0, block).expect("a temporary file can be written");
    assert_eq!(written.read_rows(0..n).expect("a temporary file can be read"), rows);
    Ok(())
}

/// A file of this content, the same every time: making a new one takes longer than reading it.
fn file_of(content: &[u8]) -> File {
    static FILE: LazyLock<File> = LazyLock::new(|| nameless_file(&FOLDER).expect("a file can be made"));
    let mut file: &File = &FILE;
    let written = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(content));
    written.and_then(|()| file.rewind()).and_then(|()| file.try_clone()).expect("the file can be written")
}

/// K x, of which only the lower triangle of K is read.
fn check_product(kernel: &mut KernelFile, rows: &[f64]) {
    let n = kernel.rows();
    let (x, mut y): (Vec<f64>, _) = ((0..n).map(|i| 1.0 / (1.0 + i as f64)).collect(), vec![0.0; n]);
    kernel.product(&x, &mut y).expect("a temporary file can be read");
    for (i, y) in y.iter().enumerate() {
        let terms = (0..n).map(|j| rows[i.max(j) * n + i.min(j)] * x[j]);
        let (sum, size) = terms.fold((0.0, 0.0), |(sum, size), term| (sum + term, size + term.abs()));
        assert!(!size.is_finite() || (y - sum).abs() <= 1e-9 * size, "row {i} of a product: {y} for {sum}");
    }
}

/// A small network whose scalar, biases and initialization the input's length chooses.
fn model(input: &[u8]) -> Model {
    static DEFAULT: LazyLock<Model> = LazyLock::new(Model::default);
    let init = if input.len().is_multiple_of(3) { Init::Mirrored } else { Init::Standard };
    Model { width: 3, depth: 1, outputs: Some(1), init, ..DEFAULT.clone() }
}

fn parameters<T: Real>(path: &str, content: &[u8], model: &Model) -> Verdict {
    let shape = model.shape_of(2, 1);
    let network: AnyNetwork<'_> = model.network(&shape).expect("a network");
    let mut theta = vec![T::ZERO; network.sizes().parameters];
    parameters_of_bytes(Path::new(path), content, &network, model, &mut theta)?;
    assert!(theta.iter().all(|v| v.to_f64().is_finite()), "a parameter that is not finite");
    let tensors = tensors(&network, &theta);
    let numbers: Vec<_> = tensors.iter().map(|tensor| |at: usize| tensor.data[at]).collect();
    let arrays = tensors.iter().zip(&numbers);
    let arrays = arrays.map(|(t, number)| Array { name: &t.name, shape: &t.shape, dtype: Dtype::F64, number });
    let settings = model.network_settings()?.to_string();
    let (length, byte) = ([settings.len()], |at: usize| f64::from(settings.as_bytes()[at]));
    let settings = Array { name: SETTINGS, shape: &length, dtype: Dtype::F64, number: &byte };
    let written = npz::write(Cursor::new(Vec::new()), &arrays.chain([settings]).collect::<Vec<_>>());
    let written = written.expect("memory can be written").into_inner();
    let mut back = vec![T::ZERO; theta.len()];
    parameters_of_bytes(Path::new("back.npz"), &written, &network, model, &mut back).expect("our own file");
    assert!(theta.iter().zip(&back).all(|(a, b)| a.to_f64().to_bits() == b.to_f64().to_bits()), "not read back");
    Ok(())
}

fn parameters_of(path: &str, content: &[u8], input: &[u8]) -> Verdict {
    let model = model(input);
    match input.len() % 2 {
        0 => parameters::<f64>(path, content, &Model { dtype: Dtype::F64, ..model }),
        _ => parameters::<f32>(path, content, &Model { dtype: Dtype::F32, ..model }),
    }
}

/// Parameters in an npz: an archive, or arrays that make one.
pub(crate) fn params(input: &[u8]) -> Verdict {
    let names: &[&str] = match model(input).init {
        Init::Mirrored => &["first.W0", "first.b0", "first.W1", "second.W0", "second.b0", "second.W1", SETTINGS],
        _ => &["W0", "b0", "W1", SETTINGS],
    };
    parameters_of("p.npz", &archive::of_parts(input, names), input)
}

/// Parameters in a safetensors file.
pub(crate) fn safetensors(input: &[u8]) -> Verdict {
    parameters_of("p.safetensors", input, input)
}

/// A network that another program has stored, in a file of this name.
fn stored(path: &str, content: &[u8], input: &[u8]) -> Verdict {
    let reading = Reading {
        activation: (!input.len().is_multiple_of(3)).then(|| Activation::Gelu.into()),
        order: None,
        inputs: input.len().is_multiple_of(5).then_some(3),
    };
    let read = Checkpoint::of_content(Cursor::new(content), content.len() as u64, Path::new(path), &reading)?;
    let network = read.network().expect("reading has checked it");
    assert_eq!(network.sizes().parameters, read.theta.len());
    assert!(read.theta.iter().all(|number| number.is_finite()) && read.names.len() == read.layers.len());
    Ok(())
}

/// A network whose layers this text describes, of the first of two weights, `W` and `V`, and two biases, `b` and `a`.
fn described(text: &[u8], arrays: usize) -> Result<Checkpoint, Refused> {
    let shapes: [(&str, &[usize]); 4] = [("W", &[3, 2]), ("b", &[3]), ("V", &[1, 3]), ("a", &[1])];
    let (number, length, byte) = (|at: usize| 0.5 - at as f64, [text.len()], |at: usize| f64::from(text[at]));
    let kept =
        shapes.iter().take(arrays).map(|&(name, shape)| Array { name, shape, dtype: Dtype::F64, number: &number });
    let text = Array { name: LAYERS, shape: &length, dtype: Dtype::F64, number: &byte };
    let file = npz::write(Cursor::new(Vec::new()), &kept.chain([text]).collect::<Vec<_>>());
    let file = file.expect("memory can be written").into_inner();
    Ok(Checkpoint::of_content(Cursor::new(&file), file.len() as u64, Path::new("p.npz"), &Reading::default())?)
}

/// What a file says of its layers beside their arrays.
pub(crate) fn layers(input: &[u8]) -> Verdict {
    let Some((&arrays, text)) = input.split_first() else { return Ok(()) };
    let arrays = usize::from(arrays) % 5;
    let read = described(text, arrays)?;
    let layers = read.layers.iter().zip(&read.arrays).zip(&read.rates);
    let layers = layers.map(|((layer, names), rates)| DescribedLayer::of(layer, names, rates));
    let written = text_of(&layers.collect::<Vec<_>>()).expect("toml has every text and number");
    assert_eq!(described(written.as_bytes(), arrays).expect("our own text"), read);
    // scales and rates that are each in range may leave it together
    let one = read.at_one_rate();
    assert!(one.network().is_err() || one.theta.iter().all(|number| number.is_finite()), "{one:?}");
    Ok(())
}

/// A state dict as `torch.save` writes it.
pub(crate) fn torch(input: &[u8]) -> Verdict {
    stored("p.pt", input, input)
}

/// The description of the tensors of a state dict, with storages that would do for any of them.
pub(crate) fn pickle(input: &[u8]) -> Verdict {
    let numbers = [0x3f; 4096];
    let storages = ["a/data/0", "a/data/1", "a/data/2", "a/data/3", "a/data/4", "a/data/5"];
    let files: Vec<_> = [("a/data.pkl", input)].into_iter().chain(storages.map(|name| (name, &numbers[..]))).collect();
    stored("p.pt", &archive::plain(&files), input)
}

/// Tensors of a safetensors file.
pub(crate) fn checkpoint(input: &[u8]) -> Verdict {
    stored("p.safetensors", input, input)
}
