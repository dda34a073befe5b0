//! Tiny models learn, stop, go on, and are saved as what they are.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, also in its helpers"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::hash::{DefaultHasher, Hasher};

use trireme_backend::{Pooling, conformance};
use trireme_cpu::{Cpu, Inline, Lane};
use trireme_model::files::gathered;
use trireme_model::{Checkpoint, Cut, Encoded, Model, Student, Want};
use trireme_tests::repo_root;
use trireme_train::{
    Classify, Distill, Lesson, Loss, Objective, Options, Pair, Pairs, Place, Progress, Trainer,
    Triplets, fresh_weights,
};

fn tiny(name: &str) -> Checkpoint {
    let folder = repo_root().join("tests/goldens/tiny").join(name);
    let files = gathered(|name| fs::read(folder.join(name)).ok().map(Into::into)).unwrap();
    Checkpoint::from_files(&files).unwrap()
}

fn cpu(checkpoint: &Checkpoint) -> Model<Cpu> {
    Model::new(Cpu::new(Box::new(Inline), Lane::detect()), checkpoint).unwrap()
}

fn encode(model: &Model<Cpu>, text: &str) -> Encoded {
    model.reader().encode(text, None, Cut::default()).unwrap()
}

/// Texts that begin with one of two words, and go on with others.
fn classes(checkpoint: &Checkpoint, examples: usize) -> Classify {
    let model = cpu(checkpoint);
    let all = (0..examples).map(|at| {
        let text = format!("{} {} {}", ["yes", "no"][at % 2], "oar ".repeat(at % 5), at % 7);
        (encode(&model, &text), at % 2)
    });
    let (learn, held_out) = trireme_train::split(all.collect(), 0.25, 1);
    let names = ["yes", "no"].map(str::to_owned).to_vec();
    Classify::new(names, learn, held_out).unwrap()
}

fn options() -> Options {
    Options { epochs: 4, batch: 8, rate: 3e-3, seed: 5, ..Options::default() }
}

fn classifier(name: &str) -> Checkpoint {
    let names = ["yes", "no"].map(str::to_owned);
    tiny(name).classifying(&names, fresh_weights(5)).unwrap()
}

fn trainer(name: &str, options: Options) -> Trainer<Classify> {
    trainer_on(Place::default(), name, options)
}

fn trainer_on(place: Place, name: &str, options: Options) -> Trainer<Classify> {
    let checkpoint = classifier(name);
    let task = classes(&checkpoint, 64);
    Trainer::on(place, checkpoint, task, options).unwrap()
}

/// Where training is made of candle's own operations: on the processor, and on CUDA where that is.
fn other_places() -> Vec<Place> {
    let mut places = vec![Place::by_parts()];
    places.extend(Place::cuda());
    places
}

fn to_the_end<O: Objective>(trainer: &mut Trainer<O>) -> Vec<Progress> {
    std::iter::from_fn(|| trainer.step().unwrap()).collect()
}

/// The bytes of every file that is saved.
fn saved<O: Objective>(trainer: &Trainer<O>) -> Vec<(String, Vec<u8>)> {
    let files = trainer.best().unwrap().folder().unwrap();
    files.present().map(|(name, bytes)| (name.to_owned(), bytes.to_vec())).collect()
}

#[test]
fn every_family_learns_two_classes() {
    for name in ["bert-embed", "distilbert-embed", "electra-embed", "mpnet-embed", "roberta-embed"]
    {
        let mut trainer = trainer(name, Options { epochs: 12, rate: 1e-2, ..options() });
        let steps = to_the_end(&mut trainer);
        let (first, last) = (&steps[0], steps.last().unwrap());
        let score = last.score.as_ref().unwrap();
        println!("{name}: loss {:.3} to {:.3}, accuracy {}", first.loss, last.loss, score.value);
        assert!(last.loss < 0.3 * first.loss, "{name}: loss {} to {}", first.loss, last.loss);
        assert!(score.value > 0.9, "{name}: {score:?}");
        assert_eq!(steps.len(), trainer.steps(), "{name}");
    }
}

