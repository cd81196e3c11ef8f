//! A study: what it writes, that it goes on where it was killed, and that nothing else depends on that.

use std::time::{Duration, Instant};

use crate::{Place, json};

const STUDY: &str = "reproduce divergence --only six-points --network fcn --widths 16,32 --seeds 2 --quiet --out study";

/// Exit code 1 says that a claim failed, which narrow networks may bring about.
fn study(place: &Place, more: &str) -> String {
    let done = place.run(STUDY.split(' ').chain(more.split_whitespace()));
    let claims = String::from_utf8(place.bytes("study/claims.csv")).unwrap();
    let failed = claims.lines().any(|line| line.contains(",fails,"));
    assert_eq!(done.code, i32::from(failed), "{}", done.stderr);
    done.stdout
}

#[test]
fn a_study_has_its_files_and_keeps_finished_runs() {
    let place = Place::new();
    let summary = json(&study(&place, "--json"));
    let claims = summary["claims"].as_array().unwrap();
    for name in ["A1", "A2", "A3"] {
        assert!(claims.iter().any(|claim| claim["claim"].as_str().unwrap().starts_with(name)), "no claim {name}");
    }
    let header =
        "kind,claim,where,network,loss,init,measured,low,high,seeds,theory,allowed_low,allowed_high,verdict,note";
    assert!(place.bytes("study/claims.csv").starts_with(header.as_bytes()));
    let report = String::from_utf8(place.bytes("study/report.html")).unwrap();
    assert!(report.contains("<svg") && !report.contains("src=\"http") && report.contains("six-points"));
    assert!(!place.bytes("study/figures/six-points-fcn2-mirrored-drift.svg").is_empty());
    let id = "six-points-fcn2-w16-cross-entropy-mirrored-s0";
    let before = std::fs::metadata(place.path(format!("study/runs/{id}/trace.csv"))).unwrap().modified().unwrap();
    // again, with one run taken away: that one is made again, the others are kept, and the tables are the same
    let tables = [place.bytes("study/claims.csv"), place.bytes("study/cells.csv")];
    std::fs::remove_dir_all(place.path("study/runs/six-points-fcn2-w32-mse-standard-s1")).unwrap();
    study(&place, "--threads 1");
    assert_eq!(tables, [place.bytes("study/claims.csv"), place.bytes("study/cells.csv")]);
    let after = std::fs::metadata(place.path(format!("study/runs/{id}/trace.csv"))).unwrap().modified().unwrap();
    assert_eq!(before, after, "a finished run was made again");
    // a run of the study is a run like any other
    let run = format!("run study/runs/{id}/run.toml --out again --quiet");
    assert_eq!(place.run(run.split(' ')).code, 0);
    assert_eq!(place.bytes("again/trace.csv"), place.bytes(format!("study/runs/{id}/trace.csv")));
}

#[cfg(unix)]
#[test]
fn a_killed_study_goes_on_to_the_same_tables() {
    let whole = Place::new();
    study(&whole, "");
    let place = Place::new();
    for kills in [1, 3, 6] {
        let mut child = place.command(STUDY.split(' ')).spawn().unwrap();
        let start = Instant::now();
        let finished = || {
            let runs = std::fs::read_dir(place.path("study/runs"));
            let names = runs.into_iter().flatten().filter_map(|e| e.ok()?.file_name().into_string().ok());
            names.filter(|name| !name.starts_with('.')).count()
        };
        while finished() < kills && child.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < Duration::from_secs(120), "no run was finished");
            std::thread::sleep(Duration::from_millis(5));
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    study(&place, "");
    for table in ["study/claims.csv", "study/cells.csv"] {
        assert_eq!(place.bytes(table), whole.bytes(table), "{table}");
    }
    let left: Vec<_> = std::fs::read_dir(place.path("study/runs")).unwrap().collect();
    assert!(left.iter().all(|e| !e.as_ref().unwrap().file_name().to_string_lossy().starts_with('.')), "{left:?}");
}

