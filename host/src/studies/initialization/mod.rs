//! "On the Impacts of the Random Initialization in the Neural Tangent Kernel Theory" (Chen, Li, Lin, NeurIPS 2024): a
//! network that starts from its random outputs f^GP has to unlearn them, and they are rough for its own kernel.
//!
//! | what | where |
//! | --- | --- |
//! | points, targets, f^GP | [`points`] |
//! | eigenvalues and eigenfunctions of a kernel on n points, power laws | [`spectrum`], on spheres [`decay`] |
//! | how smooth a function is for a kernel | [`smoothness`], of labels [`labels`] |
//! | excess risk of the kernel's flow against n, from 0 and from f^GP | [`learning`] |
//! | the same of networks | [`replica`] |
//! | outputs of networks at random initialization | [`outputs`] |
//!
//! Squared error throughout; time t is that of the mean loss.

pub mod claims;
pub mod decay;
pub mod figures;
pub mod labels;
pub mod learning;
pub mod outputs;
pub mod plan;
pub mod replica;
mod study;

pub use study::Initialization;
