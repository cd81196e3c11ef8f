//! The state of a run in a file, from which it goes on with the bits of a run that was not cut off.
//!
//! It is what stood between two steps: the trainer, all that was recorded, the course of the objective. What an end adds, a
//! step cut short and a last row, is not in it, as a run with a later end has neither.

use std::io::{BufReader, ErrorKind, Read, Write};
use std::path::Path;

use ntkscope_core::network::Network;
use ntkscope_core::state::Bytes;
use ntkscope_core::train::Trainer;
use ntkscope_core::{Backend, Error, Real};

use super::course::Course;
use super::training_loop::Recording;
use crate::experiment::MAX_SNAPSHOTS;
use crate::files::{InputFault, open_input};

/// What a run is beside its trainer and what is recorded.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Walk {
    /// the objective so far
    pub(super) course: Course,
    /// seconds that it has taken before it was gone on from
    pub(super) seconds: f64,
}

impl Walk {
    /// All of it as bytes.
    ///
    /// # Errors
    /// Those of `bytes`.
    pub(super) fn pass(&mut self, bytes: &mut Bytes<'_>) -> Result<(), Error> {
        self.course.pass(bytes)?;
        bytes.number(&mut self.seconds)
    }
}

/// Writes the state.
///
/// # Errors
/// Those of `out`.
pub(super) fn write<N: Network, T: Real>(
    out: &mut dyn Write,
    trainer: &mut Trainer<'_, N, T, dyn Backend<T>>,
    recording: &mut Recording<'_, T>,
    mut walk: Walk,
) -> std::io::Result<()> {
    let mut fault = None;
    let mut sink = |bytes: &[u8]| {
        out.write_all(bytes).map_err(|e| {
            fault = Some(e);
            Error::State { what: "not written" }
        })
    };
    let mut bytes = Bytes::writing(&mut sink);
    let written = trainer
        .save(&mut bytes)
        .and_then(|()| recording.pass(&mut bytes))
        .and_then(|()| walk.pass(&mut bytes))
        .and_then(|()| bytes.finish());
    written.map_err(|error| fault.unwrap_or_else(|| std::io::Error::other(error)))
}

