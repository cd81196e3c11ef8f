//! Whole figures: the same bytes every time, nothing crashes, nothing is left out silently.

use super::*;

fn figure(x: Scale, y: Scale, series: Vec<Series>) -> Figure {
    Figure {
        name: "test".into(),
        title: "<K_{t}> & \"more\"".into(),
        x: Axis::new("t < 1", x),
        y: Axis::new("y", y),
        series,
        caption: "a < b".into(),
        settings: "width = 4".into(),
        maps: Vec::new(),
        palette: None,
        style: FigureStyle::Paper,
    }
}

fn series(x: &[f64], y: &[f64], mark: Mark) -> Series {
    let hue = if mark == Mark::Theory { Hue::Theory } else { Hue::named("run", "one") };
    Series::new("one & two", (x.to_vec(), y.to_vec()), mark, hue)
}

/// What the figure says about points it leaves out: the end of its description.
fn description(figure: &Figure) -> String {
    let svg = figure.svg().unwrap();
    let (_, rest) = svg.split_once("<desc>").unwrap();
    rest.split_once("</desc>").unwrap().0.into()
}

#[test]
fn same_figure_same_bytes() {
    let figure = figure(Scale::LogTime, Scale::Log, vec![series(&[0.0, 1.0, 10.0], &[0.1, 2.0, 3.0], Mark::Line)]);
    assert_eq!(figure.svg().unwrap(), figure.svg().unwrap());
    assert_eq!(figure.png().unwrap(), figure.png().unwrap());
    assert_eq!(figure.pdf().unwrap(), figure.pdf().unwrap());
    assert_eq!(figure.pdf().unwrap()[..8], *b"%PDF-1.7");
    assert_eq!(figure.png().unwrap()[..8], *b"\x89PNG\r\n\x1a\n");
}

#[test]
fn text_is_escaped_and_nothing_is_referred_to() {
    let svg = figure(Scale::Linear, Scale::Linear, vec![series(&[0.0, 1.0], &[0.0, 1.0], Mark::Line)]).svg().unwrap();
    assert!(svg.contains("aria-label=\"&lt;Kₜ&gt; &amp; &quot;more&quot;\""));
    assert!(svg.contains("<title>&lt;Kₜ&gt; &amp; &quot;more&quot;</title>"));
    assert!(svg.contains("<desc>a &lt; b Horizontal: t &lt; 1. Vertical: y. Series: one &amp; two.</desc>"));
    assert!(svg.contains("<metadata>width = 4</metadata>"));
    let own = svg.replacen("xmlns=\"http://www.w3.org/2000/svg\"", "", 1);
    for word in ["http", "href", "src=", "url(", "id=", "<script", "NaN", "inf"] {
        assert!(!own.contains(word), "{word}");
    }
}

#[test]
fn every_file_keeps_the_rules_with_any_text() {
    let nasty = "<K_{t}> & \"^{'d'}\" ]]> \u{1} é 漢 \u{fffe}";
    let mut figure = figure(Scale::Linear, Scale::Log, vec![series(&[0.0, 1.0], &[1.0, 9.0], Mark::Line)]);
    figure.series[0].label = nasty.into();
    (figure.title, figure.caption, figure.settings) = (nasty.into(), nasty.into(), nasty.into());
    for style in [FigureStyle::Paper, FigureStyle::Slides] {
        rules::files_agree(&Figure { style, ..figure.clone() });
        rules::files_agree(&Figure { style, ..maps(5, 2) });
        rules::files_agree(&Figure { style, series: Vec::new(), ..figure.clone() });
    }
}

