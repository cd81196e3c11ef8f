//! Where the cause of an error lies, which is what an exit code says.

/// Where the cause of an error lies. Every enum of errors says it of each of its variants, so that it is decided where the
/// error arises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// the work itself: training that failed, a claim or check that does not hold, numbers that the mathematics refuses
    Work,
    /// what was asked for: a wrong call, settings that do not go together, a place that cannot be meant
    Settings,
    /// what was read: data that is missing or damaged
    Data,
    /// the system, which could not read or write: a full disk, no permission, a fault of the device
    System,
}

impl Cause {
    /// That of an error of core, which knows neither files nor settings.
    pub const fn of_core(error: &ntkscope_core::Error) -> Self {
        match error {
            // samples have to be scaled, or a scalar chosen that holds their kernel; what is outside its range was given so
            ntkscope_core::Error::SampleScale { .. } | ntkscope_core::Error::OutOfRange { .. } => Self::Settings,
            _ => Self::Work,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ntkscope_core::Error;

    #[test]
    fn what_has_to_be_given_otherwise_is_no_failure_of_the_work() {
        let range = Error::OutOfRange { what: "variance", needs: "at most 10000", got: 13601.0 };
        for (error, cause) in [
            (range, Cause::Settings),
            (Error::SampleScale { sample: 0, large: true }, Cause::Settings),
            (Error::LostInRounding { step: 1 }, Cause::Work),
        ] {
            assert_eq!(Cause::of_core(&error), cause, "{error}");
        }
    }
}
