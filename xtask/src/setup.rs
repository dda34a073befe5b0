//! `cargo xtask setup`: finds what the machine lacks and brings it.
//!
//! A step asks first and acts only where the answer is no, so a second run changes nothing.

use std::process::Command;
use std::time::Instant;

use crate::error::{Error, Result};
use crate::minilm;
use crate::process::{Show, ask, cargo, command, run, tools_dir};

/// One thing that the machine must have.
struct Step {
    /// What it is.
    name: &'static str,
    /// What would not work without it.
    why: &'static str,
    /// Whether it is there.
    check: fn() -> bool,
    /// Brings it, the ordinary way first.
    install: fn() -> Result<()>,
    /// What a person can do where that failed.
    remedy: &'static str,
}

const STEPS: &[Step] = &[
    Step {
        name: "a C and a C++ compiler",
        why: "the TLS library holds C, the fuzzer's runtime is C++",
        check: || answers("cc", &["--version"]) && answers("c++", &["--version"]),
        install: || debian(&["build-essential"]),
        remedy: "install a C++ compiler so that `cc` and `c++` work \
                 (Debian: build-essential; Fedora: gcc-c++; macOS: xcode-select --install)",
    },
    Step {
        name: "rustfmt and clippy",
        why: "`check` holds the code to them",
        check: || answers("cargo", &["fmt", "--version"]) && answers("cargo", &["clippy", "-V"]),
        install: || {
            let mut rustup = command("rustup");
            rustup.args(["component", "add", "rustfmt", "clippy"]);
            quietly("rustup", rustup)
        },
        remedy: "rustup component add rustfmt clippy",
    },
    Step {
        name: "python with pip",
        why: "it fetches the model that the tests compare against",
        check: || answers("python3", &["-m", "pip", "--version"]),
        install: || debian(&["python3", "python3-pip"]),
        remedy: "install Python 3 with pip so that `python3 -m pip` works",
    },
    Step {
        name: "cargo-deny",
        why: "it checks licences, sources and banned crates",
        check: || answers("cargo-deny", &["--version"]),
        // Unoptimised: it runs for a second and would compile for minutes more.
        install: || {
            let mut cargo =
                cargo(["install", "cargo-deny@0.20.2", "--locked", "--debug", "--root"]);
            // Beside the other build products it would count as one of ours.
            cargo.arg(tools_dir()).env("CARGO_TARGET_DIR", tools_dir().join("build"));
            quietly("cargo-deny", cargo)?;
            // 1 GB that nothing reads again; a leftover is no reason to fail.
            let _left = std::fs::remove_dir_all(tools_dir().join("build"));
            Ok(())
        },
        remedy: "cargo install cargo-deny@0.20.2 --locked",
    },
    Step {
        name: "all-MiniLM-L6-v2",
        why: "the goldens are proven on the real model",
        check: minilm::present,
        install: minilm::fetch,
        remedy: minilm::REMEDY,
    },
];

/// Runs every step that is needed; stops at the first that fails.
pub fn setup() -> Result<()> {
    for step in STEPS {
        if (step.check)() {
            println!("setup: {}: present", step.name);
            continue;
        }
        println!("setup: {}: missing, bringing it ({})", step.name, step.why);
        let start = Instant::now();
        let failed = |reason| Error::Setup { step: step.name, reason, remedy: step.remedy };
        (step.install)().map_err(|error| failed(error.to_string()))?;
        if !(step.check)() {
            return Err(failed("it was installed, and still does not answer".to_owned()));
        }
        println!("setup: {}: ready after {} s", step.name, start.elapsed().as_secs());
    }
    Ok(())
}

fn answers(program: &str, args: &[&str]) -> bool {
    ask(command(program).args(args)).is_some()
}

/// Runs an installer; its output is shown only where it fails.
pub fn quietly(label: &str, command: Command) -> Result<()> {
    run(label, command, Show::Progress)?.or_fail(label).map(drop)
}

/// Installs Debian packages, as root or through `sudo`; elsewhere the error says what was tried.
fn debian(packages: &[&str]) -> Result<()> {
    let root = ask(command("id").arg("-u")).is_some_and(|id| id == "0");
    let apt = |args: &[&str]| {
        let mut apt = command(if root { "apt-get" } else { "sudo" });
        if !root {
            // Without a terminal a password prompt would hang; `-n` makes it an error instead.
            apt.args(["-n", "apt-get"]);
        }
        apt.args(args).env("DEBIAN_FRONTEND", "noninteractive");
        quietly("apt-get", apt)
    };
    apt(&["update"])?;
    apt(&[&["install", "-y", "--no-install-recommends"], packages].concat())
}
