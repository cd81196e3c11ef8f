//! Cases, tolerances and golden numbers shared by the test binaries.

pub mod cases;
pub mod drift;
pub mod golden;
pub mod measure;
pub mod tolerance;
