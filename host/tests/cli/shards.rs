//! One grid in several parts: on one machine after another, at once, killed and called again.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::Place;

/// A grid of runs, one of runs and measurements, and two studies of measurements at once; what each leaves.
const GRIDS: [(&str, &[&str]); 3] = [
    (
        "sweep --set width=4,8,12 --set seed=0..2 --loss mse --until-time 5 --snapshots 4 --threads 1 --out o",
        &["o/cells.csv"],
    ),
    (
        "reproduce initialization --only outputs,closeness --widths 8 --seeds 2 --threads 1 --out o",
        &["o/cells.csv", "o/claims.csv"],
    ),
    (
        "reproduce all --only outputs,coin-line --widths 4 --seeds 10 --threads 1 --out o",
        &["o/initialization/claims.csv", "o/probability/claims.csv", "o/probability/probability.csv"],
    ),
];

/// Exit code 1 says that a claim failed, which is the same in parts.
fn whole(line: &str, files: &[&str]) -> (i32, Vec<Vec<u8>>) {
    let place = Place::new();
    let done = place.run(line.split(' '));
    assert!([0, 1].contains(&done.code), "{line}: {}", done.stderr);
    (done.code, files.iter().map(|name| place.bytes(name)).collect())
}

fn collected(place: &Place, line: &str, files: &[&str]) -> (i32, Vec<Vec<u8>>) {
    let done = place.run(format!("{line} --collect").split(' '));
    assert!([0, 1].contains(&done.code), "{line}: {}", done.stderr);
    (done.code, files.iter().map(|name| place.bytes(name)).collect())
}

#[test]
fn parts_give_the_bytes_of_the_whole() {
    for (line, files) in GRIDS {
        let expected = whole(line, files);
        for count in [2, 3] {
            let place = Place::new();
            for part in 1..=count {
                if part == count {
                    // nothing is made of what is not whole, and what is missing is named
                    place.refuse(&format!("{line} --collect"), 3, &["not finished", "-"]);
                }
                // in an array, or by hand
                let done = match part % 2 {
                    0 => place.succeed(&format!("{line} --shard {part}/{count}")),
                    _ => array(&place, line, part, count),
                };
                let left = if part == count { "nothing is left" } else { "left to other parts" };
                assert!(done.stdout.contains(left), "{part}/{count}: {}", done.stdout);
                assert!(files.iter().all(|name| !place.path(name).exists()), "a part makes no tables");
            }
            assert_eq!(collected(&place, line, files), expected, "{line} in {count} parts");
            // parts that are finished have nothing to do
            let again = place.succeed(&format!("{line} --shard 1/{count}"));
            assert!(
                again.stderr.contains("of them already finished") || again.stderr.contains(" 0 runs"),
                "{}",
                again.stderr
            );
        }
    }
}

/// The part of a task in an array of Slurm's that begins at 10 and has the step 5.
fn array(place: &Place, line: &str, part: usize, count: usize) -> crate::Done {
    let mut command = place.command(line.split(' '));
    for (name, value) in [("ID", 5 + 5 * part), ("MIN", 10), ("MAX", 5 + 5 * count), ("STEP", 5), ("COUNT", count)] {
        command.env(format!("SLURM_ARRAY_TASK_{name}"), value.to_string());
    }
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let done =
        crate::Done { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) };
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(done.stderr.contains(&format!("part {part}/{count}")), "{}", done.stderr);
    done
}