#[test]
fn wrong_studies_are_refused() {
    let place = Place::new();
    let study = "reproduce divergence --out study";
    place.refuse(&format!("{study} --widths 0"), 2, &["--widths 0"]);
    place.refuse(&format!("{study} --n 5"), 2, &["--n 5", "--only mnist"]);
    place.refuse(&format!("{study} --data-dir d"), 2, &["--data-dir d", "--only mnist"]);
    place.refuse(&format!("{study} --only mnist --data-dir nowhere"), 3, &["nowhere", "--data-dir"]);
    place.refuse(&format!("{study} --only circles"), 2, &["circles", "six-points"]);
    // of this study alone, with a guess
    place.refuse(&format!("{study} --only theroems"), 2, &["give six-points", "or errata; did you mean theorems?"]);
    place.refuse(&format!("{study} --memory 1KiB"), 2, &["--memory", "memory"]);
    place.refuse("reproduce divergences", 2, &["divergences"]);
}

#[test]
fn a_dry_run_says_what_would_run() {
    let place = Place::new();
    let done = place.succeed("reproduce divergence --only six-points --network resnet --widths 4 --seeds 1 --dry-run");
    let ids: Vec<_> = done.stdout.lines().collect();
    assert_eq!(ids.len(), 4, "{ids:?}");
    assert!(ids.contains(&"six-points-resnet2-alpha1-w4-mse-standard-s0"));
    assert!(place.content().is_empty());
}

#[test]
fn a_plan_needs_no_data_and_is_json_where_that_is_asked_for() {
    let place = Place::new();
    let line = "reproduce divergence --only six-points,mnist --network fcn --widths 8 --seeds 1 --dry-run";
    let done = place.succeed(&format!("{line} --data-dir nowhere"));
    assert_eq!(done.stdout.lines().count(), 6, "{}", done.stdout);
    assert!(done.stdout.contains("mnist-fcn2-w8-mse-mirrored-s0"));
    assert!(done.stderr.contains("2 runs of mnist lack data") && done.stderr.contains("nowhere"), "{}", done.stderr);
    let plan = json(&place.succeed(&format!("{line} --json --data-dir nowhere")).stdout);
    let runs = plan["runs"].as_array().unwrap();
    assert_eq!((runs.len(), &plan["study"]), (6, &"divergence".into()));
    for run in runs {
        assert_eq!((&run["state"], &run["settings"]["width"]), (&"missing".into(), &8.into()), "{run}");
        assert_eq!(run["lacks"].is_string(), run["part"] == "mnist", "{run}");
    }
    assert!(place.content().is_empty());
    // of several studies those that have the part; options that one of them has no use for are told
    let several = place.succeed("reproduce all --only six-points --seeds 1 --dry-run --json");
    assert_eq!(json(&several.stdout)["studies"].as_array().unwrap().len(), 2);
    let told = place.succeed("reproduce initialization --seeds 2 --dry-run");
    assert!(told.stderr.contains("--seeds has no effect on the parts outputs, spectra"), "{}", told.stderr);
}

/// A run of a finished study is changed in one place: it is run again, and told.
#[test]
fn a_finished_run_that_was_changed_is_run_again_and_told() {
    let place = Place::new();
    let line = "reproduce divergence --only six-points --network fcn --widths 4 --seeds 1 --threads 1 --out study";
    let run = || place.run(line.split(' '));
    assert!([0, 1].contains(&run().code));
    let tables = || [place.bytes("study/claims.csv"), place.bytes("study/cells.csv")];
    let undisturbed = tables();
    let cell = "study/runs/six-points-fcn2-w4-mse-standard-s0";
    let trace = place.bytes(format!("{cell}/trace.csv"));
    let told = |change: &dyn Fn(), word: &str| {
        change();
        let done = run();
        assert!(done.stderr.contains(word) && done.stderr.contains("running it again"), "{}", done.stderr);
        assert!(done.stderr.contains("4 runs, 3 of them already finished"), "{}", done.stderr);
        assert_eq!(tables(), undisturbed, "{word}");
    };
    let cut = || drop(place.file(&format!("{cell}/trace.csv"), &trace[..trace.len() - 5]));
    told(&cut, "trace.csv was changed");
    let file = || {
        std::fs::remove_dir_all(place.path(cell)).unwrap();
        place.file(cell, "x");
    };
    told(&file, "a file is in place of");
    assert!(!run().stderr.contains("again"));
    // an SVG says what was run for it, and needs no font
    let svg = String::from_utf8(place.bytes("study/figures/six-points-fcn2-standard-drift.svg")).unwrap();
    assert!(svg.contains("part six-points") && svg.contains("width = 4"), "{svg}");
    assert!(!svg.contains("<text") && !svg.contains("font"));
    let page = String::from_utf8(place.bytes("study/report.html")).unwrap();
    assert!(page.contains("Instruction set of the runs: "));
}

