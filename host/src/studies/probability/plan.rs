//! The grid, and what its finished jobs show: one thing at a time is varied about a centre.

use std::path::Path;

use super::claims;
use super::figures;
use super::limits::{FixedKernel, Posterior, PosteriorFound};
use super::line::{Line, Parametrization};
use super::networks::{Networks, NetworksFound};
use super::table;
use super::verdicts::Verdicts;
use crate::experiment::NetworkKind;
use crate::report::number;
use crate::study::Error;
use crate::study::cell::Finished;
use crate::study::grid::Job;
use crate::study::kept::Kept;
use crate::study::options::Options;
use crate::study::plan::{Findings, Plan};
use crate::words;

/// The line of the centre: the problem's own parametrization and scale.
pub const CENTRE: Line = Line { points: 4, parametrization: Parametrization::Ntk, scale: 1.0 };
/// Draws under the fixed NTK for every network of a cell: its column is to have a fraction of the networks' scatter.
const DRAWS_A_NETWORK: u64 = 5;
/// Draws of the Gaussian process that are kept: a sampled number that has a closed form beside it may be exact.
const ACCEPTED: u64 = 50_000;

/// Everything that is measured.
pub struct ProbabilityTable {
    /// by parametrization, points, scale, width
    networks: Vec<Kept<Networks>>,
    kernels: Vec<Kept<FixedKernel>>,
    posteriors: Vec<Kept<Posterior>>,
}

/// A cell: networks of one width, and what infinite width says of them.
pub struct Cell {
    /// what was trained
    pub networks: Networks,
    /// how it went
    pub found: NetworksFound,
    /// the flow under the fixed NTK
    pub fixed: Verdicts,
    /// the Gaussian process
    pub posterior: PosteriorFound,
}

/// All cells, and the Gaussian process of every number of points.
pub struct Found {
    /// in the order of the plan
    pub cells: Vec<Cell>,
    /// by number of points
    pub posteriors: Vec<(Posterior, PosteriorFound)>,
}

impl Found {
    /// The cells of a line, narrow to wide.
    pub fn of(&self, line: Line) -> Vec<&Cell> {
        let mut cells: Vec<&Cell> = self.cells.iter().filter(|cell| cell.networks.line == line).collect();
        cells.sort_by_key(|cell| cell.networks.width);
        cells
    }
    /// The width at which points and scale are varied: that of the cells beside the centre's line, else its widest.
    pub fn middle(&self) -> usize {
        let beside = |cell: &&Cell| cell.networks.line.points != CENTRE.points;
        let widest = || self.of(CENTRE).last().map_or(0, |cell| cell.networks.width);
        self.cells.iter().find(beside).map_or_else(widest, |cell| cell.networks.width)
    }
    /// Scales of the centre's parametrization and points at the middle width, ascending.
    pub fn by_scale(&self) -> Vec<&Cell> {
        let at = |cell: &&Cell| {
            let Networks { line, width, .. } = cell.networks;
            Line { scale: CENTRE.scale, ..line } == CENTRE && width == self.middle()
        };
        let mut cells: Vec<&Cell> = self.cells.iter().filter(at).collect();
        cells.sort_by(|a, b| a.networks.line.scale.total_cmp(&b.networks.line.scale));
        cells
    }
}

