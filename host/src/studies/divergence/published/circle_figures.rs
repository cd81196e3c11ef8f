//! Figures 1 and 3 again, with the values read off the paper, and what the runs say in numbers.

use std::f64::consts::PI;

use ntkscope_core::network::Bias;

use super::circle::{EPOCHS, LAST_EPOCH, Norm, Runs, SAMPLES, at, farthest_on_circle, fixed_margin, kernel_at};
use super::circle_claims::{FIGURE_1, FIGURE_3, LOGITS, RISES, logits, subject};
use super::reading::{beside, spread};
use crate::analysis::statistics::Curve;
use crate::plot::{Axis, Figure, Hue, Mark, Scale, Series};
use crate::report::{ClaimRow, Table, number, thousandths};
use crate::study::cell::Finished;
use crate::study::draw::{Change, band};
use crate::words::count;

/// What curves of the networks and of the losses stand for.
const OF: &str = "network and loss";
/// Half of the points of the circle at which curves are drawn: every degree, so that steps at the training points are steps.
const STEPS: i32 = 180;

/// Both figures, figure 3 for each network.
pub(super) fn all(all: &[Runs]) -> Vec<Figure> {
    let of_kernels = all.iter().flat_map(|runs| [profile(runs), rises(runs)]);
    [of_logits(all)].into_iter().chain(of_kernels).collect()
}

/// What was read off, and whether ours can be what the figures show.
pub(super) fn beside_the_paper(all: &[Runs], rows: &[ClaimRow]) -> Vec<Table> {
    [logits_in_numbers(all, rows)].into_iter().chain(all.iter().map(|runs| rises_in_numbers(runs, rows))).collect()
}

fn named(runs: &Runs, norm: Norm) -> String {
    let biases = if runs.net.bias == Bias::None { "no biases" } else { "hidden biases" };
    format!("{biases}, {}", norm.title())
}

fn of_logits(all: &[Runs]) -> Figure {
    let mut series = Vec::new();
    for runs in all {
        for norm in Norm::ALL {
            let per_epoch = norm.time(1);
            let curve = |run: &Finished| {
                let rows = run.trace.rows.iter().filter(|row| row.finite && row.time >= per_epoch);
                Curve::new(rows.map(|row| ((row.time / per_epoch).ln(), row.margin_mean)))
            };
            let curves: Vec<Curve> = runs.flows.iter().map(curve).collect();
            let shown = Change { x: f64::exp, y: |y| y };
            series.extend(band(&curves, shown, named(runs, norm), Hue::named(OF, named(runs, norm))));
        }
    }
    let (x, y) = FIGURE_1.iter().map(|(epoch, read)| (*epoch as f64, *read)).unzip();
    series.push(Series::new("read off figure 1", (x, y), Mark::Points, Hue::named(OF, "the paper's")));
    for runs in all {
        let x: Vec<f64> = (0..=60).map(|i| 10f64.powf(5.3 * f64::from(i) / 60.0)).collect();
        let y = x.iter().map(|epoch| fixed_margin(lambda(runs), 0.1 * epoch)).collect();
        series.push(Series::theory(format!("fixed NTK, {}", named(runs, Norm::Mean)), x, y));
    }
    Figure {
        name: "figures-1-3-logits".into(),
        title: "Figure 1: mean logit against the epoch".into(),
        x: Axis::new("epoch", Scale::Log),
        y: Axis::new("mean margin (logit units)", Scale::Linear),
        series,
        caption: format!(
            "Mean margin, which is the mean of |f| once the points are fitted, by gradient flow at the times of the epochs; bands run from the \
             smallest to the largest of {}. Broken lines are kernel logistic regression with the fixed NTK from f_{{0}} = 0: without biases to a \
             few per cent the network's curve, though that kernel does not move.",
            count(all.first().map_or(0, |runs| runs.flows.len()), "seed")
        ),
        ..Figure::default()
    }
}

/// lambda_0 of the network's NTK.
fn lambda(runs: &Runs) -> f64 {
    runs.flows.first().map_or(f64::NAN, |run| run.analytic_lambda_min)
}

