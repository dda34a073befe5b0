//! The command line as a user calls it: the real binary, real files, its exit codes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, also in its helpers"
)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn trireme(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trireme"));
    command.args(args).stdin(Stdio::null());
    for name in ["TRIREME_MODEL", "TRIREME_LANE", "HF_HUB_OFFLINE", "HF_TOKEN", "PORT"] {
        command.env_remove(name);
    }
    command
}

fn run(args: &[&str]) -> Output {
    trireme(args).output().unwrap()
}

/// Standard output of a command that must succeed.
fn out(args: &[&str]) -> String {
    let done = run(args);
    let error = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{args:?} failed with {:?}: {error}", done.status.code());
    String::from_utf8(done.stdout).unwrap()
}

fn json(args: &[&str]) -> Value {
    let text = out(args);
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{args:?}: {e} in {text:?}"))
}

/// Exit code and standard error of a command that must fail.
fn fault(args: &[&str]) -> (i32, String) {
    let done = run(args);
    (done.status.code().unwrap_or(-1), String::from_utf8(done.stderr).unwrap())
}

fn tiny(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/goldens/tiny");
    root.join(name).display().to_string()
}

fn file(folder: &tempfile::TempDir, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    path
}

fn vectors(value: &Value) -> Vec<Vec<f64>> {
    serde_json::from_value(value.clone()).unwrap()
}

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
fn pack_writes_a_bundle_that_answers_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.trireme");
    let (model, bundle) = (tiny("roberta-embed"), path.to_str().unwrap());
    let packed = json(&["pack", "-m", &model, "-o", bundle, "--json"]);
    assert_eq!(packed["bytes"], std::fs::metadata(&path).unwrap().len());
    let info = json(&["info", "-m", bundle, "--json"]);
    assert_eq!(info["digest"], packed["digest"], "a bundle is called by its digest");
    let text = ["embed", "naïve café 東京", "-m"];
    let from = |model: &str| out(&[text[0], text[1], text[2], model]);
    assert_eq!(from(bundle), from(&model));
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "no temporary file is left: {left:?}");
}

#[test]
fn quantize_says_what_it_costs_and_writes_a_bundle_that_keeps_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let pairs: String = [("a quiet harbour", 5), ("two oars", 3), ("no wind", 1)]
        .map(|(text, score)| format!("main\tx\t2012\t1\t{score}\ta calm port\t{text}\n"))
        .concat();
    let pairs = file(&folder, "pairs.tsv", pairs.as_bytes()).display().to_string();
    let rows = b"sentence\tlabel\na lovely day\t1\na dreadful day\t0\n";
    let rows = file(&folder, "rows.tsv", rows).display().to_string();
    let model = tiny("bert-classify");
    for (precision, smallest, share) in [("int8", 0.99, 0.5), ("int4", 0.9, 0.4)] {
        let bundle = path(&format!("{precision}.trireme"));
        let data = ["--sts", &pairs, "--classify", &rows];
        let command = ["quantize", "-m", &model, "--precision", precision, "--json", "-o", &bundle];
        let cost = json(&[&command[..], &data].concat());
        let cosine = cost["cosine"]["smallest"].as_f64().unwrap();
        assert!(cosine >= smallest && cosine < 1.0, "{precision}: {cost}");
        for figure in ["spearman", "accuracy"] {
            assert!(
                cost[figure]["before"].is_number() && cost[figure]["after"].is_number(),
                "{cost}"
            );
        }
        let bytes = |when: &str| cost["size"][when].as_f64().unwrap();
        assert!(bytes("after") < share * bytes("before"), "{precision}: {cost}");
        assert_eq!(std::fs::metadata(&bundle).unwrap().len() as f64, bytes("after"));
        let info = json(&["info", "--model", &bundle, "--json"]);
        assert_eq!((&info["precision"], &info["digest"]), (&precision.into(), &cost["digest"]));
    }
    let shown = out(&["quantize", "-m", &model, "-o", &path("plain.trireme")]);
    for part in ["int8", "cosine, smallest", "of 32 texts", "plain.trireme"] {
        assert!(shown.contains(part), "{part:?} is missing from:\n{shown}");
    }
    let (code, error) = fault(&["quantize", "--precision", "bf16"]);
    assert!(code != 0 && error.contains("int8 or int4"), "{code}: {error}");
    let kept = path("int8.trireme");
    let (code, error) = fault(&["info", "--model", &kept, "--precision", "int4"]);
    assert!(code != 0 && error.contains("quantise the original"), "{code}: {error}");
}

