//! Folders that `trireme train` and `trireme distill` saved, and what Python answers from them.
//!
//! Those in `goldens/trained` were made by `cargo xtask soak trained`, which makes them anew and says
//! by `TRIREME_TRAINED` where they are.

use std::path::PathBuf;

use crate::load;
use crate::{golden, tiny};

/// A training, and the goldens that Python wrote of it.
const TRAINED: [(&str, &[&str]); 3] =
    [("classify", &["classify"]), ("embed", &["embed"]), ("student", &["classify", "embed"])];

/// The folders that are kept, and those that were made just now, where there are any.
fn folders() -> Vec<PathBuf> {
    let now = std::env::var_os("TRIREME_TRAINED").map(PathBuf::from);
    [load::goldens().join("trained")].into_iter().chain(now).collect()
}

#[test]
fn what_is_trained_answers_in_python_as_it_does_here() {
    for folder in folders() {
        for (name, tasks) in TRAINED {
            let model = folder.join(name).join("model");
            for task in tasks {
                let golden = golden::read_file(&model.join(format!("{task}.json")));
                tiny::check(&model, &golden);
                println!("trained: {name}, {task}: {} texts agree", golden.cases.len());
            }
        }
    }
}

/// The student keeps a layer, columns, pieces and positions of its teacher, and is what the recipe
/// says.
#[test]
fn a_student_is_as_small_as_its_recipe_says() {
    for folder in folders() {
        let student = load::checkpoint(&folder.join("student/model"));
        let spec = student.spec();
        let got = (spec.layers, spec.inner, spec.vocab, spec.positions);
        assert_eq!(got, (1, 48, 240, 48), "{}", folder.display());
    }
}

/// What is saved today is laid out as what Python was seen to open: names, shapes and settings.
#[test]
fn what_was_saved_is_saved_the_same_again() {
    for (name, _) in TRAINED {
        let folder = load::goldens().join("trained").join(name).join("model");
        let saved = load::checkpoint(&folder).folder().unwrap();
        for (path, bytes) in saved.present() {
            let kept = std::fs::read(folder.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
            assert!(kept == *bytes, "{name}: {path} differs");
        }
    }
}