#[test]
fn what_is_saved_answers_as_what_was_trained() {
    for name in ["bert-embed", "distilbert-embed", "roberta-embed"] {
        let mut trainer = trainer(name, options());
        to_the_end(&mut trainer);
        let trained = trainer.best().unwrap();
        let folder = trained.folder().unwrap();
        let asked = gathered(|name| folder.get(name).cloned()).unwrap();
        let read = Checkpoint::from_files(&asked).unwrap();
        assert_eq!(read.spec().labels.as_ref().unwrap().names, ["yes", "no"], "{name}");
        let [expected, got] = [&trained, &read].map(|checkpoint| {
            let model = cpu(checkpoint);
            let texts = [encode(&model, "yes oar 3"), encode(&model, "no")];
            let pass = model.start(&texts, Want::Logits).unwrap();
            let rows = conformance::Wait::wait(&conformance::Inline, Box::pin(pass.finish()));
            rows.unwrap().into_iter().map(Result::unwrap).collect::<Vec<_>>()
        });
        assert_eq!(got, expected, "{name}");
        assert!(got[0][0] > got[0][1] && got[1][0] < got[1][1], "{name}: {got:?}");
    }
}

#[test]
fn a_training_that_was_put_away_goes_on_as_if_it_had_not_been() {
    let mut whole = trainer("bert-embed", options());
    let expected = to_the_end(&mut whole);
    for stop in [0, 1, 5, 6, 7, 17, expected.len()] {
        let mut first = trainer("bert-embed", options());
        for _step in 0..stop {
            first.step().unwrap();
        }
        let state = first.state().unwrap();
        drop(first);
        let mut second = trainer("bert-embed", options());
        second.resume(&state).unwrap();
        assert_eq!(to_the_end(&mut second), expected[stop..], "put away after {stop} steps");
        assert!(saved(&second) == saved(&whole), "put away after {stop} steps");
    }
}

/// Adam makes a whole step of a gradient that is nothing but a last bit, so steps are small where two
/// trainings are compared.
fn slowly() -> Options {
    Options { rate: 3e-4, ..options() }
}

#[test]
fn every_place_takes_the_same_steps() {
    for name in ["bert-embed", "distilbert-embed", "electra-embed", "mpnet-embed", "roberta-embed"]
    {
        let expected = to_the_end(&mut trainer(name, slowly()));
        for place in other_places() {
            let got = to_the_end(&mut trainer_on(place.clone(), name, slowly()));
            let apart = |(a, b): (f64, f64)| (a / b - 1.0).abs();
            let both = || expected.iter().zip(&got);
            let losses = both().map(|(a, b)| (a.loss - b.loss).abs()).fold(0.0, f64::max);
            let gradients = both().map(|(a, b)| apart((a.gradient, b.gradient)));
            let gradients: Vec<f64> = gradients.collect();
            let most = gradients.iter().copied().fold(0.0, f64::max);
            println!("{name}, {place:?}: losses {losses:.1e} apart, gradients {most:.1e}");
            assert_eq!(got.len(), expected.len(), "{name}, {place:?}");
            assert!(losses < 1e-3, "{name}, {place:?}: losses are {losses} apart");
            // Every step makes of last bits a little more.
            let first = gradients[0];
            assert!(first < 1e-4, "{name}, {place:?}: the first gradients are {first} apart");
            assert!(most < 0.2, "{name}, {place:?}: gradients are {most} apart");
        }
    }
}

#[test]
fn a_training_goes_on_in_another_place() {
    let mut whole = trainer("bert-embed", slowly());
    let expected = to_the_end(&mut whole);
    let here = Place::default;
    let ways =
        other_places().into_iter().flat_map(|place| [(place.clone(), here()), (here(), place)]);
    for (place, other) in ways {
        let mut first = trainer_on(place.clone(), "bert-embed", slowly());
        for _step in 0..5 {
            first.step().unwrap();
        }
        let mut second = trainer_on(other, "bert-embed", slowly());
        second.resume(&first.state().unwrap()).unwrap();
        let got = to_the_end(&mut second);
        assert_eq!(got.len() + 5, expected.len(), "{place:?}");
        for (got, expected) in got.iter().zip(&expected[5..]) {
            let near = (got.loss - expected.loss).abs() < 1e-3;
            assert!(near, "{place:?}: expected {expected:?}, got {got:?}");
        }
    }
}

