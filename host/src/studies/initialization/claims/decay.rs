//! C4, C5: how fast the spectra of the kernels and random outputs fall on spheres.

use super::super::decay::OnSphere;
use super::{DRAWS, subject, tried};
use crate::analysis::smoothness::known;
use crate::analysis::spectra::Spectra;
use crate::analysis::spectrum::{Unfit, known_eigenvalues, power_law};
use crate::report::Kind;
use crate::study::claim::{Claim, Failing, Stated, Subject, Theory, UNEXPLAINED, state_all};
use crate::study::judge::Measured;
use crate::words::span;

/// A sphere with its spectra, on several sets of points of one size.
pub struct Decayed {
    /// what was measured, and found
    pub sets: Vec<(OnSphere, Spectra)>,
}

impl Decayed {
    fn first(&self) -> &OnSphere {
        &self.sets[0].0
    }
    fn subject(&self) -> Subject {
        let on = self.first();
        subject(format!("FCN, L = {}; S^{{{}}}", on.depth, on.sphere), "standard")
    }
    /// The exponent of something, one number for every set of points.
    fn exponents(&self, of: impl Fn(&OnSphere, &Spectra) -> Result<f64, Unfit>) -> Measured {
        tried(self.sets.iter().map(|(on, spectra)| of(on, spectra)), DRAWS)
    }
    fn note(&self, what: &str) -> String {
        let on = self.first();
        format!(
            "{what}, k from {}, {} points, {} draws of f^{{GP}} each; one value for each of {} sets of points",
            span(&on.window()),
            on.points,
            on.draws,
            self.sets.len()
        )
    }
}

fn exponent(on: &OnSphere, values: &[f64], known: usize) -> Result<f64, Unfit> {
    power_law(values, known, &on.window()).map(|law| law.exponent)
}

fn of_eigenvalues(on: &OnSphere, values: &[f64]) -> Result<f64, Unfit> {
    exponent(on, values, known_eigenvalues(values))
}

/// Mean over the draws of f^GP.
fn of_tails(on: &OnSphere, spectra: &Spectra) -> Result<f64, Unfit> {
    let of = |tails: &Vec<f64>| exponent(on, tails, known(&spectra.ntk, tails));
    let all: Vec<f64> = spectra.draws.iter().map(of).collect::<Result<_, _>>()?;
    Ok(all.iter().sum::<f64>() / all.len() as f64)
}

const FINITE: &str = "finite n: at the lower end of the window eigenvalues come in multiplets, at the upper end finitely many points bend the spectrum down";

const FEW_POINTS: &str = "at so few points the exponent is still approaching its limit as n grows";

fn near(theory: f64) -> Option<Theory> {
    Some(Theory::number(theory).within(0.15, FINITE))
}

/// C4, C5: how fast eigenvalues and f^GP fall, and how smooth f^GP is.
static DECAY: &[Claim<Decayed>] = &[
    Claim {
        name: "C4 decay of the eigenvalues of the NTK",
        place: "Lemmas C.1 to C.3: −(d + 1)/d",
        kind: Kind::Claim,
        about: Decayed::subject,
        measure: |decayed| decayed.exponents(|on, spectra| of_eigenvalues(on, &spectra.ntk)),
        theory: |decayed| near(decayed.first().exponents()[0]),
        note: |decayed| decayed.note("exponent of λ_{k} in k"),
        failing: Failing { below: FEW_POINTS, ..UNEXPLAINED },
    },
    Claim {
        name: "C4 decay of the eigenvalues of the NNGP",
        place: "Lemmas C.1 to C.3: −(d + 3)/d",
        kind: Kind::Claim,
        about: Decayed::subject,
        measure: |decayed| decayed.exponents(|on, spectra| of_eigenvalues(on, &spectra.nngp)),
        theory: |decayed| near(decayed.first().exponents()[1]),
        note: |decayed| decayed.note("exponent of λ_{k} in k"),
        failing: Failing { below: FEW_POINTS, ..UNEXPLAINED },
    },
    Claim {
        name: "C4 decay of the tail sums of f^{GP}",
        place: "derived from Lemmas C.1 to C.3: −3/d",
        kind: Kind::Claim,
        about: Decayed::subject,
        measure: |decayed| decayed.exponents(of_tails),
        theory: |decayed| near(decayed.first().exponents()[2]),
        note: |decayed| decayed.note("exponent in k of the sum of c_{j}^{2} over j ≥ k, mean over the draws"),
        failing: Failing { below: FEW_POINTS, ..UNEXPLAINED },
    },
    Claim {
        name: "C5 smoothness of f^{GP}",
        place: "Theorem 4.2: 3/(d + 1)",
        kind: Kind::Claim,
        about: Decayed::subject,
        measure: |decayed| {
            decayed.exponents(|on, spectra| Ok(of_tails(on, spectra)? / of_eigenvalues(on, &spectra.ntk)?))
        },
        theory: |decayed| near(3.0 / (decayed.first().sphere as f64 + 1.0)),
        note: |decayed| decayed.note("exponent of the tail sums over that of the NTK"),
        failing: Failing { above: FEW_POINTS, ..UNEXPLAINED },
    },
];

/// C4, C5 on one sphere.
pub fn decay(decayed: &Decayed) -> Vec<Stated> {
    state_all(DECAY, decayed)
}
