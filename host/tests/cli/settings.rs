//! Settings: flags, files and defaults are one list, and files of earlier versions keep their meaning.

use ntkscope::experiment::{Model, Settings, Training, keys};
use ntkscope_core::choice::Choice;
use ntkscope_core::loss::Loss;
use ntkscope_core::network::Activation;
use toml::Table;

use crate::Place;

/// `run.toml` as version 0.1.0 wrote it, and `trace.csv` under the portable backend, whose bits are the same on every machine.
/// The residual network's has in its first 20 columns what 0.1.0 wrote; the other is of a flow with kinks, which has stepped
/// by the kernel since.
const SAVED: [(&str, &str, &str); 2] = [
    ("mirrored", include_str!("saved/mirrored-f64.toml"), include_str!("saved/mirrored-f64.csv")),
    ("resnet", include_str!("saved/resnet-f32.toml"), include_str!("saved/resnet-f32.csv")),
];

#[test]
fn a_run_saved_by_an_earlier_version_gives_the_same_bits() {
    for (name, settings, trace) in SAVED {
        let place = Place::new();
        place.file("saved.toml", settings);
        place.succeed("run saved.toml --out o --quiet");
        assert_eq!(String::from_utf8(place.bytes("o/trace.csv")).unwrap(), trace, "{name}");
        // nothing that was saved is missing, nothing has another value
        let again: Table = String::from_utf8(place.bytes("o/run.toml")).unwrap().parse().unwrap();
        for (key, value) in settings.parse::<Table>().unwrap().into_iter().filter(|(_, value)| !value.is_table()) {
            assert_eq!(again.get(&key), Some(&value), "{name}: {key}");
        }
    }
}

/// What the help of a command says of every flag: its lines up to the next flag, by name.
fn help(place: &Place, command: &str) -> Vec<(String, String)> {
    let text = place.succeed(&format!("{command} --help")).stdout;
    let flags = text.split("\n      --").skip(1);
    // in one line, however it was wrapped
    let one_line = |flag: &str| flag.split_whitespace().collect::<Vec<_>>().join(" ");
    flags.map(|flag| (flag.split([' ', '\n']).next().unwrap().to_owned(), one_line(flag))).collect()
}

#[test]
fn help_shows_every_setting_with_its_default() {
    let place = Place::new();
    let shown = help(&place, "run");
    let of = |key: &str| &shown.iter().find(|(flag, _)| flag == key).unwrap_or_else(|| panic!("no --{key}")).1;
    let defaults = Settings::default().table().unwrap();
    assert!(defaults.len() > 15, "{defaults}");
    for (key, value) in &defaults {
        let text = of(key);
        let default = text.split("[default: ").nth(1).unwrap_or_else(|| panic!("no default in {text}"));
        let default = default.split(']').next().unwrap();
        let same = match value {
            toml::Value::Float(value) => default.parse() == Ok(*value),
            toml::Value::String(value) => default == value,
            value => default == value.to_string(),
        };
        assert!(same, "{key} = {value} is shown as {default}");
    }
    for key in keys::<Model>().iter().chain(&keys::<Training>()) {
        assert!(shown.iter().any(|(flag, _)| flag == key), "run has no --{key}");
    }
    let shown = help(&place, "data show");
    for key in keys::<Model>() {
        // of the network it knows nothing, but a seed generates data
        let of_data = ![
            "network",
            "depth",
            "width",
            "widths",
            "parametrization",
            "outputs",
            "activation",
            "bias",
            "bias-scale",
            "alpha",
        ]
        .contains(&&*key)
            && !["trained", "init", "dtype", "held-out"].contains(&&*key);
        assert_eq!(shown.iter().any(|(flag, _)| *flag == key), of_data, "data show --{key}");
    }
}

#[test]
fn defaults_survive_saving_and_are_what_an_empty_table_means() {
    let defaults = Settings::default();
    let text = toml::to_string(&defaults.table().unwrap()).unwrap();
    assert_eq!(Settings::from_table(text.parse().unwrap()).unwrap(), defaults, "{text}");
    assert_eq!(Settings::from_table(Table::new()).unwrap(), defaults);
}

#[test]
fn whole_numbers_pass_where_any_number_does() {
    let integers = "until-time = 7\nbias-scale = 2\npenalty = 1\nuntil-margin = 3";
    let floats = "until-time = 7.0\nbias-scale = 2.0\npenalty = 1.0\nuntil-margin = 3.0";
    let settings = |text: &str| Settings::from_table(text.parse().unwrap()).unwrap();
    assert_eq!(settings(integers), settings(floats));
}

/// What core can do, the command line offers: no list of names stands in between.
#[test]
fn every_activation_and_every_loss_of_core_can_be_run() {
    let place = Place::new();
    let shown = help(&place, "run");
    let of = |key: &str| &shown.iter().find(|(flag, _)| flag == key).unwrap().1;
    let run = "run --width 4 --until-time 0.5 --snapshots 4 --predictions false --quiet";
    for activation in Activation::ALL {
        assert!(of("activation").contains(&format!("- {activation}")), "{activation}");
        place.succeed(&format!("{run} --loss mse --activation {activation} --out {activation}"));
    }
    for loss in Loss::ALL {
        assert!(of("loss").contains(&format!("- {loss}")), "{loss}");
        place.succeed(&format!("{run} --loss {loss} --out {loss}"));
        assert!(
            String::from_utf8(place.bytes(format!("{loss}/run.toml"))).unwrap().contains(&format!("loss = \"{loss}\""))
        );
    }
}
