//! The table of claims of a page.

use std::fmt::Write;

use super::html::{Numbers, open_table, write_row};
use super::{ClaimRow, Verdict, number};
use crate::plot::markup_html;

/// Shows the claims that hold a word and have a verdict, and the notes that belong to them.
pub(super) const FILTER: &str = include_str!("filter.js");

/// The verdict stands first, where a narrow screen shows it.
const HEADER: [&str; 8] = ["verdict", "network", "loss", "initialization", "measured", "interval", "theory", "allowed"];

/// The rows of a claim together, under its name and place: a row for every network that it was tried on, and what is said
/// of them below.
pub(super) fn write_claims(out: &mut String, caption: &str, rows: &[ClaimRow], numbers: &mut Numbers) {
    numbers.claims += 1;
    let with = |verdict: Verdict| rows.iter().filter(|row| row.verdict == verdict).count();
    let there = Verdict::ALL.into_iter().filter(|verdict| with(*verdict) > 0);
    let counts: Vec<String> = there.map(|verdict| verdict.counted(with(verdict))).collect();
    open_table(out, &format!("{caption}: {}.", counts.join(", ")), "claims", numbers);
    out.push_str("<thead>\n");
    write_row(out, "th", HEADER.into_iter().map(|name| (["measured", "interval"].contains(&name), name.into())));
    out.push_str("</thead>\n");
    let mut named: Vec<&str> = Vec::new();
    for row in rows {
        if named.contains(&row.claim.as_str()) {
            continue;
        }
        named.push(&row.claim);
        let (name, place) = (markup_html(&row.claim), markup_html(&row.place));
        let _ = writeln!(
            out,
            "<tbody>\n<tr class=\"claim\"><th colspan=\"{}\" scope=\"rowgroup\"><div>{name} <span>{place}</span></div></th></tr>",
            HEADER.len()
        );
        let of_claim: Vec<&ClaimRow> = rows.iter().filter(|other| other.claim == row.claim).collect();
        for with_one_note in of_claim.chunk_by(|a, b| a.note == b.note) {
            with_one_note.iter().for_each(|row| write_claim(out, row));
            write_note(out, &with_one_note[0].note);
        }
        out.push_str("</tbody>\n");
    }
    out.push_str("</table>\n</div>\n");
}

fn write_note(out: &mut String, note: &str) {
    if !note.is_empty() {
        let (columns, note) = (HEADER.len(), markup_html(note));
        let _ = writeln!(out, "<tr class=\"note\"><td colspan=\"{columns}\"><div>{note}</div></td></tr>");
    }
}

fn write_claim(out: &mut String, row: &ClaimRow) {
    let text = |cell: &str| (false, markup_html(cell));
    let between = |[low, high]: [f64; 2]| match (low.is_finite(), high.is_finite()) {
        (true, true) if low == high => number(low),
        (true, true) => format!("{} to {}", number(low), number(high)),
        (true, false) => format!("≥ {}", number(low)),
        (false, true) => format!("≤ {}", number(high)),
        (false, false) => "—".into(),
    };
    let interval = row.interval.filter(|[low, high]| low < high);
    let (class, sign) = match row.verdict {
        Verdict::Holds => ("holds", "✓"),
        Verdict::Fails => ("fails", "✗"),
        Verdict::NotDecided => ("not-decided", "○"),
    };
    let verdict =
        format!("<span class=\"verdict {class}\"><span aria-hidden=\"true\">{sign}</span> {}</span>", row.verdict);
    let cells = [
        (false, verdict),
        text(&row.network),
        text(&row.loss),
        text(&row.init),
        (true, markup_html(&row.measured.map_or("—".into(), number))),
        (true, markup_html(&interval.map_or("—".into(), |interval| between(interval.map(shown))))),
        text(&row.theory),
        text(&between(row.allowed.map(shown))),
    ];
    write_row(out, "td", cells.into_iter());
}

/// An end of an interval with the digits that are of use to a reader.
fn shown(end: f64) -> f64 {
    format!("{end:.3e}").parse().unwrap_or(end)
}
