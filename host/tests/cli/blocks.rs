//! Kernels that do not fit into memory: the bits of those that do, and nothing left of those that fail.

use ntkscope::kernel::KernelFile;

use crate::{Place, json};

/// The least `--memory` with which the kernel can be computed, in bytes, as the refusal names it.
#[track_caller]
fn least(place: &Place, line: &str) -> u64 {
    let done = place.run(format!("kernel {line} --memory 1MiB").split_whitespace());
    assert_eq!(done.code, 2, "{}", done.stderr);
    let (_, text) = done.stderr.split_once("even in blocks, needs about ").expect("a refusal");
    let mib: f64 = text.split_whitespace().next().unwrap().parse().unwrap();
    // the refusal's number is rounded to 0.1 MiB
    ((mib + 0.1) * 1024.0 * 1024.0) as u64
}

/// The kernel held whole and the kernel in blocks, under as little memory as can be: their summaries.
#[track_caller]
fn both(place: &Place, line: &str) -> (serde_json::Value, serde_json::Value) {
    let whole = json(&place.succeed(&format!("kernel {line} --json --out whole.npy")).stdout);
    assert_eq!(whole["memory"]["whole"], true, "{line}: {whole}");
    let memory = least(place, line);
    let done = place.succeed(&format!("kernel {line} --memory {memory} --json --out blocks.npy"));
    let blocks = json(&done.stdout);
    assert_eq!(blocks["memory"]["whole"], false, "{line}: {blocks}");
    assert!(blocks["memory"]["blocks"].as_u64().unwrap() > 1, "{line}: {blocks}");
    assert_eq!(blocks["memory"]["limit"], memory);
    let forecast = blocks["memory"]["forecast"].as_u64().unwrap();
    assert!(forecast <= memory, "{line}: {blocks}");
    assert!(done.stderr.contains("memory: about") && done.stderr.contains("blocks.npy"), "{}", done.stderr);
    assert!(place.bytes("whole.npy") == place.bytes("blocks.npy"), "{line}: other bits in blocks");
    (whole, blocks)
}

/// Kernels whose samples take so much that blocks are worth while: by their width, or by their outputs.
const WIDE: &str = "empirical --data sphere --n 300 --depth 1 --width 2000";
const FULL: &str = "empirical --data sphere --n 200 --width 300 --outputs 2 --multi-output full --backend portable";
/// More samples than one block has.
const INFINITE: &str = "analytic --data sphere --n 600 --backend portable";

#[test]
fn blocks_have_the_bits_of_the_whole() {
    let place = Place::new();
    for flags in ["", "--dtype f32 --threads 1", "--backend portable --init standard"] {
        both(&place, &format!("{WIDE} {flags}"));
    }
    for flags in ["", "--dtype f32", "--network resnet"] {
        both(&place, &format!("{FULL} {flags}"));
    }
    both(&place, INFINITE);
}

/// More memory than the least: the tangents of all samples are kept, where the least has them computed again.
#[test]
fn what_is_kept_does_not_change_bits() {
    let place = Place::new();
    let line = format!("kernel {WIDE} --multi-output 0");
    place.succeed(&format!("{line} --out whole.npy"));
    let mut cuts = Vec::new();
    let whole = json(&place.succeed(&format!("{line} --json")).stdout)["memory"]["forecast"].as_u64().unwrap();
    for memory in [least(&place, &format!("{WIDE} --multi-output 0")), whole - 1] {
        let found = json(&place.succeed(&format!("{line} --memory {memory} --json --out blocks.npy")).stdout);
        assert_eq!(found["memory"]["whole"], false);
        cuts.push(found["memory"]["blocks"].clone());
        assert!(place.bytes("whole.npy") == place.bytes("blocks.npy"), "with {memory} bytes");
    }
    assert_ne!(cuts[0], cuts[1]);
}

#[test]
fn summaries_agree() {
    let place = Place::new();
    for (line, names) in [(WIDE, &["kernel"][..]), (FULL, &["kernel"]), (INFINITE, &["ntk", "nngp"])] {
        let (whole, blocks) = both(&place, line);
        for name in names {
            let (whole, blocks) = (&whole[name], &blocks[name]);
            for key in ["n", "min", "max"] {
                assert_eq!(whole[key], blocks[key], "{line}: {key}");
            }
            let number = |of: &serde_json::Value, key: &str| of[key].as_f64().unwrap();
            let rounding = 1e-12 * number(whole, "lambda_max");
            // sums, block by block
            for key in ["frobenius", "mean_diagonal"] {
                assert!((number(whole, key) - number(blocks, key)).abs() <= rounding, "{line}: {key}");
            }
            let lanczos = &blocks["lanczos"];
            assert_eq!(lanczos["lambda_max_converged"], true, "{line}: {lanczos}");
            for key in ["lambda_min", "lambda_max"] {
                let apart = (number(whole, key) - number(blocks, key)).abs();
                let bound = number(lanczos, &format!("{key}_residual"));
                assert!(apart <= bound + rounding, "{line}: {key} apart by {apart:e}, residual {bound:e}");
            }
            assert!(number(blocks, "lambda_min") >= number(whole, "lambda_min") - rounding, "{line}");
            assert_eq!(blocks["effective_rank"], serde_json::Value::Null);
        }
    }
}

