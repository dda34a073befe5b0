//! Models in one file.

use super::*;

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
