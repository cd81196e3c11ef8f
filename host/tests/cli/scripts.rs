//! What scripts read: the object that `--json` prints, against the schema that `ntkscope man json` prints.

use ntkscope::cli::json::SCHEMA;
use serde_json::Value;

use crate::{Place, json};

/// What is wrong with `value` by `shape`, with the path to it: types, keys that must be there, keys that nobody describes.
fn faults(schema: &Value, shape: &Value, value: &Value, path: &str, found: &mut Vec<String>) {
    let shape = match shape["$ref"].as_str() {
        Some(place) => schema.pointer(place.trim_start_matches('#')).expect("the schema has it"),
        None => shape,
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let allowed = |name: &str| name == kind || (name == "number" && kind == "integer");
    let is_right = match &shape["type"] {
        Value::String(name) => allowed(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).any(allowed),
        _ => true,
    };
    if !is_right {
        found.push(format!("{path} is {value}, but should be {}", shape["type"]));
    }
    for key in shape["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.get(key).is_none() {
            found.push(format!("{path} has no {key}"));
        }
    }
    for (key, inner) in value.as_object().into_iter().flatten() {
        let path = format!("{path}.{key}");
        match (&shape["properties"][key], &shape["additionalProperties"]) {
            (Value::Null, Value::Bool(false)) => found.push(format!("{path} is described nowhere")),
            (Value::Null, other) if other.is_object() => faults(schema, other, inner, &path, found),
            (Value::Null, _) => {}
            (shape, _) => faults(schema, shape, inner, &path, found),
        }
    }
    for (at, inner) in value.as_array().into_iter().flatten().enumerate() {
        faults(schema, &shape["items"], inner, &format!("{path}[{at}]"), found);
    }
}

/// The object of a command, which is right.
#[track_caller]
fn checked(place: &Place, command: &str, rest: &str) -> Value {
    let done = place.run(format!("{command} {rest} --json").split_whitespace());
    let object = json(&done.stdout);
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let shape = &schema["commands"][command];
    assert!(shape.is_object(), "{command} is described nowhere");
    let mut found = Vec::new();
    faults(&schema, shape, &object, command, &mut found);
    faults(&schema, &schema["$defs"]["document"], &object, command, &mut found);
    // at the top what all commands have, and what this one has
    for key in object.as_object().unwrap().keys() {
        if shape["properties"][key].is_null() && schema["$defs"]["document"]["properties"][key].is_null() {
            found.push(format!("{command}.{key} is described nowhere"));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert_eq!(object["schema"], format!("ntkscope-{}/1", command.replace(' ', "-")));
    assert_eq!(object["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(object.get("error").is_some(), done.code != 0, "{object}");
    object
}

#[test]
fn every_object_is_as_its_schema_says() {
    let place = Place::new();
    let run = checked(&place, "run", "--width 4 --depth 1 --until-time 1 --out o");
    assert_eq!((&run["settings"]["width"], &run["settings"]["until-time"]), (&4.into(), &1.0.into()));
    let analytic = checked(&place, "kernel analytic", "--out A.npz");
    assert!(analytic["settings"].get("width").is_none(), "the infinitely wide network has none");
    let empirical = checked(&place, "kernel empirical", "--width 8");
    assert_eq!(empirical["kernels"]["kernel"], empirical["kernel"]);
    assert_eq!(analytic["kernels"]["ntk"], analytic["ntk"]);
    checked(&place, "compare", "A.npz A.npz:nngp");
    let predicted = checked(&place, "predict", "--loss mse --held-out 2 --depth 1");
    assert_eq!(predicted["settings"]["time"], "inf");
    checked(&place, "smoothness", "--data sphere --n 40 --window 3..10 --depth 1 --out s");
    checked(&place, "spectrum", "--data sphere --n 40 --steps 10");
    checked(&place, "regress", "--data sphere --n 40 --held-out 5 --ridge 0.1");
    checked(&place, "regress", "--data mixture --n 40 --held-out 5 --ridge 0.1 --loss cross-entropy");
    checked(&place, "data list", "");
    checked(&place, "columns", "trace.csv");
    checked(&place, "reproduce", "divergence --only six-points --seeds 1 --dry-run");
    checked(&place, "data show", "--data sphere --n 4");
    let swept = "--set width=4,5 --loss mse --until-time 1 --snapshots 3 --out w";
    checked(&place, "sweep", &format!("{swept} --dry-run"));
    checked(&place, "sweep", &format!("{swept} --shard 1/2"));
    let sweep = checked(&place, "sweep", swept);
    assert_eq!(
        (&sweep["settings"]["width"], sweep["cells"].as_array().map(Vec::len)),
        (&serde_json::json!([4, 5]), Some(2))
    );
    place.file("frames.txt", crate::device::lines().join("\n"));
    let device = checked(&place, "device", "frames.txt --out dev");
    assert_eq!((&device["code"], device["runs"].as_array().map(Vec::len)), (&0.into(), Some(2)));
    let compared = checked(&place, "report", "w --out c");
    assert_eq!(compared["runs"][0]["values"]["width"], "4");
}

#[test]
fn a_failure_is_an_object_too() {
    let place = Place::new();
    for (command, rest, code) in [
        ("run", "--width x", 2),
        ("run", "--width 0", 2),
        ("kernel analytic", "--data none.csv", 3),
        ("kernel analytic", "--width 3", 2),
        ("compare", "nope.npz nope.npz", 3),
        ("predict", "", 2),
        ("data show", "--n 5", 2),
        ("sweep", "--set width=0,4", 2),
        ("sweep", "--set width=3,4 --loss mse --collect --out none", 3),
        ("report", "none", 3),
        ("device", "none", 3),
        ("device", "", 2),
    ] {
        let line = format!("{command} {rest} --json");
        let done = place.run(line.split_whitespace());
        assert_eq!(done.code, code, "{line}: {}", done.stderr);
        let object = json(&done.stdout);
        assert_eq!(object["schema"], format!("ntkscope-{}/1", command.replace(' ', "-")), "{line}");
        assert_eq!(object["error"]["code"], code, "{line}");
        let message = object["error"]["message"].as_str().unwrap();
        assert_eq!(done.stderr.trim(), format!("error: {message}"), "{line}");
    }
    // a run that failed has its results and says so
    let failed = "run --optimizer gd --rate 1e6 --max-steps 20 --loss mse --width 8 --until-time 1e9 --out o --json";
    let done = place.run(failed.split_whitespace());
    assert_eq!(done.code, 1, "{}", done.stderr);
    let object = json(&done.stdout);
    assert_eq!((&object["error"]["code"], object["runs"].as_array().map(Vec::len)), (&1.into(), Some(1)));
}

/// A file is known by its last name, of another format by its stem.
#[test]
fn columns_of_a_file_that_lies_somewhere() {
    let place = Place::new();
    let of = |file: &str| place.succeed(&format!("columns {file}")).stdout;
    for (file, same) in
        [("studies/sweep/cells.csv", "cells.csv"), ("R.csv", "R.npz"), ("a/K.npy", "K.npz"), ("drift.npz", "drift.csv")]
    {
        assert_eq!(of(file), of(same), "{file}");
    }
    place.refuse("columns K.txt", 2, &["K.txt"]);
}
