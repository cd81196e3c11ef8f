//! The state of a run.

use std::{fs, sync::LazyLock};

use ntkscope::{
    data::{self, DataSpec, Samples, Source},
    experiment::{LossKind, Model, Training},
    machine::{Budget, Stop},
    run,
};
use ntkscope_core::state::checksum;

use crate::FOLDER;
use crate::refused::Verdict;

static SAMPLES: LazyLock<Samples> =
    LazyLock::new(|| data::load(&DataSpec::new(Source::Circle), &Budget::default()).expect("six points"));

/// `state.bin` of a small run, which goes on for two steps at most; the checksum is put after the input, so that a wrong one
/// does not end everything.
pub(crate) fn state(input: &[u8]) -> Verdict {
    let path = FOLDER.join("state.bin");
    let file = [input, &checksum(input).to_le_bytes()].concat();
    fs::write(&path, file).expect("the folder can be written");
    let model = Model { width: 2, depth: 1, ..Model::default() };
    let training = Training { loss: LossKind::CROSS_ENTROPY, max_steps: 2, snapshots: 4, ..Training::default() };
    let outcome = run::resume(&path, &model, &training, &SAMPLES, &mut (), &Stop::new())?;
    assert!(!outcome.trace.rows.is_empty(), "the end is always recorded");
    Ok(())
}
