//! The Rust toolchain that compiles for wasm.
//!
//! The ordinary one is the one that runs xtask, with targets that rustup added. Where rustup's
//! server cannot be reached, Debian's packages hold a compiler and the source of its standard
//! library: `install` builds that for wasm into a folder of ours. Which of the two is used is seen
//! by looking, each time: nothing has to be remembered.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use trireme_tests::cache_dir;

use crate::error::{Error, Result};
use crate::install::{debian, quietly};
use crate::machine;
use crate::process::{self, Show, ask, run_within, tools_dir, without_our_build};

/// What the web hosts are compiled for: pages and workers, and Spin.
pub const TARGETS: [&str; 2] = ["wasm32-unknown-unknown", "wasm32-wasip2"];

/// Time for a slow line; a server that does not answer must not hold everything up.
const PATIENCE: Duration = Duration::from_secs(300);

const DEBIAN: &[&str] = &["rustc-web", "cargo-web", "rust-web-src", "wasi-libc"];
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_RUSTLIB: &str = "/usr/lib/rustlib";
const DEBIAN_WASI_LIBC: &str = "/usr/lib/wasm32-wasi";

/// Cargo builds `std` for somebody, who also refuses threads: `std` asks a C library for them that
/// is younger than Debian's, and there as here no component can start one.
const NO_THREADS: [(&str, &str); 2] = [
    (
        "Cargo.toml",
        "[package]\nname = \"no-threads\"\nedition = \"2024\"\n\n\
         [lib]\npath = \"lib.rs\"\n\n[workspace]\n",
    ),
    ("lib.rs", NO_THREADS_RS),
];
const NO_THREADS_RS: &str = r#"#![no_std]
use core::ffi::{c_int, c_void};
const EAGAIN: c_int = 6;
#[unsafe(no_mangle)]
pub extern "C" fn pthread_create(
    _: *mut c_void, _: *const c_void, _: *const c_void, _: *mut c_void,
) -> c_int { EAGAIN }
#[unsafe(no_mangle)]
pub extern "C" fn pthread_join(_: *mut c_void, _: *mut c_void) -> c_int { EAGAIN }
#[unsafe(no_mangle)]
pub extern "C" fn pthread_detach(_: *mut c_void) -> c_int { EAGAIN }
#[unsafe(no_mangle)]
pub extern "C" fn pthread_attr_init(_: *mut c_void) -> c_int { 0 }
#[unsafe(no_mangle)]
pub extern "C" fn pthread_attr_setstacksize(_: *mut c_void, _: usize) -> c_int { 0 }
#[unsafe(no_mangle)]
pub extern "C" fn pthread_attr_destroy(_: *mut c_void) -> c_int { 0 }
"#;

/// Cargo with the toolchain that can compile for [`TARGETS`].
pub fn cargo<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = command("cargo");
    command.args(args);
    command
}

/// A program that calls cargo for one of [`TARGETS`].
pub fn command(program: &str) -> Command {
    let ours = if has_std("rustc") { None } else { sysroot() };
    let ours = ours.map(|folder| folder.join("bin"));
    let folders: Vec<PathBuf> = ours.into_iter().chain([tools_dir().join("bin")]).collect();
    without_our_build(process::command_from(&folders, program))
}

/// Whether there is such a toolchain.
pub fn present() -> bool {
    has_std("rustc") || sysroot().is_some_and(|folder| has_std(&rustc_in(&folder)))
}

/// Adds the targets, through rustup or from Debian's source.
pub fn install() -> Result<()> {
    let Err(rustup) = rustup() else { return Ok(()) };
    println!("    rustup cannot add them; compiling Debian's source of the standard library");
    build().map_err(|debian| Error::Verdict(format!("{rustup}\nand the other way: {debian}")))
}

/// Whether a compiler has `std` for every target. It names the folder either way.
fn has_std(rustc: &str) -> bool {
    TARGETS.iter().all(|target| {
        let mut rustc = process::command(rustc);
        let folder = ask(rustc.args(["--print", "target-libdir", "--target", target]));
        folder.is_some_and(|folder| Path::new(&folder).is_dir())
    })
}

fn rustup() -> Result<()> {
    let mut rustup = process::command("rustup");
    rustup.args(["target", "add"]).args(TARGETS);
    run_within(Some(PATIENCE), "rustup", rustup, Show::Progress)?.or_fail("rustup").map(drop)
}

/// Our folder for what Debian's compiler needs. A compiler reads only what the same version made,
/// so an upgrade of Debian's means another folder.
fn sysroot() -> Option<PathBuf> {
    let says = ask(process::command(DEBIAN_RUSTC).arg("--version"))?;
    let version = says.split_whitespace().nth(1)?;
    Some(cache_dir().join(format!("rust-wasm-{version}")))
}

fn rustc_in(sysroot: &Path) -> String {
    sysroot.join("bin/rustc").to_string_lossy().into_owned()
}

/// Builds `std` from Debian's source.
fn build() -> Result<()> {
    debian(DEBIAN)?;
    let missing = || Error::Verdict(format!("{DEBIAN_RUSTC} does not answer"));
    let sysroot = sysroot().ok_or_else(missing)?;
    remove(&sysroot)?;
    let built = lay_out(&sysroot).and_then(|()| compile(&sysroot));
    if built.is_err() {
        // Half a toolchain would look like a whole one.
        remove(&sysroot)?;
    }
    built
}

