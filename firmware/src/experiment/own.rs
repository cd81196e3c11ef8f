//! One's own samples: a mirrored network with hidden layers of any widths and a bias at the input, trained by gradient flow, its
//! kernel recorded along the way. `cargo xtask new NAME --data FILE.csv` writes a [`Task`] for the samples in a file.

use ntkscope_core::{
    Error, MatRef, Portable,
    loss::Loss,
    network::{Fcn, Mirrored, Network, Sizes},
    record::{Burst, Recorder, recorder_len},
    train::{Problem, Trainer, trainer_len},
};

use super::{Board, FLOW, Output, fits, network_of, training::follow};

/// What each sample is to be learnt as.
#[derive(Clone, Copy, Debug)]
pub enum Labels<'a> {
    /// A class, counted from 0: two are learnt by one output, more by an output each; cross-entropy.
    Classes(&'a [u8], usize),
    /// A number; squared error.
    Values(&'a [f32]),
}

/// What is learnt, and how.
#[derive(Clone, Copy, Debug)]
pub struct Task<'a> {
    /// The samples `(n, features)`, one after the other.
    pub x: &'a [f32],
    /// Numbers of a sample.
    pub features: usize,
    /// n of them.
    pub labels: Labels<'a>,
    /// Of the hidden layers.
    pub widths: &'a [usize],
    /// Of the parameters.
    pub seed: u64,
    /// Gradient-flow times of the records, in order, the first of which is the initialization, 0.
    pub times: &'a [f32],
}

impl Task<'_> {
    const fn n(&self) -> usize {
        self.x.len() / self.features
    }

    const fn outputs(&self) -> usize {
        match self.labels {
            Labels::Classes(_, classes) if classes > 2 => classes,
            _ => 1,
        }
    }

    const fn loss(&self) -> Loss {
        match self.labels {
            Labels::Classes(..) => Loss::CrossEntropy,
            Labels::Values(_) => Loss::SquaredError,
        }
    }

    const fn network(&self) -> Fcn<'_> {
        network_of(self.features, self.widths, self.outputs())
    }

    const fn sizes(&self) -> Sizes {
        self.network().sizes().mirrored()
    }

    /// Bursts where they fit, else the kernel at points.
    const fn burst(&self, board: Board) -> Option<Burst> {
        if fits(self.len_with(Some(Burst::STANDARD)), board.ram) { Some(Burst::STANDARD) } else { None }
    }

    const fn len_with(&self, burst: Option<Burst>) -> usize {
        let (sizes, n) = (self.sizes(), self.n());
        n * self.outputs() + trainer_len(sizes, n, &FLOW) + recorder_len(sizes, n, Portable::TILE, &FLOW, burst)
    }

    /// Numbers in the buffer on a board.
    pub const fn len(&self, board: Board) -> usize {
        self.len_with(self.burst(board))
    }

    /// Trains, and sends what core records, as run `train`; `buffer` holds at least [`Self::len`] numbers.
    ///
    /// # Errors
    /// Shapes that do not fit, labels outside the loss's range, a step that cannot be taken.
    pub fn run(&self, board: Board, buffer: &mut [f32], out: &mut dyn Output) -> Result<(), Error> {
        let (n, outputs, loss) = (self.n(), self.outputs(), self.loss());
        let network = Mirrored(self.network());
        let (targets, rest) = buffer.split_at_mut(n * outputs);
        for (i, target) in targets.chunks_exact_mut(outputs).enumerate() {
            match self.labels {
                Labels::Classes(labels, _) => loss.target(labels[i].into(), 0.0, target)?,
                Labels::Values(values) => target[0] = values[i],
            }
        }
        let (x, targets) = (MatRef::new(self.x, n, self.features)?, MatRef::new(targets, n, outputs)?);
        let problem = Problem::new(&network, x, targets, loss, 0.0)?;
        let (training, kernels) = rest.split_at_mut(trainer_len(network.sizes(), n, &FLOW));
        let mut trainer = Trainer::new(&Portable, problem, FLOW, self.seed, training)?;
        let mut recorder = Recorder::new(&mut trainer, self.burst(board), kernels)?;
        follow(&mut trainer, &mut recorder, (self.times, 0..self.times.len()), "train", out)
    }
}
