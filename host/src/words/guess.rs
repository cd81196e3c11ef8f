//! What a word with a typing error may have been.

use strsim::damerau_levenshtein;

/// The word of a closed list that `typed` most likely was to be: by edits (a letter too many, too few, another, or two
/// exchanged) up to a third of its length, or the only one that it begins. Underscores pass for hyphens.
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // no word of a list is as long; the time goes with the product of the lengths
    if typed.is_empty() || typed.len() > 64 {
        return None;
    }
    let plain = |word: &str| word.to_lowercase().replace('_', "-");
    let typed = plain(typed);
    let most = (typed.chars().count() / 3).max(1);
    let mut near: Vec<(usize, &str)> = Vec::new();
    let mut begun: Vec<&str> = Vec::new();
    for word in known {
        let distance = damerau_levenshtein(&typed, &plain(word));
        // one letter in place of another is no typing error of a name of one letter
        if distance <= most && distance < word.chars().count() {
            near.push((distance, word));
        }
        if typed.len() >= 3 && plain(word).starts_with(&typed) {
            begun.push(word);
        }
    }
    let nearest = near.into_iter().min_by_key(|(distance, _)| *distance).map(|(_, word)| word);
    nearest.or(match begun.as_slice() {
        [word] => Some(*word),
        _ => None,
    })
}

/// `; did you mean width?`, or nothing where no word of the list is near.
pub fn did_you_mean<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(typed, known).map_or(String::new(), |word| format!("; did you mean {word}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 7] = ["width", "depth", "data", "data-dir", "n", "fashion-mnist", "mnist"];

    #[test]
    fn a_typing_error_is_seen_through() {
        for (typed, meant) in [
            ("wdith", Some("width")),
            ("widht", Some("width")),
            ("width", Some("width")),
            ("WIDTH", Some("width")),
            ("minst", Some("mnist")),
            ("data_dri", Some("data-dir")),
            ("fashion", Some("fashion-mnist")),
            ("dat", Some("data")),
            ("zebra", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, KNOWN), meant, "{typed}");
        }
        assert_eq!(did_you_mean("wdith", KNOWN), "; did you mean width?");
        assert_eq!(did_you_mean(&"w".repeat(1 << 20), KNOWN), "");
    }

    /// Each word of a list of distinct words is found again after any one edit of it.
    #[test]
    fn one_edit_of_any_word() {
        for word in KNOWN.into_iter().filter(|word| word.len() >= 4 && *word != "data") {
            for at in 0..word.len() {
                let (begin, end) = word.split_at(at);
                let without = format!("{begin}{}", &end[1..]);
                let more = format!("{begin}q{end}");
                let other = format!("{begin}q{}", &end[1..]);
                for typed in [without, more, other] {
                    assert_eq!(nearest(&typed, KNOWN), Some(word), "{typed}");
                }
            }
        }
    }
}
