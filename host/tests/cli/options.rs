//! Everything that is given is used or refused: each option of each command, from the command line's own definition.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::Place;
use crate::typing::every_command;

/// How a command is tried: what it is given, cheap, and the files that its results are in; without any, its standard output.
struct Trial {
    command: &'static str,
    given: &'static str,
    results: &'static [&'static str],
}

const TRIALS: [Trial; 10] = [
    Trial {
        command: "run",
        given: "--width 4 --depth 1 --until-time 1 --loss cross-entropy --held-out 2 --out o",
        // of the figures pixels, which do not tell the settings
        results: &[
            "o/trace.csv",
            "o/kernels.npz",
            "o/params.npz",
            "o/predictions.csv",
            "o/profile.csv",
            "o/figures/loss.png",
        ],
    },
    Trial {
        command: "sweep",
        given: "--set width=4,5 --depth 1 --until-time 1 --loss cross-entropy --held-out 2 --out o",
        results: &[
            "o/cells.csv",
            "o/runs/width-4/trace.csv",
            "o/runs/width-4/kernels.npz",
            "o/runs/width-4/predictions.csv",
            "o/runs/width-4/profile.csv",
            "o/figures/drift.png",
        ],
    },
    Trial { command: "kernel analytic", given: "--out K.npz", results: &["K.npz"] },
    Trial { command: "kernel empirical", given: "--width 4 --out K.npz", results: &["K.npz", "P2.npz"] },
    Trial { command: "predict", given: "--loss mse --depth 1 --held-out 2 --time 10 --out P.npz", results: &["P.npz"] },
    Trial {
        command: "smoothness",
        given: "--data sphere --n 40 --window 3..10 --draws 2 --depth 1 --out s",
        // the figure and spectra.csv, and what is printed
        results: &[],
    },
    Trial {
        command: "spectrum",
        given: "--data sphere --n 12 --depth 1 --ends 2 --probes 2 --steps 3 --products 4",
        results: &[],
    },
    Trial {
        command: "regress",
        given: "--data sphere --n 12 --depth 1 --ridge 0.1 --held-out 2 --out R.npz",
        results: &["R.npz"],
    },
    Trial { command: "drift", given: "P1.npz P2.npz --out D.csv", results: &["D.csv", "page.html"] },
    Trial { command: "data show", given: "--data sphere --n 6", results: &[] },
];

/// Commands that are tried elsewhere: a study's by its plans, downloads by a server, and what has nothing to choose from.
const ELSEWHERE: [&str; 12] = [
    "device",
    "reproduce",
    "report",
    "kernel",
    "data",
    "data list",
    "data fetch",
    "columns",
    "compare",
    "bench",
    "completions",
    "man",
];

/// Options that change no result by their meaning.
const WITHOUT_EFFECT: [(&str, &str); 5] = [
    ("help", "prints a text"),
    ("version", "prints a text"),
    ("threads", "results do not depend on it"),
    ("quiet", "fewer messages"),
    ("backend", "the same numbers to rounding"),
];

