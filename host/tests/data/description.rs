//! list and show.

use std::path::Path;

use ntkscope::data::{DataSpec, Targets, default_dir, list, show};

use super::{assert_says, directory, file, samples, spec};

#[test]
fn the_list_names_every_source_and_where_it_looks() {
    let all = list(Some(Path::new("/nowhere")));
    let names: Vec<&str> = all.iter().map(|e| e.name.as_str()).collect();
    assert_eq!(names, ["circle", "conflicting", "sphere", "mixture", "mnist", "fashion-mnist", "cifar-10"]);
    for entry in &all {
        let idx = entry.name.ends_with("mnist") || entry.name == "cifar-10";
        assert_eq!(entry.present, !idx, "{entry}");
        assert_eq!(entry.dir.as_deref(), idx.then_some(Path::new("/nowhere")), "{entry}");
        let line = entry.to_string();
        assert!(line.starts_with(&entry.name) && line.contains(entry.description) && !line.contains('\n'), "{line}");
        assert_eq!(line.contains(&format!("ntkscope data fetch {}", entry.name)), idx, "{line}");
    }
    let dir = default_dir(&spec("fashion-mnist").source).unwrap();
    assert!(dir.ends_with("ntkscope/fashion-mnist"), "{}", dir.display());
    assert_says(&default_dir(&spec("circle").source).unwrap_err(), 2, &["circle needs no download"]);
}

#[test]
fn the_summary_of_the_six_points() {
    let summary = show(&samples(&spec("circle")));
    assert_eq!((summary.n, summary.d, summary.classes), (6, 2, 2));
    assert_eq!(summary.counts, [3, 3]);
    assert!((summary.norm_min - 1.0).abs() < 1e-15 && (summary.norm_max - 1.0).abs() < 1e-15);
    let angle = summary.smallest_angle.unwrap().angle;
    assert!((angle - std::f64::consts::FRAC_PI_3).abs() < 1e-15, "{angle}");
    let text = summary.to_string();
    for part in ["6 of dimension 2", "2 (0: 3, 1: 3)", "1.047198 rad (60 degrees)", &summary.sha256] {
        assert!(text.contains(part), "`{part}` is not in {text}");
    }
}

#[test]
fn the_smallest_angle_is_found_however_small_and_wherever_the_samples_end() {
    let path = directory("angles").join("angles.csv");
    std::fs::write(&path, "1,0,0\n0,1,1\n3,3e-12,0\n-1,0,1\n").unwrap();
    let classes = DataSpec { targets: Some(Targets::Classes), ..file(path.clone()) };
    let summary = show(&samples(&classes));
    let least = summary.smallest_angle.unwrap();
    assert_eq!((least.first, least.second), (0, 2));
    assert!((least.angle / 1e-12 - 1.0).abs() < 1e-12, "{}", least.angle);
    assert_eq!((summary.norm_min, summary.norm_max, summary.counts), (1.0, 3.0, vec![2, 2]));

    std::fs::write(&path, "1,0,0\n2,0,1\n").unwrap();
    let text = show(&samples(&file(path.clone()))).to_string();
    assert!(text.contains("samples 0 and 1: same direction"), "{text}");
    std::fs::write(&path, "1,0,0\n0,0,1\n").unwrap();
    assert_eq!(show(&samples(&file(path.clone()))).smallest_angle, None);

    // samples of any size, each with another: a factor of one changes no direction
    for scales in [[1e-300, 1e-300, 1e-300], [3e307, 3e307, 3e307], [1e-200, 1.0, 1e200], [5e-324, 1e-310, 1e300]] {
        let points = [[1.0, 1.0], [-1.0, 1.0], [0.0, -1.0]];
        let row = |([a, b], s): ([f64; 2], f64)| format!("{:e},{:e},0\n", a * s, b * s);
        std::fs::write(&path, points.into_iter().zip(scales).map(row).collect::<String>()).unwrap();
        let summary = show(&samples(&file(path.clone())));
        let angle = summary.smallest_angle.unwrap().angle;
        assert!((angle - std::f64::consts::FRAC_PI_2).abs() < 1e-15, "{scales:?}: {angle}");
        let norms = [summary.norm_min, summary.norm_mean, summary.norm_max];
        assert!(norms.iter().all(|norm| *norm > 0.0 && norm.is_finite()), "{scales:?}: {norms:?}");
    }

    // More than eight numbers a sample: against the plain formula.
    let wide = samples(&DataSpec { n: Some(40), dimension: Some(19), ..spec("mixture") });
    let angle = |i: usize, j: usize| {
        let row = |i: usize| &wide.x[19 * i..][..19];
        let dot = |i, j| row(i).iter().zip(row(j)).map(|(a, b)| a * b).sum::<f64>();
        (dot(i, j) / (dot(i, i) * dot(j, j)).sqrt()).acos()
    };
    let least = (0..40).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| angle(i, j)).fold(9.0, f64::min);
    assert!((show(&wide).smallest_angle.unwrap().angle - least).abs() < 1e-12);
}

#[test]
fn the_checksum_is_of_x_and_labels() {
    use sha2::{Digest, Sha256};
    let six = samples(&spec("circle"));
    let mut hash = Sha256::new();
    six.x.iter().for_each(|v| hash.update(v.to_le_bytes()));
    [0u64, 1, 0, 1, 0, 1].iter().for_each(|label| hash.update(label.to_le_bytes()));
    assert_eq!(six.sha256, hash.finalize().iter().map(|b| format!("{b:02x}")).collect::<String>());
}
