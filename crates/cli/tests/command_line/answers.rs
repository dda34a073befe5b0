//! Vectors, classes, and what they are measured by.

use std::io::Write;

use super::*;

#[test]
fn embed_prints_one_vector_for_each_text() {
    let got = vectors(&json(&["embed", "a quiet harbour", "two oars"]));
    assert_eq!(got.len(), 2);
    let length = got[0].iter().map(|v| v * v).sum::<f64>().sqrt();
    assert!((length - 1.0).abs() < 1e-5, "expected length 1, got {length}");
    let full = json(&["embed", "a quiet harbour", "two oars", "--json"]);
    assert_eq!(vectors(&full["embeddings"]), got);
    assert_eq!(full["dimensions"], got[0].len());
}

#[test]
fn every_format_holds_the_same_numbers() {
    let expected = &vectors(&json(&["embed", "a quiet harbour"]))[0];
    let csv = out(&["embed", "a quiet harbour", "--format", "csv"]);
    let csv: Vec<f64> = csv.trim().split(',').map(|v| v.parse().unwrap()).collect();
    for (csv, json) in csv.iter().zip(expected) {
        assert!((csv - json).abs() < 1e-7, "csv {csv}, json {json}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vectors.npy");
    out(&["embed", "a quiet harbour", "--format", "npy", "-o", path.to_str().unwrap()]);
    let npy = std::fs::read(path).unwrap();
    assert!(npy.starts_with(b"\x93NUMPY\x01\x00"), "the magic word");
    assert_eq!(npy.len(), 128 + expected.len() * 4, "a header of 128 bytes, then singles");
    let header = String::from_utf8_lossy(&npy[10..128]).into_owned();
    assert!(header.contains(&format!("'shape': (1, {})", expected.len())), "{header}");
    let first = f32::from_le_bytes(npy[128..132].try_into().unwrap());
    assert!((f64::from(first) - expected[0]).abs() < 1e-7, "npy {first}, json {}", expected[0]);
}

#[test]
fn classify_prints_the_class_and_as_many_more_as_are_asked_for() {
    let text = "a warm , funny and moving film";
    assert!(out(&["classify", text]).starts_with("positive 0."), "{}", out(&["classify", text]));
    let one = json(&["classify", text, "--json"]);
    assert_eq!((&one["label"], one["scores"].as_object().unwrap().len()), (&"positive".into(), 1));
    let all = json(&["classify", text, "--json", "--all"]);
    let scores = all["scores"].as_object().unwrap();
    let sum: f64 = scores.values().map(|v| v.as_f64().unwrap()).sum();
    assert!(scores.len() == 2 && (sum - 1.0).abs() < 1e-6, "{all}");
    let two = out(&["classify", text, "--top-k", "2"]);
    assert!(two.contains("positive") && two.contains("negative"), "{two}");
}

#[test]
fn texts_come_from_lines_json_lines_and_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let lines = file(&folder, "texts.txt", "a quiet harbour\ntwo oars\r\n".as_bytes());
    let jsonl = file(
        &folder,
        "texts.jsonl",
        b"{\"text\": \"a quiet harbour\"}\n\n{\"text\": \"two oars\"}\n",
    );
    let expected = vectors(&json(&["embed", "a quiet harbour", "two oars"]));
    for path in [&lines, &jsonl] {
        let got = vectors(&json(&["embed", "--input", path.to_str().unwrap()]));
        assert_eq!(got, expected, "{}", path.display());
    }
    let mut child = trireme(&["embed", "--input", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"a quiet harbour\ntwo oars").unwrap();
    let done = child.wait_with_output().unwrap();
    let got: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(vectors(&got), expected, "standard input");
}

#[test]
fn pairs_come_from_json_lines_or_an_option() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "pairs.jsonl", br#"{"text": "a boat", "pair": "a ship"}"#);
    let model = tiny("bert-cross");
    let by_file = json(&["classify", "-m", &model, "--json", "--input", path.to_str().unwrap()]);
    let by_option = json(&["classify", "-m", &model, "--json", "a boat", "--pair", "a ship"]);
    let alone = json(&["classify", "-m", &model, "--json", "a boat"]);
    assert_eq!(by_file, by_option);
    assert_ne!(by_file["score"], alone["score"]);
}

