//! Client libraries, as their users install them: the servers must please them.

use trireme_tests::{
    JAVASCRIPT_CLIENTS, PYTHON_CLIENTS, javascript_clients, python_clients, repo_root,
};

use crate::error::Result;
use crate::install::{npm_packages, quietly, whole};
use crate::process::{ask, command};

/// Whether the libraries of Python are here, for the Python that is.
pub fn python_present() -> bool {
    let python = python_clients().join("bin/python");
    ask(command(&python.to_string_lossy()).args(["-c", "import numpy"])).is_some()
}

/// Installs every package of the lock, and nothing that pip would choose by itself: its search for
/// versions that fit together takes minutes.
pub fn python_install() -> Result<()> {
    whole(&python_clients(), |work| {
        let mut venv = command("python3");
        // Debian keeps what a pip inside would need in a package of its own.
        venv.args(["-m", "venv", "--without-pip"]).arg(work);
        quietly("python -m venv", venv)?;
        let mut pip = command("python3");
        pip.args(["-m", "pip", "--python"]).arg(work.join("bin/python"));
        pip.args(["install", "--no-deps", "--only-binary", ":all:", "--no-compile"]);
        pip.arg("--requirement").arg(repo_root().join(PYTHON_CLIENTS));
        quietly("pip", pip)
    })
}

/// Whether the libraries of JavaScript are here.
pub fn javascript_present() -> bool {
    javascript_clients().join("openai/package.json").is_file()
}

/// Installs the pinned packages.
pub fn javascript_install() -> Result<()> {
    npm_packages(JAVASCRIPT_CLIENTS, &javascript_clients())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::install::complete_and_without_a_registry;

    #[test]
    fn the_lock_pins_every_library_and_names_no_place() {
        let read = |path: &str| fs::read_to_string(repo_root().join(path)).unwrap();
        let lock = read(PYTHON_CLIENTS);
        let pins: Vec<&str> = lock.lines().filter(|line| !line.starts_with('#')).collect();
        for pin in &pins {
            let exact = pin.split_once("==").is_some_and(|(name, version)| {
                let plain = |c: char| c.is_ascii_alphanumeric() || ".-_+".contains(c);
                name.chars().all(plain) && version.chars().all(plain)
            });
            assert!(exact, "{pin}");
        }
        for line in read("tests/clients/python/requirements.txt").lines() {
            let library = line.replace("[http]", "");
            assert!(pins.contains(&library.as_str()), "{library} is not in the lock");
        }
    }

    #[test]
    fn the_npm_lock_is_complete_and_names_no_registry() {
        complete_and_without_a_registry(JAVASCRIPT_CLIENTS);
    }
}
