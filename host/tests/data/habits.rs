//! Text files as programs write them: each with the samples it has, or the sentence that says what is wrong.

use std::time::Instant;

use ntkscope::data::{ClassSelection, DataSpec, Samples, Source, Targets, load_bytes};
use ntkscope::machine::Budget;

use super::{assert_says, file};

fn read(text: impl AsRef<[u8]>, label: Option<&str>) -> Result<Samples, ntkscope::data::Error> {
    let spec = DataSpec { label_column: label.map(String::from), ..file("table.csv".into()) };
    load_bytes(&spec, text.as_ref().to_vec(), &Budget::default())
}

/// (0.5, 1; 0), (-0.5, 1; 1), (0.25, -1; 0)
#[track_caller]
fn three(text: impl AsRef<[u8]>, warning: Option<&str>) {
    let shown = String::from_utf8_lossy(text.as_ref()).into_owned();
    let samples = read(text, None).unwrap_or_else(|e| panic!("{shown:?}: {e}"));
    assert_eq!((samples.n, samples.d), (3, 2), "{shown:?}");
    assert_eq!(samples.x, [0.5, 1.0, -0.5, 1.0, 0.25, -1.0], "{shown:?}");
    assert_eq!(samples.y, [0.0, 1.0, 0.0], "{shown:?}");
    match warning {
        None => assert!(samples.warnings.is_empty(), "{shown:?}: {:?}", samples.warnings),
        Some(part) => {
            let found = matches!(&samples.warnings[..], [one] if one.contains(part) && one.contains("table.csv"));
            assert!(found, "{shown:?}: {:?}", samples.warnings);
        }
    }
}

const NUMBERS_ROWS: &str = "taken for row numbers";

