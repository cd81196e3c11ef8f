//! What was run, in a line.

use toml::{Table, Value};

/// Most values of a setting that are listed.
const LISTED: usize = 8;

/// The settings of several runs, each setting once with all the values that it takes: `width = 64, 128; seed = 0 … 9 (10)`.
pub fn settings_in_words(runs: &[Table]) -> String {
    let mut settings: Vec<(&str, Vec<String>)> = Vec::new();
    for (key, value) in runs.iter().flatten() {
        let value = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let at = settings.iter().position(|(known, _)| known == key).unwrap_or_else(|| {
            settings.push((key, Vec::new()));
            settings.len() - 1
        });
        if !settings[at].1.contains(&value) {
            settings[at].1.push(value);
        }
    }
    let words = |(key, values): (&str, Vec<String>)| match &values[..] {
        [first, .., last] if values.len() > LISTED => format!("{key} = {first} … {last} ({})", values.len()),
        all => format!("{key} = {}", all.join(", ")),
    };
    settings.into_iter().map(words).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_stands_once_with_its_values() {
        let run = |i: i64| Table::from_iter([("loss".into(), "mse".into()), ("seed".into(), Value::Integer(i))]);
        assert_eq!(settings_in_words(&[run(0), run(2), run(0)]), "loss = mse; seed = 0, 2");
        let many: Vec<Table> = (0..9).map(run).collect();
        assert_eq!(settings_in_words(&many), "loss = mse; seed = 0 … 8 (9)");
        assert_eq!(settings_in_words(&[]), "");
    }
}
