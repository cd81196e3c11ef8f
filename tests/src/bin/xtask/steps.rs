//! Everything that is checked, in order; each step works alone too.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Instant,
};

use anyhow::{Context, Result, ensure};

use crate::{
    audit, bench,
    board::Board,
    declared, ends,
    experiment::room,
    floors, fuzz,
    image::{self, DEADLINE, ENDS, EXECUTORS, Size, Transport},
    panics,
    process::minutes,
    python,
    qemu::{self, Job},
    reference, sizes, standalone,
    toolchain::{self, Kind, Toolchains},
    web, workspace,
};

/// The boards that QEMU runs every experiment on: a core with an FPU, one without, and the smallest.
pub(crate) const QEMU_BOARDS: [&str; 3] = ["an386", "an385", "microbit-v1"];
/// Those that it runs [`LINKED`] on: every other core, a board of little RAM, and a real board's instructions for its Cortex-M4.
pub(crate) const MORE_QEMU_BOARDS: [&str; 5] = ["an500", "an505", "an547", "lm3s6965", "nrf52840dk"];
/// RISC-V without and with floats of its own, which run every experiment where the emulator is installed.
pub(crate) const RISCV_BOARDS: [&str; 2] = ["virt-imac", "virt-imafc"];
/// The experiment of the boards that have one alone.
pub(crate) const LINKED: &str = "divergence";
/// Real boards, where [`LINKED`] is linked with the probe's transport.
pub(crate) const PROBE_BOARDS: [&str; 6] =
    ["stm32f4-discovery", "nrf52840dk", "microbit-v2", "nucleo-f446re", "nucleo-h743zi", "pico2"];
/// The targets that the boards above and the core's own builds need.
pub(crate) const TARGETS: [&str; 6] = [
    "thumbv6m-none-eabi",
    "thumbv7m-none-eabi",
    "thumbv7em-none-eabihf",
    "thumbv8m.main-none-eabihf",
    "riscv32imac-unknown-none-elf",
    "riscv32imafc-unknown-none-elf",
];

/// What one step leaves for the next.
pub(crate) struct Session {
    pub(crate) toolchains: Toolchains,
    /// What an image takes, by (board, transport, binary); the stack where it was run.
    pub(crate) taken: BTreeMap<(String, &'static str, &'static str), Taken>,
}

/// What an image takes of its board.
pub(crate) struct Taken {
    pub(crate) size: Size,
    /// Calls that panic, where the machine code can be read.
    pub(crate) panics: Option<u64>,
    /// Bytes of stack: used at the deepest, and there to be used.
    pub(crate) stack: Option<(u64, u64)>,
    /// Numbers that were equal to the host's in every bit, all that it sent, by their scalar.
    pub(crate) equal: Option<[usize; 3]>,
}

impl Session {
    pub(crate) fn new(kind: Kind) -> Self {
        Self { toolchains: Toolchains::new(kind), taken: BTreeMap::new() }
    }
}

struct Step {
    name: &'static str,
    what: &'static str,
    run: fn(&mut Session) -> Result<()>,
}

const STEPS: [Step; 20] = [
    Step { name: "tools", what: "what the steps below call is there, or is installed", run: tools },
    Step { name: "format", what: "rustfmt leaves every file as it is", run: workspace::format },
    Step { name: "floors", what: "no module imports one that ARCHITECTURE.md lists above it", run: floors::check },
    Step {
        name: "oldest",
        what: "the compiler that Cargo.toml declares is the one in use",
        run: declared::oldest_compiler,
    },
    Step {
        name: "optimized",
        what: "every package of the arithmetic has an opt-level of its own",
        run: declared::optimized,
    },
    Step { name: "clippy", what: "no warnings on the host", run: workspace::clippy },
    Step { name: "clippy-firmware", what: "no warnings on the microcontroller", run: workspace::clippy_firmware },
    Step { name: "doc", what: "the documentation builds without warnings", run: workspace::doc },
    Step { name: "test-debug", what: "tests with every check of indices and overflow", run: workspace::test_debug },
    Step { name: "python", what: "the tests of the Python package, where there is a Python", run: python::test },
    Step { name: "web", what: "the page has the bits of the command line, and its controls work", run: web::step },
    Step {
        name: "mpi",
        what: "one kernel on 1, 2 and 3 ranks, where there is an MPI or apt-get has one",
        run: workspace::mpi,
    },
    Step { name: "test-release", what: "the tests of the arithmetic, optimized", run: workspace::test_release },
    Step { name: "fuzz", what: "no reader panics, hangs or takes too much, whatever it reads", run: fuzz::step },
    Step { name: "deny", what: "licences and banned packages, where cargo-deny is installed", run: audit::deny },
    Step { name: "no_std", what: "the core builds where there is no std", run: workspace::no_std },
    Step { name: "firmware", what: "every binary links for every board, its stack kept free", run: firmware },
    Step { name: "qemu", what: "every number in QEMU equals the host's, bit for bit", run: compare },
    Step {
        name: "standalone",
        what: "a board by itself sends its frames, sleeps, keeps its results; one flipped bit is named",
        run: standalone::step,
    },
    Step { name: "sizes", what: "flash, panics and stack of every binary are within its budget", run: sizes::step },
];

pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    STEPS.iter().map(|step| step.name)
}

pub(crate) fn list() {
    for Step { name, what, .. } in &STEPS {
        println!("{name:<16} {what}");
    }
}

/// Runs the steps named by `only`, all if it is empty; did every one succeed?
///
/// A step that fails does not keep the others from running: one run shows everything that is wrong.
pub(crate) fn test(session: &mut Session, only: &[String]) -> bool {
    let chosen: Vec<_> =
        STEPS.iter().filter(|step| only.is_empty() || only.iter().any(|name| name == step.name)).collect();
    let start = Instant::now();
    let mut results = Vec::new();
    for (i, step) in chosen.iter().enumerate() {
        println!("\n==== {}/{} {}: {} ====", i + 1, chosen.len(), step.name, step.what);
        let start = Instant::now();
        let result = (step.run)(session);
        if let Err(error) = &result {
            println!("FAILED {}: {error:#}", step.name);
        }
        results.push((step, result, start.elapsed()));
    }

    println!("\n==== summary ====");
    for (step, result, time) in &results {
        let verdict = if result.is_ok() { "ok" } else { "FAILED" };
        println!("{:<16} {verdict:<7} {:>7.1} s", step.name, time.as_secs_f64());
    }
    println!("{:<24} {:>7.1} s", "in all", start.elapsed().as_secs_f64());
    if chosen.len() < STEPS.len() {
        println!("run by --only: {} of {} steps", chosen.len(), STEPS.len());
    }
    for (step, result, _) in &results {
        if let Err(error) = result {
            println!("\n{}: {error:#}", step.name);
        }
    }
    let failed = results.iter().filter(|(_, result, _)| result.is_err()).count();
    println!("\nsteps: {} passed, {failed} failed", results.len() - failed);
    failed == 0
}

fn tools(session: &mut Session) -> Result<()> {
    toolchain::ensure_components()?;
    session.toolchains.ensure(&TARGETS)?;
    qemu::ARM.ensure_installed()
}

/// Every image that is built: its board, how its frames leave it, its binaries.
fn images() -> Result<Vec<(Board, Transport, Vec<&'static str>)>> {
    let mut images = Vec::new();
    for name in QEMU_BOARDS {
        let board = Board::load(name)?;
        let binaries = image::experiments_of(&board).chain(image::others()).collect();
        images.push((board, Transport::Semihosting, binaries));
    }
    for name in MORE_QEMU_BOARDS {
        images.push((Board::load(name)?, Transport::Semihosting, vec![LINKED]));
    }
    for name in RISCV_BOARDS {
        // what ticks, and what is measured by it, is a Cortex-M's
        let binaries = image::experiments().chain([ENDS]).collect();
        images.push((Board::load(name)?, Transport::Semihosting, binaries));
    }
    for name in PROBE_BOARDS {
        images.push((Board::load(name)?, Transport::Rtt, vec![LINKED]));
    }
    Ok(images)
}

fn is_experiment(binary: &str) -> bool {
    image::experiments().any(|experiment| experiment == binary)
}

/// Builds every image, and notes what each takes.
fn firmware(session: &mut Session) -> Result<()> {
    for (board, transport, binaries) in images()? {
        let built = image::build(&mut session.toolchains, &board, transport, &binaries);
        let images = built.with_context(|| board.name.clone())?;
        for binary in binaries.iter().copied().filter(|binary| is_experiment(binary)) {
            image::check_paths(&images.elf(binary))?;
            let (size, panics) = (Size::read(&images.elf(binary))?, panics::calls(&images.elf(binary))?);
            let key = (board.name.clone(), transport.feature(), binary);
            session.taken.entry(key).or_insert(Taken { size, panics, stack: None, equal: None });
        }
    }
    Ok(())
}

