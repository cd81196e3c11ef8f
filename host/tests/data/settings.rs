//! What may be typed, and how it is saved.

use ntkscope::data::{ClassSelection, DataSpec, Error, Normalize, Source, Targets};

use super::{assert_says, spec};

#[test]
fn what_is_displayed_is_what_is_parsed() {
    for text in ["circle", "sphere", "mixture", "mnist", "fashion-mnist", "cifar-10", "some dir/a.npz", "B.CSV"] {
        assert_eq!(text.parse::<Source>().unwrap().to_string(), text);
    }
    for text in ["parity", "all", "3,8", "8,3", "-1,1", "3,8,9"] {
        assert_eq!(text.parse::<ClassSelection>().unwrap().to_string(), text);
    }
    for text in ["sphere", "none"] {
        assert_eq!(text.parse::<Normalize>().unwrap().to_string(), text);
    }
    assert_eq!("3, 8".parse::<ClassSelection>().unwrap(), ClassSelection::Labels(vec![3, 8]));
}

#[test]
fn wrong_words_are_named_with_the_right_ones() {
    let error = |result: Result<(), Error>| result.unwrap_err();
    for text in ["mnits", "", "npz", "a.txt", ".csv"] {
        let error = error(text.parse::<Source>().map(drop));
        assert_says(&error, 2, &["--data ", text, "circle", "fashion-mnist", ".npz"]);
    }
    for text in ["odd", "3", "3,3", "3,8,3", "-1,1,", "a,b", "0.5,1", ""] {
        let error = error(text.parse::<ClassSelection>().map(drop));
        assert_says(&error, 2, &["--classes ", text, "parity", "3,8"]);
    }
    assert_says(&error("ball".parse::<Normalize>().map(drop)), 2, &["--normalize ball", "sphere", "none"]);
}

#[test]
fn settings_survive_toml() {
    let full = DataSpec {
        dir: Some("/data/mnist".into()),
        n: Some(100),
        targets: Some(Targets::Classes),
        classes: Some(ClassSelection::Labels(vec![3, 8])),
        normalize: Some(Normalize::None),
        dimension: Some(4),
        seed: 7,
        ..spec("mnist")
    };
    for spec in [full, spec("circle"), spec("x/y.csv")] {
        let text = toml::to_string(&spec).unwrap();
        assert_eq!(toml::from_str::<DataSpec>(&text).unwrap(), spec, "{text}");
    }
    assert_eq!(toml::from_str::<DataSpec>("source = \"circle\"").unwrap(), spec("circle"));
}

#[test]
fn wrong_settings_in_toml_are_refused_by_name() {
    let error = toml::from_str::<DataSpec>("source = \"circle\"\nsamples = 3").unwrap_err().to_string();
    assert!(error.contains("samples"), "{error}");
    let error = toml::from_str::<DataSpec>("source = \"mnist\"\nclasses = \"odd\"").unwrap_err().to_string();
    assert!(error.contains("`classes = odd`"), "{error}");
    let error = toml::from_str::<DataSpec>("n = 3").unwrap_err().to_string();
    assert!(error.contains("source"), "{error}");
}
