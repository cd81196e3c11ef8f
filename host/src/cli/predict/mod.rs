//! `ntkscope predict`: trained networks on test points, from kernels alone.

mod computation;
mod products;
mod test_points;

use std::path::PathBuf;

use anyhow::Result;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, ValueEnum};
use serde_json::json;
use toml::{Table, Value};

use super::json::{document, print_document};
use super::prediction::{Answers, Columns, Quantity};
use super::terminal::{DONE, in_flags, say, warn};
use super::unused::{Takes, refuse, refuse_seed, scales_with_width, unused_setting, used};
use crate::analysis::fit::cautions;
use crate::analysis::law::is_known_at;
use crate::analysis::probabilities::probabilities;
use crate::cli::UsageError;
use crate::cli::{Common, ModelArgs};
use crate::data;
use crate::data::{DataSpec, Samples, Source};
use crate::experiment::{LossKind, Model, Settings, Training};
use crate::files::{self, Format, Roles, check_output};
use crate::machine::with_threads;
use crate::run;
use computation::{Predicted, predicted};
pub(super) use test_points::test_points;

const EXAMPLES: &str = "\
Examples:
  ntkscope predict --penalty 0.01 --held-out 6
      the limit of cross-entropy with a penalty, and its spread over initializations
  ntkscope predict --loss mse --time 100 --data train.csv --test test.csv --out P.csv
  ntkscope predict --smoothing 0.1 --kernel initial --width 512 --seed 3 --held-out 6
      the linearization of one network";

/// Which kernel predicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PredictKernel {
    /// analytic NTK: the distribution over random initializations
    Ntk,
    /// NTK of one network at initialization, starting from its own outputs
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
    /// Gradient-flow time of the mean loss, or of the sum with --loss-sum; with --kernel ntk it may be finite for squared error without a penalty only
    /// [default: inf]
    #[arg(long, value_name = "T", allow_negative_numbers = true, help_heading = "Training")]
    pub time: Option<f64>,
    /// Kernel to predict from
    #[arg(long, value_enum, default_value = "ntk", help_heading = "Prediction")]
    pub kernel: PredictKernel,
    /// Test points instead of --held-out: FILE.npz (x, and y if known) or FILE.csv (last column y)
    #[arg(long, value_name = "FILE", conflicts_with = "held_out", help_heading = "Prediction")]
    pub test: Option<Source>,
    /// Save the predictions: P.npz (arrays x, mean, sd, …) or P.csv (a row per test point), with y, classes and accuracy
    /// where they are defined; an existing file is replaced
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
        let shared = |arg: &&Arg| ["loss", "loss_sum", "penalty", "smoothing"].contains(&arg.get_id().as_str());
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
        if matches.get_flag("loss_sum") {
            table.insert("loss-sum".to_owned(), Value::Boolean(true));
        }
        Ok(Self { loss, table })
    }
    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
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
        return Err(
            wrong("--loss", "both".into(), "predict takes one loss at a time; give mse or cross-entropy").into()
        );
    }
    let given = args.model.given(&args.loss.table, None)?;
    refuse("predict", &given, &Takes::Only(&["loss", "loss-sum", "penalty", "smoothing"]))?;
    if args.kernel == PredictKernel::Ntk {
        refuse_seed("predict", &given, false)?;
        if given.contains_key("width") && !scales_with_width(&given) {
            let why = "with the analytic NTK the network is infinitely wide; leave it out, or give --kernel initial";
            return Err(unused_setting("predict", &given, "width", why).into());
        }
    }
    let settings = Settings::from_table(given)?;
    settings.model.check()?;
    settings.model.check_kernel_regime()?;
    let format = check_files(&args, &settings.model)?;
    let settings = Settings { model: settings.model.under(loss)?, ..settings };
    let smaller = match args.kernel {
        PredictKernel::Ntk => "reduce `n` or the number of test points",
        PredictKernel::Initial => "reduce `n`, `width` or the number of test points",
    };
    let budget = args.common.budget(smaller);
    let mut samples = data::load(&settings.model.data_spec(), &budget)?;
    warn(&samples, args.common.quiet);
    if let Some(test) = &args.test {
        (samples.held_out, samples.held_out_y) = test_points(test, &settings, &samples, &budget, args.common.quiet)?;
    }
    if samples.held_out.is_empty() {
        return Err(wrong("--held-out", "0".into(), "no test points; give --held-out N or --test FILE").into());
    }
    let model = settings.model.resolve(&samples)?;
    run::check(&settings.model, &settings.training, &samples)?;
    let outputs = model.shape(&samples)?.outputs;
    let training = settings.training.resolve(model.dtype, outputs, samples.n)?.remove(0);
    let time = args.time.unwrap_or(f64::INFINITY);
    if time.is_nan() || time < 0.0 {
        return Err(wrong("--time", time.to_string(), "must not be negative; give a time of 0 or more").into());
    }
    if args.kernel == PredictKernel::Ntk && !is_known_at(time, training.core_loss(), training.penalty) {
        let what = "only squared error without a penalty has a closed form at finite times; leave --time out, or give --kernel initial";
        return Err(wrong("--time", time.to_string(), what).into());
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

/// All settings that the prediction comes from.
fn settings_of(args: &PredictArgs, model: &Model, training: &Training) -> Result<Table> {
    let mut all = used("predict", Table::try_from(model)?);
    all.insert("loss".into(), Value::String(training.loss.to_string()));
    all.insert("loss-sum".into(), Value::Boolean(training.loss_sum));
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
