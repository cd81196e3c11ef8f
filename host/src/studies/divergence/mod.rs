//! The study "divergence": under cross-entropy the empirical NTK leaves the NTK as training goes on, at any finite
//! width; under squared error it does not (Yu, Tian, Chen 2025).

pub mod claims;
pub mod figures;
pub mod plan;
pub mod positivity;

use std::path::Path;

use anyhow::Result;

use crate::error::UsageError;
use crate::experiment::Init;
use crate::plot::Figure;
use crate::report::{Claim, number};
use crate::study::Study;
use crate::study::cell::{Cell, Finished, read_all};
use crate::study::grid::Job;
use crate::study::group::Group;
use crate::study::page::{Chapter, Page};
use crate::study::plan::{Net, Options, Part, kind_of};
use crate::study::table::cells_table;

/// The study.
pub struct Divergence {
    options: Options,
    cells: Vec<Cell>,
}

impl Divergence {
    /// With the cells that the options choose. Errors: options that choose nothing.
    pub fn new(options: Options) -> Result<Self, UsageError> {
        options.check(&plan::PARTS, &plan::QUICK)?;
        Ok(Self { cells: plan::cells(&options), options })
    }
}

impl Study for Divergence {
    fn name(&self) -> &'static str {
        "divergence"
    }
    fn jobs(&self) -> Vec<&dyn Job> {
        self.cells.iter().map(|cell| cell as &dyn Job).collect()
    }
    fn write(&self, directory: &Path) -> Result<Vec<Claim>> {
        write(&self.options, &read_all(&self.cells, directory)?, directory)
    }
}

/// Writes `claims.csv`, `cells.csv`, the figures and the report; returns the claims.
fn write(options: &Options, finished: &[Finished], directory: &Path) -> Result<Vec<Claim>> {
    let chapters = options.parts(&plan::PARTS, &plan::QUICK).into_iter().map(|part| chapter(part, finished)).collect();
    cells_table(finished).write(&directory.join("cells.csv"))?;
    let evaluations: u64 = finished.iter().map(|f| f.evaluations).sum();
    let lead = format!(
        "Under cross-entropy with hard labels the parameters of a network must grow without bound, and its empirical neural \
         tangent kernel K_{{t}} leaves the kernel it began with; under squared error both come to rest. {} runs ({} gradient \
         evaluations) were made to measure by how much.",
        finished.len(),
        number(evaluations as f64)
    );
    let caveat = "Uncertainties are standard errors over seeds. A verdict is about the runs that were made: what was seen up to \
                  the margins and times stated, not a proof of what comes behind them.";
    let (claims, terms) = (positivity::on_six_points()?, vec![TERMS.into(), data_text(finished)]);
    Page { study: "divergence", lead, caveat, claims, chapters, terms }.write(directory)
}

/// Claims and figures of the runs of a part.
fn chapter(part: Part, finished: &[Finished]) -> Chapter {
    let groups = groups(part, finished);
    let mut claims = Vec::new();
    if part != Part::SixPoints && part != Part::Exponent {
        // all initializations share the analytic kernel
        let mut seen: Vec<Net> = Vec::new();
        for group in &groups {
            if !seen.contains(&group.net) {
                claims.extend(positivity::on_samples(group));
                seen.push(group.net);
            }
        }
    }
    claims.extend(groups.iter().flat_map(claims::of_group));
    let figures: Vec<Figure> = match part {
        Part::Exponent => figures::of_exponents(&groups).into_iter().collect(),
        _ => groups.iter().flat_map(figures::of_group).collect(),
    };
    Chapter { title: part.title(), introduction: introduction(part, &groups), figures, claims }
}

/// The runs of a part, by network and initialization, in the order of the grid.
fn groups(part: Part, finished: &[Finished]) -> Vec<Group<'_>> {
    let mut kinds: Vec<(Net, Init)> = Vec::new();
    for cell in finished.iter().map(|f| &f.cell).filter(|cell| cell.part == part.name()) {
        let kind = kind_of(&cell.settings.model);
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds.into_iter().map(|(net, init)| Group::of(part, net, init, finished)).filter(|g| !g.is_empty()).collect()
}

fn introduction(part: Part, groups: &[Group<'_>]) -> String {
    let Some(first) = groups.first() else { return String::new() };
    let samples = first.all(crate::experiment::LossKind::CROSS_ENTROPY).next().map_or(0, |run| run.finished.samples);
    let widths = first.widths();
    let what = match part {
        Part::SixPoints => {
            "Six points on the unit circle at angles i π/3 with labels 0, 1, 0, 1, 0, 1: three antipodal pairs with opposite \
             labels. The label vector is an eigenvector of every dot-product kernel, so kernel theory has closed forms here: \
             margin u with u + e^{u} − 1 = λ_{s} t/6, distance |θ_{t} − θ_{0}| = u √(6/λ_{s})."
        }
        Part::Exponent => {
            "One narrow network on the six points, trained until t is beyond any number a computer usually holds: the margin u \
             grows like ln t. A homogeneous network of degree L + 1 must have K_{t} ~ u^{2L/(L+1)}."
        }
        Part::Mnist | Part::MnistLarge => "Handwritten digits, odd against even, every image scaled to unit norm.",
        Part::Sphere => "Points on the unit sphere of R^{3}; the label is the sign of x_{1} x_{2}.",
        Part::Separable => "Two clusters in 32 dimensions, as many as samples: a linear function separates them.",
        _ => "Two overlapping clusters in the plane: only a network that memorises them separates them.",
    };
    format!("{what} {samples} samples, widths {widths:?}, {} seed(s).", first.seeds().len())
}

const TERMS: &str = "t is the time of gradient flow on the mean loss. K_{t} is the empirical neural tangent kernel of the \
training samples at time t, K_{0} that at initialization, Θ the analytic kernel of the infinitely wide network. Drift is the \
largest entry of |K_{t} − K_{0}|; relative drift is |K_{t} − K_{0}|_{F}/|K_{0}|_{F}. The margin of a sample is its logit times the \
sign of its label; u is the mean margin. m is the width, L the number of hidden layers or residual blocks, λ_{s} the eigenvalue \
of Θ for the labels. Mirrored initialization is the difference of two equal copies over √2; both are trained.";

/// Where the samples come from, once for every data set.
fn data_text(finished: &[Finished]) -> String {
    let mut lines: Vec<String> = Vec::new();
    for f in finished {
        let spec = &f.cell.settings.model.data;
        let line = format!("{}: {} samples of {spec}", f.cell.part, f.samples);
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    format!("Data: {}. Every run's settings and the checksum of its samples are in runs/*/run.toml.", lines.join("; "))
}
