//! The page: complete, escaped, and in need of nothing else.

use super::*;
use crate::plot::{Axis, FigureStyle, Hue, Mark, Scale, Series};

const NASTY: &str = "<script>alert(\"1\" & '2')</script> K_{<t>}";

fn nasty() -> Report {
    let figure = Figure {
        name: "f".into(),
        title: NASTY.into(),
        x: Axis::new(NASTY, Scale::Linear),
        y: Axis::new(NASTY, Scale::Linear),
        series: vec![Series::new(NASTY, (vec![0.0, 1.0], vec![0.0, 1.0]), Mark::Line, Hue::named("run", NASTY))],
        caption: NASTY.into(),
        settings: NASTY.into(),
        maps: Vec::new(),
        palette: None,
        style: FigureStyle::Paper,
    };
    let mut table = Table::new(NASTY, [NASTY, "n"]);
    table.push([NASTY, "1.5"]);
    table.push([NASTY]);
    let claim = |verdict| ClaimRow {
        kind: Kind::Claim,
        claim: NASTY.into(),
        place: NASTY.into(),
        network: NASTY.into(),
        loss: NASTY.into(),
        init: NASTY.into(),
        measured: Some(1.0),
        interval: Some([0.5, 1.5]),
        seeds: 4,
        theory: NASTY.into(),
        allowed: [0.0, f64::INFINITY],
        verdict,
        note: NASTY.into(),
    };
    let blocks = vec![
        Block::Paragraph(NASTY.into()),
        Block::Figure(Box::new(figure.clone())),
        Block::Table(table.clone()),
        Block::Code(NASTY.into()),
        Block::Verdicts(NASTY.into(), Verdict::ALL.map(claim).to_vec()),
        Block::Folded(NASTY.into(), vec![Block::Paragraph(NASTY.into())]),
        Block::Figure(Box::new(figure)),
    ];
    let section = Section { title: NASTY.into(), blocks };
    Report { title: NASTY.into(), lead: NASTY.into(), sections: vec![section.clone(), section.clone(), section] }
}

/// The page without its one script, which filters claims.
fn without_filter(report: &Report) -> String {
    let html = report.html().unwrap();
    let script = format!("<script>\n{}</script>\n", claims_html::FILTER);
    assert_eq!(html.matches(&script).count(), 1);
    html.replace(&script, "")
}

#[test]
fn everything_is_escaped() {
    let html = without_filter(&nasty());
    assert!(!html.contains("<script"));
    assert!(
        html.contains(
            "<p>&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt; K<sub>&lt;t&gt;</sub></p>"
        )
    );
    // In code the markup of labels is just text.
    assert!(html.contains("&lt;/script&gt; K_{&lt;t&gt;}</code>"));
}

#[test]
fn the_page_refers_to_nothing_outside() {
    let html = without_filter(&nasty()).replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    for word in ["http", "src=", "url(", "@import", "<link", "<script", "<img", "//"] {
        assert!(!html.contains(word), "{word}");
    }
    let links = html.matches("href=").count();
    assert_eq!(links, html.matches("href=\"#section-").count());
}

#[test]
fn only_a_page_with_claims_has_a_script() {
    let section = Section { title: String::new(), blocks: vec![Block::Paragraph(NASTY.into())] };
    let html = Report { title: String::new(), lead: String::new(), sections: vec![section] }.html().unwrap();
    assert!(!html.contains("<script"));
}

#[test]
fn addresses_can_be_followed() {
    let text = "The paper: A & B, https://arxiv.org/abs/1?a&b, and more.";
    let section = Section { title: String::new(), blocks: vec![Block::Paragraph(text.into())] };
    let html = Report { title: String::new(), lead: String::new(), sections: vec![section] }.html().unwrap();
    let link = "<a href=\"https://arxiv.org/abs/1?a&amp;b\">https://arxiv.org/abs/1?a&amp;b</a>, and more.</p>";
    assert!(html.contains(link) && html.contains("A &amp; B, "), "{html}");
}

#[test]
fn figures_and_tables_are_numbered_and_elements_closed() {
    let html = nasty().html().unwrap();
    for (text, count) in [("<b>Figure 6.</b>", 1), ("<b>Figure 7.</b>", 0), ("<b>Table 6.</b>", 1), ("<figure id=", 6)]
    {
        assert_eq!(html.matches(text).count(), count, "{text}");
    }
    for tag in ["section", "table", "figure", "tr", "td", "th", "p", "div", "svg", "sub", "span", "main", "pre", "nav"]
    {
        let open = html.matches(&format!("<{tag}>")).count() + html.matches(&format!("<{tag} ")).count();
        assert_eq!(open, html.matches(&format!("</{tag}>")).count(), "{tag}");
    }
    let mut ids: Vec<&str> = html.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "an id is used twice");
}

#[test]
fn a_page_can_be_read_without_seeing_it() {
    let html = nasty().html().unwrap();
    assert_eq!((html.matches("<h1>").count(), html.matches("<h2>").count()), (1, 3));
    assert!(!html.contains("<h3") && html.find("<h1>") < html.find("<h2>"));
    assert_eq!(html.matches("role=\"img\" aria-label=\"&lt;script&gt;").count(), 6);
    assert!(html.contains("<html lang=\"en\">"));
}

#[test]
fn every_colour_of_its_figures_has_one_for_the_dark() {
    let html = nasty().html().unwrap();
    let (head, body) = html.split_once("</head>").unwrap();
    assert_eq!(head.matches("@media screen and (prefers-color-scheme: dark)").count(), 1);
    for attribute in ["fill", "stroke"] {
        for rest in body.split(&format!("{attribute}=\"#")).skip(1) {
            let rule = format!("svg [{attribute}=\"#{}\"]", &rest[..6]);
            assert_eq!(head.matches(&rule).count(), 1, "{rule}");
        }
    }
}

#[test]
fn verdicts_are_worded_and_counted() {
    let html = nasty().html().unwrap();
    assert!(html.contains("</b> &lt;script") && html.contains("1 holds, 1 fails, 1 is not decided."));
    for (class, word) in [("holds", " holds<"), ("fails", " fails<"), ("not-decided", " not decided<")] {
        assert!(html.contains(&format!("class=\"verdict {class}\"")) && html.contains(word), "{class}");
    }
    assert!(html.contains("<td class=\"number\">0.5 to 1.5</td>") && html.contains("<td>≥ 0</td>"));
    assert!(html.contains("<td class=\"number\">1.5</td>") && html.contains("<td class=\"number\"></td>"));
}
