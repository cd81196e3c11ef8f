//! What was seen, in words: the paragraph that a run prints, and its report.

use super::judged::judged;
use crate::data::Samples;
use crate::experiment::{Init, Model, Settings, Training};
use crate::files::numbers::defined;
use crate::plot::Figure;
use crate::report::{Block, Report, Section, Table, number, settings_in_words};
use crate::run::{Comparison, Motion, Outcome, PredictionRow, Stopped, TraceRow};

/// A training run and what it left.
pub struct Finished<'a> {
    /// what was to run
    pub training: &'a Training,
    /// its name in files, see [`Training::part`]
    pub name: String,
    /// and for people
    pub label: &'static str,
    /// what came of it
    pub outcome: Outcome,
}

/// Numbers of a run that the words are about.
struct Seen {
    first: TraceRow,
    last: TraceRow,
    /// largest entry of the initial kernel
    scale: f64,
}

fn seen(outcome: &Outcome) -> Seen {
    let rows = &outcome.trace.rows;
    let (first, last) = (rows.first().copied().unwrap_or_default(), rows.last().copied().unwrap_or_default());
    Seen { first, last, scale: outcome.kernels.initial.iter().fold(0.0, |m: f64, k| m.max(k.abs())) }
}

/// One paragraph: what each run did to its kernel.
pub fn lead(model: &Model, samples: &Samples, finished: &[Finished<'_>]) -> String {
    let mut text = format!("{} samples ({}), {}.", samples.n, samples.description, model.describe());
    if let Some(error) = finished.first().and_then(|run| defined(seen(&run.outcome).first.error_fro)) {
        let error = number(100.0 * error);
        text.push_str(&format!(" At initialization the empirical NTK is {error} % (Frobenius) from the analytic one."));
    }
    for run in finished {
        text.push(' ');
        text.push_str(&sentence(run));
    }
    text
}

/// The text for a terminal or a table: `1×10^{5}` becomes `1e5`, `K_{t}` becomes `K_t`, `u^{2}` becomes `u^2`.
pub fn plain(text: &str) -> String {
    text.replace("×10^{", "e")
        .replace("_{", "_")
        .replace("^{", "^")
        .replace('}', "")
        .replace('−', "-")
        .replace('∞', "inf")
}

fn sentence(run: &Finished<'_>) -> String {
    let Seen { last, scale, .. } = seen(&run.outcome);
    let name = run.label;
    let mut text = format!(
        "Under {name}, after time t = {} ({} loss {}{}) the empirical NTK has moved by max|K_{{t}} - K_{{0}}| = {}",
        number(last.time),
        if run.training.loss_sum { "summed" } else { "mean" },
        number(last.loss),
        of_classes(&last),
        number(last.drift_max),
    );
    // of a kernel of zeros no share can be told
    if let Some(share) = defined(last.drift_max / scale).filter(|_| scale > 0.0) {
        text.push_str(&format!(", that is {} % of its largest entry", number(100.0 * share)));
    }
    text.push_str(match run.outcome.judgement.motion {
        None => ".",
        Some(Motion::Unmoved) => ".",
        Some(Motion::Moving) => {
            ", and is still moving: its drift has grown by a tenth or more in the last fifth of ln(1 + t)."
        }
        Some(Motion::Rest) => ", and has come to rest: its drift keeps within 2 % in the last fifth of ln(1 + t).",
        Some(Motion::Slowing) => ", and is slowing down.",
        Some(Motion::Returning) => ", and is moving back: its drift has fallen in the last fifth of ln(1 + t).",
        Some(Motion::Swinging) => ", and moves to and fro: its drift rises and falls in the last fifth of ln(1 + t).",
    });
    text.push_str(&prediction_sentence(run));
    text.push_str(&judged(&run.outcome.judgement));
    match run.outcome.stopped {
        Stopped::Interrupted => text.push_str(" The run was interrupted there; what it had recorded is kept."),
        Stopped::Rest => {
            text.push_str(" It ended there because nothing moves any more: the target will not be reached.")
        }
        _ => {}
    }
    text
}

/// Margin and share of right classes; nothing where y is numbers.
fn of_classes(last: &TraceRow) -> String {
    if last.margin_min.is_nan() {
        return String::new();
    }
    format!(", smallest margin {}, {} % right", number(last.margin_min), number(100.0 * last.accuracy))
}

/// When the outputs leave what the network's own kernel predicts: by a tenth of the mean margin, or where y is numbers, of
/// their root mean square.
fn prediction_sentence(run: &Finished<'_>) -> String {
    let table = match &run.outcome.predictions {
        Comparison::NotAsked => return String::new(),
        Comparison::Failed(e) => return format!(" The fixed kernels' predictions could not be made: {e}."),
        Comparison::Made(predictions) => &predictions.table,
    };
    let Some(last) = table.rows.last() else { return String::new() };
    let targets = &run.outcome.targets;
    let values = last.linearized.margin_mean.is_nan().then(|| {
        let squares: f64 = targets.iter().map(|y| y * y).sum();
        (squares / targets.len() as f64).sqrt()
    });
    let measure = if values.is_some() { "the targets' root mean square" } else { "the mean margin" };
    let scale = |row: &PredictionRow| values.unwrap_or(row.linearized.margin_mean.abs());
    let left = table.rows.iter().find(|row| row.linearized.difference > 0.1 * scale(row));
    let when = match left.filter(|row| row.log_time > 0.0) {
        Some(row) => format!("by more than a tenth of {measure} from t = {}", number(row.time)),
        None => format!("by less than a tenth of {measure} all the time"),
    };
    format!(
        " Its outputs differ from those of the linearized network {when}; at the end by {} (from those of the analytic NTK by {}).",
        number(last.linearized.difference),
        number(last.ntk.difference),
    )
}

/// What was run, in a line: every setting, and the samples.
pub fn settings(model: &Model, samples: &Samples, finished: &[Finished<'_>]) -> String {
    let table = |run: &Finished<'_>| Settings { model: model.clone(), training: run.training.clone() }.table().ok();
    let tables: Vec<_> = finished.iter().filter_map(table).collect();
    let (version, words) = (env!("CARGO_PKG_VERSION"), settings_in_words(&tables));
    format!("ntkscope {version}; {words}; samples with SHA-256 {}", samples.sha256)
}

/// The report of one run, or of two side by side.
pub fn report(model: &Model, samples: &Samples, finished: &[Finished<'_>], figures: Vec<Figure>) -> Report {
    let mut results = Vec::new();
    results.push(Block::Table(end_table(finished)));
    results.extend(reading_table(finished).map(Block::Table));
    results.extend(figures.into_iter().map(|figure| Block::Figure(Box::new(figure))));
    let mut settings = Vec::new();
    for run in finished {
        let table = Settings { model: model.clone(), training: run.training.clone() }.table().ok();
        let text = table.and_then(|t| toml::to_string(&t).ok()).unwrap_or_default();
        settings.push(Block::Paragraph(format!("{}: {}.", run.label, run.outcome.stopped)));
        settings.push(Block::Code(text));
    }
    settings.push(Block::Paragraph(format!("Data: {}; SHA-256 {}.", samples.description, samples.sha256)));
    let mut terms = TERMS.to_owned();
    let summed = finished.iter().any(|run| run.training.loss_sum);
    let conditions = [(SUMMED, summed), (SHIFTED, model.init == Init::Shifted), (VALUES, samples.are_values())];
    for (text, _) in conditions.iter().filter(|(_, on)| *on) {
        terms = format!("{terms} {text}");
    }
    Report {
        title: "ntkscope run".into(),
        lead: lead(model, samples, finished),
        sections: vec![
            Section { title: "What was seen".into(), blocks: results },
            Section { title: "Terms".into(), blocks: vec![Block::Paragraph(terms)] },
            Section { title: "Settings".into(), blocks: settings },
        ],
    }
}

const TERMS: &str = "t is the time of gradient flow on the mean loss. K_{t} is the empirical neural tangent kernel of the \
training samples at time t (for several outputs its mean over them), Θ the analytic kernel of the infinitely wide \
network. Where units rest on the kinks of their activation (ReLU), a flow moves as if it had their mean derivative, and \
K_{t} is the kernel of the derivatives averaged over a short burst of steps. Drift is K_{t} − K_{0}, error K_{t} − Θ. The margin of a sample is its output times its sign, or the right \
output less the best wrong one. The loss is the mean over the samples, without any penalty.";
const SUMMED: &str = "Here it is the sum in place of the mean, and t is the time of gradient flow on that sum.";
const VALUES: &str = "Here y is numbers: margins and accuracy, which are of classes, are undefined.";
const SHIFTED: &str = "Outputs are those of the shifted network: f(x; θ_{t}) - f(x; θ_{0}).";

fn end_table(finished: &[Finished<'_>]) -> Table {
    let header = [
        "",
        "steps",
        "gradients",
        "t",
        "loss",
        "min margin",
        "max|K_{t} − K_{0}|",
        "relative drift",
        "λ_{min}",
        "|θ_{t} − θ_{0}|",
        "seconds",
    ];
    let mut table = Table::new("Where each run ended.", header.map(String::from).to_vec());
    for Finished { label, outcome, .. } in finished {
        let Seen { last, .. } = seen(outcome);
        table.push(vec![
            (*label).into(),
            last.step.to_string(),
            outcome.evaluations.to_string(),
            number(last.time),
            number(last.loss),
            number(last.margin_min),
            number(last.drift_max),
            number(last.drift_fro),
            number(last.lambda_min),
            number(last.param_distance),
            number(outcome.seconds),
        ]);
    }
    table
}

/// The median velocity error of the rows that have one; NaN where none has.
pub fn velocity_error(rows: &[TraceRow]) -> f64 {
    let mut errors: Vec<f64> = rows.iter().filter_map(|row| defined(row.velocity_error)).collect();
    errors.sort_by(f64::total_cmp);
    errors.get(errors.len() / 2).copied().unwrap_or(f64::NAN)
}

/// How the kernels of flows with kinks were read, and how near descents were to their edge of stability; none of others.
fn reading_table(finished: &[Finished<'_>]) -> Option<Table> {
    let header = [
        "",
        "sliding pairs of unit and sample",
        "standard error of max|K_{t} − K_{0}|",
        "the same drift of a point",
        "velocity error, median",
        "largest",
        "rate × sharpness / 2 at the start",
        "largest",
    ];
    let title = "How K_{t} was read. The velocity error is |Δf + K_{t} R|/|Δf| over a burst: the share of the outputs' \
                 movement that the kernel does not account for. A point's kernel has derivatives 0 or 1 at kinks. Descent \
                 is stable where rate × sharpness / 2 is below 1.";
    let mut table = Table::new(title, header.map(String::from).to_vec());
    let mut any = false;
    for Finished { label, outcome, .. } in finished {
        let (rows, Seen { first, last, .. }) = (&outcome.trace.rows, seen(outcome));
        let largest = |value: fn(&TraceRow) -> f64| rows.iter().map(value).fold(f64::NAN, f64::max);
        any |= !velocity_error(rows).is_nan() || !first.stability.is_nan();
        table.push(vec![
            (*label).into(),
            last.sliding.to_string(),
            number(last.drift_max_se),
            number(last.point_drift_max),
            number(velocity_error(rows)),
            number(largest(|row| row.velocity_error)),
            number(first.stability),
            number(largest(|row| row.stability)),
        ]);
    }
    any.then_some(table)
}