#[test]
fn programs_write_tables_in_many_ways() {
    // pandas: to_csv(index=False), to_csv(), to_csv(header=False, index=False), read again and written again
    three("a,b,y\n0.5,1.0,0\n-0.5,1.0,1\n0.25,-1.0,0\n", None);
    three(",a,b,y\n0,0.5,1.0,0\n1,-0.5,1.0,1\n2,0.25,-1.0,0\n", Some(NUMBERS_ROWS));
    three("0.5,1.0,0\n-0.5,1.0,1\n0.25,-1.0,0\n", None);
    three("Unnamed: 0,a,b,y\n7,0.5,1.0,0\n3,-0.5,1.0,1\n5,0.25,-1.0,0\n", Some(NUMBERS_ROWS));
    // of an array without names, with its index and without
    three(",0,1,2\n0,0.5,1.0,0\n1,-0.5,1.0,1\n2,0.25,-1.0,0\n", Some(NUMBERS_ROWS));
    three("0,1,2\n0.5,1.0,0\n-0.5,1.0,1\n0.25,-1.0,0\n", Some("the first line (0, 1, 2) is taken for a header"));
    three("0,1,y\n0.5,1.0,0\n-0.5,1.0,1\n0.25,-1.0,0\n", None);
    // Excel where the comma is decimal, "CSV UTF-8", with the separator declared, and as text with tabs
    three("a;b;y\r\n0,5;1;0\r\n-0,5;1;1\r\n0,25;-1;0\r\n", None);
    three("\u{feff}a,b,y\r\n0.5,1,0\r\n-0.5,1,1\r\n0.25,-1,0\r\n", None);
    three("sep=;\r\na;b;y\r\n0,5;1;0\r\n-0,5;1;1\r\n0,25;-1;0\r\n", None);
    three("a\tb\ty\n0,5\t1\t0\n-0,5\t1\t1\n0,25\t-1\t0\n", None);
    three("a,b,y\r0.5,1,0\r-0.5,1,1\r0.25,-1,0\r", None);
    three("a;b;y\n0.5;1.0;0\n-0.5;1.0;1\n0.25;-1;0\n", None);
    // numpy.savetxt: plain, with delimiter and header
    three(
        "5.000000000000000000e-01 1.000000000000000000e+00 0.000000000000000000e+00\n-5.0e-01 1.0e+00 1.0e+00\n2.5e-01 -1.0e+00 0.0e+00\n",
        None,
    );
    three("# a,b,y\n0.5,1.0,0\n-0.5,1.0,1\n0.25,-1,0\n", None);
    three("# label a b\n0 0.5 1.0\n1 -0.5 1.0\n0 0.25 -1\n", Some("the label is column 1 (\"label\")"));
    // R: write.csv, write.csv(row.names = FALSE), write.table, write.table(quote = FALSE)
    three("\"\",\"a\",\"b\",\"y\"\n\"1\",0.5,1,0\n\"2\",-0.5,1,1\n\"3\",0.25,-1,0\n", Some(NUMBERS_ROWS));
    three("\"a\",\"b\",\"y\"\n0.5,1,0\n-0.5,1,1\n0.25,-1,0\n", None);
    three("\"a\" \"b\" \"y\"\n\"1\" 0.5 1 0\n\"2\" -0.5 1 1\n\"3\" 0.25 -1 0\n", Some(NUMBERS_ROWS));
    three("a b y\n1 0.5 1 0\n2 -0.5 1 1\n3 0.25 -1 0\n", Some(NUMBERS_ROWS));
    three("\"a\" \"b\" \"y\"\n\"Mazda RX4\" 0.5 1 0\n\"Fiat 128\" -0.5 1 1\n\"Lotus\" 0.25 -1 0\n", Some(NUMBERS_ROWS));
    // Kaggle: the label first, under its usual names
    for name in ["label", "target", "class", "Label", "TARGET"] {
        let text = format!("{name},p0,p1\n0,0.5,1\n1,-0.5,1\n0,0.25,-1\n");
        three(text, Some(&format!("the label is column 1 ({name:?}), not the last one")));
    }
    // separators at the ends of lines, quotes, empty lines, notes
    three("a,b,y,\n0.5,1,0,\n-0.5,1,1,\n0.25,-1,0,\n", None);
    three("a,b,y\n0.5,1,0,\n-0.5,1,1,\n0.25,-1,0,\n", None);
    three("\"a\", \"b\" ,y\n\n\"0.5\", 1 ,\"0\"\n# a note, \"quoted\n-0.5,1,1\n  \n0.25,-1,0", None);
    three("a|b|y\n0.5|1|0\n-0.5|1|1\n0.25|-1|0\n", None);
    three("a  b   y\n 0.5  1   0\n-0.5  1   1\n 0.25 -1   0\n", None);
    three(b"gr\xf6\xdfe,b,y\n0.5,1,0\n-0.5,1,1\n0.25,-1,0\n", None); // names in Latin-1
}

#[test]
fn the_label_is_the_column_that_is_asked_for() {
    let text = "id,label,p0,p1\n9,1,0.5,2\n7,0,-0.5,3\n";
    for label in ["label", "LABEL", "2"] {
        let samples = read(text, Some(label)).unwrap();
        assert_eq!((samples.y, samples.x), (vec![1.0, 0.0], vec![9.0, 0.5, 2.0, 7.0, -0.5, 3.0]));
        assert!(samples.warnings.is_empty());
    }
    assert_eq!(read(text, Some("p1")).unwrap().y, [2.0, 3.0]);
    assert_eq!(read("1,2\n3,4\n", Some("1")).unwrap().y, [1.0, 3.0]);
    for none in ["y", "0", "5", "-1", ""] {
        let error = read(text, Some(none)).unwrap_err();
        assert_says(
            &error,
            2,
            &[&format!("--label-column {none}"), "table.csv", "columns 1 to 4", "id, label, p0, p1"],
        );
    }
    let error = read("label,class,p\n1,2,3\n4,5,6\n", None).unwrap_err();
    assert_says(&error, 2, &["\"label\", \"class\"", "--label-column"]);
    // the last column is the label where it has a label's name, and coordinates may be called x, y, z
    let last = read("label,p,y\n1,2,3\n4,5,6\n", None).unwrap();
    assert_eq!((last.y, last.x), (vec![3.0, 6.0], vec![1.0, 2.0, 4.0, 5.0]));
    assert!(last.warnings[0].contains("column 1 is named \"label\""), "{:?}", last.warnings);
    // of several columns of one name none is meant
    for (header, label) in [("a,a,y", "a"), ("A,a,y", "a"), ("a,A,y", "A")] {
        let found = read(format!("{header}\n1,2,3\n4,5,6\n"), Some(label));
        match header {
            "a,a,y" => {
                assert_says(&found.unwrap_err(), 2, &["1 (\"a\"), 2 (\"a\")", "--label-column"]);
            }
            _ => assert_eq!(found.unwrap().y, [2.0, 5.0]),
        }
    }
    let error = read("Ab,aB,y\n1,2,3\n4,5,6\n", Some("ab")).unwrap_err();
    assert_says(&error, 2, &["1 (\"Ab\"), 2 (\"aB\")"]);
    let coordinates = read("x,y,z\n1,2,3.5\n4,5,6.5\n", None).unwrap();
    assert_eq!(coordinates.y, [3.5, 6.5]);
    assert!(coordinates.warnings[0].contains("\"y\""), "{:?}", coordinates.warnings);
    for source in [Source::Circle, Source::File("a.npz".into())] {
        let spec = DataSpec { label_column: Some("y".into()), ..DataSpec::new(source) };
        assert_says(&load_bytes(&spec, Vec::new(), &Budget::default()).unwrap_err(), 2, &["--label-column"]);
    }
}

