//! The sentence that an experiment's numbers are told in.

use std::{string::String, vec::Vec};

use crate::{Number, record::short};

/// `sentence` with the last value of FIELD in RUN for each `{RUN FIELD}`; none where one has not been sent.
pub fn closing(sentence: &str, numbers: &[Number]) -> Option<String> {
    let (mut text, mut rest) = (String::new(), sentence);
    while let Some((before, after)) = rest.split_once('{') {
        let (place, after) = after.split_once('}')?;
        let (run, field) = place.split_once(' ')?;
        let number = numbers.iter().rev().find(|number| number.run == run && number.field == field)?;
        text += before;
        text += &short(number.value());
        rest = after;
    }
    Some(text + rest)
}

/// RUN and FIELD of every placeholder.
pub fn placeholders(sentence: &str) -> Vec<(&str, &str)> {
    let inside = sentence.split('{').skip(1).filter_map(|part| part.split_once('}')?.0.split_once(' '));
    inside.collect()
}

#[cfg(test)]
mod tests {
    use std::vec;

    use super::*;

    #[test]
    fn the_last_of_each_number_is_told() {
        let number = |run: &str, record, value: f32| Number {
            run: run.into(),
            record,
            field: "drift".into(),
            bits: value.to_bits(),
            sequence: 0,
        };
        let numbers = [number("a", 0, 0.0), number("a", 1, 0.5), number("b", 0, 0.25)];
        let sentence = "a moved by {a drift}, b by {b drift}";
        assert_eq!(closing(sentence, &numbers).as_deref(), Some("a moved by 0.5, b by 0.25"));
        assert_eq!(closing(sentence, &numbers[..2]), None);
        assert_eq!(placeholders(sentence), vec![("a", "drift"), ("b", "drift")]);
    }
}
