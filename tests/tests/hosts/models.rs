//! Models for the hosts that take one from outside, good and bad.

use std::fs;
use std::path::{Path, PathBuf};

use trireme_model::{Bundle, Checkpoint, Precision};

/// One of the goldens' tiny models.
pub fn tiny(name: &str) -> PathBuf {
    trireme_tests::repo_root().join("tests/goldens/tiny").join(name)
}

/// A folder as a bundle.
pub fn pack(folder: &Path) -> Vec<u8> {
    bundle(&checkpoint(folder))
}

/// A folder as a bundle that keeps its weights in this precision.
pub fn quantized(folder: &Path, precision: Precision) -> Vec<u8> {
    bundle(&checkpoint(folder).quantized(precision).unwrap())
}

fn checkpoint(folder: &Path) -> Checkpoint {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let source = trireme_server::source::Folder::new(folder);
    runtime.block_on(trireme_service::load(&source)).unwrap()
}

fn bundle(checkpoint: &Checkpoint) -> Vec<u8> {
    Bundle::new(checkpoint, None).unwrap().pieces().flatten().copied().collect()
}

/// Models that can't be served, made below `folder`, each with the status and code of every
/// request that asks for one.
pub fn wrong(folder: &Path) -> Vec<(PathBuf, u16, &'static str)> {
    let make = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
    };
    let truncated = folder.join("truncated");
    fs::create_dir_all(&truncated).unwrap();
    for entry in fs::read_dir(tiny("bert-classify")).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        if path.ends_with("model.safetensors") {
            bytes.truncate(bytes.len() - 1);
        }
        fs::write(truncated.join(path.file_name().unwrap()), bytes).unwrap();
    }
    make("malformed/config.json", b"{");
    make("unknown/config.json", br#"{"model_type": "t5", "architectures": ["T5Model"]}"#);
    make("empty/readme", b"");
    let mut bundle = pack(&tiny("bert-classify"));
    *bundle.last_mut().unwrap() ^= 1;
    make("damaged.trireme", &bundle);
    [
        ("truncated", 500, "invalid_model"),
        ("malformed", 500, "invalid_model"),
        ("damaged.trireme", 500, "invalid_model"),
        ("unknown", 501, "unsupported_model"),
        ("empty", 404, "model_not_found"),
        ("missing", 404, "model_not_found"),
        ("missing.trireme", 404, "model_not_found"),
    ]
    .map(|(name, status, code)| (folder.join(name), status, code))
    .into()
}
