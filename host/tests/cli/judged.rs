//! A run is judged once: over optimizers, losses, networks and rates, what blew up or died is a failure and is never said
//! to rest; and over degenerate samples no command prints a number that is none.

use ntkscope::data::{self, DataSpec, Samples, Source, Targets};
use ntkscope::experiment::{Init, LossKind, Model, NetworkKind, OptimizerKind, Training};
use ntkscope::files::Dtype;
use ntkscope::machine::{Budget, Stop};
use ntkscope::report::narrative::{self, Finished};
use ntkscope::run::{FAR, Outcome, run};
use ntkscope_core::choice::Choice;
use ntkscope_core::loss::Loss;
use ntkscope_core::network::{Activation, Bias};

use crate::{Place, json};

fn go(model: &Model, training: &Training, samples: &Samples) -> Outcome {
    let outputs = model.shape(samples).unwrap().outputs;
    let training = training.resolve(model.dtype, outputs, samples.n).unwrap().remove(0);
    run(&model.resolve(samples).unwrap(), &training, samples, &mut (), &Stop::new()).unwrap()
}

fn words(model: &Model, training: &Training, samples: &Samples, outcome: Outcome) -> String {
    let (name, label) = training.part(std::slice::from_ref(training));
    let finished = [Finished { training, name, label, outcome }];
    let told = [narrative::subject(model, samples, &finished), narrative::lead(&finished)];
    let told = told.into_iter().chain(narrative::details(&finished));
    narrative::plain(&told.collect::<Vec<_>>().join(" "))
}

fn networks() -> Vec<Model> {
    let base = Model { width: 16, ..Model::default() };
    vec![
        base.clone(),
        Model { init: Init::Standard, bias: Bias::All, depth: 1, ..base.clone() },
        Model { activation: Activation::Erf.into(), bias: Bias::Hidden, ..base.clone() },
        Model { network: NetworkKind::Resnet, init: Init::Shifted, ..base },
    ]
}

fn data() -> [Samples; 2] {
    let load = |spec: DataSpec| data::load(&spec, &Budget::default()).unwrap();
    let mixture = DataSpec { n: Some(12), seed: 1, ..DataSpec::new(Source::Mixture) };
    [load(DataSpec::new(Source::Circle)), load(mixture)]
}

/// What the trace alone shows of a run's failure.
fn failed_by_its_trace(outcome: &Outcome, penalty: f64) -> bool {
    let rows = &outcome.trace.rows;
    let objective = |row: &ntkscope::run::TraceRow| row.loss + 0.5 * penalty * row.param_distance * row.param_distance;
    let (first, last) = (objective(&rows[0]), rows.last().unwrap());
    !last.finite
        || objective(last) > first * (1.0 + 1e-9)
        || rows.iter().any(|row| objective(row) > FAR * first || row.lambda_min < 0.0)
        || last.lambda_max == 0.0
}

#[test]
fn whatever_blows_up_or_dies_has_failed_and_does_not_rest() {
    let (mut tried, mut failed) = (0, 0);
    for samples in data() {
        for model in networks() {
            for loss in Loss::ALL {
                for penalty in [0.0, 0.05] {
                    let case = format!("{}, {loss}, penalty {penalty}", model.describe());
                    let base = Training {
                        loss: LossKind::Single(*loss),
                        penalty,
                        optimizer: OptimizerKind::Gd,
                        predictions: Some(false),
                        max_steps: 1,
                        snapshots: 12,
                        ..Training::default()
                    };
                    let first = go(&model, &Training { rate: Some(1e-9), ..base.clone() }, &samples);
                    let (rate, row) = (first.judgement.rate, &first.trace.rows[0]);
                    let stable = match rate.map(|rate| rate.bound) {
                        Some(Some(bound)) => bound.rate,
                        // its curvature has no bound, only a value at the start
                        Some(None) => 1e-9 / row.stability,
                        None => 2.0 * samples.n as f64 / row.lambda_max,
                    };
                    assert_eq!(rate.is_none(), !loss.properties(1).curved, "{case}");
                    assert_eq!(rate.is_some_and(|rate| rate.bound.is_none()), *loss == Loss::Exponential, "{case}");
                    assert!(rate.is_none_or(|rate| rate.reading == row.stability), "{case}");
                    for factor in [0.5, 1.5, 10.0, 1e3, 1e6] {
                        let training = Training { rate: Some(factor * stable), max_steps: 60, ..base.clone() };
                        let outcome = go(&model, &training, &samples);
                        let case = format!("{case}, {factor} times the stable rate");
                        let judged = outcome.judgement.clone();
                        assert!(factor > 1.0 || !judged.failed(), "{case}: {judged:?}");
                        assert!(judged.failed() || !failed_by_its_trace(&outcome, penalty), "{case}: {judged:?}");
                        let beyond = judged.rate.is_some_and(|rate| rate.is_beyond());
                        // where outputs are large cross-entropy is less curved than its bound
                        let at_the_bound =
                            judged.rate.and_then(|rate| rate.bound).is_some_and(|bound| bound.everywhere);
                        assert!(!beyond || factor > 1.0, "{case}: {judged:?}");
                        assert!(beyond || !at_the_bound || factor < 1.0, "{case}: {judged:?}");
                        let text = words(&model, &training, &samples, outcome);
                        assert!(!text.contains("NaN"), "{case}: {text}");
                        if judged.failed() {
                            assert!(!text.contains("to rest") && judged.motion.is_none(), "{case}: {text}");
                            failed += 1;
                        }
                        tried += 1;
                    }
                }
            }
        }
    }
    assert!(failed > tried / 8, "{failed} of {tried}");
}