/// Degrees of the circle, and a number at each of them.
fn over_circle(value: impl Fn(f64) -> Option<f64>) -> Curve {
    let at = |step: i32| {
        let angle = f64::from(step) * PI / f64::from(STEPS);
        (angle.to_degrees(), value(angle))
    };
    Curve::new((-STEPS..=STEPS).map(at).filter_map(|(degrees, value)| Some((degrees, value?))))
}

/// The moments of figure 3, with the values read off it at angle 0 and pi.
const MOMENTS: [(u64, [f64; 2]); 3] = [(0, [3.95, 0.68]), (EPOCHS, [4.86, 0.80]), (LAST_EPOCH, [5.62, 0.88])];

fn profile(runs: &Runs) -> Figure {
    let mut series = Vec::new();
    let hue = |epoch: u64| Hue::at("epoch", epoch as f64);
    for (epoch, _) in MOMENTS {
        let curve = |run: &Finished| over_circle(|angle| kernel_at(run, Norm::Sum.time(epoch), angle));
        let curves: Vec<Curve> = runs.flows.iter().map(curve).collect();
        series.extend(band(&curves, Change::NONE, format!("epoch {epoch}"), hue(epoch)));
    }
    // the figure's values are those of the network without biases
    for (epoch, [peak, far]) in MOMENTS.into_iter().filter(|_| runs.net.bias == Bias::None) {
        let points = (vec![-180.0, 0.0, 180.0], vec![far, peak, far]);
        series.push(Series::new(format!("read off, epoch {epoch}"), points, Mark::Points, hue(epoch)));
    }
    Figure {
        name: named_after("figures-1-3-profile", runs),
        title: format!("Figure 3: the kernel along the circle, {}", runs.net.title()),
        x: Axis::new("angle between x and x_{0} (degrees)", Scale::Linear),
        y: Axis::new("K_{t}(x_{0}, x)", Scale::Linear),
        series,
        caption: format!(
            "The kernel along the circle, {}, descent on the sum of the losses; bands run from the smallest to the largest of {}{}. Its kinks lie \
             at the neighbouring training points, ±60° and ±120°: the kernel of a point is steep there, because units rest on them.",
            runs.net.title(),
            count(runs.flows.len(), "seed"),
            if runs.net.bias == Bias::None {
                ", points are read off the paper's figure 3, which is one seed"
            } else {
                ""
            }
        ),
        ..Figure::default()
    }
}

fn rises(runs: &Runs) -> Figure {
    let mut series = Vec::new();
    let hue = |norm: Norm, epoch: u64| Hue::named(OF, format!("rise, {}, epoch {epoch}", norm.title()));
    for epoch in [EPOCHS, LAST_EPOCH] {
        for norm in Norm::ALL {
            let curve = |run: &Finished| {
                over_circle(|angle| Some(kernel_at(run, norm.time(epoch), angle)? - kernel_at(run, 0.0, angle)?))
            };
            let curves: Vec<Curve> = runs.flows.iter().map(curve).collect();
            let label = format!("epoch {epoch}, {}", norm.title());
            series.extend(band(&curves, Change::NONE, label, hue(norm, epoch)));
        }
        let read = FIGURE_3.iter().filter(|rise| rise.epoch == epoch);
        let points = read.flat_map(|rise| rise.angles.iter().map(|angle| (angle.to_degrees(), rise.read))).unzip();
        let label = format!("read off, epoch {epoch}");
        series.push(Series::new(label, points, Mark::Points, Hue::named(OF, format!("the paper's, epoch {epoch}"))));
    }
    Figure {
        name: named_after("figures-1-3-rise", runs),
        title: format!("Figure 3: the kernel's rise along the circle, {}", runs.net.title()),
        x: Axis::new("angle between x and x_{0} (degrees)", Scale::Linear),
        y: Axis::new("K_{t}(x_{0}, x) − K_{0}(x_{0}, x)", Scale::Linear),
        series,
        caption: format!(
            "What the kernel has gained since the start, {}; bands run from the smallest to the largest of {}, points are differences of values \
             read off the paper's figure 3.",
            runs.net.title(),
            count(runs.flows.len(), "seed")
        ),
        ..Figure::default()
    }
}

