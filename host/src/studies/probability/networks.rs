//! Networks of a cell, trained by gradient flow, each beside its own linearization.

use ntkscope_core::MatMut;
use ntkscope_core::MatRef;
use ntkscope_core::forward::{Params, forward};
use ntkscope_core::kernel::{MultiOutput, structured, structured_scratch, tangent, tangent_len};
use ntkscope_core::loss::Loss;
use ntkscope_core::train::{Optimizer, Problem, Trainer, trainer_len};
use serde::Serialize;

use super::flow::ProbeFlow;
use super::line::{INPUTS, Line, TIMES, network, points_and_probe, with_times};
use super::verdicts::{Verdicts, columns};
use crate::analysis::points::draw_seed;
use crate::backend::HostReal;
use crate::files::numbers::NumberTable;
use crate::machine::{Ended, Stop};
use crate::run::Observer;
use crate::study::Error;
use crate::study::kept::Measurement;

/// Networks of one width that differ in their seeds alone; the same seeds at every scale and in every parametrization.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Networks {
    /// what they are
    #[serde(flatten)]
    pub line: Line,
    /// width m
    pub width: usize,
    /// how many
    pub networks: u64,
}

/// The flow, to the accuracy of all studies.
const FLOW: Optimizer = Optimizer::Flow { tolerance: 0.01 };

/// Steps after which a network is left where it is. Few come so far: those of which one point has no active unit for long, so
/// that its residual does not fall and time does not pass faster.
const MOST_STEPS: u64 = 5000;

/// What a finished cell says.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworksFound {
    /// of the networks
    pub network: Verdicts,
    /// of their linearizations
    pub linearized: Verdicts,
    /// gradient evaluations of a network, on average
    pub evaluations: f64,
    /// networks that have not come to the last time in `MOST_STEPS` steps; their last verdict counts at the times after it,
    /// and only those that are not positive could be wrong, because no verdict is taken back
    pub unfinished: usize,
}

impl Networks {
    /// What its table says.
    ///
    /// # Errors
    /// Networks or columns are missing.
    pub fn found(&self, id: &str, table: &NumberTable) -> Result<NetworksFound, Error> {
        Error::check_rows(id, table.rows().len(), self.networks)?;
        let evaluations = table.column("evaluations")?;
        Ok(NetworksFound {
            network: Verdicts::of(table, "network")?,
            linearized: Verdicts::of(table, "linearized")?,
            evaluations: evaluations.iter().sum::<f64>() / evaluations.len() as f64,
            unfinished: table.column("unfinished")?.iter().filter(|times| **times > 0.0).count(),
        })
    }
}

