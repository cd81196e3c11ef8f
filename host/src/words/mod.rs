//! Numbers, counts and lists as people read them, and what a word with a typing error may have been.
//!
//! Everything that the program says to people goes through these functions: a number has 4 to 7 digits, or as many as its
//! error allows, and never 200 of them.

mod guess;
mod number;

pub use guess::{did_you_mean, nearest};
pub use number::{duration, number, precise, with_error};

/// So many things: `1 thread`, `12 threads`.
pub fn count(n: usize, one: &str) -> String {
    match (n, one) {
        (1, _) => format!("1 {one}"),
        (_, _) if one.ends_with('s') || one.ends_with('x') => format!("{n} {one}es"),
        (_, _) => format!("{n} {one}s"),
    }
}

/// `a`, `a or b`, `a, b or c`.
pub fn either(choices: &[impl AsRef<str>]) -> String {
    let choices: Vec<&str> = choices.iter().map(AsRef::as_ref).collect();
    match choices.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// A range, both ends among it: `20 to 160`.
pub fn span(range: &std::ops::RangeInclusive<usize>) -> String {
    format!("{} to {}", range.start(), range.end())
}

/// The text, or its beginning and its end where it has more than `most` characters; characters that would move a
/// terminal's cursor or change its colours are written as `\u{1b}`.
pub fn clipped(text: &str, most: usize) -> String {
    let harmless = |c: char| if c.is_control() && c != '\n' { c.escape_default().collect() } else { String::from(c) };
    // of a text of 100 MB only what may be told is looked at
    let head: String = text.chars().take(most + 1).map(harmless).collect();
    if head.chars().count() <= most {
        return head;
    }
    let (begin, end) = (most * 3 / 5, most - most * 3 / 5 - 3);
    let begin: String = head.chars().take(begin).collect();
    let mut tail: Vec<char> = text.chars().rev().take(end).collect();
    tail.reverse();
    let tail: String = tail.into_iter().map(harmless).collect();
    let skipped = tail.chars().count().saturating_sub(end);
    format!("{begin} … {}", tail.chars().skip(skipped).collect::<String>())
}

/// An error and what led to it, in one line, each thing once; the system's reasons without their numbers.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = String::new();
    for cause in std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string) {
        if cause.starts_with(&text) {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    without_numbers(&text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The system's reasons without their numbers: `Is a directory (os error 21)`.
pub fn without_numbers(text: &str) -> String {
    let mut parts = text.split(" (os error ");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(')') {
            Some((number, rest)) if number.bytes().all(|b| b.is_ascii_digit()) => plain.push_str(rest),
            _ => plain = format!("{plain} (os error {part}"),
        }
    }
    plain
}

/// A foreign text inside a sentence: one line of about 80 characters.
pub fn excerpt(text: &str) -> String {
    clipped(text, 80).replace('\n', "\\n")
}

/// Foreign names in a sentence, the first ones where they are many or long: `a, b and 5 more`.
pub fn listed(names: &[impl AsRef<str>]) -> String {
    const LISTED: usize = 12;
    /// Most characters of several names: a message of a thousand has room for two lists.
    const LONGEST: usize = 400;
    let (mut shown, mut length) = (Vec::new(), 0);
    for name in names.iter().take(LISTED).map(|name| excerpt(name.as_ref())) {
        length += name.chars().count() + 2;
        if length > LONGEST {
            break;
        }
        shown.push(name);
    }
    match names.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_counted() {
        assert_eq!(
            [count(1, "thread"), count(2, "thread"), count(0, "class"), count(3, "index")],
            ["1 thread", "2 threads", "0 classes", "3 indexes"]
        );
        assert_eq!([either(&["a"]), either(&["a", "b", "c"])], ["a", "a, b or c"]);
    }

    #[test]
    fn foreign_texts_are_short_and_stay_in_their_line() {
        assert_eq!(excerpt("a\nb\u{1b}[2J"), "a\\nb\\u{1b}[2J");
        assert_eq!(excerpt(&"é".repeat(1000)).chars().count(), 80);
        assert_eq!(listed(&["a", "b"]), "a, b");
        let many: Vec<String> = (0..5000).map(|k| format!("name {k}")).collect();
        assert!(listed(&many).ends_with("name 11 and 4988 more"), "{}", listed(&many));
        let long = vec!["x".repeat(500); 12];
        assert!(listed(&long).chars().count() < 420 && listed(&long).ends_with(" and 8 more"), "{}", listed(&long));
    }

    #[test]
    fn long_texts_keep_both_ends() {
        assert_eq!(clipped("short", 5), "short");
        let long = format!("x.csv, line 3: {}; fix the file", "9".repeat(3_000_000));
        let told = clipped(&long, 100);
        assert_eq!(told.chars().count(), 100);
        assert!(told.starts_with("x.csv, line 3: 999") && told.ends_with("; fix the file"), "{told}");
        assert_eq!(clipped("a\u{1b}[31mb\tc", 50), "a\\u{1b}[31mb\\tc");
        for most in [20, 21, 22, 23] {
            assert!(clipped(&"\u{1b}".repeat(500), most).chars().count() <= most);
        }
    }
}
