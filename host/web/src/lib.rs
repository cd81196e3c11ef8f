//! The engine of the page in `page/`: one network trained on six points of the circle, and all that the page draws.
//!
//! It computes with `ntkscope-core` and `f32` alone, so a run has the bits of
//! `ntkscope run --dtype f32 --backend portable`, and [`experiment`], the firmware's own files, those of the
//! microcontroller. As WebAssembly it is called through `exports`; natively it is the reference that the page is
//! compared with.
//!
//! - [`settings`]: what the controls set
//! - [`net`]: a network, mirrored or not, as one type
//! - [`run`]: training, recorded as the command line does
//! - [`device`]: the microcontroller's experiment
//! - [`curve`]: the kernel between (1, 0) and points around the circle
//! - [`fixed`]: the outputs under kernels that do not move
//! - [`table`]: the rows that the page draws, and where in a row each number lies
#![cfg_attr(target_arch = "wasm32", no_std)]

pub mod curve;
pub mod device;
#[path = "../../../firmware/src/experiment/mod.rs"]
pub mod experiment;
#[cfg(target_arch = "wasm32")]
pub mod exports;
pub mod fixed;
pub mod net;
pub mod run;
pub mod settings;
pub mod table;
