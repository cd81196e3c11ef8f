//! Proposition 1, and the constant of Theorem 2 that follows from it: the NTK is strictly positive definite, by how much,
//! and what its smallest eigenvalue lambda_0 is beside the distance of a random network's kernel from it.

mod claims;
mod figures;
mod known;
mod points;

use std::path::Path;

use ntkscope_core::network::Bias;

pub use known::{ON_SAMPLES, on_six_points};

use self::claims::{CONTROL, IN_GENERAL_POSITION, ON_SPHERES, OnPoints};
use self::points::{Law, RandomPoints};
use super::plan::{papers_fcn, papers_resnet};
use crate::experiment::NetworkKind;
use crate::study::Error;
use crate::study::cell::Finished;
use crate::study::claim::state_all;
use crate::study::grid::Job;
use crate::study::kept::Kept;
use crate::study::net::Net;
use crate::study::options::{Options, Takes};
use crate::study::paper::{Part, Scope};
use crate::study::plan::{Findings, Plan};

/// Proposition 1 on points that no closed form covers, and how its eigenvalue falls as they become many.
pub static PART: Part = Part {
    name: "positivity",
    title: "Positive definiteness and the theorem's threshold",
    summary: "smallest eigenvalue of the NTK on random points, and random networks beside it",
    introduction: "The NTK of the paper's networks on random points. Its smallest eigenvalue λ_{0} is positive, and falls as the points \
                   become many; with it fall the distances by which Theorem 2 says that the kernel leaves the NTK, λ_{0}/(2n^{2}), or \
                   λ_{0}/n by its proof. Networks at random initialization are compared with them: one that is farther from the NTK \
                   already satisfies the theorem before it is trained.",
    scope: Scope::Quick,
    images: &[],
    takes: Takes {
        networks: &[NetworkKind::Fcn, NetworkKind::Resnet],
        widths: false,
        seeds: true,
        n: false,
        full: true,
    },
    plan: |_, options| Box::new(OnRandomPoints::new(options)),
};

/// Width of the random networks: their distance at any other follows from it.
const WIDTH: usize = 512;

/// What is measured.
struct OnRandomPoints {
    /// by network, in spaces of several dimensions
    in_general_position: Vec<Vec<Kept<RandomPoints>>>,
    control: Option<Kept<RandomPoints>>,
    on_spheres: Vec<Kept<RandomPoints>>,
}

impl OnRandomPoints {
    fn new(options: &Options) -> Self {
        let draws = |own: u32| options.seeds.and_then(|seeds| u32::try_from(seeds).ok()).unwrap_or(own);
        let general = |net: Net, dimension: usize| {
            let (law, sizes, draws) = (Law::Normal, &[8, 32, 128], draws(8));
            kept(RandomPoints { net, law, dimension, sizes, draws, width: None })
        };
        let sizes: &[usize] = if options.full { &[8, 16, 32, 64, 128, 256, 512] } else { &[8, 16, 32, 64, 128, 256] };
        let on_sphere = |net: Net, dimension: usize| {
            let (law, draws, width) = (Law::Sphere, draws(48), Some(WIDTH));
            kept(RandomPoints { net, law, dimension, sizes, draws, width })
        };
        let control = RandomPoints {
            net: Net::fcn(1).with_bias(Bias::None),
            law: Law::Antipodes,
            dimension: 3,
            sizes: &[8, 32, 128],
            draws: draws(8),
            width: None,
        };
        let runs = |net: &Net| options.has_network(net.kind);
        let fcns = [1, 2, 3].map(papers_fcn);
        let all = fcns.into_iter().chain([1, 2, 3].map(papers_resnet)).filter(runs);
        let compared = [papers_fcn(3), papers_resnet(2)].into_iter().filter(runs);
        Self {
            in_general_position: all.map(|net| [2, 3, 10].map(|d| general(net, d)).into()).collect(),
            control: runs(&control.net).then(|| kept(control)),
            on_spheres: compared.flat_map(|net| [2, 3].map(|d| on_sphere(net, d))).collect(),
        }
    }
}

fn kept(points: RandomPoints) -> Kept<RandomPoints> {
    let RandomPoints { net, law, dimension, draws, .. } = points;
    let (law, most) = (law.name(), points.most());
    Kept { id: format!("positivity-{}-{law}-d{dimension}-n{most}-draws{draws}", net.name()), measurement: points }
}

fn read(kept: &Kept<RandomPoints>, study: &Path) -> Result<OnPoints, Error> {
    Ok(OnPoints { points: kept.measurement, rows: RandomPoints::rows(&kept.read(study)?) })
}

impl Plan for OnRandomPoints {
    fn jobs(&self) -> Vec<&dyn Job> {
        let all = self.in_general_position.iter().flatten().chain(&self.control).chain(&self.on_spheres);
        all.map(|kept| kept as &dyn Job).collect()
    }

    fn findings(&self, _: &[Finished], study: &Path) -> Result<Findings, Error> {
        let mut findings = Findings::default();
        for sets in &self.in_general_position {
            let sets: Vec<OnPoints> = sets.iter().map(|kept| read(kept, study)).collect::<Result<_, _>>()?;
            findings.claims.extend(state_all(IN_GENERAL_POSITION, &sets));
        }
        if let Some(control) = &self.control {
            findings.claims.extend(state_all(CONTROL, &read(control, study)?));
        }
        for kept in &self.on_spheres {
            let set = read(kept, study)?;
            findings.claims.extend(state_all(ON_SPHERES, &set));
            findings.figures.push(figures::thresholds(&set));
        }
        Ok(findings)
    }
}
