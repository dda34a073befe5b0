//! Models learn from tables.

use super::*;

/// Labelled texts that a tiny model learns within seconds.
pub fn labelled(folder: &tempfile::TempDir) -> PathBuf {
    let rows = (0..48).map(|at| {
        format!(
            "{}\t{} {}\n",
            ["bad", "good"][at % 2],
            ["no", "yes"][at % 2],
            "oar ".repeat(at % 5)
        )
    });
    let text: String = std::iter::once("label\ttext\n".to_owned()).chain(rows).collect();
    file(folder, "labelled.tsv", text.as_bytes())
}

/// Arguments of a training of a tiny model.
pub fn training<'a>(model: &'a str, data: &'a str, output: &'a str) -> Vec<&'a str> {
    let options =
        ["--epochs", "6", "--batch", "8", "--rate", "0.01", "--save-every", "3", "--quiet"];
    let files = ["train", "classify", "--model", model, "--data", data, "--output", output];
    [&files[..], &options[..]].concat()
}

#[test]
fn a_model_is_trained_saved_and_classifies() {
    let folder = tempfile::tempdir().unwrap();
    let (model, data, run) = (tiny("bert-embed"), labelled(&folder), folder.path().join("run"));
    let done = out(&training(&model, text(&data), text(&run)));
    assert!(done.contains("model: 36 steps, score "), "{done}");
    let trained = run.join("model");
    for (word, expected) in [("yes oar", "good"), ("no oar oar", "bad")] {
        let said = out(&["classify", "--model", text(&trained), word]);
        assert!(said.starts_with(expected), "{word}: {said}");
    }
    let metrics = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let steps: Vec<Value> =
        metrics.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(steps.len(), 36);
    assert!(steps[35]["loss"].as_f64() < steps[0]["loss"].as_f64(), "{metrics}");
    let lineage = std::fs::read_to_string(run.join("run.json")).unwrap();
    let lineage: Value = serde_json::from_str(&lineage).unwrap();
    assert_eq!(lineage["options"]["rate"], 0.01);
    assert_eq!(lineage["score"]["confusion"].as_array().unwrap().len(), 2, "{lineage}");
    assert!(done.contains("\ngood  precision ") && done.contains("\nbad   precision "), "{done}");
    assert_eq!(lineage["data"][0]["sha256"].as_str().unwrap().len(), 64);
    let picture = std::fs::read_to_string(run.join("training.svg")).unwrap();
    assert!(picture.contains(">accuracy<") && picture.matches("<circle").count() == 6, "{picture}");
    assert!(!run.join("state.safetensors").exists(), "what is done needs no going on");
    let (code, error) = fault(&training(&model, text(&data), text(&run)));
    assert!(code != 0 && error.contains("holds run.json of another training"), "{error}");
    let (code, error) =
        fault(&[&training(&model, text(&data), text(&run))[..], &["--resume"]].concat());
    assert!(code != 0 && error.contains("is done; its model is"), "{error}");
}

#[test]
fn a_training_that_was_killed_goes_on_to_the_same_model() {
    let folder = tempfile::tempdir().unwrap();
    // Its dense layer is no part of a classifier, and learns nothing.
    let (model, data) = (tiny("bert-embed-dense"), labelled(&folder));
    let [whole, killed] = ["whole", "killed"].map(|name| folder.path().join(name));
    out(&training(&model, text(&data), text(&whole)));

    let mut child = trireme(&training(&model, text(&data), text(&killed))).spawn().unwrap();
    let state = killed.join("state.safetensors");
    while !state.exists() && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    drop(child.kill());
    child.wait().unwrap();
    // Where it was quicker than the kill, the folder is taken; then there is nothing to go on with.
    if state.exists() {
        let (code, error) = fault(&training(&model, text(&data), text(&killed)));
        assert!(code != 0 && error.contains("go on with it by --resume"), "{error}");
        out(&[&training(&model, text(&data), text(&killed))[..], &["--resume"]].concat());
    }
    for name in ["metrics.jsonl", "run.json", "model/model.safetensors", "model/config.json"] {
        let [whole, killed] = [&whole, &killed].map(|run| std::fs::read(run.join(name)).unwrap());
        assert!(whole == killed, "{name} differs");
    }
}

