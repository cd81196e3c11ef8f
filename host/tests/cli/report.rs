//! Finished runs laid over one another.

use crate::{Place, json};

const RUN: &str = "run --until-time 2 --snapshots 3 --quiet";

#[test]
fn runs_are_told_apart_by_what_differs() {
    let place = Place::new();
    place.succeed(&format!("{RUN} --width 4 --loss mse --out a"));
    place.succeed(&format!("{RUN} --loss mse --width 6 --init standard --out b"));
    // both losses: two runs
    place.succeed(&format!("{RUN} --width 4 --out c"));
    let done = place.succeed("report a b c --json --out page --quiet");
    let object = json(&done.stdout);
    let labels: Vec<&str> =
        object["runs"].as_array().unwrap().iter().map(|run| run["label"].as_str().unwrap()).collect();
    // one run twice: nothing but its place tells it apart
    let expected = [
        "width 4, init mirrored, loss mse, a",
        "width 6, init standard, loss mse",
        "width 4, init mirrored, loss cross-entropy",
        "width 4, init mirrored, loss mse, c/mse",
    ];
    assert_eq!(labels, expected);
    let page = String::from_utf8(place.bytes("page/report.html")).unwrap();
    assert!(page.contains("4 runs that differ in width, init, loss."), "{page}");
    for name in ["drift", "margin", "loss"] {
        let figure = String::from_utf8(place.bytes(format!("page/figures/{name}.svg"))).unwrap();
        assert!(figure.contains("<desc>"), "{figure}");
    }
    assert!(page.contains("width 6, init standard, loss mse"));
    // the same again needs leave to replace
    place.refuse("report a b --out page", 2, &["--force"]);
    place.succeed("report a b --out page --force --no-figures --quiet");
    assert!(!place.path("page/figures").exists());
}

#[test]
fn all_runs_of_a_grid_are_laid_over_one_another() {
    let place = Place::new();
    place.succeed("sweep --set width=4,16,8 --set seed=0,1 --loss mse --until-time 2 --snapshots 3 --quiet --out s");
    let done = place.succeed("report s");
    assert!(done.stderr.contains("runs/comparison/report.html"), "{}", done.stderr);
    let labels: Vec<&str> = done.stdout.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    let names =
        ["width-4_seed-0", "width-4_seed-1", "width-8_seed-0", "width-8_seed-1", "width-16_seed-0", "width-16_seed-1"];
    assert_eq!(labels, names.map(|name| format!("s/runs/{name}")));
    // a study's too; what it measured besides is no run
    let study = "reproduce divergence --only six-points --network fcn --widths 4 --seeds 1 --quiet --out study";
    assert!([0, 1].contains(&place.run(study.split(' ')).code));
    place.file("study/runs/measured/numbers.csv", "a\n1\n");
    place.file("study/runs/.ntkscope-0123456789abcdef.tmp/run.toml", "");
    assert_eq!(place.succeed("report study --quiet").stdout.lines().count(), 1 + 4 + 1);
}

#[test]
fn what_holds_no_finished_run_is_refused() {
    let place = Place::new();
    place.file("notes/notes.txt", "kept");
    place.file("study/runs/a/numbers.csv", "a\n1\n");
    place.file("file", "kept");
    place.refuse("report none", 3, &["none: there is no such directory"]);
    place.refuse("report file", 3, &["file: is not a directory"]);
    place.refuse("report notes", 3, &["notes: holds no run"]);
    place.refuse("report study", 3, &["study: none of its runs is finished"]);
    place.succeed(&format!("{RUN} --width 4 --loss mse --out a"));
    place.refuse("report a notes", 3, &["notes"]);
    // one that was interrupted says so itself
    let whole = String::from_utf8(place.bytes("a/run.toml")).unwrap();
    let begun: String =
        whole.lines().filter(|line| !line.starts_with("stopped")).map(|line| format!("{line}\n")).collect();
    place.file("a/run.toml", begun);
    place.refuse("report a", 3, &["stopped"]);
}
