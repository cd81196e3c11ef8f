//! When does a neural network leave the kernel regime, and by how much? This crate trains fully connected and residual
//! networks, measures their empirical neural tangent kernel along training, and compares it with the analytic kernel of
//! the infinitely wide network. The mathematics is `ntkscope-core`; here are data, files, a fast backend, runs,
//! figures, the studies of three papers, and the command line `ntkscope`, which is made of nothing else.
//!
//! A [`Model`](experiment::Model) says which network learns which data, a [`Training`](experiment::Training) how; both
//! are plain values with a default for every field, and [`run::run`] makes an [`Outcome`](run::Outcome) of them:
//!
//! ```
//! use ntkscope::data;
//! use ntkscope::experiment::{LossKind, Model, Training};
//! use ntkscope::machine::{Budget, Stop};
//! use ntkscope::run::run;
//!
//! // six points on the circle, a network of two hidden layers that begins at 0
//! let model = Model { width: 64, ..Model::default() };
//! let training = Training { loss: LossKind::CROSS_ENTROPY, until_time: 20.0, ..Training::default() };
//! let samples = data::load(&model.data_spec(), &Budget::default())?;
//! let outcome = run(&model, &training, &samples, &mut (), &Stop::new())?;
//! for row in &outcome.trace.rows {
//!     println!("t = {:7.3}, max |K_t - K_0| = {:.4}", row.time, row.drift_max);
//! }
//! let drift: Vec<f64> = outcome.trace.rows.iter().map(|row| row.drift_max).collect();
//! assert_eq!(drift[0], 0.0);
//! assert!(drift.last() > Some(&0.1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Work on more threads than one happens inside a pool, [`machine::with_threads`]; results do not depend on it. Somebody
//! who follows a run is a [`run::Observer`]; a [`machine::Stop`] ends it early.
//!
//! # Floors
//!
//! Modules stand on floors, and each uses only those above it in this list:
//!
//! | | |
//! | --- | --- |
//! | [`words`] | numbers, counts and guesses, as people read them |
//! | [`machine`], [`files`] | what the computer gives, what lies on a disk |
//! | [`backend`], [`plot`] | fast products and eigenvalues; figures as data |
//! | [`data`] | samples: generated, read, downloaded |
//! | [`experiment`] | what will run: a model and its training |
//! | [`checkpoint`] | networks that other programs have stored |
//! | [`kernel`] | one kernel matrix, in memory, on disk, or by its products alone |
//! | [`regression`] | ridge and logistic regression with kernels too large to be held |
//! | [`run`] | training with a record, and what fixed kernels predict of it |
//! | [`analysis`], [`report`], [`benchmark`] | measures of runs and kernels; pages; speed |
//! | [`study`], [`studies`] | grids of runs and claims about them; three papers |
//! | [`cli`] | flags, exit codes, progress bars |

#![deny(clippy::print_stderr, clippy::print_stdout)]

pub mod analysis;
pub mod benchmark;
pub mod checkpoint;
pub mod cli;
pub mod data;
pub mod experiment;
pub mod files;
pub mod kernel;
pub mod machine;
pub mod plot;
pub mod regression;
pub mod report;
pub mod run;
pub mod studies;
pub mod study;
pub mod words;

// A crate of its own, because the decompositions take a minute to compile and seldom change.
pub use ntkscope_backend as backend;
