//! `ntkscope predict`: trained networks on test points, from kernels alone.

use std::path::PathBuf;

use anyhow::Result;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, ValueEnum};
use ntkscope_core::init::initialize;
use ntkscope_core::network::Network;
use ntkscope_core::predict::Fit;
use ntkscope_core::{Error, MatRef};
use serde_json::json;
use toml::{Table, Value};

use super::json::{document, print_document};
use super::prediction::{Answers, CSV_CELL, Columns, JSON_CELL, Quantity};
use super::terminal::{DONE, in_flags, phase, say, warn};
use super::unused::{Takes, refuse, refuse_seed, unused_setting, used};
use crate::analysis;
use crate::analysis::fit::cautions;
use crate::analysis::law::{InfiniteWidth, Law};
use crate::analysis::law_forecast::LawWork;
use crate::analysis::probabilities::probabilities;
use crate::backend::{HostReal, threads};
use crate::cli::UsageError;
use crate::cli::{Common, ModelArgs};
use crate::data;
use crate::data::{ClassSelection, Classes, DataSpec, Samples, Source};
use crate::experiment::{Init, LossKind, Model, Settings, Training};
use crate::files::{self, Format, Roles, check_output};
use crate::machine::memory::{bytes_of, process_bytes};
use crate::machine::{Budget, with_threads};
use crate::run;
use crate::run::{Task, all_inputs, linearized_bytes};
use crate::words::count;

const EXAMPLES: &str = "\
Examples:
  ntkscope predict --penalty 0.01 --held-out 6
      where cross-entropy with a penalty ends, and how that is spread over initializations
  ntkscope predict --loss mse --time 100 --data train.csv --test test.csv --out P.csv
  ntkscope predict --smoothing 0.1 --kernel initial --width 512 --seed 3 --held-out 6
      the linearization of one network";

/// Which kernel predicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PredictKernel {
    /// the analytic NTK, over random initializations
    Ntk,
    /// that of one network at initialization, from its own outputs
    Initial,
}

/// `ntkscope predict`
#[derive(Args, Debug)]
#[command(before_help = EXAMPLES)]
pub struct PredictArgs {
    /// Network and data
    #[command(flatten)]
    pub model: ModelArgs,
    /// Loss
    #[command(flatten)]
    pub loss: LossArgs,
    /// Gradient-flow time of the mean loss; finite for squared error without a penalty [default: inf]
    #[arg(long, value_name = "T", allow_negative_numbers = true, help_heading = "Training")]
    pub time: Option<f64>,
    /// Kernel
    #[arg(long, value_enum, default_value = "ntk", help_heading = "Prediction")]
    pub kernel: PredictKernel,
    /// Test points, FILE.npz (x, and y if known) or FILE.csv (last column y), instead of --held-out
    #[arg(long, value_name = "FILE", conflicts_with = "held_out", help_heading = "Prediction")]
    pub test: Option<Source>,
    /// Save: P.npz (arrays x, mean, sd, …) or P.csv (a row per test point); with y, classes and accuracy where there are
    /// any; a file that is there is replaced
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// The rest
    #[command(flatten)]
    pub common: Common,
}

/// Those flags of training that say what is predicted.
#[derive(Debug)]
pub struct LossArgs {
    /// loss, cross-entropy unless it is given
    pub loss: LossKind,
    /// the loss, and what else was typed, as in a settings file
    pub table: Table,
}

impl Args for LossArgs {
    fn augment_args(command: Command) -> Command {
        let training = Training::augment_args(Command::new("training"));
        let shared = |arg: &&Arg| ["loss", "penalty", "smoothing"].contains(&arg.get_id().as_str());
        let arguments: Vec<Arg> = training.get_arguments().filter(shared).cloned().collect();
        command.args(arguments).mut_arg("loss", |loss| loss.default_value("cross-entropy"))
    }
    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for LossArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let loss = matches.get_one("loss").copied().unwrap_or(LossKind::CROSS_ENTROPY);
        let mut table = Table::from_iter([("loss".to_owned(), Value::String(loss.to_string()))]);
        for key in ["penalty", "smoothing"] {
            if matches.value_source(key) == Some(ValueSource::CommandLine) {
                table.extend(matches.get_one(key).map(|number| (key.to_owned(), Value::Float(*number))));
            }
        }
        Ok(Self { loss, table })
    }
    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// A prediction on m test points of C outputs.
