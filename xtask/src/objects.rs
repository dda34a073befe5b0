//! moto: a program that answers as S3 does.

use trireme_tests::{OBJECTS, objects};

use crate::error::Result;
use crate::install::{imports, python_packages};

/// Whether it is here, for the Python that is.
pub fn present() -> bool {
    imports(&objects(), "boto3, cryptography, flask_cors, moto")
}

/// Installs the pinned packages.
pub fn install() -> Result<()> {
    python_packages(OBJECTS, &objects())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::exact_pins;

    #[test]
    fn the_lock_pins_it_and_names_no_place() {
        assert!(exact_pins(OBJECTS).iter().any(|pin| pin.starts_with("moto==")));
    }
}
