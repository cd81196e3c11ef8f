//! The Python package: its tests in a virtual environment of their own, and its wheel.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use crate::{
    process::{find, minutes, output, root, run},
    steps::{LONG, Session},
};

/// What the tests need; torch is taken where the interpreter has it.
const NEEDED: [&str; 5] = ["maturin>=1.9,<2", "numpy>=1.24", "pytest>=7", "mypy>=1.8", "safetensors>=0.4"];
/// What they use where it can be had.
const WELCOME: &str = "scikit-learn>=1.3";

/// The oldest interpreter that the package is for.
const OLDEST: (u32, u32) = (3, 10);

/// An interpreter of this machine: `NTKSCOPE_PYTHON`, else one that has torch, else the first that is new enough.
fn interpreter() -> Result<Option<PathBuf>> {
    if let Some(given) = std::env::var_os("NTKSCOPE_PYTHON") {
        return Ok(Some(PathBuf::from(given)));
    }
    let named = find("python3").into_iter().chain([PathBuf::from("/usr/bin/python3")]);
    let code = format!("import sys, venv, ensurepip; sys.exit(sys.version_info < {OLDEST:?})");
    let answers = |python: &PathBuf, code: &str| {
        python.is_file() && output(Command::new(python).args(["-c", code]), minutes(1)).is_ok()
    };
    let usable: Vec<PathBuf> = named.filter(|python| answers(python, &code)).collect();
    let with_torch = usable.iter().find(|python| answers(python, "import torch, numpy"));
    Ok(with_torch.or(usable.first()).cloned())
}

/// Python of the environment in `target/python`, which is made where it is missing.
fn environment() -> Result<Option<PathBuf>> {
    let Some(interpreter) = interpreter()? else { return Ok(None) };
    let place = root().join("target").join("python");
    let python = place.join("bin").join("python");
    let identity = "import sys; print(sys.base_prefix, sys.version)";
    let identity = |python: &Path| output(Command::new(python).args(["-c", identity]), minutes(1));
    if identity(&python).ok() != Some(identity(&interpreter)?) {
        let mut venv = Command::new(&interpreter);
        // its torch is too large to be installed again
        run(venv.args(["-m", "venv", "--clear", "--system-site-packages"]).arg(&place), minutes(5))?;
    }
    let install = |packages: &[&str]| {
        let mut pip = Command::new(&python);
        run(pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages), minutes(10))
    };
    install(&NEEDED)?;
    // torch works with the numpy that it was built for alone
    let numpy = output(Command::new(&python).args(["-c", "import numpy; print(numpy.__version__)"]), minutes(1))?;
    if install(&[WELCOME, &format!("numpy=={numpy}")]).is_err() {
        println!("without {WELCOME}: what needs it is skipped");
    }
    Ok(Some(python))
}

/// `maturin` of the environment, which installs into it what it builds.
fn maturin(python: &Path) -> Result<Command> {
    let programs = python.parent().context("an interpreter lies in a folder")?;
    let mut command = Command::new(programs.join("maturin"));
    command.env("VIRTUAL_ENV", programs.parent().context("an environment has a folder")?);
    Ok(command)
}

fn manifest() -> PathBuf {
    root().join("host").join("python").join("Cargo.toml")
}

/// The tests of the package, in the debug profile: what it depends on is there from the steps before.
pub(crate) fn test(_: &mut Session) -> Result<()> {
    let Some(python) = environment()? else {
        println!("no Python {}.{} or later with venv: nothing was checked", OLDEST.0, OLDEST.1);
        return Ok(());
    };
    run(maturin(&python)?.args(["develop", "--quiet", "-m"]).arg(manifest()), LONG)?;
    let mut pytest = Command::new(&python);
    pytest.args(["-m", "pytest", "-p", "no:cacheprovider", "-rs"]).arg(root().join("host/python/tests"));
    run(pytest.current_dir(root().join("host").join("python")), minutes(20))
}

/// Builds the wheel into `target/wheels`, and says where it is.
pub(crate) fn wheel() -> Result<()> {
    let python = environment()?;
    ensure!(python.is_some(), "a wheel needs Python {}.{} or later with venv", OLDEST.0, OLDEST.1);
    let python = python.unwrap_or_default();
    let out = root().join("target").join("wheels");
    run(maturin(&python)?.args(["build", "--release", "-m"]).arg(manifest()).arg("--out").arg(&out), LONG)?;
    println!("the wheel is in {}", out.display());
    Ok(())
}
