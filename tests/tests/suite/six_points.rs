//! Cross-entropy on the six points: the kernel's drift grows with the margin and falls with the width.

use ntkscope_tests::drift::{MARKS, Method, TABLE, on_six_points};
use ntkscope_tests::tolerance::Check;

/// Mean drift at the first `marks` margins.
fn mean_drift(width: usize, mirrored: bool, method: Method, seeds: u64, marks: usize) -> Vec<f64> {
    let runs: Vec<_> = (0..seeds).map(|seed| on_six_points(width, mirrored, method, seed, &MARKS[..marks])).collect();
    (0..marks).map(|k| runs.iter().map(|run| run[k].drift).sum::<f64>() / seeds as f64).collect()
}

/// Within a factor 1.6 of the reference, and growing.
fn compare(check: &mut Check, width: usize, mirrored: bool, method: Method, seeds: u64, marks: usize) {
    let row = TABLE.iter().find(|row| row.0 == mirrored && row.1 == width).expect("a row of the table");
    let drift = mean_drift(width, mirrored, method, seeds, marks);
    assert!(drift.windows(2).all(|w| w[0] < w[1]), "drift grows with the margin: {drift:?}");
    for (k, drift) in drift.iter().enumerate() {
        let case = format!("width {width}, mirrored {mirrored}, margin {}", MARKS[k]);
        println!("{case}: {drift:.3}, reference {:.3}", row.2[k]);
        check.error(&case, k, row.2[k], *drift, (drift / row.2[k]).ln().abs());
    }
}

#[test]
fn drift_of_narrow_networks() {
    let mut check = Check::named("six points: ln of drift over reference");
    for mirrored in [true, false] {
        // debug builds run core about fifty times slower: one width and fewer margins there
        if cfg!(debug_assertions) {
            compare(&mut check, 64, mirrored, Method::Flow(0.02), 2, 2);
        } else {
            compare(&mut check, 64, mirrored, Method::Flow(0.01), 6, 4);
            compare(&mut check, 256, mirrored, Method::Flow(0.01), 3, 4);
        }
    }
    check.finish();
}

/// Width 1024 up to margin 4, in release builds; the example `six_points` goes on to 16 (45 s for each seed).
#[cfg(not(debug_assertions))]
mod wide {
    use super::*;

    #[test]
    fn drift_of_wide_mirrored_networks() {
        let mut check = Check::named("six points: ln of drift over reference");
        compare(&mut check, 1024, true, Method::Flow(0.02), 1, 2);
        check.finish();
    }

    #[test]
    fn drift_of_wide_networks() {
        let mut check = Check::named("six points: ln of drift over reference");
        compare(&mut check, 1024, false, Method::Flow(0.02), 1, 2);
        check.finish();
    }
}

#[test]
fn explicit_steps_reproduce_the_reference() {
    // the method by which the reference was made, on other seeds
    let mut check = Check::named("six points: ln of drift by explicit steps over reference");
    let seeds = if cfg!(debug_assertions) { 2 } else { 6 };
    for mirrored in [true, false] {
        compare(&mut check, 64, mirrored, Method::Steps(0.5), seeds, 4);
    }
    check.finish();
}

/// Ratio of the mean drifts of two widths whose ratio is 4, at margins 2 and 4: 4 by the law c u^2/m. Too slow
/// for debug builds.
#[cfg(not(debug_assertions))]
#[test]
fn at_a_fixed_margin_the_drift_falls_like_one_over_the_width() {
    let mut check = Check::named("drift against the width");
    let drifts = |width| mean_drift(width, true, Method::Flow(0.02), 8, 2);
    for (k, (narrow, wide)) in drifts(64).iter().zip(drifts(256)).enumerate() {
        check.error(&"ratio", MARKS[k], 4.0, narrow / wide, (narrow / wide / 4.0).ln().abs());
    }
    check.finish();
}