#[test]
fn names_of_classes_are_classes() {
    let iris = read("a,b,species\n1,2,virginica\n3,4,setosa\n5,6,virginica\n", None).unwrap();
    assert_eq!((iris.classes, iris.labels), (2, vec![1, 0, 1]));
    assert!(iris.warnings[0].contains("setosa = 0, virginica = 1"), "{:?}", iris.warnings);
    assert_eq!(iris.targets, Some(Targets::Classes));
    let truth = read("1,2,True\n3,4,False\n", None).unwrap();
    assert_eq!(truth.labels, [1, 0]);
    let mixed = read("7,2,cat\n3,4,1\n", None).unwrap_err();
    assert_says(&mixed, 3, &["line 2", "the label 1 is a number", "names"]);
    assert_says(&read("1,2,cat\n3,4,\n", None).unwrap_err(), 3, &["line 2", "the label is missing"]);
    // a word that says that there is no value is no class, wherever it stands, and no header
    for word in ["NA", "N/A", "#N/A", "nan", "NaN", "null", "?", "<NA>"] {
        let error = read(format!("7,2,cat\n3,4,{word}\n5,6,dog\n"), None).unwrap_err();
        assert_says(&error, 3, &["line 2", "the label is missing", word]);
        assert_says(&read(format!("7,2,{word}\n3,4,cat\n"), None).unwrap_err(), 3, &["line 1"]);
    }
    for first in ["1,2,", "1,2,NA", "0,1,?", "1,,3", "0,nan,2"] {
        for rest in ["3,4,1\n5,6,0\n", "3,4,cat\n"] {
            assert_says(&read(format!("{first}\n{rest}"), None).unwrap_err(), 3, &["line 1", "column"]);
        }
    }
    // two names of another encoding are not one class
    for text in [&b"1,2,caf\xe9\n3,4,caf\xe8\n"[..], b"1,2,cat\n3,4,th\xe9\n", b"a,b,y\n1,2,\xff\n3,4,0\n"] {
        assert_says(&read(text, None).unwrap_err(), 3, &["the label is not UTF-8 text", "save the file as UTF-8"]);
    }
    let texts: String = (0..2000).map(|k| format!("1,2,text {k}\n")).collect();
    assert_says(&read(texts, None).unwrap_err(), 3, &["line 1001", "at most"]);
    let pets = |spec: DataSpec| load_bytes(&spec, b"1,cat\n2,dog\n".to_vec(), &Budget::default()).unwrap_err();
    let table = || file("table.csv".into());
    let parity = pets(DataSpec { classes: Some(ClassSelection::Parity), ..table() });
    assert_says(&parity, 2, &["--classes parity", "cat, dog"]);
    let values = pets(DataSpec { targets: Some(Targets::Values), ..table() });
    assert_says(&values, 2, &["--targets values", "cat, dog"]);
}

