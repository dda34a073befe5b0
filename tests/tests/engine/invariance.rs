//! A text's answer is the same bits alone, in any batch, and with any number of threads.

use trireme_cpu::{Cpu, Cuts, Executor, Inline, Lane, Work};
use trireme_model::{Cut, EmbedOptions, Encoded, Model, Pass, Pooling, Want};

use crate::load;

/// Cuts the work as this many threads would, and runs the pieces from the last to the first.
struct Backwards(usize);

impl Executor for Backwards {
    fn threads(&self) -> usize {
        self.0
    }

    fn for_each(&self, out: &mut [f32], cuts: Cuts<'_>, work: &Work<'_>) {
        let pieces: Vec<_> = cuts.pieces(out).enumerate().collect();
        for (index, piece) in pieces.into_iter().rev() {
            work(index, piece);
        }
    }
}

const TEXTS: [&str; 7] = [
    "a",
    "The harbour was quiet.",
    "",
    "Nothing moved but the gulls, and even they seemed to have somewhere else to be that morning.",
    "naïve café 東京 🚣",
    "oars",
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen",
];

const FOLDERS: [&str; 5] =
    ["bert-embed", "distilbert-embed", "roberta-embed", "electra-embed", "mpnet-embed"];

fn encode(model: &Model<Cpu>) -> Vec<Encoded> {
    TEXTS.iter().map(|text| model.reader().encode(text, None, Cut::default()).unwrap()).collect()
}

fn bits(rows: Vec<Vec<f32>>) -> Vec<Vec<u32>> {
    rows.into_iter().map(|row| row.into_iter().map(f32::to_bits).collect()).collect()
}

fn vectors(model: &Model<Cpu>, texts: &[Encoded]) -> Vec<Vec<u32>> {
    bits(load::run(model, texts, Want::Vectors(Pooling::Mean)).unwrap())
}

#[test]
fn alone_and_in_any_batch_the_bits_are_the_same() {
    for folder in FOLDERS {
        let checkpoint = load::checkpoint(&load::tiny(folder));
        for lane in Lane::all() {
            let model = load::model_on(&checkpoint, lane, Box::new(Inline));
            let texts = encode(&model);
            let alone: Vec<_> =
                texts.iter().flat_map(|text| vectors(&model, std::slice::from_ref(text))).collect();
            let case = format!("{folder} on {}", lane.name());
            assert_eq!(vectors(&model, &texts), alone, "{case}: all together");
            let backwards: Vec<_> = texts.iter().rev().cloned().collect();
            let mut got = vectors(&model, &backwards);
            got.reverse();
            assert_eq!(got, alone, "{case}: all together, backwards");
            for pair in texts.windows(2).zip(alone.windows(2)) {
                assert_eq!(vectors(&model, pair.0), pair.1, "{case}: in pairs");
            }
        }
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    for folder in FOLDERS {
        let checkpoint = load::checkpoint(&load::tiny(folder));
        for lane in Lane::all() {
            let one = load::model_on(&checkpoint, lane, Box::new(Inline));
            let expected = vectors(&one, &encode(&one));
            for threads in [2, 3, 5, 16, 1000] {
                let many = load::model_on(&checkpoint, lane, Box::new(Backwards(threads)));
                let got = vectors(&many, &encode(&many));
                assert_eq!(got, expected, "{folder} on {}, {threads} threads", lane.name());
            }
        }
    }
}

#[test]
fn a_real_model_keeps_its_bits_in_a_batch_and_on_threads() {
    let checkpoint = load::checkpoint(&trireme_tests::minilm_dir());
    let one = load::model_on(&checkpoint, Lane::detect(), Box::new(Inline));
    let texts = encode(&one);
    let alone: Vec<_> =
        texts.iter().flat_map(|text| vectors(&one, std::slice::from_ref(text))).collect();
    let many = load::model_on(&checkpoint, Lane::detect(), Box::new(Backwards(7)));
    assert_eq!(vectors(&many, &texts), alone);
}

#[test]
fn a_pass_stops_between_layers_and_goes_on() {
    let model = load::model(&load::tiny("bert-classify"));
    let texts = encode(&model);
    let whole = load::run(&model, &texts, Want::Logits).unwrap();

    let mut pass = model.start(&texts, Want::Logits).unwrap();
    assert_eq!(pass.progress().total, 4, "an embedding, two layers, a head");
    let mut other = model.start(&texts[..1], Want::Logits).unwrap();
    for done in 1..=4 {
        assert_eq!(pass.step().unwrap().done, done);
        // Passes interleave: none holds the model.
        other.step().unwrap();
    }
    assert!(pass.progress().is_complete());
    assert_eq!(pass.step().unwrap().done, 4, "a step too many does nothing");
    use trireme_backend::conformance::{Inline as Now, Wait};
    let rest = |pass: Pass<'_, Cpu>| -> Vec<Vec<f32>> {
        Now.wait(Box::pin(pass.finish())).unwrap().into_iter().map(Result::unwrap).collect()
    };
    assert_eq!(rest(pass), whole);
    assert_eq!(rest(other), whole[..1]);
}

#[test]
fn dimensions_pooling_and_length_are_the_callers() {
    let model = load::model(&load::tiny("bert-embed"));
    let text = "The harbour was quiet.";
    let full = load::embed(&model, text, EmbedOptions::default());
    let raw = EmbedOptions { normalize: Some(false), ..EmbedOptions::default() };
    let raw = load::embed(&model, text, raw);
    let short = EmbedOptions { dimensions: Some(8), ..EmbedOptions::default() };
    let short = load::embed(&model, text, short);
    let first = EmbedOptions { pooling: Some(Pooling::Cls), ..EmbedOptions::default() };
    let first = load::embed(&model, text, first);

    let length = |v: &[f32]| v.iter().map(|v| f64::from(v * v)).sum::<f64>().sqrt();
    assert!((length(&full) - 1.0).abs() < 1e-6, "expected length 1, got {}", length(&full));
    assert!((length(&raw) - 1.0).abs() > 1e-3, "expected the raw length, got {}", length(&raw));
    assert_eq!(short.len(), 8);
    assert!((length(&short) - 1.0).abs() < 1e-6, "a shortened vector has length 1 again");
    assert!(crate::golden::cosine(&short, &raw[..8]) > 0.999_999);
    assert!(crate::golden::cosine(&first, &full) < 0.99, "another pooling, another vector");
    let got = model.vectors(EmbedOptions { dimensions: Some(33), ..EmbedOptions::default() });
    assert_eq!(got.unwrap_err().to_string(), "33 dimensions were asked for, but the model has 32");
}
