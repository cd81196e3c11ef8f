//! A call that computes: its threads, its progress, Ctrl-C. The interpreter's lock is released; the thread that called waits
//! for another, on which the work is done, and asks Python between times whether to go on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use bytesize::ByteSize;
use ntkscope::machine::memory::{bytes_of, process_bytes};
use ntkscope::machine::{Budget, Ended, Stop, with_threads};
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyBool};

use crate::error::{Fallible, Fault, value};

/// How long Python is not asked.
const ASK: Duration = Duration::from_millis(50);
/// Progress is told no more often.
const TELL: Duration = Duration::from_millis(100);

/// How far the work is, in thousandths.
#[derive(Default)]
pub(crate) struct Progress(AtomicU64);

/// What is told as the whole.
const WHOLE: u64 = 1000;

impl Progress {
    /// This share of the work is done.
    pub(crate) fn set(&self, share: f64) {
        self.0.store((share * WHOLE as f64) as u64, Ordering::Relaxed);
    }
}

/// Who is told how far the work is.
enum Listener {
    Nobody,
    Terminal(Py<PyAny>),
    Callable(Py<PyAny>),
}

impl Listener {
    fn of(py: Python<'_>, progress: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let Some(progress) = progress.filter(|given| !given.is_none()) else { return Ok(Self::Nobody) };
        if let Ok(wanted) = progress.cast::<PyBool>() {
            let stderr = py.import("sys")?.getattr("stderr")?;
            let seen = wanted.is_true() && !stderr.is_none() && stderr.call_method0("isatty")?.extract()?;
            return Ok(if seen { Self::Terminal(stderr.unbind()) } else { Self::Nobody });
        }
        if progress.is_callable() {
            return Ok(Self::Callable(progress.clone().unbind()));
        }
        Err(value("progress: give True, False, or a function of (done, total)"))
    }

    fn tell(&self, py: Python<'_>, done: u64) -> PyResult<()> {
        match self {
            Self::Nobody => Ok(()),
            Self::Terminal(stderr) => {
                let stderr = stderr.bind(py);
                stderr.call_method1("write", (format!("\rntkscope: {} %", done * 100 / WHOLE),))?;
                if done == WHOLE {
                    stderr.call_method1("write", ("\r\x1b[K",))?;
                }
                stderr.call_method0("flush").map(drop)
            }
            Self::Callable(function) => function.call1(py, (done, WHOLE)).map(drop),
        }
    }
}

/// What every call that computes can be given.
pub(crate) struct Options<'a, 'py> {
    pub(crate) threads: Option<u16>,
    pub(crate) memory: Option<&'a Bound<'py, PyAny>>,
    pub(crate) progress: Option<&'a Bound<'py, PyAny>>,
}

impl Options<'_, '_> {
    /// What the call may take of memory.
    pub(crate) fn budget(&self) -> PyResult<Budget> {
        let Some(given) = self.memory.filter(|given| !given.is_none()) else { return Ok(Budget::of_call(None)) };
        let size = match given.extract::<u64>() {
            Ok(bytes) => Some(ByteSize::b(bytes)),
            Err(_) => given.extract::<String>().ok().and_then(|text| text.parse().ok()),
        };
        match size {
            Some(size) => Ok(Budget::of_call(Some(size))),
            None => Err(value(format!("memory: {}; give bytes, or a text such as \"4GiB\"", given.repr()?))),
        }
    }

    /// Threads that do the work.
    pub(crate) fn thread_count(&self) -> usize {
        self.threads.map_or_else(ntkscope::machine::cores, usize::from)
    }
}

/// Refuses `what` where so many numbers in double precision do not fit.
///
/// # Errors
/// MemoryError.
pub(crate) fn check_numbers(budget: &Budget, what: &str, numbers: u128) -> Fallible<()> {
    Ok(budget.check(what, process_bytes(1).saturating_add(bytes_of(numbers, 8)))?)
}

/// What ``threads=`` gives.
///
/// # Errors
/// ValueError: no number of threads, or more than there can be.
pub(crate) fn threads_of(given: &Bound<'_, PyAny>) -> PyResult<Option<u16>> {
    if given.is_none() {
        return Ok(None);
    }
    match given.extract::<u16>() {
        Ok(threads) if threads > 0 && !given.is_instance_of::<PyBool>() => Ok(Some(threads)),
        _ => Err(value(format!("threads: {}; give a number of 1 or more, or None for all cores", given.repr()?))),
    }
}

/// Does the work on threads of its own while Python is asked whether to go on.
///
/// # Errors
/// Those of `work`; what a signal or `progress` raises, after which `work` is asked to stop, and has ended.
pub(crate) fn compute<R: Send>(
    py: Python<'_>,
    options: &Options<'_, '_>,
    work: impl FnOnce(&Stop, &Progress) -> Fallible<Ended<R>> + Send,
) -> PyResult<R> {
    let (threads, listener) = (options.threads, Listener::of(py, options.progress)?);
    let listener = &listener;
    let (stop, progress, (sender, done)) = (Stop::new(), Progress::default(), channel::<()>());
    let (stop, progress) = (&stop, &progress);
    let ended = py.detach(move || {
        std::thread::scope(|scope| {
            let working = scope.spawn(move || {
                let result =
                    with_threads(threads, || work(stop, progress)).map_err(Fault::from).and_then(|result| result);
                // the one who waits has not gone away
                let _ = sender.send(());
                result
            });
            let (mut raised, mut told, mut last) = (None, Instant::now(), 0);
            while done.recv_timeout(ASK) == Err(RecvTimeoutError::Timeout) {
                if raised.is_some() {
                    continue;
                }
                raised = Python::attach(|py| {
                    py.check_signals()?;
                    let now = progress.0.load(Ordering::Relaxed);
                    if now != last && told.elapsed() >= TELL {
                        (last, told) = (now, Instant::now());
                        listener.tell(py, now)?;
                    }
                    Ok::<_, PyErr>(())
                })
                .err();
                if raised.is_some() {
                    stop.request();
                }
            }
            let result = match working.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            };
            match raised {
                Some(error) => Err(error),
                None => result.map_err(PyErr::from),
            }
        })
    })?;
    match ended {
        Ended::Done(result) => {
            listener.tell(py, WHOLE)?;
            Ok(result)
        }
        Ended::Stopped => Err(PyKeyboardInterrupt::new_err(())),
    }
}
