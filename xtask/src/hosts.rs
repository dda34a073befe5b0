//! `cargo xtask build`: the hosts that run where there is no operating system.
//!
//! Each comes out in a folder of `hosts/` beside the other build products, and a second time with
//! the accidents that only tests may cause: `web`, `web-drill`.

use std::fs;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Instant;

use trireme_tests::{repo_root, target_dir};

use crate::error::{Error, Result};
use crate::install::quietly;
use crate::package::package;
use crate::process::{ask, cargo, command};
use crate::tools::{self, WORKER_BUILD, npm};
use crate::wasm::{BROWSER_RUSTFLAGS, COMPONENT, PROFILE, WASM, build_of, module_in};

/// Workers have had relaxed vectors for years. Other flags are another build folder, or each build
/// would undo the other's.
fn relaxed(command: &mut Command) {
    command.env(BROWSER_RUSTFLAGS, "-Ctarget-feature=+relaxed-simd");
    command.env("CARGO_TARGET_DIR", target_dir().join("relaxed"));
}

/// Prints length, gzip's and brotli's best of each file named. Node holds both.
const SIZES: &str = "\
const { readFileSync } = require('fs'), zlib = require('zlib');
for (const path of process.argv.slice(1)) {
  const bytes = readFileSync(path);
  const brotli = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 11 } };
  const packed = [zlib.gzipSync(bytes, { level: 9 }), zlib.brotliCompressSync(bytes, brotli)];
  console.log([bytes, ...packed].map((data) => data.length).join(' '));
}";

/// One host, made into a folder; `features` go to cargo.
struct Host {
    name: &'static str,
    make: fn(&Path, features: &[&str]) -> Result<()>,
}

const HOSTS: [Host; 3] = [
    Host { name: "web", make: package },
    Host { name: "worker", make: worker },
    Host { name: "spin", make: spin },
];

/// Builds the hosts named, or every one, and prints what each file weighs. Those for pages are built
/// beside the others: where a module is optimised as a whole, one core is all that the compiler uses.
pub fn build(names: &[&str]) -> Result<()> {
    let (pages, edges): (Vec<_>, Vec<_>) =
        choose(names)?.into_iter().partition(|(_, host, _)| host.name == "web");
    thread::scope(|scope| {
        let pages = scope.spawn(|| build_each(pages));
        build_each(edges).and(pages.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })
}

fn build_each(hosts: Vec<Choice>) -> Result<()> {
    for (name, host, features) in hosts {
        println!("build: {name}");
        let start = Instant::now();
        let folder = target_dir().join("hosts").join(&name);
        let work = folder.with_extension("unfinished");
        empty(&work)?;
        (host.make)(&work, features)?;
        empty(&folder)?;
        fs::rename(&work, &folder).map_err(Error::file(&folder))?;
        // Nobody is sent what only tests run.
        if features.is_empty() {
            println!("{}", weights(&folder)?);
        }
        println!("build: {name}: {} after {} s", folder.display(), start.elapsed().as_secs());
    }
    Ok(())
}

fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(Error::file(folder))?;
    }
    fs::create_dir_all(folder).map_err(Error::file(folder))
}

