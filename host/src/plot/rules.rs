//! What must hold for the figures of a page, on what they hold: no pixel is looked at.

use std::collections::{HashMap, HashSet};
use std::io::Read;

use flate2::read::ZlibDecoder;

use super::markup::{Level, runs, spoken};
use super::{Figure, HeatMap, Hue, MARKED, Mark, Series, contrast_on_white, share_palette};

/// Most values of a grid that has a tick at each.
const MOST_PLACES: usize = 10;

/// Checks every rule on all figures of one page.
#[track_caller]
pub(crate) fn hold(figures: &mut [Figure]) {
    assert!(!figures.is_empty());
    share_palette(&mut figures.iter_mut().collect::<Vec<_>>());
    let (mut names, mut titles) = (HashSet::new(), HashSet::new());
    let mut meanings: HashMap<[u8; 3], &Hue> = HashMap::new();
    for figure in &*figures {
        let name = &figure.name;
        assert!(names.insert(name), "{name} twice");
        assert!(titles.insert(&figure.title), "{name}: another figure has the title {:?}", figure.title);
        assert!(figure.series.is_empty() != figure.maps.is_empty() && !figure.caption.is_empty(), "{name}");
        figure.check().unwrap();
        files_agree(figure);
        for text in [&figure.title, &figure.caption, &figure.x.label, &figure.y.label]
            .into_iter()
            .chain(figure.series.iter().map(|series| &series.label))
            .chain(figure.maps.iter().map(|map| &map.label))
        {
            markup_is_whole(name, text);
        }
        // ticks of a grid stand at its values, which are few
        let grid = ["width m", "training samples n"].contains(&figure.x.label.as_str());
        let mut places: Vec<f64> = figure.series.iter().flat_map(|series| &series.x).copied().collect();
        places.sort_by(f64::total_cmp);
        places.dedup();
        let few = places.len() <= MOST_PLACES;
        assert!(figure.x.measured == (grid && few) || figure.x.measured && few, "{name}: axis {:?}", figure.x.label);
        for series in &figure.series {
            let (label, points) = (format!("{name}: {}", series.label), series.x.len());
            match series.mark {
                Mark::Theory | Mark::Fit | Mark::Outline => assert_eq!(series.markers(), 0, "{label}"),
                Mark::Points => assert_eq!(series.markers(), points, "{label}"),
                Mark::Line | Mark::Dashed | Mark::Band { .. } => {
                    assert_eq!(series.markers(), if points <= MARKED { points } else { 0 }, "{label}");
                }
            }
            let colour = figure.palette.as_ref().unwrap().colour(&series.hue);
            assert_eq!(colour.is_none(), series.hue == Hue::Theory, "{label}");
            let Some(colour) = colour else { continue };
            assert!(contrast_on_white(colour) >= 3.0, "{label}: {colour:?}");
            let [r, g, b] = colour;
            assert!(r.abs_diff(g).max(g.abs_diff(b)) > 8, "{label} has a grey, which is theory's");
            let meaning = meanings.entry(colour).or_insert(&series.hue);
            assert_eq!(**meaning, series.hue, "{label}: {colour:?} stands for two things");
        }
        let same = |a: &HeatMap, b: &HeatMap| a.label == b.label || a.side != b.side;
        assert!(
            !figure.maps.windows(2).any(|pair| same(&pair[0], &pair[1])),
            "{name}: maps of one name or of two sizes"
        );
        in_order(name, &figure.series);
        figure.series.iter().for_each(|series| few_digits(name, &series.label));
    }
}

