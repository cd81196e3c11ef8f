//! Where a descent was beyond its edge of stability: its readings `rate (lambda_max(H^1/2 K H^1/2) + LAMBDA) / 2` above 1.

use super::TraceRow;

/// What the rows of a descent say of its edge of stability, where a reading was above 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Edge {
    /// step and reading of the first row above 1
    pub first: (u64, f64),
    /// step and reading of the row with the highest reading
    pub highest: (u64, f64),
    /// the first row after which no reading is above 1; `None` where the last one is
    pub stable_from: Option<u64>,
    /// the kernel's largest eigenvalue in the first row above 1, and at the end
    pub lambda_max: (f64, f64),
    /// the loss in the row before the first above 1, or in that where there is none, and the largest from there on
    pub loss: (f64, f64),
}

impl Edge {
    /// Of the rows of a run; `None` where no reading is above 1.
    pub(super) fn of(rows: &[TraceRow]) -> Option<Self> {
        let above = |row: &&TraceRow| row.stability > 1.0;
        let at = rows.iter().position(|row| above(&row))?;
        let (first, from) = (&rows[at], &rows[at.saturating_sub(1)..]);
        let highest = rows.iter().filter(above).max_by(|a, b| a.stability.total_cmp(&b.stability))?;
        let last_above = rows.iter().rposition(|row| above(&row))?;
        Some(Self {
            first: (first.step, first.stability),
            highest: (highest.step, highest.stability),
            stable_from: rows.get(last_above + 1).map(|row| row.step),
            lambda_max: (first.lambda_max, rows.last()?.lambda_max),
            loss: (from[0].loss, from.iter().map(|row| row.loss).fold(from[0].loss, f64::max)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_above_1_are_found_with_their_end() {
        let rows = |readings: &[f64]| -> Vec<TraceRow> {
            let row = |(k, reading): (usize, &f64)| {
                let mut row = TraceRow::default();
                (row.step, row.stability, row.lambda_max) = (10 * k as u64, *reading, 100.0 - k as f64);
                row.loss = [0.6, 1.0, 3.0, 2.0, 0.5, 0.1][k];
                row
            };
            readings.iter().enumerate().map(row).collect()
        };
        assert_eq!(Edge::of(&rows(&[0.5, 1.0, f64::NAN])), None);
        let edge = Edge::of(&rows(&[0.9, 1.5, 2.0, 0.8, 1.1, 0.7])).unwrap();
        assert_eq!((edge.first, edge.highest, edge.stable_from), ((10, 1.5), (20, 2.0), Some(50)));
        assert_eq!((edge.lambda_max, edge.loss), ((99.0, 95.0), (0.6, 3.0)));
        assert_eq!(Edge::of(&rows(&[1.5, 0.9])).unwrap().loss, (0.6, 1.0));
        assert_eq!(Edge::of(&rows(&[0.9, 1.5])).unwrap().stable_from, None);
    }
}
