//! The package at full size: every bundler, runtime and browser, and what it withstands for longer.

use std::path::PathBuf;

use trireme_tests::{built_host, minilm_dir, npm_pins, pinned, repo_root};

use crate::error::{Error, Result};
use crate::install::{answers, debian, npm_packages};
use crate::process::{Show, command, run};
use crate::{hosts, tools};

/// What pins the bundlers, and the library that people come from.
const APPS: &str = "tests/apps";

const FIREFOX: &str = "firefox-esr";

/// The lines that say how each app and each case went.
pub fn soak() -> Result<String> {
    hosts::build(&["web", "web-drill"])?;
    if !answers(FIREFOX, &["--version"]) {
        debian(&[FIREFOX])?;
    }
    let modules = modules()?;
    let (web, drill, minilm) = (built_host("web"), built_host("web-drill"), minilm_dir());
    let package = web.join("trireme");
    let apps =
        ["--package", &text(&package), "--modules", &text(&modules), "--minilm", &text(&minilm)]
            .map(str::to_owned);
    let cases =
        ["--web", &text(&web), "--drill", &text(&drill), "--minilm", &text(&minilm), "--long"]
            .map(str::to_owned);
    let apps = told("tests/apps/run.mjs", &apps, "app: ")?;
    Ok(format!("{apps}\n{}", told("tests/browser/package.mjs", &cases, "ok: ")?))
}

fn text(path: &std::path::Path) -> String {
    path.to_string_lossy().into_owned()
}

/// The bundlers; brought where they are not here yet.
fn modules() -> Result<PathBuf> {
    let modules = pinned("apps", &npm_pins(APPS)).join("node_modules");
    if !modules.join("vite").exists() {
        npm_packages(APPS, &modules)?;
    }
    Ok(modules)
}

/// The lines of a script that begin like this.
fn told(script: &str, args: &[String], begin: &str) -> Result<String> {
    let mut node = command("node");
    node.arg(repo_root().join(script)).args(args).envs(tools::environment());
    let outcome = run(script, node, Show::Progress)?;
    let lines = outcome.output.lines().filter(|line| line.starts_with(begin));
    match outcome.success {
        true => Ok(lines.collect::<Vec<_>>().join("\n")),
        false => Err(Error::Verdict(outcome.output)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::complete_and_without_a_registry;

    #[test]
    fn the_npm_lock_is_complete_and_names_no_registry() {
        complete_and_without_a_registry(APPS);
    }
}
