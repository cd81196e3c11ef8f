//! What y means: by a setting and the type that a file stores, never by samples that are not used.

use std::fs;

use ntkscope::data::{ClassSelection, DataSpec, Samples, Targets, load, show};
use ntkscope::machine::Budget;

use super::tables::{csv, npy, npz};
use super::{assert_refused, samples, spec};

/// Labels of six samples as a file stores them: text, real numbers, integers.
fn stored(test: &str, y: &[f64]) -> [DataSpec; 3] {
    let n = y.len();
    let x: Vec<f64> = (0..y.len()).map(|i| i as f64 + 1.0).collect();
    let text: String = x.iter().zip(y).map(|(x, y)| format!("{x},{y}\n")).collect();
    let x = || npy(&[n, 1], false, &x);
    let integers: Vec<i64> = y.iter().map(|y| *y as i64).collect();
    [
        csv(&format!("{test}-csv"), text),
        npz(&format!("{test}-real"), &[("x", x()), ("y", npy(&[n], false, y))]),
        npz(&format!("{test}-integer"), &[("x", x()), ("y", npy(&[n], false, &integers))]),
    ]
}

/// All that a run, a kernel or a prediction takes from samples.
fn used(spec: &DataSpec) -> Samples {
    Samples { held_out_y: Vec::new(), ..samples(spec) }
}

#[test]
fn a_label_that_is_not_used_changes_nothing() {
    let y = [3.0, 8.0, 8.0, 3.0, 8.0, 3.0];
    for changed in [4.0, -7.0, 1e6, 0.5, 1e300, 9_007_199_254_740_993.0] {
        let mut other = y;
        other[5] = changed;
        for (k, (before, after)) in stored("unused", &y).into_iter().zip(stored("changed", &other)).enumerate() {
            if k == 2 && (changed.fract() != 0.0 || changed > 1e18) {
                continue;
            }
            for targets in [None, Some(Targets::Classes), Some(Targets::Values)] {
                let selections = [
                    None,
                    Some(ClassSelection::All),
                    Some(ClassSelection::Parity),
                    Some(ClassSelection::Labels(vec![8, 3])),
                ];
                for classes in selections {
                    if targets == Some(Targets::Values) && classes.is_some() {
                        continue;
                    }
                    let asked = |spec: &DataSpec, n, held_out| DataSpec {
                        n: Some(n),
                        held_out,
                        targets,
                        classes: classes.clone(),
                        ..spec.clone()
                    };
                    for (n, held_out) in [(5, 0), (4, 1), (2, 3)] {
                        let (a, b) = (asked(&before, n, held_out), asked(&after, n, held_out));
                        assert_eq!(used(&a), used(&b), "{changed} {targets:?} {classes:?} {n} {held_out} {k}");
                    }
                    // a label that is only held out is no class either
                    if classes != Some(ClassSelection::Labels(vec![8, 3])) {
                        let (a, b) = (asked(&before, 5, 1), asked(&after, 5, 1));
                        assert_eq!(used(&a), used(&b), "{changed} {targets:?} {classes:?} held out {k}");
                    }
                }
            }
        }
    }
}

#[test]
fn the_type_that_a_file_stores_decides_and_a_setting_overrules_it() {
    let y = [3.0, 5.0, 2.0, 8.0, 5.0, 3.0];
    let [text, real, integer] = stored("types", &y);
    for file in [&text, &real] {
        let values = samples(file);
        assert_eq!((values.targets, values.classes, values.y.as_slice()), (Some(Targets::Values), 0, &y[..]));
        assert!(values.description.contains("real-valued y"), "{}", values.description);
        let classes = samples(&DataSpec { targets: Some(Targets::Classes), ..file.clone() });
        assert_eq!((classes.targets, classes.labels.as_slice()), (Some(Targets::Classes), &[1, 2, 0, 3, 2, 1][..]));
        assert_eq!(samples(&DataSpec { classes: Some(ClassSelection::All), ..file.clone() }), classes);
    }
    let classes = samples(&integer);
    assert_eq!(
        (classes.targets, classes.classes, classes.class_names().join(" ")),
        (Some(Targets::Classes), 4, "2 3 5 8".into())
    );
    assert!(classes.description.contains("labels 2, 3, 5, 8 as classes 0, 1, 2, 3"), "{}", classes.description);
    let values = samples(&DataSpec { targets: Some(Targets::Values), ..integer });
    assert_eq!((values.targets, values.y), (Some(Targets::Values), y.to_vec()));
    // other numbers, other checksum, though x is the same
    assert_ne!(values.sha256, classes.sha256);
    let shown = show(&samples(&real));
    assert_eq!(shown.y.map(|y| (y.min, y.max, y.distinct)), Some((2.0, 8.0, 4)));
    assert!(shown.to_string().contains("real-valued"), "{shown}");
}

