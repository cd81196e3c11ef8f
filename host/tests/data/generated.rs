//! circle, sphere, mixture.

use ntkscope::data::{ClassSelection, DataSpec, MIXTURE_OFFSET, Normalize, load};
use ntkscope::machine::Budget;
use ntkscope::machine::memory::{LimitSource, MemoryLimit};

use super::{assert_refused, assert_says, samples, spec};

#[test]
fn the_circle_s_default_is_the_six_points_with_exact_values() {
    let six = samples(&spec("circle"));
    let h = 3f64.sqrt() / 2.0;
    assert_eq!((six.n, six.d, six.classes), (6, 2, 2));
    assert_eq!(six.x, [0.5, h, -0.5, h, -1.0, 0.0, -0.5, -h, 0.5, -h, 1.0, 0.0]);
    assert_eq!(six.labels, [0, 1, 0, 1, 0, 1]);
    assert_eq!(six.y, [0.0, 1.0, 0.0, 1.0, 0.0, 1.0]);
    assert_eq!(six.sha256.len(), 64);
    assert!(six.description.starts_with("circle: 6 samples, 2 classes"), "{}", six.description);
}

#[test]
fn antipodes_and_mirror_images_are_exact_on_every_circle() {
    for n in (2..=720).step_by(2).chain([1024, 4098]) {
        let circle = samples(&DataSpec { n: Some(n), ..spec("circle") });
        let point = |i: usize| (circle.x[2 * (i - 1)], circle.x[2 * (i - 1) + 1]); // i = 1..n as in the formula
        for i in 1..=n {
            let (cos, sin) = point(i);
            let angle = std::f64::consts::TAU * i as f64 / n as f64;
            assert!((cos - angle.cos()).abs() < 2e-15 && (sin - angle.sin()).abs() < 2e-15, "{i} of {n}");
            assert!((cos * cos + sin * sin - 1.0).abs() < 1e-15, "{i} of {n}");
            assert!(cos.to_bits() != (-0.0f64).to_bits() && sin.to_bits() != (-0.0f64).to_bits(), "-0 in {i} of {n}");
            if i <= n / 2 {
                assert_eq!(point(i + n / 2), (-cos, -sin), "antipode of {i} of {n}");
            }
            if i < n {
                assert_eq!(point(n - i), (cos, -sin), "mirror image of {i} of {n}");
            }
            for (twelfth, value) in [(0, 1.0), (2, 0.5), (3, 0.0), (4, -0.5), (6, -1.0), (8, -0.5), (9, 0.0), (10, 0.5)]
            {
                if 12 * i == twelfth * n || (twelfth == 0 && i == n) {
                    assert_eq!(cos, value, "{i} of {n}");
                }
            }
        }
    }
}

#[test]
fn a_circle_needs_pairs() {
    assert_refused(&DataSpec { n: Some(7), ..spec("circle") }, 2, &["--n 7", "antipodal", "--n 8"]);
    assert_refused(&DataSpec { n: Some(1), ..spec("circle") }, 2, &["--n 1", "--n 2"]);
    for source in ["circle", "sphere", "mixture"] {
        assert_refused(&DataSpec { n: Some(0), ..spec(source) }, 2, &["--n 0", "--n 1 or more"]);
    }
}

#[test]
fn the_sphere_has_unit_points_labelled_by_its_rule() {
    let sphere = samples(&spec("sphere"));
    assert_eq!((sphere.n, sphere.d, sphere.classes), (64, 3, 2));
    for (point, &label) in sphere.x.chunks_exact(3).zip(&sphere.labels) {
        assert!((point.iter().map(|v| v * v).sum::<f64>() - 1.0).abs() < 1e-15);
        assert_eq!(label, usize::from(point[0] * point[1] > 0.0));
    }
    assert_eq!(sphere.labels.iter().sum::<usize>(), 32);
}

#[test]
fn the_sphere_is_uniform() {
    // Uniform on S^(d-1): mean 0, E x_k^2 = 1/d, E x_k^4 = 3/(d(d+2)). Five standard errors of 20000 samples.
    let (n, d) = (20_000, 5);
    let sphere = samples(&DataSpec { n: Some(n), dimension: Some(d), seed: 3, ..spec("sphere") });
    let moment = |k: usize, power: i32| sphere.x.chunks_exact(d).map(|p| p[k].powi(power)).sum::<f64>() / n as f64;
    let fourth = 3.0 / (d * (d + 2)) as f64;
    for k in 0..d {
        assert!(moment(k, 1).abs() < 5.0 * (0.2 / n as f64).sqrt(), "mean of {k}: {}", moment(k, 1));
        assert!((moment(k, 2) - 0.2).abs() < 5.0 * ((fourth - 0.04) / n as f64).sqrt(), "square of {k}");
        assert!((moment(k, 4) - fourth).abs() < 5.0 * (fourth / n as f64).sqrt(), "fourth power of {k}");
    }
}

#[test]
fn the_mixture_has_its_centres_and_unit_variance() {
    let (n, d) = (20_000, 3);
    let mixture = samples(&DataSpec { n: Some(n), dimension: Some(d), ..spec("mixture") });
    for class in [0, 1] {
        for k in 0..d {
            let of_class =
                || mixture.x.chunks_exact(d).zip(&mixture.labels).filter(|(_, l)| **l == class).map(|(p, _)| p[k]);
            let mean = of_class().sum::<f64>() / (n / 2) as f64;
            let variance = of_class().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n / 2) as f64;
            let centre = if k == 0 { [-MIXTURE_OFFSET, MIXTURE_OFFSET][class] } else { 0.0 };
            assert!((mean - centre).abs() < 5.0 / (n as f64 / 2.0).sqrt(), "class {class} direction {k}: {mean}");
            assert!(
                (variance - 1.0).abs() < 5.0 * (2.0 / (n as f64 / 2.0)).sqrt(),
                "class {class} direction {k}: {variance}"
            );
        }
    }
    let default = samples(&spec("mixture"));
    assert_eq!((default.n, default.d, default.classes), (64, 2, 2));
}

