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
            // samples have to be scaled, or a scalar chosen that holds their kernel
            ntkscope_core::Error::SampleScale { .. } => Self::Settings,
            _ => Self::Work,
        }
    }
}