struct Predicted {
    /// `(m, C)`
    mean: Vec<f64>,
    /// `(m, C)`; 0 where nothing is random
    deviation: Vec<f64>,
    laplace: Option<Vec<f64>>,
    fit: Option<Fit<f64>>,
}

/// Predicts, saves, prints; returns the exit code.
pub fn predict(args: PredictArgs) -> Result<u8> {
    with_threads(args.common.threads, || predict_here(args))?
}

/// Predicts on this pool's threads.
fn predict_here(args: PredictArgs) -> Result<u8> {
    let loss = args.loss.loss;
    let wrong = |flag, given: String, what: &str| UsageError::Range { flag, given, what: what.into() };
    if loss == LossKind::Both {
        return Err(wrong("--loss", "both".into(), "predicts one loss at a time; give mse or cross-entropy").into());
    }
    let given = args.model.given(&args.loss.table, None)?;
    refuse("predict", &given, &Takes::Only(&["loss", "penalty", "smoothing"]))?;
    if args.kernel == PredictKernel::Ntk {
        refuse_seed("predict", &given, false)?;
        if given.contains_key("width") {
            let why = "with the analytic NTK the network is infinitely wide; give --kernel initial";
            return Err(unused_setting("predict", &given, "width", why).into());
        }
    }
    let settings = Settings::from_table(given)?;
    settings.model.check()?;
    let format = check_files(&args, &settings.model)?;
    let settings = Settings { model: settings.model.under(loss)?, ..settings };
    let budget = Budget::new(args.common.memory);
    let mut samples = data::load(&settings.model.data_spec(), &budget)?;
    warn(&samples, args.common.quiet);
    if let Some(test) = &args.test {
        (samples.held_out, samples.held_out_y) = test_points(test, &settings, &samples, &budget, args.common.quiet)?;
    }
    if samples.held_out.is_empty() {
        return Err(
            wrong("--held-out", "0".into(), "there are no test points; give --held-out N or --test FILE").into()
        );
    }
    let model = settings.model.resolve(&samples)?;
    run::check(&settings.model, &settings.training, &samples)?;
    let outputs = model.shape(&samples)?.outputs;
    let training = settings.training.resolve(outputs, samples.n)?.remove(0);
    let time = args.time.unwrap_or(f64::INFINITY);
    if time.is_nan() || time < 0.0 {
        return Err(wrong("--time", time.to_string(), "must not be negative").into());
    }
    let closed = training.core_loss().properties(1).quadratic && training.penalty == 0.0;
    if time.is_finite() && args.kernel == PredictKernel::Ntk && !closed {
        let what = "only squared error without a penalty has a law at finite times; leave --time out, or give --kernel initial";
        return Err(wrong("--time", time.to_string(), what).into());
    }
    if time.is_finite() && training.penalty > 0.0 {
        return Err(wrong("--time", time.to_string(), "with a penalty the end is predicted; leave --time out").into());
    }
    let predicted = predicted(&args, &model, &training, &samples, outputs, time, &budget)?;
    save_and_print(&args, format, &model, &training, &samples, outputs, &predicted)?;
    Ok(DONE)
}

/// Looks at the files that are read and written, before any is; returns the format of `--out`.
fn check_files(args: &PredictArgs, model: &Model) -> Result<Option<Format>, files::Error> {
    let test = args.test.clone().map(|test| data::inputs(&DataSpec::new(test)));
    let read = Roles::new().reads("data", data::inputs(&model.data_spec())).reads("test", test.into_iter().flatten());
    read.writes("out", &args.out)?;
    args.out.as_deref().map(|path| check_output("out", path, &[Format::Npz, Format::Csv])).transpose()
}

