//! Cross-entropy on the six points: the kernel's drift grows with the margin and falls with the width.

use ntkscope_tests::drift::{MARKS, Method, TABLE, on_six_points};
use ntkscope_tests::tolerance::Check;

/// Mean drift at the first `marks` margins.
fn mean_drift(width: usize, mirrored: bool, method: Method, seeds: u64, marks: usize) -> Vec<f64> {
    let runs: Vec<_> = (0..seeds).map(|seed| on_six_points(width, mirrored, method, seed, &MARKS[..marks])).collect();
    (0..marks).map(|k| runs.iter().map(|run| run[k].drift).sum::<f64>() / seeds as f64).collect()
}

/// (width, seeds, margins): what is affordable in the suite. Debug builds run core about fifty times slower.
const PLAN: &[(usize, u64, usize)] =
    if cfg!(debug_assertions) { &[(64, 4, 3)] } else { &[(64, 8, 4), (256, 4, 4), (1024, 1, 2)] };

#[test]
fn drift_at_fixed_margins() {
    let mut check = Check::of("six points: ln of drift over reference");
    for (width, seeds, marks) in PLAN {
        for mirrored in [true, false] {
            let row = TABLE.iter().find(|row| row.0 == mirrored && row.1 == *width).expect("a row of the table");
            let drift = mean_drift(*width, mirrored, Method::Flow(0.01), *seeds, *marks);
            assert!(drift.windows(2).all(|w| w[0] < w[1]), "drift grows with the margin: {drift:?}");
            for (k, drift) in drift.iter().enumerate() {
                let case = format!("width {width}, mirrored {mirrored}, margin {}", MARKS[k]);
                println!("{case}: {drift:.3}, reference {:.3}", row.2[k]);
                check.error(&case, k, row.2[k], *drift, (drift / row.2[k]).ln().abs());
            }
        }
    }
    check.finish();
}
