//! The trace of a run: one row per snapshot, kept in `trace.csv`.

use crate::files::write_atomic;
use anyhow::{Context, Result, bail};
use std::fmt::Write;
use std::path::Path;

/// The columns of `trace.csv`, in order.
pub const COLUMNS: [&str; 20] = [
    "step",
    "time",
    "loss",
    "accuracy",
    "margin_min",
    "margin_mean",
    "logit_max",
    "param_norm",
    "param_distance",
    "drift_max",
    "drift_fro",
    "error_max",
    "error_fro",
    "alignment",
    "lambda_min",
    "lambda_max",
    "condition",
    "effective_rank",
    "finite",
    "log_time",
];

/// A snapshot of a run; NaN stands for what was not measured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TraceRow {
    /// Steps taken so far.
    pub step: u64,
    /// Gradient-flow time t of the mean loss; infinite beyond the range of an f64.
    pub time: f64,
    /// Loss, a mean over the samples.
    pub loss: f64,
    /// Share of the samples classified rightly.
    pub accuracy: f64,
    /// Smallest margin over the samples, in logit units.
    pub margin_min: f64,
    /// Mean margin.
    pub margin_mean: f64,
    /// Largest modulus of an output.
    pub logit_max: f64,
    /// |theta_t|.
    pub param_norm: f64,
    /// |theta_t - theta_0|.
    pub param_distance: f64,
    /// max_ij |K_t - K_0|.
    pub drift_max: f64,
    /// |K_t - K_0| / |K_0| in the Frobenius norm.
    pub drift_fro: f64,
    /// max_ij |K_t - Theta|, Theta the analytic NTK.
    pub error_max: f64,
    /// |K_t - Theta| / |Theta| in the Frobenius norm.
    pub error_fro: f64,
    /// Centred alignment of K_t with K_0.
    pub alignment: f64,
    /// Smallest eigenvalue of K_t.
    pub lambda_min: f64,
    /// Largest eigenvalue of K_t.
    pub lambda_max: f64,
    /// Their quotient.
    pub condition: f64,
    /// Effective rank of K_t.
    pub effective_rank: f64,
    /// Whether the state of the run was finite.
    pub finite: bool,
    /// ln(1 + t), finite even where t is not.
    pub log_time: f64,
}

impl TraceRow {
    /// The columns from `time` to `effective_rank`, in order.
    fn measured(&mut self) -> [&mut f64; 17] {
        [
            &mut self.time,
            &mut self.loss,
            &mut self.accuracy,
            &mut self.margin_min,
            &mut self.margin_mean,
            &mut self.logit_max,
            &mut self.param_norm,
            &mut self.param_distance,
            &mut self.drift_max,
            &mut self.drift_fro,
            &mut self.error_max,
            &mut self.error_fro,
            &mut self.alignment,
            &mut self.lambda_min,
            &mut self.lambda_max,
            &mut self.condition,
            &mut self.effective_rank,
        ]
    }

    fn line(mut self) -> String {
        let mut line = self.step.to_string();
        for value in self.measured() {
            // `Debug` is the shortest text that reads back as the same number, with an exponent where that is shorter.
            let _ = write!(line, ",{value:?}");
        }
        let _ = write!(line, ",{},{:?}", self.finite, self.log_time);
        line
    }

    fn parse(line: &str) -> Result<Self> {
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        if cells.len() != COLUMNS.len() {
            bail!("{} columns instead of {}", cells.len(), COLUMNS.len());
        }
        let wrong = |i: usize| format!("column {} holds {:?}", COLUMNS[i], cells[i]);
        let mut row = Self { step: cells[0].parse().with_context(|| wrong(0))?, ..Self::default() };
        for (i, value) in row.measured().into_iter().enumerate() {
            *value = cells[i + 1].parse().with_context(|| wrong(i + 1))?;
        }
        row.finite = cells[18].parse().with_context(|| wrong(18))?;
        row.log_time = cells[19].parse().with_context(|| wrong(19))?;
        Ok(row)
    }
}

/// The snapshots of one run, with the name it has in figures.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// What tells this run from others in the same figure: `cross-entropy`.
    pub label: String,
    /// In order of time.
    pub rows: Vec<TraceRow>,
}