#[test]
fn an_unconverged_eigenvalue_is_called_a_bound() {
    let place = Place::new();
    let memory = least(&place, INFINITE);
    let words = place.succeed(&format!("kernel {INFINITE} --memory {memory}")).stdout;
    assert!(words.contains("lambda_min <= ") && words.contains("lambda_min not converged"), "{words}");
    assert!(words.contains("condition >= ") && words.contains("256 Lanczos steps"), "{words}");
}

#[test]
fn without_out_nothing_stays() {
    let place = Place::new();
    let line = format!("kernel {FULL} --memory {} --json", least(&place, FULL));
    let alone = json(&place.succeed(&line).stdout);
    assert!(place.content().is_empty(), "{:?}", place.content().keys());
    assert_eq!(json(&place.succeed(&format!("{line} --out K.npy")).stdout), alone);
}

#[test]
fn parameters_go_with_blocks() {
    let place = Place::new();
    place.file("x.csv", (0..300).map(|i| format!("{},{},{}\n", i, 300 - i, i % 2)).collect::<String>());
    let line = "empirical --data x.csv --normalize sphere --depth 1 --width 2000";
    let memory = least(&place, line) + (1 << 20);
    place.succeed(&format!("kernel {line} --seed 4 --params-out P.npz --out whole.npy"));
    place.succeed(&format!("kernel {line} --params P.npz --params-out Q.npz --memory {memory} --out blocks.npy"));
    assert!(place.bytes("whole.npy") == place.bytes("blocks.npy"));
    assert!(place.bytes("P.npz") == place.bytes("Q.npz"));
}

#[test]
fn an_npy_holds_the_array_of_the_npz() {
    let place = Place::new();
    for dtype in ["f32", "f64"] {
        place.succeed(&format!("kernel analytic --n 6 --dtype {dtype} --out K.npz"));
        place.succeed(&format!("kernel analytic --n 6 --dtype {dtype} --out K.npy"));
        let mut file = KernelFile::open(&place.path("K.npy")).unwrap();
        assert_eq!(file.read_rows(0..6).unwrap(), place.array("K.npz", "kernel").1);
        // the header that numpy writes and reads, padded to 64 bytes
        let bytes = place.bytes("K.npy");
        let digit = dtype.trim_start_matches('f').parse::<usize>().unwrap() / 8;
        let header = format!("{{'descr': '<f{digit}', 'fortran_order': False, 'shape': (6, 6), }}");
        assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
        assert_eq!(std::str::from_utf8(&bytes[10..10 + header.len()]).unwrap(), header);
        assert_eq!(bytes.len() % 64, 36 * digit % 64);
    }
}

#[test]
fn what_cannot_be_done_is_refused() {
    let place = Place::new();
    let memory = least(&place, FULL);
    let line = format!("kernel {FULL} --memory {memory}");
    place.refuse(&format!("{line} --out K.npz"), 2, &["--out K.npz", "--out K.npy", "--memory"]);
    place.refuse(
        &format!("kernel {FULL} --memory {} --out K.npy", memory / 2),
        2,
        &["even in blocks", "--memory", "--n"],
    );
    place.refuse(&format!("{line} --out nowhere/K.npy"), 2, &["--out", "nowhere/K.npy"]);

    let rows = |n: usize, last: &str| (0..n).map(|i| format!("{i},{last},{}\n", i % 2)).collect::<String>();
    place.file("huge.csv", rows(299, "1") + "1,1e300,0\n");
    let huge = "empirical --data huge.csv --depth 1 --width 2000";
    let memory = least(&place, huge);
    place.refuse(&format!("kernel {huge} --memory {memory} --out K.npy"), 2, &["sample 299 is too large"]);
}

#[test]
fn damaged_npy_files() {
    let place = Place::new();
    place.succeed("kernel analytic --n 6 --out K.npy");
    let whole = place.bytes("K.npy");
    place.file("short.npy", &whole[..whole.len() - 1]);
    place.refuse("compare K.npy short.npy", 3, &["short.npy", "[6, 6]", "truncated"]);
    let text = |from: &str, to: &str| {
        let at = whole.windows(from.len()).position(|w| w == from.as_bytes()).unwrap();
        let mut changed = whole.clone();
        changed[at..at + to.len()].copy_from_slice(to.as_bytes());
        changed
    };
    for (from, to, part) in [("<f8", "<c8", "<c8"), ("(6, 6)", "(9, 4)", "square")] {
        place.file("other.npy", text(from, to));
        place.refuse("compare other.npy K.npy", 3, &["other.npy", part]);
    }
    place.file("none.npy", "no numbers");
    place.refuse("compare none.npy K.npy", 3, &["none.npy"]);
}

