//! Asking work to end early: between two steps, with what is finished kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::backend::Until;

/// Asks the work that it is handed to to end early. Clones ask for the same; two tokens made apart are independent.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// A token that nobody has used yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on the work ends after its present step.
    pub fn request(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// The fast backend for work of which nothing is wanted once it is asked to end.
    pub fn until(&self) -> Until {
        let stop = self.clone();
        Until::new(move || stop.requested())
    }

    /// Whether the work should end.
    pub fn requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// How work ended, short of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Ended<T = ()> {
    /// it is finished, with this result
    Done(T),
    /// its [`Stop`] was requested first
    Stopped,
}

impl<T> Ended<T> {
    /// The same with something made of the result.
    pub fn map<U>(self, of: impl FnOnce(T) -> U) -> Ended<U> {
        match self {
            Self::Done(result) => Ended::Done(of(result)),
            Self::Stopped => Ended::Stopped,
        }
    }

    /// The result of finished work.
    pub fn done(self) -> Option<T> {
        match self {
            Self::Done(result) => Some(result),
            Self::Stopped => None,
        }
    }
}
