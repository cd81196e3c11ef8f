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
//! | module | what it holds |
//! | --- | --- |
//! | [`real`] | the scalar: `f32`, `f64`, `Approx32`; every transcendental function |
//! | [`angle`] | an angle from the sine of its half: the arc-cosine kernels, without a branch |
//! | [`mat`] | matrix views over slices |
//! | [`backend`] | the seam for heavy work, and `Portable` |
//! | [`linalg`] | symmetric eigenvalues and eigenvectors, Cholesky |
//! | [`network`] | descriptions (`Fcn`, `ResNet`, `Mirrored`), activations, the trait that joins them |
//! | [`forward`], [`backward`], [`jacobian`] | one pass each, and gradients |
//! | [`init`] | seeded N(0,1) parameters, same bits on every machine |
//! | [`kernel`] | empirical and analytic kernels, distances between kernels |
//! | [`loss`] | squared error, logistic, softmax; soft targets; margins |
//! | [`train`], [`flow`] | the objective, gradient descent, adaptive gradient flow |
//! | [`predict`] | what a kernel that stays fixed predicts: regression, flow, penalised minima, laws over initializations |
//! | [`record`] | one snapshot of a run, the recorder, a fixed-capacity record |
//!
//! Rules that hold everywhere: no allocation (buffers belong to the caller and their lengths are
//! `const fn`s of the network's [`network::Sizes`]), no `unsafe`, no threads, no I/O; a sum runs in a
//! stated order; a non-finite number is an error with the step at which it appeared.
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod angle;
pub mod backend;
pub mod backward;
pub mod contract;
pub mod error;
pub mod flow;
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
pub mod train;

pub use backend::{Backend, BandWork, Portable, Tile};
pub use error::Error;
pub use mat::{MatMut, MatRef};
pub use real::{Approx32, Real};
