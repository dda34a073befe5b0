//! Several runs share a file, and become one.

use super::*;

fn table(folder: &tempfile::TempDir) -> PathBuf {
    let line = |id: u64| match id % 7 {
        3 => format!("{id},\n"),
        _ => format!("{id},text {id} of a harbour\n"),
    };
    let lines: String = (0..101).map(line).collect();
    file(folder, "in.csv", format!("id,text\n{lines}").as_bytes())
}

/// Runs a shard of four, as a job of Kubernetes does, and says what it wrote.
fn shard(table: &Path, to: &Path, index: usize) -> PathBuf {
    let args = ["batch", text(table), text(to), "-m", &tiny("bert-classify"), "--shards", "4"];
    let done = trireme(&args).env("JOB_COMPLETION_INDEX", index.to_string()).output().unwrap();
    let error = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "shard {index}: {error}");
    let name = to.file_stem().unwrap().to_str().unwrap();
    let extension = to.extension().unwrap().to_str().unwrap();
    to.with_file_name(format!("{name}.{index}-of-4.{extension}"))
}

#[test]
fn shards_put_together_are_what_one_run_writes() {
    let folder = tempfile::tempdir().unwrap();
    let table = table(&folder);
    for format in ["jsonl", "csv", "tsv", "parquet"] {
        let path = |name: &str| folder.path().join(format!("{name}.{format}"));
        let (one, many, merged) = (path("one"), path("many"), path("merged"));
        out(&["batch", text(&table), text(&one), "-m", &tiny("bert-classify")]);
        let mut shards: Vec<PathBuf> = (0..4).map(|index| shard(&table, &many, index)).collect();
        // In whatever order they are named.
        shards.swap(0, 2);
        let shards: Vec<&str> = shards.iter().map(|path| text(path)).collect();
        let done = json(&[&["batch", "merge", "--json", text(&merged)], &shards[..]].concat());
        assert_eq!(
            (&done["rows"], &done["rejected"]),
            (&101.into(), &14.into()),
            "{format}: {done}"
        );
        assert_eq!(rows(&merged), rows(&one), "{format}");
        if format != "parquet" {
            assert_eq!(fs::read(&merged).unwrap(), fs::read(&one).unwrap(), "{format}");
        }
        let [merged, one] = [merged, one]
            .map(|path| fs::read(format!("{}.rejected.jsonl", path.display())).unwrap());
        assert_eq!(merged, one, "{format}: rejected rows");
    }
}

#[test]
fn a_shard_that_is_missing_doubled_changed_or_not_done_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let table = table(&folder);
    let to = folder.path().join("out.jsonl");
    let shards: Vec<PathBuf> = (0..4).map(|index| shard(&table, &to, index)).collect();
    let merged = folder.path().join("merged.jsonl");
    let merge = |shards: &[&PathBuf]| {
        let shards: Vec<&str> = shards.iter().map(|path| text(path)).collect();
        fault(&[&["batch", "merge", text(&merged)], &shards[..]].concat())
    };
    let [a, b, c, d] = &shards[..] else { unreachable!() };
    for (case, shards, expected) in [
        ("two are missing", vec![a, c], "there is no shard 1/4, 3/4"),
        ("one is there twice", vec![a, b, c, d, b], "shard 1/4 is there twice"),
        (
            "one is no shard",
            vec![a, b, c, &table],
            "in.csv.manifest.json, so the shard is not done",
        ),
    ] {
        let (code, error) = merge(&shards);
        assert!(code == 2 && error.contains(expected), "{case}: {code} {error}");
    }
    let one = fs::read_to_string(c).unwrap();
    fs::write(c, one.replacen("text", "TEXT", 1)).unwrap();
    let (code, error) = merge(&[a, b, c, d]);
    assert!(code == 2 && error.contains("out.2-of-4.jsonl has changed"), "{error}");
    assert!(!merged.exists(), "nothing is left of a merge that failed");
    fs::write(c, one).unwrap();
    out(&["batch", text(&table), text(&to), "--shard", "3/4", "--restart"]);
    let (code, error) = merge(&[a, b, c, d]);
    let expected = "shard 3/4 does not go with the first one: it was begun with the model";
    assert!(code == 2 && error.contains(expected), "another model: {error}");
}

#[test]
fn a_job_says_which_shard_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let table = table(&folder);
    let to = folder.path().join("out.jsonl");
    let args = ["batch", text(&table), text(&to), "--shards", "4"];
    for (index, expected) in [
        (None, "--shards 4 wants JOB_COMPLETION_INDEX; or say --shard 0/4"),
        (Some("4"), "there is no shard 4 of 4; they are counted from 0"),
        (Some("one"), "\"one/4\" is no shard"),
    ] {
        let mut command = trireme(&args);
        command.env_remove("JOB_COMPLETION_INDEX");
        if let Some(index) = index {
            command.env("JOB_COMPLETION_INDEX", index);
        }
        let done = command.output().unwrap();
        let error = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.code() == Some(2) && error.contains(expected), "{index:?}: {error}");
    }
}