/// Whether a row of `claims.csv` has a name that begins so.
fn has_row(claims: &str, name: &str) -> bool {
    claims
        .lines()
        .any(|line| line.split_once(',').is_some_and(|(_, row)| row.trim_start_matches('"').starts_with(name)))
}

#[test]
fn the_lazy_study_has_its_files() {
    let place = Place::new();
    let line = "reproduce lazy --only six-points,conflicting --network fcn --widths 8,16 --seeds 1 --quiet --out study";
    // 400 networks a cell, however many seeds
    let ensembles = "reproduce lazy --only ensemble --network fcn --widths 8 --quiet --out ensembles";
    for line in [line, ensembles] {
        let done = place.run(line.split(' '));
        assert!([0, 1].contains(&done.code), "{}", done.stderr);
    }
    for (study, names) in [("study", ["B1 ", "B2 ", "B3 "].as_slice()), ("ensembles", &["B4 "])] {
        let claims = String::from_utf8(place.bytes(format!("{study}/claims.csv"))).unwrap();
        for name in names {
            assert!(has_row(&claims, name), "no claim {name}");
        }
    }
    let ensemble = String::from_utf8(place.bytes("ensembles/runs/ensemble-fcn1-w8-penalty0.050/numbers.csv")).unwrap();
    assert_eq!(ensemble.lines().count(), 401);
    let tables = [place.bytes("study/claims.csv"), place.bytes("study/cells.csv")];
    place.run(line.split(' '));
    assert_eq!(tables, [place.bytes("study/claims.csv"), place.bytes("study/cells.csv")]);
    place.refuse("reproduce lazy --only sphere --out other", 2, &["--only sphere", "six-points"]);
}

#[test]
fn the_initialization_study_has_its_files() {
    let place = Place::new();
    let line = "reproduce initialization --only outputs,closeness --widths 8,32 --seeds 2 --out study";
    let done = place.run(line.split(' '));
    assert!([0, 1].contains(&done.code), "{}", done.stderr);
    assert!(done.stderr.contains("initialization: 10 runs, about"), "{}", done.stderr);
    let claims = String::from_utf8(place.bytes("study/claims.csv")).unwrap();
    for name in ["C1 covariance", "C1 excess kurtosis", "C1 normality", "C2 distance"] {
        assert!(has_row(&claims, name), "no claim {name}");
    }
    let outputs = String::from_utf8(place.bytes("study/runs/outputs-fcn1-w8/numbers.csv")).unwrap();
    assert_eq!((outputs.lines().count(), outputs.lines().next()), (20_001, Some("f0,f1,f2,f3")));
    let tables = [place.bytes("study/claims.csv"), place.bytes("study/cells.csv")];
    // numbers kept under other settings are not read
    std::fs::write(place.path("study/runs/outputs-fcn1-w8/settings.toml"), "width = 9\n").unwrap();
    let again = place.run(line.split(' '));
    assert!(again.stderr.contains("10 runs, 9 of them already finished"), "{}", again.stderr);
    assert_eq!(tables, [place.bytes("study/claims.csv"), place.bytes("study/cells.csv")]);
    let study = "reproduce initialization --out other";
    place.refuse(&format!("{study} --only six-points"), 2, &["--only six-points", "spectra"]);
    for folder in ["--fashion-dir d", "--cifar-dir d"] {
        place.refuse(&format!("{study} {folder}"), 2, &[folder, "--only smoothness"]);
    }
    place.refuse(&format!("{study} --only smoothness --data-dir nowhere"), 3, &["nowhere", "--data-dir"]);
}

