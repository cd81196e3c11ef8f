//! How long the jobs of a study will take, said before the first of them begins.

use super::Error;
use super::grid::Job;
use crate::benchmark::gemm;
use crate::machine::with_threads;

/// Rate in multiply-adds per second, in f64 on one thread, of the machine on which the jobs' work was measured in seconds.
pub const REFERENCE_RATE: f64 = 5.3e10;

/// Timings, of a tenth of a second each, of which the fastest counts: what else runs on the machine comes and goes within a
/// minute, and a forecast that follows it would be another one every time. Work that takes no longer than they would has fewer.
const TIMINGS: f64 = 25.0;
/// Share of the expected time that they may take, one in all cases.
const SHARE: f64 = 0.02;

/// Multiply-adds per second of this machine when it does nothing else, in products of f64 matrices on one thread, for the
/// forecast of work of so many seconds.
///
/// # Errors
/// No thread can be started.
pub fn gemm_rate(expected: f64) -> Result<f64, Error> {
    const N: usize = 512;
    let timings = (10.0 * SHARE * expected).clamp(1.0, TIMINGS) as usize;
    let fastest = with_threads(Some(1), || {
        let timings = (0..timings).map(|_| gemm::<f64>(N));
        timings.reduce(|fastest, next| Ok(fastest?.min(next?))).transpose()
    })??;
    Ok(fastest.map_or(REFERENCE_RATE, |seconds| (N * N * N) as f64 / seconds))
}

/// Seconds of wall-clock time that the jobs take on so many workers of a machine of this rate: the longest first, each
/// given to the worker that is free first, as [`super::grid::run`] does.
pub fn seconds(jobs: &[&dyn Job], workers: usize, rate: f64) -> f64 {
    let mut work: Vec<f64> = jobs.iter().map(|job| job.work()).collect();
    work.sort_by(|a, b| b.total_cmp(a));
    let mut busy: Vec<f64> = vec![0.0; workers.max(1)];
    for work in work {
        if let Some(until) = busy.iter_mut().min_by(|a, b| a.total_cmp(b)) {
            *until += work * REFERENCE_RATE / rate;
        }
    }
    busy.into_iter().fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::machine::{Ended, Stop};
    use crate::run::Observer;
    use crate::study::grid::State;

    struct Work(f64);
    impl Job for Work {
        fn id(&self) -> &str {
            "work"
        }
        fn work(&self) -> f64 {
            self.0
        }
        fn need(&self) -> Result<u64, Error> {
            Ok(0)
        }
        fn plan(&self) -> Result<toml::Table, Error> {
            Ok(toml::Table::new())
        }
        fn state(&self, _: &Path) -> Result<State, Error> {
            Ok(State::Missing)
        }
        fn run(&self, _: &Path, _: u16, _: &mut (dyn Observer + Send), _: &Stop) -> Result<Ended, Error> {
            Ok(Ended::Done(()))
        }
    }

    #[test]
    fn the_longest_goes_first() {
        let work = [Work(1.0), Work(2.0), Work(3.0), Work(4.0)];
        let jobs: Vec<&dyn Job> = work.iter().map(|w| w as &dyn Job).collect();
        // 4 + 1 and 3 + 2
        assert_eq!(seconds(&jobs, 2, REFERENCE_RATE), 5.0);
        assert_eq!(seconds(&jobs, 8, 0.5 * REFERENCE_RATE), 8.0);
        assert_eq!(seconds(&[], 2, REFERENCE_RATE), 0.0);
    }
}
