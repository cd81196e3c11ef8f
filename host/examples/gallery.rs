//! Every standard figure and a report, drawn from made-up traces, and the figures that are hard to draw well:
//! `cargo run --example gallery -- DIR`. For looking at, after a change to `plot` or `report`.

use anyhow::Result;
use ntkscope::plot::{Axis, Figure, Hue, Mark, Scale, Series, share_palette};
use ntkscope::report::{Block, ClaimRow, Kind, Overlay, Panel, Report, Section, Table, Verdict, number, run_figures};
use ntkscope::run::{Trace, TraceRow};
use std::path::PathBuf;

/// Smallest eigenvalue, samples and width of the imitated run: six points on the circle, two hidden layers.
const LAMBDA: f64 = 0.917;
const SAMPLES: f64 = 6.0;
const WIDTH: f64 = 256.0;

/// The margin at time t = e^s - 1 under cross-entropy: u + e^u - 1 = lambda t / n.
fn margin(s: f64) -> f64 {
    let log_right = (LAMBDA / SAMPLES).ln() + if s > 30.0 { s } else { s.exp_m1().ln() };
    let (mut low, mut high) = (0.0f64, 1e9);
    for _ in 0..200 {
        let u = 0.5 * (low + high);
        let log_left = if u > 30.0 { u } else { (u + u.exp_m1()).ln() };
        if log_left < log_right { low = u } else { high = u }
    }
    0.5 * (low + high)
}

/// A run that ends at ln(1 + t) = `end`.
fn trace(squared: bool, end: f64) -> Trace {
    let row = |i: u32| {
        let s = if i == 0 { 0.0 } else { 1e-2 * (end / 1e-2).powf(f64::from(i - 1) / 48.0) };
        let wiggle = 1.0 + 0.03 * (f64::from(i) * 1.7).sin();
        let u = if i == 0 {
            0.0
        } else if squared {
            -(-LAMBDA * s.exp_m1() / SAMPLES).exp_m1()
        } else {
            margin(s)
        };
        let late = 53.0 * 64.0 / WIDTH * (u / 8.0).powf(4.0 / 3.0);
        let drift = wiggle
            * if squared {
                0.33 * u.sqrt()
            } else if u < 8.0 {
                53.0 * u * u / WIDTH
            } else {
                late
            };
        let mut row = TraceRow::default();
        row.step = u64::from(i) * 37;
        row.time = s.exp_m1();
        row.log_time = s;
        row.loss = if squared { 0.5 * (1.0 - u).powi(2) + 1e-9 } else { (-u).exp().ln_1p() };
        row.accuracy = 1.0;
        row.margin_min = u * 0.88;
        row.margin_mean = u;
        row.param_distance = (6.0 * u * u / LAMBDA).sqrt();
        row.drift_max = if i == 0 { 0.0 } else { drift };
        row.error_max = (1.3f64.powi(2) + drift * drift).sqrt();
        row.lambda_min = LAMBDA * (1.0 + 0.4 * drift) * wiggle;
        row.finite = s < 700.0;
        row
    };
    let label = if squared { "squared error" } else { "cross-entropy" };
    Trace { label: label.into(), rows: (0..50).map(row).collect() }
}

fn theory() -> Vec<Overlay> {
    let time: Vec<f64> = (0..120).map(|i| 10f64.powf(-2.0 + f64::from(i) * 0.075)).collect();
    let u: Vec<f64> = time.iter().map(|t| margin(t.ln_1p())).collect();
    let moved = u.iter().map(|u| (6.0 * u * u / LAMBDA).sqrt()).collect();
    let power = Series::theory("53 u^{2}/m", u.clone(), u.iter().map(|u| 53.0 * u * u / WIDTH).collect());
    vec![
        Overlay::theory(Panel::Margin, "infinite width, cross-entropy", &time, u),
        Overlay::theory(Panel::ParamDistance, "infinite width, cross-entropy", &time, moved),
        Overlay { panel: Panel::DriftMargin, series: power },
    ]
}