#[test]
fn a_seed_decides_everything_and_the_number_of_threads_nothing() {
    let run = |threads, seed| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut trainer = trainer("bert-embed", Options { seed, ..options() });
            to_the_end(&mut trainer);
            saved(&trainer)
        })
    };
    let expected = run(1, 5);
    for threads in [1, 2, 3] {
        assert!(run(threads, 5) == expected, "{threads} threads");
    }
    assert!(run(1, 6) != expected, "another seed");
}

#[test]
fn pairs_become_as_near_as_their_scores() {
    for loss in [Loss::Cosine, Loss::Ranking(20.0)] {
        let checkpoint = tiny("bert-embed");
        let model = cpu(&checkpoint);
        let words = ["oar", "river", "boat", "anchor", "mast", "sail"];
        let pairs = (0..60).map(|at| {
            let (a, b) = (words[at % 6], words[at / 6 % 6]);
            let near = if loss == Loss::Cosine { f32::from(u8::from(a == b)) } else { 1.0 };
            (encode(&model, a), encode(&model, &format!("{b} {b}")), near)
        });
        let pairs: Vec<_> = pairs.collect();
        let learn = match loss {
            Loss::Cosine => pairs.clone(),
            Loss::Ranking(_) => (0..60).map(|at| pairs[at % 6 * 7].clone()).collect(),
        };
        let held_out = (0..60).map(|at| {
            let near = f32::from(u8::from(at % 6 == at / 6 % 6));
            (pairs[at].0.clone(), pairs[at].1.clone(), near)
        });
        let task = Pairs::new(learn, held_out.collect(), loss, Pooling::Mean).unwrap();
        let mut trainer =
            Trainer::new(checkpoint, task, Options { batch: 6, ..options() }).unwrap();
        let steps = to_the_end(&mut trainer);
        let scores: Vec<f64> =
            steps.iter().filter_map(|step| Some(step.score.as_ref()?.value)).collect();
        println!("{loss:?}: spearman {scores:?}");
        assert!(scores.last().unwrap() > &0.5, "{loss:?}: {scores:?}");
        assert!(steps.last().unwrap().loss < steps[0].loss, "{loss:?}");
    }
}

#[test]
fn frozen_tensors_stay_and_a_training_of_nothing_is_refused() {
    let frozen = ["embeddings", "encoder.layer.0."].map(str::to_owned).to_vec();
    let before = classifier("bert-embed").folder().unwrap();
    let mut trainer = trainer("bert-embed", Options { frozen, ..options() });
    to_the_end(&mut trainer);
    let after = trainer.best().unwrap().folder().unwrap();
    let [before, after] = [&before, &after].map(|files| {
        let bytes = files.get("model.safetensors").unwrap();
        trireme_model::weights::safetensors::read("model.safetensors", bytes).unwrap().tensors
    });
    for (name, tensor) in &before {
        let stays = name.contains("embeddings") || name.contains("encoder.layer.0.");
        assert_eq!(after[name].data == tensor.data, stays, "{name}");
    }

    let all = Options { frozen: vec![String::new()], ..options() };
    let checkpoint = classifier("bert-embed");
    let task = classes(&checkpoint, 16);
    let refused = Trainer::new(checkpoint, task, all).err().unwrap().to_string();
    assert_eq!(refused, "frozen is ; it leaves some of the model's tensors");
}

