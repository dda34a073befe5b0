//! The Rust toolchain that compiles for wasm.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Error, Result};
use crate::process::{ask, command};
use crate::toolchain::{Toolchain, copy, host, lib, link, script};

/// For pages and workers.
pub const BROWSER: &str = "wasm32-unknown-unknown";

/// For Spin.
pub const COMPONENT: &str = "wasm32-wasip2";

/// What the web hosts are compiled with.
pub const WASM: Toolchain = Toolchain {
    name: "wasm",
    targets: &[BROWSER, COMPONENT],
    features: "",
    debian: &["wasi-libc"],
    beside_std: NO_THREADS,
    complete: |sysroot| {
        linkers(sysroot)?;
        c_library(sysroot)
    },
};

/// The same for modules whose memory several workers share. No toolchain comes with such a library.
pub const WASM_THREADS: Toolchain = Toolchain {
    name: "wasm-threads",
    targets: &[BROWSER],
    features: "+atomics",
    debian: &[],
    beside_std: "#![no_std]",
    complete: linkers,
};

/// The profile in the root manifest.
pub const PROFILE: &str = "wasm";

/// Flags for [`BROWSER`] beside those of `.cargo/config.toml`.
pub const BROWSER_RUSTFLAGS: &str = "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS";

const DEBIAN_WASI_LIBC: &str = "/usr/lib/wasm32-wasi";

/// Refuses threads: `std` asks a C library for them that is younger than Debian's, and there as
/// here no component can start one.
const NO_THREADS: &str = r#"#![no_std]
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

/// Debian has no `rust-lld` and no `wasm-component-ld`; every toolchain of rustup's has both.
fn linkers(sysroot: &Path) -> Result<()> {
    let missing = || Error::Verdict("`rustc` does not say where it keeps its linkers".to_owned());
    let rustup = ask(command("rustc").args(["--print", "sysroot"])).ok_or_else(missing)?;
    let linkers = Path::new("lib/rustlib").join(host()?).join("bin");
    let (theirs, ours) = (Path::new(&rustup).join(&linkers), sysroot.join(&linkers));
    fs::create_dir_all(&ours).map_err(Error::file(&ours))?;
    link(&theirs.join("rust-lld"), &ours.join("rust-lld"))?;
    script(
        &ours.join("wasm-component-ld"),
        &format!(
            "'{}' \"$@\" '{}'/libbeside_std-*.rlib",
            theirs.join("wasm-component-ld").display(),
            lib(sysroot, COMPONENT).display()
        ),
    )
}

/// Debian's lies where no Rust looks for it.
fn c_library(sysroot: &Path) -> Result<()> {
    let own = lib(sysroot, COMPONENT).join("self-contained");
    copy(Path::new(DEBIAN_WASI_LIBC), &own, &["a", "o"])
}

/// Compiles a package's library for a target.
pub fn build_of(toolchain: &Toolchain, package: &str, target: &str, features: &[&str]) -> Command {
    let mut cargo = toolchain.cargo(["build", "--profile", PROFILE, "-p", package]);
    cargo.args(["--lib", "--target", target, "--features", &features.join(",")]);
    cargo
}

/// Where that puts its module.
pub fn module_in(target_dir: &Path, package: &str, target: &str) -> PathBuf {
    let name = format!("{}.wasm", package.replace('-', "_"));
    target_dir.join(target).join(PROFILE).join(name)
}