/// Values to try, and what else they need; the first that changes the results or is refused is enough.
const VALUES: [(&str, &[&str]); 69] = [
    ("activation", &["erf"]),
    ("alpha", &["0.5"]),
    ("bias", &["none"]),
    ("bias-scale", &["2"]),
    ("collect", &[""]),
    ("classes", &["2,0 --data three.csv"]),
    ("coding", &["value"]),
    ("continue", &["none"]),
    ("data", &["three.csv"]),
    ("data-dir", &["nowhere"]),
    ("depth", &["3"]),
    ("dimension", &["4", "4 --data sphere"]),
    ("draws", &["5"]),
    ("dry-run", &[""]),
    ("dtype", &["f32"]),
    ("figure-style", &["slides"]),
    ("force", &[""]),
    ("held-out", &["3", "0"]),
    ("init", &["standard"]),
    ("json", &[""]),
    ("ends", &["3"]),
    ("kernel", &["initial", "empirical --width 5", "nngp"]),
    ("kernels", &["all"]),
    ("reading", &["point --until-time 50"]),
    ("probes", &["3"]),
    ("products", &["1"]),
    ("profile", &["circle"]),
    ("label-column", &["1 --data three.csv", "1"]),
    ("loss", &["mse", "cross-entropy"]),
    ("loss-sum", &[""]),
    ("max-steps", &["2"]),
    ("memory", &["1B"]),
    ("multi-output", &["full --outputs 2", "full"]),
    ("n", &["4", "44"]),
    ("network", &["resnet"]),
    ("no-figures", &[""]),
    ("normalize", &["sphere --data three.csv", "none --data three.csv"]),
    ("optimizer", &["gd"]),
    ("out", &["other"]),
    ("order", &["a,b"]),
    ("outputs", &["2"]),
    ("parametrization", &["standard", "mup"]),
    ("params", &["none.npz"]),
    ("params-out", &["P2.npz"]),
    ("penalty", &["0.1"]),
    ("predictions", &["false"]),
    ("rank", &["1"]),
    ("rate", &["0.1"]),
    ("report", &["page.html"]),
    ("ridge", &["1"]),
    ("seed", &["3"]),
    ("set", &["depth=4", "bias=none"]),
    ("shard", &["1/2"]),
    ("smoothing", &["0.1"]),
    ("snapshots", &["4"]),
    ("split", &["train"]),
    ("steps", &["2"]),
    ("test", &["three.csv"]),
    ("time", &["3"]),
    ("times", &["0,0.5,1"]),
    ("tolerance", &["1e-6", "0.5"]),
    ("trained", &["branches"]),
    ("until-loss", &["0.6 --width 64 --until-time 30"]),
    ("until-margin", &["0.001 --width 64 --until-time 30"]),
    ("until-time", &["0.5"]),
    ("width", &["5"]),
    ("widths", &["5,4,3"]),
    ("window", &["2..12"]),
    ("targets", &["values", "values --data three.csv", "classes --data three.csv"]),
];

/// Commands that draw, and options that show in their figures alone: the others are tried without, which is faster by far.
const DRAWING: [&str; 2] = ["run", "sweep"];
const DRAWN: [&str; 2] = ["figure-style", "no-figures"];

/// Results, with the exit code in their place where there are none.
fn results(trial: &Trial, more: &str, drawn: bool) -> (i32, BTreeMap<PathBuf, Option<Vec<u8>>>, String) {
    let place = Place::new();
    place.file("three.csv", "1,2,0\n-3,4,1\n5,-6,2\n1,1,0\n2,-1,1\n-1,-1,2\n0.5,3,0\n4,4,1\n");
    if trial.command == "drift" {
        for seed in [1, 2] {
            place.succeed(&format!("kernel empirical --width 4 --seed {seed} --params-out P{seed}.npz --quiet"));
        }
    }
    let flags: Vec<&str> = more.split_whitespace().filter(|word| word.starts_with("--")).collect();
    // what is tried takes the place of what is given
    let mut words: Vec<&str> = trial.command.split_whitespace().collect();
    let mut given = trial.given.split_whitespace().peekable();
    while let Some(flag) = given.next() {
        // files that are given by their names alone
        if !flag.starts_with("--") {
            words.push(flag);
            continue;
        }
        let value = given.next().unwrap();
        // of another data set the sizes are others
        let is_size = flag == "--n" && flags.contains(&"--data");
        let is_replaced = flags.contains(&flag) || (flag == "--held-out" && flags.contains(&"--test"));
        if !is_replaced && !is_size {
            words.extend([flag, value]);
        }
    }
    words.extend(more.split_whitespace());
    if DRAWING.contains(&trial.command) && !drawn {
        words.push("--no-figures");
    }
    let done = place.run(&words);
    let mut files = place.content();
    if !trial.results.is_empty() {
        let wanted: Vec<PathBuf> = trial.results.iter().map(|name| place.path(name)).collect();
        files.retain(|path, _| wanted.contains(path));
    }
    let files = files.into_iter().map(|(path, content)| (path.strip_prefix(place.path("")).unwrap().into(), content));
    let printed = if trial.results.is_empty() || more.contains("--json") { done.stdout } else { String::new() };
    (done.code, files.collect(), printed)
}

