//! `ntkscope device`: what a board sends, as a run's files.

use std::time::{Duration, Instant};

use ntkscope::run::Trace;
use ntkscope_frames::checksum;

use crate::Place;

/// What a board sends whose experiment trains twice: two records of each run.
pub(crate) fn lines() -> Vec<String> {
    let mut lines = vec![
        "info: divergence on an386, 4194304 bytes of RAM".to_owned(),
        "info: shows: cross-entropy moved the kernel by {cross-entropy drift_max}".to_owned(),
    ];
    let mut sequence = 0;
    for (run, drift) in [("cross-entropy", 0.5f32), ("squared-error", 0.25)] {
        for (record, time) in [(0u32, 0.0f32), (1, 0.1)] {
            for (field, value) in
                [("due", time), ("step", 7.0 * time), ("time", time), ("loss", 0.7 - time), ("drift_max", drift * time)]
            {
                let (bits, sum) = (value.to_bits(), checksum(sequence, run, record, field, value.to_bits()));
                lines.push(format!("{run} {record} {field} {bits:08x} {value} #{sequence} {sum:08x}"));
                sequence += 1;
            }
            lines.push("info: alive: step 3".to_owned());
        }
    }
    lines.push(format!("info: end: 0, {sequence} numbers"));
    lines
}

#[test]
fn a_recording_becomes_a_runs_files() {
    let place = Place::new();
    place.file("r/frames.txt", lines().join("\n"));
    let done = place.succeed("device r --out o");
    assert!(done.stdout.contains("cross-entropy moved the kernel by 0.05"), "{}", done.stdout);
    // a line for each record
    assert_eq!(done.stderr.lines().filter(|line| line.contains("drift_max")).count(), 4, "{}", done.stderr);
    for (run, drift) in [("cross-entropy", 0.5f32 * 0.1), ("squared-error", 0.25 * 0.1)] {
        let trace = Trace::read(run, &place.path(format!("o/{run}/trace.csv"))).unwrap();
        assert_eq!((trace.rows.len(), trace.rows[1].drift_max), (2, f64::from(drift)));
    }
    assert_eq!(String::from_utf8(place.bytes("o/times.csv")).unwrap(), "due\n0.0\n0.1\n");
    for file in ["o/numbers.csv", "o/report.html", "o/figures/drift.svg", "o/frames.txt"] {
        assert!(place.path(file).exists(), "{file}");
    }
    place.succeed("device r --out o --force --quiet");
    // its own recording is one too
    place.succeed("device o --out again --quiet");
    assert_eq!(place.bytes("o/numbers.csv"), place.bytes("again/numbers.csv"));
}

#[test]
fn what_is_damaged_is_named() {
    let place = Place::new();
    // what came is kept, as the only evidence
    let ends = |lines: &[String], code: i32, words: &[&str]| {
        place.file("f.txt", lines.join("\n"));
        let done = place.run("device f.txt --out o --force --quiet".split(' '));
        assert_eq!(done.code, code, "{}", done.stderr);
        assert!(words.iter().all(|word| done.stderr.contains(word)), "{}", done.stderr);
        assert!(place.path("o/frames.txt").exists());
    };
    let refuse = |lines: &[String], words: &[&str]| ends(lines, 3, words);
    let mut flipped = lines();
    flipped[5] = flipped[5].replacen("3f333333", "3f333332", 1);
    refuse(&flipped, &["number 3 was damaged", "cross-entropy 0 loss 3f333332"]);
    let mut lost = lines();
    lost.remove(4);
    refuse(&lost, &["numbers 2 to 2 did not arrive"]);
    let mut short = lines();
    short.pop();
    refuse(&short, &["ends after 20 numbers", "cut off"]);
    // a board that stopped is no damage
    let mut stopped = lines();
    *stopped.last_mut().unwrap() = "error: loss is not finite at step 3".into();
    stopped.push("info: end: 1, 20 numbers".into());
    ends(&stopped, 1, &["the board stopped: loss is not finite at step 3"]);
}

/// A port that says nothing is told of within some seconds, and Ctrl-C keeps what came.
#[test]
#[cfg(unix)]
fn a_port_that_is_silent_is_told_of() {
    use std::io::{BufRead, BufReader};

    let place = Place::new();
    let fifo = place.path("port");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let mut child =
        place.command(["device", "port", "--out", "o"]).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    let mut port = std::fs::OpenOptions::new().write(true).open(&fifo).unwrap();
    std::io::Write::write_all(&mut port, format!("{}\n", lines()[0]).as_bytes()).unwrap();
    let told = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let silent = told.into_iter().find(|line| line.contains("nothing has come for 5 s"));
    assert!(silent.is_some() && begun.elapsed() < Duration::from_secs(30));
    drop(port);
    let _ = child.wait();
}