#[test]
fn a_seed_gives_the_same_samples_and_another_seed_others() {
    for source in ["sphere", "mixture"] {
        let of = |seed| samples(&DataSpec { seed, ..spec(source) });
        assert_eq!(of(5), of(5));
        assert_ne!(of(5).sha256, of(6).sha256);
        // The first n of more samples are the n samples.
        let more = samples(&DataSpec { n: Some(100), seed: 5, ..spec(source) });
        assert_eq!(more.x[..of(5).x.len()], of(5).x);
    }
    assert_eq!(samples(&spec("circle")), samples(&DataSpec { seed: 9, ..spec("circle") }));
}

#[test]
fn dimensions_are_checked() {
    assert_refused(&DataSpec { dimension: Some(1), ..spec("sphere") }, 2, &["--dimension 1", "sphere", "2 or more"]);
    assert_refused(&DataSpec { dimension: Some(0), ..spec("mixture") }, 2, &["--dimension 0", "mixture", "1 or more"]);
    assert_refused(&DataSpec { dimension: Some(2), ..spec("circle") }, 2, &["--dimension", "circle", "leave"]);
    for n in [usize::MAX / 16 + 1, usize::MAX - 1] {
        for source in ["circle", "sphere", "mixture"] {
            assert_refused(&DataSpec { n: Some(n), ..spec(source) }, 2, &["memory", "use fewer samples (--n"]);
        }
    }
}

#[test]
fn classes_and_normalization_apply_to_generated_samples_too() {
    let swapped = samples(&DataSpec { classes: Some(ClassSelection::Labels(vec![1, 0])), ..spec("circle") });
    assert_eq!(swapped.labels, [1, 0, 1, 0, 1, 0]);
    assert_refused(
        &DataSpec { classes: Some(ClassSelection::Labels(vec![0, 3])), ..spec("circle") },
        2,
        &["--classes 0,3", "circle", "the label 3", "0, 1"],
    );
    let unit = samples(&DataSpec { normalize: Some(Normalize::Sphere), ..spec("mixture") });
    assert!(unit.x.chunks_exact(2).all(|p| (p[0] * p[0] + p[1] * p[1] - 1.0).abs() < 1e-15));
}

#[test]
fn recorded_runs_can_be_repeated() {
    // A change here changes the data of every run on record.
    for (source, sha256) in [
        ("circle", "dc15a1090aea0b34abb58b0db50792346c4a659dc4ca3bc47eeb821d2e0d815c"),
        ("sphere", "bb324d25c1b0bd9edd9a820b4c5276a5668040cb4b55ea1bf93ab79b752a17fb"),
        ("mixture", "9a539c035194e299b297433956963576792f9fac8e26994487e9a42de1f2a451"),
    ] {
        assert_eq!(samples(&spec(source)).sha256, sha256, "{source}");
    }
}

#[test]
fn what_is_held_out_is_not_among_the_samples() {
    for source in ["sphere", "mixture"] {
        let (all, cut) = (spec(source), DataSpec { n: Some(20), held_out: 7, ..spec(source) });
        let (all, cut) = (samples(&DataSpec { n: Some(27), ..all }), samples(&cut));
        assert_eq!((cut.n, cut.labels.len(), cut.held_out.len()), (20, 20, 7 * cut.d), "{source}");
        assert_eq!([&cut.x[..], &cut.held_out[..]].concat(), all.x, "{source}: the next ones");
    }
    let circle = samples(&DataSpec { n: Some(6), held_out: 6, ..spec("circle") });
    let angle = |x: &[f64]| x[1].atan2(x[0]).to_degrees().rem_euclid(360.0);
    let degrees: Vec<f64> = circle.held_out.chunks(2).map(|x| angle(x).round()).collect();
    assert_eq!(degrees, [30.0, 90.0, 150.0, 210.0, 270.0, 330.0]);
}

#[test]
fn labels_that_disagree() {
    let data = samples(&spec("conflicting"));
    assert_eq!((data.n, data.d, data.classes), (24, 2, 2));
    let six = samples(&spec("circle"));
    for i in 0..24 {
        assert_eq!(data.x[2 * i..][..2], six.x[2 * (i % 6)..][..2], "copy {i}");
        // the last of every four copies
        assert_eq!(data.labels[i] != six.labels[i % 6], i / 6 == 3, "label {i}");
    }
    assert_refused(&DataSpec { n: Some(25), ..spec("conflicting") }, 2, &["--n 25", "--n 48"]);
}

#[test]
fn more_than_the_budget_is_refused_before_it_is_made() {
    let limit = MemoryLimit { bytes: 100 << 20, source: LimitSource::Setting, smaller: None };
    for source in ["circle", "conflicting", "sphere", "mixture"] {
        // even, and a multiple of 24: 3 GB of samples, and more than can be counted
        for much in [24 * 4_000_000, usize::MAX / 24 * 24] {
            let (large, held_out) = (Some(much), if source == "circle" { much } else { 0 });
            for spec in [DataSpec { n: large, ..spec(source) }, DataSpec { held_out, n: large, ..spec(source) }] {
                let error = load(&spec, &Budget::within(Some(limit))).unwrap_err();
                assert_says(&error, 2, &["of memory, more than 100.0 MiB (--memory)", "raise --memory"]);
            }
        }
        let few = load(&DataSpec { n: Some(48), ..spec(source) }, &Budget::within(Some(limit))).unwrap();
        assert_eq!(few.n, 48);
    }
}
