//! The extension module `ntkscope._native`: a table of contents. It converts; all mathematics is the library's.

mod analytic;
mod arrays;
mod call;
mod chain;
mod command;
mod error;
mod kernel;
mod measures;
mod network;
mod predict;
mod product;
mod reading;
mod stored;
mod task;
mod watcher;

use pyo3::prelude::*;

#[pymodule]
mod _native {
    #[pymodule_export]
    const VERSION: &str = ntkscope::report::VERSION;

    #[pymodule_export]
    use super::analytic::{KernelFn, kernel_fn};
    #[pymodule_export]
    use super::arrays::_scalar;
    #[pymodule_export]
    use super::chain::LayerView;
    #[pymodule_export]
    use super::command::main;
    #[pymodule_export]
    use super::error::{DataError, NoLimit, NotFinite, UnsupportedLayer};
    #[pymodule_export]
    use super::kernel::{forecast, ntk};
    #[pymodule_export]
    use super::measures::{Distances, Spectrum, compare, spectrum};
    #[pymodule_export]
    use super::network::Network;
    #[pymodule_export]
    use super::predict::{_accuracy, _predict};
    #[pymodule_export]
    use super::product::ntk_product;
    #[pymodule_export]
    use super::reading::{_of_arrays, _of_keywords, _of_settings, load};
    #[pymodule_export]
    use super::stored::{_of_layers, _of_stored};
    #[pymodule_export]
    use super::watcher::Watcher;
}
