//! The steps that cargo itself does.

use std::path::PathBuf;

use anyhow::Result;

use crate::{
    board::Board,
    image::{self, EXECUTORS, Transport, features},
    process::{find, minutes, root, run},
    steps::{LONG, QEMU_BOARDS, RISCV_BOARDS, Session},
    toolchain::{apt_install, cargo},
};

/// The features of all programs of the package of tests. Every step in the debug profile has these, because cargo builds what a
/// package depends on again for every other set of features.
pub(crate) const PROGRAMS: &str = "ntkscope-tests/xtask,ntkscope-tests/fuzzing";

pub(crate) fn format(_: &mut Session) -> Result<()> {
    run(cargo().args(["fmt", "--all", "--check"]), minutes(2))?;
    run(cargo().args(["fmt", "--all", "--check"]).current_dir(root().join("firmware")), minutes(2))
}

pub(crate) fn clippy(_: &mut Session) -> Result<()> {
    let mut clippy = cargo();
    clippy.args(["clippy", "--quiet", "--workspace", "--all-targets", "--features", PROGRAMS]);
    run(clippy.args(["--", "-D", "warnings"]), LONG)
}

pub(crate) fn clippy_firmware(session: &mut Session) -> Result<()> {
    // A core with atomics and an FPU, and one with neither; another architecture, which lacks the binaries that measure.
    let images = [
        ("an386", Transport::Rtt),
        ("microbit-v1", Transport::Semihosting),
        ("microbit-v1", Transport::Serial),
        (RISCV_BOARDS[0], Transport::Semihosting),
    ];
    for (name, transport) in images {
        let board = Board::load(name)?;
        let mut clippy = session.toolchains.cargo("firmware", "clippy", &board.target)?;
        clippy.args(["--quiet", "--release", "--locked", "--lib"]).args(features(&board, transport));
        let others = image::others().into_iter().filter(|_| name != RISCV_BOARDS[0]);
        clippy.args(image::experiments_of(&board).chain(others).flat_map(|binary| ["--bin", binary]));
        run(clippy.args(["--", "-D", "warnings"]), minutes(20))?;
    }
    for (binary, feature, name) in EXECUTORS {
        let board = Board::load(name)?;
        let mut clippy = session.toolchains.cargo("firmware", "clippy", &board.target)?;
        clippy.args(["--quiet", "--release", "--locked"]).args(features(&board, Transport::Semihosting));
        clippy.args(["--features", feature, "--bin", binary, "--", "-D", "warnings"]);
        run(&mut clippy, minutes(20))?;
    }
    Ok(())
}

pub(crate) fn doc(session: &mut Session) -> Result<()> {
    let mut doc = cargo();
    doc.args(["doc", "--quiet", "--workspace", "--no-deps", "--features", PROGRAMS]);
    run(doc.env("RUSTDOCFLAGS", "-D warnings"), LONG)?;
    let board = Board::load(QEMU_BOARDS[0])?;
    let mut doc = session.toolchains.cargo("firmware", "doc", &board.target)?;
    doc.args(["--quiet", "--release", "--locked", "--no-deps"]).args(features(&board, Transport::Semihosting));
    run(doc.env("RUSTDOCFLAGS", "-D warnings"), minutes(20))
}

pub(crate) fn test_debug(_: &mut Session) -> Result<()> {
    run(cargo().args(["test", "--workspace", "--no-fail-fast", "--features", PROGRAMS]), LONG)
}

/// The command line in the debug profile, as the tests have it: of the whole workspace, because what it depends on has more features
/// there than for it alone, and would be built again.
pub(crate) fn program() -> Result<PathBuf> {
    let target = root().join("target");
    let mut build = cargo();
    build.args(["build", "--quiet", "--workspace", "--bin", "ntkscope", "--features", PROGRAMS]);
    run(build.arg("--target-dir").arg(&target), LONG)?;
    Ok(target.join("debug").join("ntkscope"))
}

/// What the feature `mpi` of the host needs to be built and run.
const MPI: [&str; 3] = ["openmpi-bin", "libopenmpi-dev", "libclang-dev"];

/// The tests that start several ranks, in the debug profile: what they depend on is there from the steps before.
pub(crate) fn mpi(_: &mut Session) -> Result<()> {
    if find("mpirun").is_none() || find("mpicc").is_none() {
        if find("apt-get").is_none() {
            println!("no mpirun and mpicc, nor an apt-get to install {} with: nothing was checked", MPI.join(", "));
            return Ok(());
        }
        apt_install(&MPI)?;
    }
    // of the whole workspace: see [`program`]
    let features = format!("{PROGRAMS},ntkscope/mpi");
    run(cargo().args(["test", "--workspace", "--test", "mpi", "--features", &features]), LONG)
}

/// What the optimizer could change: the arithmetic. The programs around it take longer to build than all of its tests.
pub(crate) fn test_release(_: &mut Session) -> Result<()> {
    let mut test = cargo();
    test.args(["test", "--release", "--no-fail-fast"]);
    for package in ["ntkscope-core", "ntkscope-backend", "ntkscope-tests"] {
        test.args(["--package", package]);
    }
    run(&mut test, LONG)
}

pub(crate) fn no_std(session: &mut Session) -> Result<()> {
    for target in ["thumbv6m-none-eabi", "thumbv7em-none-eabihf"] {
        for more in [&[][..], &["--all-features"]] {
            let mut build = session.toolchains.cargo("", "build", target)?;
            run(build.args(["--quiet", "--package", "ntkscope-core"]).args(more), minutes(20))?;
        }
    }
    Ok(())
}
