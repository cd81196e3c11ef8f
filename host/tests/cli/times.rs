//! `--times`: snapshots at moments that are given, which are a device's.

use ntkscope::experiment::Times;
use ntkscope::files::CsvTable;
use ntkscope::run::Trace;

use crate::Place;
use crate::experiment::{Board, Number, divergence};

/// The firmware's own experiment, compiled for this machine: what a board sends is this, bit for bit.
fn device() -> Vec<Number> {
    let board = Board { ram: 4 << 20, fpu: false };
    let mut numbers = Vec::new();
    divergence::run(board, &mut vec![0.0; divergence::len(board)], &mut |number| numbers.push(number)).unwrap();
    numbers
}

/// Every number of every row, of both losses.
#[test]
fn a_run_at_the_times_of_a_device_has_its_rows() {
    let (place, numbers) = (Place::new(), device());
    let due: Vec<String> = numbers.iter().filter(|n| n.field == "due").map(|n| n.value.to_string()).collect();
    place.file("times.csv", format!("due\n{}\n", due.join("\n")));
    place.succeed(
        "run --data circle --n 6 --depth 2 --width 32 --bias input --init mirrored --seed 1 --dtype f32 \
         --backend portable --loss both --times times.csv --predictions false --no-figures --quiet --out o",
    );
    let mut compared = 0;
    for (run, directory) in [("cross-entropy", "cross-entropy"), ("squared-error", "mse")] {
        let table = CsvTable::read(&place.path(format!("o/{directory}/trace.csv"))).unwrap();
        let rows = table.rows().len();
        assert_eq!(rows, due.len() / 2, "{run}");
        for (record, cells) in table.rows().enumerate() {
            let of_record = numbers.iter().filter(|n| n.run == run && n.record as usize == record && n.field != "due");
            for Number { field, value, .. } in of_record {
                let host = cells.number(field).unwrap();
                let same = host == f64::from(*value) || host.is_nan() && value.is_nan();
                assert!(same, "{run} record {record}, {field}: the host has {host:e}, the board {value:e}");
                compared += 1;
            }
        }
    }
    assert_eq!(compared, numbers.len() - due.len());
}

#[test]
fn times_are_kept_resumed_and_refused() {
    let place = Place::new();
    let line = "run --width 8 --loss mse --predictions false --no-figures --quiet";
    place.succeed(&format!("{line} --times 0,0.5,2,20 --out o"));
    let trace = Trace::read("mse", &place.path("o/trace.csv")).unwrap();
    let times: Vec<f64> = trace.rows.iter().map(|row| row.time).collect();
    assert!(
        times.len() == 4 && times.iter().zip([0.0, 0.5, 2.0, 20.0]).all(|(t, due)| *t >= 0.9998 * due),
        "{times:?}"
    );
    // the settings that are saved make the same run
    place.succeed("run o/run.toml --quiet --no-figures --out again");
    assert_eq!(place.bytes("again/trace.csv"), place.bytes("o/trace.csv"));
    // a criterion that is met before the last of them ends the run
    place.succeed(&format!("{line} --times 0,0.5,2,20 --max-steps 3 --out short"));
    assert!(Trace::read("mse", &place.path("short/trace.csv")).unwrap().rows.len() < 4);
    // the rows of another run
    place.succeed(&format!("{line} --times o/trace.csv --out rows"));
    let most = "1,".repeat(Times::MOST);
    for (more, code, words) in [
        ("--times 0,1,0.5", 2, &["--times 0", "ascending"][..]),
        ("--times 0", 2, &["--times 0", "after 0"]),
        ("--times soon", 2, &["soon", "csv"]),
        ("--times 1,2 --until-time 7", 2, &["--until-time 7", "--times"]),
        ("--times 1,2 --snapshots 7", 2, &["--snapshots 7", "--times"]),
        ("--times none.csv", 2, &["none.csv"]),
        ("--times o/params.csv", 2, &["params.csv"]),
    ] {
        place.refuse(&format!("{line} {more} --out x"), code, words);
    }
    place.refuse(&format!("{line} --times {most}2 --out x"), 2, &["ascending"]);
    place.file("other.csv", "step\n1\n");
    place.refuse(&format!("{line} --times other.csv --out x"), 2, &["other.csv", "due or time"]);
}
