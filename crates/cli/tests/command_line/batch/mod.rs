//! Whole files through the model.

mod formats;
mod killed;
mod memory;
mod objects;
mod refused;
mod rejected;
mod shards;

use std::fs::{self, File};

use parquet::file::reader::{FileReader as _, SerializedFileReader};
use serde_json::Map;

use super::*;

type Row = Map<String, Value>;

/// The rows of a table of any format, each cell as it is read.
fn rows(path: &Path) -> Vec<Row> {
    let read = || fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    match path.extension().unwrap().to_str().unwrap() {
        "jsonl" => read().lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
        "parquet" => {
            let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
            let rows = reader.get_row_iter(None).unwrap();
            rows.map(|row| row.unwrap().to_json_value().as_object().unwrap().clone()).collect()
        }
        "csv" => {
            let mut reader = csv::Reader::from_path(path).unwrap();
            let header = reader.headers().unwrap().clone();
            let named = |cells: csv::StringRecord| {
                let cells = cells.iter().map(Value::from).collect::<Vec<_>>();
                header.iter().map(str::to_owned).zip(cells).collect()
            };
            reader.records().map(|cells| named(cells.unwrap())).collect()
        }
        _ => {
            let text = read();
            let mut lines = text.lines().map(|line| line.split('\t'));
            let header: Vec<&str> = lines.next().unwrap().collect();
            let row = |cells: std::str::Split<'_, char>| {
                let cells = cells.map(|cell| Value::from(cell.to_owned()));
                header.iter().map(|name| (*name).to_owned()).zip(cells).collect()
            };
            lines.map(row).collect()
        }
    }
}

/// What a cell says, whether it is text or JSON.
fn said(cell: &Value) -> Value {
    match cell {
        Value::String(text) => serde_json::from_str(text).unwrap_or_else(|_| cell.clone()),
        other => other.clone(),
    }
}

/// A number as the model computed it.
fn single(cell: &Value) -> f32 {
    said(cell).as_f64().unwrap_or_else(|| panic!("{cell} is no number")) as f32
}

fn singles(cell: &Value) -> Vec<f32> {
    said(cell)
        .as_array()
        .unwrap_or_else(|| panic!("{cell} is no list"))
        .iter()
        .map(single)
        .collect()
}

/// Text lines of JSON, one for each text.
fn objects(texts: &[&str]) -> Vec<u8> {
    let line = |(id, text): (usize, &&str)| {
        serde_json::json!({"id": id, "text": text, "from": {"a": [1, null]}}).to_string() + "\n"
    };
    texts.iter().enumerate().map(line).collect::<String>().into_bytes()
}

const TEXTS: [&str; 6] = [
    "a warm , funny and moving film",
    "a \"quoted\" text, with a comma",
    "ça ne va pas – 无聊",
    "dull",
    "an utter waste of time , and then some more words so that it is the longest by far",
    "two oars",
];

/// What is in a folder, by name.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
