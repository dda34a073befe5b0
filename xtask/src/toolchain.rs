//! Toolchains that compile for other machines than this one.
//!
//! The ordinary one is the one that runs xtask, with targets that rustup added. Where rustup's
//! server cannot be reached, Debian's packages hold a compiler and the source of its standard
//! library: `install` builds that for the targets into a folder of ours. So it does with rustup's
//! own source where the library that rustup has was compiled without the features that are wanted.
//! Which one is used is seen by looking, each time: nothing has to be remembered.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use trireme_tests::cache_dir;

use crate::error::{Error, Result};
use crate::install::{debian, quietly};
use crate::machine;
use crate::process::{self, Show, ask, command_from, run_within, tools_dir, without_our_build};

/// Time for a slow line; a server that does not answer must not hold everything up.
const PATIENCE: Duration = Duration::from_secs(300);

const DEBIAN: &[&str] = &["rustc-web", "cargo-web", "rust-web-src"];

/// Cargo builds `std` for somebody: this, whose source is the toolchain's to say.
const BESIDE_STD: &str = "[package]\nname = \"beside-std\"\nedition = \"2024\"\n\n\
                          [lib]\npath = \"lib.rs\"\n\n[workspace]\n";

/// A compiler with the standard library of other machines.
pub struct Toolchain {
    /// Names our folder.
    pub name: &'static str,
    /// What it compiles for.
    pub targets: &'static [&'static str],
    /// What its standard library is compiled with; where this is empty, the ordinary one does.
    pub features: &'static str,
    /// Debian's packages that it needs besides the compiler's own.
    pub debian: &'static [&'static str],
    /// The source of a library that is put beside `std`.
    pub beside_std: &'static str,
    /// Puts into our folder what Debian's compiler lacks besides.
    pub complete: fn(sysroot: &Path) -> Result<()>,
}

impl Toolchain {
    /// Cargo with the toolchain that can compile for the targets.
    pub fn cargo<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = self.command("cargo");
        command.args(args);
        command
    }

    /// A program that calls cargo for one of the targets.
    pub fn command(&self, program: &str) -> Command {
        let ours = if self.ordinary() { None } else { self.built() };
        let ours = ours.map(|folder| folder.join("bin"));
        let folders: Vec<PathBuf> = ours.into_iter().chain([tools_dir().join("bin")]).collect();
        without_our_build(command_from(&folders, program))
    }

    /// Whether there is such a toolchain.
    pub fn present(&self) -> bool {
        self.ordinary() || self.built().is_some()
    }

    /// Adds the targets, through rustup or from Debian's source.
    pub fn install(&self) -> Result<()> {
        let Err(rustup) = self.rustup() else { return Ok(()) };
        println!("    rustup cannot; compiling Debian's source of the standard library");
        let built = debian(&[DEBIAN, self.debian].concat()).and_then(|()| {
            let compiler = Compiler::of_debian();
            self.build(&compiler)
        });
        built.map_err(|debian| Error::Verdict(format!("{rustup}\nand the other way: {debian}")))
    }

    /// Whether the toolchain that runs xtask has what is wanted.
    fn ordinary(&self) -> bool {
        self.features.is_empty() && self.has_std("rustc")
    }

    /// The folder of ours that has it.
    fn built(&self) -> Option<PathBuf> {
        let compilers = [Compiler::of_rustup(), Some(Compiler::of_debian())];
        let mut folders = compilers.iter().flatten().filter_map(|known| self.sysroot(known));
        folders.find(|folder| self.has_std(&folder.join("bin/rustc").to_string_lossy()))
    }

    /// Whether a compiler has `std` for every target. It names the folder either way.
    fn has_std(&self, rustc: &str) -> bool {
        self.targets.iter().all(|target| {
            let mut rustc = process::command(rustc);
            let folder = ask(rustc.args(["--print", "target-libdir", "--target", target]));
            folder.is_some_and(|folder| Path::new(&folder).is_dir())
        })
    }

    fn rustup(&self) -> Result<()> {
        let mut rustup = process::command("rustup");
        if self.features.is_empty() {
            rustup.args(["target", "add"]).args(self.targets);
        } else {
            rustup.args(["component", "add", "rust-src"]);
        }
        run_within(Some(PATIENCE), "rustup", rustup, Show::Progress)?.or_fail("rustup")?;
        if self.features.is_empty() {
            return Ok(());
        }
        let missing = || Error::Verdict("`rustc` does not say where it is".to_owned());
        self.build(&Compiler::of_rustup().ok_or_else(missing)?)
    }

    /// Our folder for what a compiler needs. A compiler reads only what the same version made, so
    /// an upgrade of it means another folder.
    fn sysroot(&self, compiler: &Compiler) -> Option<PathBuf> {
        let version = compiler.version()?;
        Some(cache_dir().join(format!("rust-{}-{}-{version}", self.name, compiler.name)))
    }

    /// Builds `std` from its source.
    fn build(&self, compiler: &Compiler) -> Result<()> {
        let missing = || Error::Verdict(format!("{} does not answer", compiler.rustc.display()));
        let sysroot = self.sysroot(compiler).ok_or_else(missing)?;
        remove(&sysroot)?;
        let built = compiler
            .lay_out(&sysroot)
            .and_then(|()| self.compile(&sysroot))
            .and_then(|()| (self.complete)(&sysroot));
        if built.is_err() {
            // Half a toolchain would look like a whole one.
            remove(&sysroot)?;
        }
        built
    }

    /// Compiles `std` for every target, and puts it where the compiler looks.
    fn compile(&self, sysroot: &Path) -> Result<()> {
        let work = sysroot.join("build");
        fs::create_dir_all(&work).map_err(Error::file(&work))?;
        for (name, text) in [("Cargo.toml", BESIDE_STD), ("lib.rs", self.beside_std)] {
            fs::write(work.join(name), text).map_err(Error::file(&work))?;
        }
        let mut cargo = without_our_build(command_from(&[sysroot.join("bin")], "cargo"));
        cargo.args(["build", "--release", "-Zbuild-std=std,panic_abort,panic_unwind,test"]);
        cargo.args(self.targets.iter().flat_map(|target| ["--target", target]));
        cargo.current_dir(&work).env("CARGO_TARGET_DIR", work.join("target"));
        // Stable compilers may do this for `std`. Its bitcode is what `lto` reads.
        let flags = format!("-Cembed-bitcode=yes\x1f-Ctarget-feature={}", self.features);
        cargo.env("RUSTC_BOOTSTRAP", "1").env("CARGO_ENCODED_RUSTFLAGS", flags);
        quietly(&format!("std for {}", self.name), cargo)?;
        for target in self.targets {
            let built = work.join("target").join(target).join("release/deps");
            copy(&built, &lib(sysroot, target), &["rlib"])?;
        }
        remove(&work)
    }
}

