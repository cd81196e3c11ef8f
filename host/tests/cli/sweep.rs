//! Grids over any settings.

use std::collections::BTreeSet;

use crate::Place;

const SHORT: &str = "--until-time 2 --snapshots 3 --quiet";

impl Place {
    /// The rows of a table, each a list of its cells.
    pub(super) fn rows(&self, name: &str) -> Vec<Vec<String>> {
        let text = String::from_utf8(self.bytes(name)).unwrap();
        text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
    }
}

#[test]
fn every_combination_is_run_and_is_a_row() {
    let place = Place::new();
    let done =
        place.succeed(&format!("sweep --set width=4,8 --set loss=mse,cross-entropy --set seed=0..2 {SHORT} --out s"));
    let rows = place.rows("s/cells.csv");
    assert_eq!(rows[0][..5], ["id", "width", "loss", "seed", "samples"]);
    assert_eq!(rows.len(), 1 + 12);
    let combinations: BTreeSet<&[String]> = rows[1..].iter().map(|row| &row[1..4]).collect();
    assert_eq!(combinations.len(), 12);
    // the last setting runs fastest
    assert_eq!(rows[2][1..4], ["4", "mse", "1"]);
    assert_eq!(done.stdout.lines().count(), 1 + 4 + 1, "means over seeds: {}", done.stdout);
    // a run of the grid is a run like any other
    let id = &rows[5][0];
    assert_eq!(id, "width-4_loss-cross-entropy_seed-1");
    place.succeed(&format!("run --width 4 --loss cross-entropy --seed 1 {SHORT} --out r"));
    assert_eq!(place.bytes("r/trace.csv"), place.bytes(format!("s/runs/{id}/trace.csv")));
    let page = String::from_utf8(place.bytes("s/report.html")).unwrap();
    assert!(page.contains("12 runs: width 4, 8; loss mse, cross-entropy; seed 0, 1, 2."), "{page}");
    for name in ["drift", "relative-drift", "margin", "loss"] {
        assert!(!place.bytes(format!("s/figures/{name}.svg")).is_empty());
    }
    assert!(page.contains("<svg") && page.contains("at the end against width"));
}

/// What was changed is run again, what was added is run, what is there is kept.
#[test]
fn a_sweep_grows() {
    let place = Place::new();
    let sweep = |more: &str| place.succeed(&format!("sweep --loss mse --until-time 2 --snapshots 3 --out s {more}"));
    assert!(sweep("--set width=4,8").stderr.contains("2 runs, about"));
    let told = sweep("--set width=4,8,6").stderr;
    assert!(told.contains("3 runs, 2 of them already finished"), "{told}");
    let told = sweep("--set width=4,8,6 --depth 1").stderr;
    assert!(told.contains("running it again"), "{told}");
    let before = [place.bytes("s/cells.csv"), place.bytes("s/figures/drift.svg")];
    sweep("--set width=4,8,6 --depth 1");
    assert_eq!(before, [place.bytes("s/cells.csv"), place.bytes("s/figures/drift.svg")]);
}

/// A file is the same however its path is written, and another when its content is.
#[test]
fn a_file_is_known_by_its_content() {
    let place = Place::new();
    let points = "1,2,0\n-3,4,1\n5,-6,1\n1,1,0\n";
    place.file("d/points.csv", points);
    let sweep = |data: &str| {
        let line = format!(
            "sweep --set data={data},circle --profile {data} --width 4 --loss mse --until-time 1 --snapshots 3 --out s"
        );
        place.succeed(&line).stderr
    };
    assert!(sweep("./d/points.csv").contains("2 runs, about"));
    for same in ["d/points.csv", &place.arg("d/points.csv"), "d/../d/points.csv"] {
        assert!(sweep(same).contains("2 runs, 2 of them already finished"), "{same}: {}", sweep(same));
    }
    // the samples of one, the curve of both
    place.file("d/points.csv", format!("2{points}"));
    let told = sweep("d/points.csv");
    assert!(told.contains("2 runs, about") && told.matches("running it again").count() == 2, "{told}");
}