#[test]
fn training_ends_where_the_score_no_longer_rises() {
    let early = Options { epochs: 50, patience: 2, evaluate_every: 3, ..options() };
    let mut trainer = trainer("bert-embed", early);
    let steps = to_the_end(&mut trainer);
    let scores: Vec<f64> =
        steps.iter().filter_map(|step| Some(step.score.as_ref()?.value)).collect();
    let best = scores.iter().copied().fold(0.0, f64::max);
    let first = scores.iter().position(|&score| score == best).unwrap();
    assert_eq!(scores.len(), first + 3, "two measurements after the best: {scores:?}");
    assert!(steps.len() < trainer.steps());
}

#[test]
fn a_state_that_is_not_this_trainings_is_refused() {
    let mut first = trainer("bert-embed", options());
    first.step().unwrap();
    let state = first.state().unwrap();
    let mut other = trainer("bert-embed", Options { rate: 1e-3, ..options() });
    let refused = other.resume(&state).unwrap_err().to_string();
    assert!(refused.contains("the options changed"), "{refused}");
    for (what, model, task) in [
        ("another model", "bert-embed-cls", classes(&classifier("bert-embed"), 64)),
        ("as many other examples", "bert-embed", {
            let mut task = classes(&classifier("bert-embed"), 64);
            task.learn[3].1 ^= 1;
            task
        }),
    ] {
        let mut other = Trainer::new(classifier(model), task, options()).unwrap();
        let refused = other.resume(&state).unwrap_err().to_string();
        assert!(refused.contains("the model, or what it learns, changed"), "{what}: {refused}");
    }
    let mut same = trainer("bert-embed", options());
    for damaged in [&state[..state.len() / 2], &state[..4], b"", b"no training"] {
        let refused = same.resume(damaged).unwrap_err().to_string();
        assert!(refused.contains("the saved state does not fit"), "{refused}");
    }
    same.resume(&state).unwrap();
}

#[test]
fn whatever_is_learnt_otherwise_is_another_objective() {
    fn identity(objective: &impl Objective) -> u64 {
        let mut hash = DefaultHasher::new();
        objective.identity(&mut hash);
        hash.finish()
    }
    fn differ<O: Objective>(name: &str, same: impl Fn() -> O, changes: &[fn(&mut O)]) {
        assert_eq!(identity(&same()), identity(&same()), "{name}");
        let mut seen = BTreeSet::from([identity(&same())]);
        for (at, change) in changes.iter().enumerate() {
            let mut other = same();
            change(&mut other);
            assert!(seen.insert(identity(&other)), "{name}: change {at} is not seen");
        }
    }
    let model = cpu(&tiny("bert-embed"));
    let [a, b, c] = ["oar", "boat", "mast"].map(|text| encode(&model, text));
    let names = || ["yes", "no"].map(str::to_owned).to_vec();
    let labelled = || vec![(a.clone(), 0), (b.clone(), 1)];
    let pairs = || vec![(a.clone(), b.clone(), 0.5), (a.clone(), c.clone(), 0.0)];
    let triplets = || vec![[a.clone(), b.clone(), c.clone()]];
    differ(
        "classes",
        || Classify::new(names(), labelled(), labelled()).unwrap(),
        &[
            |task: &mut Classify| task.names.reverse(),
            |task: &mut Classify| task.learn.reverse(),
            |task: &mut Classify| task.held_out.reverse(),
            |task: &mut Classify| task.weights[0] = 2.0,
        ],
    );
    differ(
        "pairs",
        || Pairs::new(pairs(), pairs(), Loss::Cosine, Pooling::Mean).unwrap(),
        &[
            |task: &mut Pairs| task.learn[0].2 = 0.25,
            |task: &mut Pairs| task.held_out.reverse(),
            |task: &mut Pairs| task.loss = Loss::Ranking(20.0),
            |task: &mut Pairs| task.loss = Loss::Ranking(10.0),
            |task: &mut Pairs| task.pooling = Pooling::Cls,
        ],
    );
    differ(
        "triplets",
        || Triplets::new(triplets(), triplets(), 0.2, Pooling::Mean).unwrap(),
        &[
            |task: &mut Triplets| task.learn[0].swap(1, 2),
            |task: &mut Triplets| task.held_out[0].swap(1, 2),
            |task: &mut Triplets| task.margin = 0.1,
            |task: &mut Triplets| task.pooling = Pooling::Cls,
        ],
    );
    let lesson = || Lesson { text: a.clone(), classes: Some(vec![0.5, 0.5]), vector: None };
    let taught = || Distill {
        lessons: vec![lesson(), lesson()],
        near: vec![(pairs().remove(0), 1.0)],
        names: names(),
        labelled: labelled(),
        pairs: pairs(),
        pooling: Pooling::Mean,
        vectors: 1.0,
        by: "one".to_owned(),
    };
    differ(
        "lessons",
        taught,
        &[
            |task: &mut Distill| task.lessons.truncate(1),
            |task: &mut Distill| task.near[0].1 = 0.5,
            |task: &mut Distill| task.near[0].0.2 = 0.25,
            |task: &mut Distill| task.names.reverse(),
            |task: &mut Distill| task.labelled.reverse(),
            |task: &mut Distill| task.pairs.reverse(),
            |task: &mut Distill| task.pooling = Pooling::Cls,
            |task: &mut Distill| task.vectors = 2.0,
            |task: &mut Distill| task.by = "another".to_owned(),
        ],
    );
}

