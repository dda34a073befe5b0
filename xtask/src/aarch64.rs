//! `cargo xtask soak aarch64`: the kernels on the lanes of aarch64, whatever machine this is.
//!
//! The tests are compiled for Linux on aarch64 and run by an emulator. That shows what they
//! compute, not how fast.

use std::path::Path;

use crate::error::{Error, Result};
use crate::install::{answers, debian};
use crate::process::{Show, run};
use crate::setup::{Step, bring};
use crate::toolchain::Toolchain;
use crate::totals::Totals;

/// What the tests are compiled with.
pub const AARCH64: Toolchain = Toolchain {
    name: "aarch64",
    targets: &["aarch64-unknown-linux-gnu"],
    features: "",
    debian: &[],
    beside_std: "#![no_std]",
    complete: |_| Ok(()),
};

/// The crates that have lanes, less `trireme-`.
pub const PACKAGES: &[&str] = &["kernels", "cpu"];

const LINKER: &str = "aarch64-linux-gnu-gcc";
const EMULATOR: &str = "qemu-aarch64";
/// Where Debian puts the C library of such a machine.
const LIBRARIES: &str = "/usr/aarch64-linux-gnu";

/// Processors that the emulator knows, each with the fastest lane that it has.
const PROCESSORS: [(&str, &str); 2] = [("max", "dotprod"), ("cortex-a53", "neon")];

const STEPS: &[Step] = &[
    Step {
        name: "a C compiler for aarch64",
        why: "it links the tests",
        check: || {
            answers(LINKER, &["--version"]) && Path::new(LIBRARIES).join("lib/crt1.o").is_file()
        },
        install: || debian(&["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"]),
        remedy: "install gcc and a C library for aarch64 \
                 (Debian: gcc-aarch64-linux-gnu, libc6-dev-arm64-cross)",
    },
    Step {
        name: "an emulator of aarch64",
        why: "it runs the tests",
        check: || answers(EMULATOR, &["--version"]),
        install: || debian(&["qemu-user"]),
        remedy: "install QEMU's user mode so that `qemu-aarch64` works (Debian: qemu-user)",
    },
    Step {
        name: "the standard library for aarch64",
        why: "the tests are compiled with it",
        check: || AARCH64.present(),
        install: || AARCH64.install(),
        remedy: "rustup target add aarch64-unknown-linux-gnu",
    },
];

/// Runs the tests on every processor; says what passed, and which bits each lane gave.
pub fn tests() -> Result<String> {
    bring(STEPS)?;
    let reports: Result<Vec<_>> =
        PROCESSORS.iter().map(|(processor, lane)| run_on(processor, lane)).collect();
    Ok(reports?.join("\n"))
}

fn run_on(processor: &str, lane: &str) -> Result<String> {
    // Not the examples in documentation: Debian's toolchain has no `rustdoc` for them.
    let mut test = AARCH64.cargo(["test", "--tests", "--no-fail-fast"]);
    test.args(AARCH64.targets.iter().flat_map(|target| ["--target", target]));
    test.args(PACKAGES.iter().flat_map(|name| ["-p".to_owned(), format!("trireme-{name}")]));
    test.args(["--", "--nocapture"]);
    test.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", LINKER);
    let runner = format!("{EMULATOR} -L {LIBRARIES}");
    test.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER", runner).env("QEMU_CPU", processor);
    let outcome = run(processor, test, Show::Everything)?.or_fail(processor)?;
    let totals = Totals::read(&outcome.output);
    let report = [format!("{processor}: {totals}")].into_iter().chain(bits(&outcome.output));
    let report = report.collect::<Vec<_>>().join("\n    ");
    // Without its fastest lane a processor proves nothing new.
    let proven = report.contains(&format!("bits: {lane} "));
    if proven { Ok(report) } else { Err(Error::Verdict(report)) }
}

/// What `crates/kernels/tests/bits.rs` printed of each lane.
fn bits(output: &str) -> impl Iterator<Item = String> {
    output.lines().filter_map(|line| line.find("bits: ").map(|at| line[at..].to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_found_also_behind_the_tests_name() {
        let output = "running 1 test\ntest x ... bits: dotprod 0x1\nbits: neon 0x1\nok\n";
        assert_eq!(bits(output).collect::<Vec<_>>(), ["bits: dotprod 0x1", "bits: neon 0x1"]);
    }
}