impl Trace {
    /// The text of `trace.csv`. Every number reads back as the same bits (NaN as some NaN).
    pub fn to_csv(&self) -> String {
        let mut text = COLUMNS.join(",");
        text.push('\n');
        for row in &self.rows {
            text.push_str(&row.line());
            text.push('\n');
        }
        text
    }

    /// Reads the text of a `trace.csv`.
    pub fn from_csv(label: impl Into<String>, text: &str) -> Result<Self> {
        let mut lines = text.lines().enumerate();
        let header = lines.next().map_or("", |(_, line)| line).trim();
        if header != COLUMNS.join(",") {
            bail!("the first line is not the header of a trace: expected {}, found {header:?}", COLUMNS.join(","));
        }
        let rows = lines.filter(|(_, line)| !line.trim().is_empty());
        let rows = rows.map(|(i, line)| TraceRow::parse(line).with_context(|| format!("line {}", i + 1)));
        Ok(Self { label: label.into(), rows: rows.collect::<Result<_>>()? })
    }

    /// Writes `trace.csv` to `path`, under a temporary name first.
    pub fn write(&self, path: &Path) -> Result<()> {
        Ok(write_atomic(path, self.to_csv().as_bytes())?)
    }

    /// Reads a `trace.csv`.
    pub fn read(label: impl Into<String>, path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::from_csv(label, &text).with_context(|| format!("{} is damaged", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(row: TraceRow) -> Vec<u64> {
        let mut row = row;
        let mut bits = vec![row.step, u64::from(row.finite), row.log_time.to_bits()];
        bits.extend(row.measured().map(|value| value.to_bits()));
        bits
    }

    #[test]
    fn csv_reads_back_bit_for_bit() {
        let awkward = [
            0.1,
            -0.0,
            f64::MAX,
            f64::from_bits(1),
            f64::INFINITY,
            f64::NEG_INFINITY,
            1.0 / 3.0,
            1e300,
            5e-324,
            f64::NAN,
        ];
        let mut rows = Vec::new();
        for shift in 0..awkward.len() {
            let mut row = TraceRow { step: u64::MAX - shift as u64, finite: shift % 2 == 0, ..TraceRow::default() };
            row.log_time = awkward[shift];
            let values = row.measured().into_iter().enumerate();
            values.for_each(|(i, value)| *value = awkward[(i + shift) % awkward.len()]);
            rows.push(row);
        }
        let trace = Trace { label: "x".into(), rows };
        let folder = std::env::temp_dir().join(format!("ntkscope-trace-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        trace.write(&folder.join("trace.csv")).unwrap();
        let back = Trace::read("x", &folder.join("trace.csv")).unwrap();
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "a temporary file was left");
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(back.rows.len(), trace.rows.len());
        for (a, b) in trace.rows.into_iter().zip(back.rows) {
            assert_eq!(bits(a), bits(b));
        }
    }

    #[test]
    fn each_column_is_the_field_of_its_name() {
        let row = TraceRow { drift_max: 1.5, effective_rank: 2.5, log_time: 3.5, time: 4.5, ..TraceRow::default() };
        let line = row.line();
        let cell = |name| line.split(',').nth(COLUMNS.iter().position(|&c| c == name).unwrap()).unwrap();
        assert_eq!(
            ["drift_max", "effective_rank", "log_time", "time", "finite"].map(cell),
            ["1.5", "2.5", "3.5", "4.5", "false"]
        );
    }

    #[test]
    fn damage_is_named() {
        let good = Trace { label: String::new(), rows: vec![TraceRow::default()] }.to_csv();
        assert!(Trace::from_csv("", "step,time\n").unwrap_err().to_string().contains("header"));
        let wrong = format!("{:#}", Trace::from_csv("", &good.replacen("0,0.0", "0,zero", 1)).unwrap_err());
        assert!(wrong.contains("line 2") && wrong.contains("time") && wrong.contains("zero"), "{wrong}");
        let short = format!("{}1,2\n", good);
        assert!(format!("{:#}", Trace::from_csv("", &short).unwrap_err()).contains("line 3"));
    }
}
