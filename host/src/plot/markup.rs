//! The one markup of labels: `_{..}` lowers, `^{..}` raises. Anything else, unclosed braces included, stands for itself.

/// Where a run of text sits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Base,
    Sub,
    Super,
}

/// Splits a label into runs of one level.
pub(super) fn runs(label: &str) -> Vec<(Level, &str)> {
    let mut runs = Vec::new();
    let mut rest = label;
    let mut from = 0;
    while let Some(at) = rest[from..].find(['_', '^']).map(|at| at + from) {
        let level = if rest.as_bytes()[at] == b'_' { Level::Sub } else { Level::Super };
        let body = rest[at + 1..].strip_prefix('{').and_then(|after| after.find('}').map(|end| &after[..end]));
        let Some(body) = body else {
            from = at + 1;
            continue;
        };
        runs.push((Level::Base, &rest[..at]));
        runs.push((level, body));
        rest = &rest[at + body.len() + 3..];
        from = 0;
    }
    runs.push((Level::Base, rest));
    runs.retain(|(_, text)| !text.is_empty());
    runs
}

/// The label without its markup.
pub(super) fn plain(label: &str) -> String {
    runs(label).into_iter().map(|(_, text)| text).collect()
}

/// The label in characters that are read aloud: lowered and raised ones where Unicode has them all, else the run in words,
/// `f sub T`, so that a superscript is never lost.
pub(crate) fn spoken(label: &str) -> String {
    let mut out = String::new();
    for (level, text) in runs(label) {
        let (word, table) = match level {
            Level::Base => ("", &[][..]),
            Level::Sub => (" sub ", SUBSCRIPTS),
            Level::Super => (" super ", SUPERSCRIPTS),
        };
        let moved = |c: char| table.iter().find(|pair| pair.0 == c).map(|pair| pair.1);
        match text.chars().map(moved).collect::<Option<String>>() {
            Some(moved) => out.push_str(&moved),
            None => {
                out.push_str(word);
                out.extend(text.chars().map(|c| if c.is_control() { ' ' } else { c }));
            }
        }
    }
    out
}

#[rustfmt::skip]
const SUBSCRIPTS: &[(char, char)] = &[
    ('0', '₀'), ('1', '₁'), ('2', '₂'), ('3', '₃'), ('4', '₄'), ('5', '₅'), ('6', '₆'), ('7', '₇'), ('8', '₈'), ('9', '₉'),
    ('+', '₊'), ('−', '₋'), ('a', 'ₐ'), ('e', 'ₑ'), ('h', 'ₕ'), ('i', 'ᵢ'), ('j', 'ⱼ'), ('k', 'ₖ'), ('l', 'ₗ'), ('m', 'ₘ'),
    ('n', 'ₙ'), ('o', 'ₒ'), ('p', 'ₚ'), ('r', 'ᵣ'), ('s', 'ₛ'), ('t', 'ₜ'), ('u', 'ᵤ'), ('v', 'ᵥ'), ('x', 'ₓ'),
];

#[rustfmt::skip]
const SUPERSCRIPTS: &[(char, char)] = &[
    ('0', '⁰'), ('1', '¹'), ('2', '²'), ('3', '³'), ('4', '⁴'), ('5', '⁵'), ('6', '⁶'), ('7', '⁷'), ('8', '⁸'), ('9', '⁹'),
    ('+', '⁺'), ('−', '⁻'), ('(', '⁽'), (')', '⁾'), ('n', 'ⁿ'), ('d', 'ᵈ'), ('k', 'ᵏ'), ('u', 'ᵘ'),
    ('G', 'ᴳ'), ('P', 'ᴾ'), ('T', 'ᵀ'), ('L', 'ᴸ'),
];

/// The label as HTML: escaped, with `<sub>` and `<sup>`.
pub(crate) fn html(label: &str) -> String {
    let mut out = String::new();
    for (level, text) in runs(label) {
        let (open, close) = match level {
            Level::Base => ("", ""),
            Level::Sub => ("<sub>", "</sub>"),
            Level::Super => ("<sup>", "</sup>"),
        };
        out.push_str(open);
        escape(&mut out, text);
        out.push_str(close);
    }
    out
}

/// Appends `text` with the five characters of HTML and XML escaped; characters that XML cannot hold become U+FFFD.
pub(crate) fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push(c),
            c if c < ' ' || c == '\u{fffe}' || c == '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_braced_markup_is_markup() {
        assert_eq!(runs("K_{t}"), [(Level::Base, "K"), (Level::Sub, "t")]);
        assert_eq!(runs("a_b 10^{−3}s _{"), [(Level::Base, "a_b 10"), (Level::Super, "−3"), (Level::Base, "s _{")]);
        assert_eq!(plain("max_{ij}|K|^{2}"), "maxij|K|2");
        assert_eq!(runs(""), []);
        assert_eq!(runs("_é^"), [(Level::Base, "_é^")]);
    }

    #[test]
    fn runs_move_whole_or_not_at_all() {
        assert_eq!(spoken("λ_{min}(K_{t}) 10^{−12} f^{GP}"), "λₘᵢₙ(Kₜ) 10⁻¹² fᴳᴾ");
        assert_eq!(spoken("a_{xy} b^{1.5}\nf_{T}_"), "a sub xy b super 1.5 f sub T_");
    }

    #[test]
    fn html_is_escaped() {
        assert_eq!(html("a<b & \"c\"^{'d'}"), "a&lt;b &amp; &quot;c&quot;<sup>&#39;d&#39;</sup>");
        assert_eq!(html("\u{1}"), "\u{fffd}");
    }
}
