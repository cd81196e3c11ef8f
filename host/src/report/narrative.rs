//! What was seen, in words: the paragraph that a run prints, and its report.

use super::judged::judged;
use super::run_figures::moment;
use super::run_tables::{distance_table, end_table, reading_table, seen};
use crate::data::Samples;
use crate::experiment::{Init, Model, OptimizerKind, Settings, Training};
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
        moment(seen.last.log_time),
        number(seen.last.drift_max),
    );
    // of a kernel of zeros no share can be told
    if let Some(share) = defined(seen.relative_drift()) {
        text.push_str(&format!(" ({} % of its largest entry)", number(100.0 * share)));
    }
    text.push_str(match run.outcome.judgement.motion {
        None | Some(Motion::Unmoved) => ".",
        Some(Motion::Moving) => " and is still growing (by at least 10 % of the drift in the last fifth of log-time).",
        Some(Motion::Rest) if run.outcome.stopped == Stopped::Rest => " and has come to rest.",
        Some(Motion::Rest) => " and has converged (to within 2 % of the drift over the last fifth of log-time).",
        Some(Motion::Slowing) => " and is slowing down.",
        Some(Motion::Returning) => " and is moving back: the drift has decreased in the last fifth of log-time.",
        Some(Motion::Swinging) => " and oscillates: the drift has risen and fallen in the last fifth of log-time.",
    });
    text
}

/// Two snapshots whose 1 + t have no larger ratio are at one time to a reader.
const CLOSE: f64 = 1.5;

/// A difference of logits that is no departure: below it margins may be rounding.
const NOTHING: f64 = 1e-4;

/// ln(1 + t) of the snapshots between which outputs leave what the network's own kernel predicts: by a tenth of the scale of the targets where
/// that is given, else of the largest mean margin so far, which a margin that passes through 0 on its way does not undo.
fn departure(rows: &[PredictionRow], values: Option<f64>) -> Option<[f64; 2]> {
    let (mut margin, mut before) = (0.0, None);
    for row in rows {
        margin = f64::max(margin, row.linearized.margin_mean.abs());
        let scale = values.unwrap_or(margin);
        let nothing = if values.is_some() { 0.0 } else { NOTHING };
        if row.linearized.difference > f64::max(0.1 * scale, nothing) {
            return before.map(|before| [before, row.log_time]);
        }
        before = Some(row.log_time);
    }
    None
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
    // of descent it is the size of the steps too that leads away
    let linearized = match run.training.optimizer {
        OptimizerKind::Gd => "the gradient flow of the linearized network",
        _ => "the linearized network",
    };
    let departure = departure(&table.rows, values).map(|[from, to]| match (moment(from), moment(to)) {
        // no snapshot lies between
        (_, to) if from == 0.0 => format!("before t = {to}"),
        (_, there) if to - from <= CLOSE.ln() => format!("at t ≈ {there}"),
        (from, to) => format!("between t = {from} and {to}"),
    });
    let departure = match departure {
        Some(when) => format!("depart from {linearized} by 10 % of {measure} {when}"),
        None => format!("are within 10 % of {measure} of {linearized} at every snapshot"),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Measured;

    /// Rows of time, mean margin and difference.
    fn rows(of: &[[f64; 3]]) -> Vec<PredictionRow> {
        let row = |[time, margin_mean, difference]: &[f64; 3]| PredictionRow {
            time: *time,
            log_time: time.ln_1p(),
            linearized: Measured { margin_mean: *margin_mean, difference: *difference, ..Measured::default() },
            ..PredictionRow::default()
        };
        of.iter().map(row).collect()
    }

    #[test]
    fn departures_lie_between_two_snapshots() {
        let left = |of: &[[f64; 3]], values| departure(&rows(of), values).map(|log_times| log_times.map(moment));
        assert_eq!(
            left(&[[0.0, 0.0, 0.0], [1.0, 0.5, 0.01], [8.0, 1.0, 0.2]], None),
            Some(["1", "8"].map(String::from))
        );
        // on its way from -0.3 to 1 the margin passes through 0
        assert_eq!(left(&[[0.0, -0.3, 0.0], [1.0, 0.004, 0.01], [2.0, 1.0, 0.01]], None), None);
        // a margin that is rounding, and a difference that is
        assert_eq!(left(&[[0.0, 0.0, 0.0], [1.0, 1e-17, 2e-15], [2.0, -1e-17, 2e-15]], None), None);
        // of numbers any scale counts
        assert_eq!(
            left(&[[0.0, f64::NAN, 0.0], [1.0, f64::NAN, 2e-20]], Some(1e-19)),
            Some(["0", "1"].map(String::from))
        );
        assert_eq!(left(&[[0.0, f64::NAN, 0.0], [1.0, f64::NAN, 1e-21]], Some(1e-19)), None);
    }
}