fn figure(name: &str, x: Scale, y: Scale, series: Vec<Series>) -> Figure {
    Figure {
        name: name.into(),
        title: name.replace('_', " "),
        x: Axis::new("x (unit)", x),
        y: Axis::new("y (unit)", y),
        series,
        caption: "An edge case.".into(),
        ..Figure::default()
    }
}

fn series(label: &str, x: &[f64], y: &[f64], mark: Mark, style: usize) -> Series {
    let hue = if mark == Mark::Theory { Hue::Theory } else { Hue::at("style", style as f64) };
    Series::new(label, (x.to_vec(), y.to_vec()), mark, hue)
}

/// What is hard to draw.
fn edge_cases() -> Vec<Figure> {
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    let grid: Vec<f64> = (0..60).map(f64::from).collect();
    let six = (0..6).map(|i| {
        let y: Vec<f64> = grid.iter().map(|x| (x * 0.1).sin() + 0.4 * f64::from(i)).collect();
        let label =
            format!("network number {i} with a rather long label, width {}, mirrored, bias in every layer", 64 << i);
        series(&label, &grid, &y, Mark::Line, i as usize)
    });
    let palette = (0..8).map(|i| {
        let y: Vec<f64> = grid.iter().map(|x| (x * 0.05 + f64::from(i)).cos()).collect();
        let mark = [Mark::Line, Mark::Dashed, Mark::Theory, Mark::Fit][i as usize % 4].clone();
        series(&format!("style {i}"), &grid, &y, mark, i as usize)
    });
    let mean: Vec<f64> = grid.iter().map(|x| 4.0 / (1.0 + x)).collect();
    let spread = |factor: f64| mean.iter().zip(&grid).map(|(m, x)| m + factor * 0.02 * x).collect::<Vec<_>>();
    let band = Mark::Band { low: spread(-1.0), high: spread(1.0) };
    let wide: Vec<f64> = (0..=60).map(|i| 10f64.powf(-308.0 + 10.2 * f64::from(i))).collect();
    let mut ranged = figure(
        "explicit_range",
        Scale::Linear,
        Scale::Linear,
        vec![series(
            "wild",
            &grid,
            &grid.iter().map(|x| (x * 0.3).sin() * 1e300f64.powf(x / 60.0)).collect::<Vec<_>>(),
            Mark::Line,
            1,
        )],
    );
    ranged.y.range = Some((-2.0, 2.0));
    let mut long = figure("long_texts", Scale::Log, Scale::Log, vec![series("", &grid, &grid, Mark::Line, 0)]);
    long.title = "A title that goes on and on about the divergence of the empirical kernel K_{t} from its value K_{0} at the start of training, and on".into();
    long.y.label = "a vertical label that is far too long for the height of this figure, max_{ij} |K_{t} − K_{0}|, in the kernel's unit".into();
    vec![
        figure("one_point", Scale::Log, Scale::Linear, vec![series("one", &[3.0], &[0.5], Mark::Line, 0)]),
        figure("constant", Scale::Linear, Scale::Log, vec![series("constant", &grid, &[0.02; 60], Mark::Line, 0)]),
        figure(
            "gaps",
            Scale::Linear,
            Scale::Log,
            vec![series(
                "gaps",
                &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0],
                &[1.0, 2.0, nan, 4.0, 0.0, -1.0, 3.0, inf],
                Mark::Line,
                1,
            )],
        ),
        figure("empty", Scale::Log, Scale::Log, vec![series("nothing", &[1.0, 2.0], &[nan, 0.0], Mark::Line, 0)]),
        figure("decades", Scale::Log, Scale::Log, vec![series("x", &wide, &wide, Mark::Line, 2)]),
        figure(
            "huge_linear",
            Scale::Linear,
            Scale::Linear,
            vec![series("±1e308", &[-1e308, 0.0, 1e308], &[1e308, 0.0, -1e308], Mark::Line, 3)],
        ),
        figure("six_long", Scale::Linear, Scale::Linear, six.collect()),
        figure("palette", Scale::Linear, Scale::Linear, palette.collect()),
        figure(
            "band",
            Scale::Linear,
            Scale::Log,
            vec![
                series("mean and one deviation of 10 seeds", &grid, &mean, band.clone(), 0),
                series("theory", &grid, &mean, Mark::Theory, 6),
            ],
        ),
        figure(
            "narrow",
            Scale::Linear,
            Scale::Linear,
            vec![series("6 + 1e-7", &grid, &grid.iter().map(|x| 6.0 + 1e-9 * x).collect::<Vec<_>>(), Mark::Points, 4)],
        ),
        ranged,
        long,
    ]
}

