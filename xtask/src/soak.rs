//! `cargo xtask soak NAME`: the proofs at full size, and a page that says what they printed.

use std::fs;
use std::time::{Duration, Instant};

use trireme_tests::repo_root;

use crate::error::{Error, Result};
use crate::{aarch64, apps, check, fuzz, machine, mutation, schemathesis, serving, setup, trained};

/// A proof at full size, and the page that holds its last result.
struct Proof {
    name: &'static str,
    title: &'static str,
    /// What is run; `seconds` for each fuzz target.
    run: fn(seconds: u64) -> Result<String>,
}

const PROOFS: &[Proof] = &[
    Proof { name: "tests", title: "Tests at full size", run: |_| check::full_tests() },
    Proof { name: "mutants", title: "Mutations", run: |_| mutation::mutants(None) },
    Proof { name: "fuzzing", title: "Fuzzing", run: |seconds| fuzz::fuzz(None, seconds) },
    Proof { name: "aarch64", title: "Lanes of aarch64", run: |_| aarch64::tests() },
    Proof { name: "schemathesis", title: "The document", run: |_| schemathesis::soak() },
    Proof { name: "package", title: "The package", run: |_| apps::soak() },
    Proof { name: "serving", title: "The server", run: |_| serving::soak() },
    Proof { name: "kills", title: "Kills", run: |_| serving::kills() },
    Proof { name: "trained", title: "Trained models in Python", run: |_| trained::trained() },
];

/// Runs every proof, or the one named, and writes `docs/proofs/NAME.md` for each; also where it
/// failed: a failed soak is a result.
pub fn soak(name: Option<&str>, seconds: u64) -> Result<()> {
    let chosen: Vec<_> =
        PROOFS.iter().filter(|proof| name.is_none_or(|n| n == proof.name)).collect();
    if chosen.is_empty() {
        let names: Vec<_> = PROOFS.iter().map(|proof| proof.name).collect();
        return Err(Error::Usage(format!("the proofs are {}", names.join(", "))));
    }
    setup::setup()?;
    let mut failed = Vec::new();
    for proof in chosen {
        let (commit, start) = (machine::commit(), Instant::now());
        let result = (proof.run)(seconds);
        write(proof.name, &page(proof, seconds, &commit, start.elapsed(), &result))?;
        failed.extend(result.is_err().then_some(proof.name));
    }
    match failed.len() {
        0 => Ok(()),
        _ => Err(Error::Verdict(format!("soak: failed, see the page: {}", failed.join(", ")))),
    }
}

fn write(name: &str, page: &str) -> Result<()> {
    let folder = repo_root().join("docs/proofs");
    let path = folder.join(format!("{name}.md"));
    fs::create_dir_all(&folder).map_err(Error::file(&folder))?;
    fs::write(&path, page).map_err(Error::file(&path))?;
    println!("soak: written to docs/proofs/{name}.md");
    Ok(())
}

fn page(
    proof: &Proof,
    seconds: u64,
    commit: &str,
    elapsed: Duration,
    result: &Result<String>,
) -> String {
    let printed = match result {
        Ok(printed) => printed.clone(),
        Err(error) => format!("FAILED\n{error}"),
    };
    format!(
        "# {}\n\n- commit: {commit}\n- machine: {}\n- compiler: {}\n\
         - command: `cargo xtask soak {} --seconds {seconds}`\n- took: {} s\n\n\
         ```text\n{}\n```\n",
        proof.title,
        machine::cpu(),
        machine::rustc(),
        proof.name,
        elapsed.as_secs(),
        printed.trim_end(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_says_what_was_run_and_what_failed() {
        let page = |result| page(&PROOFS[2], 9, "abc123", Duration::from_secs(5), &result);
        let good = page(Ok("7 runs".to_owned()));
        for part in ["# Fuzzing", "abc123", "soak fuzzing --seconds 9", "7 runs", "cores"] {
            assert!(good.contains(part), "{part:?} is missing from:\n{good}");
        }
        assert!(page(Err(Error::Verdict("a crash".to_owned()))).contains("FAILED\na crash"));
    }

    #[test]
    fn an_unknown_proof_is_refused() {
        assert!(
            soak(Some("moon"), 1)
                .unwrap_err()
                .to_string()
                .contains("tests, mutants, fuzzing, aarch64")
        );
    }
}