#[test]
fn what_is_no_class_is_told_with_the_setting_that_takes_it() {
    let numbers = csv("numbers", "1,2,0.5\n3,4,1.5\n5,6,1\n");
    let as_classes = |classes| DataSpec { targets: Some(Targets::Classes), classes, ..numbers.clone() };
    for classes in
        [None, Some(ClassSelection::All), Some(ClassSelection::Parity), Some(ClassSelection::Labels(vec![0, 1]))]
    {
        let parts = ["table.csv", "row 0", "0.5 is not an integer", "--targets values"];
        assert_refused(&as_classes(classes), 2, &parts);
    }
    let both = DataSpec { targets: Some(Targets::Values), classes: Some(ClassSelection::Parity), ..numbers.clone() };
    assert_refused(&both, 2, &["--classes parity", "--targets values"]);
    // 2^53 + 1 has no float, and 2^53 may be its neighbour rounded
    let integer = |label: &str| csv("beyond", format!("1,2,{label}\n3,4,9007199254740992\n"));
    assert_refused(&integer("9007199254740993"), 3, &["line 1", "9007199254740993 is too large"]);
    let classes = DataSpec { targets: Some(Targets::Classes), ..integer("1") };
    assert_refused(&classes, 2, &["row 1", "beyond 2^53", "--targets values"]);
    let x = || npy(&[2, 1], false, &[1.0, 2.0]);
    let beyond = npz("beyond", &[("x", x()), ("y", npy(&[2], false, &[1i64 << 60, 1]))]);
    assert_refused(&beyond, 2, &["row 0", "beyond 2^53"]);
    let least = npz("least", &[("x", x()), ("y", npy(&[2], false, &[(1i64 << 53) - 1, 1 - (1 << 53)]))]);
    assert_eq!(samples(&least).class_names(), ["-9007199254740991", "9007199254740991"]);
}

#[test]
fn several_numbers_per_sample() {
    let x = || npy(&[3, 1], false, &[1.0, 2.0, 3.0]);
    let y = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let two = npz("two", &[("x", x()), ("y", npy(&[3, 2], false, &y))]);
    let all = samples(&two);
    assert_eq!((all.y_columns, all.y_shape(), all.y.as_slice()), (2, vec![3, 2], &y[..]));
    assert!(all.description.contains("y with 2 numbers per sample"), "{}", all.description);
    let apart = samples(&DataSpec { n: Some(2), held_out: 1, ..two.clone() });
    assert_eq!((apart.y.as_slice(), apart.held_out_y.as_slice()), (&y[..4], &y[4..]));
    assert_refused(
        &DataSpec { targets: Some(Targets::Classes), ..two },
        2,
        &["2 numbers per sample", "--targets values"],
    );
    let none = npz("none", &[("x", x()), ("y", npy::<f64>(&[3, 0], false, &[]))]);
    assert_refused(&none, 3, &["`y` has shape [3, 0]"]);
}

