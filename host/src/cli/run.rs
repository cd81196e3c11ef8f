//! `ntkscope run`: train, record, write the run directory, say what was seen.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde_json::json;
use toml::Table;

use super::continued::Continued;
use super::follow::Follow;
use super::json;
use super::terminal::{DONE, FAILED, INTERRUPTED, command, in_flags, print, say, stop_on_interrupt, warn};
use super::unused::{Takes, refuse, unused_setting};
use crate::cli::args::OF_NETWORK;
use crate::cli::{Common, Figures, ModelArgs, Typed};
use crate::data::{CurveSource, Samples};
use crate::experiment::{Model, Settings, Times, Training};
use crate::files::Roles;
use crate::files::numbers::Json;
use crate::machine::{Budget, Stop, with_threads};
use crate::plot::{Figure, FigureStyle, figure_bytes};
use crate::report::narrative::Finished;
use crate::report::{KernelRun, judged, kernel_figures_bytes, narrative};
use crate::run::{Judgement, RunDirectory, Stopped, Trace, result_paths};
use crate::words::count;
use crate::{data, files, plot, report, run};

const EXAMPLES: &str = "\
Examples:
  ntkscope run
  ntkscope run --width 1024 --init standard --until-margin 16
  ntkscope run --loss cross-entropy --penalty 0.03
  ntkscope run settings.toml --set width=512 --out results
  ntkscope run --times device/times.csv --dtype f32 --backend portable
  ntkscope run --continue results --until-time 1e6";

/// `ntkscope run`
#[derive(Args, Debug)]
#[command(before_help = EXAMPLES)]
pub struct RunArgs {
    /// Settings file, such as the run.toml of an earlier run
    pub file: Option<PathBuf>,
    /// Network and data
    #[command(flatten)]
    pub model: ModelArgs,
    /// Training
    #[command(flatten)]
    pub training: Typed<Training>,
    /// Resume the run in this directory, finished or interrupted; --until-time, --until-margin, --until-loss and --max-steps
    /// can be changed
    #[arg(long = "continue", value_name = "DIR", conflicts_with_all = ["file", "out", "force"], help_heading = "Output")]
    pub continued: Option<PathBuf>,
    /// Directory for the results [default: the first unused runs/NAME]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Replace existing results in --out
    #[arg(long, help_heading = "Output")]
    pub force: bool,
    /// Of its figures
    #[command(flatten)]
    pub figures: Figures,
    /// The rest
    #[command(flatten)]
    pub common: Common,
}

/// Runs, and returns the exit code.
pub fn run(args: RunArgs) -> Result<u8> {
    with_threads(args.common.threads, || run_here(args))?
}

