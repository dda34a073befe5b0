//! A model in this process, and answers from it.

use trireme_domain::dataset::read_pairs;
use trireme_domain::metrics::{pearson, spearman};
use trireme_domain::similarity::cosine;
use trireme_model::EmbedOptions;
use trireme_server::{ModelSettings, Opened, Precision, open};
use trireme_service::{Job, Task, Text};

use super::running::settings;

/// A model, and answers from it.
pub struct Asked {
    runtime: tokio::runtime::Runtime,
    pub opened: Opened,
}

/// Texts of one job: as many as may wait.
const TOGETHER: usize = 512;

impl Asked {
    /// Opens a model in a precision, or in the one that it is kept in.
    pub fn new(model: Option<String>, precision: Option<Precision>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let opened =
            runtime.block_on(open(&ModelSettings { precision, ..settings(model) })).unwrap();
        Self { runtime, opened }
    }

    pub fn answer(&self, texts: &[String], task: &Task) -> Vec<Vec<f32>> {
        let mut values = Vec::with_capacity(texts.len());
        for texts in texts.chunks(TOGETHER) {
            let texts = texts.iter().cloned().map(Text::from).collect();
            let job = Job { texts, task: task.clone(), ..Job::default() };
            let answers = self.runtime.block_on(self.opened.served.compute.submit(job)).unwrap();
            values.extend(answers.into_iter().map(|answer| answer.unwrap().values));
        }
        values
    }

    pub fn vectors(&self, texts: &[String]) -> Vec<Vec<f32>> {
        self.answer(texts, &Task::Embed { options: EmbedOptions::default(), prompt: None })
    }

    /// Spearman and Pearson on the STS Benchmark's dev split.
    pub fn sts(&self, data: &[u8]) -> (f64, f64) {
        let pairs = read_pairs(data).unwrap();
        let texts = pairs.iter().flat_map(|pair| [pair.first.clone(), pair.second.clone()]);
        let vectors = self.vectors(&texts.collect::<Vec<_>>());
        let got: Vec<f64> =
            vectors.chunks_exact(2).map(|pair| cosine(&pair[0], &pair[1])).collect();
        let expected: Vec<f64> = pairs.iter().map(|pair| pair.score).collect();
        (spearman(&expected, &got).unwrap(), pearson(&expected, &got).unwrap())
    }
}

pub fn near(what: &str, got: f64, expected: f64, tolerance: f64) {
    println!("{what}: expected {expected:.6}, got {got:.6}");
    assert!((got - expected).abs() <= tolerance, "{what}: expected {expected}, got {got}");
}
