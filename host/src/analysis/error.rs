//! What can go wrong with an analysis.

use crate::machine::Cause;
use crate::{data, experiment, files, machine};

/// Samples that cannot be had, a table that is another, numbers that the mathematics refuses.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Settings that do not go together, or not with the data.
    #[error(transparent)]
    Settings(#[from] experiment::Error),
    /// Data that is missing or damaged.
    #[error(transparent)]
    Data(#[from] data::Error),
    /// More memory than there is.
    #[error(transparent)]
    Machine(#[from] machine::Error),
    /// A table without a column that it should have.
    #[error(transparent)]
    File(#[from] files::Error),
    /// A table of curves without a column of risks.
    #[error("the table of curves has no times")]
    NoTimes,
    /// A table of curves with a column after the first time that is none.
    #[error("the table of curves has a column {column:?} that is not a time")]
    NoTime {
        /// name of the column
        column: String,
    },
    /// A table of curves without both starts for every draw.
    #[error("the table of curves has {zero} draws from 0 but {random} from random outputs")]
    UnequalDraws {
        /// from f_0 = 0
        zero: usize,
        /// from f_0 = f^GP
        random: usize,
    },
    /// A table of spectra without random outputs.
    #[error("the table of spectra has no draw of f^GP")]
    NoDraw,
    /// Too few samples for some of them to be held out.
    #[error("{samples} samples are too few to hold out a fifth of them; give more")]
    TooFew {
        /// how many there are
        samples: usize,
    },
    /// The law of predictors at a time at which it is not known.
    #[error(
        "the law of infinite width at time {time:?}: it is known at finite times for squared error without a penalty alone; give an infinite time"
    )]
    TooEarly {
        /// of the mean loss
        time: f64,
    },
    /// A squared error beyond what a number can hold.
    #[error("the squared error is not finite")]
    NotFinite,
    /// Numbers through which no line can be drawn.
    #[error(transparent)]
    Unfit(#[from] super::spectrum::Unfit),
    /// A function of which every value is the same, to rounding.
    #[error("all labels are equal, so there is no smoothness to estimate; give labels that differ")]
    Constant,
    /// Values whose squares are out of a double's range.
    #[error("the labels are too {}: their squares leave the range of a double; rescale them", if *large { "large" } else { "small" })]
    LabelScale {
        /// whether too large
        large: bool,
    },
    /// The mathematics: shapes, numbers that are not finite.
    #[error(transparent)]
    Core(#[from] ntkscope_core::Error),
}

impl Error {
    /// Where the cause lies.
    pub const fn cause(&self) -> Cause {
        match self {
            Self::Settings(error) => error.cause(),
            Self::Data(error) => error.cause(),
            Self::File(error) => error.cause(),
            Self::Machine(error) => error.cause(),
            Self::NoTimes | Self::NoTime { .. } | Self::UnequalDraws { .. } | Self::NoDraw => Cause::Data,
            Self::TooEarly { .. } | Self::TooFew { .. } | Self::Unfit(_) | Self::Constant | Self::LabelScale { .. } => {
                Cause::Settings
            }
            Self::NotFinite => Cause::Work,
            Self::Core(error) => Cause::of_core(error),
        }
    }
}