#[test]
fn the_lane_and_the_threads_are_the_callers() {
    let lane = json(&["info", "--json", "--lane", "portable"]);
    assert_eq!(lane["lane"], "portable");
    let one = out(&["embed", "a quiet harbour", "--threads", "1"]);
    let many = out(&["embed", "a quiet harbour", "--threads", "7"]);
    assert_eq!(one, many, "threads change no bit");
    let (code, error) = fault(&["info", "--lane", "abacus"]);
    assert_eq!(code, 6, "{error}");
    assert!(error.contains("this machine has no lane \"abacus\"; it has: "), "{error}");
}

#[test]
fn similarity_is_one_for_one_text_and_less_for_two() {
    let same: f64 = out(&["similarity", "two oars", "two oars"]).trim().parse().unwrap();
    assert!((same - 1.0).abs() < 1e-6, "got {same}");
    let other = json(&["similarity", "two oars", "a film about bees", "--json"]);
    let other = other["similarity"].as_f64().unwrap();
    assert!((-1.0..0.95).contains(&other), "got {other}");
}

#[test]
fn eval_measures_similarity_and_classes() {
    let folder = tempfile::tempdir().unwrap();
    let row = |score: f64, a: &str, b: &str| format!("main\tx\t2012\t0001\t{score}\t{a}\t{b}\n");
    let pairs = row(5.0, "A man plays a flute.", "A man is playing a flute.")
        + &row(2.5, "A man plays a flute.", "A man plays a drum.")
        + &row(0.0, "A man plays a flute.", "Bees visit the white flowers.");
    let pairs = file(&folder, "pairs.csv", pairs.as_bytes());
    let got = json(&["eval", "--task", "sts", "--data", pairs.to_str().unwrap(), "--json"]);
    assert_eq!((&got["n"], &got["spearman"]), (&3.into(), &1.0.into()), "{got}");
    assert!(got["pearson"].as_f64().unwrap() > 0.5, "{got}");
    assert!(got["tokens"].as_u64().unwrap() > 20 && got["elapsed_ms"].is_u64(), "{got}");

    let rows = "label\tsentence\n1\ta warm and funny film\n0\ta dull , lifeless mess\n\
        0\tan utter waste of time\n1\tbeautifully acted and moving\n";
    let rows = file(&folder, "rows.tsv", rows.as_bytes());
    let got = json(&["eval", "--task", "classify", "--data", rows.to_str().unwrap(), "--json"]);
    assert_eq!(
        (&got["n"], &got["accuracy"], &got["macro_f1"]),
        (&4.into(), &1.0.into(), &1.0.into())
    );
    assert_eq!(got["per_class"]["positive"]["support"], 2, "{got}");
}

#[test]
fn a_precision_is_chosen_and_answers_say_which() {
    for (precision, expected) in [("auto", "int8"), ("f32", "f32"), ("int8", "int8")] {
        let got = json(&["info", "--json", "--precision", precision]);
        assert_eq!(got["precision"], expected, "--precision {precision}: {got}");
    }
    let of = |precision| vectors(&json(&["embed", "--precision", precision, "two oars"]));
    let (bytes, singles) = (of("int8"), of("f32"));
    assert_ne!(bytes, singles, "int8 computed in singles");
    let gap = bytes[0].iter().zip(&singles[0]).fold(0.0, |gap: f64, (a, b)| gap.max((a - b).abs()));
    assert!(gap < 0.02, "expected nearly the same vector, got {gap} between");
    let (code, error) = fault(&["info", "--precision", "int7"]);
    assert_eq!(code, 2, "{error}");
    assert!(error.contains("int8"), "{error}");
}
