//! Where the cause of an error of the data lies.

use super::Error;
use crate::machine::Cause;

impl Error {
    /// Where the cause lies.
    pub const fn cause(&self) -> Cause {
        match self {
            Self::UnknownSource { .. }
            | Self::UnknownCurve { .. }
            | Self::FlatCurve { .. }
            | Self::CurveDimension { .. }
            | Self::BadClasses { .. }
            | Self::BadNormalize { .. }
            | Self::NoSamples
            | Self::NTooLarge { .. }
            | Self::HeldOutTooLarge { .. }
            | Self::BadConflicting { .. }
            | Self::OddCircle { .. }
            | Self::BadDimension { .. }
            | Self::DimensionUnused { .. }
            | Self::TooLarge { .. }
            | Self::MissingClass { .. }
            | Self::NotAClass { .. }
            | Self::NoClasses { .. }
            | Self::ClassesOfValues { .. }
            | Self::OneClass { .. }
            | Self::NamedClasses { .. }
            | Self::NamedValues { .. }
            | Self::NoLabelColumn { .. }
            | Self::LabelColumnUnused { .. }
            | Self::SeveralLabels { .. }
            | Self::SplitUnused { .. }
            | Self::ZeroSample { .. }
            | Self::NoDataHome
            | Self::NothingToFetch { .. }
            | Self::BadMirror { .. } => Cause::Settings,
            Self::NotFound { .. }
            | Self::NotAFile { .. }
            | Self::Images { .. }
            | Self::Csv { .. }
            | Self::Npz { .. }
            | Self::NoLabels { .. }
            | Self::Part { .. }
            | Self::Download { .. }
            | Self::Checksum { .. } => Cause::Data,
            Self::Io { .. } => Cause::System,
            Self::Curve { cause, .. } => *cause,
            Self::Memory(error) => error.cause(),
            Self::File(error) => error.cause(),
        }
    }
}
