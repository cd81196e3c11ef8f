//! Files: opened in one place, never half written, nothing destroyed; checksums; npz archives, csv tables.

mod atomic;
mod described;
mod digest;
mod directory;
mod dtype;
mod error;
mod identity;
mod input;
mod lock;
pub mod npy;
pub mod npz;
pub mod numbers;
mod output;
mod sweep;
mod table;
mod target;
mod temporary;

pub use atomic::{Unfinished, nameless_file, write_atomic, write_pieces};
pub use described::Described;
pub use digest::{sha256, sha256_of, sha256_of_numbers};
pub use directory::{UnfinishedDirectory, is_empty};
pub use dtype::Dtype;
pub use error::Error;
pub use input::{Input, InputFault, look, name_of, open_input, read_input, read_text, reason};
pub use lock::{Access, DirectoryLock, FileLock};
pub use npz::NpzError;
pub use output::{Format, Roles, check_output};
pub use sweep::sweep;
pub use table::{Cell, CsvTable, Row};
pub use target::make_room;
pub use temporary::abandon;
