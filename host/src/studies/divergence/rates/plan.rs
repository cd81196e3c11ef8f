//! The networks of the part, and how far each is trained.

use std::path::Path;

use super::growth::{Growth, six_points};
use super::{Grown, claims, figures, row, table};
use crate::experiment::{Init, Model};
use crate::study::Error;
use crate::study::cell::Finished;
use crate::study::grid::Job;
use crate::study::kept::Kept;
use crate::study::net::Net;
use crate::study::options::Options;
use crate::study::paper::Part;
use crate::study::plan::{Findings, Plan};
use crate::words::count;
use ntkscope_core::network::Bias;

/// A network and its width. y falls like `m u^(-2/M)`, so the larger M the narrower; networks that are narrower still often
/// cannot fit the samples.
struct Choice {
    net: Net,
    width: usize,
    /// seconds of a network of this width to [`MARGIN`]
    work: f64,
}

const CHOICES: [Choice; 5] = [
    Choice { net: Net::fcn(2).with_bias(Bias::Hidden), width: 24, work: 1.7 },
    Choice { net: Net::fcn(3).with_bias(Bias::Hidden), width: 24, work: 2.2 },
    Choice { net: Net::resnet(1, 1.0).with_bias(Bias::Hidden), width: 24, work: 4.5 },
    Choice { net: Net::resnet(2, 1.0).with_bias(Bias::Hidden), width: 12, work: 2.3 },
    Choice { net: Net::resnet(3, 1.0).with_bias(Bias::Hidden), width: 8, work: 5.5 },
];

/// Mean margin at which the networks of the small grid end.
const MARGIN: f64 = 1e4;
/// By how much farther those of the full grid go; steps are as many as units of the margin.
const FARTHER: f64 = 10.0;

/// The networks of one kind and width, one for every seed.
struct Seeds {
    net: Net,
    width: usize,
    margin: f64,
    jobs: Vec<Kept<Growth>>,
}

/// All networks that the options choose.
pub struct Networks(Vec<Seeds>);

/// The networks that the options choose.
pub fn networks(part: &'static Part, options: &Options) -> Networks {
    let chosen = CHOICES.iter().filter(|choice| options.has_network(choice.net.kind));
    let widths =
        |choice: &'static Choice| options.widths_or(&[choice.width]).into_iter().map(move |width| (choice, width));
    Networks(chosen.flat_map(widths).map(|(choice, width)| seeds(part, options, choice, width)).collect())
}

fn seeds(part: &'static Part, options: &Options, choice: &Choice, width: usize) -> Seeds {
    let Choice { net, work, .. } = *choice;
    let factor = if options.full { FARTHER } else { 1.0 };
    let (margin, share) = (MARGIN * factor, (width as f64 / choice.width as f64).powi(2));
    let number = options.seeds.unwrap_or(if options.full { 16 } else { 8 });
    // results of both grids can be kept
    let grid = if options.full { "-full" } else { "" };
    let job = |seed: u64| {
        let on = Model { init: Init::Standard, seed, ..six_points() };
        let model = net.model(width, &on);
        let id = format!("{}-{}-w{width}{grid}-s{seed}", part.name, net.name());
        Kept { id, measurement: Growth { net, model, margin, work: work * factor * share } }
    };
    Seeds { net, width, margin, jobs: (0..number).map(job).collect() }
}

impl Seeds {
    /// What the finished networks have grown to; those that could not fit the samples are counted.
    fn read(&self, study: &Path) -> Result<Grown, Error> {
        let mut grown = Grown { net: self.net, width: self.width, margin: self.margin, runs: Vec::new(), failed: 0 };
        for job in &self.jobs {
            let rows = row::rows(&job.read(study)?)?;
            if rows.len() == job.measurement.rows() { grown.runs.push(rows) } else { grown.failed += 1 }
        }
        Ok(grown)
    }
}

impl Plan for Networks {
    fn jobs(&self) -> Vec<&dyn Job> {
        self.0.iter().flat_map(|seeds| &seeds.jobs).map(|job| job as &dyn Job).collect()
    }
    fn findings(&self, _: &[Finished], study: &Path) -> Result<Findings, Error> {
        let all: Vec<Grown> = self.0.iter().map(|seeds| seeds.read(study)).collect::<Result<_, _>>()?;
        let mut sizes = format!("{} of 6 samples, standard initialization.", count(self.jobs().len(), "network"));
        for grown in all.iter().filter(|grown| grown.failed > 0) {
            sizes += &format!(
                " Of {}, width {}, {} of {} cannot fit the samples and are left out of claims and figures.",
                grown.net.title(),
                grown.width,
                grown.failed,
                count(grown.failed + grown.runs.len(), "network")
            );
        }
        Ok(Findings {
            sizes,
            claims: all.iter().flat_map(claims::claims).collect(),
            figures: figures::figures(&all),
            tables: vec![table::local_exponents(&all)],
            ..Findings::default()
        })
    }
}
