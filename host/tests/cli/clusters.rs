//! The templates of `docs/clusters`: each makes of a grid in parts what the plain command makes of it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Place;

const PAGE: &str = include_str!("../../docs/clusters.md");
const GRID: &str = "sweep --set width=4,6 --set seed=0..1 --loss mse --until-time 2 --snapshots 3";

fn template(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/clusters").join(name)
}

/// A command that finds the program as `ntkscope`.
fn script(place: &Place, program: &str, arguments: &[&str]) -> Command {
    let binary = Path::new(env!("CARGO_BIN_EXE_ntkscope")).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    let mut command = Command::new(program);
    command.args(arguments).current_dir(place.path("")).env("PATH", format!("{}:{path}", binary.display()));
    command.env_remove("SLURM_ARRAY_TASK_ID").env("HOME", place.path("home"));
    command
}

#[track_caller]
fn succeed(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn grid(out: &str) -> Vec<String> {
    format!("{GRID} --out {out}").split(' ').map(str::to_owned).collect()
}

/// Whether a program is there to be tried.
fn has(program: &str, argument: &str) -> bool {
    Command::new(program).arg(argument).output().is_ok_and(|output| output.status.success())
}

#[cfg(unix)]
#[test]
fn the_templates_make_what_the_plain_command_makes() {
    let place = Place::new();
    place.succeed(&format!("{GRID} --out whole --quiet"));
    let whole = place.bytes("whole/cells.csv");
    // Slurm's script, by its environment alone
    let slurm = template("slurm.sh");
    let slurm = slurm.to_str().unwrap();
    let grid = |out: &str, more: &[&str]| [grid(out), more.iter().map(ToString::to_string).collect()].concat();
    let call = |first: &[&str], rest: Vec<String>| {
        let words: Vec<String> = first.iter().map(ToString::to_string).chain(rest).collect();
        words
    };
    for task in 0..3 {
        let words = call(&[slurm], grid("slurm", &[]));
        let mut command = script(&place, "bash", &words.iter().map(String::as_str).collect::<Vec<_>>());
        for (name, value) in [("ID", task), ("MIN", 0), ("MAX", 2), ("STEP", 1), ("COUNT", 3)] {
            command.env(format!("SLURM_ARRAY_TASK_{name}"), value.to_string());
        }
        succeed(command.env("SLURM_CPUS_PER_TASK", "1"));
    }
    let words = call(&[slurm], grid("slurm", &["--collect"]));
    succeed(&mut script(&place, "bash", &words.iter().map(String::as_str).collect::<Vec<_>>()));
    assert_eq!(place.bytes("slurm/cells.csv"), whole);
    if has("parallel", "--version") {
        let parallel = template("parallel.sh");
        let words = call(&[parallel.to_str().unwrap(), "3"], grid("parallel", &[]));
        succeed(&mut script(&place, "bash", &words.iter().map(String::as_str).collect::<Vec<_>>()));
        assert_eq!(place.bytes("parallel/cells.csv"), whole);
    }
    let python = std::env::var("NTKSCOPE_PYTHON").unwrap_or("python3".into());
    let imports = Command::new(&python).args(["-c", "import hyperqueue"]).output();
    if imports.is_ok_and(|output| output.status.success()) {
        let hyperqueue = template("hq_grid.py");
        let words = call(&[hyperqueue.to_str().unwrap(), "3"], grid("hq", &[]));
        succeed(&mut script(&place, &python, &words.iter().map(String::as_str).collect::<Vec<_>>()));
        assert_eq!(place.bytes("hq/cells.csv"), whole);
    }
}

/// The page's commands of the program are plans that can be made, and its templates are there.
#[test]
fn what_the_page_has_people_type_can_be_typed() {
    let place = Place::new();
    let mut typed = 0;
    for line in PAGE.lines().filter_map(|line| line.strip_prefix("ntkscope ")) {
        match line.strip_suffix(" --collect") {
            Some(_) => place.refuse(line, 3, &["15 of 30 runs are not finished"].map(|_| "not finished")),
            None => drop(place.succeed(&format!("{line} --dry-run"))),
        }
        typed += 1;
    }
    assert_eq!(typed, 4);
    for name in PAGE.split("(clusters/").skip(1).filter_map(|rest| rest.split(')').next()) {
        assert!(template(name).is_file(), "{name}");
    }
}
