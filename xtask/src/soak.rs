//! `cargo xtask soak NAME`: the proofs at full size, and a page that says what they printed.

use std::fs;
use std::time::{Duration, Instant};

use trireme_tests::repo_root;

use crate::error::{Error, Result};
use crate::{check, fuzz, machine, mutation, setup};

/// Runs the tests with `TRIREME_SOAK=1`, every mutation, and every fuzz target for `seconds`;
/// writes `docs/proofs/NAME.md`, also where a part failed: a failed soak is a result.
pub fn soak(name: &str, seconds: u64) -> Result<()> {
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
        return Err(Error::Usage(format!("\"{name}\" is not a file name of letters and dashes")));
    }
    setup::setup()?;
    let (commit, start) = (machine::commit(), Instant::now());
    let parts = [
        ("Tests at full size", check::full_tests()),
        ("Mutations", mutation::mutants(None)),
        ("Fuzzing", fuzz::fuzz(None, seconds)),
    ];
    let passed = parts.iter().all(|(_, result)| result.is_ok());
    let page = page(name, seconds, &commit, start.elapsed(), &parts);

    let folder = repo_root().join("docs/proofs");
    let path = folder.join(format!("{name}.md"));
    fs::create_dir_all(&folder).map_err(Error::file(&folder))?;
    fs::write(&path, page).map_err(Error::file(&path))?;
    println!("soak: written to docs/proofs/{name}.md");
    if passed {
        Ok(())
    } else {
        Err(Error::Verdict("soak: a part failed; see the page".to_owned()))
    }
}

fn page(
    name: &str,
    seconds: u64,
    commit: &str,
    elapsed: Duration,
    parts: &[(&str, Result<String>)],
) -> String {
    let mut page = format!(
        "# Soak: {name}\n\n\
         - commit: {commit}\n- machine: {}\n- compiler: {}\n\
         - command: `cargo xtask soak {name} --seconds {seconds}`\n- took: {} s\n",
        machine::cpu(),
        machine::rustc(),
        elapsed.as_secs(),
    );
    for (title, result) in parts {
        let printed = match result {
            Ok(printed) => printed.clone(),
            Err(error) => format!("FAILED\n{error}"),
        };
        page.push_str(&format!("\n## {title}\n\n```text\n{}\n```\n", printed.trim_end()));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_says_what_was_run_and_what_failed() {
        let parts = [
            ("Tests", Ok("7 passed, 0 failed".to_owned())),
            ("Fuzzing", Err(Error::Verdict("a crash".to_owned()))),
        ];
        let page = page("first", 9, "abc123", Duration::from_secs(5), &parts);
        for part in ["abc123", "soak first --seconds 9", "7 passed", "FAILED\na crash", "cores"] {
            assert!(page.contains(part), "{part:?} is missing from:\n{page}");
        }
    }
}
