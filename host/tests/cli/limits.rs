//! Memory and threads: what is forecast is about what is taken, and no more is taken than was allowed. On Linux, which
//! says what a process has.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::Place;

const MIB: f64 = (1 << 20) as f64;

/// A number from a line of a process's status; `None` when it has ended.
fn status(child: &Child, line: &str) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    text.lines().find_map(|l| l.strip_prefix(line))?.split_whitespace().next()?.parse().ok()
}

/// Exit code, most threads, and peak of memory in MiB as far as looking every few milliseconds shows them.
fn watch(mut command: Command) -> (i32, u64, f64) {
    look(&mut command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

/// The same of a command that says little, and what that is.
fn watch_and_read(mut command: Command) -> (i32, u64, f64, String) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let (code, threads, peak) = look(&mut child);
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    (code, threads, peak, said)
}

fn look(child: &mut Child) -> (i32, u64, f64) {
    let (mut threads, mut peak) = (0, 0);
    loop {
        threads = threads.max(status(child, "Threads:").unwrap_or(0));
        peak = peak.max(status(child, "VmHWM:").unwrap_or(0));
        if let Some(ended) = child.try_wait().unwrap() {
            return (ended.code().unwrap_or(-1), threads, peak as f64 / 1024.0);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A command of each kind, with what makes it short.
const COMMANDS: [&str; 9] = [
    "run --width 32 --max-steps 20 --snapshots 3 --loss mse --out o",
    "kernel analytic --data sphere --n 300",
    "kernel empirical --data sphere --n 300 --width 64",
    "predict --data sphere --n 100 --held-out 200 --smoothing 0.1",
    "predict --data sphere --n 60 --held-out 200 --smoothing 0.1 --kernel initial --width 64",
    "smoothness --data sphere --n 200 --out s",
    "spectrum --data sphere --n 300 --kernel empirical --width 64 --steps 5",
    "regress --data sphere --n 300 --held-out 20 --ridge 0.01",
    "reproduce divergence --only six-points --network fcn --widths 8 --seeds 1 --out r",
];

#[test]
fn as_many_threads_as_were_asked_for() {
    let place = Place::new();
    place.succeed("kernel analytic --data sphere --n 400 --out K.npy --quiet");
    for line in COMMANDS.into_iter().chain(["compare K.npy K.npy", "compare K.npy K.npy --memory 9MB"]) {
        for threads in [1, 3] {
            let apart = if line.contains("--out") { threads.to_string() } else { String::new() };
            let line = format!("{line}{apart} --quiet --threads {threads}");
            let (code, most, _) = watch(place.command(line.split_whitespace()));
            // 1: a claim failed, which so narrow networks bring about
            assert!(code == 0 || code == 1 && line.starts_with("reproduce"), "{line}: exit {code}");
            // the main thread, and one that waits for signals
            assert!(most <= threads + 2, "{line}: {most} threads");
        }
        place.refuse(&format!("{line} --threads 5000"), 2, &["--threads 5000", "core"]);
    }
}

/// Every command with a size that is beyond its limit, by a flag alone: refused at once, with little memory.
#[test]
fn what_a_flag_makes_too_large_is_refused_at_once() {
    let place = Place::new();
    let models = [
        "run --out o",
        "kernel analytic",
        "kernel empirical",
        "predict --smoothing 0.1",
        "smoothness",
        "spectrum",
        "regress --ridge 0.1",
    ];
    for command in models {
        for size in [
            "--n 100000000 --held-out 2",
            "--data sphere --n 1000000000000 --held-out 2",
            "--data mixture --n 20 --held-out 100000000000",
            "--held-out 100000000000",
            "--data sphere --n 1000 --dimension 1000000000 --held-out 2",
        ] {
            let line = format!("{command} {size} --memory 100MB");
            let (code, _, peak) = watch(place.command(line.split_whitespace()));
            assert_eq!(code, 2, "{line}");
            assert!(peak < 125.0, "{line}: {peak:.0} MiB");
        }
    }
    for size in ["--width 1000000", "--depth 10000 --width 100000", "--width 1000000 --depth 10000 --outputs 1000000"] {
        for command in ["run --data c.csv --out o", "kernel empirical --data c.csv"] {
            place.file("c.csv", (0..20).map(|i| format!("{i},1,{i}\n")).collect::<String>());
            let line = format!("{command} {size}");
            let (code, _, peak) = watch(place.command(line.split_whitespace()));
            assert!(code == 2 && peak < 100.0, "{line}: exit {code}, {peak:.0} MiB");
        }
    }
}

/// A csv of n distinct points of the plane in ten classes.
fn points(n: u32) -> String {
    let coordinate = |i: u32, of: u32| f64::from(i % of) / f64::from(of);
    (0..n).map(|i| format!("{},{},{}\n", coordinate(37 * i, 101), coordinate(i * i, 97), i % 10)).collect()
}

/// The forecast in MiB, as the refusal of next to no memory tells it.
#[track_caller]
fn forecast(place: &Place, line: &str) -> f64 {
    let refused = place.run(line.split_whitespace().chain(["--memory", "1B"])).stderr;
    let mut words = refused.split_once("needs about ").unwrap_or_else(|| panic!("{line}: {refused}")).1.split(' ');
    let number: f64 = words.next().unwrap().parse().unwrap();
    number * if words.next() == Some("GiB") { 1024.0 } else { 1.0 }
}

/// A refusal of memory advises options that the command has, here and now.
#[test]
fn what_is_advised_can_be_given() {
    let place = Place::new();
    place.succeed("kernel empirical --n 6 --width 8 --params-out P.npz --quiet");
    place.succeed("run --n 6 --width 8 --loss mse --max-steps 2 --snapshots 3 --out done --quiet");
    place.succeed("kernel analytic --data sphere --n 800 --out K.npz --quiet");
    place.file("t.csv", "0.5,0.5,1\n0.5,-0.5,-1\n");
    let lines = [
        "run --n 100 --out o",
        "run --continue done --max-steps 4",
        "kernel analytic --data sphere --n 100",
        "kernel analytic --data sphere --n 100 --parametrization standard --width 9",
        "kernel empirical --data sphere --n 100",
        "kernel empirical --params P.npz --width 8",
        "predict --data sphere --n 100 --held-out 5 --smoothing 0.1",
        "predict --n 10 --test t.csv --smoothing 0.1",
        "predict --n 10 --held-out 5 --smoothing 0.1 --kernel initial --width 70",
        "smoothness --data sphere --n 200 --out s",
        "spectrum --data sphere --n 100",
        "spectrum --data sphere --n 100 --kernel empirical",
        "spectrum --kernel empirical --params P.npz --width 8",
        "regress --data sphere --n 100 --held-out 5 --ridge 0.1",
        "regress --data sphere --n 100 --held-out 5 --ridge 0.1 --rank 30",
        "regress --data sphere --n 100 --held-out 5 --ridge 0.1 --rank 30 --kernel empirical",
        "regress --kernel empirical --params P.npz --width 8 --held-out 5 --ridge 0.1",
        "drift P.npz P.npz --n 30",
        "reproduce divergence --out r",
        "reproduce lazy --out l",
        "sweep --set width=8,16 --out w",
        "compare K.npz K.npz",
        "spectrum --data sphere --n 30000000",
        "run --data sphere --n 30000000 --out o",
        "predict --data sphere --n 30000000 --smoothing 0.1 --held-out 2",
    ];
    let mut advised = 0;
    for line in lines {
        let refused = place.run(line.split_whitespace().chain(["--memory", "1B"])).stderr;
        assert!(refused.contains("needs about"), "{line}: {refused}");
        let (_, advice) = refused.rsplit_once("; ").unwrap();
        assert!(advice.ends_with("raise --memory\n"), "{line}: {refused}");
        let words: Vec<&str> = advice.split([' ', ',', '(', ')']).filter(|word| word.starts_with("--")).collect();
        for option in words.into_iter().filter(|option| option.trim() != "--memory") {
            let value = match option {
                "--dtype" => "f32",
                "--only" => "six-points",
                "--n" if line.starts_with("smoothness") => "120",
                "--n" | "--rank" | "--width" => "6",
                other => panic!("{line}: {other}"),
            };
            advised += 1;
            let mut arguments: Vec<&str> = line.split_whitespace().collect();
            if let Some(given) = arguments.iter().position(|word| *word == option) {
                arguments.drain(given..given + 2);
            }
            let again = place.run(arguments.into_iter().chain([option, value, "--memory", "1B"])).stderr;
            assert!(again.contains("needs about"), "{line}, with {option} {value}: {again}");
        }
    }
    assert!(advised > 30, "{advised}");
}

/// MiB that the program takes before it has data beyond what forecasts think, as it does without optimization where the
/// system maps much of a file at once.
fn larger_than_thought(place: &Place) -> f64 {
    const THOUGHT: f64 = 9.0;
    let (_, _, peak) = watch(place.command(["columns"]));
    (peak - THOUGHT).clamp(0.0, THOUGHT)
}

/// A size of each kind: n, h, C, width, depth, snapshots, draws. The program may have a third and 8 MiB more than it
/// says, and ends well where it can have no more; and it says no more than three times what it takes.
#[test]
fn forecasts_are_honest() {
    let place = Place::new();
    place.file("c.csv", points(150));
    let step = "--max-steps 1 --snapshots 3 --loss mse --out o --force";
    let lines = [
        format!("run --width 700 --depth 2 {step}"),
        format!("run --depth 100 --width 32 {step}"),
        format!("run --data sphere --n 500 --width 8 {step}"),
        format!("run --data sphere --n 40 --held-out 6000 --width 8 {step}"),
        format!("run --data c.csv --n 40 --width 16 {step}"),
        "run --data sphere --n 20 --held-out 4000 --width 8 --loss mse --snapshots 300 --max-steps 300 --out o --force"
            .into(),
        "run --data sphere --n 300 --width 8 --loss mse --snapshots 30 --max-steps 30 --kernels all --out o --force"
            .into(),
        "run --width 1000 --loss mse --snapshots 100 --max-steps 100 --profile circle --out o --force".into(),
        "predict --data sphere --n 300 --held-out 500 --smoothing 0.1".into(),
        "predict --data sphere --n 20 --held-out 20000 --smoothing 0.1 --out P.csv".into(),
        "predict --data c.csv --n 40 --held-out 100 --penalty 0.1 --init standard".into(),
        "predict --data c.csv --n 40 --held-out 100 --smoothing 0.1 --kernel initial --width 200".into(),
        "smoothness --data sphere --n 400 --out s --force".into(),
        "smoothness --data c.csv --draws 100 --out s --force".into(),
    ];
    let larger = larger_than_thought(&place);
    for line in lines {
        let line = format!("{line} --threads 1 --quiet");
        let need = forecast(&place, &line);
        let most = 1.3 * need + 8.0 + larger;
        let (code, _, peak) = watch(place.command(line.split_whitespace()));
        assert_eq!(code, 0, "{line}");
        assert!(peak <= most && need <= 3.0 * peak + 8.0, "{line}: forecast {need:.1} MiB, peak {peak:.1} MiB");
        let mut limited = Command::new("sh");
        let script = format!("ulimit -d {}; exec \"$0\" {line}", (most * MIB / 1024.0) as u64);
        limited.args(["-c", &script, env!("CARGO_BIN_EXE_ntkscope")]).current_dir(place.path(""));
        let (code, ..) = watch(limited);
        assert_eq!(code, 0, "{line}: under ulimit -d, forecast {need:.1} MiB, peak {peak:.1} MiB");
    }
}

/// What works by products says what it will take with all that saves time, and under a limit with less.
#[test]
fn forecasts_of_products_are_honest() {
    let place = Place::new();
    place.file("c.csv", points(150));
    let lines = [
        "spectrum --data sphere --n 3000 --steps 3 --products 3",
        "spectrum --data sphere --n 3000 --steps 3 --products 3 --dtype f32 --probes 100",
        "spectrum --data sphere --n 1500 --steps 3 --products 3 --kernel empirical --width 400",
        "spectrum --data sphere --n 500 --steps 2 --products 3 --kernel empirical --width 700 --depth 3",
        "spectrum --data sphere --n 300 --steps 2 --products 3 --kernel empirical --width 100 --outputs 5 --multi-output full",
        "regress --data sphere --n 3000 --held-out 500 --ridge 0.1 --rank 300",
        "regress --data sphere --n 2500 --held-out 3000 --ridge 0.1 --loss mse --dtype f32 --tolerance 1e-3",
        "regress --data c.csv --classes all --n 140 --held-out 10 --ridge 0.1 --loss cross-entropy",
        "regress --data sphere --n 1000 --held-out 10 --ridge 0.1 --kernel empirical --width 300 --rank 50",
        "regress --n 60 --held-out 900 --ridge 0.1 --kernel empirical --width 64 --depth 40 --rank 10",
    ];
    let larger = larger_than_thought(&place);
    for line in lines {
        for limit in ["", " --memory 64MiB"] {
            let line = format!("{line}{limit} --threads 1 --quiet --json");
            let (code, _, peak, said) = watch_and_read(place.command(line.split_whitespace()));
            let said = crate::json(&said);
            if !limit.is_empty() && code == 2 {
                assert!(said["error"]["message"].as_str().unwrap().contains("needs about"), "{line}: {said}");
                continue;
            }
            assert_eq!(code, 0, "{line}: {said}");
            let forecast = said["memory"]["forecast"].as_f64().unwrap() / MIB;
            let honest = peak <= 1.3 * forecast + 8.0 + larger && forecast <= 3.0 * peak + 8.0;
            assert!(honest, "{line}: forecast {forecast:.1} MiB, peak {peak:.1} MiB");
        }
    }
}

#[test]
fn the_limit_is_named() {
    let place = Place::new();
    let line = "run --data sphere --n 3000 --width 16 --predictions false --max-steps 1 --out o";
    for (limit, named) in [("ulimit -d 300000", "`ulimit -d`"), ("ulimit -v 500000", "`ulimit -v`")] {
        let script = format!("{limit}; exec \"$0\" {line}");
        let mut command = Command::new("sh");
        let done = command.args(["-c", &script, env!("CARGO_BIN_EXE_ntkscope")]).current_dir(place.path("")).output();
        let done = done.unwrap();
        let told = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{told}");
        assert!(told.contains(named), "{told}");
    }
}