/// A host's folder, the host, and its features.
type Choice = (String, &'static Host, &'static [&'static str]);

fn choose(names: &[&str]) -> Result<Vec<Choice>> {
    let plain = HOSTS.iter().map(|host| (host.name.to_owned(), host, &[] as &[&str]));
    let drill = HOSTS.iter().map(|host| (format!("{}-drill", host.name), host, &["drill"] as _));
    let all: Vec<Choice> = plain.chain(drill).collect();
    if let Some(unknown) = names.iter().find(|name| all.iter().all(|known| known.0 != **name)) {
        let known: Vec<&str> = all.iter().map(|known| known.0.as_str()).collect();
        let known = known.join(", ");
        return Err(Error::Usage(format!("there is no host \"{unknown}\"; there are {known}")));
    }
    let wanted = |name: &str| names.is_empty() || names.contains(&name);
    Ok(all.into_iter().filter(|(name, ..)| wanted(name)).collect())
}

/// What `wrangler` and `workerd` load: our entry module, and what it imports from `build/`.
fn worker(folder: &Path, features: &[&str]) -> Result<()> {
    let package = repo_root().join("worker");
    let mut build = WASM.command(&WORKER_BUILD.path().to_string_lossy());
    build.args(["--profile", PROFILE, "--out-dir"]).arg(folder.join("build"));
    build.args(["--features", &features.join(",")]);
    build.current_dir(&package).envs(tools::environment());
    relaxed(&mut build);
    quietly("worker-build", build)?;
    let entry = "entry.mjs";
    fs::copy(package.join(entry), folder.join(entry)).map(drop).map_err(Error::file(&package))
}

/// Has `wrangler` build and bundle the Worker as for a deployment, and send it nowhere.
pub fn rehearse_deployment() -> Result<()> {
    let mut wrangler = WASM.command(&npm("wrangler").to_string_lossy());
    wrangler.args(["deploy", "--dry-run", "--outdir"]).arg(target_dir().join("hosts/deployment"));
    wrangler.envs(tools::environment()).env("WRANGLER_SEND_METRICS", "false");
    relaxed(&mut wrangler);
    quietly("wrangler", wrangler)
}

/// A component. Spin itself can't be had here, so tests run it in a program of ours.
fn spin(folder: &Path, features: &[&str]) -> Result<()> {
    quietly("trireme-spin", build_of(&WASM, "trireme-spin", COMPONENT, features))?;
    let component = module_in(&target_dir(), "trireme-spin", COMPONENT);
    let to = folder.join("trireme_spin.wasm");
    fs::copy(&component, &to).map(drop).map_err(Error::file(&component))?;
    quietly("trireme-spin-host", cargo(["build", "-p", "trireme-spin-host"]))
}

/// What is packed on its way; a model's bytes are as good as random.
const PACKED: &[&str] = &["html", "css", "js", "mjs", "wasm"];

/// A table of what is in a folder and is packed on its way: raw, gzip -9, brotli 11.
fn weights(folder: &Path) -> Result<String> {
    let mut files = Vec::new();
    list(folder, &mut files)?;
    files.retain(|path| PACKED.iter().any(|&end| path.extension().is_some_and(|of| of == end)));
    files.sort();
    let sizes = ask(command("node").args(["-e", SIZES]).args(&files));
    let sizes = sizes.ok_or_else(|| Error::Verdict("node could not weigh the files".to_owned()))?;
    let mut lines = vec![row(["bytes", "gzip", "brotli"], "file")];
    for (path, sizes) in files.iter().zip(sizes.lines()) {
        let mut sizes = sizes.split(' ').map(str::to_owned);
        let sizes = [(); 3].map(|()| sizes.next().unwrap_or_default());
        let name = path.strip_prefix(folder).unwrap_or(path);
        lines.push(row(sizes, &name.to_string_lossy()));
    }
    Ok(lines.join("\n"))
}

fn row<S: std::fmt::Display>([raw, gzip, brotli]: [S; 3], name: &str) -> String {
    format!("{raw:>12} {gzip:>12} {brotli:>12}  {name}")
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(Error::file(folder))? {
        let path = entry.map_err(Error::file(folder))?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_chosen_by_name() {
        let names = |asked: &[&str]| -> Option<Vec<String>> {
            Some(choose(asked).ok()?.into_iter().map(|(name, ..)| name).collect())
        };
        assert_eq!(names(&[]).map(|all| all.len()), Some(2 * HOSTS.len()));
        assert_eq!(names(&["spin", "web-drill"]).unwrap(), ["spin", "web-drill"]);
        assert_eq!(names(&["moon"]), None);
        assert_eq!(choose(&["web-drill"]).unwrap()[0].2, ["drill"]);
    }
}
