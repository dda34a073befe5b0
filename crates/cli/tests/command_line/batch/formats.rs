//! Every format in, every format out.

use trireme_tests::repo_root;

use super::*;

const FORMATS: [&str; 4] = ["jsonl", "csv", "tsv", "parquet"];

/// The same table in every format.
fn tables(folder: &tempfile::TempDir) -> Vec<PathBuf> {
    let cell = |text: &str| text.replace('"', "\"\"");
    let csv: String =
        TEXTS.iter().enumerate().map(|(id, text)| format!("{id},\"{}\"\n", cell(text))).collect();
    let tsv: String =
        TEXTS.iter().enumerate().map(|(id, text)| format!("{id}\t{text}\n")).collect();
    let jsonl: String = TEXTS
        .iter()
        .enumerate()
        .map(|(id, text)| serde_json::json!({"id": id, "text": text}).to_string() + "\n")
        .collect();
    let csv = file(folder, "in.csv", format!("id,text\n{csv}").as_bytes());
    let tsv = file(folder, "in.tsv", format!("id\ttext\n{tsv}").as_bytes());
    let jsonl = file(folder, "in.jsonl", jsonl.as_bytes());
    let parquet = folder.path().join("in.parquet");
    write_parquet(&parquet);
    vec![jsonl, csv, tsv, parquet]
}

fn write_parquet(path: &Path) {
    use std::sync::Arc;

    use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    let schema = "message table { required int64 id; required binary text (UTF8); }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let file = File::create(path).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::default()).unwrap();
    // Groups of different lengths: rows go on over them.
    for at in [0..4, 4..5, 5..6] {
        let mut group = writer.next_row_group().unwrap();
        let ids: Vec<i64> = at.clone().map(|id| id as i64).collect();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<Int64Type>().write_batch(&ids, None, None).unwrap();
        column.close().unwrap();
        let texts: Vec<ByteArray> = TEXTS[at].iter().map(|text| ByteArray::from(*text)).collect();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&texts, None, None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
    }
    writer.close().unwrap();
}

#[test]
fn every_format_in_and_out_says_what_classify_says() {
    let folder = tempfile::tempdir().unwrap();
    let expected: Vec<Value> = out(&[&["classify", "--json", "--all"], &TEXTS[..]].concat())
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for table in tables(&folder) {
        for format in FORMATS {
            let case = format!("{} to {format}", table.display());
            let to = folder.path().join(format!("out.{format}"));
            let done = json(&[
                "batch",
                text(&table),
                text(&to),
                "--probabilities",
                "--restart",
                "--json",
                "--part-rows",
                "4",
            ]);
            assert_eq!(
                (&done["rows"], &done["rejected"]),
                (&6.into(), &0.into()),
                "{case}: {done}"
            );
            let rows = rows(&to);
            assert_eq!(rows.len(), expected.len(), "{case}");
            for (at, (row, expected)) in rows.iter().zip(&expected).enumerate() {
                let names: Vec<&str> = row.keys().map(String::as_str).collect();
                let all = ["id", "text", "prediction", "label", "confidence", "probabilities"];
                assert_eq!(names, all, "{case}");
                assert_eq!(
                    (&said(&row["id"]), &row["text"]),
                    (&at.into(), &TEXTS[at].into()),
                    "{case}"
                );
                assert_eq!(row["label"], expected["label"], "{case}, row {at}");
                assert_eq!(
                    single(&row["confidence"]),
                    single(&expected["score"]),
                    "{case}, row {at}"
                );
                let probabilities = said(&row["probabilities"]);
                for (label, score) in expected["scores"].as_object().unwrap() {
                    let got = single(&probabilities[label]);
                    assert_eq!(got, single(score), "{case}, row {at}, {label}");
                }
                let prediction = usize::from(row["label"] == "positive");
                assert_eq!(said(&row["prediction"]), prediction, "{case}, row {at}");
            }
        }
    }
}

