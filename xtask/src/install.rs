//! Ways to bring a program: Debian's packages, crates, npm's packages, Python's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use trireme_tests::{npm_pins, repo_root};

use crate::error::{Error, Result};
use crate::process::{Show, ask, cargo, command, run, tools_dir};

/// Whether a program starts and is content.
pub fn answers(program: &str, args: &[&str]) -> bool {
    ask(command(program).args(args)).is_some()
}

/// Runs an installer; its output is shown only where it fails.
pub fn quietly(label: &str, command: Command) -> Result<()> {
    run(label, command, Show::Progress)?.or_fail(label).map(drop)
}

/// Installs Debian packages, as root or through `sudo`; elsewhere the error says what was tried.
pub fn debian(packages: &[&str]) -> Result<()> {
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

/// Installs a crate's programs beside setup's other tools.
pub fn crates_io(name: &str, version: &str, options: &[&str]) -> Result<()> {
    let mut cargo = cargo(["install", name, "--version", &format!("={version}"), "--root"]);
    cargo.arg(tools_dir()).args(options);
    // Beside the other build products it would count as one of ours.
    cargo.env("CARGO_TARGET_DIR", tools_dir().join("build"));
    // Minutes of linking for programs that run for seconds.
    cargo.env("CARGO_PROFILE_RELEASE_LTO", "off");
    quietly(name, cargo)?;
    // 1 GB that nothing reads again; a leftover is no reason to fail.
    let _left = fs::remove_dir_all(tools_dir().join("build"));
    Ok(())
}

/// Makes a folder, which gets its name when it is whole.
pub fn whole(folder: &Path, make: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let work = folder.with_extension(std::process::id().to_string());
    let made = make(&work).and_then(|()| {
        if folder.exists() {
            fs::remove_dir_all(folder).map_err(Error::file(folder))?;
        }
        fs::rename(&work, folder).map_err(Error::file(folder))
    });
    // Gone already where all went well.
    let _left = fs::remove_dir_all(&work);
    made
}

/// Whether a Python environment is here, and can import these modules.
pub fn imports(environment: &Path, modules: &str) -> bool {
    let python = environment.join("bin/python");
    let import = format!("import {modules}");
    ask(command(&python.to_string_lossy()).args(["-c", &import])).is_some()
}

/// Makes a Python environment of every package of a lock, and of nothing that pip would choose by
/// itself: its search for versions that fit together takes minutes.
pub fn python_packages(lock: &str, environment: &Path) -> Result<()> {
    whole(environment, |work| {
        let mut venv = command("python3");
        // Debian keeps what a pip inside would need in a package of its own.
        venv.args(["-m", "venv", "--without-pip"]).arg(work);
        quietly("python -m venv", venv)?;
        let mut pip = command("python3");
        pip.args(["-m", "pip", "--python"]).arg(work.join("bin/python"));
        pip.args(["install", "--no-deps", "--only-binary", ":all:", "--no-compile"]);
        pip.arg("--requirement").arg(repo_root().join(lock));
        quietly("pip", pip)
    })
}

/// Installs the npm packages that a folder of the checkout pins.
pub fn npm_packages(pins: &str, modules: &Path) -> Result<()> {
    whole(modules.parent().unwrap_or(modules), |work| {
        fs::create_dir_all(work).map_err(Error::file(work))?;
        for from in npm_pins(pins).map(|pin| repo_root().join(pin)) {
            let to = work.join(from.file_name().unwrap_or_default());
            fs::copy(&from, to).map_err(Error::file(&from))?;
        }
        let mut npm = command("npm");
        // Their scripts only check or download what the packages carry anyway.
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(work);
        quietly("npm ci", npm)
    })
}

/// The packages of a lock, each held to one version and to no address.
#[cfg(test)]
pub fn exact_pins(lock: &str) -> Vec<String> {
    let lock = fs::read_to_string(repo_root().join(lock)).unwrap();
    let pins: Vec<_> = lock.lines().filter(|line| !line.starts_with('#')).collect();
    for pin in &pins {
        let exact = pin.split_once("==").is_some_and(|(name, version)| {
            let plain = |c: char| c.is_ascii_alphanumeric() || ".-_+".contains(c);
            name.chars().all(plain) && version.chars().all(plain)
        });
        assert!(exact, "{pin}");
    }
    pins.into_iter().map(str::to_owned).collect()
}

/// Holds the pins of a folder to a digest for each package, and to no address.
#[cfg(test)]
pub fn complete_and_without_a_registry(pins: &str) {
    let lock = fs::read_to_string(repo_root().join(pins).join("package-lock.json")).unwrap();
    assert!(!lock.contains("\"resolved\""), "npm install --omit-lockfile-registry-resolved");
    let packages = lock.matches("\"node_modules/").count();
    assert_eq!(lock.matches("\"integrity\": \"sha512-").count(), packages);
}

/// The Python of an environment that can import this much; made where there is none.
pub fn environment(folder: &Path, requirements: &str, imports: &str) -> Result<PathBuf> {
    let python = folder.join("bin/python");
    if ask(command(&python.to_string_lossy()).args(["-c", imports])).is_some() {
        return Ok(python);
    }
    println!("setup: bringing what {requirements} names");
    let mut venv = command("python3");
    venv.args(["-m", "venv"]).arg(folder);
    quietly("python -m venv", venv)?;
    let mut pip = command(&python.to_string_lossy());
    pip.args(["-m", "pip", "install", "--quiet", "--requirement"]);
    pip.arg(repo_root().join(requirements));
    quietly("pip", pip)?;
    Ok(python)
}
