//! The source of a page as the programs that check pages want it.

/// Most bytes of a line.
const LONGEST: usize = 80;

/// What is made of the source that the libraries write: lines are cut at blanks, which makes no difference to text that is
/// filled, and have none at their ends; an empty line between two breaks is the space that was meant.
pub(super) fn tidied(page: &str) -> String {
    let page = page.replace(".br\n\n.br\n", ".sp\n");
    let (mut tidied, mut filled) = (String::new(), true);
    for line in page.lines().map(str::trim_end) {
        match line {
            ".nf" => filled = false,
            ".fi" => filled = true,
            _ => {}
        }
        let mut left = line;
        while filled && !line.starts_with('.') {
            let Some(at) = cut(left) else { break };
            tidied.push_str(&left[..at]);
            tidied.push('\n');
            left = &left[at + 1..];
        }
        tidied.push_str(left);
        tidied.push('\n');
    }
    tidied
}

/// The last blank at which a line that is too long can be cut, or the first one after it: what follows must not be taken for a
/// command.
fn cut(line: &str) -> Option<usize> {
    let follows = |at: usize| !line[at + 1..].starts_with(['.', '\'', ' ']);
    let free = |at: &usize| *at > 0 && !line[..*at].ends_with(['\\', ' ']) && follows(*at);
    let mut blanks = line.match_indices(' ').map(|(at, _)| at).filter(free);
    let fits = blanks.clone().take_while(|at| *at <= LONGEST).last();
    if line.len() <= LONGEST { None } else { fits.or_else(|| blanks.next()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_cut_where_nothing_changes() {
        let long = format!("{} .xxxxx y {}", "word ".repeat(15).trim_end(), "end ".repeat(10));
        let page = format!("{long}\n.nf\n{long}\n.fi\nshort \n.br\n\n.br\n.SH {long}\n");
        let tidied = tidied(&page);
        let lines: Vec<&str> = tidied.lines().collect();
        assert!(lines[0].len() <= LONGEST && lines[1].starts_with("word .xxxxx y end"), "{tidied}");
        assert_eq!(format!("{} {}", lines[0], lines[1]), long.trim_end());
        assert_eq!(lines[2..], [".nf", long.trim_end(), ".fi", "short", ".sp", format!(".SH {long}").trim_end()]);
    }
}
