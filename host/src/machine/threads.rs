//! Pools of threads. All work on more threads than one happens inside one of these; none is started beside them.

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::{Error, ranks};

/// Most threads for each core: more only wait for each other.
const PER_CORE: usize = 4;
/// So many may be asked for on any machine.
const ANYWHERE: usize = 8;

/// Runs `work` on a pool of `threads` threads; `None`: as many as there are cores, shared with other ranks on this machine. Inside a pool of as many threads that
/// one is used. Where the system starts fewer threads, there are fewer.
///
/// # Errors
/// [`Error::TooManyThreads`]; [`Error::Threads`] where not even one can be had.
pub fn with_threads<R: Send>(threads: Option<u16>, work: impl FnOnce() -> R + Send) -> Result<R, Error> {
    let count = threads.map_or_else(|| ranks().cores(), usize::from);
    if rayon::current_thread_index().is_some() && rayon::current_num_threads() == count {
        return Ok(work());
    }
    check_threads(count)?;
    Ok(pool(count)?.install(work))
}

/// Runs `work` once on each of `count` pools of `threads` threads, side by side, while this thread waits.
///
/// # Errors
/// Those of [`with_threads`].
pub fn side_by_side(count: usize, threads: usize, work: &(impl Fn() + Sync)) -> Result<(), Error> {
    check_threads(count.saturating_mul(threads))?;
    // a first one is needed, the others are welcome
    let mut pools = vec![pool(threads)?];
    pools.extend((1..count).map_while(|_| pool(threads).ok()));
    on_each(&pools, work);
    Ok(())
}

/// `in_place_scope` waits on the thread that calls it, which is the only one of all that does no work.
fn on_each(pools: &[ThreadPool], work: &(impl Fn() + Sync)) {
    if let [first, others @ ..] = pools {
        first.in_place_scope(|scope| {
            scope.spawn(|_| work());
            on_each(others, work);
        });
    }
}

/// Checks that so many threads make sense here.
///
/// # Errors
/// [`Error::TooManyThreads`].
pub fn check_threads(threads: usize) -> Result<(), Error> {
    let cores = cores();
    let most = (PER_CORE * cores).max(ANYWHERE);
    if threads > most { Err(Error::TooManyThreads { threads, cores, most }) } else { Ok(()) }
}

/// Cores that this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// So many threads, or as many as the system starts, trying with half as many each time. Where it starts none, the work
/// is done by this thread.
fn pool(threads: usize) -> Result<ThreadPool, Error> {
    let builder = |count| ThreadPoolBuilder::new().num_threads(count).thread_name(|index| format!("worker {index}"));
    let mut count = threads.max(1);
    loop {
        match builder(count).build() {
            Ok(pool) => return Ok(pool),
            Err(_) if count > 1 => count /= 2,
            Err(error) => return builder(1).use_current_thread().build().map_err(|_| Error::Threads(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_pool_inside_a_pool_is_the_same() {
        for threads in [1, 2, 3] {
            let [outer, inner, other] = with_threads(Some(threads), || {
                let here = || (std::thread::current().id(), rayon::current_num_threads());
                [here(), with_threads(Some(threads), here).unwrap(), with_threads(Some(threads + 1), here).unwrap()]
            })
            .unwrap();
            assert_eq!(outer, inner);
            assert_eq!(outer.1, usize::from(threads));
            assert_eq!(other.1, usize::from(threads) + 1);
        }
    }

    #[test]
    fn more_than_a_few_for_each_core_are_refused() {
        let most = u16::try_from((PER_CORE * cores()).max(ANYWHERE)).unwrap();
        assert!(with_threads(Some(most), || ()).is_ok());
        for threads in [most + 1, 5000, u16::MAX] {
            let refused = with_threads(Some(threads), || ()).unwrap_err().to_string();
            assert!(refused.starts_with(&format!("`threads = {threads}`")), "{refused}");
            assert!(refused.contains(&format!("`threads = {most}`")), "{refused}");
        }
        assert!(side_by_side(usize::MAX, 2, &|| ()).is_err());
    }

    #[test]
    fn every_pool_works_once() {
        let (calls, threads) = (AtomicUsize::new(0), AtomicUsize::new(0));
        side_by_side(3, 2, &|| {
            calls.fetch_add(1, Ordering::Relaxed);
            threads.fetch_add(rayon::current_num_threads(), Ordering::Relaxed);
        })
        .unwrap();
        assert_eq!((calls.into_inner(), threads.into_inner()), (3, 6));
    }
}
