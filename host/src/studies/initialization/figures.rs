//! The figures of the study.

use std::ops::RangeInclusive;

use super::claims::{Decayed, Learned, OutputsTested, Replicated, farthest};
use super::plan::CLOSE;
use crate::analysis::curves::{Curves, Start, slope};
use crate::analysis::points::Target;
use crate::analysis::smoothness::{Decay, known, smoothness};
use crate::analysis::spectra::Spectra;
use crate::analysis::spectrum::{known_eigenvalues, power_law};
use crate::analysis::statistics::{Estimate, line};
use crate::plot::{Axis, Figure, Hue, Mark, Scale, Series};
use crate::report::{number, rounded};
use crate::study::draw::{TIME, width_axis};
use crate::study::group::Group;
use crate::study::net::MSE;
use crate::words::span;

const BANDS: &str = "Bands: ± 2 standard errors.";

/// Excess kurtosis of the outputs at initialization against the width.
pub fn outputs(all: &[OutputsTested]) -> Figure {
    let kurtosis = |o: &OutputsTested| Some((o.outputs.width as f64, Estimate::from_values(&o.tested.kurtosis)?));
    let measured: Vec<(f64, Estimate)> = all.iter().filter_map(kurtosis).collect();
    let (x, y) = measured.iter().map(|(m, _)| (*m, 15.0 / m)).unzip();
    let networks = Hue::named("outputs", "networks");
    let series = vec![band("networks", &measured, |v| v, networks), Series::theory("theory 15/m", x, y)];
    Figure {
        name: "outputs-kurtosis".into(),
        title: "Non-Gaussianity at initialization: FCN, L = 1".into(),
        x: width_axis(),
        y: Axis::new("excess kurtosis of f_{0}", Scale::Log),
        series,
        caption: format!(
            "Excess kurtosis, over many networks, of the output at standard initialization, against the width; 0 in the Gaussian limit. {BANDS}"
        ),
        ..Figure::default()
    }
}

/// Estimates and two standard errors to either side, passed through `shown`.
fn band(label: &str, points: &[(f64, Estimate)], shown: fn(f64) -> f64, hue: Hue) -> Series {
    let at = |sign: f64| points.iter().map(|(_, e)| shown(e.value + sign * 2.0 * e.error_or_0())).collect();
    let mark = Mark::Band { low: at(-1.0), high: at(1.0) };
    Series::new(label, (points.iter().map(|(x, _)| *x).collect(), at(0.0)), mark, hue)
}

/// A power law through the geometric middle of these points: theory has the slope alone.
fn through(label: String, points: &[(f64, f64)], exponent: f64) -> Option<Series> {
    let count = points.len() as f64;
    let ends = [points.first()?.0, points.last()?.0];
    let level = points.iter().map(|(x, y)| y.ln() - exponent * x.ln()).sum::<f64>() / count;
    let y = ends.iter().map(|x| (level + exponent * x.ln()).exp()).collect();
    Some(Series::theory(label, ends.to_vec(), y))
}

/// Every k up to 100, and then ever fewer, with the values there.
fn thinned(values: &[f64]) -> Vec<(f64, f64)> {
    let mut points = Vec::new();
    let mut k = 1;
    while k <= values.len() {
        points.push((k as f64, values[k - 1]));
        k += 1 + k / 100;
    }
    points
}

fn curve(label: String, points: Vec<(f64, f64)>, mark: Mark, hue: Hue) -> Series {
    Series::new(label, points.into_iter().unzip(), mark, hue)
}

/// One of the spectra, in words.
const EIGENVALUES: &str = "eigenvalues of the NTK";

/// Eigenvalues and tail sums on a sphere, with the slopes of theory.
pub fn decay(Decayed { sets }: &Decayed) -> Figure {
    // every set of points looks alike
    let (on, spectra) = &sets[0];
    let (window, tails) = (on.window(), Spectra::mean(&spectra.draws));
    let mut series = Vec::new();
    let rows = [
        (EIGENVALUES, &spectra.ntk, known_eigenvalues(&spectra.ntk)),
        ("eigenvalues of the NNGP", &spectra.nngp, known_eigenvalues(&spectra.nngp)),
        ("tail sums of f^{GP}", &tails, known(&spectra.ntk, &tails)),
    ];
    for ((label, values, known), theory) in rows.into_iter().zip(on.exponents()) {
        series.push(curve(label.into(), thinned(&values[..known]), Mark::Points, Hue::named("spectrum", label)));
        let inside: Vec<(f64, f64)> =
            window.clone().filter(|k| *k <= known).map(|k| (k as f64, values[k - 1])).collect();
        series.extend(through(format!("slope {}", number(theory)), &inside, theory));
    }
    Figure {
        name: format!("spectra-s{}", on.sphere),
        title: format!("Spectra on S^{{{}}}: FCN, L = {}, {} points", on.sphere, on.depth, on.points),
        x: Axis::new("index k", Scale::Log),
        y: Axis::new("eigenvalue λ_{k}; tail sum of c_{j}^{2} over j ≥ k", Scale::Log),
        series,
        caption: format!(
            "Eigenvalues of the kernels on {} points, and mean tail sums of {} draws of f^{{GP}} in the eigenfunctions of the NTK. Lines: \
             slopes predicted by theory, drawn over the fitted window, k from {}.",
            on.points,
            on.draws,
            span(&window)
        ),
        ..Figure::default()
    }
}

