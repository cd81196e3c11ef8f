//! From a band to a tridiagonal matrix: column after column is reduced, and what that pushes out of the band is chased down
//! along it, b rows a step (Bischof, Lang and Sun 2000; Haidar, Ltaief and Dongarra 2011).
//!
//! Step t of sweep s reflects the b rows from r = s + 1 + t b on, and changes rows r to r + 2 b - 1. It needs what step t + 1 of
//! sweep s - 1 has left, so that the steps (s, t) of equal 3 s + t change rows of their own: they are a wave, which
//! is shared out among the threads. 6 n^2 b operations in all.

use ntkscope_core::{MatRef, Real};

use super::reflection::{dot, reflect, subtract};
use crate::InstructionSet;
use crate::until::Asked;

/// Steps that a thread takes at a time.
const GRAIN: usize = 4;

/// A symmetric band matrix in reduction: of row i the columns i - 2 b to i, in a line of [`line`] numbers each.
pub(super) struct Band<T, const B: usize> {
    rows: usize,
    entries: Vec<T>,
}

/// Numbers from a row to the next; not twice a power of two, by which rows would compete for places in the cache.
pub(super) const fn line(width: usize) -> usize {
    2 * width + 9
}

impl<T: Real, const B: usize> Band<T, B> {
    /// Of the lower triangle of `a`, the diagonals 0 to b below the main one.
    pub(super) fn new(a: MatRef<'_, T>) -> Self {
        let rows = a.rows();
        let mut entries = vec![T::ZERO; rows * line(B)];
        for (i, row) in entries.chunks_exact_mut(line(B)).enumerate() {
            let from = i.saturating_sub(B);
            row[2 * B + from - i..=2 * B].copy_from_slice(&a.row(i)[from..=i]);
        }
        Self { rows, entries }
    }

    /// Reduces it to tridiagonal form: `diagonal[i]` = T_ii, `off[i]` = T_i+1,i (off[n - 1] = 0).
    pub(super) fn tridiagonal(mut self, diagonal: &mut [T], off: &mut [T], asked: &Asked) {
        let n = self.rows;
        let (mut first, threads) = (0, crate::threads());
        let grain = if threads > 1 { GRAIN } else { usize::MAX };
        for time in 0..4 * n {
            // sweep s has a step at this time where r = s + 1 + (time - 3 s) b is a row above the last
            while first <= time / 3 && first_row::<B>(first, time) + 1 >= n {
                first += 1;
            }
            let wave = Wave { time, rows: n, grain };
            wave.run::<T, B>(&mut self.entries, 0, first..(time / 3 + 1).min(n.saturating_sub(2)));
            if first + 2 >= n || asked() {
                break;
            }
        }
        for (i, row) in self.entries.chunks_exact(line(B)).enumerate() {
            diagonal[i] = row[2 * B];
            if i > 0 {
                off[i - 1] = row[2 * B - 1];
            }
        }
        if n > 0 {
            off[n - 1] = T::ZERO;
        }
    }
}

/// First row that sweep `sweep` reflects at `time`.
const fn first_row<const B: usize>(sweep: usize, time: usize) -> usize {
    sweep + 1 + (time - 3 * sweep) * B
}

/// The steps of one time.
#[derive(Clone, Copy)]
struct Wave {
    time: usize,
    rows: usize,
    grain: usize,
}

impl Wave {
    /// The steps of these sweeps. `entries` begins with row `start` and has all of the rows that they change.
    fn run<T: Real, const B: usize>(self, entries: &mut [T], start: usize, sweeps: std::ops::Range<usize>) {
        if sweeps.len() <= self.grain {
            for sweep in sweeps {
                let row = first_row::<B>(sweep, self.time);
                let end = self.rows.min(row + 2 * B);
                step::<T, B>(&mut entries[(row - start) * line(B)..(end - start) * line(B)], self.time == 3 * sweep);
            }
            return;
        }
        // later sweeps are further up
        let middle = sweeps.start + sweeps.len() / 2;
        let cut = first_row::<B>(middle - 1, self.time);
        let (up, down) = entries.split_at_mut((cut - start) * line(B));
        rayon::join(
            || self.run::<T, B>(up, start, middle..sweeps.end),
            || self.run::<T, B>(down, cut, sweeps.start..middle),
        );
    }
}

