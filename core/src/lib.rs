//! # ntkscope-core: neural tangent kernels and the training they describe
//!
//! The mathematics on one page. A network `f(x; theta)` with `P` parameters is trained on `n`
//! samples; `X` is `(n, d)`, outputs are `(n, C)`. Its **empirical NTK** at parameters `theta` is
//!
//! ```text
//! K_theta(x, x') = grad f(x; theta) . grad f(x'; theta)
//! ```
//!
//! and gradient flow on the *mean* loss `R = (1/n) sum_i l(f(x_i), y_i)` moves the outputs by
//! `df/dt = -K_theta(., X) dR/df(X)`. As the width grows, `K_theta` at initialization tends to a
//! fixed kernel, the **analytic NTK**; how far `K_theta` moves from there is what this crate measures.
//!
//! Every trainable piece of a network is a dense layer `z = c W a + s b`. With `A` its inputs
//! `(n, inputs)` and `D = df/dz` `(n, outputs)` for all samples,
//!
//! ```text
//! gradient of W: c D^T A          K = sum over layers (c^2 A A^T + s^2) o (D D^T)
//! ```
//!
//! with `o` the elementwise product: no `n x P` Jacobian is ever needed. A network only has to hand
//! out its pairs `(A, D)` ([`network::Network`]); kernels, losses, training and recording are the
//! same code for all of them.
//!
//! # Example
//!
//! The kernel of an infinitely wide network with two hidden layers, and that of a network of width 64 at initialization:
//!
//! ```
//! use ntkscope_core::forward::Params;
//! use ntkscope_core::init::initialize;
//! use ntkscope_core::kernel::{
//!     AnalyticKernel, MultiOutput, analytic, analytic_scratch, structured, structured_scratch, tangent, tangent_len,
//! };
//! use ntkscope_core::network::Fcn;
//! use ntkscope_core::{MatMut, MatRef, Portable};
//!
//! // two samples, orthogonal and of norm 1; every buffer belongs to the caller
//! let (network, x) = (Fcn::new(2, &[64, 64], 1)?, MatRef::new(&[1.0, 0.0, 0.0, 1.0], 2, 2)?);
//! let mut limit = [0.0f64; 4];
//! let mut scratch = vec![0.0; analytic_scratch(network.sizes(), Portable::TILE, 2, 2)];
//! analytic(&Portable, &network, AnalyticKernel::Ntk, x, None, MatMut::new(&mut limit, 2, 2)?, &mut scratch)?;
//! assert!((limit[0] - 3.0).abs() < 1e-14); // (L + 1) |x|^2 for L hidden layers without bias
//!
//! let mut theta = vec![0.0; network.sizes().parameters];
//! initialize(&network, 0, &mut theta)?;
//! let mut buffer = vec![0.0; tangent_len(network.sizes(), 2)];
//! let pairs = tangent(&Portable, Params::new(&network, &theta)?, x, &mut buffer)?;
//! let (mut kernel, mut scratch) = ([0.0; 4], vec![0.0; structured_scratch(Portable::TILE, 2, 2)]);
//! structured(&Portable, &pairs, None, MultiOutput::Trace, MatMut::new(&mut kernel, 2, 2)?, &mut scratch)?;
//! assert!((kernel[0] - limit[0]).abs() < 0.5 * limit[0]); // it fluctuates like 1/sqrt(width)
//! # Ok::<(), ntkscope_core::Error>(())
//! ```
//!
//! `examples/kernel.rs` trains a network and prints how its kernel moves.
//!
//! # Modules
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`real`] | the scalar: `f32`, `f64`, `Approx32`; every transcendental function |
//! | [`angle`] | an angle from the sine of its half: the arc-cosine kernels, without a branch |
//! | [`choice`] | the names of activations, losses, biases, … in files and on command lines |
//! | [`mat`] | matrix views over slices |
//! | [`backend`] | the seam for heavy work, and `Portable` |
//! | [`contract`] | what every backend and every network must satisfy: one call in a test of yours |
//! | [`linalg`] | symmetric eigenvalues and eigenvectors, Cholesky |
//! | [`network`] | descriptions (`Fcn`, `ResNet`, `Mirrored`), activations, the trait that joins them |
//! | [`forward`], [`backward`], [`jacobian`] | one pass each, and gradients |
//! | [`init`] | seeded N(0,1) parameters, same bits on every machine |
//! | [`kernel`] | empirical and analytic kernels, distances between kernels |
//! | [`loss`] | squared error, cross-entropy, exponential, hinge; soft targets; margins; probabilities of outputs |
//! | [`train`] | the objective, gradient descent, adaptive gradient flow |
//! | [`predict`] | what a kernel that stays fixed predicts: regression, flow, penalized minima, laws over initializations |
//! | [`record`] | one snapshot of a run, the recorder, a fixed-capacity record |
//! | [`state`] | training between two steps as bytes |
//!
//! Rules that hold everywhere: no allocation (buffers belong to the caller and their lengths are
//! `const fn`s of the network's [`network::Sizes`]), no `unsafe`, no threads, no I/O; a sum runs in a
//! stated order; a non-finite number is an error with the step at which it appeared.
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

#[cfg(test)]
extern crate std;

pub mod angle;
pub mod backend;
pub mod backward;
mod buffer;
pub mod choice;
pub mod contract;
pub mod error;
pub mod forward;
pub mod init;
pub mod jacobian;
pub mod kernel;
pub mod linalg;
pub mod loss;
pub mod mat;
pub mod network;
pub mod predict;
pub mod real;
pub mod record;
pub mod state;
pub mod train;

pub use backend::{Backend, BandWork, Portable, Tile};
pub use error::Error;
pub use mat::{MatMut, MatRef};
pub use real::{Approx32, Real};

/// The examples of README.md.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
