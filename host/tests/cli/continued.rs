//! Runs that are gone on with.

use crate::Place;

/// What two runs of the same path have in common, whatever their times on this machine.
const SAME: [&str; 5] = ["trace.csv", "kernels.npz", "params.npz", "predictions.csv", "predictions.npz"];

#[track_caller]
fn same(place: &Place, one: &str, other: &str, files: &[&str]) {
    for file in files {
        let differ = place.bytes(format!("{one}/{file}")) != place.bytes(format!("{other}/{file}"));
        assert!(!differ, "{one}/{file} is not {other}/{file}");
    }
}

/// As often as the test likes: what is there after the kill is either nothing or a state that is whole.
#[cfg(unix)]
#[test]
fn a_killed_run_goes_on_with_the_bits_of_one_that_was_not() {
    use std::process::Stdio;
    use std::time::{Duration, Instant};

    use crate::signals::{end, signal};

    const RUN: &str = "run --data mixture --n 64 --width 64 --loss cross-entropy --optimizer gd --rate 1e-3 \
                       --until-time 1e7 --snapshots 100 --quiet";
    let place = Place::new();
    let steps = || place.trace("o/trace.csv").rows.last().unwrap().step;
    let child = place.command(RUN.split_whitespace().chain(["--out", "o"])).stderr(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    while !place.path("o/state.bin").exists() {
        assert!(began.elapsed() < Duration::from_secs(60), "no state is written");
        std::thread::sleep(Duration::from_millis(10));
    }
    signal(&child, "KILL");
    assert_eq!(end(child).code(), None);
    // killed again while it goes on, and then to its end
    let mut again = place.command("run --continue o --quiet".split_whitespace());
    let child = again.stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    signal(&child, "KILL");
    end(child);
    // a run that has more steps than it may ends where its state stands, which is later than the last row of its trace
    place.succeed("run --continue o --quiet --max-steps 1");
    let most = steps() + 2000;
    place.succeed(&format!("run --continue o --quiet --max-steps {most}"));
    place.succeed(&format!("{RUN} --out whole --max-steps {most}"));
    same(&place, "o", "whole", &SAME);
    let entries = std::fs::read_dir(place.path("o")).unwrap();
    let hidden = entries.filter(|entry| entry.as_ref().unwrap().file_name().as_encoded_bytes()[0] == b'.');
    assert_eq!(hidden.count(), 0, "nothing is left of the kills");
}

#[test]
fn a_finished_run_goes_on_to_a_later_end() {
    let place = Place::new();
    place.succeed("run --width 8 --until-time 10 --out o --quiet");
    let done = place.succeed("run --continue o --until-time 1000");
    assert!(done.stdout.contains("at t = 1000"), "{}", done.stdout);
    place.succeed("run --width 8 --until-time 1000 --out whole --quiet");
    for loss in ["mse", "cross-entropy"] {
        same(&place, &format!("o/{loss}"), &format!("whole/{loss}"), &["params.npz"]);
    }
    // again to the same end: the same files
    let before = place.content();
    place.succeed("run --continue o --quiet");
    let after = place.content();
    for (path, content) in before {
        let (name, again) = (path.to_string_lossy().into_owned(), &after[&path]);
        // seconds stand in both
        let timed = name.ends_with("state.bin") || name.ends_with("report.html");
        assert!(timed || content == *again, "{name}");
    }
}

#[test]
fn the_second_of_two_losses_begins_where_it_has_not() {
    let place = Place::new();
    place.succeed("run --width 8 --until-time 100 --out whole --quiet");
    place.succeed("run --width 8 --until-time 100 --out o --quiet");
    // as a run leaves it that was killed during the first
    std::fs::remove_dir_all(place.path("o/mse")).unwrap();
    std::fs::remove_dir_all(place.path("o/figures")).unwrap();
    std::fs::remove_file(place.path("o/report.html")).unwrap();
    place.succeed("run --continue o --quiet");
    for loss in ["mse", "cross-entropy"] {
        same(&place, &format!("o/{loss}"), &format!("whole/{loss}"), &SAME);
    }
    // and one that was killed before there was any state begins anew
    std::fs::remove_file(place.path("o/cross-entropy/state.bin")).unwrap();
    place.succeed("run --continue o --quiet");
    same(&place, "o/cross-entropy", "whole/cross-entropy", &SAME);
}

#[test]
fn what_cannot_be_gone_on_with_is_refused() {
    let place = Place::new();
    place.file("data.csv", "0.6,0.8,0\n-1,0.3,1\n0.2,-0.4,0\n");
    place.succeed("run --data data.csv --width 4 --until-time 10 --loss mse --out o --quiet");
    std::fs::create_dir(place.path("empty")).unwrap();
    let refused = |line: &str, code: i32, told: &str| {
        let done = place.run(line.split_whitespace());
        assert_eq!(done.code, code, "{line}: {}", done.stderr);
        let message = done.stderr.lines().last().unwrap();
        assert!(message.contains(told), "{line}: {message}");
        assert_eq!(done.stdout, "");
    };
    refused("run --continue none", 2, "--continue none: is not a directory; give the directory of a run");
    refused("run --continue empty", 2, "empty: holds no run (no run.toml inside); give the directory of a run");
    refused("run --continue o --width 8", 2, "--width 8: does not apply to `ntkscope run --continue`");
    refused("run --continue o --set seed=3", 2, "--seed 3: does not apply to `ntkscope run --continue`");
    refused("run --continue o --out p", 2, "--continue: cannot be combined with --out");
    refused("run --continue o --until-time 5 -q", 2, "--until-time 5: the run has already reached t = ");
    // an earlier end, however near: what is there is longer, and stays
    let before = place.content();
    let last = *place.trace("o/trace.csv").rows.last().unwrap();
    let [steps, loss] = [(last.step - 1).to_string(), (1.01 * last.loss).to_string()];
    for (end, reached) in [
        (format!("--until-time {}", 10.0 - 1e-9), "t = 10; give a later time".into()),
        (format!("--max-steps {steps}"), format!("step {}; give more", last.step)),
        (format!("--until-loss {loss}"), "; give a smaller one".into()),
    ] {
        refused(&format!("run --continue o {end} -q"), 2, &reached);
        assert_eq!(place.content(), before, "{end}");
    }
    place.succeed("run --width 64 --until-margin 1 --loss cross-entropy --out classes --quiet");
    refused(
        "run --continue classes --until-margin 0.5 -q",
        2,
        "--until-margin 0.5: the run has already reached margin 1",
    );
    let state = place.bytes("o/state.bin");
    place.file("o/state.bin", &state[..state.len() / 2]);
    refused(
        "run --continue o -q",
        3,
        "state.bin: the saved state is truncated; remove it, and --continue restarts the run from the beginning",
    );
    place.file("o/state.bin", state);
    place.file("data.csv", "0.6,0.8,0\n-1,0.3,1\n0.2,-0.5,0\n");
    refused("run --continue o -q", 3, "run.toml: the data have changed since");
}