#[test]
fn data_without_anything_to_learn_is_refused() {
    let model = cpu(&tiny("bert-embed"));
    let text = || encode(&model, "oar");
    let names = || ["yes", "no"].map(str::to_owned).to_vec();
    for (learn, held_out, expected) in [
        (
            vec![(text(), 1), (text(), 1)],
            vec![(text(), 0)],
            "what is to be learnt from: 2 examples of 1 classes, it takes two",
        ),
        (vec![(text(), 0), (text(), 1)], vec![], "what is held out to measure by: no example"),
    ] {
        let refused = Classify::new(names(), learn, held_out).err().unwrap().to_string();
        assert_eq!(refused, expected);
    }
}

#[test]
fn rare_classes_count_as_much_as_frequent_ones_where_that_is_wanted() {
    let model = cpu(&tiny("bert-embed"));
    let learn = [0, 0, 0, 1].map(|class| (encode(&model, "oar"), class)).to_vec();
    let names = ["yes", "no"].map(str::to_owned).to_vec();
    let task = Classify::new(names, learn.clone(), learn).unwrap();
    assert_eq!(task.weights, [1.0, 1.0]);
    let [frequent, rare] = task.balanced().weights[..] else { panic!("two classes") };
    assert!((3.0 * frequent - rare).abs() < 1e-6 && (3.0 * frequent + rare - 4.0).abs() < 1e-6);
}

/// A teacher that learnt two classes, a part of it, and what is taught.
#[test]
fn a_student_learns_what_its_teacher_says() {
    let mut teacher = trainer("bert-embed", Options { epochs: 12, rate: 1e-2, ..options() });
    to_the_end(&mut teacher);
    let teacher = teacher.best().unwrap();
    let half = Student { layers: Some(vec![0]), inner: Some(32), ..Student::default() };
    let student = teacher.student(&half, &BTreeMap::new()).unwrap();

    let task = classes(&teacher, 64);
    let model = cpu(&teacher);
    let asked = |text: &Encoded, want| {
        let pass = model.start(std::slice::from_ref(text), want).unwrap();
        let rows = conformance::Wait::wait(&conformance::Inline, Box::pin(pass.finish()));
        rows.unwrap().remove(0).unwrap()
    };
    // One text in three is taught nothing about classes, another nothing about vectors.
    let lesson = |(at, (text, _)): (usize, &(Encoded, usize))| {
        let shares = || model.finish_scores(asked(text, Want::Logits));
        let vector = || asked(text, Want::Vectors(Pooling::Mean));
        Lesson {
            text: text.clone(),
            classes: (at % 3 != 0).then(shares),
            vector: (at % 3 != 1).then(vector),
        }
    };
    let near = |at: usize| if at.is_multiple_of(3) { 1.0 } else { 0.1 * (at % 5) as f32 };
    let pairs = task.held_out.windows(2).enumerate();
    let pairs = pairs.map(|(at, two)| (two[0].0.clone(), two[1].0.clone(), near(at)));
    let taught = Distill {
        lessons: task.learn.iter().enumerate().map(lesson).collect(),
        near: Vec::new(),
        names: task.names.clone(),
        labelled: task.held_out.clone(),
        pairs: pairs.collect(),
        pooling: Pooling::Mean,
        vectors: 1.0,
        by: String::new(),
    };
    taught.check().unwrap();
    let options = Options { epochs: 20, rate: 1e-2, dropout: 0.0, ..options() };
    for place in other_places().into_iter().chain([Place::default()]) {
        let (student, taught) = (student.clone(), taught.clone());
        let mut trainer = Trainer::on(place.clone(), student, taught, options.clone()).unwrap();
        let steps = to_the_end(&mut trainer);
        let (first, last) = (&steps[0], steps.last().unwrap());
        let score = last.score.as_ref().unwrap();
        println!("{place:?}: loss {:.3} to {:.3}, {score:?}", first.loss, last.loss);
        assert!(last.loss < 0.4 * first.loss, "loss {} to {}", first.loss, last.loss);
        let accuracy = score.classes.as_ref().unwrap().accuracy;
        assert!(accuracy > 0.9, "{score:?}");
        let both = f64::midpoint(accuracy, score.spearman.unwrap());
        assert!((score.value - both).abs() < 1e-9, "{score:?}");
    }
}