/// The points of a file and their y, prepared as the training samples are: of labels that were selected only those are taken.
fn test_points(
    source: &Source,
    settings: &Settings,
    samples: &Samples,
    budget: &Budget,
    quiet: bool,
) -> Result<(Vec<f64>, Vec<f64>)> {
    let Model { normalize, classes, label_column, .. } = &settings.model;
    let label_column = label_column.clone().filter(|_| source.is_csv());
    // a label is looked up among the classes of the training samples, whatever else the file holds
    let spec = DataSpec { normalize: *normalize, label_column, ..DataSpec::new(source.clone()) };
    let selected = DataSpec {
        targets: samples.targets.filter(|_| samples.are_values()),
        classes: classes.clone().filter(|c| matches!(c, ClassSelection::Labels(_))),
        ..spec.clone()
    };
    let test = match data::load(&selected, budget) {
        // points without y are predicted too
        Err(data::Error::NoLabels { .. }) => data::load(&spec, budget)?,
        loaded => loaded?,
    };
    warn(&test, quiet);
    let wrong = |what: String| UsageError::Range { flag: "--test", given: source.to_string(), what };
    if test.d != samples.d {
        return Err(wrong(format!("{} numbers per sample, but the training samples have {}", test.d, samples.d)).into());
    }
    if test.y_columns != samples.y_columns && test.y_columns > 0 {
        let what = format!(
            "y has {} numbers per sample, but that of the training samples {}",
            test.y_columns, samples.y_columns
        );
        return Err(wrong(what).into());
    }
    let y = match (&samples.map, &test.map) {
        _ if test.targets.is_none() => test.y,
        // each file numbers its names by itself
        (Some(classes @ Classes::Names(_)), Some(Classes::Names(names))) => classes.numbers_of_names(&test.y, names),
        (Some(Classes::Names(_)), _) => {
            return Err(wrong("its labels are numbers, but those of the training samples are names".into()).into());
        }
        (_, Some(Classes::Names(_))) => {
            return Err(wrong("its labels are names, but those of the training samples are numbers".into()).into());
        }
        _ => test.y,
    };
    Ok((test.x, y))
}

/// What is predicted at this time.
fn predicted(
    args: &PredictArgs,
    model: &Model,
    training: &Training,
    samples: &Samples,
    outputs: usize,
    time: f64,
    budget: &Budget,
) -> Result<Predicted> {
    let (loss, shape) = (training.core_loss(), model.shape(samples)?);
    let network = &model.network(&shape)?;
    let what = format!("prediction from {} on {}", count(samples.n, "sample"), samples.held_out.len() / samples.d);
    let (n, m) = (samples.n, samples.held_out.len() / samples.d);
    let least = least_bytes(args, samples, network, outputs);
    let left = budget.limit().map_or(u64::MAX, |limit| limit.bytes.saturating_sub(least));
    let (block, need) = match args.kernel {
        PredictKernel::Ntk => {
            let (inputs, penalty) = (samples.d, training.penalty);
            LawWork { samples: n, points: m, inputs, outputs, loss, penalty }.plan(left)
        }
        PredictKernel::Initial => (m, linearized_bytes(network.sizes(), n, m)),
    };
    budget.check(&format!("a {what}"), least.saturating_add(need))?;
    let _bar = phase(&what, args.common.quiet);
    let (x, all) = all_inputs::<f64>(samples);
    let x = MatRef::new(&x, all, samples.d)?;
    let targets: Vec<f64> = run::targets(samples, loss, training.smoothing, outputs)?;
    let targets = MatRef::new(&targets, samples.n, outputs)?;
    if args.kernel == PredictKernel::Ntk {
        let limit = InfiniteWidth { network, x, targets, loss, penalty: training.penalty, time };
        let law = limit.law(block, budget).map_err(|error| match error {
            analysis::Error::Core(error) => explain(error, training),
            other => other.into(),
        });
        let Law { mean, deviation, laplace, fit } = law?;
        // only a standard network's output at initialization is not 0, and all that is random comes from it
        let deviation = if model.init == Init::Standard { deviation } else { vec![0.0; mean.len()] };
        return Ok(Predicted { mean, deviation, laplace, fit });
    }
    let (penalty, shifted) = (training.penalty, model.init == Init::Shifted);
    let mut theta_0 = vec![0.0; network.sizes().parameters];
    initialize(network, model.seed, &mut theta_0)?;
    let values = samples.are_values();
    let task = Task { network, theta_0: &theta_0, x, targets, loss, penalty, shifted, values };
    let (mean, fit) = task.linearized(f64::fast(), time).map_err(|e| explain(e, training))?;
    Ok(Predicted { deviation: vec![0.0; mean.len()], mean, laplace: None, fit })
}

