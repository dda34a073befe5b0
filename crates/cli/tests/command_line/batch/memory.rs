//! However large a file is, only a few rows of it are in memory.

use std::io::Write as _;

use super::*;

/// The most memory that a run had, in bytes, as Linux counts it.
fn peak(table: &Path, to: &Path, more: &[&str]) -> u64 {
    let model = tiny("bert-classify");
    let args = [&["batch", text(table), text(to), "-m", &model, "--quiet"], more].concat();
    let mut child = trireme(&args).stdout(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let ended = loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(peak);
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
        std::thread::yield_now();
    };
    assert!(ended.success(), "{args:?}");
    assert!(peak > 0, "{status} said nothing");
    peak * 1024
}

#[test]
fn a_file_of_many_rows_takes_no_more_memory_than_one_of_few() {
    if !cfg!(target_os = "linux") {
        eprintln!("skipped: only Linux says how much memory a process had");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // Most of a row is a column that is only carried: memory would show it, and computing not.
    let carried = "x".repeat(200);
    let written = |name: &str, rows: u64| {
        let path = folder.path().join(name);
        let mut file = std::io::BufWriter::new(File::create(&path).unwrap());
        writeln!(file, "id,text,carried").unwrap();
        for id in 0..rows {
            writeln!(file, "{id},row {id},{carried}").unwrap();
        }
        file.flush().unwrap();
        path
    };
    let (few, many) = (written("few.csv", 20_000), written("many.csv", 200_000));
    // Threads' heaps settle after the first thousands of rows, so the two differ by some of the file;
    // a run that held it would differ by all of it.
    let size = fs::metadata(&many).unwrap().len();
    for format in ["jsonl", "parquet"] {
        let to = |name: &str| folder.path().join(format!("{name}.{format}"));
        let small = peak(&few, &to("few"), &[]);
        let large = peak(&many, &to("many"), &[]);
        assert!(
            large < small + size / 2,
            "{format}: {large} bytes for a file of {size}, and {small} for a tenth of it"
        );
        // What was written is read again: all of the small one, as many rows of the large one.
        let again = folder.path().join("again.csv");
        let more = ["--prefix", "new_", "--restart"];
        let small = peak(&to("few"), &again, &more);
        let large = peak(&to("many"), &again, &[&more[..], &["--shard", "9/10"]].concat());
        assert!(large < small + size / 2, "{format} again: {large} bytes, and {small} for a tenth");
    }
}