#[test]
fn pairs_among_lessons_become_as_near_as_their_scores() {
    let student = tiny("bert-embed");
    let model = cpu(&student);
    let words = ["oar", "river", "boat", "anchor"];
    let text = |at: usize, times: usize| encode(&model, &vec![words[at % 4]; times].join(" "));
    let near = |at: usize| f32::from(u8::from(at.is_multiple_of(5)));
    let pairs: Vec<Pair> = (0..16).map(|at| (text(at, 1), text(at / 4, 2), near(at))).collect();
    let taught = Distill {
        lessons: vec![Lesson { text: text(0, 3), classes: None, vector: Some(vec![1.0; 32]) }],
        near: pairs.iter().map(|pair| (pair.clone(), 1.0)).collect(),
        names: Vec::new(),
        labelled: Vec::new(),
        pairs,
        pooling: Pooling::Mean,
        vectors: 0.0,
        by: String::new(),
    };
    taught.check().unwrap();
    let mut trainer =
        Trainer::new(student, taught, Options { epochs: 20, dropout: 0.0, ..options() }).unwrap();
    let steps = to_the_end(&mut trainer);
    let (first, last) = (&steps[0], steps.last().unwrap());
    let score = last.score.as_ref().unwrap();
    println!("loss {:.3} to {:.3}, {score:?}", first.loss, last.loss);
    assert_eq!(steps.len(), 20 * 17usize.div_ceil(8), "a lesson and sixteen pairs");
    assert!(last.loss < 0.2 * first.loss, "loss {} to {}", first.loss, last.loss);
    // Ties leave 0.7515 to those who put all near pairs before the others.
    assert!(score.value > 0.75, "{score:?}");
}

#[test]
fn lessons_that_say_nothing_are_refused() {
    let text = encode(&cpu(&tiny("bert-embed")), "oar");
    let silent = Lesson { text: text.clone(), classes: None, vector: None };
    let with = |lessons: Vec<Lesson>, labelled| Distill {
        lessons,
        near: Vec::new(),
        names: vec!["yes".to_owned()],
        labelled,
        pairs: Vec::new(),
        pooling: Pooling::Mean,
        vectors: 1.0,
        by: String::new(),
    };
    let got = with(vec![silent.clone()], vec![(text.clone(), 0)]).check().unwrap_err();
    assert!(got.to_string().contains("no teacher says anything"), "{got}");
    let lesson = Lesson { classes: Some(vec![1.0]), ..silent };
    let got = with(vec![lesson], Vec::new()).check().unwrap_err();
    assert!(got.to_string().contains("neither classes nor pairs"), "{got}");
}
