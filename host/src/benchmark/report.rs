//! Medians over the rounds, beside the machine's limits.

use std::fmt;

use bytesize::ByteSize;
use ntkscope_core::Error;
use serde::Serialize;

use super::cases::{Case, ONE_THREAD, What};
use super::{GEMM_SIZE, PROBES, Probe, Reading, TRIAD_LEN};
use crate::backend::InstructionSet;
use crate::files::Dtype;
use crate::words::{count, number};

/// What the machine can do. A multiply-add is two operations.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// 10^9 operations per second of a product of f32 matrices on all threads
    pub gemm_gflops_f32: f64,
    /// the same in f64
    pub gemm_gflops_f64: f64,
    /// 10^9 bytes per second of the triad, read and written
    pub bandwidth_gb_s: f64,
    /// threads
    pub threads: usize,
    /// of a product of f32 matrices on one thread
    pub gemm_gflops_f32_one_thread: f64,
    /// rows and columns of these matrices
    pub gemm_size: usize,
    /// bytes of the triad's three arrays
    pub triad_bytes: usize,
    /// vector instructions of the products
    pub instruction_set: &'static str,
}

/// Which limit is nearer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NearerLimit {
    /// the products' multiply-adds
    Gemm,
    /// the bytes to be moved
    Bandwidth,
}

/// What was measured of one case.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// the case
    #[serde(flatten)]
    pub case: Case,
    /// its least work
    #[serde(flatten)]
    pub work: super::LeastWork,
    /// seconds per call, the median over the rounds
    pub seconds: f64,
    /// the first and the third quartile of them
    pub seconds_quartiles: [f64; 2],
    /// rounds
    pub runs: usize,
    /// seconds that the least work takes at the machine's rate, over `seconds`
    pub fraction_of_limit: f64,
    /// the rate that this is
    pub limit: NearerLimit,
    /// largest peak of memory of all rounds; `None` where the system does not say
    pub peak_bytes: Option<u64>,
    /// threads
    pub threads: usize,
}

/// Machine and cases; `Display` is a table.
#[derive(Clone, Debug, Serialize)]
pub struct BenchmarkReport {
    /// the machine
    pub machine: Machine,
    /// a row per case
    pub cases: Vec<Row>,
}

impl Machine {
    /// From the readings of [`PROBES`], one or more of each.
    fn new(threads: usize, readings: &[Vec<Reading>]) -> Self {
        let rate = |probe: Probe| {
            let at = PROBES.iter().position(|p| *p == probe).expect("one of the probes");
            let seconds = quantiles(readings[at].iter().map(|reading| reading.seconds).collect())[1];
            probe.work() as f64 / seconds / 1e9
        };
        Self {
            gemm_gflops_f32: rate(Probe::Gemm { dtype: Dtype::F32, one_thread: false }),
            gemm_gflops_f64: rate(Probe::Gemm { dtype: Dtype::F64, one_thread: false }),
            gemm_gflops_f32_one_thread: rate(Probe::Gemm { dtype: Dtype::F32, one_thread: true }),
            bandwidth_gb_s: rate(Probe::Triad),
            threads,
            gemm_size: GEMM_SIZE,
            triad_bytes: 3 * TRIAD_LEN * size_of::<f64>(),
            instruction_set: InstructionSet::here().name(),
        }
    }

    /// Seconds below which the case cannot come at these rates, and why.
    fn least(&self, case: &Case, work: super::LeastWork) -> (f64, NearerLimit) {
        let gflops = match (case.dtype, case.one_thread) {
            (Dtype::F32, true) => self.gemm_gflops_f32_one_thread,
            (Dtype::F32, false) => self.gemm_gflops_f32,
            (Dtype::F64, _) => self.gemm_gflops_f64,
        };
        let products = 2.0 * work.multiply_adds as f64 / gflops / 1e9;
        let traffic = work.bytes as f64 / self.bandwidth_gb_s / 1e9;
        if products >= traffic { (products, NearerLimit::Gemm) } else { (traffic, NearerLimit::Bandwidth) }
    }
}

impl BenchmarkReport {
    /// From the readings of [`PROBES`] and of the cases, the same number of each, at least one.
    ///
    /// # Errors
    /// A case with a size of 0.
    pub fn new(threads: usize, cases: &[Case], readings: &[Vec<Reading>]) -> Result<Self, Error> {
        let (of_probes, of_cases) = readings.split_at(PROBES.len());
        let machine = Machine::new(threads, of_probes);
        let row = |(case, readings): (&Case, &Vec<Reading>)| {
            let [first, seconds, third] = quantiles(readings.iter().map(|reading| reading.seconds).collect());
            let work = case.work()?;
            let (least, limit) = machine.least(case, work);
            Ok(Row {
                case: *case,
                work,
                seconds,
                seconds_quartiles: [first, third],
                runs: readings.len(),
                fraction_of_limit: least / seconds,
                limit,
                peak_bytes: readings.iter().filter_map(|reading| reading.peak_bytes).max(),
                threads: if case.one_thread { 1 } else { threads },
            })
        };
        let cases = cases.iter().zip(of_cases).map(row).collect::<Result<_, Error>>()?;
        Ok(Self { machine, cases })
    }

