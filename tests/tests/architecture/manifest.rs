//! What a crate says it depends on.

use toml::{Table, Value};

/// When a dependency is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Whenever the crate is; build dependencies too, for they run on the builder's machine.
    Normal,
    /// For its tests only.
    Dev,
}

/// One dependency.
#[derive(Debug)]
pub struct Dependency {
    /// The package's name, whatever it is renamed to.
    pub package: String,
    /// When it is there.
    pub kind: Kind,
    /// The `cfg` or triple that it is limited to.
    pub target: Option<String>,
}

/// Every dependency that a manifest names.
///
/// # Panics
/// Where the text is not TOML: cargo would have refused it first.
pub fn dependencies(manifest: &str) -> Vec<Dependency> {
    let manifest: Table = manifest.parse().expect("a manifest is TOML");
    let mut all = Vec::new();
    collect(&manifest, None, &mut all);
    for (target, table) in manifest.get("target").and_then(Value::as_table).into_iter().flatten() {
        if let Some(table) = table.as_table() {
            collect(table, Some(target), &mut all);
        }
    }
    all
}

fn collect(table: &Table, target: Option<&str>, all: &mut Vec<Dependency>) {
    let sections = [
        ("dependencies", Kind::Normal),
        ("build-dependencies", Kind::Normal),
        ("dev-dependencies", Kind::Dev),
    ];
    for (section, kind) in sections {
        for (name, value) in table.get(section).and_then(Value::as_table).into_iter().flatten() {
            let renamed = value.get("package").and_then(Value::as_str);
            let package = renamed.unwrap_or(name).to_owned();
            all.push(Dependency { package, kind, target: target.map(str::to_owned) });
        }
    }
}

/// Whether `name` is `pattern`, or begins as it does where it ends in `*`.
pub fn matches(name: &str, pattern: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}

#[test]
fn every_section_is_read() {
    let manifest = "
        [dependencies]
        a.workspace = true
        b = { package = 'real', version = '1' }
        [build-dependencies]
        c = '1'
        [dev-dependencies.d]
        version = '1'
        [target.'cfg(unix)'.dependencies]
        e = '1'
    ";
    let all = dependencies(manifest);
    let mut seen: Vec<_> =
        all.iter().map(|d| (d.package.as_str(), d.kind, d.target.as_deref())).collect();
    seen.sort_by_key(|row| row.0);
    let expected = [
        ("a", Kind::Normal, None),
        ("c", Kind::Normal, None),
        ("d", Kind::Dev, None),
        ("e", Kind::Normal, Some("cfg(unix)")),
        ("real", Kind::Normal, None),
    ];
    assert_eq!(seen, expected);
    assert!(matches("candle-core", "candle-*") && !matches("candle", "candle-*"));
}