#[test]
fn the_probability_study_has_its_files() {
    let place = Place::new();
    let line = "reproduce probability --widths 4,16 --seeds 20 --out study";
    let done = place.run(line.split(' '));
    assert!([0, 1].contains(&done.code), "{}", done.stderr);
    let claims = String::from_utf8(place.bytes("study/claims.csv")).unwrap();
    for name in
        ["P1 no verdict", "P2 probability at initialization", "P3 Gaussian process", "P4 as under", "P5 the trained"]
    {
        assert!(has_row(&claims, name), "no claim {name}");
    }
    let table = String::from_utf8(place.bytes("study/probability.csv")).unwrap();
    // 2 widths, 2 numbers of points, 4 scales, 3 other parametrizations of 2 widths: 3 columns at 8 times, and 1 without
    assert_eq!(table.lines().count(), 1 + 14 * (3 * 8 + 1));
    assert!(table.starts_with(
        "parametrization,points,scale,width,time,column,positive,draws,probability,low,high,closed_form\n"
    ));
    let tables = ["claims.csv", "probability.csv"].map(|name| place.bytes(format!("study/{name}")));
    // thread by thread, and again from what is kept
    let other = place.run("reproduce probability --widths 4,16 --seeds 20 --threads 1 --out other".split(' '));
    assert_eq!(other.code, done.code, "{}", other.stderr);
    assert_eq!(tables, ["claims.csv", "probability.csv"].map(|name| place.bytes(format!("other/{name}"))));
    std::fs::remove_file(place.path("study/runs/posterior-l4/numbers.csv")).unwrap();
    let again = place.run(line.split(' '));
    assert!(again.stderr.contains("already finished"), "{}", again.stderr);
    assert_eq!(tables, ["claims.csv", "probability.csv"].map(|name| place.bytes(format!("study/{name}"))));
    place.refuse("reproduce probability --n 9 --out third", 2, &["--n 9", "coin-line"]);
}

/// Networks of one unit are dead: nothing fails of what is claimed of them, but they do.
#[test]
fn a_study_whose_runs_fail_says_so() {
    let place = Place::new();
    let line = "reproduce divergence --only six-points --widths 1 --seeds 1 --network fcn --no-figures --json --out o";
    let done = place.run(line.split(' '));
    assert_eq!(done.code, 1, "{}", done.stderr);
    assert!(done.stderr.contains("of 4 runs failed: six-points-fcn2-w1-"), "{}", done.stderr);
    let summary = json(&done.stdout);
    assert_eq!(summary["error"]["code"], 1);
    assert!(summary["claims"].as_array().unwrap().iter().all(|claim| claim["verdict"] != "fails"));
}

/// What is measured without a training run has its row too.
#[test]
fn every_measurement_is_a_row() {
    let place = Place::new();
    let done = place.run("reproduce divergence --only errata --seeds 2 --no-figures --quiet --out o".split(' '));
    let rows = place.rows("o/cells.csv");
    assert_eq!(rows.len(), 1 + 9, "{rows:?}{}", done.stderr);
    for row in &rows[1..] {
        assert!(place.path(format!("o/runs/{}/numbers.csv", row[0])).exists(), "{}", row[0]);
    }
    let cell = |name: &str| rows[1][rows[0].iter().position(|column| column == name).unwrap()].as_str();
    assert_eq!(
        ["id", "part", "network", "depth", "alpha", "bias", "activation", "width", "init", "loss", "rate"].map(cell),
        ["errata-fcn1-bias-hidden-w512-seeds2", "errata", "fcn", "1", "", "hidden", "relu", "512", "standard", "", ""]
    );
}

#[test]
fn kinks_take_from_the_kernel_what_theory_says() {
    let place = Place::new();
    let study = |part: &str, options: &str| {
        let line = format!("reproduce divergence --only {part} {options} --quiet --json --out {part}");
        let summary = json(&place.run(line.split(' ')).stdout);
        summary["claims"].as_array().unwrap().clone()
    };
    let rows = [study("kinks", "--widths 4096,16384 --seeds 8"), study("lag", "--widths 1024,4096 --seeds 2")].concat();
    let measured = |name: &str, network: &str| {
        let all = rows.iter();
        let mut of = all.filter(|row| {
            row["claim"].as_str().unwrap().starts_with(name)
                && row["network"].as_str().unwrap().starts_with(&format!("{network};"))
        });
        let value = of.next().unwrap_or_else(|| panic!("no row {name} of {network}"))["measured"].as_f64().unwrap();
        assert!(of.next().is_none());
        value
    };
    let (relu, erf) = ("FCN, L = 1", "FCN, L = 1, erf");
    for (name, network, theory, within) in [
        ("A9 decay of the drift", relu, -0.5, 0.15),
        ("A9 decay of the drift", erf, -1.0, 0.1),
        ("A9 growth", relu, 1.0, 0.15),
        ("A9 growth", erf, 2.0, 0.02),
        ("A9 what kinks take", relu, 1.0, 0.2),
        ("A9 decay of the lag", relu, -0.5, 0.15),
        ("A9 time to margin 1", erf, 0.0, 0.01),
    ] {
        let value = measured(name, network);
        assert!((value - theory).abs() < within, "{name}, {network}: {value}, theory {theory}");
    }
}
