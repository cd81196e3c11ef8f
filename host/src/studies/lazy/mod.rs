//! The study "lazy": with a penalty towards the initial parameters, or with targets that leave every class a positive
//! probability, wide networks stay in the kernel regime under cross-entropy, and end where an explicit formula says
//! (Plenk, Calvo-Ordonez, Cartea, Gal, van der Wilk, Ciosek 2026).

pub mod claims;
pub mod ensemble;
pub mod figures;
pub mod plan;

use std::path::Path;

use anyhow::Result;

use crate::error::UsageError;
use crate::experiment::Init;
use crate::plot::Figure;
use crate::report::Claim;
use crate::study::Study;
use crate::study::cell::{Cell, Finished, read_all};
use crate::study::grid::Job;
use crate::study::group::Group;
use crate::study::kept::Kept;
use crate::study::page::{Chapter, Page};
use crate::study::plan::{Net, Options, Part, kind_of};
use crate::study::table::cells_table;
use claims::{Measured, OfKind};
use ensemble::Ensemble;
use plan::Kind;

/// The study.
pub struct Lazy {
    options: Options,
    cells: Vec<Cell>,
    ensembles: Vec<Kept<Ensemble>>,
}

impl Lazy {
    /// With the runs that the options choose. Errors: options that choose nothing.
    pub fn new(options: Options) -> Result<Self, UsageError> {
        options.check(&plan::PARTS, &plan::QUICK)?;
        Ok(Self { cells: plan::cells(&options), ensembles: ensemble::ensembles(&options), options })
    }
}

impl Study for Lazy {
    fn name(&self) -> &'static str {
        "lazy"
    }
    fn jobs(&self) -> Vec<&dyn Job> {
        let ensembles = self.ensembles.iter().map(|e| e as &dyn Job);
        self.cells.iter().map(|cell| cell as &dyn Job).chain(ensembles).collect()
    }
    fn write(&self, directory: &Path) -> Result<Vec<Claim>> {
        let finished = read_all(&self.cells, directory)?;
        let mut chapters = Vec::new();
        for part in self.options.parts(&plan::PARTS, &plan::QUICK) {
            let (claims, figures) = match part {
                Part::Ensemble => self.ensembles(directory)?,
                _ => of_part(part, &finished),
            };
            chapters.push(Chapter { title: part.title(), introduction: introduction(part).into(), figures, claims });
        }
        cells_table(&finished).write(&directory.join("cells.csv"))?;
        let lead = format!(
            "Cross-entropy does not always drive a network out of the kernel regime: with a penalty on the distance from the \
             initial parameters, or with targets that leave every class a positive probability, training ends, the wider the \
             network the nearer to where its initial kernel K_{{0}} says. {} runs were made.",
            finished.len()
        );
        let caveat = "Uncertainties are standard errors over seeds. A verdict is about the runs that were made.";
        Page { study: "lazy", lead, caveat, claims: Vec::new(), chapters, terms: vec![TERMS.into()] }.write(directory)
    }
}

impl Lazy {
    fn ensembles(&self, directory: &Path) -> Result<(Vec<Claim>, Vec<Figure>)> {
        let (mut claims, mut drawn) = (Vec::new(), Vec::new());
        // of one kind they stand together, narrow to wide
        for same in self.ensembles.chunk_by(|a, b| a.measurement.kind == b.measurement.kind) {
            let mut by_width = Vec::new();
            for kept in same {
                let ensemble = &kept.measurement;
                let members = ensemble.members(&kept.read(directory)?)?;
                by_width.push(Measured { ensemble, members, law: ensemble.law()? });
            }
            claims.extend(claims::of_ensembles(&by_width));
            drawn.extend(by_width.last().into_iter().flat_map(figures::of_ensemble));
        }
        Ok((claims, drawn))
    }
}

/// Claims and figures of the runs of a part.
fn of_part(part: Part, finished: &[Finished]) -> (Vec<Claim>, Vec<Figure>) {
    let mut nets: Vec<Net> = Vec::new();
    let mut kinds: Vec<Kind> = Vec::new();
    for cell in finished.iter().map(|f| &f.cell).filter(|cell| cell.part == part.name()) {
        let ((net, _), kind) = (kind_of(&cell.settings.model), Kind::of(&cell.settings.training));
        if !nets.contains(&net) {
            nets.push(net);
        }
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    let of_kind = |kind: Kind| finished.iter().filter(move |f| Kind::of(&f.cell.settings.training) == kind);
    let (mut claims, mut drawn) = (Vec::new(), Vec::new());
    for net in nets {
        let groups: Vec<(Kind, Group<'_>)> = kinds
            .iter()
            .map(|kind| (*kind, Group::of(part, net, Init::Mirrored, of_kind(*kind))))
            .filter(|(_, group)| !group.is_empty())
            .collect();
        let plain = groups.iter().find(|(kind, _)| *kind == Kind::Plain).map(|(_, group)| group);
        let kept: Vec<OfKind<'_>> = groups.iter().map(|(kind, group)| OfKind { kind: *kind, group, plain }).collect();
        claims.extend(kept.iter().flat_map(claims::of_runs));
        claims.extend(claims::lost_with_smoothing(&kept).filter(|_| part == Part::SixPoints));
        if part != Part::Conflicting {
            drawn.extend(figures::of_network(&kept));
        }
    }
    (claims, drawn)
}

fn introduction(part: Part) -> &'static str {
    match part {
        Part::SixPoints => {
            "Six points on the unit circle, three antipodal pairs with opposite labels. With a penalty the end is f* = f_{0} − K (p(f*) − \
             y)/(n Λ); with soft targets the outputs meet logit(q) on the training points."
        }
        Part::Conflicting => {
            "The same six points, each four times: three labels agree and one does not, so the mean label is a soft target although no \
             single one is."
        }
        Part::Ensemble => {
            "Networks of one hidden layer from a few hundred seeds. Theory: f_{0} is a Gaussian process with the NNGP kernel, training \
             adds A (y − f_{0}(X)), so the trained outputs are Gaussian too (with a penalty to first order)."
        }
        Part::Mnist => {
            "Handwritten digits, odd against even, every image scaled to unit norm; 500 more images are held out."
        }
        _ => {
            "Handwritten digits, ten classes and ten outputs, every image scaled to unit norm; 500 more images are held out."
        }
    }
}

const TERMS: &str = "Λ is the penalty's factor in the mean loss, (Λ/2)|θ − θ_{0}|^{2}; ε the smoothing: targets 1 − ε + ε/C and ε/C. \
K_{t} is the empirical neural tangent kernel of the training samples, K_{0} that at initialization; drift is max_{ij} |K_{t} − K_{0}|. \
f_{T} are the trained outputs, f*[K] those of the explicit solution under the kernel K. sd is a standard deviation.";
