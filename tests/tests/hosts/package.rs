//! The npm package and the site: what they withstand, where they run, and what they promise.

use std::process::Command;

use serde_json::Value;
use trireme_domain::{Class, Code, Retry};
use trireme_tests::{built_host, minilm_dir, repo_root};

use crate::models::tiny;

/// A script of `tests/browser`.
pub fn node(script: &str) -> Command {
    let mut command = Command::new("node");
    command.arg(repo_root().join("tests/browser").join(script));
    command
}

/// Runs a script that ends with an error at the first thing that is not as it should be.
#[track_caller]
fn succeeds(script: &mut Command) {
    let output = script.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    println!("{said}");
    assert!(output.status.success(), "{said}\n{errors}");
}

#[test]
fn the_page_answers_as_one_types() {
    let shots = tempfile::tempdir().unwrap();
    let mut page = node("page.mjs");
    page.arg("--web").arg(built_host("web"));
    page.arg("--embedder").arg(tiny("bert-embed")).arg("--classifier").arg(tiny("bert-classify"));
    page.arg("--shots").arg(shots.path());
    succeeds(&mut page);
}

#[test]
fn every_page_does_what_it_says() {
    let shots = tempfile::tempdir().unwrap();
    let mut site = node("site.mjs");
    site.arg("--web").arg(built_host("web")).arg("--shots").arg(shots.path());
    succeeds(&mut site);
}

/// From its tarball, as a stranger has it; bundlers and another browser are for `cargo xtask soak
/// package`.
#[test]
fn the_package_runs_where_it_says() {
    let modules = std::env::var_os("TRIREME_NODE_MODULES").unwrap();
    let mut apps = Command::new("node");
    apps.arg(repo_root().join("tests/apps/run.mjs"));
    apps.arg("--package").arg(built_host("web").join("trireme")).arg("--modules").arg(modules);
    for place in ["node", "deno", "bun", "workerd", "types", "service worker", "extension"] {
        apps.args(["--only", place]);
    }
    succeeds(&mut apps);
}

#[test]
fn the_packages_rules_hold() {
    succeeds(&mut node("rules.mjs"));
}

/// Lines that break, servers that lie, caches that are full or absent, aborts, long lists, limits: see
/// the cases in the script.
#[test]
fn the_package_withstands_what_goes_wrong() {
    let mut script = node("package.mjs");
    script.arg("--web").arg(built_host("web")).arg("--drill").arg(built_host("web-drill"));
    script.arg("--minilm").arg(minilm_dir());
    succeeds(&mut script);
}

/// The package has the table of faults in its own language; `TRIREME_WRITE=1` writes it anew.
#[test]
fn the_packages_faults_are_the_tables() {
    let path = repo_root().join("www/src/faults.ts");
    let table = faults();
    if std::env::var_os("TRIREME_WRITE").is_some() {
        std::fs::write(&path, &table).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(written == table, "run this test with TRIREME_WRITE=1; expected:\n{table}");
}

#[test]
fn the_package_has_the_workspaces_version() {
    let package = std::fs::read(repo_root().join("www/package.json")).unwrap();
    let package: Value = serde_json::from_slice(&package).unwrap();
    assert_eq!(package["version"], env!("CARGO_PKG_VERSION"));
}

fn faults() -> String {
    use std::fmt::Write as _;
    let mut table = "\
// Written from crates/domain/src/fault.rs; a test of tests/tests/hosts holds it to that.

/** The classes of errors. */
export type ClassName ="
        .to_owned();
    let mut classes: Vec<Class> = Vec::new();
    for class in Code::ALL.iter().map(|code| code.class()) {
        if !classes.contains(&class) {
            classes.push(class);
            write!(table, "\n  | \"{}\"", class.js()).unwrap();
        }
    }
    table += ";\n\n/** What is known of a code. */\n";
    table += "export interface Facts {\n  class: ClassName;\n  status: number;\n";
    table += "  retryable: boolean;\n  hint: string;\n}\n\n/** Everything that can go wrong: its class, its HTTP status, whether asking again may help, and what\n *  to do. */\n";
    table += "export const FAULTS = {\n";
    for code in Code::ALL {
        let (name, class, status) = (code.name(), code.class().js(), code.status());
        let meaning = code.meaning();
        writeln!(table, "  /** {meaning} */").unwrap();
        let (retryable, hint) = (code.retry() == Retry::Later, code.hint());
        writeln!(table, "  {name}: {{").unwrap();
        writeln!(table, "    class: \"{class}\",\n    status: {status},").unwrap();
        writeln!(table, "    retryable: {retryable},\n    hint: \"{hint}\",\n  }},").unwrap();
    }
    table += "} as const satisfies Record<string, Facts>;\n\n";
    table += "/** What went wrong. */\nexport type Code = keyof typeof FAULTS;\n";
    table
}