/// The network that the figures show bears the figure's name alone.
fn named_after(figure: &str, runs: &Runs) -> String {
    if runs.net.bias == Bias::None { figure.into() } else { format!("{figure}-{}", runs.net.name()) }
}

fn logits_in_numbers(all: &[Runs], rows: &[ClaimRow]) -> Table {
    let pairs = || all.iter().flat_map(|runs| Norm::ALL.map(|norm| (runs, norm)));
    let header =
        ["epoch".to_owned(), "figure 1".into()].into_iter().chain(pairs().map(|(runs, norm)| named(runs, norm)));
    let caption = "Figure 1: mean |f|, read off, and our mean margin, which is the same once the points are fitted, from about epoch 1,000 on (mean ± \
                   standard deviation of one seed), and whether it can be what the figure shows. Last: kernel logistic regression with the fixed \
                   NTK, on the mean loss.";
    let fixed = all.iter().map(|runs| format!("fixed NTK, {}", named(runs, Norm::Mean)));
    let mut table = Table::new(caption, header.chain(fixed));
    for epoch in [100, 1_000, 3_162, EPOCHS, LAST_EPOCH] {
        let read = FIGURE_1.iter().find(|(known, _)| *known == epoch).map_or(f64::NAN, |(_, read)| *read);
        let shown = if read.is_nan() { "–".into() } else { number(read) };
        let ours = pairs().map(|(runs, norm)| {
            beside(&logits(runs, norm, epoch), rows, &LOGITS[0], &subject(runs, norm.title()), read)
        });
        let fixed = all.iter().map(|runs| thousandths(fixed_margin(lambda(runs), Norm::Mean.time(epoch))));
        table.push([number(epoch as f64), shown].into_iter().chain(ours).chain(fixed));
    }
    table
}

fn rises_in_numbers(runs: &Runs, rows: &[ClaimRow]) -> Table {
    let header = ["angle", "epoch", "figure 3", Norm::Mean.title(), Norm::Sum.title()];
    let caption = format!(
        "Figure 3: rise of K_{{t}}(x_{{0}}, x) since the start, read off, and ours (mean ± standard deviation of one seed), {}.",
        runs.net.title()
    );
    let mut table = Table::new(caption, header);
    for rise in &FIGURE_3 {
        let [mean, sum] = Norm::ALL
            .map(|norm| beside(&rise.measured(runs, norm), rows, &RISES[0], &subject(runs, norm.title()), rise.read));
        table.push([rise.title.into(), number(rise.epoch as f64), number(rise.read), mean, sum]);
    }
    table
}

/// What Theorems 1 and 2 and Corollary 1 speak of, along the runs.
pub(super) fn along(all: &[Runs]) -> Table {
    let header = [
        "network",
        "t",
        "mean margin",
        "fixed NTK",
        "λ_{min}(K_{t})",
        "drift",
        "sup |K_{t} − Θ| on the circle",
        "|θ_{t} − θ_{0}|_{∞}",
        "|θ_{t} − θ_{0}|",
    ];
    let caption = "Along training, t of the mean loss: smallest eigenvalue (Theorem 1), largest |K_{t} − K_{0}| at the training points and largest \
                   |K_{t} − Θ| along the circle so far (Theorem 2), largest and Euclidean norm of the parameters' movement (Corollary 1).";
    let mut table = Table::new(caption, header);
    for runs in all {
        for t in [100.0, 1000.0, 20_000.0, SAMPLES * 20_000.0] {
            let of = |column: fn(&crate::run::TraceRow) -> f64| spread(&runs.over_seeds(|run| at(run, t, column)));
            table.push([
                runs.net.title(),
                number(t),
                of(|row| row.margin_mean),
                thousandths(fixed_margin(lambda(runs), t)),
                of(|row| row.lambda_min),
                of(|row| row.drift_max),
                spread(&runs.over_seeds(|run| Some(farthest_on_circle(run, t)))),
                of(|row| row.param_max),
                of(|row| row.param_distance),
            ]);
        }
    }
    table
}
