//! The page has the bits of this machine, of the command line and of the microcontroller; its controls move what they say.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, anyhow, bail, ensure};
use ntkscope_core::{
    loss::Loss,
    record::{Column, Snapshot},
};
use ntkscope_web::{
    device,
    experiment::Digest,
    run::{self, LEN},
    settings::{DEVICE_WIDTH, Settings},
    table::{self, Table},
};

use super::{Server, TARGET, build, node, place};
use crate::{
    process::{self, find, minutes, output, root, run as run_command},
    steps::{LONG, Session},
    toolchain::{apt_install, cargo},
    workspace,
};

/// The oldest node that runs modules, tests and streams as they are written here.
const OLDEST_NODE: u32 = 18;
/// What drives Debian's Chromium; it brings no browser of its own.
const PLAYWRIGHT: &str = "playwright-core@1.56";

/// Runs that are compared: narrow, because this program and the command line are not optimized here.
const COMPARED: [Settings; 4] = {
    let first = Settings { width: 16, depth: 2, mirrored: true, loss: Loss::CrossEntropy, seed: 1 };
    [
        first,
        Settings { loss: Loss::SquaredError, ..first },
        Settings { width: 8, depth: 3, mirrored: false, seed: 2, ..first },
        Settings { width: 32, depth: 1, mirrored: false, loss: Loss::SquaredError, seed: 3 },
    ]
};

/// Builds the page, compares its bits, and moves its controls where there is a browser.
pub(crate) fn step(_: &mut Session) -> Result<()> {
    let page = build()?;
    // what is compiled for a browser alone
    let mut clippy = cargo();
    clippy.args(["clippy", "--quiet", "--package", "ntkscope-web", "--target", TARGET, "--", "-D", "warnings"]);
    run_command(&mut clippy, minutes(10))?;
    let expected = expected()?;
    let file = place().join("expected.json");
    fs::write(&file, serde_json::to_string_pretty(&expected)?)?;
    if !ensure_node()? {
        println!("no node {OLDEST_NODE} or later, and none to be installed: the page was built, and not run");
        return Ok(());
    }
    let tests = root().join("host/web/tests");
    let mut parity = node(&tests);
    parity.args(["--test", "parity.mjs"]).env("NTKSCOPE_PAGE", &page).env("NTKSCOPE_EXPECTED", &file);
    run_command(&mut parity, minutes(5))?;
    let Some(chromium) = find("chromium") else {
        println!("no chromium: the controls were not moved");
        return Ok(());
    };
    let driver = place().join("playwright");
    if !driver.join("node_modules/playwright-core").is_dir() {
        fs::create_dir_all(&driver)?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--no-save", "--loglevel=error", "--prefix"]).arg(&driver);
        if let Err(error) = run_command(npm.arg(PLAYWRIGHT), minutes(5)) {
            println!("without {PLAYWRIGHT} the controls were not moved: {error:#}");
            return Ok(());
        }
    }
    let server = Server::start(&page, 0)?;
    let pictures = place().join("pictures");
    fs::create_dir_all(&pictures)?;
    let mut browser = node(&tests);
    browser.args(["--test", "browser.mjs"]).env("NTKSCOPE_EXPECTED", &file).env("NTKSCOPE_URL", &server.url);
    browser.env("NTKSCOPE_DRIVER", &driver).env("NTKSCOPE_CHROMIUM", chromium).env("NTKSCOPE_PICTURES", &pictures);
    run_command(&mut browser, minutes(5))?;
    println!("pictures in {}", pictures.display());
    Ok(())
}

/// Whether there is a node, installed where it can be.
fn ensure_node() -> Result<bool> {
    if find("node").is_none() && apt_install(&["nodejs", "npm"]).is_err() {
        return Ok(false);
    }
    let version = output(Command::new("node").arg("--version"), minutes(1))?;
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    Ok(major.is_some_and(|major| major >= OLDEST_NODE))
}

