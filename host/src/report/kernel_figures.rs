//! The kernels of a run: their entries, their eigenvalues, and one row of them along a curve.

use std::f64::consts::PI;

use ntkscope_core::MatMut;
use ntkscope_core::kernel::Spectrum;

use super::rounded;
use super::run_figures::decimal_exponent;
use crate::backend::HostReal;
use crate::data::{CurveSource, Samples};
use crate::files::Dtype;
use crate::plot::{Axis, Figure, HeatMap, Hue, MOST_CELLS, Mark, Scale, Series, Shading};
use crate::run::{Kernels, ProfileRow, ProfileTable};

/// Times of a profile that are drawn, at most.
const TIMES: usize = 6;

/// A run, for the figures of its kernels.
pub struct KernelRun<'a> {
    /// its loss, as files are named after it: `cross-entropy`
    pub name: String,
    /// its loss in words
    pub label: &'a str,
    /// of the training samples
    pub kernels: &'a Kernels,
    /// the kernel along a curve, and which curve
    pub profile: Option<(&'a CurveSource, &'a ProfileTable)>,
}

/// For each run `kernel`, the kernel's entries at the start and at the end and their difference, and where there is one
/// `profile`, the kernel along a curve; of several runs with their names behind. For all runs `spectrum`.
///
/// Samples stand in the order of their classes, where they have any. Kernels were computed in `dtype`, to whose rounding
/// eigenvalues are known.
pub fn kernel_figures(runs: &[KernelRun<'_>], samples: &Samples, dtype: Dtype) -> Vec<Figure> {
    let named = |mut figure: Figure, run: &KernelRun<'_>| {
        if runs.len() > 1 {
            figure.name = format!("{}_{}", figure.name, run.name);
            figure.title = format!("{}: {}", figure.title, run.label);
        }
        figure
    };
    let order = by_class(samples);
    let maps = runs.iter().map(|run| named(map_figure(run.kernels, samples, &order), run));
    let profiles = runs.iter().filter_map(|run| {
        let (curve, table) = run.profile?;
        Some(named(profile_figure(curve, table)?, run))
    });
    maps.chain(spectrum_figure(runs, samples.n, dtype)).chain(profiles).collect()
}

/// Bytes that the eigenvalues of [`kernel_figures`] take for n samples: a copy of a kernel, and that of its decomposition.
pub const fn kernel_figures_bytes(n: usize) -> u64 {
    16 * (n as u64).saturating_mul(n as u64)
}

/// The samples by class, those of one class as they come.
pub fn by_class(samples: &Samples) -> Vec<usize> {
    let mut order: Vec<usize> = (0..samples.n).collect();
    order.sort_by_key(|&i| samples.labels.get(i));
    order
}

fn map_figure(kernels: &Kernels, samples: &Samples, order: &[usize]) -> Figure {
    let Kernels { initial, last, .. } = kernels;
    let n = samples.n;
    let at = |i: usize, j: usize| order[i] * n + order[j];
    let maps = vec![
        HeatMap::new("K_{0}, at initialization", n, |i, j| initial[at(i, j)], Shading::Sequential),
        HeatMap::new("K_{t}, at the end", n, |i, j| last[at(i, j)], Shading::Sequential),
        HeatMap::new("K_{t} − K_{0}", n, |i, j| last[at(i, j)] - initial[at(i, j)], Shading::Diverging),
    ];
    let ordered = if samples.labels.is_empty() { "in the order of the data" } else { "class by class" };
    let blocks = if n > MOST_CELLS {
        format!(" Of {n} samples each of the {MOST_CELLS} x {MOST_CELLS} cells is a mean over a block of the kernel.")
    } else {
        String::new()
    };
    Figure {
        name: "kernel".into(),
        title: "Kernel at initialization and at the end".into(),
        x: Axis::new(format!("sample j, {ordered}"), Scale::Linear),
        y: Axis::new("sample i, from above", Scale::Linear),
        maps,
        caption: format!(
            "Entries of the empirical kernel on the training samples, {ordered}, each map with a scale of its own: pale is \
             its smallest entry, dark its largest. In the difference blue has fallen, orange has risen and white has not \
             changed: blocks along the diagonal show samples that have come to be learned together.{blocks}"
        ),
        ..Figure::default()
    }
}