/// What `make` makes of the state in a file.
///
/// # Errors
/// A file that cannot be read, or is no state of this run; those of `make`.
pub(super) fn read<V>(
    path: &Path,
    make: impl FnOnce(&mut Bytes<'_>) -> Result<V, super::Error>,
) -> Result<V, super::Error> {
    let unreadable = |fault| super::Error::UnreadableState { path: path.into(), fault };
    let mut file = BufReader::new(open_input(path).map_err(unreadable)?.file);
    let mut fault = None;
    let mut source = |bytes: &mut [u8]| {
        file.read_exact(bytes).map_err(|e| {
            fault = Some(e).filter(|e| e.kind() != ErrorKind::UnexpectedEof);
            Error::State { what: "truncated" }
        })
    };
    let mut bytes = Bytes::reading(&mut source);
    let made = make(&mut bytes).and_then(|made| Ok(bytes.finish().map(|()| made)?));
    let made = made.and_then(|made| match file.read(&mut [0]) {
        Ok(0) => Ok(made),
        _ => Err(Error::State { what: "damaged" }.into()),
    });
    made.map_err(|error| match (fault, error) {
        (Some(fault), _) => unreadable(InputFault::System(fault)),
        (None, super::Error::Core(Error::State { what })) => super::Error::OtherState { path: path.into(), what },
        (None, error) => error,
    })
}

/// Something for each snapshot.
///
/// # Errors
/// More than there are snapshots; those of `field`.
pub(super) fn list<V>(
    bytes: &mut Bytes<'_>,
    list: &mut Vec<V>,
    empty: impl FnMut() -> V,
    mut field: impl FnMut(&mut Bytes<'_>, &mut V) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut count = list.len();
    bytes.size(&mut count)?;
    if count > MAX_SNAPSHOTS {
        return Err(Error::State { what: "damaged" });
    }
    list.resize_with(count, empty);
    list.iter_mut().try_for_each(|value| field(bytes, value))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use ntkscope_core::network::Activation;

    use crate::data::{self, CurveSource, DataSpec, Samples, Source};
    use crate::experiment::{Init, KeptKernels, LossKind, Model, NetworkKind, OptimizerKind, Training};
    use crate::files::Dtype;
    use crate::machine::{Budget, Stop};
    use crate::run::{Observer, Outcome, resume, run};

    /// Keeps the state that is written last, and all that are written on the way.
    struct Keep {
        file: PathBuf,
        written: usize,
    }

    impl Observer for Keep {
        fn state(&mut self, last: bool, write: &mut dyn FnMut(&mut dyn super::Write) -> std::io::Result<()>) {
            self.written += 1;
            // every state can be written at any time, and changes nothing
            let mut bytes = Vec::new();
            write(&mut bytes).unwrap();
            if last {
                std::fs::write(&self.file, bytes).unwrap();
            }
        }
    }

    fn samples() -> Samples {
        let (spec, budget) = (DataSpec::new(Source::Circle), Budget::default());
        let mut samples = data::load(&spec, &budget).unwrap();
        samples.follow(&CurveSource::Circle, spec.normalization(), &budget).unwrap();
        samples
    }

    /// All of an outcome that is not a time of this machine.
    fn told(outcome: &Outcome) -> String {
        let Outcome { trace, judgement, kernels, profile, parameters, predictions, end, stopped, evaluations, .. } =
            outcome;
        let kept = kernels.snapshots.as_ref().map(|kept| (&kept.effective, &kept.points, &kept.spectra));
        let table = predictions.made().map(|made| &made.table);
        format!(
            "{:?} {judgement:?} {:?} {kept:?} {profile:?} {parameters:?} {table:?} {end:?} {stopped:?} {evaluations}",
            trace.rows,
            (&kernels.initial, &kernels.last, &kernels.point)
        )
    }

    /// Runs of every optimizer, with all that can be recorded.
    fn runs() -> [(Model, Training); 5] {
        let model = Model { width: 8, ..Model::default() };
        let training = Training {
            loss: LossKind::CROSS_ENTROPY,
            until_time: 300.0,
            snapshots: 12,
            predictions: Some(true),
            ..Training::default()
        };
        let all = Training { kernels: KeptKernels::All, profile: Some(CurveSource::Circle), ..training.clone() };
        let descent = Training { optimizer: OptimizerKind::Gd, rate: Some(0.5), ..training.clone() };
        let penalized = Training { penalty: 0.03, until_time: 1e6, ..all.clone() };
        let smooth = Model { activation: Activation::Erf.into(), init: Init::Shifted, ..model.clone() };
        let residual = Model { network: NetworkKind::Resnet, dtype: Dtype::F32, ..model.clone() };
        let squared = Training { loss: LossKind::MSE, ..training };
        [
            (model.clone(), all),
            (smooth, penalized.clone()),
            (model.clone(), penalized),
            (residual, squared),
            (model, descent),
        ]
    }

    #[test]
    fn a_run_goes_on_from_any_cut_with_the_bits_of_one_that_was_not_cut() {
        let (samples, place, stop) = (samples(), tempfile::tempdir().unwrap(), Stop::new());
        let file = place.path().join("state.bin");
        let mut random = 12345_u64;
        for (model, training) in runs() {
            let whole = run(&model, &training, &samples, &mut (), &stop).unwrap();
            let steps = whole.trace.rows.last().unwrap().step;
            for _ in 0..4 {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let cut = (random >> 33) % steps;
                let mut keep = Keep { file: file.clone(), written: 0 };
                let part = Training { max_steps: cut, ..training.clone() };
                run(&model, &part, &samples, &mut keep, &stop).unwrap();
                let on = resume(&file, &model, &training, &samples, &mut (), &stop).unwrap();
                assert_eq!(keep.written as u64, cut + 1);
                assert!(told(&on) == told(&whole), "{model:?} {training:?} cut at step {cut} of {steps}");
            }
        }
    }

    /// The step that an end cuts short is no part of a run with a later one.
    #[test]
    fn a_finished_run_goes_on_to_a_later_end_on_the_same_path() {
        let (samples, place, stop) = (samples(), tempfile::tempdir().unwrap(), Stop::new());
        for (model, training) in runs() {
            let whole = run(&model, &training, &samples, &mut (), &stop).unwrap();
            let mut keep = Keep { file: place.path().join("state.bin"), written: 0 };
            for until in [0.7, 33.0, 200.0] {
                let part = Training { until_time: until, ..training.clone() };
                let began = keep.written == 0;
                let path = keep.file.clone();
                let part = if began {
                    run(&model, &part, &samples, &mut keep, &stop)
                } else {
                    resume(&path, &model, &part, &samples, &mut keep, &stop)
                };
                assert_eq!(part.unwrap().stopped.to_string(), "reached until-time", "{until}");
            }
            let on = resume(&keep.file, &model, &training, &samples, &mut (), &stop).unwrap();
            // the largest drift and error are those of the snapshots, which lie at other times
            let end = |outcome: &Outcome| {
                let mut last = *outcome.trace.rows.last().unwrap();
                (last.drift_highest, last.error_highest) = (0.0, 0.0);
                format!("{last:?} {:?}", outcome.parameters)
            };
            assert_eq!(end(&on), end(&whole), "{model:?} {training:?}");
            let early = Training { until_time: 0.1, ..training };
            let refused = resume(&keep.file, &model, &early, &samples, &mut (), &stop).unwrap_err().to_string();
            assert!(refused.contains("the run has already reached"), "{refused}");
        }
    }

    #[test]
    fn the_state_of_another_run_is_refused() {
        let (samples, place, stop) = (samples(), tempfile::tempdir().unwrap(), Stop::new());
        let mut keep = Keep { file: place.path().join("state.bin"), written: 0 };
        let [(model, all), ..] = runs();
        let training = Training { max_steps: 5, ..all };
        run(&model, &training, &samples, &mut keep, &stop).unwrap();
        let told = |model: &Model, training: &Training| {
            resume(&keep.file, model, training, &samples, &mut (), &stop).unwrap_err().to_string()
        };
        for (what, told) in [
            ("for a network with another number of parameters", told(&Model { width: 9, ..model.clone() }, &training)),
            ("in another precision", told(&Model { dtype: Dtype::F32, ..model.clone() }, &training)),
            ("for another tolerance or rate", told(&model, &Training { tolerance: 0.003, ..training.clone() })),
            ("for another optimizer", told(&Model { activation: Activation::Erf.into(), ..model.clone() }, &training)),
            ("for another number of snapshots", told(&model, &Training { snapshots: 14, ..training.clone() })),
        ] {
            assert!(told.contains(&format!("state.bin: the saved state is {what}")), "{told}");
        }
        let bytes = std::fs::read(&keep.file).unwrap();
        for cut in [0, 7, bytes.len() / 2, bytes.len() - 1] {
            std::fs::write(&keep.file, &bytes[..cut]).unwrap();
            assert!(told(&model, &training).contains("the saved state is truncated"), "{cut}");
        }
        let mut changed = bytes;
        let at = changed.len() - 40;
        changed[at] ^= 1;
        std::fs::write(&keep.file, &changed).unwrap();
        assert!(told(&model, &training).contains("the saved state is damaged"));
        changed[at] ^= 1;
        changed.push(0);
        std::fs::write(&keep.file, &changed).unwrap();
        assert!(told(&model, &training).contains("the saved state is damaged"), "longer");
    }
}