#[test]
fn plans_of_parts_are_disjoint_and_cover_the_whole() {
    let place = Place::new();
    let ids = |more: &str| {
        let line = "reproduce initialization --only outputs,closeness --widths 8,32 --seeds 3 --quiet --dry-run";
        let done = place.succeed(format!("{line} {more}").trim());
        done.stdout.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let mut all = ids("");
    for count in [1, 2, 5, 40] {
        let mut parts: Vec<String> = (1..=count).flat_map(|part| ids(&format!("--shard {part}/{count}"))).collect();
        parts.sort_unstable();
        all.sort_unstable();
        assert_eq!(parts, all, "{count}");
    }
    assert!(place.content().is_empty());
}

#[cfg(unix)]
#[test]
fn parts_run_side_by_side_and_a_killed_one_is_called_again() {
    let (line, files) = GRIDS[0];
    let expected = whole(line, files);
    let place = Place::new();
    let start = |part: usize| {
        let line = format!("{line} --shard {part}/3 --quiet");
        place.command(line.split(' ')).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let (mut first, second, mut third) = (start(1), start(2), start(3));
    let began = Instant::now();
    let finished = || std::fs::read_dir(place.path("o/runs")).map_or(0, |runs| runs.count());
    while finished() == 0 && first.try_wait().unwrap().is_none() {
        assert!(began.elapsed() < Duration::from_secs(120), "no run was begun");
        std::thread::sleep(Duration::from_millis(2));
    }
    first.kill().unwrap();
    first.wait().unwrap();
    third.kill().unwrap();
    third.wait().unwrap();
    let second = second.wait_with_output().unwrap();
    assert!(second.status.success(), "{}", String::from_utf8_lossy(&second.stderr));
    for part in [3, 1, 1] {
        assert!(start(part).wait_with_output().unwrap().status.success());
    }
    assert_eq!(collected(&place, line, files), expected);
    let left: Vec<_> = place.content().into_keys().filter(|path| path.starts_with(place.path("o"))).collect();
    let hidden = |path: &&std::path::PathBuf| path.file_name().unwrap().to_string_lossy().starts_with('.');
    let left: Vec<_> = left.iter().filter(hidden).collect();
    assert!(left.is_empty(), "what the killed ones left goes when all is collected: {left:?}");
}

/// Whoever has a grid alone excludes its parts, and they exclude him.
#[cfg(unix)]
#[test]
fn a_part_and_the_whole_exclude_one_another() {
    use ntkscope::files::{Access, DirectoryLock};
    let place = Place::new();
    let (line, _) = GRIDS[0];
    let shared = DirectoryLock::of_grid(&place.path("o"), Access::Shared).unwrap();
    place.refuse(line, 2, &["in use", "--out"]);
    place.succeed(&format!("{line} --shard 1/1"));
    place.refuse(&format!("{line} --collect"), 2, &["in use", "--out"]);
    drop(shared);
    let alone = DirectoryLock::of_grid(&place.path("o"), Access::Alone).unwrap();
    place.refuse(&format!("{line} --shard 2/2"), 2, &["in use", "--out"]);
    drop(alone);
    place.succeed(line);
}

/// Grids drawn at random: any axes, any number of parts, in any order.
#[test]
fn random_grids_in_random_parts() {
    let mut state = 20_261_128u64;
    let mut draw = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let axes = ["width=3,5,4", "seed=1..3", "bias=none,input", "init=standard,mirrored", "depth=1,2", "dtype=f32,f64"];
    for round in 0..4 {
        let mut line = "sweep --loss mse --until-time 1 --snapshots 3 --no-figures --threads 1 --out o".to_owned();
        let (first, second) = (draw(6) as usize, draw(5) as usize);
        for axis in [first, (first + 1 + second) % 6] {
            line += &format!(" --set {}", axes[axis]);
        }
        let expected = whole(&line, &["o/cells.csv"]);
        let (place, count) = (Place::new(), 1 + draw(5));
        let mut parts: Vec<u64> = (1..=count).collect();
        for at in (1..parts.len()).rev() {
            parts.swap(at, draw(at as u64 + 1) as usize);
        }
        for part in parts {
            place.succeed(&format!("{line} --shard {part}/{count} --quiet"));
        }
        assert_eq!(collected(&place, &line, &["o/cells.csv"]), expected, "{round}: {line}, {count} parts");
    }
}

#[test]
fn parts_that_are_none_are_refused() {
    let place = Place::new();
    let (line, _) = GRIDS[0];
    for (shard, told) in
        [("3/2", "from 1 to N"), ("0/2", "counted from 1"), ("2", "I/N"), ("a/b", "I/N"), ("1/0", "from 1 to N")]
    {
        place.refuse(&format!("{line} --shard {shard}"), 2, &[told, "--shard"]);
    }
    place.refuse(&format!("{line} --shard 1/2 --collect"), 2, &["--collect", "--shard"]);
    place.refuse(&format!("{line} --collect --dry-run"), 2, &["--collect", "--dry-run"]);
    // an array with gaps does not say which place is whose
    let mut command = place.command(line.split(' '));
    for (name, value) in [("ID", "5"), ("MIN", "1"), ("MAX", "5"), ("STEP", "1"), ("COUNT", "3")] {
        command.env(format!("SLURM_ARRAY_TASK_{name}"), value);
    }
    let output = command.output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && told.contains("--shard I/N"), "{told}");
    assert!(place.content().is_empty());
}