#[test]
fn every_kind_of_fault_has_its_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let binary = file(&folder, "binary.txt", b"good\n\xff\xfe\n");
    let broken = file(&folder, "broken.jsonl", b"{\"text\": \"a\"}\n{\"txt\": 1}\n");
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let (binary, broken) = (binary.to_str().unwrap(), broken.to_str().unwrap());
    let (empty, cache) = (empty.to_str().unwrap(), folder.path().to_str().unwrap());
    let embed_only = tiny("bert-embed");
    let cases: [(&[&str], i32, &str); 11] = [
        (&["embed"], 2, "there is no text"),
        (&["embed", "a", " "], 2, "text 1 is empty [empty_text]"),
        (&["embed", "--input", binary], 2, "is not UTF-8 from byte 5 on"),
        (&["embed", "--input", broken], 2, "broken.jsonl, line 2: "),
        (&["embed", "--input", "/not/there"], 2, "could not read /not/there"),
        (&["embed", "a", "--dimensions", "9999"], 2, "9999 dimensions were asked for"),
        (&["classify", "a", "-m", &embed_only], 2, "no classification head"),
        (&["embed", "a", "-m", "./not/there"], 3, "no model folder or bundle at ./not/there"),
        (&["embed", "a", "-m", empty], 3, "there is no config.json"),
        (&["embed", "a", "-m", binary], 3, "is damaged"),
        (&["embed", "a", "-m", "some/model", "--offline", "--cache", cache], 4, "offline"),
    ];
    let mut report = Vec::new();
    for (args, code, words) in cases {
        let (got, error) = fault(args);
        if got != code || !error.contains(words) {
            report
                .push(format!("{args:?}: expected {code} and {words:?}, got {got} and {error:?}"));
        }
    }
    assert!(report.is_empty(), "{}", report.join("\n"));
}

#[test]
fn faults_are_json_where_json_is_asked_for() {
    let (code, error) = fault(&["embed", "--json", " "]);
    let error: Value = serde_json::from_str(&error).unwrap();
    assert_eq!((code, &error["error"]["code"]), (2, &"empty_text".into()));
}

#[test]
#[cfg(target_os = "linux")]
fn a_model_that_does_not_fit_into_memory_is_refused_and_a_smaller_one_answers() {
    let model = trireme_tests::minilm_dir().display().to_string();
    let limited = |kilobytes: usize, args: &str| {
        let binary = env!("CARGO_BIN_EXE_trireme");
        let script =
            format!("ulimit -v {kilobytes}; exec {binary} embed --json --threads 1 {args}");
        Command::new("sh").args(["-c", &script]).output().unwrap()
    };
    // Between the sizes at which one more buffer just fits: there the next small thing, which nobody
    // asks for, may be what fails, and ends the program.
    for megabytes in [220, 260, 350] {
        let done = limited(megabytes * 1024, &format!("--model '{model}' hello"));
        let error = String::from_utf8_lossy(&done.stderr);
        let typed = error.contains(r#""code":"out_of_memory""#) && done.status.code() == Some(1);
        assert!(typed, "in {megabytes} MB: {:?} {error}", done.status);
        let done = limited(megabytes * 1024, "hello");
        let error = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "in {megabytes} MB: {:?} {error}", done.status);
    }
}

#[test]
fn help_completions_and_the_manual_know_every_command() {
    let (help, man) = (out(&["--help"]), out(&["man"]));
    let bash = out(&["completions", "bash"]);
    for command in ["serve", "embed", "classify", "similarity", "eval", "info", "pack", "quantize"]
    {
        for (place, text) in [("--help", &help), ("man", &man), ("completions", &bash)] {
            assert!(text.contains(command), "{place} does not name {command}");
        }
    }
    assert!(help.contains("Exit codes:"), "{help}");
    assert!(man.contains(r"\-\-max\-length"), "the manual holds the commands' own options");
}

#[test]
fn the_server_starts_alone_and_ends_when_it_is_asked_to() {
    let mut child =
        trireme(&["--threads", "1"]).env("PORT", "0").stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let mut stderr = std::io::BufReader::new(child.stderr.take().unwrap());
    std::io::BufRead::read_line(&mut stderr, &mut line).unwrap();
    assert!(line.starts_with("trireme answers at http://127.0.0.1:"), "{line}");
    let kill = Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(kill.success());
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(0), "a server that is asked to end ends well");
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

/// Labelled texts that a tiny model learns within seconds.
fn labelled(folder: &tempfile::TempDir) -> PathBuf {
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
fn training<'a>(model: &'a str, data: &'a str, output: &'a str) -> Vec<&'a str> {
    let options =
        ["--epochs", "6", "--batch", "8", "--rate", "0.01", "--save-every", "3", "--quiet"];
    let files = ["train", "classify", "--model", model, "--data", data, "--output", output];
    [&files[..], &options[..]].concat()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
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

const RECIPE: &str = r#"
max_length = 32

