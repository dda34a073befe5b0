//! `cargo xtask mutants`: proves that the tests would notice.
//!
//! The checkout is copied once to a scratch folder. The tests must be green there; then each
//! mutation in turn replaces one piece of text, its test must turn red, and the text goes back.
//! Only files that differ are written, so cargo rebuilds what a mutation touches and no more.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use trireme_tests::repo_root;

use crate::error::{Error, Result};
use crate::mutants::{EVERY_HOST, HOSTS, MUTANTS, Mutant};
use crate::process::{Outcome, Show, ask, cargo, command, run, target_dir};
use crate::tools;
use crate::totals::{Totals, failures};

/// Runs every mutation, or the one named; returns the printed table. An error where one survives.
pub fn mutants(only: Option<&str>) -> Result<String> {
    let chosen: Vec<Mutant> =
        MUTANTS.iter().copied().filter(|m| only.is_none_or(|only| m.name == only)).collect();
    if chosen.is_empty() {
        let names: Vec<&str> = MUTANTS.iter().map(|mutant| mutant.name).collect();
        return Err(Error::Usage(format!("the mutations are:\n  {}", names.join("\n  "))));
    }
    let tree = target_dir().join("mutants/tree");
    copy_checkout(&tree)?;
    green_before(&tree, &chosen)?;

    let (mut lines, mut survivors) = (Vec::new(), 0);
    for mutant in chosen {
        // One bad row must not hide what the others prove.
        let line = match kill(&tree, mutant) {
            Ok(killed) => format!("{}\n    killed by {killed}", mutant.name),
            Err(error) => {
                survivors += 1;
                format!("{}\n    NOT PROVEN: {error}", mutant.name)
            }
        };
        println!("mutants: {line}");
        lines.push(line);
    }
    let killed = lines.len() - survivors;
    lines.push(format!("{killed} of {} mutations turn a test red", killed + survivors));
    let table = lines.join("\n");
    println!("\n{table}");
    if survivors == 0 { Ok(table) } else { Err(Error::Verdict(table)) }
}

/// Makes `tree` hold what git would see here: tracked and new files, as they are now.
fn copy_checkout(tree: &Path) -> Result<()> {
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let files = ask(command("git").args(list))
        .ok_or_else(|| Error::Verdict("`git ls-files` does not answer here".to_owned()))?;
    let files = files.split('\0').filter(|file| repo_root().join(file).is_file());
    let files: BTreeSet<PathBuf> = files.map(PathBuf::from).collect();
    for file in &files {
        let from = repo_root().join(file);
        write_if_changed(&tree.join(file), &fs::read(&from).map_err(Error::file(&from))?)?;
    }
    remove_others(tree, tree, &files)
}

/// Removes what an earlier copy left and the checkout no longer has.
fn remove_others(tree: &Path, folder: &Path, keep: &BTreeSet<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(Error::file(folder))? {
        let path = entry.map_err(Error::file(folder))?.path();
        if path.is_dir() {
            remove_others(tree, &path, keep)?;
        } else if path.strip_prefix(tree).is_ok_and(|file| !keep.contains(file)) {
            fs::remove_file(&path).map_err(Error::file(&path))?;
        }
    }
    Ok(())
}

fn write_if_changed(path: &Path, content: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|old| old == content) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(Error::file(folder))?;
    }
    fs::write(path, content).map_err(Error::file(path))
}

/// A mutation that "fails" a test which failed anyway proves nothing.
fn green_before(tree: &Path, chosen: &[Mutant]) -> Result<()> {
    let suites: BTreeSet<_> = chosen.iter().map(|mutant| mutant.test).collect();
    for suite in suites {
        println!("mutants: the unbroken suite, {}", suite.join(" "));
        let label = format!("the unbroken suite {}", suite.join(" "));
        build_hosts(tree, suite)?.or_fail(&label)?;
        let outcome = run(&label, test(tree, suite), Show::Progress)?.or_fail(&label)?;
        if Totals::read(&outcome.output).passed == 0 {
            return Err(Error::Verdict(format!("{label} runs no test")));
        }
    }
    Ok(())
}

fn test(tree: &Path, suite: &[&str]) -> Command {
    in_tree(tree, &[&["test", "--offline", "--no-fail-fast"], suite].concat())
}

fn in_tree(tree: &Path, args: &[&str]) -> Command {
    let mut command = cargo(args);
    command.envs(tools::environment()).current_dir(tree);
    command.env("CARGO_TARGET_DIR", target_dir().join("mutants/build"));
    command
}