impl Measurement for Networks {
    fn settings(&self) -> Result<String, Error> {
        Ok(toml::to_string(&self.plan()?)?)
    }
    fn plan(&self) -> Result<toml::Table, Error> {
        with_times(self)
    }
    fn work(&self) -> f64 {
        self.networks as f64 * (2e-3 + 5e-5 * self.width as f64)
    }
    fn need(&self) -> Result<u64, Error> {
        let (widths, n) = ([self.width], self.line.points);
        let sizes = network(&widths)?.sizes();
        let rows = 2 * self.networks as usize * (3 + 2 * TIMES.len());
        Ok(8 * (trainer_len(sizes, n, &FLOW) + 2 * tangent_len(sizes, n + 1) + rows) as u64)
    }
    /// A row for every network: its seed, gradient evaluations, times that it has not come to, and the probe's output at time 0 and at each of the
    /// [`TIMES`], its own and its linearization's.
    fn measure(&self, observer: &mut (dyn Observer + Send), stop: &Stop) -> Result<Ended<NumberTable>, Error> {
        let (widths, n, backend) = ([self.width], self.line.points, f64::fast());
        let (network, all) = (network(&widths)?, points_and_probe(n));
        let (sizes, scales) = (network.sizes(), self.line.parametrization.scales(self.width, self.line.scale));
        let (x, probe) = (MatRef::new(&all[..n * INPUTS], n, INPUTS)?, MatRef::new(&all[n * INPUTS..], 1, INPUTS)?);
        let (all, targets) = (MatRef::new(&all, n + 1, INPUTS)?, vec![1.0; n]);
        let problem = Problem::new(&network, x, MatRef::new(&targets, n, 1)?, Loss::CrossEntropy, 0.0)?;
        let mut buffer = vec![0.0; trainer_len(sizes, n, &FLOW)];
        let (mut tangents, mut activations) = (vec![0.0; tangent_len(sizes, n + 1)], vec![0.0; sizes.activations]);
        let mut kernel = vec![0.0; (n + 1) * (n + 1)];
        let mut scratch = vec![0.0; structured_scratch(backend.tile(), n + 1, n + 1)];
        let mut fixed = ProbeFlow::new(n);
        let names = ["seed", "evaluations", "unfinished"].map(String::from).into_iter();
        let mut table = NumberTable::new(names.chain(columns("network")).chain(columns("linearized")));
        for index in 0..self.networks {
            if stop.requested() {
                return Ok(Ended::Stopped);
            }
            let seed = draw_seed(0, self.width, index as u32);
            let start = |theta: &mut [f64]| scales.initialize(&network, seed, theta);
            let mut trainer = Trainer::with_initial(backend, problem, FLOW, &mut buffer, start)?;
            let tangent = tangent(backend, Params::new(&network, trainer.theta())?, all, &mut tangents)?;
            let f_0 = tangent.activations.outputs().data().to_vec();
            let into = MatMut::new(&mut kernel, n + 1, n + 1)?;
            structured(backend, &tangent, None, MultiOutput::Trace, into, &mut scratch)?;
            let linearized = fixed.probe(&kernel, &f_0, scales.clock)?;

            let (mut outputs, mut unfinished) = (vec![f_0[n]], 0.0);
            for time in TIMES.map(|time| scales.clock * time) {
                while !trainer.reached(time) && trainer.step() < MOST_STEPS {
                    trainer.advance(Some(time))?;
                }
                unfinished += f64::from(u8::from(!trainer.reached(time)));
                let passed = forward(backend, Params::new(&network, trainer.theta())?, probe, &mut activations)?;
                outputs.push(passed.outputs().at(0, 0));
            }
            let row = [index as f64, trainer.evaluations() as f64, unfinished].into_iter();
            table.push(row.chain(outputs).chain([f_0[n]]).chain(linearized).collect());
            observer.step((index + 1) as f64 / self.networks as f64, &String::new);
        }
        Ok(Ended::Done(table))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studies::probability::line::Parametrization;

    const LINE: Line = Line { points: 4, parametrization: Parametrization::Ntk, scale: 1.0 };

    fn measured(networks: Networks) -> NumberTable {
        networks.measure(&mut (), &Stop::new()).unwrap().done().unwrap()
    }

    /// The flow's verdicts are those of gradient descent at a small rate, and no probe falls.
    #[test]
    fn gradient_descent_gives_the_same_verdicts() {
        let (networks, rate, count) = (Networks { line: LINE, width: 8, networks: 60 }, 2e-3, 60);
        let table = measured(networks);
        let found = networks.found("eight", &table).unwrap();
        assert!(found.evaluations > 10.0);
        let (widths, all) = ([8], points_and_probe(4));
        let network = network(&widths).unwrap();
        let (x, probe) = (MatRef::new(&all[..12], 4, 3).unwrap(), MatRef::new(&all[12..], 1, 3).unwrap());
        let targets = [1.0; 4];
        let problem = Problem::new(&network, x, MatRef::new(&targets, 4, 1).unwrap(), Loss::CrossEntropy, 0.0).unwrap();
        let descent = Optimizer::Descent { rate };
        let mut buffer = vec![0.0; trainer_len(network.sizes(), 4, &descent)];
        let mut same = 0;
        for index in 0..count {
            let mut trainer = Trainer::new(f64::fast(), problem, descent, draw_seed(0, 8, index), &mut buffer).unwrap();
            // to t = 10, the first of the times
            (0..(TIMES[0] / rate) as usize).for_each(|_| trainer.advance(None).unwrap());
            let mut activations = vec![0.0; network.sizes().activations];
            let params = Params::new(&network, trainer.theta()).unwrap();
            let f = forward(f64::fast(), params, probe, &mut activations).unwrap().outputs().at(0, 0);
            same += u32::from((f > 0.0) == found.network.at(1)[index as usize]);
            let flow = table.rows()[index as usize][4];
            assert!((f - flow).abs() < 0.05 * f.abs().max(1.0), "network {index}: {f} {flow}");
        }
        assert!(same >= count - 1, "{same} of {count}");
    }

    /// Every row belongs to its seed: more networks begin with the same ones, on any number of threads; a cell that was stopped
    /// leaves nothing.
    #[test]
    fn networks_depend_on_their_seeds_alone() {
        let few = Networks { line: LINE, width: 4, networks: 5 };
        let many = measured(Networks { networks: 9, ..few });
        let threads = crate::machine::with_threads(Some(3), || measured(few)).unwrap();
        assert_eq!(threads.rows(), &many.rows()[..5]);
        let (stop, missing) = (Stop::new(), Networks { networks: 10, ..few }.found("ten", &many).unwrap_err());
        assert!(missing.to_string().contains("9 rows instead of 10"), "{missing}");
        stop.request();
        assert_eq!(few.measure(&mut (), &stop).unwrap().done(), None);
    }

    /// Networks without an active unit stay where they are, and so do their linearizations; the scale of the initialization
    /// changes no verdict at the start.
    #[test]
    fn dead_networks_stay() {
        let one = Networks { line: Line { points: 2, ..LINE }, width: 1, networks: 40 };
        let table = measured(one);
        let still = |row: &&Vec<f64>| row[3..].iter().all(|f| *f == row[3]);
        let dead = table.rows().iter().filter(still).count();
        assert!((5..36).contains(&dead), "{dead} of 40");
        let wider = Networks { line: Line { scale: 3.0, ..one.line }, ..one };
        let [here, there] = [one, wider].map(|n| n.found("one", &measured(n)).unwrap().network.at(0).to_vec());
        assert_eq!(here, there);
    }
}
