//! A state dict as `torch.save` writes it: a zip archive with a pickle that describes the tensors, and a file of numbers for
//! each storage.

use std::io::{Read, Seek};

use zip::ZipArchive;

use super::Fault;
use super::order::Kept;
use super::pickle::{StateDict, StoredTensor, state_dict};
use crate::files::npy::{Number, NumberKind};
use crate::files::npz::archive_fault;
use crate::words::excerpt;

/// Most bytes of the description: some ten thousand tensors.
const MOST_PICKLE: u64 = 1 << 22;

/// The file, open.
pub(super) struct TorchFile<R> {
    archive: ZipArchive<R>,
    /// folder of the archive in which everything lies
    root: String,
    dict: StateDict,
    /// bytes of the whole file
    bytes: u64,
}

const CONVERT: &str = "open it with PyTorch and save model.state_dict() with safetensors.torch.save_file";

fn damaged(what: impl std::fmt::Display) -> Fault {
    // names and errors of the archive are the file's words
    let what = excerpt(&what.to_string());
    Fault::Pickle(format!("is no state_dict that torch.save (PyTorch 1.6 or later) has written: {what}; {CONVERT}"))
}

impl<R: Read + Seek> TorchFile<R> {
    /// What the file of so many bytes says of its tensors.
    pub(super) fn of(content: R, bytes: u64) -> Result<Self, Fault> {
        let archive = ZipArchive::new(content).map_err(|error| damaged(archive_fault(&error)))?;
        let names: Vec<String> = archive.file_names().flatten().map(|name| name.into_owned()).collect();
        let description = names.iter().find(|name| *name == "data.pkl" || name.ends_with("/data.pkl"));
        let Some(description) = description.cloned() else { return Err(damaged("the archive holds no data.pkl")) };
        let root = description.trim_end_matches("data.pkl").to_owned();
        let mut file = Self { archive, root, dict: StateDict::default(), bytes };
        if file.content("byteorder", 16).is_ok_and(|order| order.trim_ascii() == b"big") {
            return Err(damaged("its numbers are big-endian"));
        }
        let pickle = file.content("data.pkl", MOST_PICKLE)?;
        file.dict = state_dict(&pickle).map_err(Fault::Pickle)?;
        for (i, (name, tensor)) in file.dict.tensors.iter().enumerate() {
            let same = |other: &StoredTensor| other.storage == tensor.storage && other.offset == tensor.offset;
            if let Some((first, _)) = file.dict.tensors[..i].iter().find(|(_, other)| same(other)) {
                return Err(Fault::Tied { first: first.clone(), second: name.clone() });
            }
        }
        Ok(file)
    }

    /// A file of the archive, of at most so many bytes.
    fn content(&mut self, name: &str, most: u64) -> Result<Vec<u8>, Fault> {
        let path = format!("{}{name}", self.root);
        let mut entry = self.archive.by_name(&path).map_err(|e| damaged(format!("{path}: {e}")))?;
        // storages are not packed
        let most = most.min(self.bytes);
        if entry.size() > most {
            return Err(damaged(format!("{path} says that it has {} bytes", entry.size())));
        }
        let mut content = Vec::with_capacity(entry.size() as usize);
        entry.by_ref().take(most).read_to_end(&mut content).map_err(|e| damaged(format!("{path}: {e}")))?;
        Ok(content)
    }

    /// Names and shapes, in the order of the dictionary.
    pub(super) fn shapes(&self) -> Vec<(String, Vec<usize>)> {
        self.dict.tensors.iter().map(|(name, tensor)| (name.clone(), tensor.shape.clone())).collect()
    }

    /// What that order means.
    pub(super) fn kept(&self) -> Kept {
        if self.dict.of_module { Kept::ByModule } else { Kept::ByWriter }
    }

    /// Numbers of tensor `index`, row-major, and how they are stored.
    pub(super) fn numbers(&mut self, index: usize) -> Result<(Vec<f64>, Number), Fault> {
        let (name, tensor) = self.dict.tensors[index].clone();
        let wrong = |what: String| Fault::Array { array: name.clone(), shape: tensor.shape.clone(), what };
        let (kind, bytes) = match tensor.kind.as_str() {
            "Float" => (NumberKind::Float, 4),
            "Double" => (NumberKind::Float, 8),
            "Half" => (NumberKind::Float, 2),
            "BFloat16" => (NumberKind::Brain, 2),
            other => return Err(wrong(format!("holds numbers of type {}; real numbers are needed", excerpt(other)))),
        };
        let content = self.content(&format!("data/{}", tensor.storage), u64::MAX)?;
        let held = content.len() / bytes;
        let outside = || wrong("reaches beyond its storage".into());
        let reach = tensor.shape.iter().zip(&tensor.strides).try_fold(tensor.offset, |reach, (size, stride)| {
            reach.checked_add(size.saturating_sub(1).checked_mul(*stride)?)
        });
        let count = tensor.shape.iter().try_fold(1usize, |count, size| count.checked_mul(*size)).ok_or_else(outside)?;
        // no more numbers than the storage has: a stride of 0 could stand for any number of them
        if count > held || (count > 0 && reach.is_none_or(|reach| reach >= held)) {
            return Err(outside());
        }
        let mut stored = vec![0.0; held];
        let number = Number::little(kind, bytes);
        number.decode(&content[..held * bytes], &mut stored);
        let place = |mut index: usize| {
            let mut at = tensor.offset;
            for (size, stride) in tensor.shape.iter().zip(&tensor.strides).rev() {
                at += index % size * stride;
                index /= size;
            }
            at
        };
        Ok(((0..count).map(|index| stored[place(index)]).collect(), number))
    }
}
