//! Client libraries, as their users install them: the servers must please them.

use trireme_tests::{JAVASCRIPT_CLIENTS, PYTHON_CLIENTS, javascript_clients, python_clients};

use crate::error::Result;
use crate::install::{imports, npm_packages, python_packages};

/// Whether the libraries of Python are here, for the Python that is.
pub fn python_present() -> bool {
    imports(&python_clients(), "numpy")
}

/// Installs the pinned packages.
pub fn python_install() -> Result<()> {
    python_packages(PYTHON_CLIENTS, &python_clients())
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

    use trireme_tests::repo_root;

    use super::*;
    use crate::install::{complete_and_without_a_registry, exact_pins};

    #[test]
    fn the_lock_pins_every_library_and_names_no_place() {
        let pins = exact_pins(PYTHON_CLIENTS);
        let wanted = repo_root().join("tests/clients/python/requirements.txt");
        for line in fs::read_to_string(wanted).unwrap().lines() {
            let library = line.replace("[http]", "");
            assert!(pins.contains(&library), "{library} is not in the lock");
        }
    }

    #[test]
    fn the_npm_lock_is_complete_and_names_no_registry() {
        complete_and_without_a_registry(JAVASCRIPT_CLIENTS);
    }
}
