//! The page of a report. All text goes through `markup_html`, which escapes it.

use super::{Block, Claim, Report, Table, Verdict, number, number_with_error};
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
    let mut out = String::new();
    let title = markup_html(&report.title);
    let name = markup_html(&markup_spoken(&report.title));
    let _ = write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{name}</title>\n<style>\n{STYLE}</style>\n</head>\n\
         <body>\n<main>\n<h1>{title}</h1>\n"
    );
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
    out.push_str("</main>\n</body>\n</html>\n");
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
        Block::Verdicts(claims) => write_claims(out, claims, numbers),
    }
    Ok(())
}

fn write_figure(out: &mut String, figure: &Figure, numbers: &mut Numbers) -> Result<(), Error> {
    numbers.figures += 1;
    let n = numbers.figures;
    let (svg, caption) = (figure.svg()?, markup_html(&figure.caption));
    let _ = writeln!(
        out,
        "<figure id=\"figure-{n}\">\n{svg}<figcaption><b>Figure {n}.</b> {caption}</figcaption>\n</figure>"
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

fn write_claims(out: &mut String, claims: &[Claim], numbers: &mut Numbers) {
    let counts = Verdict::ALL.map(|verdict| {
        let count = claims.iter().filter(|claim| claim.verdict == verdict).count();
        format!("{count} {}", plural(verdict, count))
    });
    open_table(out, &format!("Claims and verdicts: {}.", counts.join(", ")), numbers);
    let header = ["claim", "network", "loss", "initialization", "measured", "theory", "verdict"];
    out.push_str("<thead>\n");
    write_row(out, "th", header.into_iter().map(|name| (name == "measured", name.into())));
    out.push_str("</thead>\n<tbody>\n");
    for claim in claims {
        let measured = match (claim.measured, claim.uncertainty) {
            (None, _) => "—".into(),
            (Some(value), None) => number(value),
            (Some(value), Some(uncertainty)) => number_with_error(value, uncertainty),
        };
        let text = |cell: &str| (false, markup_html(cell));
        let (class, sign) = match claim.verdict {
            Verdict::Holds => ("holds", "✓"),
            Verdict::Fails => ("fails", "✗"),
            Verdict::NotReached => ("not-reached", "○"),
        };
        let verdict = format!(
            "<span class=\"verdict {class}\"><span aria-hidden=\"true\">{sign}</span> {}</span>",
            claim.verdict
        );
        let cells = [
            (false, format!("<b>{}</b>", markup_html(&claim.claim))),
            text(&claim.network),
            text(&claim.loss),
            text(&claim.init),
            (true, markup_html(&measured)),
            text(&claim.theory),
            (false, verdict),
        ];
        write_row(out, "td", cells.into_iter());
        if !claim.note.is_empty() {
            let _ =
                writeln!(out, "<tr class=\"note\"><td colspan=\"7\"><div>{}</div></td></tr>", markup_html(&claim.note));
        }
    }
    out.push_str("</tbody>\n</table>\n</div>\n");
}

fn plural(verdict: Verdict, count: usize) -> &'static str {
    match (verdict, count) {
        (Verdict::Holds, 1) => "holds",
        (Verdict::Holds, _) => "hold",
        (Verdict::Fails, 1) => "fails",
        (Verdict::Fails, _) => "fail",
        (Verdict::NotReached, _) => "not reached",
    }
}
