//! The claims of the study: what the paper proves or theory derives, and the numbers measured for it.

mod drift;
mod movement;
mod start;
mod width;

pub use drift::{AWAY, between_the_regimes, leaves_by};
pub use movement::{lag, reached};
pub use start::{AT_THE_START, FROM_ONE_START, Pair};
pub use width::{MARGIN, SHARE, largest, late_widths, small_widths, time_of_drift};

use crate::study::claim::{Stated, state_all};
use crate::study::group::Group;

/// What the claims say of a group of runs with both losses.
pub fn along_training(group: &Group) -> Vec<Stated> {
    [start::AT_THE_START, movement::CLAIMS, drift::AWAY, drift::CONTRAST, width::CLAIMS]
        .into_iter()
        .flat_map(|claims| state_all(claims, group))
        .collect()
}

/// Those that need the symmetry of the six points too.
pub fn on_six_points(group: &Group) -> Vec<Stated> {
    along_training(group).into_iter().chain(state_all(movement::WITH_CLOSED_FORMS, group)).collect()
}
