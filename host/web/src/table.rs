//! The rows that the page draws: a row for every snapshot, each number at a place of its own.

use core::fmt::Write;

use heapless::String;
use ntkscope_core::record::{Snapshot, Value};

use crate::curve;
use crate::experiment::{Digest, N};
use crate::run::MOST_SNAPSHOTS;

/// Columns of `trace.csv`.
const COLUMNS: usize = Snapshot::<f32>::COLUMNS.len();

/// log10 t
const DECADE: usize = 0;
const SNAPSHOT: usize = DECADE + 1;
const NETWORK: usize = SNAPSHOT + COLUMNS;
const LINEARIZED: usize = NETWORK + N;
const INFINITE: usize = LINEARIZED + N;
const KERNEL: usize = INFINITE + N;
const CURVE: usize = KERNEL + N * N;
/// Numbers of a row.
pub const ROW: usize = CURVE + curve::POINTS;

/// Rows of a run: those of the command line, and the one at the end of time.
const ROWS: usize = MOST_SNAPSHOTS + 1;

/// One moment.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct Row([f32; ROW]);

/// The moments of a run, after a row of the limit of infinite width: its kernel, and the kernel along the circle.
#[derive(Debug)]
#[repr(C)]
pub struct Table {
    limit: Row,
    rows: [Row; ROWS],
    len: usize,
    recorded: usize,
}

/// Every column of a snapshot, in the order of `trace.csv`: counts as numbers, true as 1.
pub fn numbers(snapshot: &Snapshot<f32>) -> impl Iterator<Item = f32> {
    Snapshot::COLUMNS.iter().map(|column| match column.get(snapshot) {
        Value::Count(count) => count as f32,
        Value::Number(number) => number,
        Value::Flag(flag) => f32::from(u8::from(flag)),
    })
}

impl Row {
    /// Zeros, which take no place in a file.
    pub(crate) const EMPTY: Self = Self([0.0; ROW]);

    /// log10 t, and every column of the snapshot.
    pub(crate) fn set_snapshot(&mut self, decade: f32, snapshot: &Snapshot<f32>) {
        self.0[DECADE] = decade;
        for (place, number) in self.0[SNAPSHOT..NETWORK].iter_mut().zip(numbers(snapshot)) {
            *place = number;
        }
    }
    /// The outputs of the network on the samples.
    pub(crate) fn network(&mut self) -> &mut [f32] {
        &mut self.0[NETWORK..LINEARIZED]
    }
    /// Those under K_0: of the network linearized at initialization.
    pub(crate) fn linearized(&mut self) -> &mut [f32] {
        &mut self.0[LINEARIZED..INFINITE]
    }
    /// Those under the analytic NTK, from the network's own outputs at initialization.
    pub(crate) fn infinite(&mut self) -> &mut [f32] {
        &mut self.0[INFINITE..KERNEL]
    }
    /// K_t `(N, N)`
    pub(crate) fn kernel(&mut self) -> &mut [f32] {
        &mut self.0[KERNEL..CURVE]
    }
    /// K_t((1, 0), x) around the circle.
    pub(crate) fn curve(&mut self) -> &mut [f32] {
        &mut self.0[CURVE..]
    }
    /// The columns of `trace.csv`.
    pub fn columns(&self) -> &[f32] {
        &self.0[SNAPSHOT..NETWORK]
    }
}

impl Table {
    /// No row.
    pub const fn new() -> Self {
        Self { limit: Row::EMPTY, rows: [Row::EMPTY; ROWS], len: 0, recorded: 0 }
    }

    pub(crate) fn clear(&mut self) {
        (self.len, self.recorded) = (0, 0);
    }
    pub(crate) fn limit(&mut self) -> &mut Row {
        &mut self.limit
    }
    /// One more row; `recorded` where the command line has it too.
    pub(crate) fn push(&mut self, row: Row, recorded: bool) {
        if let Some(place) = self.rows.get_mut(self.len) {
            *place = row;
            self.len += 1;
            self.recorded += usize::from(recorded);
        }
    }
    /// The last row once more, at a later time: nothing moves any more.
    pub(crate) fn repeat(&mut self, decade: f32) {
        if let Some(mut row) = self.rows().last().copied() {
            row.0[DECADE] = decade;
            self.push(row, false);
        }
    }

    /// The rows so far.
    pub fn rows(&self) -> &[Row] {
        &self.rows[..self.len]
    }
    /// How many of them are those of the command line's `trace.csv`.
    pub fn recorded(&self) -> usize {
        self.recorded
    }

    /// Of all that the command line records: every column of every row of its `trace.csv`.
    pub fn digest(&self) -> Digest {
        let mut digest = Digest::new();
        let rows = self.rows[..self.recorded].iter();
        rows.flat_map(Row::columns).for_each(|number| digest.add(*number));
        digest
    }

    /// The names of what a row holds, in their order, each with how many numbers it has: a line each.
    pub fn layout() -> String<1024> {
        let mut text = String::new();
        let columns = Snapshot::<f32>::COLUMNS.iter().map(|column| (column.name(), 1));
        let before = [("decade", 1)].into_iter();
        let after = [("network", N), ("linearized", N), ("infinite", N), ("kernel", N * N), ("curve", curve::POINTS)];
        for (name, count) in before.chain(columns).chain(after) {
            // there is room: a test reads it all
            let _ = writeln!(text, "{name} {count}");
        }
        text
    }
}

impl Default for Table {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_counts_every_number_of_a_row() {
        let layout = Table::layout();
        let counts = layout.lines().map(|line| line.split_once(' ').unwrap().1.parse::<usize>().unwrap());
        assert_eq!(counts.sum::<usize>(), ROW);
    }
}
