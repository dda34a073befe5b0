//! Rows that get no answer: each is told, and none stops the others.

use super::*;

/// The rejected rows: their numbers and codes.
fn rejected(path: &Path) -> Vec<(u64, String)> {
    let told = |row: &Row| (row["row"].as_u64().unwrap(), row["code"].as_str().unwrap().to_owned());
    rows(path).iter().map(told).collect()
}

#[test]
fn a_bad_row_is_told_with_its_number_and_why_and_stops_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let long = "x".repeat(200_000);
    let jsonl = format!(
        "{{\"id\":\"a\",\"text\":\"fine\"}}\n\
         {{\"id\":\"b\",\"text\":\"  \"}}\n\
         {{\"id\":\"c\"}}\n\
         not json\n\
         {{\"id\":\"d\",\"text\":null}}\n\
         {{\"id\":\"e\",\"text\":\"{long}\"}}\n\
         {{\"id\":\"f\",\"text\":\"fine\"}}\n"
    );
    let table = file(&folder, "in.jsonl", jsonl.as_bytes());
    let to = folder.path().join("out.jsonl");
    let done = json(&["batch", text(&table), text(&to), "--id-column", "id", "--json"]);
    assert_eq!((&done["answered"], &done["rejected"]), (&2.into(), &5.into()), "{done}");
    let side = folder.path().join("out.jsonl.rejected.jsonl");
    assert_eq!(done["rejects"], text(&side));
    let expected = [
        (2, "empty_text"),
        (3, "invalid_data"),
        (4, "invalid_data"),
        (5, "empty_text"),
        (6, "text_too_long"),
    ];
    assert_eq!(rejected(&side), expected.map(|(row, code)| (row, code.to_owned())));
    let told = rows(&side);
    assert_eq!((&told[0]["id"], &told[0]["content"]["text"]), (&"b".into(), &"  ".into()));
    assert_eq!(told[2]["raw"], "not json");
    assert!(told[1]["message"].as_str().unwrap().contains("the row has no text"), "{:?}", told[1]);
    let ids: Vec<_> = rows(&to).iter().map(|row| row["id"].clone()).collect();
    assert_eq!(ids, ["a", "f"]);
}

#[test]
fn rows_of_cells_are_rejected_where_they_are_ragged_or_no_text() {
    let folder = tempfile::tempdir().unwrap();
    let content = b"id,text\n1,fine\n2\n3,fine,more\n4,\xff\xfe\n5,fine\n";
    let table = file(&folder, "in.csv", content);
    let to = folder.path().join("out.csv");
    out(&["batch", text(&table), text(&to)]);
    let side = folder.path().join("out.csv.rejected.jsonl");
    let expected = [(2, "invalid_data"), (3, "invalid_data"), (4, "invalid_utf8")];
    assert_eq!(rejected(&side), expected.map(|(row, code)| (row, code.to_owned())));
    let told = rows(&side);
    assert_eq!(told[0]["message"], "found 1 columns, expected 2 as above");
    assert_eq!(told[2]["base64"], "NCz//g==", "its bytes are kept");
    let ids: Vec<_> = rows(&to).iter().map(|row| row["id"].clone()).collect();
    assert_eq!(ids, ["1", "5"]);
}

#[test]
fn a_row_that_the_output_can_not_hold_is_rejected_and_not_shortened() {
    let folder = tempfile::tempdir().unwrap();
    // The first hundred say what the columns are.
    let jsonl = "{\"text\":\"fine\"}\n".repeat(100)
        + "{\"text\":\"fine\",\"more\":1}\n{\"text\":\"a\\ttab\"}\n";
    let table = file(&folder, "in.jsonl", jsonl.as_bytes());
    for (format, expected) in
        [("jsonl", &[][..]), ("csv", &[101]), ("tsv", &[101, 102]), ("parquet", &[101])]
    {
        let to = folder.path().join(format!("out.{format}"));
        let done = json(&["batch", text(&table), text(&to), "--json"]);
        let side = folder.path().join(format!("out.{format}.rejected.jsonl"));
        let told = if side.exists() { rejected(&side) } else { Vec::new() };
        let numbers: Vec<u64> = told.iter().map(|(row, _)| *row).collect();
        assert_eq!(numbers, expected, "{format}: {done}");
        assert_eq!(rows(&to).len() + told.len(), 102, "{format}");
    }
}

#[test]
fn a_later_run_without_bad_rows_leaves_none_of_an_earlier_one() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("out.jsonl");
    let side = folder.path().join("out.jsonl.rejected.jsonl");
    let bad = file(&folder, "bad.jsonl", b"{\"text\":\"fine\"}\n{\"text\":\"\"}\n");
    out(&["batch", text(&bad), text(&to)]);
    assert!(side.exists());
    let good = file(&folder, "good.jsonl", b"{\"text\":\"fine\"}\n");
    out(&["batch", text(&good), text(&to), "--restart"]);
    assert!(!side.exists(), "{:?}", names(folder.path()));
}
