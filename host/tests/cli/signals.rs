//! What an interrupted and a killed run leave behind.

use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use ntkscope::files::npz;
use ntkscope::run::Trace;

use crate::Place;

/// Would take hours; snapshots come often.
const LONG: &str = "run --data mixture --n 64 --width 64 --loss cross-entropy --optimizer gd --rate 1e-3 \
                    --until-time 1e7 --max-steps 1000000000 --snapshots 1000 --out o";

fn start(place: &Place) -> Child {
    place.command(LONG.split_whitespace()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

pub(crate) fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([format!("-{name}"), child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// The end of a process that has been told to end.
pub(crate) fn end(mut child: Child) -> ExitStatus {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if began.elapsed() > Duration::from_secs(60) {
            child.kill().unwrap();
            panic!("still running a minute after the signal");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Until `trace.csv`, kept up to date while the run goes on, has more than the first row.
fn wait_for_rows(place: &Place) {
    let began = Instant::now();
    while Trace::read("", &place.path("o/trace.csv")).map_or(0, |trace| trace.rows.len()) < 2 {
        assert!(began.elapsed() < Duration::from_secs(60), "the trace does not grow");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn an_interrupted_run_keeps_what_it_has() {
    for name in ["INT", "TERM"] {
        let place = Place::new();
        let child = start(&place);
        wait_for_rows(&place);
        signal(&child, name);
        assert_eq!(end(child).code(), Some(130), "{name}");
        let trace = place.trace("o/trace.csv");
        assert!(trace.rows.len() > 1);
        assert_eq!(place.array("o/kernels.npz", "times").0, [trace.rows.len()]);
        assert_eq!(place.array("o/params.npz", "first.W0").0, [64, 2]);
        for file in ["o/run.toml", "o/report.html", "o/figures"] {
            assert!(place.path(file).exists(), "{file}");
        }
    }
}

/// A signal is answered at once, and what was to be ignored from the start stays ignored.
#[test]
fn signals_are_answered_or_ignored() {
    use std::io::Read;
    use std::os::unix::process::CommandExt;

    let place = Place::new();
    let mut command = place.command(LONG.split_whitespace());
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    // SAFETY: signal is async-signal-safe
    unsafe {
        command.pre_exec(|| {
            libc::signal(libc::SIGHUP, libc::SIG_IGN);
            Ok(())
        });
    }
    let mut child = command.spawn().unwrap();
    wait_for_rows(&place);
    signal(&child, "HUP");
    std::thread::sleep(Duration::from_millis(500));
    assert!(child.try_wait().unwrap().is_none(), "as with nohup");
    signal(&child, "INT");
    let mut said = child.stderr.take().unwrap();
    assert_eq!(end(child).code(), Some(130));
    let mut text = String::new();
    said.read_to_string(&mut text).unwrap();
    assert!(text.contains("stopping after this step"), "{text}");
}

/// Work that cannot end between two steps ends at once; a second signal ends any.
#[test]
fn signals_end_every_command() {
    // some seconds on the fastest machine
    let whole = "predict --data sphere --n 3000 --held-out 10 --smoothing 0.1 --out P.csv";
    for (line, signals) in
        [(LONG, &["INT", "INT"][..]), (LONG, &["TERM", "INT"]), (whole, &["INT"]), (whole, &["TERM"])]
    {
        let place = Place::new();
        let child = place.command(line.split_whitespace()).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(300));
        for name in signals {
            signal(&child, name);
            std::thread::sleep(Duration::from_millis(50));
        }
        let code = end(child).code();
        assert_eq!(code, Some(130), "{line} {signals:?}");
        let left: Vec<_> = place.content().into_keys().filter(|path| path.to_string_lossy().contains("/.")).collect();
        let left: Vec<_> = left.iter().filter(|path| path.to_string_lossy().ends_with("tmp")).collect();
        assert!(left.is_empty(), "{line}: {left:?}");
    }
}

/// Of a run in a grid nothing is kept where it is asked to end: it ends at once, wherever it is, not after its present snapshot
/// and what is computed of it at the end.
#[test]
fn a_grid_ends_soon() {
    let place = Place::new();
    for after in [2, 7] {
        let line = "sweep --data sphere --n 500 --loss cross-entropy --set width=700,701 --out s --quiet";
        let mut command = place.command(line.split_whitespace());
        let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        std::thread::sleep(Duration::from_secs(after));
        signal(&child, "INT");
        let began = Instant::now();
        assert_eq!(end(child).code(), Some(130), "after {after} s");
        // half a second where code is optimized and the machine is not shared
        assert!(began.elapsed() < Duration::from_secs(6), "after {after} s: {:?}", began.elapsed());
        let kept = std::fs::read_dir(place.path("s/runs")).map_or(0, Iterator::count);
        assert_eq!(kept, 0, "after {after} s");
    }
}

#[test]
fn a_killed_run_leaves_whole_files_or_none() {
    for milliseconds in [3, 40, 170, 1100, 1900] {
        let place = Place::new();
        let child = start(&place);
        std::thread::sleep(Duration::from_millis(milliseconds));
        signal(&child, "KILL");
        assert_eq!(end(child).code(), None);
        let trace = place.path("o/trace.csv");
        if trace.exists() {
            assert!(!Trace::read("", &trace).unwrap().rows.is_empty());
        }
        let parameters = place.path("o/params.npz");
        if parameters.exists() {
            npz::open(&parameters).unwrap().array("first.W0").unwrap();
        }
    }
}