#[test]
fn everything_that_is_given_is_used_or_refused() {
    for (path, command) in every_command() {
        let path = path.join(" ");
        let Some(trial) = TRIALS.iter().find(|trial| trial.command == path) else {
            assert!(ELSEWHERE.contains(&path.as_str()), "{path}: say how it is tried");
            continue;
        };
        let (plain, drawn) = (results(trial, "", false), results(trial, "", true));
        assert_eq!(plain.0, 0, "{path}: {}", plain.2);
        assert_eq!(drawn.0, 0, "{path}: {}", drawn.2);
        for argument in command.get_arguments() {
            let Some(flag) = argument.get_long() else { continue };
            if WITHOUT_EFFECT.iter().any(|(name, _)| *name == flag) {
                continue;
            }
            let values = VALUES.iter().find(|(name, _)| *name == flag);
            let is_drawn = DRAWN.contains(&flag);
            let usual = if is_drawn { &drawn } else { &plain };
            let (_, values) = values.unwrap_or_else(|| panic!("{path} --{flag}: give a value to try"));
            let has_effect = values.iter().any(|value| {
                let tried = results(trial, &format!("--{flag} {value}"), is_drawn);
                // what the value needs besides must not be what makes the difference
                let besides =
                    value.split_once(" --").map(|(_, besides)| results(trial, &format!("--{besides}"), is_drawn));
                let is_refused = tried.0 == 2 || tried.0 == 3;
                is_refused || tried != *besides.as_ref().unwrap_or(usual)
            });
            // replacing results needs some: see the tests of directories
            assert!(has_effect || flag == "force", "{path} --{flag} {values:?} changes nothing and is not refused");
        }
    }
}

#[test]
fn settings_without_effect_are_refused_wherever_they_come_from() {
    let place = Place::new();
    for (command, key, value) in [
        ("kernel analytic", "width", "64"),
        ("kernel analytic", "seed", "3"),
        ("kernel analytic", "init", "standard"),
        ("kernel analytic", "outputs", "2"),
        ("kernel analytic", "held-out", "2"),
        ("kernel analytic", "rate", "0.1"),
        ("kernel analytic", "data-dir", "d"),
        ("kernel empirical", "held-out", "2"),
        ("kernel empirical", "until-time", "2"),
        ("predict", "width", "8"),
        ("predict", "dtype", "f32"),
        ("predict", "backend", "portable"),
        ("predict", "until-time", "2"),
        ("smoothness", "width", "8"),
        ("smoothness", "penalty", "1"),
        ("spectrum", "width", "8"),
        ("spectrum", "init", "standard"),
        ("spectrum", "penalty", "1"),
        ("data show", "width", "8"),
        ("data show", "dtype", "f32"),
        ("data show", "seed", "1"),
        ("run", "data-dir", "d"),
    ] {
        let by_set = format!("{command} --set {key}={value}");
        for line in [by_set, format!("{command} --{key} {value}")] {
            // what has no such flag is told so
            place.refuse(&line, 2, &[&format!("--{key}"), &format!("ntkscope {command}")]);
        }
    }
    place.refuse("regress --ridge 1 --width 8", 2, &["--width", "ntkscope regress", "--kernel empirical"]);
    place.refuse("regress --ridge 1 --set until-time=2", 2, &["--until-time", "ntkscope regress"]);
    place.refuse("kernel analytic --multi-output full", 2, &["--multi-output"]);
    place.refuse("run --bias none --bias-scale 2 --out o", 2, &["--bias-scale 2", "--bias none"]);
    place.refuse("run --optimizer gd --rate 0.1 --tolerance 0.2 --out o", 2, &["--tolerance 0.2", "--rate"]);
    place.refuse("run --held-out 2 --predictions false --out o", 2, &["--held-out", "--predictions false"]);
    place.file("real.csv", "1,2,0.5\n3,4,0.25\n5,6,1.5\n");
    place.refuse(
        "smoothness --data real.csv --targets values --coding parity --window 1..3 --out s",
        2,
        &["--coding parity"],
    );
    place.succeed("kernel empirical --width 4 --params-out P.npz --quiet");
    place.refuse("kernel empirical --width 4 --params P.npz --seed 3", 2, &["--seed"]);
}
