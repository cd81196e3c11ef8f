//! The files of numbers that a run leaves: what was recorded, and with it what a reader needs, so that each can be used
//! without the run.

use std::path::Path;

use super::{Kernels, Outcome, Predictions, RunDirectory, SnapshotKernels, write_archive};
use crate::data::{Classes, Samples};
use crate::files::npz::Array;
use crate::files::{self, Dtype};

impl RunDirectory {
    /// `trace.csv`, `kernels.npz`, of a curve `profile.csv`, and where there are predictions `predictions.csv` and `predictions.npz`,
    /// where training has an end `limit.csv` and `limit.npz`.
    ///
    /// # Errors
    /// [`files::Error::Io`].
    pub fn write_record(&self, outcome: &Outcome, samples: &Samples, dtype: Dtype) -> Result<(), files::Error> {
        outcome.trace.write(&self.file("trace.csv"))?;
        self.write_kernels(outcome, samples, dtype)?;
        outcome.profile.iter().try_for_each(|profile| profile.write(&self.file("profile.csv")))?;
        let Some(predictions) = outcome.predictions.made() else { return Ok(()) };
        let c = outcome.outputs;
        let rows = |values: &[f64]| vec![values.len() / c.max(1), c];
        let (x, y) = (samples.x.iter().chain(&samples.held_out).copied().collect(), &samples.y);
        let sampled: [Shaped<'_>; 5] = [
            ("x", vec![samples.n + samples.held_out_count(), samples.d], &x),
            ("y", samples.y_shape(), y),
            ("held_out_y", samples.shape_of(&samples.held_out_y), &samples.held_out_y),
            ("targets", rows(&outcome.targets), &outcome.targets),
            ("classes", vec![samples.classes], &samples.map.as_ref().map_or(Vec::new(), Classes::numbers)),
        ];
        if let Some(limit) = &predictions.limit {
            limit.row.write(&self.file("limit.csv"))?;
            let shape = rows(&limit.network);
            let outputs: [Shaped<'_>; 3] = [
                ("network", shape.clone(), &limit.network),
                ("ntk", shape.clone(), &limit.ntk),
                ("linearized", shape, &limit.linearized),
            ];
            write_present(&self.file("limit.npz"), outputs.iter().chain(&sampled), Dtype::F64)?;
        }
        let (Some(ntk), Some(linearized)) = (&predictions.ntk, &predictions.linearized) else { return Ok(()) };
        predictions.table.write(&self.file("predictions.csv"))?;
        // (snapshots, n + h, C), number by number: they are many
        let Predictions { times, log_times, network, .. } = predictions;
        let (count, each) = (log_times.len(), network.first().map_or(0, Vec::len));
        let (snapshots, shape) = ([count], [count, each / c, c]);
        let (time, log_time) = (|at: usize| times[at], |at: usize| log_times[at]);
        let network = |at: usize| network[at / each][at % each];
        let (ntk, linearized) = (ntk.numbers(), linearized.numbers());
        let array = |name, shape, number| Array { name, shape, dtype: Dtype::F64, number };
        let mut arrays = vec![
            array("time", &snapshots[..], &time as &dyn Fn(usize) -> f64),
            array("log_time", &snapshots, &log_time),
            array("network", &shape, &network),
            array("ntk", &shape, &ntk),
            array("linearized", &shape, &linearized),
        ];
        let sampled = || sampled.iter().filter(|(_, _, numbers)| !numbers.is_empty());
        let numbers: Vec<_> = sampled().map(|(_, _, numbers)| |at: usize| numbers[at]).collect();
        arrays.extend(sampled().zip(&numbers).map(|((name, shape, _), number)| array(name, shape, number)));
        write_archive(&self.file("predictions.npz"), &arrays)
    }

    /// `kernels.npz`: kernels of the training samples, the samples, and what the outputs are fitted to.
    fn write_kernels(&self, outcome: &Outcome, samples: &Samples, dtype: Dtype) -> Result<(), files::Error> {
        let Kernels { analytic, initial, last, snapshots, .. } = &outcome.kernels;
        let none = SnapshotKernels::default();
        let SnapshotKernels { effective, points, spectra } = snapshots.as_ref().unwrap_or(&none);
        let times: Vec<f64> = outcome.trace.rows.iter().map(|row| row.time).collect();
        let (n, classes) = (samples.n, samples.map.as_ref().map_or(Vec::new(), Classes::numbers));
        let arrays: [Shaped<'_>; 11] = [
            ("analytic", vec![n, n], analytic),
            ("initial", vec![n, n], initial),
            ("final", vec![n, n], last),
            ("times", vec![times.len()], &times),
            ("snapshots", vec![effective.len() / (n * n).max(1), n, n], effective),
            ("points", vec![points.len() / (n * n).max(1), n, n], points),
            ("spectra", vec![spectra.len() / n.max(1), n], spectra),
            ("x", vec![n, samples.d], &samples.x),
            ("y", samples.y_shape(), &samples.y),
            ("targets", vec![n, outcome.outputs], &outcome.targets),
            ("classes", vec![samples.classes], &classes),
        ];
        // kernels in the precision that they were computed in, the rest as it is
        let dtypes =
            |name: &str| if ["x", "y", "targets", "classes", "times"].contains(&name) { Dtype::F64 } else { dtype };
        write_present_as(&self.file("kernels.npz"), arrays.iter(), dtypes)
    }
}

/// An array's name, shape and numbers.
type Shaped<'a> = (&'a str, Vec<usize>, &'a Vec<f64>);

/// Those arrays that hold something, as an npz archive.
fn write_present<'a>(
    path: &Path,
    arrays: impl Iterator<Item = &'a Shaped<'a>>,
    dtype: Dtype,
) -> Result<(), files::Error> {
    write_present_as(path, arrays, |_| dtype)
}

fn write_present_as<'a>(
    path: &Path,
    arrays: impl Iterator<Item = &'a Shaped<'a>>,
    dtype: impl Fn(&str) -> Dtype,
) -> Result<(), files::Error> {
    let arrays: Vec<&Shaped<'_>> = arrays.filter(|(_, _, numbers)| !numbers.is_empty()).collect();
    let numbers: Vec<_> = arrays.iter().map(|(_, _, data)| |at: usize| data[at]).collect();
    let arrays: Vec<Array<'_>> = arrays
        .iter()
        .zip(&numbers)
        .map(|((name, shape, _), number)| Array { name, shape, dtype: dtype(name), number })
        .collect();
    write_archive(path, &arrays)
}
