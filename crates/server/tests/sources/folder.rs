use std::fs;

use trireme_server::source::Folder;
use trireme_service::ports::{ModelSource, SourceError};

use crate::{content, failure, get};

#[test]
fn a_folder_gives_its_files_and_those_of_its_subfolders() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("1_Pooling")).unwrap();
    fs::write(folder.path().join("1_Pooling/config.json"), "{}").unwrap();
    let source = Folder::new(folder.path());
    assert_eq!(get(&source, "1_Pooling/config.json").unwrap().unwrap(), "{}");
    assert!(get(&source, "1_Pooling").unwrap().is_none());
    assert!(get(&source, "1_Pooling/config.json/x").unwrap().is_none());
    assert!(get(&source, "modules.json").unwrap().is_none());
    assert_eq!(source.describe(), folder.path().display().to_string());
}

#[test]
fn a_large_file_outlives_its_name_because_it_is_mapped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let bytes = content(3 << 20);
    fs::write(&path, &bytes).unwrap();
    let mapped = get(&Folder::new(folder.path()), "model.safetensors").unwrap().unwrap();
    fs::remove_file(path).unwrap();
    assert!(mapped == bytes);
}

#[test]
fn an_empty_file_is_a_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("vocab.txt"), "").unwrap();
    assert_eq!(get(&Folder::new(folder.path()), "vocab.txt").unwrap().unwrap(), "");
}

#[test]
fn a_missing_folder_is_no_model_rather_than_a_model_without_files() {
    let folder = tempfile::tempdir().unwrap();
    let error = failure(&Folder::new(folder.path().join("gone")), "config.json");
    assert!(matches!(error, SourceError::NoModel { .. }), "{error}");
}

#[test]
fn no_name_leads_out_of_the_folder() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), "s").unwrap();
    fs::create_dir(outside.path().join("model")).unwrap();
    let source = Folder::new(outside.path().join("model"));
    let absolute = outside.path().join("secret").display().to_string();
    let names =
        ["../secret", "a/../../secret", "..", ".", "", "a//b", "a\\..\\b", "C:/x", &absolute];
    for name in names {
        let error = failure(&source, name);
        assert!(matches!(error, SourceError::UnsafeName { .. }), "{name}: {error}");
    }
}
