//! Students are parts of their teachers, whatever the family.

use std::collections::BTreeMap;

use trireme_model::{Checkpoint, Cut, EmbedOptions, Model, ModelError, Reader, Student};

use crate::load;

const FOLDERS: [&str; 5] =
    ["bert-embed", "distilbert-embed", "electra-embed", "mpnet-embed", "roberta-embed"];

const TEXTS: [&str; 3] = ["The harbour was quiet.", "oars", "one two three four five six"];

fn model(checkpoint: &Checkpoint) -> Model<trireme_cpu::Cpu> {
    load::model_on(checkpoint, trireme_cpu::Lane::detect(), Box::new(trireme_cpu::Inline))
}

fn vectors(checkpoint: &Checkpoint) -> Vec<Vec<f32>> {
    let model = model(checkpoint);
    TEXTS.iter().map(|text| load::embed(&model, text, EmbedOptions::default())).collect()
}

fn made(teacher: &Checkpoint, student: &Student) -> Checkpoint {
    teacher.student(student, &BTreeMap::new()).unwrap()
}

/// What others would read of it.
fn saved(checkpoint: &Checkpoint) -> Checkpoint {
    Checkpoint::from_files(&checkpoint.folder().unwrap()).unwrap()
}

#[test]
fn a_student_of_everything_is_its_teacher() {
    for folder in FOLDERS {
        let teacher = load::checkpoint(&load::tiny(folder));
        let spec = teacher.spec();
        let all = Student {
            layers: Some((0..spec.layers).collect()),
            inner: Some(spec.inner),
            vocabulary: None,
            positions: Some(spec.positions),
            embedding: None,
        };
        assert_eq!(vectors(&made(&teacher, &all)), vectors(&teacher), "{folder}");
    }
}

#[test]
fn layers_come_in_the_order_that_is_asked_for() {
    for folder in FOLDERS {
        let teacher = load::checkpoint(&load::tiny(folder));
        let of = |layers: &[usize]| {
            made(&teacher, &Student { layers: Some(layers.to_vec()), ..Student::default() })
        };
        let turned = of(&[1, 0]);
        assert_ne!(vectors(&turned), vectors(&teacher), "{folder}");
        let back = made(&turned, &Student { layers: Some(vec![1, 0]), ..Student::default() });
        assert_eq!(vectors(&back), vectors(&teacher), "{folder}, turned twice");
        assert_eq!(of(&[1]).spec().layers, 1, "{folder}");
        let thrice = of(&[0, 0, 1]);
        assert_eq!(vectors(&saved(&thrice)), vectors(&thrice), "{folder}, saved");
    }
}

/// Half of the columns, and none that is known to matter.
#[test]
fn inner_columns_that_do_nothing_go_first() {
    for folder in FOLDERS {
        let teacher = load::checkpoint(&load::tiny(folder));
        let half = teacher.spec().inner / 2;
        let student = made(&teacher, &Student { inner: Some(half), ..Student::default() });
        assert_eq!(saved(&student).spec().inner, half, "{folder}");
        // What is left of the half that stayed is the same half again.
        let again = made(&student, &Student { inner: Some(half), ..Student::default() });
        assert_eq!(vectors(&again), vectors(&student), "{folder}");
        assert_ne!(vectors(&student), vectors(&teacher), "{folder}");
    }
}

#[test]
fn what_is_read_in_the_same_pieces_has_the_same_vector() {
    for folder in ["bert-embed", "distilbert-embed", "electra-embed"] {
        let teacher = load::checkpoint(&load::tiny(folder));
        let reader = Reader::new(&teacher).unwrap();
        let mut seen: BTreeMap<u32, usize> = BTreeMap::new();
        for text in TEXTS {
            for id in reader.encode(text, None, Cut::default()).unwrap().ids {
                *seen.entry(id).or_default() += 1;
            }
        }
        let student = Student { vocabulary: Some(150), ..Student::default() };
        let student = teacher.student(&student, &seen).unwrap();
        assert_eq!(student.spec().vocab, 150, "{folder}");
        assert_eq!(vectors(&student), vectors(&teacher), "{folder}");
        assert_eq!(vectors(&saved(&student)), vectors(&teacher), "{folder}, saved");
    }
}

#[test]
fn fewer_positions_see_less_of_a_text_and_the_same_of_a_short_one() {
    for folder in FOLDERS {
        let teacher = load::checkpoint(&load::tiny(folder));
        let positions = Some(teacher.spec().positions - 40);
        let student = made(&teacher, &Student { positions, ..Student::default() });
        assert_eq!(vectors(&student), vectors(&teacher), "{folder}");
        let most = Reader::new(&saved(&student)).unwrap().max_tokens();
        assert_eq!(most, Reader::new(&teacher).unwrap().max_tokens().min(24), "{folder}");
    }
}

