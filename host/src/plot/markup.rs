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
pub(crate) fn plain(label: &str) -> String {
    runs(label).into_iter().map(|(_, text)| text).collect()
}

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
    fn html_is_escaped() {
        assert_eq!(html("a<b & \"c\"^{'d'}"), "a&lt;b &amp; &quot;c&quot;<sup>&#39;d&#39;</sup>");
        assert_eq!(html("\u{1}"), "\u{fffd}");
    }
}
