//! A file of named tensors: npz or safetensors. Of either the headers are read first, and then one tensor at a time.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::Metadata;

use crate::files::npy::{Number, NumberKind};
use crate::files::npz::{Npz, Shaped};
use crate::files::{Input, InputFault, NpzError, open_input, reason};
use crate::machine::Cause;
use crate::words::excerpt;

/// Name of the array, or key of the metadata, that has the settings of the network.
pub const SETTINGS: &str = "settings";
/// The same of what its layers are beside their arrays.
pub const LAYERS: &str = "layers";
/// Arrays that hold a text, a number for each byte.
const TEXTS: [&str; 2] = [SETTINGS, LAYERS];

/// Most bytes of the header of a safetensors file: some ten thousand tensors.
const MOST_HEADER: u64 = 1 << 22;

/// What is wrong with a file of parameters, without its name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParameterFault {
    /// it cannot be opened, or is none
    #[error("{0}")]
    Input(InputFault),
    /// the operating system cannot read it
    #[error("cannot be read: {}", reason(.0))]
    Unreadable(std::io::Error),
    /// no npz archive, or a damaged one
    #[error("{0}")]
    Npz(NpzError),
    /// no safetensors file, or a damaged one
    #[error("not readable as safetensors: {0}")]
    SafeTensors(String),
    /// a tensor of other numbers
    #[error("array `{}` has dtype {dtype:?}, but F16, BF16, F32 or F64 is needed", excerpt(array))]
    Dtype {
        /// its name
        array: String,
        /// what it holds
        dtype: Dtype,
    },
    /// a number that is NaN or infinite in the network's scalar
    #[error("array `{array}`, number {at} (from 0): {value:?} is not finite{}", if value.is_finite() { " in `dtype = f32`; give `dtype = f64`" } else { "" })]
    NotFinite {
        /// name of the array
        array: String,
        /// its index
        at: usize,
        /// as it stands in the file
        value: f64,
    },
    /// settings that are none
    #[error("the array `{SETTINGS}` does not hold the settings of a network")]
    Settings,
    /// layers that are none
    #[error("the array `{LAYERS}` does not hold the layers of a network: {0}")]
    Layers(String),
}

impl ParameterFault {
    /// Where the cause lies.
    pub const fn cause(&self) -> Cause {
        match self {
            Self::Input(fault) => fault.cause(),
            Self::Unreadable(_) => Cause::System,
            Self::Npz(fault) => fault.cause(),
            Self::SafeTensors(_) | Self::Dtype { .. } | Self::NotFinite { .. } | Self::Settings | Self::Layers(_) => {
                Cause::Data
            }
        }
    }
}

/// A file of named tensors, open.
pub enum ParameterFile<R> {
    Npz(Box<Npz<R>>),
    SafeTensors { content: R, header: Metadata, begin: u64 },
}

impl ParameterFile<BufReader<File>> {
    /// Opens it: a safetensors file by its ending, in any letters, else an npz.
    pub fn open(path: &Path) -> Result<Self, ParameterFault> {
        let Input { file, bytes } = open_input(path).map_err(ParameterFault::Input)?;
        Self::of(BufReader::new(file), bytes, path)
    }
}

impl<R: Read + Seek> ParameterFile<R> {
    /// What `content` holds, which is `bytes` bytes long and has this name.
    pub fn of(content: R, bytes: u64, path: &Path) -> Result<Self, ParameterFault> {
        if is_safetensors(path) {
            return Self::safetensors(content, bytes);
        }
        Npz::of(content, bytes).map(|archive| Self::Npz(Box::new(archive))).map_err(ParameterFault::Npz)
    }
    fn safetensors(mut content: R, bytes: u64) -> Result<Self, ParameterFault> {
        let damaged = |what: String| ParameterFault::SafeTensors(excerpt(&what));
        let mut length = [0; 8];
        content.read_exact(&mut length).map_err(|e| match e.kind() {
            ErrorKind::UnexpectedEof => damaged(format!("{bytes} bytes are too short for a header")),
            _ => ParameterFault::Unreadable(e),
        })?;
        let length = u64::from_le_bytes(length);
        if length > bytes.saturating_sub(8) {
            return Err(damaged(format!("a header of {length} bytes in a file of {bytes}")));
        }
        if length > MOST_HEADER {
            return Err(damaged(format!("a header of {length} bytes, above the limit of {MOST_HEADER}")));
        }
        let mut text = vec![0; length as usize];
        content.read_exact(&mut text).map_err(ParameterFault::Unreadable)?;
        let header: Metadata = serde_json::from_slice(&text).map_err(|e| damaged(e.to_string()))?;
        let (begin, promised) = (8 + length, header.data_len() as u64);
        if bytes - begin != promised {
            return Err(damaged(format!("the header declares {promised} bytes, but there are {}", bytes - begin)));
        }
        Ok(Self::SafeTensors { content, header, begin })
    }