#[test]
fn x_alone_is_enough_for_what_needs_no_y() {
    let alone = npz("alone", &[("x", npy(&[2, 2], false, &[1.0, 2.0, 3.0, 4.0]))]);
    let loaded = samples(&DataSpec { n: Some(1), held_out: 1, ..alone.clone() });
    assert_eq!((loaded.n, loaded.held_out.len(), loaded.y.len(), loaded.targets), (1, 2, 0, None));
    assert!(loaded.description.contains("no y"), "{}", loaded.description);
    assert!(loaded.need_y("training").is_err());
    assert!(show(&samples(&alone)).to_string().contains("y               none"));
    assert_refused(&DataSpec { classes: Some(ClassSelection::All), ..alone.clone() }, 3, &["no y", "--classes all"]);
    assert_refused(&DataSpec { targets: Some(Targets::Values), ..alone }, 3, &["no y", "--targets values"]);
}

#[test]
fn selections_of_more_than_two_labels_and_negative_ones() {
    let table = |classes| DataSpec { classes: Some(classes), ..csv("three", "1,-1\n2,5\n3,7\n4,-1\n5,0\n6,7\n") };
    let three = samples(&table(ClassSelection::Labels(vec![7, -1, 0])));
    assert_eq!((three.labels, three.classes, three.x), (vec![1, 0, 1, 2, 0], 3, vec![1.0, 3.0, 4.0, 5.0, 6.0]));
    assert!(three.description.contains("labels 7, -1, 0 as classes 0, 1, 2"), "{}", three.description);
    assert_refused(&table(ClassSelection::Labels(vec![7, 4])), 2, &["--classes 7,4", "the label 4", "-1, 0, 5, 7"]);
    // a class may be missing where fewer samples are used
    let first = samples(&DataSpec { n: Some(1), ..table(ClassSelection::Labels(vec![7, 4])) });
    assert_eq!((first.labels, first.classes), (vec![0], 2));
    let parity = samples(&table(ClassSelection::Parity));
    assert!(parity.description.contains("even labels as class 0"), "{}", parity.description);
    assert_eq!((parity.class_names(), parity.labels), (vec!["even".into(), "odd".into()], vec![1, 1, 1, 1, 0, 1]));
}

/// Generated and stored sets are defined with their classes, whichever labels are used.
#[test]
fn classes_that_a_data_set_is_defined_with() {
    for source in ["sphere", "mixture"] {
        assert_eq!(samples(&DataSpec { n: Some(1), ..spec(source) }).classes, 2, "{source}");
    }
    let dir = super::directory("one digit");
    fs::write(dir.join("t10k-images-idx3-ubyte"), [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 9]).unwrap();
    fs::write(dir.join("t10k-labels-idx1-ubyte"), [0, 0, 8, 1, 0, 0, 0, 1, 7]).unwrap();
    let digits = DataSpec { dir: Some(dir), n: Some(1), ..spec("mnist") };
    let all = samples(&DataSpec { classes: Some(ClassSelection::All), ..digits.clone() });
    assert_eq!((all.labels, all.classes), (vec![7], 10));
    let values = DataSpec { targets: Some(Targets::Values), ..digits };
    assert_eq!(load(&values, &Budget::default()).unwrap().y, [7.0]);
}

/// Names are numbered among those that are used.
#[test]
fn a_name_that_is_not_used_changes_nothing() {
    let table = |last: &str| {
        let text = format!("1,dog\n2,eel\n3,dog\n4,eel\n5,{last}\n");
        DataSpec { n: Some(4), held_out: 1, ..csv("names", text) }
    };
    let before = used(&table("dog"));
    assert_eq!((before.y.as_slice(), before.labels.as_slice()), (&[0.0, 1.0, 0.0, 1.0][..], &[0, 1, 0, 1][..]));
    assert_eq!((before.class_names(), before.classes), (vec!["dog".to_owned(), "eel".into()], 2));
    assert!(before.description.contains("labels dog, eel as classes 0, 1"), "{}", before.description);
    for name in ["ant", "elk", "yak"] {
        assert_eq!(used(&table(name)), before, "{name}");
        let held_out = samples(&table(name)).held_out_y;
        assert!(held_out[0].is_nan(), "{name} is none of the classes: {held_out:?}");
    }
    assert_eq!(samples(&table("eel")).held_out_y, [1.0]);
}
