//! What can't be done, and what would mix two runs.

use super::*;

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let table = file(&folder, "in.csv", b"id,text\n1,fine\n");
    let table = text(&table);
    let to = folder.path().join("out.jsonl");
    let to = text(&to);
    let embed_only = tiny("bert-embed");
    let cases: [(&[&str], &str); 13] = [
        (&[table], "required"),
        (&[table, "out.txt"], "out.txt is no table by its name; they end in .jsonl, .csv"),
        (&["in.txt", to], "in.txt is no table by its name"),
        (&["/not/there.csv", to], "could not read /not/there.csv"),
        (&[table, to, "--text-column", "review"], "no column review; it has: id, text"),
        (&[table, to, "--id-column", "key"], "no column key"),
        (&[table, table, "--restart"], "can't be both read and written"),
        (&[table, to, "--shard", "4/4"], "there is no shard 4 of 4"),
        (&[table, to, "--shard", "0/2", "--shards", "2"], "cannot be used with"),
        (&[table, to, "--part-rows", "0"], "0 is not in 1.."),
        (&[table, to, "--task", "embed", "--dimensions", "9999"], "9999 dimensions were asked for"),
        (&[table, to, "--task", "classify", "-m", &embed_only], "no classification head"),
        (
            &[table, to, "--task", "embed", "--encoding", "int8", "--normalize=false"],
            "int8 spans -1 to 1",
        ),
    ];
    for (args, expected) in cases {
        let (code, error) = fault(&[&["batch"], args].concat());
        assert!(
            code == 2 && error.contains(expected),
            "{args:?}: expected {expected:?}, got {code} {error}"
        );
    }
    assert_eq!(names(folder.path()), ["in.csv"], "nothing is left of what was refused");
}

#[test]
fn what_was_begun_otherwise_is_refused_by_name_unless_it_is_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let table = file(&folder, "in.jsonl", &objects(&TEXTS));
    let to = folder.path().join("out.jsonl");
    let (model, other) = (tiny("bert-classify"), tiny("distilbert-classify"));
    out(&["batch", text(&table), text(&to), "-m", &model]);
    let args = ["batch", text(&table), text(&to), "-m"];
    let refused: [(&[&str], &str); 5] = [
        (&[&other], "it was begun with the model"),
        (&[&model, "--precision", "int8"], "in f32, and this is"),
        (&[&model, "--probabilities"], "it was begun with probabilities = false, and this is true"),
        (&[&model, "--max-length", "9"], "max-length = nothing, and this is 9"),
        (&[&model, "--task", "embed"], "task = classify, and this is embed"),
    ];
    for (more, expected) in refused {
        let (code, error) = fault(&[&args[..], more].concat());
        assert!(code == 2 && error.contains(expected), "{more:?}: {code} {error}");
        assert!(error.contains("--restart begins anew"), "{more:?}: {error}");
    }
    fs::write(&table, objects(&TEXTS[..5])).unwrap();
    let (code, error) = fault(&[&args[..], &[&model]].concat());
    assert!(code == 2 && error.contains("the input has changed"), "{error}");
    out(&[&args[..], &[&other, "--restart"]].concat());
    assert_eq!(rows(&to).len(), 5);
}

#[test]
fn a_file_that_is_not_ours_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let table = file(&folder, "in.jsonl", &objects(&TEXTS));
    let to = file(&folder, "out.jsonl", b"precious");
    let args = ["batch", text(&table), text(&to)];
    let (code, error) = fault(&args);
    assert!(code == 2 && error.contains("no run of this program left it"), "{error}");
    assert_eq!(fs::read(&to).unwrap(), b"precious");
    out(&[&args[..], &["--restart"]].concat());
    fs::write(&to, "changed").unwrap();
    let (code, error) = fault(&args);
    assert!(code == 2 && error.contains("it was changed afterwards"), "{error}");
}

#[test]
fn a_part_that_was_changed_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let table = file(&folder, "in.jsonl", &objects(&TEXTS));
    let to = folder.path().join("out.jsonl");
    let full = |folder: &tempfile::TempDir| folder.path().join("out.jsonl.parts");
    // A folder in the place of the output keeps a run from ending.
    fs::create_dir(&to).unwrap();
    fs::write(to.join("x"), "").unwrap();
    let args = ["batch", text(&table), text(&to), "--part-rows", "2", "--restart"];
    let (code, error) = fault(&args);
    assert!(code == 1 && error.contains("[unwritable]"), "{error}");
    fs::remove_dir_all(&to).unwrap();
    let part = full(&folder).join("part-000000000002.jsonl");
    let content = fs::read_to_string(&part).unwrap();
    fs::write(&part, content.replace("positive", "negative").replacen('a', "b", 1)).unwrap();
    let (code, error) = fault(&args[..5]);
    assert!(code == 2 && error.contains("part-000000000002.jsonl"), "{code}: {error}");
    out(&args);
    assert_eq!(rows(&to).len(), 6);
}

#[test]
fn an_output_that_can_not_be_written_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let table = file(&folder, "in.jsonl", &objects(&TEXTS));
    // Nobody may write there, not even root.
    for to in ["/proc/out.jsonl", "/dev/null/out.jsonl"] {
        let (code, error) = fault(&["batch", text(&table), to]);
        assert!(code == 1 && error.contains("[unwritable]"), "{to}: {code} {error}");
    }
}

#[test]
fn a_disk_that_is_full_is_told_and_what_was_done_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let table = file(&folder, "in.jsonl", &objects(&TEXTS));
    let to = folder.path().join("out.jsonl");
    let args = ["batch", text(&table), text(&to), "--part-rows", "2", "--task", "embed"];
    // No file may grow beyond a few blocks: parts fit, and all of them in one file do not.
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -f 24; exec \"$0\" \"$@\""]);
    shell.arg(env!("CARGO_BIN_EXE_trireme")).args(args).stdin(Stdio::null());
    let done = shell.output().unwrap();
    let error = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.code() == Some(1) && error.contains("[unwritable]"), "{error}");
    assert!(!to.exists());
    let done = run(&args);
    let error = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && error.contains("6 rows are done already"), "{error}");
    assert_eq!(rows(&to).len(), 6);
}
