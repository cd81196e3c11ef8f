//! The drift table of the six points, measured with the flow and with explicit steps of several sizes.
//!
//! `cargo run --release -p ntkscope-tests --example six_points -- WIDTH SEEDS [flow TOLERANCE | steps ETA]...`

use ntkscope_tests::drift::{MARKS, Method, TABLE, on_six_points};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |i: usize| arguments[i].parse::<f64>().expect("a number");
    let (width, seeds) = (number(0) as usize, number(1) as u64);
    for pair in (2..arguments.len()).step_by(2) {
        let method = match arguments[pair].as_str() {
            "flow" => Method::Flow(number(pair + 1)),
            "steps" => Method::Steps(number(pair + 1)),
            other => panic!("flow or steps, not {other}"),
        };
        for mirrored in [true, false] {
            let begin = std::time::Instant::now();
            let runs: Vec<_> = (0..seeds).map(|seed| on_six_points(width, mirrored, method, seed, &MARKS)).collect();
            println!(
                "width {width}, mirrored {mirrored}, {method:?}, {seeds} seeds, {:.1} s",
                begin.elapsed().as_secs_f64()
            );
            let reference = TABLE.iter().find(|row| row.0 == mirrored && row.1 == width);
            for (k, mark) in MARKS.iter().enumerate() {
                let mean = |f: &dyn Fn(usize) -> f64| (0..runs.len()).map(f).sum::<f64>() / runs.len() as f64;
                let drift = mean(&|r| runs[r][k].drift);
                let deviation = mean(&|r| (runs[r][k].drift - drift).powi(2)).sqrt();
                println!(
                    "  margin {mark:4}: drift {drift:8.3} +- {deviation:.3}  ratio to reference {:.3}  margin seen {:.3}  ln(1+t) {:.3}  evaluations {:.0}",
                    reference.map_or(f64::NAN, |row| drift / row.2[k]),
                    mean(&|r| runs[r][k].margin),
                    mean(&|r| runs[r][k].log_time),
                    mean(&|r| runs[r][k].evaluations as f64),
                );
            }
        }
    }
}
