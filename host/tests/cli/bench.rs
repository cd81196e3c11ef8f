//! `ntkscope bench`: the shape of what it says, on its smallest case.

use serde_json::Value;

use crate::{Place, json};

#[test]
fn one_case_and_the_machine() {
    let place = Place::new();
    let done = place.succeed("bench --only step-6 --repeat 1 --threads 1 --quiet --json");
    let all = json(&done.stdout);
    let machine = all["machine"].as_object().unwrap();
    for key in ["gemm_gflops_f32", "gemm_gflops_f64", "bandwidth_gb_s", "gemm_gflops_f32_one_thread"] {
        assert!(machine[key].as_f64().is_some_and(|rate| rate > 0.0 && rate.is_finite()), "{key}: {all}");
    }
    assert_eq!(machine["threads"], 1);
    let cases = all["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 1);
    let case = &cases[0];
    let text = |key: &str| case[key].as_str().unwrap();
    let count = |key: &str| case[key].as_u64().unwrap();
    assert_eq!([text("name"), text("what"), text("dtype")], ["step-6", "gd_step", "f64"]);
    // which of the two takes longer here is the machine's
    assert!(["gemm", "bandwidth"].contains(&text("limit")), "{all}");
    assert_eq!(["n", "width", "depth", "outputs", "inputs"].map(count), [6, 1024, 2, 1, 784]);
    assert_eq!((count("threads"), count("runs")), (1, 1));
    for key in ["seconds", "fraction_of_limit"] {
        assert!(case[key].as_f64().is_some_and(|value| value > 0.0 && value.is_finite()), "{key}: {all}");
    }
    let peak = &case["peak_bytes"];
    if cfg!(target_os = "linux") {
        // parameters before and now
        let parameters = 1024 * (784 + 1 + 1024 + 1);
        assert!(peak.as_u64().is_some_and(|bytes| bytes > 2 * 8 * parameters), "{all}");
    } else {
        assert_eq!(peak, &Value::Null);
    }
    assert_eq!(done.stderr, "");
}

#[test]
fn the_table() {
    let place = Place::new();
    let said = place.succeed("bench --only step-6,empirical-10-outputs --quick --repeat 1 --quiet").stdout;
    for part in ["GFlop/s in f32", "GB/s", "case", "of the limit", "784, 2 x 1024, 1", "784, 2 x 512, 10"] {
        assert!(said.contains(part), "`{part}` is not in: {said}");
    }
}

#[test]
fn what_cannot_be_measured_is_refused() {
    let place = Place::new();
    place.refuse("bench --only kernel", 2, &["--only kernel", "empirical-1000-f32", "step-6"]);
    place.refuse("bench --only empirical-4000 --quick", 2, &["--only empirical-4000", "--quick"]);
    place.refuse("bench --repeat 0", 2, &["--repeat"]);
    place.refuse("bench --memory 1KiB", 2, &["1.0 KiB (--memory)", "raise --memory"]);
}