/// The SVG is XML that says what it is, the PDF shows as many texts, neither lets markup through, and both have the same bytes
/// every time.
#[track_caller]
pub(crate) fn files_agree(figure: &Figure) {
    let (name, svg, pdf) = (&figure.name, figure.svg().unwrap(), figure.pdf().unwrap());
    assert_eq!((&svg, &pdf), (&figure.svg().unwrap(), &figure.pdf().unwrap()), "{name}");
    let document = roxmltree::Document::parse(&svg).unwrap_or_else(|error| panic!("{name}: {error}"));
    let children: Vec<&str> = document.root_element().children().map(|node| node.tag_name().name()).collect();
    let said: Vec<&str> = children.iter().copied().filter(|tag| ["title", "desc", "metadata"].contains(tag)).collect();
    assert_eq!(said, ["title", "desc", "metadata"], "{name}");
    for node in document.descendants().filter(|node| ["title", "desc"].contains(&node.tag_name().name())) {
        let text = node.text().unwrap_or_default();
        assert!(!text.contains("_{") && !text.contains("^{"), "{name}: markup in {text:?}");
    }
    let texts = document.descendants().filter(|node| node.attribute("transform").is_some()).count();
    assert_eq!(page_of(&pdf).matches("BT\n").count(), texts, "{name}: texts of the PDF and of the SVG");
    for part in ["/ToUnicode", "/CIDFontType0C", "/Title", "/Subject"] {
        assert!(pdf.windows(part.len()).any(|bytes| bytes == part.as_bytes()), "{name}: no {part} in the PDF");
    }
    let dated = b"Date".as_slice();
    assert!(!pdf.windows(dated.len()).any(|bytes| bytes == dated), "{name}: a date in the PDF");
}

/// What the page of a PDF is drawn by: its first stream.
fn page_of(pdf: &[u8]) -> String {
    let word = b"stream\n";
    let at = pdf.windows(word.len()).position(|bytes| bytes == word).expect("a stream") + word.len();
    let mut bytes = Vec::new();
    ZlibDecoder::new(&pdf[at..]).read_to_end(&mut bytes).expect("a whole stream");
    // strings of glyph numbers are bytes
    String::from_utf8_lossy(&bytes).into_owned()
}

/// No braces or signs of markup are left over, and the words for those who do not see it keep every raised run.
#[track_caller]
fn markup_is_whole(name: &str, text: &str) {
    // messages name a setting so, and the command line makes a flag of it; a figure has no flags
    assert!(!text.contains('`'), "{name}: a backtick in {text:?}");
    for (level, run) in runs(text) {
        let left_over = run.contains(['_', '^', '{', '}', '\\', '$']);
        assert!(!left_over || level != Level::Base && !run.contains(['{', '}']), "{name}: markup in {text:?}");
    }
    let said = spoken(text);
    assert!(!said.contains(['_', '^', '{', '}']), "{name}: {said:?}");
    for (level, run) in runs(text) {
        let alone = spoken(&format!("^{{{run}}}"));
        assert!(level != Level::Super || said.contains(&alone), "{name}: {said:?} has lost {run:?}");
    }
}

/// Series of one kind and mark stand in the order of their parameter.
#[track_caller]
fn in_order(name: &str, series: &[Series]) {
    let rank = |series: &Series| match &series.hue {
        Hue::Of { kind, rank: Some(rank), .. } => Some((*kind, std::mem::discriminant(&series.mark), *rank)),
        Hue::Of { .. } | Hue::Theory => None,
    };
    for (i, earlier) in series.iter().enumerate() {
        for later in &series[i + 1..] {
            if let (Some(a), Some(b)) = (rank(earlier), rank(later))
                && (a.0, a.1) == (b.0, b.1)
            {
                assert!(a.2 <= b.2, "{name}: {} before {}", earlier.label, later.label);
            }
        }
    }
    for letter in ["Λ = ", "ε = "] {
        let value = |s: &Series| s.label.split_once(letter)?.1.split([',', ' ']).next()?.parse::<f64>().ok();
        let values: Vec<f64> = series.iter().filter_map(value).collect();
        assert!(values.is_sorted(), "{name}: {letter}{values:?}");
    }
}

/// No more digits than a reader needs: a measured slope has its error, and no number more than four digits without one.
#[track_caller]
fn few_digits(name: &str, label: &str) {
    let numbers = label.split(|c: char| !(c.is_ascii_digit() || c == '.')).map(|n| n.trim_matches('.'));
    for number in numbers {
        let digits = number.replace('.', "").trim_start_matches('0').len();
        let most = if number.contains('.') { 4 } else { 6 };
        assert!(digits <= most || label.contains('±'), "{name}: {number} in {label:?}");
    }
}
