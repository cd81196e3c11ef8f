//! How the rows of a kernel are dealt out to ranks.
//!
//! Leaves are gathered into at most 64 groups of neighbours, whose number depends on the number of rows alone. A group's share of a
//! sum is computed by one rank, and the shares are added in the order of the groups: the bits depend on the groups, not on who
//! has them.

use std::ops::Range;

use ntkscope_core::MatMut;

use crate::machine::Ranks;

/// Most groups. Ranks that divide it have equally much to do; more of them have none.
const MOST: usize = 64;

/// Rows in groups; group g is that of rank g mod P.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kernel) struct Groups {
    rows: usize,
    each: usize,
    leaf: usize,
}

impl Groups {
    /// Of these rows, cut into leaves.
    pub(in crate::kernel) fn of(rows: usize, leaf: usize) -> Self {
        Self { rows, each: rows.div_ceil(leaf).div_ceil(MOST).max(1) * leaf, leaf }
    }

    pub(in crate::kernel) fn count(self) -> usize {
        self.rows.div_ceil(self.each)
    }

    /// Rows of all.
    pub(in crate::kernel) fn samples(self) -> usize {
        self.rows
    }

    /// The rows of a group.
    pub(in crate::kernel) fn rows(self, group: usize) -> Range<usize> {
        group * self.each..self.rows.min((group + 1) * self.each)
    }

    /// The leaves of a group.
    pub(in crate::kernel) fn leaves(self, group: usize) -> impl Iterator<Item = Range<usize>> {
        let rows = self.rows(group);
        rows.clone().step_by(self.leaf).map(move |first| first..rows.end.min(first + self.leaf))
    }

    /// The groups of this rank, ascending.
    pub(in crate::kernel) fn own(self, ranks: &dyn Ranks) -> impl Iterator<Item = usize> + use<> {
        (ranks.rank()..self.count()).step_by(ranks.size())
    }

    /// Of `all` (k, s rows), with s columns for each row, every rank has the columns of its groups: now it has those of all.
    pub(in crate::kernel) fn gather(self, ranks: &dyn Ranks, columns: usize, mut all: MatMut<'_, f64>) {
        if ranks.size() == 1 {
            return;
        }
        let of = |group: usize| {
            let rows = self.rows(group);
            rows.start * columns..rows.end * columns
        };
        let vectors = all.rows();
        let mut own = Vec::new();
        for group in self.own(ranks) {
            (0..vectors).for_each(|k| own.extend_from_slice(&all.row_mut(k)[of(group)]));
        }
        let parts = ranks.share(&own);
        let mut rest: Vec<&[f64]> = parts.iter().map(|part| &part[..]).collect();
        for group in 0..self.count() {
            for k in 0..vectors {
                let to = &mut all.row_mut(k)[of(group)];
                let (now, after) = rest[group % ranks.size()].split_at(to.len());
                to.copy_from_slice(now);
                rest[group % ranks.size()] = after;
            }
        }
    }
}