/// The flow adapts its step: it fails at none of these.
#[test]
fn the_flow_does_not_blow_up() {
    let [samples, _] = data();
    for model in networks() {
        for loss in Loss::ALL {
            let training = Training {
                loss: LossKind::Single(*loss),
                predictions: Some(false),
                max_steps: 60,
                ..Training::default()
            };
            let outcome = go(&model, &training, &samples);
            assert!(!outcome.judgement.failed(), "{}, {loss}: {:?}", model.describe(), outcome.judgement);
        }
    }
}

#[test]
fn a_failed_run_says_so_everywhere_and_keeps_its_files() {
    let place = Place::new();
    let line = "run --optimizer gd --rate 5 --max-steps 50 --loss mse --activation erf --width 64 --json --out o";
    let done = place.run(line.split_whitespace());
    assert_eq!(done.code, 1, "{}", done.stderr);
    let of_run = &json(&done.stdout)["runs"][0];
    assert_eq!((&of_run["failed"], &of_run["failures"][0]["kind"]), (&true.into(), &"diverged".into()), "{of_run}");
    assert!(of_run["kernel"].is_null() && of_run["stable_rate"].as_f64().unwrap() < 5.0, "{of_run}");
    let warned = done.stderr.find("warning: The --rate, 5, is beyond the edge of stability");
    let ended = done.stderr.find("error: squared error: The run diverged at step");
    assert!(warned.is_some() && warned < ended, "{}", done.stderr);
    let settings = String::from_utf8(place.bytes("o/run.toml")).unwrap();
    assert!(settings.contains("failure = \"diverged\"") && settings.contains("failure-step = "), "{settings}");
    for file in ["trace.csv", "kernels.npz", "params.npz", "report.html"] {
        assert!(!place.bytes(format!("o/{file}")).is_empty());
    }
    // and it runs again from its own settings
    assert_eq!(place.run(["run", "o/run.toml", "--out", "again", "--quiet"]).code, 1);
}

#[test]
fn a_rate_that_moves_nothing_is_told() {
    let place = Place::new();
    let told = |rate: &str, out: &str| {
        let line = format!("run --optimizer gd --rate {rate} --max-steps 9 --width 16 --dtype f32 --out {out}");
        place.succeed(&line).stdout.matches("From step 0 on no parameter has moved").count()
    };
    assert_eq!((told("1e-20", "still"), told("1e-2", "moved")), (2, 0));
}

/// Samples on which a kernel has no condition, or a huge one, with their labels as csv.
const DEGENERATE: [(&str, &str); 9] = [
    ("zero", "0,0,0\n0,0,1\n0,0,0\n0,0,1\n"),
    ("one-zero", "0,0,0\n1,0.5,1\n-0.5,1,0\n0.3,-1,1\n"),
    ("equal", "1,0.5,0\n-0.5,1,1\n1,0.5,0\n0.3,-1,1\n"),
    ("all-equal", "1,0.5,0\n1,0.5,1\n1,0.5,0\n1,0.5,1\n"),
    ("scaled", "1,0.5,0\n2,1,1\n3,1.5,0\n-0.5,1,1\n"),
    ("opposite", "1,0.5,0\n-1,-0.5,1\n0.5,-1,0\n-0.5,1,1\n"),
    ("line", "1,0\n-1,1\n0.5,0\n-2,1\n0.25,0\n"),
    ("near", "1,0.5,0\n1.0000000001,0.5,1\n1,0.50000001,0\n"),
    ("two", "1,0,0\n0,1,1\n"),
];