/// Runs every binary on every board that QEMU has and compares its numbers with the host's.
pub(crate) fn compare(session: &mut Session) -> Result<()> {
    qemu::ARM.ensure_installed()?;
    // where it cannot be installed, what is missing is said, and the others run
    let riscv = qemu::RISCV.ensure_installed().is_ok() || qemu::RISCV.is_here();
    let mut jobs = Vec::new();
    for (board, transport, binaries) in images()? {
        if transport != Transport::Semihosting || RISCV_BOARDS.contains(&board.name.as_str()) && !riscv {
            continue;
        }
        let built = image::build(&mut session.toolchains, &board, transport, &binaries);
        let images = built.with_context(|| board.name.clone())?;
        if binaries.contains(&ENDS) {
            ends::check(&board, &images.elf(ENDS), Transport::Semihosting)?;
        }
        if binaries.contains(&DEADLINE) {
            slices(&board, DEADLINE, &images.elf(DEADLINE))?;
        }
        let board = Arc::new(board);
        let experiments = binaries.iter().copied().filter(|binary| is_experiment(binary));
        jobs.extend(experiments.map(|binary| (Arc::clone(&board), binary, images.elf(binary))));
    }
    for (binary, _, name) in EXECUTORS {
        let board = Board::load(name)?;
        let images = image::build(&mut session.toolchains, &board, Transport::Semihosting, &[binary])?;
        slices(&board, binary, &images.elf(binary))?;
    }
    // QEMU takes one core each.
    let (next, done) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers.min(jobs.len()) {
            scope.spawn(|| {
                while let Some((board, binary, elf)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = compare_one(board, binary, elf).with_context(|| format!("{binary} on {}", board.name));
                    let key = (board.name.clone(), Transport::Semihosting.feature(), *binary);
                    done.lock().expect("no worker panics").insert(key, result);
                }
            });
        }
    });
    let mut failed = Vec::new();
    for (key, result) in done.into_inner().expect("no worker panics") {
        match result {
            Ok(taken) => drop(session.taken.insert(key, taken)),
            Err(error) => failed.push(format!("{error:#}")),
        }
    }
    sizes::print_parity(session);
    ensure!(failed.is_empty(), "{}", failed.join("\n"));
    Ok(())
}

/// Training in slices keeps the deadline of a task beside it, which the image itself checks, and has the numbers of whole steps.
fn slices(board: &Board, binary: &str, elf: &Path) -> Result<()> {
    let (machine, transport, more) = (board.machine()?, Transport::Semihosting, bench::CLOCK.map(str::to_owned));
    let run = qemu::run(&Job { elf, machine, transport, more: &more, limit: minutes(2) }, None, &mut |_| ())?;
    run.check_exit().with_context(|| format!("{binary} on {}", board.name))?;
    let told = ["slice", "late", "missed"];
    let said = run.received.frames.iter().filter(|frame| told.iter().any(|word| frame.text.contains(word)));
    said.for_each(|frame| println!("{binary} on {}: {}", board.name, frame.text));
    println!("{}", reference::compare(board, binary, &run.received)?);
    Ok(())
}

fn compare_one(board: &Board, binary: &str, elf: &Path) -> Result<Taken> {
    let start = Instant::now();
    let (machine, transport) = (board.machine()?, Transport::Semihosting);
    let run = qemu::run(&Job { elf, machine, transport, more: &[], limit: qemu::LIMIT }, None, &mut |_| ())?;
    let seconds = start.elapsed().as_secs_f64();
    run.check_exit()?;
    println!("{} ({seconds:.1} s in QEMU)", reference::compare(board, binary, &run.received)?);
    let (used, available) = sizes::stack(&run.received.frames)?;
    let is_spare = board.ram < room::LITTLE || 2 * used <= available;
    ensure!(is_spare, "{used} bytes of stack of {available}, which is less than twice as many: see `stack` in room.rs");
    let equal = Some(sizes::by_scalar(&run.received.numbers));
    Ok(Taken { size: Size::read(elf)?, panics: panics::calls(elf)?, stack: Some((used, available)), equal })
}

/// Runs what the table of sizes needs, unless an earlier step has.
pub(crate) fn measure(session: &mut Session) -> Result<()> {
    let known = |session: &Session, stack: bool| session.taken.values().any(|taken| taken.stack.is_some() == stack);
    if !known(session, true) {
        compare(session)?;
    }
    if !known(session, false) {
        firmware(session)?;
    }
    Ok(())
}

/// How long a build or a test of the whole workspace may take.
pub(crate) const LONG: std::time::Duration = minutes(40);