/// A teacher whose embeddings lie in so few directions.
fn flat(folder: &str, directions: usize) -> Checkpoint {
    let teacher = load::checkpoint(&load::tiny(folder));
    let mut flat = BTreeMap::new();
    for table in ["word_embeddings", "position_embeddings", "token_type_embeddings"] {
        let name = format!("embeddings.{table}.weight");
        let tensors = trireme_model::weights::safetensors::read(
            "model.safetensors",
            teacher.folder().unwrap().get("model.safetensors").unwrap(),
        );
        let values = tensors.unwrap().tensors[&name].to_f32(&name).unwrap().into_owned();
        let wave = |at: usize, to: usize| ((at * 7 + 1) as f32 * (to + 1) as f32 * 0.37).sin();
        let rows = values.chunks_exact(32).flat_map(|row| {
            (0..32).map(move |to| (0..directions).map(|at| row[at] * wave(at, to)).sum::<f32>())
        });
        flat.insert(name, rows.collect());
    }
    teacher.with_weights(&flat).unwrap()
}

#[test]
fn narrower_embeddings_hold_what_lies_in_as_many_directions() {
    let teacher = flat("bert-embed", 9);
    let of = |columns| made(&teacher, &Student { embedding: Some(columns), ..Student::default() });
    let expected = vectors(&teacher);
    let gap = |student: &Checkpoint| {
        let got = vectors(student);
        let pairs = expected.iter().flatten().zip(got.iter().flatten());
        pairs.fold(0.0f32, |gap, (a, b)| gap.max((a - b).abs()))
    };
    let student = of(10);
    assert_eq!((student.spec().embedding, student.spec().width), (10, 32));
    assert_eq!(vectors(&saved(&student)), vectors(&student), "saved");
    for (columns, most) in [(31, 1e-5), (16, 1e-5), (10, 1e-5)] {
        let gap = gap(&of(columns));
        assert!(gap < most, "{columns} columns for 9 directions: the vectors are {gap} away");
    }
    let gap = gap(&of(5));
    assert!(gap > 1e-3, "5 columns can't hold 9 directions, and the vectors are {gap} away");
}

#[test]
fn narrower_embeddings_leave_the_head_out() {
    let teacher = load::checkpoint(&load::tiny("bert-classify"));
    let student = made(&teacher, &Student { embedding: Some(12), ..Student::default() });
    assert!(teacher.spec().labels.is_some() && student.spec().labels.is_none());
    let names = ["no", "yes"].map(str::to_owned);
    let classifier = student.classifying(&names, |len| vec![0.01; len]).unwrap();
    assert_eq!(saved(&classifier).spec().labels.as_ref().unwrap().names, names);
}

#[test]
fn more_than_the_teacher_has_is_refused_by_name() {
    let teacher = load::checkpoint(&load::tiny("bert-embed"));
    for (student, expected) in [
        (
            Student { layers: Some(vec![0, 2]), ..Student::default() },
            "layer 2: its teacher has 2, counted from 0",
        ),
        (Student { layers: Some(vec![]), ..Student::default() }, "0 layers"),
        (Student { inner: Some(65), ..Student::default() }, "65 inner columns: its teacher has 64"),
        (Student { vocabulary: Some(321), ..Student::default() }, "321 pieces"),
        (Student { vocabulary: Some(3), ..Student::default() }, "special or letters, more than 3"),
        (Student { positions: Some(0), ..Student::default() }, "0 positions"),
        (Student { embedding: Some(32), ..Student::default() }, "32 embedding columns"),
        (Student { embedding: Some(1), ..Student::default() }, "0 axes of embedding columns"),
    ] {
        let got = teacher.student(&student, &BTreeMap::new()).unwrap_err();
        assert!(got.to_string().contains(expected), "expected {expected:?} in {got}");
    }
    for folder in ["roberta-embed", "mpnet-embed"] {
        let teacher = load::checkpoint(&load::tiny(folder));
        let few = Student { positions: Some(2), ..Student::default() };
        let got = teacher.student(&few, &BTreeMap::new()).unwrap_err().to_string();
        assert!(got.contains("0 positions of tokens"), "{folder}: {got}");
    }
    let roberta = load::checkpoint(&load::tiny("roberta-embed"));
    let student = Student { vocabulary: Some(300), ..Student::default() };
    let got = roberta.student(&student, &BTreeMap::new()).unwrap_err();
    assert!(matches!(got, ModelError::Text(_)), "{got}");
    let student = Student { embedding: Some(16), ..Student::default() };
    let got = roberta.student(&student, &BTreeMap::new()).unwrap_err().to_string();
    assert!(got.contains("roberta"), "{got}");
}
