//! What a proof or a measurement must say about where it was made.

use std::fs;
use std::thread::available_parallelism;

use crate::process::{ask, command};

/// The commit, and whether the tree differs from it.
pub fn commit() -> String {
    let id = ask(command("git").args(["rev-parse", "HEAD"]));
    let id = id.unwrap_or_else(|| "no commit".to_owned());
    match ask(command("git").args(["status", "--porcelain"])) {
        Some(changes) if changes.is_empty() => id,
        _ => format!("{id}, with uncommitted changes"),
    }
}

/// The processor and its number of cores.
pub fn cpu() -> String {
    let cores = available_parallelism().map_or(1, std::num::NonZero::get);
    let linux = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    let macos = || ask(command("sysctl").args(["-n", "machdep.cpu.brand_string"]));
    let model = linux.or_else(macos).unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    format!("{model}, {cores} cores")
}

/// The compiler.
pub fn rustc() -> String {
    ask(command("rustc").arg("-V")).unwrap_or_else(|| "rustc unknown".to_owned())
}

/// The triple that the compiler builds for unless told otherwise.
pub fn host() -> Option<String> {
    let version = ask(command("rustc").arg("-vV"))?;
    version.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_is_described() {
        assert!(cpu().ends_with("cores"));
        assert!(host().is_some_and(|host| host.contains('-')));
        assert!(rustc().starts_with("rustc "));
    }
}