/// The number after `word` in a line of a summary.
fn behind<'t>(text: &'t str, word: &str) -> Vec<&'t str> {
    text.split(word).skip(1).map(|rest| rest.trim_start().split([' ', ',', ';', '\n']).next().unwrap()).collect()
}

#[track_caller]
fn check_summaries(case: &str, text: &str) {
    assert!(!text.contains("NaN") && !text.contains(" inf,") && !text.contains(" inf "), "{case}: {text}");
    for condition in behind(text, "condition") {
        let number = condition.parse::<f64>();
        assert!(number.map_or(["infinite", "undefined"].contains(&condition), |c| c >= 1.0), "{case}: {text}");
    }
    for lambda in behind(text, "lambda_min") {
        assert!(lambda.parse::<f64>().unwrap() >= 0.0, "{case}: {text}");
    }
}

#[test]
fn degenerate_samples_give_numbers_or_words() {
    let place = Place::new();
    for (name, samples) in DEGENERATE {
        place.file(&format!("{name}.csv"), samples);
        for dtype in ["f64", "f32"] {
            for (network, width) in [
                ("--bias none", "--width 8"),
                ("--bias all --activation erf", "--width 8"),
                ("--bias none", "--width 1 --init standard"),
            ] {
                let case = format!("{name} {dtype} {network} {width}");
                // the analytic kernel has no width
                for (kind, out) in [("analytic", "--out A.npz"), ("empirical", &format!("{width} --out E.npz"))] {
                    let line = format!("kernel {kind} --data {name}.csv --dtype {dtype} {network} {out} --quiet");
                    check_summaries(&case, &place.succeed(&line).stdout);
                }
                check_summaries(&case, &place.succeed("compare E.npz A.npz").stdout);
                check_summaries(&case, &place.succeed("compare E.npz A.npz:nngp").stdout);
                let told = json(&place.succeed("compare E.npz A.npz --json").stdout);
                for summary in [&told["a"], &told["b"]] {
                    assert!(summary["condition"].as_f64().is_none_or(|c| c >= 1.0), "{case}: {summary}");
                    assert!(summary["lambda_min"].as_f64().unwrap() >= 0.0, "{case}: {summary}");
                }
            }
        }
    }
}

#[test]
fn runs_on_degenerate_samples_give_numbers_or_words() {
    let place = Place::new();
    for (name, samples) in DEGENERATE {
        place.file(&format!("{name}.csv"), samples);
        let source = Source::File(place.path(format!("{name}.csv")));
        // numbers of a csv file are values unless they are called classes
        let spec = DataSpec { targets: Some(Targets::Classes), ..DataSpec::new(source) };
        let samples = data::load(&spec, &Budget::default()).unwrap();
        for dtype in [Dtype::F64, Dtype::F32] {
            for (bias, width, init) in
                [(Bias::None, 8, Init::Mirrored), (Bias::All, 8, Init::Standard), (Bias::None, 1, Init::Mirrored)]
            {
                let targets = Some(Targets::Classes);
                let model = Model { dtype, bias, width, init, targets, ..Model::default() };
                for loss in [Loss::SquaredError, Loss::CrossEntropy] {
                    let training = Training {
                        loss: LossKind::Single(loss),
                        until_time: 10.0,
                        max_steps: 300,
                        ..Training::default()
                    };
                    let case = format!("{name} {dtype:?} {}, {loss}", model.describe());
                    let outcome = go(&model, &training, &samples);
                    let failed = outcome.judgement.failed();
                    let dead = outcome.trace.rows.last().unwrap().lambda_max == 0.0;
                    assert_eq!(failed, dead, "{case}: {:?}", outcome.judgement);
                    outcome.trace.write(&place.path("trace.csv")).unwrap();
                    let trace = String::from_utf8(place.bytes("trace.csv")).unwrap();
                    assert!(!trace.contains("NaN"), "{case}: {trace}");
                    for row in &outcome.trace.rows {
                        assert!(row.finite && row.lambda_min >= 0.0, "{case}: {row:?}");
                        assert!(row.condition.is_nan() == (row.lambda_max == 0.0), "{case}: {row:?}");
                    }
                    let text = words(&model, &training, &samples, outcome);
                    assert!(!text.contains("NaN") && !text.contains("undefined"), "{case}: {text}");
                    let cause = match (name, bias) {
                        ("zero", Bias::None) => "every sample is the zero vector",
                        _ => "no unit is active",
                    };
                    assert_eq!(text.contains(cause), dead, "{case}: {text}");
                }
            }
        }
    }
}

