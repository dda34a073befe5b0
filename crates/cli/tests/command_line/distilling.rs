//! Students learn from larger models, by a recipe.

use super::training::{labelled, training};
use super::*;

const RECIPE: &str = r#"
max_length = 32

[teachers]
classes = ["{teacher}", "{other}"]
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
seed = 3

[training]
epochs = 8
batch = 8
rate = 0.01
"#;

#[test]
fn a_student_is_made_by_a_recipe() {
    let folder = tempfile::tempdir().unwrap();
    let (base, data) = (tiny("bert-embed"), labelled(&folder));
    let [teacher, other] = ["big", "other"].map(|name| folder.path().join(name));
    let calibrate = ["--calibrate", "--json"];
    let done = json(&[&training(&base, text(&data), text(&teacher))[..], &calibrate].concat());
    out(&[&training(&base, text(&data), text(&other))[..], &["--seed", "2"]].concat());
    assert!(done["calibration"]["temperature"].as_f64().unwrap() > 0.0, "{done}");

    let pairs: String = (0..12).map(|at| format!("{}\toar {at}\tboat\n", at % 6)).collect();
    let header = "score\tsentence1\tsentence2\n";
    let pairs = file(&folder, "pairs.tsv", format!("{header}{pairs}").as_bytes());
    let recipe = file(&folder, "recipe.toml", RECIPE.as_bytes());
    let [teacher, other] = [teacher, other].map(|run| run.join("model"));
    let set = [("data", &data), ("pairs", &pairs), ("teacher", &teacher), ("other", &other)];
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

/// Nobody teaches: what the file says is all that is learnt, and other texts are of all classes alike.
#[test]
fn a_recipe_without_teachers_learns_what_its_files_say() {
    let folder = tempfile::tempdir().unwrap();
    let (base, data) = (tiny("bert-embed"), labelled(&folder));
    let pairs =
        file(&folder, "pairs.tsv", b"score\tsentence1\tsentence2\n1\tsail\tmast\n2\tsail\tsail\n");
    let recipe = r#"
        labels = ["bad", "good"]
        [student]
        of = "{base}"
        [[texts]]
        file = "{data}"
        kind = "labelled"
        truth = 1.0
        [[texts]]
        file = "{pairs}"
        kind = "pairs"
        neutral = true
        [held_out]
        texts = 6
        [training]
        epochs = 40
        batch = 8
        rate = 0.01
    "#;
    let recipe = file(&folder, "recipe.toml", recipe.as_bytes());
    let run = folder.path().join("run");
    let set = [("data", text(&data)), ("pairs", text(&pairs)), ("base", &base)];
    let set = set.map(|(name, value)| format!("{name}={value}"));
    let mut args = vec!["distill", text(&recipe), "--output", text(&run), "--json"];
    args.extend(set.iter().flat_map(|set| ["--set", set]));
    let done = json(&args);
    assert!(done["score"].as_f64() > Some(0.9), "{done}");
    let learnt = run.join("model");
    for (word, expected) in [("yes oar", "good"), ("no oar oar", "bad")] {
        let said = out(&["classify", "--model", text(&learnt), word]);
        assert!(said.starts_with(expected), "{word}: {said}");
    }
}

#[test]
fn a_recipe_that_makes_no_student_is_refused_with_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let (model, odd) = (tiny("bert-classify"), labelled(&folder));
    let says = folder.path().join("says");
    out(&training(&tiny("bert-embed"), text(&odd), text(&says)));
    let says = says.join("model");
    let data = file(&folder, "fine.tsv", b"label\ttext\nnegative\toar\npositive\tboat\n");
    let pairs = b"score\tsentence1\tsentence2\n1\toar\tboat\n2\toar\toar\n";
    let pairs = file(&folder, "pairs.tsv", pairs);
    for (name, from, to, expected) in [
        ("key", "max_length", "max_lenght", "max_lenght"),
        ("part", "inner = 48", "iner = 48", "iner"),
        ("truth", "truth = 0.5", "truth = 2.0", "truth = 2; it is a share"),
        ("layer", "[1]", "[7]", "a student can't have layer 7: its teacher has 2"),
        ("all", "texts = 12", "texts = 500", "no text is left beside those held out"),
        ("scores", "[\"{teacher}", "[\"{many}", "for several classes at once"),
        ("teacher", "[\"{teacher}", "[\"{embeds}", "no classification head"),
        (
            "others",
            "{other}",
            "{says}",
            "name other classes: negative, neutral, positive, and bad, good",
        ),
        ("label", "{data}", "{odd}", "found \"bad\", expected one of 0 (negative)"),
        ("both", "max_length", "labels = [\"a\", \"b\"]\nmax_length", "name one of both"),
        ("name", "{data}", "{date}", "{date}"),
    ] {
        let recipe = RECIPE.replacen(from, to, 1);
        let recipe = file(&folder, name, recipe.as_bytes());
        let set = [
            format!("teacher={model}"),
            format!("other={model}"),
            format!("says={}", says.display()),
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