/// What the options choose.
pub fn grid(options: &Options) -> ProbabilityTable {
    let mut grid = ProbabilityTable { networks: Vec::new(), kernels: Vec::new(), posteriors: Vec::new() };
    if !options.has_network(NetworkKind::Fcn) {
        return grid;
    }
    let own: &[usize] = if options.full { &[2, 4, 8, 16, 32, 64, 128, 256, 512, 1024] } else { &[4, 16, 64, 256] };
    let widths = options.widths_or(own);
    let middle = widths[widths.len() / 2];
    let own_networks = 2000;
    let networks = options.seeds.unwrap_or(if options.full { 10_000 } else { own_networks });
    let draws = DRAWS_A_NETWORK * networks;
    let (points, scales): (&[usize], &[f64]) = match options.full {
        true => (&[2, 3, 8, 16], &[0.125, 0.25, 0.5, 2.0, 4.0, 8.0]),
        false => (&[2, 8], &[0.25, 0.5, 2.0, 4.0]),
    };
    let at = |line: Line, width: usize| Networks { line, width, networks };
    let mut cells: Vec<Networks> = widths.iter().map(|width| at(CENTRE, *width)).collect();
    cells.extend(points.iter().map(|points| at(Line { points: *points, ..CENTRE }, middle)));
    cells.extend(scales.iter().map(|scale| at(Line { scale: *scale, ..CENTRE }, middle)));
    for parametrization in [Parametrization::NtkHe, Parametrization::Standard, Parametrization::FanIn] {
        let line = Line { parametrization, ..CENTRE };
        cells.extend(widths.iter().filter(|width| **width <= middle).map(|width| at(line, *width)));
    }
    let count = |own: u64, here: u64, what: &str| if own == here { String::new() } else { format!("-{what}{here}") };
    for cell in cells {
        let fixed = FixedKernel::of(cell.line, cell.width, draws);
        let posterior = Posterior { points: cell.line.points, accepted: ACCEPTED };
        if grid.kernels.iter().all(|kept| kept.measurement != fixed) {
            let id = format!("fixed-{}{}", fixed.name(), count(DRAWS_A_NETWORK * own_networks, draws, "draws"));
            grid.kernels.push(Kept { id, measurement: fixed });
        }
        if grid.posteriors.iter().all(|kept| kept.measurement != posterior) {
            grid.posteriors.push(Kept { id: format!("posterior-l{}", posterior.points), measurement: posterior });
        }
        let id = format!("networks-{}-w{}{}", cell.line.name(), cell.width, count(own_networks, networks, "networks"));
        grid.networks.push(Kept { id, measurement: cell });
    }
    grid
}

impl ProbabilityTable {
    fn found(&self, study: &Path) -> Result<Found, Error> {
        let kernels = self.kernels.iter().map(|kept| kept.measurement.found(&kept.id, &kept.read(study)?));
        let kernels: Vec<Verdicts> = kernels.collect::<Result<_, _>>()?;
        let posteriors = self.posteriors.iter().map(|kept| {
            let found = kept.measurement.found(&kept.id, &kept.read(study)?)?;
            Ok((kept.measurement, found))
        });
        let posteriors: Vec<(Posterior, PosteriorFound)> = posteriors.collect::<Result<_, Error>>()?;
        let mut cells = Vec::new();
        for kept in &self.networks {
            let networks = kept.measurement;
            let of_cell = FixedKernel::of(networks.line, networks.width, DRAWS_A_NETWORK * networks.networks);
            let fixed = self.kernels.iter().zip(&kernels).find(|(kernel, _)| kernel.measurement == of_cell);
            let posterior = posteriors.iter().find(|(posterior, _)| posterior.points == networks.line.points);
            // the plan has both for every cell
            let (Some((_, fixed)), Some((_, posterior))) = (fixed, posterior) else { continue };
            let found = networks.found(&kept.id, &kept.read(study)?)?;
            cells.push(Cell { networks, found, fixed: fixed.clone(), posterior: *posterior });
        }
        Ok(Found { cells, posteriors })
    }
}

impl Plan for ProbabilityTable {
    fn jobs(&self) -> Vec<&dyn Job> {
        let networks = self.networks.iter().map(|job| job as &dyn Job);
        let kernels = self.kernels.iter().map(|job| job as &dyn Job);
        networks.chain(kernels).chain(self.posteriors.iter().map(|job| job as &dyn Job)).collect()
    }
    fn findings(&self, _: &[Finished], study: &Path) -> Result<Findings, Error> {
        let found = self.found(study)?;
        let count: u64 = found.cells.iter().map(|cell| cell.networks.networks).sum();
        let evaluations = found.cells.iter().map(|cell| cell.found.evaluations);
        let mean = evaluations.sum::<f64>() / found.cells.len() as f64;
        let unfinished: usize = found.cells.iter().map(|cell| cell.found.unfinished).sum();
        let left = match unfinished {
            0 => String::new(),
            _ => format!(
                " {} did not come to the last time within the allowed steps; the last verdict of each is counted, which could only \
                 become positive.",
                words::count(unfinished, "network")
            ),
        };
        Ok(Findings {
            sizes: format!(
                "{count} networks in {} cells, {} gradient evaluations a network on average; as many linearized networks.{left}",
                found.cells.len(),
                number(mean.round())
            ),
            claims: claims::all(&found),
            figures: figures::all(&found),
            tables: table::tables(&found),
            files: vec![(table::FILE, table::csv(&found))],
            ..Findings::default()
        })
    }
}