    /// How many threads, how many times as fast as one, and the case, where a case was measured on one thread too.
    fn speed_ups(&self) -> impl Iterator<Item = (usize, f64, &'static str)> {
        self.cases.iter().filter_map(|one| {
            let name = one.case.name.strip_suffix(ONE_THREAD)?;
            let all = self.cases.iter().find(|row| row.case.name == name)?;
            Some((all.threads, one.seconds / all.seconds, name))
        })
    }
}

/// Quartiles, the median in the middle, linear between two values.
fn quantiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [0.25, 0.5, 0.75].map(|share| {
        let at = share * (values.len() - 1) as f64;
        let (low, high) = (values[at.floor() as usize], values[at.ceil() as usize]);
        low + at.fract() * (high - low)
    })
}

impl fmt::Display for BenchmarkReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine { threads, instruction_set, gemm_size, .. } = self.machine;
        let rate = number;
        writeln!(f, "machine: threads {threads}, instructions {instruction_set}")?;
        writeln!(
            f,
            "products of {gemm_size} x {gemm_size} matrices: {} GFlop/s in f32, {} on one thread, {} in f64",
            rate(self.machine.gemm_gflops_f32),
            rate(self.machine.gemm_gflops_f32_one_thread),
            rate(self.machine.gemm_gflops_f64)
        )?;
        let triad = ByteSize::b(self.machine.triad_bytes as u64);
        writeln!(f, "memory: {} GB/s, a + s b over {triad}\n", rate(self.machine.bandwidth_gb_s))?;
        let head = ["case", "network", "n", "", "threads", "median", "middle half", "of the limit", "peak"];
        let mut lines = vec![head.map(str::to_owned)];
        lines.extend(self.cases.iter().map(Row::cells));
        let widths: [usize; 9] =
            std::array::from_fn(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0));
        for line in &lines {
            let padded: Vec<String> = line.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            writeln!(f, "{}", padded.join("  ").trim_end())?;
        }
        for (threads, times, name) in self.speed_ups() {
            let are = if threads == 1 { "is" } else { "are" };
            writeln!(f, "\n{name}: {} {are} {} times as fast as one", count(threads, "thread"), rate(times))?;
        }
        Ok(())
    }
}

impl Row {
    fn cells(&self) -> [String; 9] {
        let Case { name, what, n, inputs, width, depth, outputs, dtype, .. } = self.case;
        let network = match what {
            What::AnalyticNtk => format!("{inputs}, {depth} hidden, {outputs}"),
            _ => format!("{inputs}, {depth} x {width}, {outputs}"),
        };
        let milliseconds = |seconds: f64| number(1e3 * seconds);
        let [first, third] = self.seconds_quartiles.map(milliseconds);
        let limit = match self.limit {
            NearerLimit::Gemm => "products",
            NearerLimit::Bandwidth => "memory",
        };
        [
            name.into(),
            network,
            n.to_string(),
            match dtype {
                Dtype::F32 => "f32".into(),
                Dtype::F64 => "f64".into(),
            },
            self.threads.to_string(),
            format!("{} ms", milliseconds(self.seconds)),
            format!("{first} to {third}"),
            format!("{} % ({limit})", number((1000.0 * self.fraction_of_limit).round() / 10.0)),
            self.peak_bytes.map_or("unknown".into(), |bytes| ByteSize::b(bytes).to_string()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::benchmark::CASES;

    #[test]
    fn medians_and_quartiles() {
        assert_eq!(quantiles(vec![4.0]), [4.0; 3]);
        assert_eq!(quantiles(vec![5.0, 1.0, 2.0, 4.0, 3.0]), [2.0, 3.0, 4.0]);
        assert_eq!(quantiles(vec![4.0, 1.0, 3.0, 2.0]), [1.75, 2.5, 3.25]);
    }

    /// Every probe and case in one second.
    #[test]
    fn a_fraction_is_of_the_nearer_limit() {
        let readings = vec![vec![Reading { seconds: 1.0, peak_bytes: Some(3) }]; PROBES.len() + CASES.len()];
        let report = BenchmarkReport::new(4, &CASES, &readings).unwrap();
        let row = |name: &str| report.cases.iter().find(|row| row.case.name == name).unwrap();
        let (kernel, step) = (row("empirical-2000"), row("step-6"));
        assert_eq!((kernel.limit, step.limit), (NearerLimit::Gemm, NearerLimit::Bandwidth));
        let size = GEMM_SIZE as f64;
        let share = kernel.case.work().unwrap().multiply_adds as f64 / (size * size * size);
        assert!((kernel.fraction_of_limit / share - 1.0).abs() < 1e-12);
        let share = step.case.work().unwrap().bytes as f64 / (24 * TRIAD_LEN) as f64;
        assert!((step.fraction_of_limit / share - 1.0).abs() < 1e-12);
        assert_eq!((kernel.threads, row("empirical-2000-one-thread").threads, kernel.peak_bytes), (4, 1, Some(3)));
        assert!(report.to_string().contains("empirical-2000: 4 threads are 1 times as fast as one"));
    }
}