/// Eigenvalues over their index, from the largest on; `None` where those of no kernel can be computed.
fn spectrum_figure(runs: &[KernelRun<'_>], n: usize, dtype: Dtype) -> Option<Figure> {
    let mut series: Vec<Series> = Vec::new();
    let mut add = |label: String, kernel: &[f64], mark: Mark, hue: Hue| {
        let Some(values) = known(kernel, n, dtype) else { return };
        let index = (1..=values.len()).map(|i| i as f64).collect();
        series.push(Series { label, x: index, y: values, mark, hue });
    };
    let first = runs.first()?;
    add("K_{0}".into(), &first.kernels.initial, Mark::Line, Hue::named("kernel", "K_{0}"));
    let mut points = false;
    for KernelRun { label, kernels, .. } in runs {
        let of = |what: &str| if runs.len() > 1 { format!("{label}: {what}") } else { what.to_owned() };
        let hue = Hue::named("run", *label);
        add(of("K_{t} at the end"), &kernels.last, Mark::Line, hue.clone());
        if kernels.point != kernels.last {
            points = true;
            add(of("the same at the point"), &kernels.point, Mark::Dashed, hue);
        }
    }
    add("Θ".into(), &first.kernels.analytic, Mark::Theory, Hue::Theory);
    let point = if points {
        " Dashed: the kernel of the last parameters alone, with derivatives 0 or 1 at a kink; where it leaves the solid line \
         units rest on their kinks, and it is the solid one that moves the network."
    } else {
        ""
    };
    (!series.is_empty()).then(|| Figure {
        name: "spectrum".into(),
        title: "Eigenvalues of the kernels".into(),
        x: Axis::new("index i (descending)", Scale::Linear),
        y: Axis::new("eigenvalue λ_{i}", Scale::Log),
        series,
        caption: format!(
            "Eigenvalues of the empirical kernel on the training samples at the start and at the end, and of the analytic \
             NTK Θ. A direction is learned at the rate of its eigenvalue, so a tail that rises or falls is what training \
             has changed about its slow directions. Eigenvalues that rounding leaves unknown are left out.{point}"
        ),
        ..Figure::default()
    })
}

/// The eigenvalues above rounding, descending; `None` where there are none or the kernel is not finite.
fn known(kernel: &[f64], n: usize, dtype: Dtype) -> Option<Vec<f64>> {
    if kernel.iter().any(|k| !k.is_finite()) {
        return None;
    }
    let (mut copy, mut values, mut scratch) = (kernel.to_vec(), vec![0.0; n], vec![0.0; n]);
    let work = MatMut::new(&mut copy, n, n).ok()?;
    f64::fast().symmetric_eigenvalues(work, &mut values, &mut scratch).ok()?;
    let epsilon = match dtype {
        Dtype::F64 => f64::EPSILON,
        Dtype::F32 => f32::EPSILON.into(),
    };
    let least = Spectrum::of_eigenvalues(&values, epsilon).uncertainty;
    values.retain(|value| *value > least);
    values.reverse();
    (!values.is_empty()).then_some(values)
}

/// K_t(x_0, x) along the curve at a few times; `None` where no snapshot is finite.
fn profile_figure(curve: &CurveSource, table: &ProfileTable) -> Option<Figure> {
    let finite = |rows: &&[ProfileRow]| rows.iter().all(|row| row.kernel.is_finite() && row.log_time.is_finite());
    let snapshots: Vec<&[ProfileRow]> = table.snapshots().filter(finite).collect();
    let positions = |rows: &[ProfileRow]| rows.iter().map(|row| row.position).collect::<Vec<f64>>();
    let mut series: Vec<Series> = spread(snapshots.len())
        .into_iter()
        .map(|at| {
            let (rows, log_time) = (snapshots[at], snapshots[at][0].log_time);
            let y = rows.iter().map(|row| row.kernel).collect();
            Series::new(time_in_words(&rows[0]), (positions(rows), y), Mark::Line, Hue::at("time", log_time))
        })
        .collect();
    let first = snapshots.first()?;
    series.push(Series::theory("Θ", positions(first), first.iter().map(|row| row.analytic).collect()));
    let (x, along) = match curve {
        CurveSource::Circle => {
            let range = Some((-PI, PI));
            let axis = Axis { range, ..Axis::new("angle between x_{0} and x (radians)", Scale::Linear) };
            (axis, "the first training sample x_{0} turned about the origin")
        }
        CurveSource::File(_) => {
            (Axis::new("row x of the file", Scale::Linear), "the rows x of a file, the first of which is x_{0}")
        }
    };
    Some(Figure {
        name: "profile".into(),
        title: "Kernel along a curve".into(),
        x,
        y: Axis::new("K_{t}(x_{0}, x)", Scale::Linear),
        series,
        caption: format!(
            "The empirical kernel between x_{{0}} and the inputs along a curve, {along}: the later, the more a line stands out; broken: the \
             analytic NTK Θ. A kernel that stays keeps its curve; one that learns features leaves it, and bends where \
             units have turned their kinks."
        ),
        ..Figure::default()
    })
}

/// At most [`TIMES`] of so many places, the first and the last among them.
fn spread(count: usize) -> Vec<usize> {
    let mut places: Vec<usize> = (0..TIMES).map(|i| (i * count.saturating_sub(1) + TIMES / 2) / (TIMES - 1)).collect();
    places.retain(|place| *place < count);
    places.dedup();
    places
}

/// The time of a row, also beyond the range of an f64.
fn time_in_words(row: &ProfileRow) -> String {
    if row.time.is_finite() {
        return format!("t = {}", rounded(row.time, None));
    }
    format!("t = 10^{{{:.0}}}", decimal_exponent(row.log_time))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{DataSpec, Source, load};
    use crate::machine::Budget;

    /// Kernels of n samples: a Gaussian one that has grown, and where `kinks` its point.
    fn kernels(n: usize, kinks: bool) -> Kernels {
        let kernel = |scale: f64| -> Vec<f64> {
            let entry = |e: usize| scale * (-0.3 * ((e / n) as f64 - (e % n) as f64).powi(2)).exp();
            (0..n * n).map(entry).collect()
        };
        let point = if kinks { kernel(1.6) } else { kernel(1.5) };
        Kernels { analytic: kernel(1.0), initial: kernel(1.1), last: kernel(1.5), point, snapshots: None }
    }

    fn profile(snapshots: usize, q: usize) -> ProfileTable {
        let row = |at: usize| {
            let (log_time, position) = (2.3 * (at / q) as f64, (at % q) as f64 - 0.5 * (q - 1) as f64);
            let kernel = (1.0 + log_time) * position.cos();
            ProfileRow { time: log_time.exp_m1(), log_time, position, kernel, analytic: position.cos() }
        };
        ProfileTable { rows: (0..snapshots * q).map(row).collect() }
    }

    #[test]
    fn the_figures_of_kernels_keep_the_rules() {
        for (n, snapshots) in [(2, 1), (6, 3), (100, 40)] {
            let samples = load(&DataSpec { n: Some(n), ..DataSpec::new(Source::Sphere) }, &Budget::default()).unwrap();
            for names in [&["cross-entropy"][..], &["cross-entropy", "mse"]] {
                let (kernels, profile) = (kernels(n, names.len() > 1), profile(snapshots, 7));
                let run = |name: &&'static str| KernelRun {
                    name: (*name).into(),
                    label: name,
                    kernels: &kernels,
                    profile: Some((&CurveSource::Circle, &profile)),
                };
                let runs: Vec<KernelRun<'_>> = names.iter().map(run).collect();
                let mut figures = kernel_figures(&runs, &samples, Dtype::F64);
                assert_eq!(figures.len(), 2 * names.len() + 1);
                crate::plot::rules::hold(&mut figures);
                figures.iter().for_each(|figure| assert!(figure.svg().is_ok(), "{}", figure.name));
                let blocks = figures[0].caption.contains("mean over a block");
                assert_eq!((blocks, figures[0].maps.len()), (n > MOST_CELLS, 3));
                assert_eq!(figures[names.len()].caption.contains("Dashed"), names.len() > 1);
            }
        }
    }

    #[test]
    fn samples_stand_by_class() {
        let samples = load(&DataSpec::new(Source::Circle), &Budget::default()).unwrap();
        let order = by_class(&samples);
        assert!(order.iter().map(|i| samples.labels[*i]).is_sorted());
        assert!(order[..3].is_sorted() && order[3..].is_sorted());
        let figure = map_figure(&kernels(6, false), &samples, &order);
        assert_eq!(figure.maps[0].cells[1], kernels(6, false).initial[order[0] * 6 + order[1]]);
    }

    #[test]
    fn what_cannot_be_drawn_is_left_out() {
        assert_eq!(known(&[1.0, 0.0, 0.0, 0.0], 2, Dtype::F64), Some(vec![1.0]));
        assert_eq!(known(&[1.0, 0.0, 0.0, 1e-8], 2, Dtype::F32), Some(vec![1.0]));
        assert_eq!(known(&[1.0, 0.0, 0.0, 1e-8], 2, Dtype::F64).map(|values| values.len()), Some(2));
        assert_eq!(known(&[f64::NAN, 0.0, 0.0, 1.0], 2, Dtype::F64), None);
        assert_eq!(known(&[0.0; 4], 2, Dtype::F64), None);
        let lost = ProfileTable { rows: vec![ProfileRow { kernel: f64::NAN, ..ProfileRow::default() }] };
        assert!(profile_figure(&CurveSource::Circle, &lost).is_none());
        assert_eq!((spread(0), spread(1), spread(3)), (vec![], vec![0], vec![0, 1, 2]));
        assert_eq!((spread(6), spread(41)), (vec![0, 1, 2, 3, 4, 5], vec![0, 8, 16, 24, 32, 40]));
        let late = ProfileRow { time: f64::INFINITY, log_time: 2302.6, ..ProfileRow::default() };
        assert_eq!(time_in_words(&late), "t = 10^{1000}");
    }
}
