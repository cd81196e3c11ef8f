//! The name of every file that a run or an estimate leaves in its directory. Nothing else is written there, so that all of
//! it can be found again.

use std::path::{Path, PathBuf};

/// Files in the directory itself, and in that of each part where there are two.
pub(super) const FILES: [&str; 18] = [
    "run.toml",
    "state.bin",
    "trace.csv",
    "kernels.npz",
    "params.npz",
    "profile.csv",
    "predictions.csv",
    "predictions.npz",
    "limit.csv",
    "limit.npz",
    "report.html",
    // of a device
    "frames.txt",
    "numbers.csv",
    "times.csv",
    // of an estimate of smoothness
    "spectra.csv",
    "smoothness.svg",
    "smoothness.pdf",
    "smoothness.png",
];

/// The directory of a run's figures.
pub(super) const FIGURE_FOLDER: &str = "figures";

/// What a run's figures are called.
pub(super) const FIGURES: [&str; 18] = [
    "loss",
    "drift",
    "lambda_min",
    "param_distance",
    "margin",
    "drift_margin",
    "prediction",
    "kernel",
    "spectrum",
    "profile",
    // of each part, where there are two
    "kernel_cross-entropy",
    "kernel_mse",
    "kernel_flow",
    "kernel_gd",
    "profile_cross-entropy",
    "profile_mse",
    "profile_flow",
    "profile_gd",
];

/// The directories of the parts of a run: of the losses or the optimizers, where there are both, or of a
/// device's experiment.
pub(super) const PARTS: [&str; 5] = ["cross-entropy", "mse", "flow", "gd", "squared-error"];

/// The directories in a run's directory.
pub(super) fn folders(directory: &Path) -> impl Iterator<Item = PathBuf> {
    std::iter::once(FIGURE_FOLDER).chain(PARTS).map(|folder| directory.join(folder))
}

/// Where the runs of both losses or optimizers lie in their common directory.
pub fn part_directories(directory: &Path) -> impl Iterator<Item = PathBuf> + '_ {
    PARTS.iter().map(|part| directory.join(part))
}

/// Every path that a run or an estimate can write in `directory`.
pub fn result_paths(directory: &Path) -> Vec<PathBuf> {
    let places = std::iter::once(directory.to_path_buf()).chain(PARTS.map(|part| directory.join(part)));
    let files = places.flat_map(|place| FILES.map(|name| place.join(name)));
    let figures = FIGURES.iter().flat_map(|name| ["svg", "pdf", "png"].map(|ending| format!("{name}.{ending}")));
    files.chain(figures.map(|name| directory.join(FIGURE_FOLDER).join(name))).collect()
}
