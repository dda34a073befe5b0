//! `trireme bench`: its processes, and a real server.

use serde_json::Value;

use super::{serving, tiny, trireme};

#[test]
fn a_model_is_measured_in_every_precision_beside_others_and_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data.csv");
    std::fs::write(&data, "label,text\nnegative,oar\npositive,boat\nnegative,a river\n").unwrap();
    let (data, picture) = (data.display().to_string(), folder.path().join("bench.svg"));
    let (model, other) = (tiny("bert-classify"), tiny("bert-embed-dense"));
    let (_server, url) =
        serving(&trireme(&["serve", "--model", &model, "--port", "0", "--threads", "1"]));
    let picture_name = picture.display().to_string();
    let args = ["--model", &model, "--classify", &data, "--rounds", "2", "--threads", "1"];
    let beside = ["--with", &other, "--url", &url, "--output", &picture_name, "--json"];
    let done = trireme(&[&["bench"], &args[..], &beside[..]].concat()).output().unwrap();
    let error = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{error}");
    let report: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(report["task"], "vectors", "a server makes vectors of several texts");
    let rows = report["rows"].as_array().unwrap();
    let row = |name: &str| {
        let row = rows.iter().find(|row| row["name"] == name);
        row.unwrap_or_else(|| panic!("{name} is not in {report}"))
    };
    for name in ["f32", "int8", "int4", &other, &url] {
        let row = row(name);
        let above_zero = |key: &str| row[key].as_f64().is_some_and(|value| value > 0.0);
        for key in ["p50", "p99", "texts_per_second", "tokens_per_second", "times"] {
            assert!(above_zero(key), "{name}: {key} is {}", row[key]);
        }
        assert!(row["p50"].as_f64() <= row["p99"].as_f64(), "{row}");
        let remote = name == url;
        assert_eq!(above_zero("bytes"), !remote, "{row}");
        assert_eq!(above_zero("memory"), !remote && cfg!(target_os = "linux"), "{row}");
        assert_eq!(row["accuracy"].is_number(), !remote && name != other, "{row}");
    }
    assert_eq!(row("f32")["times"], 1.0);
    assert!(row("int4")["bytes"].as_u64() < row("f32")["bytes"].as_u64(), "{report}");
    let cosine = |name: &str| row(name)["cosine"]["median"].as_f64();
    assert!(cosine("int8") > Some(0.99) && cosine(&url) > Some(0.999_999), "{report}");
    assert_eq!(cosine(&other), None, "vectors of another length are not compared");
    let drawn = std::fs::read_to_string(&picture).unwrap();
    assert_eq!(drawn.matches("<rect").count(), 1 + 2 * rows.len(), "{drawn}");
}

#[test]
fn models_that_all_know_classes_are_asked_for_those() {
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("no/such/folder.svg").display().to_string();
    let model = tiny("bert-classify");
    let args = ["bench", "--model", &model, "--rounds", "1", "--precision", "int8", "--json"];
    let done = trireme(&[&args[..], &["--output", &picture]].concat()).output().unwrap();
    let report: Value = serde_json::from_slice(&done.stdout).unwrap();
    let names: Vec<&str> = report["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    assert_eq!((&report["task"], &names[..]), (&"classes".into(), &["f32", "int8"][..]));
    // What was measured is said even where the picture can't be drawn.
    let error = String::from_utf8_lossy(&done.stderr);
    assert!(!done.status.success() && error.contains("could not write"), "{error}");
}

#[test]
fn what_can_not_be_measured_is_refused_with_why() {
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("bench.svg").display().to_string();
    let model = tiny("bert-embed");
    let nowhere = "http://127.0.0.1:1";
    for (args, expected) in [
        (&["--url", nowhere][..], "http://127.0.0.1:1/encode: "),
        (&["--with", "/no/such/model"], "/no/such/model"),
        (&["--classify", "/no/such/file"], "no classification head"),
        (&["--rounds", "0"], "0 is not in 1.."),
        (&["--input", "/no/such/file"], "could not read /no/such/file"),
    ] {
        let args = [&["bench", "--model", &model, "--output", &picture], args].concat();
        let done = trireme(&args).output().unwrap();
        let error = String::from_utf8_lossy(&done.stderr);
        assert!(!done.status.success() && error.contains(expected), "{args:?}: {error}");
    }
}
