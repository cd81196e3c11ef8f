//! Files: never half written; npz archives, csv tables.

mod atomic;
mod dtype;
mod error;
pub mod npz;
pub mod numbers;
mod table;

pub use atomic::{Unfinished, nameless_file, write_atomic};
pub use dtype::Dtype;
pub use error::Error;
pub use npz::NpzError;
pub use table::{Cell, CsvTable, Row, records};