/// The two starts of the kernel's flow, and those of networks, in words.
const KERNEL: [&str; 2] = ["NTK from f_{0} = 0", "NTK from f_{0} = f^{GP}"];
const NETWORKS: [&str; 2] = ["networks, mirrored", "networks, standard"];

/// Smallest risk against n: of the kernel, and where they are given of networks on the same sphere.
fn risks(kernel: &dyn Fn(Start) -> Option<Vec<(usize, Estimate)>>, names: [&'static str; 2]) -> Vec<Series> {
    let mut series = Vec::new();
    for (start, name) in Start::ALL.into_iter().zip(names) {
        let Some(points) = kernel(start) else { continue };
        let Some(slope) = slope(&points) else { continue };
        let at: Vec<(f64, Estimate)> = points.iter().map(|(n, e)| (*n as f64, *e)).collect();
        let hue = Hue::named("risk", name);
        series.push(band(&format!("{name}, slope {}", rounded(slope.value, slope.error)), &at, f64::exp, hue.clone()));
        let logs: Vec<(f64, f64)> = at.iter().map(|(n, e)| (n.ln(), e.value)).collect();
        if let Some((rate, intercept)) = line(&logs) {
            let fitted = at.iter().map(|(n, _)| (*n, (intercept + rate * n.ln()).exp())).collect();
            series.push(curve(String::new(), fitted, Mark::Fit, hue));
        }
    }
    series
}

/// Learning curves of the kernel.
pub fn learning(learned: &Learned) -> Vec<Figure> {
    let (Some(first), Some(last)) = (learned.learning.first(), learned.learning.last()) else { return Vec::new() };
    let (d, target) = (first.dimension, learned.target);
    // from 0 there is nothing to learn where f* = 0
    let starts = |start| learned.points(start).filter(|_| target != Target::Zero || start == Start::Random);
    let mut series = risks(&starts, KERNEL);
    if let Some(points) = learned.points(Start::Random) {
        let points: Vec<(f64, f64)> = points.iter().map(|(n, e)| (*n as f64, e.value.exp())).collect();
        series.extend(through(
            format!("theory from f^{{GP}}, {}", number(learned.theory())),
            &points,
            learned.theory(),
        ));
    }
    let name = format!("learning-d{d}-{}", target.name());
    let against_n = Figure {
        name: name.clone(),
        title: format!("Learning curves on S^{{{}}}: {}", d - 1, target.title()),
        x: Axis::measured("training samples n", Scale::Log),
        y: Axis::new("excess risk (MSE) at the optimal stopping time", Scale::Log),
        series,
        caption: format!(
            "Excess risk of gradient flow under the NTK of one hidden layer at the optimal stopping time, noise {}: mean over noise and f^{{GP}}, \
             geometric mean over {} draws of the points, with fitted lines. {BANDS}",
            first.noise, first.draws
        ),
        ..Figure::default()
    };
    let curves = learned.curves.last();
    let along = curves.map_or(Vec::new(), |curves| along(curves, KERNEL));
    let mut figures = vec![against_n];
    // where nothing is to be learned only f^GP is left, which the other figure has
    if target != Target::Zero {
        figures.push(Figure {
            name: format!("{name}-time"),
            title: format!("Risk along training on S^{{{}}}, n = {}", d - 1, last.n),
            x: Axis::new(TIME, Scale::Log),
            y: Axis::new("excess risk (MSE)", Scale::Log),
            series: along,
            caption: format!(
                "Excess risk of the kernel flow, n = {}: mean over noise and f^{{GP}}, geometric mean over {} draws of the points. {BANDS}",
                last.n, last.draws
            ),
            ..Figure::default()
        });
    }
    figures
}

/// Risk of both starts along training.
fn along(curves: &Curves, names: [&'static str; 2]) -> Vec<Series> {
    let of = |(start, name): (Start, &'static str)| {
        let points = curves.at.iter().zip(curves.log_along(start));
        let known: Vec<(f64, Estimate)> =
            points.filter_map(|(t, e)| Some((*t, e?))).filter(|(t, _)| *t > 0.0).collect();
        band(name, &known, f64::exp, Hue::named("risk", name))
    };
    Start::ALL.into_iter().zip(names).map(of).collect()
}

/// Learning curves of networks, beside the kernel's on the same sphere where those are given.
pub fn replica(replicated: &Replicated, kernel: Option<&Learned>) -> Vec<Figure> {
    let (Some(last), Some(curves)) = (replicated.replicas.last(), replicated.curves.last()) else { return Vec::new() };
    let d = last.dimension;
    let mut series = risks(&|start| replicated.points(start), NETWORKS);
    if let Some(learned) = kernel {
        series.extend(risks(&|start| learned.points(start), KERNEL));
    }
    let trials = last.trials;
    vec![
        Figure {
            name: format!("replica-d{d}"),
            title: format!("Learning curves of networks on S^{{{}}}", d - 1),
            x: Axis::measured("training samples n", Scale::Log),
            y: Axis::new("excess risk (MSE) at the optimal epoch", Scale::Log),
            series,
            caption: format!(
                "One hidden layer of 20 n units, gradient descent with learning rate {}, 10 n epochs, noise {}, geometric mean over {trials} \
                 trials, with fitted lines. {BANDS}",
                last.rate, last.noise
            ),
            ..Figure::default()
        },
        Figure {
            name: format!("replica-d{d}-epochs"),
            title: format!("Risk along training of networks on S^{{{}}}, n = {}", d - 1, last.n),
            x: Axis::new("epoch", Scale::Log),
            y: Axis::new("excess risk (MSE)", Scale::Log),
            series: along(curves, NETWORKS),
            caption: format!("Width {}, geometric mean over {trials} trials. {BANDS}", last.width),
            ..Figure::default()
        },
    ]
}

/// Distance from the kernel's flow against the width.
pub fn closeness(groups: &[Group]) -> Figure {
    let mut series = Vec::new();
    let part = groups.first().map_or("closeness", |group| group.part.name);
    for (i, group) in groups.iter().enumerate() {
        let at = |width: usize| Some((width as f64, group.mean_at(MSE, width, |run| Some(farthest(run)?.ln()))?));
        let points: Vec<(f64, Estimate)> = group.widths().into_iter().filter_map(at).collect();
        let init = group.init.to_string();
        series.push(band(&init, &points, f64::exp, Hue::named("initialization", &init)));
        if i + 1 == groups.len() {
            let values: Vec<(f64, f64)> = points.iter().map(|(m, e)| (*m, e.value.exp())).collect();
            series.extend(through("slope −1/2".into(), &values, -0.5));
        }
    }
    Figure {
        name: part.into(),
        title: format!("Distance of networks to the kernel flow: {}, {part}", CLOSE.title()),
        x: width_axis(),
        y: Axis::new("maximum distance of f_{t} to the NTK flow, over t and x", Scale::Log),
        series,
        caption: format!(
            "Maximum distance between the outputs of networks trained with squared error and the flow under the analytic NTK from the \
             same f_{{0}}, over training and held-out points and all times; geometric mean over seeds. {BANDS}"
        ),
        ..Figure::default()
    }
}

/// Tail sums of labels and of f^GP with their fits, and the eigenvalues.
pub fn labels(name: &str, title: &str, spectra: &Spectra, window: &RangeInclusive<usize>) -> Figure {
    let f_gp = Spectra::mean(&spectra.draws);
    let functions = spectra.functions.iter().map(|(name, tails)| (name.as_str(), tails));
    let mut series = Vec::new();
    for (label, tails) in functions.chain([("f^{GP}", &f_gp)]) {
        // shares of the mean square, so that all begin at 1
        let share: Vec<f64> = tails.iter().map(|tail| tail / tails[0]).collect();
        let alpha = smoothness(&spectra.ntk, &share, window, &Decay::Fitted(window.clone())).ok();
        let alpha = alpha.map_or("none".into(), |s| rounded(s.alpha, s.error));
        let hue = Hue::named("function", label);
        let known = known(&spectra.ntk, &share);
        series.push(curve(format!("{label}, α = {alpha}"), thinned(&share[..known]), Mark::Points, hue.clone()));
        if let Ok(law) = power_law(&share, known, window) {
            let ends = [*window.start() as f64, *window.end() as f64];
            let fitted = ends.map(|k| (k, law.factor * k.powf(law.exponent))).to_vec();
            series.push(curve(String::new(), fitted, Mark::Fit, hue));
        }
    }
    let share: Vec<f64> = spectra.ntk.iter().map(|value| value / spectra.ntk[0]).collect();
    let known = known_eigenvalues(&spectra.ntk);
    let decay = power_law(&spectra.ntk, known, window).map_or("none".into(), |law| rounded(law.exponent, law.error));
    let positive = thinned(&share[..known]);
    series.push(curve(
        format!("eigenvalues of the NTK, slope {decay}"),
        positive,
        Mark::Outline,
        Hue::named("spectrum", EIGENVALUES),
    ));
    Figure {
        name: name.into(),
        title: format!("Smoothness with respect to the NTK: {title}"),
        x: Axis::new("index k", Scale::Log),
        y: Axis::new("normalized tail sum and eigenvalue", Scale::Log),
        series,
        caption: format!(
            "Tail sums of the labels and of f^{{GP}} in the eigenfunctions of the NTK on {} samples, normalized to start at 1, with lines \
             fitted to k from {}; α is the slope of a line divided by that of the eigenvalues there.",
            spectra.ntk.len(),
            span(window)
        ),
        ..Figure::default()
    }
}