#[test]
fn what_makes_a_kernel_singular_is_named() {
    let place = Place::new();
    for (name, samples) in DEGENERATE {
        place.file(&format!("{name}.csv"), samples);
    }
    for (line, words) in [
        (
            "analytic --bias none --data zero.csv",
            "condition undefined, effective rank undefined; every sample is the zero",
        ),
        ("analytic --bias none --data one-zero.csv", "sample 0 is the zero vector"),
        ("analytic --data equal.csv", "condition infinite"),
        ("analytic --data equal.csv", "; samples 0 and 2 are equal"),
        ("analytic --bias none --data scaled.csv", "the rows of samples 0 and 1 are proportional"),
        ("empirical --bias none --width 1 --init standard --seed 1 --data two.csv", "no unit is active on"),
    ] {
        let done = place.succeed(&format!("kernel {line} --quiet"));
        assert!(done.stdout.contains(words), "{line}: {}", done.stdout);
    }
    let indefinite = |k: &[f64]| {
        let bytes = [
            &b"\x93NUMPY\x01\x00\x76\x00"[..],
            format!("{:<117}\n", "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), }").as_bytes(),
        ]
        .concat();
        let numbers: Vec<u8> = k.iter().flat_map(|k| k.to_le_bytes()).collect();
        place.file("K.npy", [bytes, numbers].concat());
        place.succeed("compare K.npy K.npy").stdout
    };
    assert!(indefinite(&[1.0, 2.0, 2.0, 1.0]).contains("condition undefined (the matrix is indefinite)"));
    let zeros = indefinite(&[0.0; 4]);
    assert!(zeros.matches("undefined").count() >= 4 && !zeros.contains("NaN"), "{zeros}");
}

/// The rate that is stable whatever the outputs is that of the whole kernel, of any number of samples and outputs.
#[test]
fn the_stable_rate_is_that_of_the_whole_kernel() {
    let place = crate::Place::new();
    for n in [20, 300] {
        let model = format!("--data mixture --n {n} --outputs 2 --width 8");
        let kernel = place.succeed(&format!("kernel empirical {model} --multi-output full --json --quiet"));
        let kernel: serde_json::Value = serde_json::from_str(&kernel.stdout).unwrap();
        let lambda = kernel["kernel"]["lambda_max"].as_f64().unwrap();
        for (loss, curvature) in [("mse", 1.0), ("cross-entropy", 0.5)] {
            let line =
                format!("run {model} --loss {loss} --optimizer gd --rate 1e-3 --max-steps 1 --predictions false");
            let run = place.succeed(&format!("{line} --no-figures --out o --force --json --quiet"));
            let run: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
            let stable = run["runs"][0]["stable_rate"].as_f64().unwrap();
            let expected = 2.0 * f64::from(n) / (curvature * lambda);
            assert!((stable / expected - 1.0).abs() < 1e-5, "{n}, {loss}: {stable} and {expected}");
        }
    }
}

/// Descent goes on for as many steps as its end takes, whatever the rate.
#[test]
fn descent_ends_at_its_last_step() {
    let place = crate::Place::new();
    for dtype in ["f32", "f64"] {
        for (rate, until, steps) in [(0.01, 1000.0, 100_000), (0.1, 0.7, 7), (0.3, 1.0, 4), (0.5, 0.2, 1)] {
            let line = format!("run --width 4 --depth 1 --loss mse --optimizer gd --rate {rate} --dtype {dtype}");
            place.succeed(&format!(
                "{line} --until-time {until} --predictions false --no-figures --out o --force --quiet"
            ));
            let last = *place.trace("o/trace.csv").rows.last().unwrap();
            assert_eq!(last.step, steps, "{rate} to {until} in {dtype}, t = {}", last.time);
        }
    }
}