#[test]
fn doubtful_readings_are_told() {
    let warned = |text: &str, part: &str| {
        let samples = read(text, None).unwrap();
        assert!(samples.warnings.iter().any(|w| w.contains(part)), "{text:?}: {:?}", samples.warnings);
        samples
    };
    // a sample that counts
    assert_eq!(warned("0,1,2\n1,0,2\n", "is read as a sample").n, 2);
    assert_eq!(warned("0,1,2,3\n4,5,6,7\n8,9,10,11\n", "is read as a sample").n, 3);
    assert_eq!(warned("0,1,2,3\n0,255,7,1\n3,0,9,0\n", "is left out").n, 2);
    // two columns that count are a sample as good as any
    assert!(read("0,1\n1,0\n", None).unwrap().warnings.is_empty());
    // rows that are numbered, under a name or without one
    assert_eq!(warned("Id,a,y\n1,0.5,0\n2,1.5,1\n3,2.5,0\n", "column 1 of 3 (\"Id\") counts the samples").d, 2);
    warned("0,0.5,0\n1,1.5,1\n2,2.5,0\n", "counts the samples");
    // nothing follows the largest count
    assert_eq!(read("18446744073709551615,0.5\n0,1.5\n", None).unwrap().d, 1);
    assert!(read("t,y\n0,0.5\n1,1.5\n2,2.5\n", None).unwrap().warnings.is_empty(), "the only number of each");
}

#[test]
fn what_cannot_be_read_is_named() {
    let says = |text: &[u8], parts: &[&str]| {
        assert_says(&read(text, None).unwrap_err(), 3, &[&["table.csv", "--data"], parts].concat());
    };
    says(
        "a;b;y\n0,5;1;0\n0.5;1;1\n".as_bytes(),
        &["line 3", "column 1 of 3 (\"a\")", "decimal point", "decimal comma"],
    );
    says(b"a;b;y\n1.234,5;1;0\n0,5;1;1\n", &["line 2", "\"1.234,5\" is not a number"]);
    let utf16: Vec<u8> = "1,2,0\n3,4,1\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    says(&[b"\xff\xfe", &utf16[..]].concat(), &["UTF-16", "UTF-8"]);
    says(&utf16, &["is not text"]);
    says(b"1,2,0\n\"3,4,1\n5,6,0\n", &["line 2", "a quoted field is not closed"]);
    let ends = format!("{}3,4,1,5\n", "1,2,0,\n".repeat(40));
    says(ends.as_bytes(), &["line 41", "column 4 of 4 is not empty"]);
    says(b"a,b,label\n1,2,\n3,4,\n", &["line 2", "column 3 of 3 (\"label\")"]);
    says(b"a,b,y\n1,,0\n2,3,1\n", &["line 2", "column 2 of 3 (\"b\")", "\"\" is not a number"]);
    says(b"a,b,y\nNA,1,0\n2,3,1\n", &["line 2", "\"NA\" is not a number"]);
    let long = format!("1,{},0\n", "a".repeat(100_000));
    let told = read(long, None).unwrap_err().to_string();
    assert!(told.len() < 400, "{} characters", told.len());
}

/// Nothing that a file can hold takes long, or makes a long message.
#[test]
fn length_and_nesting_cost_nothing() {
    for length in [1_000, 60_000, 1_000_000] {
        for text in [
            "[".repeat(length),
            "\"".repeat(length),
            ",".repeat(length),
            " ".repeat(length),
            "9".repeat(length),
            "#".repeat(length),
            "\n".repeat(length),
            "\r".repeat(length),
            "1,".repeat(length),
            "a\"".repeat(length),
            "1,2\n".repeat(length / 4) + &"x".repeat(length),
            format!("a,{}\n1,2\n", "b".repeat(length)),
            format!("1,2\n\"{}", "3,".repeat(length)),
        ] {
            let start = Instant::now();
            let told = read(&text, None).map_or_else(|e| e.to_string(), |samples| samples.warnings.join(" "));
            assert!(told.len() < 600, "{told}");
            // unoptimized, on a busy machine
            let most = if cfg!(debug_assertions) { 10.0 } else { 1.0 };
            assert!(start.elapsed().as_secs_f64() < most, "{:?} of {length}", &text[..4]);
        }
    }
}