/// One step: `entries` are the rows that it changes, from the first that is reflected on; `starts` says that it is the
/// first of a sweep, which reduces the column beside the diagonal in place of the first one of the bulge.
#[inline(always)]
fn step_loop<T: Real, const B: usize>(entries: &mut [T], starts: bool) {
    let rows = entries.len() / line(B);
    let own = rows.min(B);
    let column = |k: usize| if starts { 2 * B - 1 - k } else { B - k };
    let (mut v, mut w) = ([T::ZERO; B], [T::ZERO; B]);
    let (reflected, following) = entries.split_at_mut(own * line(B));
    for (k, row) in reflected.chunks_exact(line(B)).enumerate() {
        v[k] = row[column(k)];
    }
    let (beta, tau) = reflect(&mut v[..own]);
    if !starts && tau != T::ZERO {
        left::<T, B>(reflected, &v, tau);
    }
    for (k, row) in reflected.chunks_exact_mut(line(B)).enumerate() {
        row[column(k)] = if k == 0 { beta } else { T::ZERO };
    }
    if tau == T::ZERO {
        return;
    }
    // D <- D - v w^T - w v^T with w = tau (D v - tau (v . D v) v / 2)
    for (k, row) in reflected.chunks_exact(line(B)).enumerate() {
        let row = &row[2 * B - k..=2 * B];
        w[k] += dot(&row[..k], &v[..k]) + row[k] * v[k];
        subtract(&mut w[..k], -v[k], &row[..k]);
    }
    w.iter_mut().for_each(|w| *w *= tau);
    let half = tau * dot(&w, &v) / T::from_f64(2.0);
    subtract(&mut w, half, &v);
    for (k, row) in reflected.chunks_exact_mut(line(B)).enumerate() {
        let row = &mut row[2 * B - k..=2 * B];
        for ((x, v_j), w_j) in row.iter_mut().zip(&v).zip(&w) {
            *x -= v[k] * *w_j + w[k] * *v_j;
        }
    }
    // the rows below, from the right
    for (q, row) in following.chunks_exact_mut(line(B)).enumerate() {
        let row: &mut [T; B] = (&mut row[B - q..2 * B - q]).try_into().expect("b numbers");
        let share = tau * dot(row, &v);
        subtract(row, share, &v);
    }
}

/// The rows of the bulge, from the left: `X <- X - tau v v^T X`.
#[inline(always)]
fn left<T: Real, const B: usize>(reflected: &mut [T], v: &[T; B], tau: T) {
    /// columns whose sums stay in registers
    const COLUMNS: usize = 16;
    for from in (0..B).step_by(COLUMNS) {
        let columns = COLUMNS.min(B - from);
        let mut sums = [T::ZERO; COLUMNS];
        for (k, row) in reflected.chunks_exact(line(B)).enumerate() {
            subtract(&mut sums[..columns], -v[k], &row[B - k + from..][..columns]);
        }
        for (k, row) in reflected.chunks_exact_mut(line(B)).enumerate() {
            subtract(&mut row[B - k + from..][..columns], tau * v[k], &sums[..columns]);
        }
    }
}

/// [`step_loop`] with wider vectors.
///
/// # Safety
/// The machine has the instructions of AVX-512F.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn step_avx512<T: Real, const B: usize>(entries: &mut [T], starts: bool) {
    step_loop::<T, B>(entries, starts);
}

/// [`step_loop`] with wider vectors.
///
/// # Safety
/// The machine has the instructions of AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn step_avx2<T: Real, const B: usize>(entries: &mut [T], starts: bool) {
    step_loop::<T, B>(entries, starts);
}

fn step<T: Real, const B: usize>(entries: &mut [T], starts: bool) {
    match InstructionSet::here() {
        // SAFETY: AVX-512F, the one feature that the function enables, was found on this machine; slices carry their lengths.
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx512 => unsafe { step_avx512::<T, B>(entries, starts) },
        // SAFETY: as above, with AVX2.
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx2 => unsafe { step_avx2::<T, B>(entries, starts) },
        _ => step_loop::<T, B>(entries, starts),
    }
}