/// Runs on this pool's threads.
fn run_here(args: RunArgs) -> Result<u8> {
    let given = args.model.given(&args.training.table, args.file.as_deref())?;
    let continued = args.continued.as_deref().map(|place| Continued::read(place, &given)).transpose()?;
    let given = continued.as_ref().map_or(given, |continued| continued.settings.clone());
    refuse("run", &given, &Takes::All)?;
    let Settings { model, training } = Settings::from_table(given)?;
    // everything that can be checked without data is checked before data is read
    model.check()?;
    training.check(model.dtype)?;
    let budget = match &continued {
        None => args.common.budget(OF_NETWORK),
        // its settings are those of the run
        Some(_) => Budget::new(args.common.memory),
    };
    let model = model.under(training.loss)?;
    let data = model.data_spec();
    let mut samples = data::load(&data, &budget)?;
    if let Some(curve) = &training.profile {
        samples.follow(curve, data.normalization(), &budget)?;
    }
    if let Some(continued) = &continued {
        continued.check(&samples, &training, args.common.quiet)?;
    }
    warn(&samples, args.common.quiet);
    run::check(&model, &training, &samples)?;
    let outputs = model.shape(&samples)?.outputs;
    let mut training = training;
    if !model.parametrization.has_kernel_regime() {
        training.predictions = Some(false);
    }
    let (model, trainings) = (model.resolve(&samples)?, training.resolve(model.dtype, outputs, samples.n)?);
    let parts: Vec<_> = trainings.iter().map(|training| training.part(&trainings)).collect();
    if model.held_out > 0 && trainings.iter().all(|training| training.predictions == Some(false)) {
        let why = "no predictions are made (`predictions = false`, or more than 2048 samples x outputs); leave it out, or give `predictions = true`";
        return Err(unused_setting("run", &Table::try_from(&model)?, "held-out", why).into());
    }
    let parameters = run::sizes_of(&model, &samples)?.parameters;
    let what = format!("a run with {} and {}", count(samples.n, "sample"), count(parameters, "parameter"));
    budget.check(&what, need(&model, &trainings, &samples, args.figures.style())?)?;
    let name = format!("{}-{}", stem(&model.data), training.loss);
    let results = args.out.as_deref().map(result_paths);
    let curve = training.profile.iter().flat_map(CurveSource::inputs);
    let times = training.times.iter().filter_map(Times::input);
    let read = Roles::new().reads("settings", &args.file).reads("data", data::inputs(&data)).reads("profile", curve);
    let read = read.reads("times", times);
    read.writes("out", results.into_iter().flatten())?;
    let goes_on = continued.is_some();
    let directory = match continued {
        Some(continued) => continued.directory,
        None => RunDirectory::create(args.out.as_deref(), &name, args.force)?,
    };
    let stop = stop_on_interrupt();
    let quiet = args.common.quiet;
    if !quiet {
        say(&model.describe());
        say(&samples.description);
    }
    // all before the first run, so that a place that cannot be had is known at once
    let several = trainings.len() > 1;
    let place = |part: &str| if several { directory.inside(part) } else { Ok(directory.clone()) };
    let places: Vec<RunDirectory> = parts.iter().map(|(part, _)| place(part)).collect::<Result<_, _>>()?;
    if goes_on {
        places.iter().zip(&trainings).try_for_each(|(place, training)| run::check_ends(place, training))?;
    }
    let mut finished = Vec::new();
    let whole = &training;
    for ((training, (name, label)), place) in trainings.iter().zip(&parts).zip(&places) {
        let settings = || {
            if several {
                directory.write_settings(&model, whole, &samples, None)?;
            }
            place.write_settings(&model, training, &samples, None)
        };
        let mut follow = Follow::new(label, quiet, place, &settings, &stop);
        let state = place.file("state.bin");
        let there = goes_on && files::look(&state)?.is_some();
        let state = Some(state).filter(|_| there);
        let mut outcome = match state {
            Some(state) => run::resume(&state, &model, training, &samples, &mut follow, &stop)?,
            None => run::run(&model, training, &samples, &mut follow, &stop)?,
        };
        follow.bar.finish_and_clear();
        follow.error.map_or(Ok(()), Err)?;
        place.write_outcome(&outcome, &samples, &model)?;
        place.write_settings(&model, training, &samples, Some(&outcome))?;
        outcome.shed();
        let stopped = outcome.stopped == Stopped::Interrupted;
        finished.push(Finished { training, name: name.clone(), label, outcome });
        if stopped {
            break;
        }
    }
    // those of runs that did not begin go
    drop(places);
    write_report(&directory, &model, &samples, &finished, args.figures.style())?;
    if args.common.json {
        let settings = Settings { model: model.clone(), training: training.clone() }.table()?;
        let mut all = json::document("run", &settings, summary(&directory, &model, &samples, &finished));
        if let Some((code, messages)) = failure(&finished, &stop) {
            json::fail(&mut all, code, &messages.join("; "));
        }
        json::print_document(&all)?;
    } else {
        print(&narrative::plain_table(&report::end_table(&finished)).to_string())?;
        let subject = narrative::subject(&model, &samples, &finished);
        for text in [subject, narrative::lead(&finished)].into_iter().chain(narrative::details(&finished)) {
            print(&in_flags(&narrative::plain(&text)))?;
        }
    }
    if !quiet {
        say(&format!("report: {}", directory.file("report.html").display()));
        if args.figures.style().is_some() {
            say(&format!("figures: {}", directory.figures().display()));
        }
    }
    Ok(match failure(&finished, &stop) {
        Some((INTERRUPTED, _)) => INTERRUPTED,
        Some((code, messages)) => {
            messages.iter().for_each(|message| say(&format!("error: {message}")));
            code
        }
        None => DONE,
    })
}

