//! What goes wrong, and what help there is.

use super::*;

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
        // The system's allocator sets addresses aside for each thread, at moments of its own.
        let alone = ("MALLOC_ARENA_MAX", "1");
        Command::new("sh").env(alone.0, alone.1).args(["-c", &script]).output().unwrap()
    };
    // Between the sizes at which one more buffer just fits: there the next small thing, which nobody
    // asks for, may be what fails, and ends the program.
    for megabytes in [185, 195, 205] {
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