#[test]
fn slides_have_larger_text_and_thicker_lines() {
    let paper = figure(Scale::Linear, Scale::Linear, vec![series(&[0.0, 1.0], &[0.0, 1.0], Mark::Line)]);
    let slides = Figure { style: FigureStyle::Slides, ..paper.clone() };
    let [paper, slides] = [paper, slides].map(|figure| figure.svg().unwrap());
    let widest = |svg: &str| {
        let widths = svg.split("stroke-width=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
        widths.map(|width| width.parse::<u32>().unwrap()).max().unwrap()
    };
    assert_eq!((widest(&paper), widest(&slides)), (9, 15));
    // what is said of the figure is the same, and so is what can be pointed at
    for part in ["<desc>", "<title>"] {
        assert_eq!(paper.matches(part).count(), slides.matches(part).count());
    }
    let height = |svg: &str| svg.split("height=\"").nth(1).unwrap().split('"').next().unwrap().parse::<u32>().unwrap();
    assert!(height(&slides) > height(&paper));
}

#[test]
fn hovering_never_doubles_a_file() {
    let x: Vec<f64> = (0..500).map(f64::from).collect();
    let many = (0..20).map(|i| Series { label: format!("{i} {}", "long ".repeat(40)), ..series(&x, &x, Mark::Line) });
    let svg = figure(Scale::Linear, Scale::Linear, many.collect()).svg().unwrap();
    let (drawn, hovers) = svg.split_once("<g fill-opacity=\"0\">").unwrap();
    assert!(2 * hovers.len() <= drawn.len() + 100, "{} of {}", hovers.len(), svg.len());
    let few = figure(Scale::Linear, Scale::Linear, vec![series(&[1.0, 2.0], &[3.0, 4.0], Mark::Line)]).svg().unwrap();
    assert!(
        few.contains("<title>one &amp; two: 3 at 1</title>") && few.contains("<title>one &amp; two: 4 at 2</title>")
    );
}

#[test]
fn what_is_left_out_is_said() {
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    let y = [1.0, nan, 0.0, -2.0, inf, 3.0];
    let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let said = |x_scale, y_scale, mark| description(&figure(x_scale, y_scale, vec![series(&x, &y, mark)]));
    assert!(
        said(Scale::Linear, Scale::Log, Mark::Line).ends_with("2 values ≤ 0 not drawn; 2 non-finite values not drawn.")
    );
    assert!(said(Scale::Linear, Scale::Linear, Mark::Points).ends_with(" 2 non-finite values not drawn."));
    let whole = figure(Scale::LogTime, Scale::Log, vec![series(&[0.0, 1.0], &[0.0, 1.0], Mark::Line)]);
    assert!(!description(&whole).contains("not drawn"));
    let mut ranged = figure(Scale::Linear, Scale::Linear, vec![series(&x, &x, Mark::Line)]);
    ranged.y.range = Some((0.0, 5.5));
    assert!(description(&ranged).ends_with(" 1 point outside the axes."));
}

#[test]
fn a_band_may_reach_below_a_logarithm() {
    let mark = Mark::Band { low: vec![-1.0, 0.5, f64::NAN], high: vec![2.0, 3.0, 4.0] };
    let figure = figure(Scale::Linear, Scale::Log, vec![series(&[0.0, 1.0, 2.0], &[1.0, 1.0, 1.0], mark)]);
    assert!(description(&figure).ends_with(" 1 non-finite value not drawn."));
    figure.png().unwrap();
}

#[test]
fn no_data_crashes() {
    let (max, tiny, nan) = (f64::MAX, f64::from_bits(1), f64::NAN);
    let sets: [(&[f64], &[f64]); 8] = [
        (&[], &[]),
        (&[1.0], &[1.0]),
        (&[nan, 1.0], &[1.0, nan]),
        (&[0.0, 0.0], &[0.0, 0.0]),
        (&[-max, max], &[max, -max]),
        (&[tiny, max], &[tiny, max]),
        (&[1.0, 1.0f64.next_up()], &[-tiny, tiny]),
        (&[-5.0, -4.0], &[-5.0, -4.0]),
    ];
    for (x, y) in sets {
        for scale in [Scale::Linear, Scale::Log, Scale::LogTime, Scale::Exponent] {
            let band = Mark::Band { low: y.to_vec(), high: x.to_vec() };
            for mark in [Mark::Line, Mark::Dashed, Mark::Theory, Mark::Points, Mark::Fit, band] {
                let figure = figure(scale, scale, vec![series(x, y, mark)]);
                let svg = figure.svg().unwrap();
                assert!(!svg.contains("NaN") && !svg.contains("inf"), "{scale:?} {x:?} {y:?}");
            }
        }
        // Pixels take their time; where they could overflow is at the largest numbers.
        if y.contains(&max) {
            figure(Scale::Linear, Scale::Log, vec![series(x, y, Mark::Dashed)]).png().unwrap();
        }
    }
}

#[test]
fn a_long_legend_makes_the_figure_higher() {
    let many = (0..40).map(|i| Series {
        label: format!("{i} {}", "long ".repeat(30)),
        ..series(&[0.0, 1.0], &[0.0, 1.0], Mark::Line)
    });
    let svg = figure(Scale::Linear, Scale::Linear, many.collect()).svg().unwrap();
    let height: f64 = svg.split("height=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap();
    assert!(height > 40.0 * 24.0 + 300.0, "{height}");
}

/// A map of n samples, one entry of which is not finite.
fn maps(n: usize, count: usize) -> Figure {
    let entry = |i: usize, j: usize| if (i, j) == (0, 1) { f64::NAN } else { (i * j) as f64 };
    let map = |k: usize| {
        let shading = if k == 2 { Shading::Diverging } else { Shading::Sequential };
        HeatMap::new(format!("K_{{{k}}}"), n, entry, shading)
    };
    Figure { maps: (0..count).map(map).collect(), ..figure(Scale::Linear, Scale::Linear, Vec::new()) }
}

#[test]
fn heat_maps_are_drawn_in_few_elements() {
    for (n, count) in [(1, 1), (2, 3), (64, 3), (100, 4)] {
        let (figure, again) = (maps(n, count), maps(n, count));
        let svg = figure.svg().unwrap();
        assert_eq!(svg, again.svg().unwrap());
        assert_eq!(figure.png().unwrap(), again.png().unwrap());
        // a path for every colour, whatever the number of cells
        let paths = svg.matches("crispEdges").count();
        assert!((33..100).contains(&paths) && svg.len() < 600_000, "{paths} paths, {} bytes", svg.len());
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
        let lost = if n == 1 { 0 } else { count };
        assert_eq!(description(&figure).contains("not finite"), lost > 0);
        assert!(description(&figure).contains("Maps: K₀"), "{}", description(&figure));
    }
    let mut wrong = maps(2, 1);
    wrong.maps[0].cells.pop();
    assert!(wrong.svg().unwrap_err().to_string().contains("3 cells"));
    let beside = Figure { series: vec![series(&[0.0], &[0.0], Mark::Line)], ..maps(2, 1) };
    assert!(beside.svg().is_err());
}

#[test]
fn a_wrong_figure_is_refused_with_its_name() {
    let wrong = figure(Scale::Linear, Scale::Linear, vec![series(&[0.0], &[], Mark::Line)]);
    let message = format!("{:#}", wrong.svg().unwrap_err());
    assert!(message.contains("\"test\"") && message.contains("1 x but 0 y"), "{message}");
    let mut wrong = figure(Scale::Log, Scale::Linear, vec![]);
    wrong.x.range = Some((0.0, 1.0));
    assert!(wrong.svg().is_err());
    wrong.x.range = Some((f64::NAN, 1.0));
    assert!(wrong.svg().is_err());
    let named = Figure { name: "../outside".into(), ..figure(Scale::Linear, Scale::Linear, vec![]) };
    assert!(named.save(&std::env::temp_dir()).is_err());
}

#[test]
fn files_are_written_whole() {
    let folder = std::env::temp_dir().join(format!("ntkscope-figure-{}", std::process::id()));
    let figure = figure(Scale::Linear, Scale::Linear, vec![series(&[0.0, 1.0], &[0.0, 1.0], Mark::Line)]);
    figure.save(&folder.join("figures")).unwrap();
    let mut names: Vec<_> =
        std::fs::read_dir(folder.join("figures")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    let svg = std::fs::read_to_string(folder.join("figures/test.svg")).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(names, ["test.pdf", "test.png", "test.svg"]);
    assert_eq!(svg, figure.svg().unwrap());
}
