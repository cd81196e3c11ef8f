//! Claims about kernels alone: how spectra and random outputs decay, the identity of proposition 4.1, learning curves.

use std::ops::RangeInclusive;

use super::super::decay::OnSphere;
use super::super::learning::Learning;
use super::subject;
use crate::analysis::curves::{Curves, Start, slope};
use crate::analysis::labels::Described;
use crate::analysis::points::Target;
use crate::analysis::smoothness::{Coding, Decay, Smoothness, known, middle, nearly_all, smoothness};
use crate::analysis::spectra::Spectra;
use crate::analysis::spectrum::{known_eigenvalues, power_law};
use crate::analysis::statistics::{Estimate, difference};
use crate::report::{Claim, number};
use crate::study::judge::{self, Evidence, Judged};
use crate::words::span;

/// Allowance for exponents of spectra.
const SPECTRUM_ALLOWANCE: f64 = 0.15;
/// Allowance for exponents of learning curves.
const LEARNING_ALLOWANCE: f64 = 0.1;

/// A sphere with its spectra, on half of the points and on all.
pub struct Decayed {
    /// what was measured
    pub on: [OnSphere; 2],
    /// and found
    pub spectra: [Spectra; 2],
}

/// Exponents of NTK, NNGP, of f^GP draw by draw, and the smoothness of f^GP.
fn exponents(on: &OnSphere, spectra: &Spectra) -> [Option<Estimate>; 4] {
    let window = on.window();
    let fit = |values: &[f64], known: usize| power_law(values, known, &window).map(|law| law.exponent).ok();
    let decay = |values: &[f64]| fit(values, known_eigenvalues(values));
    let ntk = decay(&spectra.ntk);
    let draws: Option<Vec<f64>> = spectra.draws.iter().map(|tails| fit(tails, known(&spectra.ntk, tails))).collect();
    let alphas = draws.as_ref().zip(ntk).map(|(draws, ntk)| draws.iter().map(|s| s / ntk).collect::<Vec<_>>());
    let one = |exponent: Option<f64>| exponent.map(Estimate::extreme);
    let over = |values: Option<Vec<f64>>| values.and_then(|values| Estimate::from_values(&values));
    [one(ntk), one(decay(&spectra.nngp)), over(draws), over(alphas)]
}

/// C4, C5: how fast eigenvalues and f^GP fall, and how smooth f^GP is.
pub fn decay(Decayed { on: [half, all], spectra }: &Decayed) -> Vec<Claim> {
    let (fewer, found) = (exponents(half, &spectra[0]), exponents(all, &spectra[1]));
    let d = all.sphere as f64;
    let [ntk, nngp, tail] = all.exponents();
    let rows = [
        ("C4 decay of the eigenvalues of the NTK", ntk, "exponent of λ_{k} in k"),
        ("C4 decay of the eigenvalues of the NNGP", nngp, "exponent of λ_{k} in k"),
        (
            "C4 decay of the tail sums of f^{GP}",
            tail,
            "exponent in k of the sum of c_{j}^{2} over j ≥ k, mean over the draws",
        ),
        ("C5 smoothness of f^{GP}", 3.0 / (d + 1.0), "exponent of the tail sums over that of the NTK"),
    ];
    let network = format!("FCN, L = {}; S^{{{}}}", all.depth, all.sphere);
    let row = |(index, (claim, theory, what)): (usize, (&str, f64, &str))| {
        let (measured, nearing) = (found[index], judge::nears(found[index], fewer[index], theory));
        let holds = judge::agrees_in_the_limit(measured, theory, SPECTRUM_ALLOWANCE, nearing);
        let before = fewer[index].map_or("none".into(), |e| number(e.value));
        let note = format!(
            "{what}, {} points, k from {}, {} draws; {before} on {} points; allowed: two standard errors over draws, or \
             {SPECTRUM_ALLOWANCE}; not reached: farther off, but nearer than on half of the points",
            all.points,
            span(&all.window()),
            all.draws,
            half.points
        );
        Judged { measured, theory: number(theory), holds, note }.claim(claim, subject(network.clone(), "standard"))
    };
    rows.into_iter().enumerate().map(row).collect()
}

/// A learning curve: one dimension and target, n ascending.
pub struct Learned {
    /// what was measured
    pub learning: Vec<Learning>,
    /// and found
    pub curves: Vec<Curves>,
    /// largest difference from proposition 4.1
    pub identity: f64,
}

impl Learned {
    /// n and mean logarithm of the smallest risk. `None` where a risk is 0: there is nothing to be learned.
    pub fn points(&self, start: Start) -> Option<Vec<(usize, Estimate)>> {
        let point = |(learning, curves): (&Learning, &Curves)| {
            Some((learning.n, Estimate::from_values(&curves.log_best(start)?)?))
        };
        self.learning.iter().zip(&self.curves).map(point).collect()
    }
    /// -3/(d + 3) on S^d.
    pub fn theory(&self) -> f64 {
        self.learning.first().map_or(f64::NAN, |learning| -3.0 / (learning.dimension as f64 + 2.0))
    }
}

