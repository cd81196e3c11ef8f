//! An input that is not accepted, and what is looked at in the error.

use std::error::Error;

use ntkscope::{
    checkpoint,
    cli::terminal::{DATA, USAGE, code},
    data, experiment, files, kernel,
    machine::Cause,
    run, study,
};

/// `Ok` where the input was accepted, and what was read of it is right.
pub(crate) type Verdict = Result<(), Refused>;

/// The input was refused, with an error as it should be.
#[derive(Debug)]
pub(crate) struct Refused;

/// Most characters of a message.
const LONGEST: usize = 1000;

/// What people are told: not empty, not long, and nothing in it moves a terminal's cursor.
pub(crate) fn check_message(message: &str) {
    assert!(!message.is_empty(), "an empty message");
    let length = message.chars().count();
    assert!(length <= LONGEST, "a message of {length} characters: {message:?}");
    assert!(!message.contains(char::is_control), "a message with control characters: {message:?}");
}

/// No input lies on a disk, so that no error is the system's.
fn check(error: &dyn Error, cause: Cause) {
    let code = code(cause);
    assert!([USAGE, DATA].contains(&code), "exit code {code}: {error:?}");
    let (mut told, mut next) = (error.to_string(), error.source());
    while let Some(cause) = next {
        told = format!("{told}: {cause}");
        next = cause.source();
    }
    check_message(&told);
}

/// That errors of these types become [`Refused`] when they were looked at.
macro_rules! refused {
    ($($error:ty),*) => {
        $(impl From<$error> for Refused {
            fn from(error: $error) -> Self {
                check(&error, error.cause());
                Self
            }
        })*
    };
}

impl From<ntkscope_frames::Error> for Refused {
    fn from(error: ntkscope_frames::Error) -> Self {
        assert!(!error.is_of_the_system(), "{error:?}");
        check_message(&error.to_string());
        Self
    }
}

refused!(
    checkpoint::Fault,
    data::Error,
    experiment::Error,
    files::Error,
    files::NpzError,
    files::npy::NpyFault,
    kernel::KernelFault,
    run::Error,
    study::Error
);
