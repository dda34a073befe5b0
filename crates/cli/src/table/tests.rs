#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::BufReader;
use std::path::PathBuf;

use proptest::prelude::*;
use serde_json::json;
use tempfile::TempDir;
use trireme_tests::repo_root;

use super::cells::Commas;
use super::records::{MOST, Records};
use super::*;

fn golden(name: &str) -> PathBuf {
    repo_root().join("tests/goldens/tables").join(name)
}

fn file(folder: &TempDir, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    path
}

/// Each row as JSON, or the code of its fault.
fn read(path: &Path, behind: u64) -> Vec<Value> {
    let format = Format::of(path).unwrap();
    let rows = rows(path, format, behind).unwrap().map(|found| match found.unwrap().row {
        Ok(row) => Value::Object(row),
        Err(unread) => Value::String(unread.fault.code.name().to_owned()),
    });
    rows.collect()
}

/// The rows between commas, read from a source that gives so many bytes at a time.
fn between_commas(text: &str, at_once: usize) -> Vec<Vec<String>> {
    let reader = BufReader::with_capacity(at_once, text.as_bytes());
    let (mut records, mut commas) = (Records::new(reader, Format::Csv), Commas::new());
    let mut rows = Vec::new();
    while records.advance().unwrap() {
        rows.push(commas.cells(std::str::from_utf8(records.row()).unwrap()));
    }
    rows
}

proptest! {
    #[test]
    fn however_a_text_comes_its_rows_are_those_of_the_whole(
        text in "[a,\"\n\ré]{0,60}",
        at_once in 3..20_usize,
    ) {
        let reader = csv::ReaderBuilder::new().has_headers(false).flexible(true)
            .from_reader(text.as_bytes());
        let expected: Vec<Vec<String>> = reader
            .into_records()
            .map(|record| record.unwrap().iter().map(str::to_owned).collect())
            .collect();
        prop_assert_eq!(between_commas(&text, at_once), expected);
    }

    #[test]
    fn rows_are_counted_as_they_are_read(text in "(a,b|\"a\nb\",c|\r?\n|,){0,30}") {
        let folder = tempfile::tempdir().unwrap();
        for format in [Format::Jsonl, Format::Csv, Format::Tsv] {
            let text = format!("head,er\n{text}");
            let path = file(&folder, &format!("a.{}", format.name()), text.as_bytes());
            let input = survey(&path, format).unwrap();
            prop_assert_eq!(input.rows, read(&path, 0).len() as u64, "{:?}", format);
            prop_assert_eq!(input.content, Made::of(text.as_bytes()));
        }
    }
}

#[test]
fn every_format_holds_the_same_rows() {
    let folder = tempfile::tempdir().unwrap();
    let rows = [("1", "a, \"b\" c"), ("2", "ça – 无聊"), ("3", "")];
    let object = |(id, text): (&str, &str)| json!({"id": id, "text": text});
    let expected = rows.map(object);
    let jsonl: String = expected.iter().map(|row| format!("{row}\n\n")).collect();
    let tsv: String = rows.iter().map(|(id, text)| format!("{id}\t{text}\r\n")).collect();
    let cases = [
        ("a.jsonl", jsonl),
        ("a.tsv", format!("id\ttext\n{tsv}")),
        ("a.csv", "\u{feff}id,text\n1,\"a, \"\"b\"\" c\"\n\n2,ça – 无聊\r\n3,".to_owned()),
    ];
    for (name, text) in cases {
        let path = file(&folder, name, text.as_bytes());
        assert_eq!(read(&path, 0), expected, "{name}");
        assert_eq!(read(&path, 2), expected[2..], "{name}, behind two");
        let names: Vec<_> = columns(&path, Format::of(&path).unwrap()).unwrap();
        let names: Vec<_> = names.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["id", "text"], "{name}");
    }
}

#[test]
fn parquet_is_read_from_any_row_on() {
    // In groups of three rows.
    let path = golden("labelled-snappy.parquet");
    let all = read(&path, 0);
    assert_eq!(all.len(), 5);
    assert_eq!(all[2], json!({"idx": 2, "sentence": "she said \"see it\"\nand I did", "label": 1}));
    for behind in 0..7 {
        assert_eq!(read(&path, behind), all[5.min(behind as usize)..], "behind {behind}");
    }
    let kinds: Vec<_> = columns(&path, Format::Parquet).unwrap();
    let kinds: Vec<_> = kinds.iter().map(|column| (column.name.as_str(), column.kind)).collect();
    assert_eq!(kinds, [("idx", Kind::Whole), ("sentence", Kind::Text), ("label", Kind::Whole)]);
    assert_eq!(survey(&path, Format::Parquet).unwrap().rows, 5);
}

#[test]
fn a_bad_row_is_found_between_good_ones() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&str, &[u8], &[&str]); 3] = [
        (
            "a.jsonl",
            b"{\"a\":1}\n{\"a\":\n[1]\n\"\xff\"\n{\"a\":2}",
            &["", "invalid_data", "invalid_data", "invalid_utf8", ""],
        ),
        (
            "a.csv",
            b"a,b\n1,2\n1\n1,2,3\n\xff,2\n\"1\n1\",2\n",
            &["", "invalid_data", "invalid_data", "invalid_utf8", ""],
        ),
        ("a.tsv", b"a\tb\n1\t2\n \n\xff\t2\n1\t\"2", &["", "invalid_data", "invalid_utf8", ""]),
    ];
    for (name, content, expected) in cases {
        let rows = read(&file(&folder, name, content), 0);
        let got: Vec<&str> = rows.iter().map(|row| row.as_str().unwrap_or_default()).collect();
        assert_eq!(got, expected, "{name}");
    }
    let rows = read(&golden("binary.parquet"), 0);
    assert_eq!(rows, ["invalid_utf8"], "bytes that are no text");
}

#[test]
fn a_quote_that_is_never_closed_takes_no_more_memory_than_a_row_may() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = b"a\nfine\n\"".to_vec();
    text.resize(MOST + 1000, b'x');
    let path = file(&folder, "a.csv", &text);
    let found: Vec<Found> =
        rows(&path, Format::Csv, 0).unwrap().collect::<Result<_, Fault>>().unwrap();
    let [fine, long] = &found[..] else { unreachable!("{} rows", found.len()) };
    assert!(fine.row.is_ok());
    let unread = long.row.as_ref().unwrap_err();
    assert_eq!(unread.fault.code, Code::TextTooLong);
    assert!(unread.raw.len() < MOST / 100, "{} bytes are shown", unread.raw.len());
}

#[test]
fn what_is_no_table_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    for (name, content, expected) in [
        ("a.txt", "a", "a.txt is no table by its name"),
        ("a", "a", "is no table by its name"),
        ("a.csv", "", "the file has no header"),
        ("a.csv", "a,b,a\n", "two columns are called \"a\""),
        ("a.parquet", "PAR1", "a.parquet"),
    ] {
        let path = file(&folder, name, content.as_bytes());
        let fault = Format::of(&path).and_then(|format| columns(&path, format)).unwrap_err();
        assert!(fault.message.contains(expected), "{name}: {}", fault.message);
    }
    let known = columns(&golden("labelled-snappy.parquet"), Format::Parquet).unwrap();
    assert_eq!(column(&known, &["SENTENCE"]).unwrap().name, "sentence");
    let fault = column(&known, &["text"]).unwrap_err();
    assert!(fault.message.contains("no column text; it has: idx, sentence, label"), "{fault}");
}
