//! The page of a report. All text goes through `markup_html`, which escapes it.

use super::claims_html::{FILTER, write_claims};
use super::{Block, Report, Table};
use crate::plot::{Error, Figure, markup_html, markup_spoken};
use std::fmt::Write;

const STYLE: &str = include_str!("report.css");

/// How many tables and figures there were.
#[derive(Default)]
pub(super) struct Numbers {
    tables: usize,
    figures: usize,
    /// tables of claims among them
    pub(super) claims: usize,
}

pub(super) fn page(report: &Report) -> Result<String, Error> {
    let title = markup_html(&report.title);
    let name = markup_html(&markup_spoken(&report.title));
    let (body, numbers) = body(report)?;
    let script = if numbers.claims > 0 { format!("<script>\n{FILTER}</script>\n") } else { String::new() };
    let dark = crate::plot::dark_rules(&body);
    Ok(format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{name}</title>\n<style>\n{STYLE}{dark}</style>\n</head>\n\
         <body>\n<main>\n<h1>{title}</h1>\n{body}</main>\n{script}</body>\n</html>\n"
    ))
}

/// Everything below the heading.
fn body(report: &Report) -> Result<(String, Numbers), Error> {
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
    Ok((out, numbers))
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
            let _ = writeln!(out, "<p>{}</p>", linked(text));
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

/// Text in which addresses can be followed.
fn linked(text: &str) -> String {
    let word = |word: &str| {
        let address = word.trim_end_matches(['.', ',', ';', ' ', ')']);
        let rest = markup_html(&word[address.len()..]);
        match address.starts_with("https://") {
            true => format!("<a href=\"{0}\">{0}</a>{rest}", markup_html(address)),
            false => markup_html(word),
        }
    };
    match text.contains("https://") {
        true => text.split_inclusive(' ').map(word).collect(),
        false => markup_html(text),
    }
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

/// The beginning of a table, in a box of its own that moves sideways.
pub(super) fn open_table(out: &mut String, caption: &str, class: &str, numbers: &mut Numbers) {
    numbers.tables += 1;
    let n = numbers.tables;
    let caption = markup_html(caption);
    let _ = writeln!(
        out,
        "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Table {n}\">\n\
         <table id=\"table-{n}\" class=\"{class}\">\n<caption><b>Table {n}.</b> {caption}</caption>"
    );
}

/// A row of the given cells, already HTML.
pub(super) fn write_row(out: &mut String, tag: &str, cells: impl Iterator<Item = (bool, String)>) {
    let scope = if tag == "th" { " scope=\"col\"" } else { "" };
    out.push_str("<tr>");
    for (numeric, cell) in cells {
        let class = if numeric { " class=\"number\"" } else { "" };
        let _ = write!(out, "<{tag}{scope}{class}>{cell}</{tag}>");
    }
    out.push_str("</tr>\n");
}

fn write_table(out: &mut String, table: &Table, numbers: &mut Numbers) {
    open_table(out, &table.caption, "values", numbers);
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