#[test]
fn every_format_in_and_out_says_what_embed_says() {
    let folder = tempfile::tempdir().unwrap();
    let args = [&["embed", "--dimensions", "8"], &TEXTS[..]].concat();
    let expected: Vec<Vec<f32>> = vectors(&json(&args))
        .into_iter()
        .map(|v| v.into_iter().map(|v| v as f32).collect())
        .collect();
    for table in tables(&folder) {
        for format in FORMATS {
            let case = format!("{} to {format}", table.display());
            let to = folder.path().join(format!("out.{format}"));
            out(&[
                "batch",
                text(&table),
                text(&to),
                "--task",
                "embed",
                "--dimensions",
                "8",
                "--restart",
            ]);
            let got: Vec<_> = rows(&to).iter().map(|row| singles(&row["embedding"])).collect();
            assert_eq!(got, expected, "{case}");
        }
    }
}

#[test]
fn vectors_are_written_in_bytes_where_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let table = file(&folder, "in.jsonl", &objects(&TEXTS[..2]));
    let vector = |encoding: &str, format: &str| {
        let to = folder.path().join(format!("{encoding}.{format}"));
        let task = ["--task", "embed", "--encoding", encoding];
        out(&[&["batch", text(&table), text(&to)], &task[..]].concat());
        said(&rows(&to)[1]["embedding"])
    };
    let float = singles(&vector("float", "jsonl"));
    for format in ["jsonl", "parquet", "csv"] {
        let int8 = vector("int8", format);
        let expected: Vec<Value> =
            float.iter().map(|v| ((v * 127.0).round_ties_even() as i64).into()).collect();
        assert_eq!(int8, Value::from(expected), "int8 in {format}");
        let ubinary = vector("ubinary", format);
        let bits: Vec<bool> = float.iter().map(|v| *v > 0.0).collect();
        let byte =
            |eight: &[bool]| eight.iter().fold(0_i64, |byte, bit| byte << 1 | i64::from(*bit));
        let bytes: Vec<i64> = bits.chunks(8).map(byte).collect();
        assert_eq!(ubinary, Value::from(bytes.clone()), "ubinary in {format}");
        let shifted: Vec<i64> = bytes.iter().map(|byte| byte - 128).collect();
        assert_eq!(vector("binary", format), Value::from(shifted), "binary in {format}");
    }
}

#[test]
fn columns_keep_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let golden = repo_root().join("tests/goldens/tables/labelled-snappy.parquet");
    let to = folder.path().join("out.parquet");
    let done = run(&["batch", text(&golden), text(&to)]);
    let error = String::from_utf8_lossy(&done.stderr);
    assert!(error.contains("has a column label already; --prefix gives"), "{error}");
    out(&["batch", text(&golden), text(&to), "--prefix", "new_"]);
    let row = &rows(&to)[2];
    let sentence = "she said \"see it\"\nand I did";
    assert_eq!(
        (&row["idx"], &row["label"], &row["sentence"]),
        (&2.into(), &1.into(), &sentence.into())
    );
    assert!(row["new_label"].is_string() && row["new_prediction"].is_number(), "{row:?}");
    // An object stays one among objects, and is said in JSON elsewhere.
    let table = file(&folder, "in.jsonl", &objects(&TEXTS[..1]));
    let expected = serde_json::json!({"a": [1, null]});
    for format in FORMATS {
        let to = folder.path().join(format!("objects.{format}"));
        out(&["batch", text(&table), text(&to)]);
        assert_eq!(said(&rows(&to)[0]["from"]), expected, "{format}");
    }
}

#[test]
fn the_column_with_the_texts_is_found_or_named() {
    let folder = tempfile::tempdir().unwrap();
    for (header, args) in
        [("Sentence", &[][..]), ("content", &[]), ("review", &["--text-column", "review"])]
    {
        let table = file(&folder, "in.csv", format!("a,{header}\n1,a warm film\n").as_bytes());
        let to = folder.path().join("out.jsonl");
        out(&[&["batch", text(&table), text(&to), "--restart"], args].concat());
        assert_eq!(rows(&to)[0]["label"], "positive", "{header}");
    }
}

#[test]
fn no_rows_are_a_table_without_rows() {
    let folder = tempfile::tempdir().unwrap();
    let table = file(&folder, "in.csv", b"id,text\n");
    for format in FORMATS {
        let to = folder.path().join(format!("out.{format}"));
        let done = json(&["batch", text(&table), text(&to), "--json"]);
        assert_eq!((&done["rows"], rows(&to).len()), (&0.into(), 0), "{format}");
    }
    assert_eq!(
        fs::read_to_string(folder.path().join("out.csv")).unwrap(),
        "id,text,prediction,label,confidence\n"
    );
}
