//! Where the programs are that build, run and test the web hosts, and how they come there.

use std::fs;
use std::path::PathBuf;

use trireme_tests::{npm_pins, pinned, postgres_programs, repo_root};

use crate::error::{Error, Result};
use crate::install::{answers, crates_io, npm_packages};
use crate::process::{ask, command, tools_dir};

/// What pins the npm packages: installed as they are, into a folder named after them.
const NPM: &str = "xtask/npm";

/// The oldest Node that the packages run on.
const NODE: (u32, u32) = (20, 3);

/// Browsers by the names that they are installed under.
const BROWSERS: &[&str] = &[
    "chromium",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/// The programs that must be of one version with a crate that is compiled into a host.
pub struct Twin {
    program: &'static str,
    /// The crate that holds the program.
    from: &'static str,
    /// The crate in `Cargo.lock` that decides the version.
    of: &'static str,
}

/// Makes the JavaScript beside a module; it and the crate speak a private format.
pub const WASM_BINDGEN: Twin =
    Twin { program: "wasm-bindgen", from: "wasm-bindgen-cli", of: "wasm-bindgen" };

/// Builds a Worker; released together with the crate.
pub const WORKER_BUILD: Twin = Twin { program: "worker-build", from: "worker-build", of: "worker" };

impl Twin {
    /// Whether the program is here, in the version that `Cargo.lock` asks for.
    pub fn present(&self) -> bool {
        let says = ask(command(self.program).arg("--version"));
        let version = says.as_deref().and_then(|line| line.split_whitespace().last());
        version.is_some_and(|version| self.version().is_ok_and(|locked| locked == version))
    }

    /// Compiles the program; its own lock file would bring older dependencies than needed.
    pub fn install(&self) -> Result<()> {
        crates_io(self.from, &self.version()?, &[])
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        tools_dir().join("bin").join(self.program)
    }

    fn version(&self) -> Result<String> {
        let path = repo_root().join("Cargo.lock");
        let lock = fs::read_to_string(&path).map_err(Error::file(&path))?;
        let missing = || Error::Verdict(format!("Cargo.lock has no crate \"{}\"", self.of));
        locked(&lock, self.of).map(str::to_owned).ok_or_else(missing)
    }
}

fn locked<'a>(lock: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?;
    Some(rest.split_once('"')?.0)
}

/// The folder with the npm packages.
pub fn node_modules() -> PathBuf {
    pinned("npm", &npm_pins(NPM)).join("node_modules")
}

/// A program of an npm package: `wasm-opt`, `esbuild`, `workerd`, `wrangler`.
pub fn npm(program: &str) -> PathBuf {
    node_modules().join(".bin").join(program)
}

/// Cloudflare's runtime itself, from the package for this machine. What npm links is a script that
/// starts it, and leaves it running when it is killed.
fn workerd() -> PathBuf {
    let packages = fs::read_dir(node_modules().join("@cloudflare")).into_iter().flatten();
    let mut programs = packages.flatten().map(|package| package.path().join("bin/workerd"));
    programs.find(|program| program.is_file()).unwrap_or_else(|| npm("workerd"))
}

/// The browser for tests: the one that `TRIREME_BROWSER` names, else the first that is installed.
pub fn browser() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("TRIREME_BROWSER") {
        return Some(PathBuf::from(named));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let places = BROWSERS.iter().flat_map(|name| folders.iter().map(move |in_| in_.join(name)));
    places.into_iter().find(|place| place.is_file())
}

/// What tells build tools and tests where all this is.
pub fn environment() -> Vec<(&'static str, PathBuf)> {
    let mut variables = vec![
        // `worker-build` reads these three; without them it downloads its own.
        ("WASM_BINDGEN_BIN", WASM_BINDGEN.path()),
        ("WASM_OPT_BIN", npm("wasm-opt")),
        ("ESBUILD_BIN", npm("esbuild")),
        ("WORKERD_BIN", workerd()),
        ("WRANGLER_BIN", npm("wrangler")),
        ("TRIREME_NODE_MODULES", node_modules()),
    ];
    variables.extend(browser().map(|path| ("TRIREME_BROWSER", path)));
    variables
}

/// Whether the browser starts.
pub fn browser_answers() -> bool {
    browser().is_some_and(|path| answers(&path.to_string_lossy(), &["--version"]))
}

/// Whether a driver is here behind which a GPU may be found. Other systems bring theirs.
pub fn vulkan_present() -> bool {
    let drivers = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d"];
    let some = |folder: &&str| fs::read_dir(folder).is_ok_and(|mut files| files.next().is_some());
    std::env::consts::OS != "linux" || drivers.iter().any(some)
}

/// Whether a PostgreSQL is here that tests can start.
pub fn postgres_present() -> bool {
    let server = postgres_programs().map(|programs| programs.join("postgres"));
    server.is_some_and(|path| answers(&path.to_string_lossy(), &["--version"]))
}

/// Whether a Node that is new enough is here, with npm.
pub fn node_present() -> bool {
    let version = ask(command("node").arg("--version"));
    version.is_some_and(|version| new_enough(&version)) && answers("npm", &["--version"])
}

fn new_enough(version: &str) -> bool {
    let mut numbers = version.trim_start_matches('v').split('.').map(|part| part.parse().ok());
    let pair = numbers.next().flatten().zip(numbers.next().flatten());
    pair.is_some_and(|version: (u32, u32)| version >= NODE)
}

/// Whether the npm packages are here and their programs fit this machine.
pub fn npm_present() -> bool {
    ["wasm-opt", "esbuild", "workerd"].iter().all(|program| {
        let path = npm(program);
        path.exists() && answers(&path.to_string_lossy(), &["--version"])
    })
}

/// Installs the pinned packages.
pub fn npm_install() -> Result<()> {
    npm_packages(NPM, &node_modules())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::complete_and_without_a_registry;

    #[test]
    fn the_lock_decides_the_version() {
        let lock = "[[package]]\nname = \"a-b\"\nversion = \"1.0.0\"\n\n\
                    [[package]]\nname = \"a\"\nversion = \"2.3.4\"\n";
        assert_eq!(locked(lock, "a"), Some("2.3.4"));
        assert_eq!(locked(lock, "b"), None);
        for twin in [WASM_BINDGEN, WORKER_BUILD] {
            assert!(twin.version().is_ok(), "{}", twin.of);
        }
    }

    #[test]
    fn the_npm_lock_is_complete_and_names_no_registry() {
        complete_and_without_a_registry(NPM);
    }

    #[test]
    fn an_old_node_will_not_do() {
        let fits = |version| new_enough(version);
        assert!(fits("v20.3.0") && fits("v22.0.1"));
        assert!(!fits("v18.20.4") && !fits("v20.2.0") && !fits("") && !fits("node"));
    }
}