/// Bytes from the beginning to the end: the program, the samples and as one matrix, the parameters, the results and what
/// they are written from.
fn least_bytes(args: &PredictArgs, samples: &Samples, network: &impl Network, outputs: usize) -> u64 {
    let sizes = network.sizes();
    let parameters = if args.kernel == PredictKernel::Initial { sizes.parameters } else { 0 };
    let [n, m, d, c, parameters] =
        [samples.n, samples.held_out.len() / samples.d, samples.d, outputs, parameters].map(|size| size as u128);
    // labels and classes, targets and what meets them
    let numbers = 2 * (n + m) * d + n * (2 + 2 * c) + parameters;
    // mean, deviation, probabilities, Laplace's deviation, the answers; in a table the points too
    let columns = 3 * c + c.max(2) + 4;
    let csv = args.out.as_ref().is_some_and(|path| path.extension().is_some_and(|e| e == "csv"));
    let text = match (csv, args.common.json) {
        (_, true) => JSON_CELL,
        (true, false) => CSV_CELL,
        (false, false) => 0,
    };
    process_bytes(threads())
        .saturating_add(bytes_of(numbers, 8))
        .saturating_add(bytes_of(m * columns, 8))
        .saturating_add(bytes_of(m * (columns + d), text))
}

/// What mends it.
fn explain(error: Error, training: &Training) -> anyhow::Error {
    match error {
        Error::NoFiniteSolution { .. } if training.smoothing == 0.0 => {
            let what = format!(
                "{error}: with hard labels cross-entropy goes on for ever; give --penalty or --smoothing, or with --kernel initial a --time"
            );
            UsageError::Range { flag: "--penalty", given: "0".into(), what }.into()
        }
        Error::SingularKernel { .. } => {
            let what = format!("{error}; give --penalty or --smoothing");
            UsageError::Range { flag: "--penalty", given: training.penalty.to_string(), what }.into()
        }
        other => other.into(),
    }
}

/// All settings that the prediction comes from.
fn settings_of(args: &PredictArgs, model: &Model, training: &Training) -> Result<Table> {
    let mut all = used("predict", Table::try_from(model)?);
    all.insert("loss".into(), Value::String(training.loss.to_string()));
    all.insert("penalty".into(), Value::Float(training.penalty));
    all.insert("smoothing".into(), Value::Float(training.smoothing));
    all.insert("time".into(), Value::Float(args.time.unwrap_or(f64::INFINITY)));
    let kernel = args.kernel.to_possible_value().map_or(String::new(), |value| value.get_name().to_owned());
    all.insert("kernel".into(), Value::String(kernel));
    Ok(all)
}

/// Saves what was predicted where it is asked for, and prints it.
fn save_and_print(
    args: &PredictArgs,
    format: Option<Format>,
    model: &Model,
    training: &Training,
    samples: &Samples,
    outputs: usize,
    predicted: &Predicted,
) -> Result<()> {
    let Predicted { mean, deviation, laplace, fit } = predicted;
    let numbers = samples.n * outputs;
    fit.iter()
        .filter(|_| !args.common.quiet)
        .flat_map(|fit| cautions(fit, numbers))
        .for_each(|caution| say(&in_flags(&format!("warning: {caution}"))));
    let probability = training
        .core_loss()
        .properties(outputs)
        .probabilities
        .then(|| probabilities(outputs, mean, deviation))
        .transpose()?;
    let quantity = |name, width, values| Quantity { name, width, values };
    let mut quantities = vec![quantity("mean", outputs, mean), quantity("sd", outputs, deviation)];
    quantities.extend(probability.iter().map(|p| quantity("probability", outputs.max(2), p)));
    quantities.extend(laplace.iter().map(|sd| quantity("laplace_sd", outputs, sd)));
    let answers = Answers::new(samples, mean, outputs);
    quantities.extend(answers.quantities());
    let columns = Columns { points: mean.len() / outputs, quantities };
    match &args.out {
        Some(path) if format == Some(Format::Csv) => columns.write_csv(path, &samples.held_out)?,
        Some(path) => columns.write_npz(path, &samples.held_out, &answers)?,
        None => {}
    }
    let network = match args.kernel {
        PredictKernel::Ntk => format!("{}, {} initialization", model.describe_limit(), model.init),
        PredictKernel::Initial => model.describe(),
    };
    if args.common.json {
        let mut body = json!({
            "network": network, "data": samples.description, "points": columns.json(), "targets": samples.targets,
            "class_labels": samples.class_names(),
        });
        answers.scores().for_each(|(name, value)| body[name] = json!(value));
        if let Some(fit) = fit {
            body["unreached"] = json!(fit.unreached);
            body["unmet"] = json!(fit.unmet());
            body["rounding"] = json!(fit.rounding);
        }
        return print_document(&document("predict", &settings_of(args, model, training)?, body));
    }
    if !args.common.quiet {
        say(&format!("{network}; {}", samples.description));
    }
    columns.print()?;
    answers.print()
}
