//! What was seen, in words: the paragraph that a run prints, and its report.

use super::judged::judged;
use super::run_tables::{distance_table, end_table, reading_table, seen};
use crate::data::Samples;
use crate::experiment::{Init, Model, Settings, Training};
use crate::files::numbers::defined;
use crate::plot::Figure;
use crate::report::{Block, Report, Section, Table, VERSION, number, provenance, settings_in_words};
use crate::run::{Comparison, Motion, Outcome, PredictionRow, Stopped};

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

/// One paragraph: what each run did to its kernel.
pub fn lead(finished: &[Finished<'_>]) -> String {
    finished.iter().map(sentence).collect::<Vec<_>>().join(" ")
}

/// A paragraph for every run: its outputs beside the predictions of fixed kernels, and what was judged of it.
pub fn details(finished: &[Finished<'_>]) -> Vec<String> {
    let of = |run: &Finished<'_>| {
        let mut text = format!("{}:{}{}", run.label, prediction_sentence(run), judged(&run.outcome.judgement));
        match run.outcome.stopped {
            Stopped::Interrupted => text.push_str(" The run was interrupted there; everything recorded is kept."),
            Stopped::Rest => text.push_str(" It ended because nothing moves any more: the target cannot be reached."),
            _ => {}
        }
        text
    };
    let all = finished.iter().map(of);
    all.filter(|text| !text.ends_with(':')).collect()
}

/// What was trained on what, and how far its kernel was from the infinite-width limit.
pub fn subject(model: &Model, samples: &Samples, finished: &[Finished<'_>]) -> String {
    let mut text = format!("{}; {}.", samples.description, model.describe());
    if let Some(error) = finished.first().and_then(|run| defined(seen(&run.outcome).first.error_fro)) {
        let error = number(100.0 * error);
        text.push_str(&format!(" At initialization the empirical NTK is {error} % (Frobenius) from the analytic one."));
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

/// The table, its cells as [`plain`] has them.
pub fn plain_table(table: &Table) -> Table {
    let row = |row: &Vec<String>| row.iter().map(|cell| plain(cell)).collect();
    Table { caption: plain(&table.caption), header: row(&table.header), rows: table.rows.iter().map(row).collect() }
}

fn sentence(run: &Finished<'_>) -> String {
    let seen = seen(&run.outcome);
    let mut text = format!(
        "Under {}, at t = {}, the kernel has drifted by max|K_{{t}} − K_{{0}}| = {}",
        run.label,
        number(seen.last.time),
        number(seen.last.drift_max),
    );
    // of a kernel of zeros no share can be told
    if let Some(share) = defined(seen.relative_drift()) {
        text.push_str(&format!(" ({} % of its largest entry)", number(100.0 * share)));
    }
    text.push_str(match run.outcome.judgement.motion {
        None | Some(Motion::Unmoved) => ".",
        Some(Motion::Moving) => " and is still growing (by at least 10 % of the drift in the last fifth of log-time).",
        Some(Motion::Rest) => " and has converged (to within 2 % of the drift over the last fifth of log-time).",
        Some(Motion::Slowing) => " and is slowing down.",
        Some(Motion::Returning) => " and is moving back: the drift has decreased in the last fifth of log-time.",
        Some(Motion::Swinging) => " and oscillates: the drift has risen and fallen in the last fifth of log-time.",
    });
    text
}

/// When the outputs leave what the network's own kernel predicts: by a tenth of the mean margin, or where y is numbers, of
/// their root mean square.
fn prediction_sentence(run: &Finished<'_>) -> String {
    let table = match &run.outcome.predictions {
        Comparison::NotAsked => return String::new(),
        Comparison::Failed(e) => return format!(" The fixed kernels could not predict the outputs: {e}."),
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
    let departure = match left.filter(|row| row.log_time > 0.0) {
        Some(row) => format!("depart from the linearized network by 10 % of {measure} at t ≈ {}", number(row.time)),
        None => format!("stay within 10 % of {measure} of the linearized network"),
    };
    format!(
        " Outputs {departure}; the final gap is {}, and {} to the infinite-width prediction.",
        number(last.linearized.difference),
        number(last.ntk.difference),
    )
}

/// What was run, in a line: every setting, and the samples.
pub fn settings(model: &Model, samples: &Samples, finished: &[Finished<'_>]) -> String {
    let table = |run: &Finished<'_>| Settings { model: model.clone(), training: run.training.clone() }.table().ok();
    let tables: Vec<_> = finished.iter().filter_map(table).collect();
    let words = settings_in_words(&tables);
    format!("ntkscope {VERSION}; {words}; SHA-256 of the samples {}", samples.sha256)
}

/// The report of one run, or of two side by side.
pub fn report(
    model: &Model,
    samples: &Samples,
    finished: &[Finished<'_>],
    figures: Vec<Figure>,
    command: &str,
) -> Report {
    let mut results = vec![Block::Paragraph(subject(model, samples, finished)), Block::Table(end_table(finished))];
    results.extend(details(finished).into_iter().map(Block::Paragraph));
    results.extend(figures.into_iter().map(|figure| Block::Figure(Box::new(figure))));
    let mut settings: Vec<Block> = Vec::new();
    for run in finished {
        let table = Settings { model: model.clone(), training: run.training.clone() }.table().ok();
        let text = table.and_then(|t| toml::to_string(&t).ok()).unwrap_or_default();
        settings.push(Block::Paragraph(format!("{}: {}.", run.label, run.outcome.stopped)));
        settings.push(Block::Code(text));
    }
    settings.push(Block::Paragraph(format!("Data: {}; SHA-256 {}.", samples.description, samples.sha256)));
    settings.extend(provenance(command));
    let mut terms = TERMS.to_owned();
    let summed = finished.iter().any(|run| run.training.loss_sum);
    let conditions = [(SUMMED, summed), (SHIFTED, model.init == Init::Shifted), (VALUES, samples.are_values())];
    for (text, _) in conditions.iter().filter(|(_, on)| *on) {
        terms = format!("{terms} {text}");
    }
    Report {
        title: format!("Kernel drift: {}, width {}", model.describe_family(), model.width),
        lead: lead(finished),
        sections: vec![
            Section { title: "Results".into(), blocks: results },
            Section {
                title: "Notation and measurement".into(),
                blocks: [Block::Paragraph(terms)]
                    .into_iter()
                    .chain([Block::Table(distance_table(finished))])
                    .chain(reading_table(finished).map(Block::Table))
                    .collect(),
            },
            Section { title: "Provenance".into(), blocks: settings },
        ],
    }
}

/// What the words of a page about several runs mean, some of which were trained on the sum of the losses.
pub(crate) fn terms(summed: bool) -> String {
    if summed { format!("{TERMS} {SOME_SUMMED}") } else { TERMS.into() }
}

/// What the words of a page about runs mean.
pub(crate) const TERMS: &str = "t is the time of gradient flow on the mean loss. K_{t} is the empirical neural tangent kernel of the \
training samples at time t (for several outputs its mean over them), Θ the analytic kernel of the infinitely wide \
network. Where units rest on the kinks of their activation (ReLU), a flow moves as if they had their mean derivative, and \
K_{t} is the kernel of the derivatives averaged over a short burst of steps. Drift is K_{t} − K_{0}, error K_{t} − Θ. The margin of a sample is its output times the sign of its label, or the \
correct output minus the largest other one. The loss is the mean over the samples, without any penalty.";
const SUMMED: &str = "Here it is the sum instead of the mean, and t is the time of gradient flow on that sum.";
const SOME_SUMMED: &str =
    "Of runs with `loss-sum` the loss is the sum instead, and t the time of gradient flow on that sum.";
const VALUES: &str = "The targets are real numbers here: margins and accuracy, which need classes, are undefined.";
const SHIFTED: &str = "Outputs are those of the shifted network: f(x; θ_{t}) - f(x; θ_{0}).";
