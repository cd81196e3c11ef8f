//! `ntkscope smoothness`.

use crate::{Place, json};

/// The error of a single draw is unknown, which is not 0.
#[test]
fn a_single_draw_has_no_error() {
    let place = Place::new();
    let line = "smoothness --data sphere --n 40 --depth 1 --window 3..10 --draws 1 --out s --force --quiet";
    let told = place.succeed(line).stdout;
    assert_eq!(told.matches("± undefined").count(), 2, "{told}");
    let summary = json(&place.succeed(&format!("{line} --json")).stdout);
    assert!(summary["alpha_random_outputs_error"].is_null() && summary["risk_random_outputs_error"].is_null());
    assert!(!place.succeed(&line.replace("--draws 1", "--draws 2")).stdout.contains("undefined"));
}

#[test]
fn labels_beside_random_outputs() {
    let place = Place::new();
    let line = "smoothness --data sphere --n 150 --depth 1 --draws 3 --out s --quiet";
    let summary = json(&place.succeed(&format!("{line} --json")).stdout);
    let number = |key: &str| summary[key].as_f64().unwrap();
    // a jump is rougher than f^GP, whose alpha on S^2 is near 1
    assert!(number("alpha") > 0.0 && number("alpha") < number("alpha_random_outputs"), "{summary}");
    assert!((number("alpha_random_outputs") - 1.0).abs() < 0.4, "{summary}");
    assert!(number("risk_zero") > 0.0 && number("risk_random_outputs") > number("risk_zero"), "{summary}");
    assert_eq!((number("held_out"), summary["window"][1].as_u64()), (30.0, Some(30)));
    let spectra = String::from_utf8(place.bytes("s/spectra.csv")).unwrap();
    assert!(spectra.starts_with("ntk,nngp,f parity,gp 0,gp 1,gp 2\n") && spectra.lines().count() == 151);
    assert!(String::from_utf8(place.bytes("s/smoothness.svg")).unwrap().contains("</svg>"));
    place.refuse(line, 2, &["--out s", "--force"]);
    let said = place.succeed(&format!("{line} --force --window 10..40")).stdout;
    assert!(said.contains("k in 10..40") && said.contains("mirrored initialization"), "{said}");
}

/// Labels that are no classes are a function as they are.
#[test]
fn real_labels() {
    let place = Place::new();
    let row = |i: u32| {
        let turn = f64::from(i) * 0.1;
        format!("{},{},{}\n", turn.cos(), turn.sin(), (3.0 * turn).sin() + 0.5)
    };
    place.file("waves.csv", (0..60).map(row).collect::<String>());
    let line = "smoothness --data waves.csv --draws 2 --window 3..9 --out s --json --quiet";
    let summary = json(&place.succeed(line).stdout);
    let spectra = String::from_utf8(place.bytes("s/spectra.csv")).unwrap();
    assert!(spectra.starts_with("ntk,nngp,f labels,gp 0,gp 1\n"), "{summary}");
}

#[test]
fn what_cannot_be_estimated_is_refused() {
    let place = Place::new();
    let line = "smoothness --out s --data sphere";
    place.refuse(&format!("{line} --n 100"), 2, &["--window 20..20", "--n 115 or more"]);
    place.refuse(&format!("{line} --n 100 --window 0..9"), 2, &["--window 0..9", "n = 100"]);
    place.refuse(&format!("{line} --n 100 --window 5..101"), 2, &["--window 5..101"]);
    place.refuse(&format!("{line} --n 100 --window 5-50"), 2, &["--window", "20..600"]);
    place.refuse(&format!("{line} --n 200 --memory 1KiB"), 2, &["--memory"]);
    place.refuse(&format!("{line} --n 200 --draws 0"), 2, &["--draws"]);
}

/// The refusal names the most samples that fit, which do, and one more does not.
#[test]
fn what_does_not_fit_says_what_does() {
    let place = Place::new();
    let line =
        |n: usize| format!("smoothness --data sphere --n {n} --draws 2 --depth 1 --memory 64MiB --out s --force");
    let refused = place.run(line(1500).split_whitespace());
    let said = refused.stderr.split("(--n ").nth(1).and_then(|rest| rest.split(" fits").next());
    let n: usize = said.and_then(|n| n.parse().ok()).unwrap_or_else(|| panic!("{}", refused.stderr));
    assert!(refused.code == 2 && (115..1500).contains(&n), "{}", refused.stderr);
    place.refuse(&line(n + 1), 2, &[&format!("(--n {n} fits)")]);
    place.succeed(&line(n));
}

/// Kernels of rank r: a fit needs r eigenvalues at least that are no rounding.
#[test]
fn fits_end_where_rounding_begins() {
    let place = Place::new();
    // r different points, some of them more than once
    let points = |r: u32| {
        let row = |i: u32| {
            let turn = f64::from(i % r) * 0.05;
            format!("{},{},{}\n", turn.cos(), turn.sin(), (7.0 * turn).sin() + f64::from(i % r % 3))
        };
        (0..40).map(row).collect::<String>()
    };
    let line = "smoothness --data p.csv --depth 1 --draws 2 --window 3..10 --out s --force";
    for r in [9, 10, 11, 36, 40] {
        place.file("p.csv", points(r));
        if r < 10 {
            place.refuse(line, 2, &["--window 3..10", "from k = 10 on", "ends at 9"]);
            assert!(!place.path("s").exists());
            place.succeed(&line.replace("10", "9"));
        } else {
            let done = place.succeed(&format!("{line} --json --quiet"));
            // the paper's window is k < 0.9 n
            let summary = json(&done.stdout);
            assert_eq!(summary["alpha_paper"].is_null(), r < 35, "{summary}");
        }
    }
    place.file("p.csv", "1,2,0.5\n".repeat(40));
    place.refuse(line, 2, &["all labels are equal"]);
    place.file("p.csv", "1,2,0.5\n1,2,1.5\n".repeat(20));
    place.refuse(line, 2, &["from k = 2 on", "too few"]);
    for (factor, what) in [(1e-200, "small"), (1e200, "large")] {
        place.file("p.csv", (0..40).map(|i| format!("1,{i},{:e}\n", factor * f64::from(i))).collect::<String>());
        place.refuse(line, 2, &["labels", what]);
    }
}