fn report(figures: &[Figure]) -> Report {
    let mut table = Table::new(
        "Drift max_{ij} |K_{t} − K_{0}| at mean margin u, mirrored initialization.",
        ["width m", "u = 2", "u = 8", "u = 32", "comment"],
    );
    for (m, row) in [(64, [4.37, 25.4, 144.0]), (256, [0.85, 9.25, 55.4]), (1024, [0.23, 3.29, 24.6])] {
        let mut cells = vec![m.to_string()];
        cells.extend(row.map(number));
        cells.push("<made up> & escaped".into());
        table.push(cells);
    }
    let claim = |name: &str, measured: Option<f64>, theory: &str, verdict, note: &str| ClaimRow {
        kind: Kind::Claim,
        claim: name.into(),
        place: "Theorem 2".into(),
        network: "FCN, 2 hidden layers, m = 256".into(),
        loss: "cross-entropy".into(),
        init: "mirrored".into(),
        measured,
        interval: measured.map(|m| [0.9 * m, 1.1 * m]),
        seeds: 5,
        theory: theory.into(),
        allowed: [0.0, f64::INFINITY],
        verdict,
        note: note.into(),
    };
    let claims = vec![
        claim("A1", Some(0.917), "> 0", Verdict::Holds, "smallest eigenvalue of the analytic NTK"),
        claim("A2", Some(9.63), "→ ∞", Verdict::Holds, "the margin grows like log t"),
        claim(
            "A3",
            Some(0.0042),
            "≥ λ_{0}/(2n^{2}) = 0.0127",
            Verdict::Fails,
            "an invented failure, to see its colour",
        ),
        claim("A4", None, "2L/(L+1) = 1.333", Verdict::NotDecided, "needs margins beyond 10^{3}"),
    ];
    Report {
        title: "Divergence of the empirical NTK: K_{t} on six points".into(),
        lead: "Under cross-entropy the kernel has moved by 26 and keeps moving; under squared error it stopped at 0.33 (all numbers here are made up).".into(),
        sections: vec![
            Section { title: "Claims".into(), blocks: vec![Block::Verdicts("Claims".into(), claims), Block::Table(table)] },
            Section { title: "Figures".into(), blocks: figures.iter().cloned().map(|figure| Block::Figure(Box::new(figure))).collect() },
            Section {
                title: "Settings".into(),
                blocks: vec![
                    Block::Paragraph("Running this file again gives the same bits with the same backend.".into()),
                    Block::Code("[network]\nwidth = 256\nactivation = \"relu\"\n".into()),
                ],
            },
        ],
    }
}

fn main() -> Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "target/gallery".into()));
    let traces = [trace(false, 16.0), trace(true, 16.0)];
    let mut figures = run_figures(&traces, &theory());
    share_palette(&mut figures.iter_mut().collect::<Vec<_>>());
    figures.iter().chain(&edge_cases()).try_for_each(|figure| figure.save(&folder))?;
    run_figures(&[trace(false, 5e4)], &[]).iter().try_for_each(|figure| figure.save(&folder.join("beyond_f64")))?;
    traces[0].write(&folder.join("trace.csv"))?;
    report(&figures).save(&folder.join("report.html"))?;
    println!("{}", folder.display());
    Ok(())
}
