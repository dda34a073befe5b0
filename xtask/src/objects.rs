//! Programs that answer as object stores do: moto as S3 does, Azurite as Azure does.

use trireme_tests::{OBJECTS, objects};

use crate::error::Result;
use crate::install::{imports, npm_packages, python_packages};

/// What pins moto.
fn moto_lock() -> String {
    format!("{OBJECTS}/requirements.lock")
}

/// Whether moto is here, for the Python that is.
pub fn moto_present() -> bool {
    imports(&objects().python, "boto3, cryptography, flask_cors, moto")
}

/// Installs the pinned packages of Python.
pub fn moto_install() -> Result<()> {
    python_packages(&moto_lock(), &objects().python)
}

/// Whether Azurite is here.
pub fn azurite_present() -> bool {
    objects().node_modules.join("azurite/package.json").is_file()
}

/// Installs the pinned packages of npm.
pub fn azurite_install() -> Result<()> {
    npm_packages(OBJECTS, &objects().node_modules)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::{complete_and_without_a_registry, exact_pins};

    #[test]
    fn the_lock_pins_it_and_names_no_place() {
        assert!(exact_pins(&moto_lock()).iter().any(|pin| pin.starts_with("moto==")));
    }

    #[test]
    fn the_npm_lock_is_complete_and_names_no_registry() {
        complete_and_without_a_registry(OBJECTS);
    }
}
