//! Bands of rows, shared out among the threads of the pool.

use std::sync::Mutex;

use ntkscope_core::{BandWork, MatMut, Real};
use rayon::prelude::*;

/// [`ntkscope_core::Backend::for_each_band`].
pub(super) fn for_each_band<T: Real>(out: MatMut<'_, T>, rows_per_band: usize, scratch: &[T], work: &BandWork<'_, T>) {
    assert!(rows_per_band > 0, "for_each_band: bands of 0 rows");
    let mut bands = Vec::new();
    let (mut first, mut rest) = (0, out);
    while rest.rows() > 0 {
        let rows = rows_per_band.min(rest.rows());
        let (band, tail) = rest.split_at_row(rows);
        bands.push((first, band));
        first += rows;
        rest = tail;
    }
    let (len, workers) = (scratch.len(), crate::threads().min(bands.len()));
    // the last bands of a lower triangle are the longest: every thread takes the longest that is left
    let bands = Mutex::new(bands);
    let worker = || {
        let mut scratch = vec![T::ZERO; len];
        let next = || bands.lock().expect("no panic while it is held").pop();
        while let Some((first, band)) = next() {
            work(first, band, &mut scratch);
        }
    };
    if workers > 1 {
        (0..workers).into_par_iter().with_max_len(1).for_each(|_| worker());
    } else {
        worker();
    }
}