#[test]
fn kernels_on_the_disk_are_compared() {
    let place = Place::new();
    for (name, seed) in [("A", 1), ("B", 2)] {
        let line = format!("kernel empirical --data sphere --n 300 --width 10 --seed {seed}");
        place.succeed(&format!("{line} --out {name}.npz"));
        place.succeed(&format!("{line} --out {name}.npy"));
    }
    let held = json(&place.succeed("compare A.npz B.npz --json").stdout);
    let mut of_npy = json(&place.succeed("compare A.npy B.npy --json").stdout);
    of_npy["settings"] = held["settings"].clone();
    assert_eq!(of_npy, held, "the same but for the files' names");
    for pair in ["A.npy B.npy", "A.npz B.npy"] {
        let apart = json(&place.succeed(&format!("compare {pair} --json --memory 1MiB")).stdout);
        for key in ["max_abs_difference", "max_relative", "frobenius_relative", "centred_alignment"] {
            assert_eq!(apart[key], held[key], "{pair}: {key}");
        }
        let number = |of: &serde_json::Value| of["b"]["lambda_max"].as_f64().unwrap();
        assert!((number(&apart) / number(&held) - 1.0).abs() < 1e-10);
        for key in ["min", "max", "mean_diagonal"] {
            assert_eq!(apart["b"][key], held["b"][key], "{pair}: {key}");
        }
    }
}

/// The most memory that the system saw the process have. Unoptimized, the program itself is larger than is forecast.
#[cfg(all(target_os = "linux", not(debug_assertions)))]
#[test]
fn the_limit_is_kept() {
    for line in [WIDE, FULL, INFINITE, "empirical --data sphere --n 900 --width 900 --depth 1 --dtype f32"] {
        let place = Place::new();
        let memory = least(&place, line);
        let line = format!("kernel {line} --memory {memory} --quiet");
        let mut child = place.command(line.split_whitespace()).stdout(std::process::Stdio::null()).spawn().unwrap();
        let (status, mut peak) = (format!("/proc/{}/status", child.id()), 0);
        let end = loop {
            let text = std::fs::read_to_string(&status).unwrap_or_default();
            if let Some(line) = text.lines().find_map(|line| line.strip_prefix("VmHWM:")) {
                peak = 1024 * line.trim().trim_end_matches(" kB").parse::<u64>().unwrap();
            }
            if let Some(end) = child.try_wait().unwrap() {
                break end;
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        };
        assert!(end.success(), "{line}");
        assert!(peak > 4 << 20 && peak <= memory, "{line}: {peak} bytes");
    }
}

/// Takes long, in many blocks: every sample's tangent is computed again for every block.
#[cfg(target_os = "linux")]
const LONG: &str = "empirical --data sphere --n 3000 --width 700 --backend portable";

/// Whether a process has written to a file without a name.
#[cfg(target_os = "linux")]
fn holds_a_file(process: u32) -> bool {
    use std::os::unix::fs::MetadataExt;
    let Ok(open) = std::fs::read_dir(format!("/proc/{process}/fd")) else { return false };
    let files = open.flatten().filter_map(|entry| std::fs::metadata(entry.path()).ok());
    files.into_iter().any(|file| file.nlink() == 0 && file.len() > 0)
}

#[cfg(target_os = "linux")]
#[test]
fn a_kernel_that_is_stopped_leaves_no_kernel() {
    use crate::signals::{end, signal};
    for (name, code) in [("INT", Some(130)), ("TERM", Some(130)), ("KILL", None)] {
        let place = Place::new();
        let line = format!("kernel {LONG} --memory {} --out K.npy", least(&place, LONG));
        let child = place.command(line.split_whitespace()).stderr(std::process::Stdio::null()).spawn().unwrap();
        let began = std::time::Instant::now();
        // where the system has nameless files, it is one until it is whole
        while !holds_a_file(child.id()) {
            assert!(began.elapsed().as_secs() < 60, "the file does not come");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        signal(&child, name);
        assert_eq!(end(child).code(), code, "{name}");
        assert!(!place.path("K.npy").exists(), "{name}");
        assert!(place.content().is_empty(), "{name}");
    }
}

#[cfg(unix)]
#[test]
fn a_disk_without_room_is_named() {
    let place = Place::new();
    let memory = least(&place, FULL);
    for out in ["--out K.npy", ""] {
        let program = env!("CARGO_BIN_EXE_ntkscope");
        // no file may grow beyond 50 KiB, the kernel has 1.3 MB
        let line = format!("trap '' XFSZ; ulimit -f 100; exec {program} kernel {FULL} --memory {memory} {out}");
        let mut shell = std::process::Command::new("sh");
        let done = shell.args(["-c", &line]).current_dir(place.path("")).output().unwrap();
        let stderr = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(4), "{stderr}");
        assert!(stderr.contains("--out") && stderr.contains("1.2 MiB to spare"), "{stderr}");
        assert!(place.content().is_empty(), "{:?}", place.content().keys());
    }
}