    /// Names of the tensors.
    pub fn names(&self) -> Vec<String> {
        let mut names = match self {
            Self::Npz(archive) => archive.names(),
            Self::SafeTensors { header, .. } => header.offset_keys(),
        };
        names.retain(|name| !TEXTS.contains(&name.as_str()) || matches!(self, Self::SafeTensors { .. }));
        names
    }

    /// The settings of the network that it was saved of, if it says them.
    pub fn settings(&mut self) -> Result<Option<String>, ParameterFault> {
        self.text(SETTINGS, || ParameterFault::Settings)
    }

    /// What it says of its layers beside their arrays.
    pub fn layers(&mut self) -> Result<Option<String>, ParameterFault> {
        self.text(LAYERS, || ParameterFault::Layers("it is no text".into()))
    }

    /// Whether it says what its layers are.
    pub fn has_layers(&self) -> bool {
        self.has_text(LAYERS)
    }

    /// Whether it has such a text.
    fn has_text(&self, name: &str) -> bool {
        match self {
            Self::SafeTensors { .. } => self.metadata(name).is_some(),
            Self::Npz(archive) => archive.names().iter().any(|known| known == name),
        }
    }

    /// The text of an array, or of the metadata.
    fn text(&mut self, name: &str, none: impl Fn() -> ParameterFault) -> Result<Option<String>, ParameterFault> {
        if !self.has_text(name) {
            return Ok(None);
        }
        let Self::Npz(archive) = self else { return Ok(self.metadata(name)) };
        let (_, bytes) = archive.array_within(name, 1 << 20).map_err(ParameterFault::Npz)?;
        let bytes = bytes.iter().map(|&v| (v as u8 as f64 == v).then_some(v as u8)).collect::<Option<Vec<u8>>>();
        bytes.and_then(|bytes| String::from_utf8(bytes).ok()).map(Some).ok_or_else(none)
    }

    /// A text of a safetensors file's metadata.
    pub fn metadata(&self, key: &str) -> Option<String> {
        match self {
            Self::SafeTensors { header, .. } => header.metadata().as_ref().and_then(|texts| texts.get(key).cloned()),
            Self::Npz(_) => None,
        }
    }

    /// The shape of a tensor; that it is whole is known of it then.
    pub fn shape(&mut self, name: &str) -> Result<Vec<usize>, ParameterFault> {
        match self {
            Self::Npz(archive) => Ok(archive.open(name).map_err(ParameterFault::Npz)?.shape().to_vec()),
            Self::SafeTensors { header, .. } => Ok(tensor(header, name)?.0.shape.clone()),
        }
    }

    /// How the numbers of a tensor are stored.
    pub fn number(&mut self, name: &str) -> Result<Number, ParameterFault> {
        match self {
            Self::Npz(archive) => Ok(archive.open(name).map_err(ParameterFault::Npz)?.header().number),
            Self::SafeTensors { header, .. } => Ok(tensor(header, name)?.1),
        }
    }

    /// Shape and numbers of a tensor.
    pub fn array(&mut self, name: &str) -> Result<Shaped, ParameterFault> {
        let (content, header, begin) = match self {
            Self::Npz(archive) => return archive.array(name).map_err(ParameterFault::Npz),
            Self::SafeTensors { content, header, begin } => (content, header, *begin),
        };
        let (info, number) = tensor(header, name)?;
        content.seek(SeekFrom::Start(begin + info.data_offsets.0 as u64)).map_err(ParameterFault::Unreadable)?;
        let mut numbers = vec![0.0; (info.data_offsets.1 - info.data_offsets.0) / number.bytes];
        let mut bytes = vec![0; (1 << 13) * number.bytes];
        for numbers in numbers.chunks_mut(1 << 13) {
            let bytes = &mut bytes[..numbers.len() * number.bytes];
            content.read_exact(bytes).map_err(ParameterFault::Unreadable)?;
            number.decode(bytes, numbers);
        }
        Ok((info.shape.clone(), numbers))
    }
}

fn tensor<'a>(
    header: &'a Metadata,
    name: &str,
) -> Result<(&'a safetensors::tensor::TensorInfo, Number), ParameterFault> {
    let missing = || NpzError::NoArray { array: name.into(), present: header.offset_keys() };
    let info = header.info(name).ok_or_else(|| ParameterFault::Npz(missing()))?;
    let (kind, bytes) = match info.dtype {
        Dtype::F16 => (NumberKind::Float, 2),
        Dtype::BF16 => (NumberKind::Brain, 2),
        Dtype::F32 => (NumberKind::Float, 4),
        Dtype::F64 => (NumberKind::Float, 8),
        dtype => return Err(ParameterFault::Dtype { array: name.into(), dtype }),
    };
    Ok((info, Number::little(kind, bytes)))
}

fn is_safetensors(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("safetensors"))
}