#[test]
fn both_losses_are_two_values_as_in_a_run() {
    let place = Place::new();
    let done = place.succeed("sweep --set width=4,8 --dry-run");
    let expected = ["width-4_loss-cross-entropy", "width-4_loss-mse", "width-8_loss-cross-entropy", "width-8_loss-mse"];
    assert_eq!(done.stdout.lines().collect::<Vec<_>>(), expected);
    assert!(place.content().is_empty());
}

/// What varies but is no number makes lines, and figures along training where nothing is a number.
#[test]
fn anything_can_vary() {
    let place = Place::new();
    place.file("points (1).csv", "1,2,0\n-3,4,1\n5,-6,1\n1,1,0\n");
    let sweep = |set: &str, out: &str| {
        let words = ["sweep", "--loss", "mse", "--until-time", "1", "--quiet"];
        let set = set.split('|').flat_map(|set| ["--set", set]);
        let done = place.run(words.into_iter().chain(["--out", out]).chain(set));
        assert_eq!(done.code, 0, "{}", done.stderr);
        place.rows(&format!("{out}/cells.csv"))
    };
    let rows = sweep("width=6|activation=relu,[relu,erf]|bias=none,all", "a");
    let ids: Vec<&str> = rows[1..].iter().map(|row| row[0].trim_matches('"')).collect();
    assert_eq!(ids[0], "width-6_activation-relu_bias-none");
    assert_eq!(rows.len(), 5);
    assert!(String::from_utf8(place.bytes("a/report.html")).unwrap().contains("Kernel drift along training"));
    let rows = sweep("width=6|data=circle,points (1).csv|snapshots=3,4,5", "b");
    assert_eq!(
        (&*rows[4][0], &*rows[4][1], &*rows[4][2]),
        ("width-6_data-points--1-.csv_snapshots-3", "points (1).csv", "3")
    );
    // more lines than a figure takes are spread over several
    let rows = sweep("width=4,5|depth=1,2,3|seed=0..1|bias=none,input,hidden", "c");
    assert_eq!(rows.len(), 1 + 36);
    assert!(place.path("c/figures/drift-3.svg").exists() && !place.path("c/figures/drift.svg").exists());
    let done =
        place.succeed("sweep --set width=4,5 --loss mse --until-time 1 --snapshots 3 --no-figures --quiet --out d");
    assert!(!place.path("d/figures").exists() && !done.stdout.is_empty());
    assert!(!String::from_utf8(place.bytes("d/report.html")).unwrap().contains("<svg"));
}

/// A run that fails is told, and counts nowhere.
#[test]
fn a_run_that_fails_is_left_out() {
    let place = Place::new();
    let line = "sweep --set rate=0.01,1e6 --optimizer gd --loss mse --width 8 --max-steps 20 --until-time 1e9 --out s";
    let done = place.run(line.split(' '));
    assert_eq!(done.code, 1, "{}", done.stderr);
    assert!(done.stderr.contains("1 of 2 runs failed: rate-1000000 ("), "{}", done.stderr);
    let rows = place.rows("s/cells.csv");
    let failure = rows[0].iter().position(|name| name == "failure").unwrap();
    assert_eq!((rows[1][failure].is_empty(), rows[2][failure].is_empty()), (true, false));
    // it is made again, and collected as it is
    let collected = place.run(format!("{line} --collect").split(' '));
    assert_eq!((collected.code, place.rows("s/cells.csv")), (1, rows), "{}", collected.stderr);
}

#[test]
fn wrong_sweeps_are_refused() {
    let place = Place::new();
    for (line, told) in [
        ("--set wdith=3", "did you mean width?"),
        ("--set width=0,3", "width"),
        ("--set width=3,4 --set width=5", "twice"),
        ("--set width=3,4 --width 5", "--set width: --width is given"),
        ("--set seed=0..99 --set width=1..99", "5000"),
        ("--set loss=both", "--set loss=cross-entropy,mse"),
        ("--set optimizer=both --loss mse", "--set optimizer=flow,gd"),
        ("--set parametrization=ntk,mup --predictions true --loss mse", "--parametrization"),
        ("--set parametrization=mean-field,ntk --loss mse", "depth"),
        ("--set data=mnist,circle --data-dir d --loss mse", "--data-dir"),
        ("--set width=3 --memory 1B", "--memory"),
    ] {
        place.refuse(&format!("sweep {line} --out s"), 2, &[told]);
    }
    assert!(place.content().is_empty());
}