/// Exit code and messages of runs that did not go as planned.
fn failure(finished: &[Finished<'_>], stop: &Stop) -> Option<(u8, Vec<String>)> {
    if stop.requested() {
        return Some((INTERRUPTED, vec!["interrupted".into()]));
    }
    let failed = finished.iter().filter(|run| run.outcome.judgement.failed());
    let messages: Vec<String> = failed
        .flat_map(|Finished { label, outcome, .. }| {
            let Judgement { failures, course, .. } = &outcome.judgement;
            let told = |failure| in_flags(&narrative::plain(&judged::told(failure, course)));
            failures.iter().map(move |failure| format!("{label}: {}", told(failure)))
        })
        .collect();
    (!messages.is_empty()).then_some((FAILED, messages))
}

/// Bytes that the process has at its peak, in one of the runs or while their report is made.
fn need(
    model: &Model,
    trainings: &[Training],
    samples: &Samples,
    style: Option<FigureStyle>,
) -> Result<u64, run::Error> {
    let (mut kept, mut most) = (0u64, 0);
    for training in trainings {
        // what a first run leaves for the report is there while the second goes on
        most = run::forecast(model, training, samples)?.saturating_add(kept).max(most);
        kept = kept.saturating_add(run::kept_bytes(samples, training));
    }
    let drawing = style.map_or(0, |style| figure_bytes(style).max(kernel_figures_bytes(samples.n)));
    Ok(most.max(kept.saturating_add(drawing)))
}

/// A short name of the data for a directory.
fn stem(source: &data::Source) -> String {
    match source {
        data::Source::File(path) => path.file_stem().map_or("data".into(), |s| s.to_string_lossy().into_owned()),
        other => other.to_string(),
    }
}

fn write_report(
    directory: &RunDirectory,
    model: &Model,
    samples: &Samples,
    finished: &[Finished<'_>],
    style: Option<FigureStyle>,
) -> Result<()> {
    let mut figures = match style {
        Some(style) => figures(model, samples, finished, style),
        None => Vec::new(),
    };
    plot::share_palette(&mut figures.iter_mut().collect::<Vec<_>>());
    directory.write_figures(&figures)?;
    Ok(narrative::report(model, samples, finished, figures, &command()).save(&directory.file("report.html"))?)
}

/// The figures of the runs.
fn figures(model: &Model, samples: &Samples, finished: &[Finished<'_>], style: FigureStyle) -> Vec<Figure> {
    let traces: Vec<Trace> =
        finished.iter().map(|f| Trace { label: f.label.into(), ..f.outcome.trace.clone() }).collect();
    let predicted: Vec<_> =
        finished.iter().filter_map(|f| Some((f.label, &f.outcome.predictions.made()?.table))).collect();
    let overlays: Vec<_> = predicted
        .iter()
        .flat_map(|(name, table)| report::overlays(if predicted.len() > 1 { name } else { "" }, table))
        .collect();
    let mut figures = report::run_figures(&traces, &overlays);
    figures.extend(report::prediction_figure(&predicted));
    let kernels = finished.iter().map(|Finished { training, name, label, outcome }| KernelRun {
        name: name.clone(),
        label,
        kernels: &outcome.kernels,
        profile: training.profile.as_ref().zip(outcome.profile.as_ref()),
    });
    figures.extend(report::kernel_figures(&kernels.collect::<Vec<_>>(), samples, model.dtype));
    let settings = narrative::settings(model, samples, finished);
    for figure in &mut figures {
        figure.settings.clone_from(&settings);
        figure.style = style;
    }
    figures
}

/// The machine-readable summary.
fn summary(directory: &RunDirectory, model: &Model, samples: &Samples, finished: &[Finished<'_>]) -> serde_json::Value {
    let number = Json;
    let runs: Vec<_> = finished
        .iter()
        .map(|Finished { training, outcome, .. }| {
            let last = outcome.trace.rows.last().copied().unwrap_or_default();
            let Judgement { failures, motion, course, rate, edge, .. } = &outcome.judgement;
            let failure = |failure| narrative::plain(&judged::told(failure, course));
            json!({
                "loss": training.loss.to_string(),
                "optimizer": training.optimizer.to_string(),
                "stopped": outcome.stopped.to_string(),
                "failed": outcome.judgement.failed(),
                "failures": failures
                    .iter()
                    .map(|f| json!({ "kind": f.name(), "step": f.step(), "message": failure(f) }))
                    .collect::<Vec<_>>(),
                "kernel": motion.map(|motion| motion.name()),
                "objective_start": number(course.start),
                "objective_highest": number(course.highest),
                "objective_final": number(course.last),
                "stable_rate": rate.and_then(|rate| rate.bound).map(|bound| number(bound.rate)),
                "stability_start": rate.map(|rate| number(rate.reading)),
                "stability_highest": edge.map(|edge| number(edge.highest.1)),
                "steps": last.step,
                "evaluations": outcome.evaluations,
                "seconds": outcome.seconds,
                "time": number(last.time),
                "final_loss": number(last.loss),
                "accuracy": number(last.accuracy),
                "margin_min": number(last.margin_min),
                "margin_mean": number(last.margin_mean),
                "drift_max": number(last.drift_max),
                "drift_max_sup": number(last.drift_highest),
                "drift_max_se": number(last.drift_max_se),
                "point_drift_max": number(last.point_drift_max),
                "sliding": last.sliding,
                "velocity_error": number(report::velocity_error(&outcome.trace.rows)),
                "drift_fro": number(last.drift_fro),
                "error_fro": number(last.error_fro),
                "lambda_min": number(last.lambda_min),
                "param_distance": number(last.param_distance),
            })
        })
        .collect();
    json!({
        "directory": directory.path(),
        "network": model.describe(),
        "parameters": run::sizes_of(model, samples).map(|s| s.parameters).unwrap_or_default(),
        "data": samples.description,
        "data_sha256": samples.sha256,
        "targets": samples.targets,
        "class_labels": samples.class_names(),
        "runs": runs,
    })
}
