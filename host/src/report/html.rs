//! The page of a report. All text goes through `markup_html`, which escapes it.

use super::{Block, ClaimRow, Report, Table, Verdict, number};
use crate::plot::{Error, Figure, markup_html, markup_spoken};
use std::fmt::Write;

const STYLE: &str = include_str!("report.css");

/// How many tables and figures there were.
#[derive(Default)]
struct Numbers {
    tables: usize,
    figures: usize,
}

pub(super) fn page(report: &Report) -> Result<String, Error> {
    let title = markup_html(&report.title);
    let name = markup_html(&markup_spoken(&report.title));
    let body = body(report)?;
    let dark = crate::plot::dark_rules(&body);
    Ok(format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{name}</title>\n<style>\n{STYLE}{dark}</style>\n</head>\n\
         <body>\n<main>\n<h1>{title}</h1>\n{body}</main>\n</body>\n</html>\n"
    ))
}

/// Everything below the heading.
fn body(report: &Report) -> Result<String, Error> {
    let mut out = String::new();
    if !report.lead.is_empty() {
        let _ = writeln!(out, "<p class=\"lead\">{}</p>", markup_html(&report.lead));
    }
    if report.sections.len() > 2 {
        contents(&mut out, report);
    }
    let mut numbers = Numbers::default();
    for (i, section) in report.sections.iter().enumerate() {
        let _ = writeln!(out, "<section id=\"section-{}\">\n<h2>{}</h2>", i + 1, markup_html(&section.title));
        for block in &section.blocks {
            write_block(&mut out, block, &mut numbers)?;
        }
        out.push_str("</section>\n");
    }
    Ok(out)
}

fn contents(out: &mut String, report: &Report) {
    out.push_str("<nav aria-label=\"Contents\"><ul>\n");
    for (i, section) in report.sections.iter().enumerate() {
        let _ = writeln!(out, "<li><a href=\"#section-{}\">{}</a></li>", i + 1, markup_html(&section.title));
    }
    out.push_str("</ul></nav>\n");
}

fn write_block(out: &mut String, block: &Block, numbers: &mut Numbers) -> Result<(), Error> {
    match block {
        Block::Paragraph(text) => {
            let _ = writeln!(out, "<p>{}</p>", markup_html(text));
        }
        Block::Code(text) => {
            let mut escaped = String::new();
            crate::plot::escape(&mut escaped, text);
            let _ = writeln!(out, "<pre tabindex=\"0\"><code>{escaped}</code></pre>");
        }
        Block::Figure(figure) => write_figure(out, figure, numbers)?,
        Block::Table(table) => write_table(out, table, numbers),
        Block::Verdicts(caption, rows) => write_claims(out, caption, rows, numbers),
        Block::Folded(line, blocks) => {
            let _ = writeln!(out, "<details><summary>{}</summary>", markup_html(line));
            for block in blocks {
                write_block(out, block, numbers)?;
            }
            out.push_str("</details>\n");
        }
    }
    Ok(())
}

fn write_figure(out: &mut String, figure: &Figure, numbers: &mut Numbers) -> Result<(), Error> {
    numbers.figures += 1;
    let n = numbers.figures;
    let (svg, caption) = (figure.svg()?, markup_html(&figure.caption));
    let _ = writeln!(
        out,
        "<figure id=\"figure-{n}\">\n<div class=\"drawing\">\n{svg}</div>\n<figcaption><b>Figure {n}.</b> {caption}</figcaption>\n</figure>"
    );
    Ok(())
}

fn open_table(out: &mut String, caption: &str, numbers: &mut Numbers) {
    numbers.tables += 1;
    let n = numbers.tables;
    let caption = markup_html(caption);
    let _ = writeln!(
        out,
        "<div class=\"wide\" tabindex=\"0\">\n<table id=\"table-{n}\">\n<caption><b>Table {n}.</b> {caption}</caption>"
    );
}

/// A row of the given cells, already HTML.
fn write_row(out: &mut String, tag: &str, cells: impl Iterator<Item = (bool, String)>) {
    let scope = if tag == "th" { " scope=\"col\"" } else { "" };
    out.push_str("<tr>");
    for (numeric, cell) in cells {
        let class = if numeric { " class=\"number\"" } else { "" };
        let _ = write!(out, "<{tag}{scope}{class}>{cell}</{tag}>");
    }
    out.push_str("</tr>\n");
}

fn write_table(out: &mut String, table: &Table, numbers: &mut Numbers) {
    open_table(out, &table.caption, numbers);
    let numeric: Vec<bool> = (0..table.width()).map(|column| table.is_numeric(column)).collect();
    let cells = |row: &[String]| -> Vec<(bool, String)> {
        let cell =
            |(i, &numeric): (usize, &bool)| (numeric, row.get(i).map_or(String::new(), |cell| markup_html(cell)));
        numeric.iter().enumerate().map(cell).collect()
    };
    out.push_str("<thead>\n");
    write_row(out, "th", cells(&table.header).into_iter());
    out.push_str("</thead>\n<tbody>\n");
    for row in &table.rows {
        write_row(out, "td", cells(row).into_iter());
    }
    out.push_str("</tbody>\n</table>\n</div>\n");
}

/// The rows of a claim together, under its name and place: a row for every network that it was tried on.
fn write_claims(out: &mut String, caption: &str, rows: &[ClaimRow], numbers: &mut Numbers) {
    let with = |verdict: Verdict| rows.iter().filter(|row| row.verdict == verdict).count();
    let there = Verdict::ALL.into_iter().filter(|verdict| with(*verdict) > 0);
    let counts: Vec<String> = there.map(|verdict| verdict.counted(with(verdict))).collect();
    open_table(out, &format!("{caption}: {}.", counts.join(", ")), numbers);
    let header = ["network", "loss", "initialization", "measured", "interval", "theory", "allowed", "verdict"];
    out.push_str("<thead>\n");
    write_row(out, "th", header.into_iter().map(|name| (["measured", "interval"].contains(&name), name.into())));
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
            "<tbody>\n<tr class=\"claim\"><th colspan=\"8\" scope=\"rowgroup\"><div>{name} <span>{place}</span></div></th></tr>"
        );
        let mut told = "";
        for row in rows.iter().filter(|other| other.claim == row.claim) {
            write_claim(out, row, row.note != told);
            told = &row.note;
        }
        out.push_str("</tbody>\n");
    }
    out.push_str("</table>\n</div>\n");
}

fn write_claim(out: &mut String, row: &ClaimRow, with_note: bool) {
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
        text(&row.network),
        text(&row.loss),
        text(&row.init),
        (true, markup_html(&row.measured.map_or("—".into(), number))),
        (true, markup_html(&interval.map_or("—".into(), |interval| between(interval.map(shown))))),
        text(&row.theory),
        text(&between(row.allowed.map(shown))),
        (false, verdict),
    ];
    write_row(out, "td", cells.into_iter());
    if with_note && !row.note.is_empty() {
        let _ = writeln!(out, "<tr class=\"note\"><td colspan=\"8\"><div>{}</div></td></tr>", markup_html(&row.note));
    }
}

/// An end of an interval with the digits that are of use to a reader.
fn shown(end: f64) -> f64 {
    format!("{end:.3e}").parse().unwrap_or(end)
}
