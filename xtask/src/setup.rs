//! `cargo xtask setup`: finds what the machine lacks and brings it.
//!
//! A step asks first and acts only where the answer is no, so a second run changes nothing.

use std::time::Instant;

use crate::clients;
use crate::error::{Error, Result};
use crate::install::{answers, crates_io, debian, quietly};
use crate::minilm;
use crate::nginx;
use crate::objects;
use crate::process::command;
use crate::schemathesis;
use crate::tools::{self, WASM_BINDGEN, WORKER_BUILD};
use crate::wasm::{WASM, WASM_THREADS};

/// One thing that the machine must have.
pub struct Step {
    /// What it is.
    pub name: &'static str,
    /// What would not work without it.
    pub why: &'static str,
    /// Whether it is there.
    pub check: fn() -> bool,
    /// Brings it, the ordinary way first.
    pub install: fn() -> Result<()>,
    /// What a person can do where that failed.
    pub remedy: &'static str,
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
        name: "standard libraries for wasm",
        why: "the web hosts are made of it",
        check: || WASM.present(),
        install: || WASM.install(),
        remedy: "rustup target add wasm32-unknown-unknown wasm32-wasip2",
    },
    Step {
        name: "a standard library for wasm with threads",
        why: "one of the engines in the package for browsers shares its memory between workers",
        check: || WASM_THREADS.present(),
        install: || WASM_THREADS.install(),
        remedy: "rustup component add rust-src",
    },
    Step {
        name: "wasm-bindgen",
        why: "it makes the JavaScript of the web and worker hosts",
        check: || WASM_BINDGEN.present(),
        install: || WASM_BINDGEN.install(),
        remedy: "cargo install wasm-bindgen-cli, in the version that Cargo.lock has of wasm-bindgen",
    },
    Step {
        name: "worker-build",
        why: "it builds the worker host",
        check: || WORKER_BUILD.present(),
        install: || {
            // It holds a downloader, which we leave no work, and that holds the system's TLS.
            let linux = std::env::consts::OS == "linux";
            if linux && !answers("pkg-config", &["--exists", "openssl"]) {
                debian(&["pkg-config", "libssl-dev"])?;
            }
            WORKER_BUILD.install()
        },
        remedy: "cargo install worker-build, in the version that Cargo.lock has of worker",
    },
    Step {
        name: "Node 20 with npm",
        why: "the web hosts are optimised, bundled and tested with programs from npm",
        check: tools::node_present,
        // Debian's own may be older, and which other source to trust is not ours to choose.
        install: || Err(Error::Verdict("no Node of 20.3 or later with npm is here".to_owned())),
        remedy: "install Node 20 from https://nodejs.org or your system's packages",
    },
    Step {
        name: "npm packages",
        why: "wasm-opt, esbuild, workerd, wrangler and playwright are among them",
        check: tools::npm_present,
        install: tools::npm_install,
        remedy: "make `npm ci --ignore-scripts` work in a copy of xtask/npm",
    },
    Step {
        name: "client libraries of Python",
        why: "the servers must please them",
        check: clients::python_present,
        install: clients::python_install,
        remedy: "let `python3` be Python 3.11 or later with pip, and make \
                 `pip install --no-deps -r tests/clients/python/requirements.lock` work in an \
                 environment of its own",
    },
    Step {
        name: "client libraries of JavaScript",
        why: "the servers must please them too",
        check: clients::javascript_present,
        install: clients::javascript_install,
        remedy: "make `npm ci --ignore-scripts` work in a copy of tests/clients/js",
    },
    Step {
        name: "a browser",
        why: "the web host is tested in it",
        check: tools::browser_answers,
        install: || debian(&["chromium"]),
        remedy: "install Chromium or Chrome, or let TRIREME_BROWSER name its program",
    },
    Step {
        name: "a GPU that tests can use",
        why: "shaders run on it; where there is none, Mesa's runs them on the processor",
        check: tools::vulkan_present,
        install: || debian(&["mesa-vulkan-drivers", "libvulkan1"]),
        remedy: "install a Vulkan driver; Mesa's needs no GPU (mesa-vulkan-drivers)",
    },
    Step {
        name: "nginx",
        why: "servers are restarted behind it, and no request may be lost",
        check: nginx::present,
        install: nginx::install,
        remedy: "install nginx so that `nginx -v` works; it need not run",
    },
    Step {
        name: "PostgreSQL",
        why: "servers share one, and the tests start it",
        check: tools::postgres_present,
        install: || debian(&["postgresql"]),
        remedy: "install PostgreSQL, and let TRIREME_POSTGRES name the folder of its programs",
    },
    Step {
        name: "cargo-deny",
        why: "it checks licences, sources and banned crates",
        check: || answers("cargo-deny", &["--version"]),
        // Unoptimised: it runs for a second and would compile for minutes more.
        install: || crates_io("cargo-deny", "0.20.2", &["--locked", "--debug"]),
        remedy: "cargo install cargo-deny@0.20.2 --locked",
    },
    Step {
        name: "schemathesis",
        why: "it asks hosts what their document says may be asked",
        check: schemathesis::present,
        install: schemathesis::install,
        remedy: "let `python3` be Python 3.11 or later with pip, and make \
                 `pip install --no-deps -r tests/schemathesis/requirements.lock` work in an \
                 environment of its own",
    },
    Step {
        name: "moto",
        why: "tables in object stores are read from its S3 and written to it",
        check: objects::moto_present,
        install: objects::moto_install,
        remedy: "let `python3` be Python 3.11 or later with pip, and make \
                 `pip install --no-deps -r tests/objects/requirements.lock` work in an \
                 environment of its own",
    },
    Step {
        name: "Azurite",
        why: "tables in object stores are read from its Azure and written to it too",
        check: objects::azurite_present,
        install: objects::azurite_install,
        remedy: "make `npm ci --ignore-scripts` work in a copy of tests/objects",
    },
    Step {
        name: "all-MiniLM-L6-v2",
        why: "the goldens are proven on the real model",
        check: minilm::present,
        install: minilm::fetch,
        remedy: minilm::REMEDY,
    },
];

/// Brings what every task needs.
pub fn setup() -> Result<()> {
    bring(STEPS)
}

/// Runs every step that is needed; stops at the first that fails.
pub fn bring(steps: &[Step]) -> Result<()> {
    for step in steps {
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