/// C3: all learning curves together.
pub fn identity(all: &[Learned]) -> Option<Claim> {
    let curves = || all.iter().flat_map(|learned| &learned.curves);
    let worst = all.iter().map(|learned| learned.identity).reduce(f64::max)?;
    let (draws, times) = (curves().map(|c| c.random.len()).sum::<usize>(), curves().next()?.at.len());
    let note = format!(
        "largest difference of the excess risks from f^{{GP}} with target f* and from 0 with target f* − f^{{GP}}, as a share of that before \
         training, {draws} draws at {times} times each; allowed: rounding, 10^{{-12}}"
    );
    let holds = judge::at_most(Some(worst), 1e-12);
    let judged = Judged { measured: Some(Estimate::extreme(worst)), theory: "0".into(), holds, note };
    let subject = subject("NTK of an FCN, L = 1; spheres", "standard");
    Some(judged.claim("C3 starting from f_{0} is learning f* − f_{0}", subject))
}

/// C6: how fast the risk falls with n.
pub fn learning(learned: &Learned) -> Vec<Claim> {
    let (Some(first), Some(random)) = (learned.learning.first(), learned.points(Start::Random)) else {
        return Vec::new();
    };
    let network = format!("NTK of an FCN, L = 1; S^{{{}}}, {}", first.dimension - 1, first.target.title());
    let (whole, last) = (slope(&random), random.len().checked_sub(2).and_then(|from| slope(&random[from..])));
    let theory = learned.theory();
    let n: Vec<usize> = learned.learning.iter().map(|learning| learning.n).collect();
    let nearing = judge::nears(last, whole, theory);
    let holds = judge::agrees_in_the_limit(whole, theory, LEARNING_ALLOWANCE, nearing);
    let ends: usize = learned.curves.iter().map(|curves| curves.at_an_end(Start::Random)).sum();
    let note = format!(
        "slope of the mean ln risk at the best time against ln n, n = {n:?}, {} draws; over the last octave {}; {ends} best times at an \
         end of the times; allowed: two standard errors, or {LEARNING_ALLOWANCE}; not reached: farther off, but nearer over the last octave",
        first.draws,
        last.map_or("none".into(), |e| number(e.value)),
    );
    let capped = Judged { measured: whole, theory: number(theory), holds, note };
    let mut claims = vec![capped.claim("C6 rate of learning from f^{GP}", subject(network.clone(), "standard"))];
    if first.target != Target::Zero {
        let zero = learned.points(Start::Zero).and_then(|points| slope(&points));
        let holds = judge::negative(difference(zero, whole), Evidence::SPREAD);
        let note = format!(
            "slope from 0, same draws; holds where it lies below the slope from f^{{GP}}, {}, by two standard errors of both",
            whole.map_or("none".into(), |e| number(e.value))
        );
        let steeper = Judged { measured: zero, theory: format!("< {}", number(theory)), holds, note };
        claims.push(steeper.claim("C6 without f^{GP} learning is faster", subject(network, "mirrored")));
    }
    claims
}

/// C5: the smoothness of a data set's labels beside that of f^GP on the same samples.
pub fn labels(described: &Described, spectra: &Spectra) -> Vec<Claim> {
    let (n, d) = (spectra.ntk.len(), described.dimension);
    let estimate = |tails: &[f64], window: RangeInclusive<usize>, decay: Decay| -> Option<Smoothness> {
        smoothness(&spectra.ntk, tails, &window, &decay).ok()
    };
    let fitted = |tails: &[f64]| estimate(tails, middle(n), Decay::Fitted(middle(n)));
    let mut values = Vec::new();
    let mut others = Vec::new();
    for (coding, tails) in &spectra.functions {
        let whole = estimate(tails, nearly_all(n), Decay::Dimension(d));
        let (Some(best), Some(whole)) = (fitted(tails), whole) else { continue };
        others.push(format!("{coding} {} ({})", number(best.alpha), number(whole.alpha)));
        if *coding == Coding::Value.name() {
            values.push(best);
        }
    }
    let (value, f_gp) = (values.first(), fitted(&Spectra::mean(&spectra.draws)));
    let network = format!("NTK of an FCN, L = 1; {}, n = {n}", described.title);
    let measured = value.map(|s| Estimate::extreme(s.alpha));
    let note = format!(
        "k from {}, decay of the eigenvalues fitted there, {}; by coding of the labels, and in brackets by the paper's window k < 0.9 n and \
         decay (d + 1)/d: {}; f^{{GP}} on the same samples: {}",
        span(&middle(n)),
        value.map_or("none".into(), |s| number(s.decay)),
        others.join(", "),
        f_gp.map_or("none".into(), |s| number(s.alpha))
    );
    let mut claims = Vec::new();
    if let Some(paper) = described.published {
        let (holds, note) = (judge::agrees(measured, paper, 0.1), format!("{note}; allowed: 0.1"));
        let judged = Judged { measured, theory: number(paper), holds, note };
        claims.push(judged.claim("C5 smoothness of the labels", subject(network.clone(), "any")));
    }
    let difference = value.zip(f_gp.as_ref()).map(|(v, g)| Estimate::extreme(g.alpha - v.alpha));
    let theory = format!("< 0, α of f^{{GP}} near {} in dimension {d}", number(3.0 / (d as f64 + 1.0)));
    let judged = Judged {
        measured: difference,
        theory,
        holds: judge::below(difference.map(|d| d.value), 0.0),
        note: "α of f^{GP} less that of the labels at the same k, which see the few directions in which the samples spread, not all d of them"
            .into(),
    };
    claims.push(judged.claim("C5 f^{GP} is rougher than the labels", subject(network, "standard")));
    claims
}