/// What the page must show, from this machine; the command line's `trace.csv` is compared on the way.
fn expected() -> Result<serde_json::Value> {
    let mut buffer = vec![0.0; LEN];
    let mut table = Box::new(Table::new());
    let (program, mut runs) = (workspace::program()?, Vec::new());
    for settings in COMPARED {
        let command = settings.command();
        let failed = |error| anyhow!("{command}: {error}");
        run::run(&settings, &mut buffer, &mut table, &mut |_| ()).map_err(failed)?;
        let digest = table.digest();
        let of_command_line = command_line(&program, &command)?;
        ensure!(
            digest == of_command_line,
            "`{command}` has the digest {:016x}, the engine {:016x}",
            of_command_line.value(),
            digest.value()
        );
        println!("{:016x} {command}", digest.value());
        let Settings { width, depth, mirrored, loss, seed } = settings;
        let settings = serde_json::json!({ "width": width, "depth": depth, "mirrored": mirrored,
            "crossEntropy": loss == Loss::CrossEntropy, "seed": seed });
        runs.push(serde_json::json!({ "settings": settings, "command": command.as_str(),
            "digest": format!("{:016x}", digest.value()), "rows": table.rows().len() }));
    }
    let device = device::digest(DEVICE_WIDTH, &mut buffer).map_err(|error| anyhow!("divergence: {error}"))?;
    Ok(serde_json::json!({ "runs": runs, "device": format!("{:016x}", device.value()) }))
}

/// The digest of what this command line records.
fn command_line(program: &Path, command: &str) -> Result<Digest> {
    let out = place().join("run");
    let mut run = Command::new(program);
    run.args(command.split(' ').skip(1));
    let _ = fs::remove_dir_all(&out);
    process::output(run.arg("--quiet").arg("--out").arg(&out), LONG)?;
    trace_digest(&out.join("trace.csv"))
}

/// The digest of every column of every row of a `trace.csv`, as the page has it.
pub(crate) fn trace_digest(path: &Path) -> Result<Digest> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    digest_of(&text).with_context(|| path.display().to_string())
}

fn digest_of(text: &str) -> Result<Digest> {
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().context("no header")?.split(',').collect();
    let columns = Snapshot::<f32>::COLUMNS;
    let place = |column: &Column<f32>| {
        header.iter().position(|name| *name == column.name()).with_context(|| format!("no column {}", column.name()))
    };
    let places: Vec<usize> = columns.iter().map(place).collect::<Result<_>>()?;
    let mut digest = Digest::new();
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        let mut snapshot = Snapshot::default();
        for (column, place) in columns.iter().zip(&places) {
            let cell = cells.get(*place).with_context(|| format!("no {} in `{line}`", column.name()))?;
            if column.read(&mut snapshot, cell).is_none() {
                bail!("`{cell}` is no {}", column.name());
            }
        }
        table::numbers(&snapshot).for_each(|number| digest.add(number));
    }
    Ok(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_of_every_number() {
        let columns = Snapshot::<f32>::COLUMNS;
        let header: Vec<&str> = columns.iter().map(Column::name).collect();
        let row = |changed: usize| {
            let cells = columns.iter().enumerate().map(|(k, column)| match (column.name(), k == changed) {
                ("finite", is) => is.to_string(),
                (_, true) => "2".to_owned(),
                (_, false) => "1".to_owned(),
            });
            format!("{}\n{}\n", header.join(","), cells.collect::<Vec<_>>().join(","))
        };
        let plain = digest_of(&row(usize::MAX)).unwrap();
        for (changed, name) in header.iter().enumerate() {
            assert_ne!(digest_of(&row(changed)).unwrap(), plain, "{name}");
        }
        assert!(digest_of("step,time\n1,2\n").is_err());
        assert!(digest_of(&row(0).replace("true", "perhaps").replace("false", "perhaps")).is_err());
    }
}