[teachers]
classes = "{teacher}"
vectors = "{teacher}"

[student]
of = "{teacher}"
layers = [1]
inner = 48

[[texts]]
file = "{data}"
kind = "labelled"
truth = 0.5
changed = 1

[[texts]]
file = "{pairs}"
kind = "pairs"
truth = 0.5
neutral = true

[held_out]
texts = 12
pairs = 6

[training]
epochs = 8
batch = 8
rate = 0.01
"#;

#[test]
fn a_student_is_made_by_a_recipe() {
    let folder = tempfile::tempdir().unwrap();
    let (base, data, teacher) = (tiny("bert-embed"), labelled(&folder), folder.path().join("big"));
    let calibrate = ["--calibrate", "--json"];
    let done = json(&[&training(&base, text(&data), text(&teacher))[..], &calibrate].concat());
    assert!(done["calibration"]["temperature"].as_f64().unwrap() > 0.0, "{done}");

    let pairs: String = (0..12).map(|at| format!("{}\toar {at}\tboat\n", at % 6)).collect();
    let header = "score\tsentence1\tsentence2\n";
    let pairs = file(&folder, "pairs.tsv", format!("{header}{pairs}").as_bytes());
    let recipe = file(&folder, "recipe.toml", RECIPE.as_bytes());
    let teacher = teacher.join("model");
    let set = [("data", &data), ("pairs", &pairs), ("teacher", &teacher)];
    let set = set.map(|(name, path)| format!("{name}={}", path.display()));
    let run = folder.path().join("run");
    let mut args = vec!["distill", text(&recipe), "--output", text(&run), "--json"];
    args.extend(set.iter().flat_map(|set| ["--set", set]));
    let done = json(&args);
    assert!(done["score"].is_number() && done["calibration"].is_object(), "{done}");

    let student = run.join("model");
    let sizes = |model: &Path| {
        let config = std::fs::read_to_string(model.join("config.json")).unwrap();
        let config: Value = serde_json::from_str(&config).unwrap();
        ["num_hidden_layers", "intermediate_size"].map(|key| config[key].as_u64().unwrap())
    };
    assert_eq!((sizes(&teacher), sizes(&student)), ([2, 64], [1, 48]));
    for (word, expected) in [("yes oar", "good"), ("no oar oar", "bad")] {
        let said = out(&["classify", "--model", text(&student), word]);
        assert!(said.starts_with(expected), "{word}: {said}");
    }
    let lineage = std::fs::read_to_string(run.join("run.json")).unwrap();
    let lineage: Value = serde_json::from_str(&lineage).unwrap();
    let files: Vec<&str> = lineage["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|data| data["file"].as_str().unwrap())
        .collect();
    assert_eq!(files, [text(&recipe), text(&data), text(&pairs)]);
}

#[test]
fn a_recipe_that_makes_no_student_is_refused_with_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let (model, odd) = (tiny("bert-classify"), labelled(&folder));
    let data = file(&folder, "fine.tsv", b"label\ttext\nnegative\toar\npositive\tboat\n");
    let pairs = b"score\tsentence1\tsentence2\n1\toar\tboat\n2\toar\toar\n";
    let pairs = file(&folder, "pairs.tsv", pairs);
    for (name, from, to, expected) in [
        ("key", "max_length", "max_lenght", "max_lenght"),
        ("part", "inner = 48", "iner = 48", "iner"),
        ("truth", "truth = 0.5", "truth = 2.0", "truth = 2; it is a share"),
        ("layer", "[1]", "[7]", "a student can't have layer 7: its teacher has 2"),
        ("all", "texts = 12", "texts = 500", "no text is left beside those held out"),
        ("scores", "classes = \"{teacher}", "classes = \"{many}", "for several classes at once"),
        ("teacher", "classes = \"{teacher}", "classes = \"{embeds}", "no classification head"),
        ("label", "{data}", "{odd}", "found \"bad\", expected one of 0 (negative)"),
        ("name", "{data}", "{date}", "{date}"),
    ] {
        let recipe = RECIPE.replacen(from, to, 1);
        let recipe = file(&folder, name, recipe.as_bytes());
        let set = [
            format!("teacher={model}"),
            format!("embeds={}", tiny("bert-embed")),
            format!("many={}", tiny("bert-multilabel")),
            format!("data={}", data.display()),
            format!("odd={}", odd.display()),
            format!("pairs={}", pairs.display()),
        ];
        let run = folder.path().join("run").join(name);
        let mut args = vec!["distill", text(&recipe), "--output", text(&run)];
        args.extend(set.iter().flat_map(|set| ["--set", set]));
        let (code, error) = fault(&args);
        assert!(
            code == 2 && error.contains(expected),
            "{name}: {code}, expected {expected:?} in {error}"
        );
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
