//! `ntkscope smoothness`.

use crate::{Place, json};

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
    place.refuse(&format!("{line} --n 100"), 2, &["--window 20..20", "--n of at least 115"]);
    place.refuse(&format!("{line} --n 100 --window 0..9"), 2, &["--window 0..9", "n = 100"]);
    place.refuse(&format!("{line} --n 100 --window 5..101"), 2, &["--window 5..101"]);
    place.refuse(&format!("{line} --n 100 --window 5-50"), 2, &["--window", "20..600"]);
    place.refuse(&format!("{line} --n 200 --memory 1KiB"), 2, &["--memory"]);
    place.refuse(&format!("{line} --n 200 --draws 0"), 2, &["--draws"]);
}
