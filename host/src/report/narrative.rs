//! What was seen, in words: the paragraph that a run prints, and its report.

use crate::data::Samples;
use crate::experiment::{Init, Model, Settings, Training};
use crate::plot::Figure;
use crate::report::{Block, Report, Section, Table, number};
use crate::run::{Comparison, Outcome, Stopped, TraceRow};

/// A training run and what it left.
pub struct Finished<'a> {
    /// what was to run
    pub training: &'a Training,
    /// what came of it
    pub outcome: Outcome,
}

/// Numbers of a run that the words are about.
struct Seen {
    first: TraceRow,
    last: TraceRow,
    /// largest entry of the initial kernel
    scale: f64,
    /// part of the final drift that came in the last fifth of the run's ln(1 + t)
    late: f64,
}

fn seen(outcome: &Outcome) -> Seen {
    let rows = &outcome.trace.rows;
    let (first, last) = (rows.first().copied().unwrap_or_default(), rows.last().copied().unwrap_or_default());
    let before = rows.iter().take_while(|r| r.log_time <= 0.8 * last.log_time).last().unwrap_or(&first);
    let late = (last.drift_max - before.drift_max) / last.drift_max;
    Seen { first, last, scale: outcome.kernels.initial.iter().fold(0.0, |m: f64, k| m.max(k.abs())), late }
}

/// One paragraph: what each run did to its kernel.
pub fn lead(model: &Model, samples: &Samples, finished: &[Finished<'_>]) -> String {
    let mut text = format!(
        "{} samples ({}), {}. At initialization the empirical NTK is {} % (Frobenius) from the analytic one.",
        samples.n,
        samples.description,
        model.describe(),
        number(100.0 * finished.first().map_or(f64::NAN, |f| seen(&f.outcome).first.error_fro)),
    );
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
    let Seen { last, scale, late, .. } = seen(&run.outcome);
    let name = run.training.loss.label();
    let mut text = format!(
        "Under {name}, after time t = {} (mean loss {}, smallest margin {}, {} % right) the empirical NTK has moved by max|K_{{t}} - K_{{0}}| = {}, that is {} % of its largest entry",
        number(last.time),
        number(last.loss),
        number(last.margin_min),
        number(100.0 * last.accuracy),
        number(last.drift_max),
        number(100.0 * last.drift_max / scale),
    );
    text.push_str(match late {
        late if !late.is_finite() => ".",
        late if late > 0.1 => ", and is still moving: a tenth or more of that came in the last fifth of ln(1 + t).",
        late if late < 0.02 => ", and has come to rest: next to nothing of that came in the last fifth of ln(1 + t).",
        _ => ", and is slowing down.",
    });
    text.push_str(&prediction_sentence(run));
    match run.outcome.stopped {
        Stopped::Interrupted => text.push_str(" The run was interrupted there; what it had recorded is kept."),
        Stopped::Failed(e) => {
            text.push_str(&format!(" The run could not go on ({e})"));
            text.push_str("; with `optimizer = gd`, a smaller `rate` may help.");
        }
        _ => {}
    }
    text
}

/// When the outputs leave what the network's own kernel predicts: by a tenth of the mean margin.
fn prediction_sentence(run: &Finished<'_>) -> String {
    let table = match &run.outcome.predictions {
        Comparison::NotAsked => return String::new(),
        Comparison::Failed(e) => return format!(" The fixed kernels' predictions could not be made: {e}."),
        Comparison::Made(predictions) => &predictions.table,
    };
    let Some(last) = table.rows.last() else { return String::new() };
    let left = table.rows.iter().find(|row| row.linearized.difference > 0.1 * row.linearized.margin_mean.abs());
    let when = match left.filter(|row| row.log_time > 0.0) {
        Some(row) => format!("by more than a tenth of the mean margin from t = {}", number(row.log_time.exp_m1())),
        None => "by less than a tenth of the mean margin all the time".into(),
    };
    format!(
        " Its outputs differ from those of the linearized network {when}; at the end by {} (from those of the analytic NTK by {}).",
        number(last.linearized.difference),
        number(last.ntk.difference),
    )
}

/// The report of one run, or of two side by side.
pub fn report(model: &Model, samples: &Samples, finished: &[Finished<'_>], figures: Vec<Figure>) -> Report {
    let mut results = Vec::new();
    results.push(Block::Table(end_table(finished)));
    results.extend(figures.into_iter().map(Block::Figure));
    let mut settings = Vec::new();
    for run in finished {
        let table = Settings { model: model.clone(), training: run.training.clone() }.table().ok();
        let text = table.and_then(|t| toml::to_string(&t).ok()).unwrap_or_default();
        settings.push(Block::Paragraph(format!("{}: {}.", run.training.loss.label(), run.outcome.stopped)));
        settings.push(Block::Code(text));
    }
    settings.push(Block::Paragraph(format!("Data: {}; SHA-256 {}.", samples.description, samples.sha256)));
    let terms = if model.init == Init::Shifted { format!("{TERMS} {SHIFTED}") } else { TERMS.into() };
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
network. Drift is K_{t} - K_{0}, error K_{t} - Θ. The margin of a sample is its output times its sign, or the right \
output less the best wrong one. The loss is the mean over the samples, without any penalty.";
const SHIFTED: &str = "Outputs are those of the shifted network: f(x; θ_{t}) - f(x; θ_{0}).";

fn end_table(finished: &[Finished<'_>]) -> Table {
    let header = [
        "",
        "steps",
        "gradients",
        "t",
        "loss",
        "min margin",
        "max|K_{t} - K_{0}|",
        "relative drift",
        "λ_{min}",
        "|θ_{t} - θ_{0}|",
        "seconds",
    ];
    let mut table = Table::new("Where each run ended.", header.map(String::from).to_vec());
    for Finished { training, outcome } in finished {
        let Seen { last, .. } = seen(outcome);
        table.push(vec![
            training.loss.label().into(),
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