/// A compiler, and where it keeps its libraries and their source.
struct Compiler {
    name: &'static str,
    rustc: PathBuf,
    cargo: PathBuf,
    rustlib: PathBuf,
}

impl Compiler {
    fn of_debian() -> Self {
        let path = PathBuf::from;
        let [rustc, cargo] = ["/usr/bin/rustc", "/usr/bin/cargo"].map(path);
        Self { name: "debian", rustc, cargo, rustlib: path("/usr/lib/rustlib") }
    }

    /// The one that runs xtask.
    fn of_rustup() -> Option<Self> {
        let root = PathBuf::from(ask(process::command("rustc").args(["--print", "sysroot"]))?);
        let [rustc, cargo, rustlib] =
            ["bin/rustc", "bin/cargo", "lib/rustlib"].map(|path| root.join(path));
        Some(Self { name: "rustup", rustc, cargo, rustlib })
    }

    fn version(&self) -> Option<String> {
        let says = ask(process::command(&self.rustc.to_string_lossy()).arg("--version"))?;
        says.split_whitespace().nth(1).map(str::to_owned)
    }

    /// A sysroot as rustup would make it, of links to what is on this machine.
    fn lay_out(&self, sysroot: &Path) -> Result<()> {
        let (host, rustlib) = (host()?, sysroot.join("lib/rustlib"));
        for folder in [&sysroot.join("bin"), &rustlib.join(&host)] {
            fs::create_dir_all(folder).map_err(Error::file(folder))?;
        }
        link(&self.cargo, &sysroot.join("bin/cargo"))?;
        link(&self.rustlib.join("src"), &rustlib.join("src"))?;
        link(&self.rustlib.join(&host).join("lib"), &lib(sysroot, &host))?;
        let sysroot_flag =
            format!("{} --sysroot '{}' \"$@\"", self.rustc.display(), sysroot.display());
        script(&sysroot.join("bin/rustc"), &sysroot_flag)
    }
}

/// Where a target's libraries lie.
pub fn lib(sysroot: &Path, target: &str) -> PathBuf {
    sysroot.join("lib/rustlib").join(target).join("lib")
}

/// This machine, by the name that its compiler has for it.
pub fn host() -> Result<String> {
    let missing = || Error::Verdict("`rustc` does not name this machine".to_owned());
    machine::host().ok_or_else(missing)
}

/// A program that is another one with more arguments.
pub fn script(path: &Path, line: &str) -> Result<()> {
    fs::write(path, format!("#!/bin/sh\nexec {line}\n")).map_err(Error::file(path))?;
    let mut chmod = process::command("chmod");
    chmod.arg("+x").arg(path);
    quietly("chmod", chmod)
}

/// A link at `to`.
pub fn link(from: &Path, to: &Path) -> Result<()> {
    let mut ln = process::command("ln");
    ln.arg("-s").arg(from).arg(to);
    quietly("ln", ln)
}

/// Copies the files with these extensions; a folder without any is an error.
pub fn copy(from: &Path, to: &Path, extensions: &[&str]) -> Result<()> {
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
    use crate::wasm::WASM;

    #[test]
    fn a_compiler_that_is_not_there_has_no_std() {
        assert!(!WASM.has_std("no-such-rustc"));
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