/// Breaks, tests, mends; says which tests noticed, and the first one's first words.
fn kill(tree: &Path, mutant: Mutant) -> Result<String> {
    let path = tree.join(mutant.file);
    let lock = tree.join("Cargo.lock");
    let broken = apply(mutant, &fs::read_to_string(&path).map_err(Error::file(&path))?)?;
    let original = fs::read(&path).map_err(Error::file(&path))?;
    // A mutated manifest changes the lock file too.
    let locked = fs::read(&lock).map_err(Error::file(&lock))?;

    write_if_changed(&path, broken.as_bytes())?;
    let hosts = build_hosts(tree, mutant.test);
    let built = run(mutant.name, no_run(tree, mutant.test), Show::Progress);
    let tested = run(mutant.name, test(tree, mutant.test), Show::Progress);
    write_if_changed(&path, &original)?;
    write_if_changed(&lock, &locked)?;
    let (built, hosts) = (built?, hosts?);
    judge(mutant, if hosts.success { &built } else { &hosts }, &tested?)
}

/// The hosts with the mistake in them, where the suite asks hosts.
fn build_hosts(tree: &Path, suite: &[&str]) -> Result<Outcome> {
    if suite != HOSTS {
        return Ok(Outcome { success: true, output: String::new() });
    }
    run("the hosts", in_tree(tree, &["xtask", "build", "web", "worker", "spin"]), Show::Progress)
}

fn no_run(tree: &Path, suite: &[&str]) -> Command {
    let mut command = test(tree, suite);
    command.arg("--no-run");
    command
}

/// The broken text.
fn apply(mutant: Mutant, source: &str) -> Result<String> {
    let bad = |reason: String| Error::Mutant { name: mutant.name, reason };
    match source.matches(mutant.find).count() {
        1 => Ok(source.replace(mutant.find, mutant.replace)),
        n => Err(bad(format!("{:?} stands {n} times in {}, not once", mutant.find, mutant.file))),
    }
}

/// A compiler that refuses is no proof: the mistake must compile and a test must see it.
fn judge(mutant: Mutant, built: &Outcome, tested: &Outcome) -> Result<String> {
    let bad = |reason: String| Error::Mutant { name: mutant.name, reason };
    if !built.success {
        return Err(bad(format!("it does not compile, which tests nothing:\n{}", built.tail())));
    }
    let failed = failures(&tested.output);
    let Some((_, first)) = failed.first() else {
        let verdict = if tested.success { "every test stays green" } else { "no test is named" };
        return Err(bad(format!("{verdict}: {}", Totals::read(&tested.output))));
    };
    let names: Vec<&str> = failed.iter().map(|(name, _)| name.as_str()).collect();
    let unmoved = EVERY_HOST.iter().find(|host| !names.iter().any(|name| name.contains(**host)));
    if let (true, Some(host)) = (mutant.test == HOSTS, unmoved) {
        return Err(bad(format!("{host} does not notice; {} do", names.join(", "))));
    }
    Ok(format!("{}\n    {first}", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MUTANT: Mutant =
        Mutant { name: "m", file: "f.rs", find: "a + b", replace: "a - b", test: &["-p", "x"] };

    fn outcome(success: bool, output: &str) -> Outcome {
        Outcome { success, output: output.to_owned() }
    }

    #[test]
    fn the_text_must_stand_once() {
        assert_eq!(apply(MUTANT, "x = a + b;").unwrap(), "x = a - b;");
        assert!(apply(MUTANT, "a + b; a + b").unwrap_err().to_string().contains("2 times"));
        assert!(apply(MUTANT, "").unwrap_err().to_string().contains("0 times"));
    }

    #[test]
    fn only_a_failing_test_kills() {
        let red = "test t::one ... FAILED\n---- t::one stdout ----\nthread 't' panicked\nleft: 1\n";
        let built = outcome(true, "");
        let killed = judge(MUTANT, &built, &outcome(false, red)).unwrap();
        assert_eq!(killed, "t::one\n    left: 1");

        let hosts = Mutant { test: HOSTS, ..MUTANT };
        let one = judge(hosts, &built, &outcome(false, red)).unwrap_err().to_string();
        assert!(one.contains("native does not notice"), "{one}");

        let stays = judge(MUTANT, &built, &outcome(true, "test t::one ... ok\n"));
        assert!(stays.unwrap_err().to_string().contains("stays green"));
        let compiler = judge(MUTANT, &outcome(false, "error[E0308]"), &outcome(false, ""));
        assert!(compiler.unwrap_err().to_string().contains("does not compile"));
    }

    #[test]
    fn names_are_unique_and_files_exist() {
        let names: BTreeSet<_> = MUTANTS.iter().map(|mutant| mutant.name).collect();
        assert_eq!(names.len(), MUTANTS.len());
        for mutant in MUTANTS {
            let path = repo_root().join(mutant.file);
            let source = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path:?}: {e}"));
            apply(*mutant, &source).unwrap_or_else(|error| panic!("{error}"));
        }
    }
}