#[test]
fn pairs_are_learnt() {
    let folder = tempfile::tempdir().unwrap();
    let rows = (0..48).map(|at| {
        let words = ["oar", "river", "boat", "anchor"];
        let (a, b) = (words[at % 4], words[at / 4 % 4]);
        format!("{}\t{a}\t{b} {b}\n", if a == b { 5.0 } else { 0.5 })
    });
    let header = "score\tsentence1\tsentence2\n".to_owned();
    let rows: String = std::iter::once(header).chain(rows).collect();
    let data = file(&folder, "pairs.tsv", rows.as_bytes());
    let (model, run) = (tiny("bert-embed"), folder.path().join("run"));
    let common = training(&model, text(&data), text(&run));
    let triplets: String = (0..48)
        .map(|at| {
            let words = ["oar", "river", "boat", "anchor"];
            let (near, far) = (words[at % 4], words[(at + 1 + at / 4 % 3) % 4]);
            format!("{near}\t{near} {near}\t{far}\n")
        })
        .collect();
    let triplets = file(&folder, "triplets.tsv", triplets.as_bytes());
    let (teacher, other) = (tiny("bert-embed-cls"), tiny("bert-embed-dense"));
    for (loss, data, more) in [
        ("cosine", &data, &[][..]),
        ("mnr", &data, &[]),
        ("triplet", &triplets, &["--margin", "0.5"]),
        ("distill", &data, &["--teacher", &teacher]),
    ] {
        let run = folder.path().join(loss);
        let mut args = common.clone();
        args[1] = "embed";
        args[5] = text(data);
        args[7] = text(&run);
        args.extend(["--loss", loss, "--held-out", "0.5"]);
        args.extend(more);
        let done = json(&[&args[..], &["--json"]].concat());
        assert!(done["score"].as_f64().unwrap() > 0.2, "{loss}: {done}");
        let trained = run.join("model");
        let vectors = vectors(&json(&["embed", "--model", text(&trained), "oar"]));
        assert_eq!(vectors[0].len(), 32, "{loss}");
    }
    let run = folder.path().join("other");
    let mut args = common;
    args[1] = "embed";
    args[7] = text(&run);
    args.extend(["--loss", "distill"]);
    let (code, error) = fault(&args);
    assert!(code == 2 && error.contains("--teacher"), "{error}");
    args.extend(["--teacher", &other]);
    let (code, error) = fault(&args);
    assert!(code != 0 && error.contains("and the student's have 32"), "{error}");
}

#[test]
fn data_that_teach_nothing_are_refused_with_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let model = tiny("bert-embed");
    for (name, content, expected) in [
        ("one.tsv", "label\ttext\na\tx\na\ty\na\tz\n", "2 examples of 1 classes, it takes two"),
        ("empty.tsv", "label\ttext\n", "the file has no rows of data"),
        ("ragged.tsv", "label\ttext\na\tx\nb\ty\tz\n", "line 3: found 3 columns, expected 2"),
        ("blank.tsv", "label\ttext\na\tx\nb\t \n", "is empty"),
    ] {
        let data = file(&folder, name, content.as_bytes());
        let run = folder.path().join("run");
        let (code, error) = fault(&training(&model, text(&data), text(&run)));
        assert!(code != 0 && error.contains(expected), "{name}: {error}");
    }
    let data = labelled(&folder);
    let run = folder.path().join("run");
    let mut args = training(&model, text(&data), text(&run));
    args.extend(["--labels", "good,worse"]);
    let (code, error) = fault(&args);
    assert!(code != 0 && error.contains("expected one of 0 (good), 1 (worse)"), "{error}");
}

#[test]
fn tabs_commas_and_json_lines_teach_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (model, tabs) = (tiny("bert-embed"), labelled(&folder));
    let rows = std::fs::read_to_string(&tabs).unwrap();
    let rows = rows.lines().skip(1).map(|line| line.split_once('\t').unwrap());
    let commas = rows.clone().map(|(label, text)| format!("\"{text}\",{label}\n"));
    let commas: String = std::iter::once("review,stars\n".to_owned()).chain(commas).collect();
    let objects: String = rows
        .map(|(label, text)| format!("{}\n", serde_json::json!({ "stars": label, "review": text })))
        .collect();
    let called = ["--column", "label=stars", "--column", "text=review"];
    let mut models = Vec::new();
    for (data, more) in [
        (tabs, &called[..0]),
        (file(&folder, "commas.csv", commas.as_bytes()), &called[..]),
        (file(&folder, "objects.jsonl", objects.as_bytes()), &called[..]),
    ] {
        let run = data.with_extension("run");
        out(&[&training(&model, text(&data), text(&run))[..], more].concat());
        models.push(std::fs::read(run.join("model/model.safetensors")).unwrap());
    }
    assert!(models[1] == models[0], "commas");
    assert!(models[2] == models[0], "objects");
    let (code, error) =
        fault(&["train", "classify", "--data", "x", "-o", "y", "--column", "stars"]);
    assert!(code != 0 && error.contains("label=stars"), "{error}");
}