/// A sysroot as rustup would make it, of links to what is on this machine.
fn lay_out(sysroot: &Path) -> Result<()> {
    let missing = || Error::Verdict("`rustc` does not say where it keeps its linkers".to_owned());
    let host = machine::host().ok_or_else(missing)?;
    let rustup = ask(process::command("rustc").args(["--print", "sysroot"])).ok_or_else(missing)?;
    let rustlib = sysroot.join("lib/rustlib");
    for folder in [&sysroot.join("bin"), &rustlib.join(&host)] {
        fs::create_dir_all(folder).map_err(Error::file(folder))?;
    }
    let debian = Path::new(DEBIAN_RUSTLIB);
    link(Path::new(DEBIAN_CARGO), &sysroot.join("bin/cargo"))?;
    link(&debian.join("src"), &rustlib.join("src"))?;
    link(&debian.join(&host).join("lib"), &rustlib.join(&host).join("lib"))?;
    // Debian has no `rust-lld` and no `wasm-component-ld`; every toolchain of rustup's has both.
    let linkers = Path::new("lib/rustlib").join(&host).join("bin");
    let (theirs, ours) = (Path::new(&rustup).join(&linkers), sysroot.join(&linkers));
    fs::create_dir_all(&ours).map_err(Error::file(&ours))?;
    link(&theirs.join("rust-lld"), &ours.join("rust-lld"))?;
    script(
        &ours.join("wasm-component-ld"),
        &format!(
            "'{}' \"$@\" '{}'/libno_threads-*.rlib",
            theirs.join("wasm-component-ld").display(),
            rustlib.join("wasm32-wasip2/lib").display()
        ),
    )?;
    let sysroot_flag = format!("{DEBIAN_RUSTC} --sysroot '{}' \"$@\"", sysroot.display());
    script(&sysroot.join("bin/rustc"), &sysroot_flag)
}

/// A program that is another one with more arguments.
fn script(path: &Path, line: &str) -> Result<()> {
    fs::write(path, format!("#!/bin/sh\nexec {line}\n")).map_err(Error::file(path))?;
    let mut chmod = process::command("chmod");
    chmod.arg("+x").arg(path);
    quietly("chmod", chmod)
}

fn link(from: &Path, to: &Path) -> Result<()> {
    let mut ln = process::command("ln");
    ln.arg("-s").arg(from).arg(to);
    quietly("ln", ln)
}

/// Compiles `std` for every target, and puts it where the compiler looks.
fn compile(sysroot: &Path) -> Result<()> {
    let work = sysroot.join("build");
    fs::create_dir_all(&work).map_err(Error::file(&work))?;
    for (name, text) in NO_THREADS {
        fs::write(work.join(name), text).map_err(Error::file(&work))?;
    }
    let mut cargo = without_our_build(process::command_from(&[sysroot.join("bin")], "cargo"));
    cargo.args(["build", "--release", "-Zbuild-std=std,panic_abort,panic_unwind"]);
    cargo.args(TARGETS.iter().flat_map(|target| ["--target", target]));
    cargo.current_dir(&work).env("CARGO_TARGET_DIR", work.join("target"));
    // Stable compilers may do this for `std`. Its bitcode is what `lto` reads.
    cargo.env("RUSTC_BOOTSTRAP", "1").env("CARGO_ENCODED_RUSTFLAGS", "-Cembed-bitcode=yes");
    quietly("std for wasm", cargo)?;
    for target in TARGETS {
        let lib = sysroot.join("lib/rustlib").join(target).join("lib");
        copy(&work.join("target").join(target).join("release/deps"), &lib, &["rlib"])?;
        if target.contains("wasi") {
            copy(Path::new(DEBIAN_WASI_LIBC), &lib.join("self-contained"), &["a", "o"])?;
        }
    }
    remove(&work)
}

/// Copies the files with these extensions; a folder without any is an error.
fn copy(from: &Path, to: &Path, extensions: &[&str]) -> Result<()> {
    fs::create_dir_all(to).map_err(Error::file(to))?;
    let mut copied = 0;
    for entry in fs::read_dir(from).map_err(Error::file(from))? {
        let path = entry.map_err(Error::file(from))?.path();
        let extension = path.extension().and_then(OsStr::to_str);
        if let (Some(extension), Some(name)) = (extension, path.file_name())
            && extensions.contains(&extension)
        {
            fs::copy(&path, to.join(name)).map_err(Error::file(&path))?;
            copied += 1;
        }
    }
    let empty = || Error::Verdict(format!("{} holds no {extensions:?}", from.display()));
    if copied > 0 { Ok(()) } else { Err(empty()) }
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() { fs::remove_dir_all(folder).map_err(Error::file(folder)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compiler_that_is_not_there_has_no_std() {
        assert!(!has_std("no-such-rustc"));
    }

    #[test]
    fn a_folder_without_libraries_is_an_error() {
        let folder = std::env::temp_dir().join(format!("trireme-xtask-{}", std::process::id()));
        fs::create_dir_all(folder.join("from")).unwrap();
        let (from, to) = (folder.join("from"), folder.join("to"));
        fs::write(from.join("libx.rmeta"), "").unwrap();
        assert!(copy(&from, &to, &["rlib"]).is_err());
        fs::write(from.join("libx.rlib"), "").unwrap();
        copy(&from, &to, &["rlib"]).unwrap();
        assert!(to.join("libx.rlib").is_file() && !to.join("libx.rmeta").exists());
        fs::remove_dir_all(&folder).unwrap();
    }
}
