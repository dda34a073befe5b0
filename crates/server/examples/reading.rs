//! What it costs to read a text beside answering it, and beside looking it up, on one thread with
//! the model inside: `cargo run --release -p trireme-server --example reading`.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a terminal program for developers")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use trireme_cpu::{Cpu, Lane};
use trireme_model::{Checkpoint, Cut, Model};
use trireme_server::{Shared, Steady, pass_tokens};
use trireme_service::ports::{Compute, Pace};
use trireme_service::{Cached, Engine, Identity, Job, Memory, Text, direct};

const SENTENCES: &str = include_str!("../../cli/src/commands/sentences.txt");

/// Each measurement is the best of so many.
const ROUNDS: usize = 15;

fn main() {
    let bundle = bytes::Bytes::from_static(trireme_default_model::BUNDLE);
    let checkpoint = Checkpoint::from_bundle(&bundle).unwrap();
    let pool = Shared::new(1).unwrap();
    let precision = checkpoint.precision(None).unwrap();
    let cpu = Cpu::new(Box::new(pool), Lane::detect()).with_precision(precision);
    let model = Arc::new(Model::new(cpu, &checkpoint).unwrap());
    let engine = Engine::new(Arc::clone(&model), pass_tokens(model.spec().width));
    let pace: Box<dyn Pace> = Box::new(|| Ok(()));
    let origin = Identity::of(&model, "default", "1", "origin").origin;
    let clock = Arc::new(Steady::default());
    let memory = Memory { bytes: 1 << 26, longest: Duration::from_secs(60), clock };
    let cached = Cached::new(direct(engine, pace), &origin, memory);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();

    println!(
        "{:>7} {:>11} {:>11} {:>11} {:>9}",
        "tokens", "read µs", "look up µs", "all µs", "read/all"
    );
    let lines: Vec<&str> = SENTENCES.lines().filter(|line| !line.trim().is_empty()).collect();
    for together in [1, 4, 16] {
        let texts: Vec<String> = lines.chunks(together).map(|lines| lines.join(" ")).collect();
        let read = || -> usize {
            let read = |text: &String| {
                model.reader().encode_for_vector(text, None, Cut::default()).unwrap().ids.len()
            };
            texts.iter().map(read).sum()
        };
        let jobs = |caching| -> Vec<Job> {
            let job = |text: &String| {
                let mut job = Job { texts: vec![Text::from(text.clone())], ..Job::default() };
                job.terms.caching = caching;
                job
            };
            texts.iter().map(job).collect()
        };
        let ask = |caching| {
            for job in jobs(caching) {
                black_box(runtime.block_on(cached.submit(job)).unwrap());
            }
        };
        let each = |took: Duration| took.as_secs_f64() * 1e6 / texts.len() as f64;
        let all = each(best(|| ask(trireme_service::Caching::Off)));
        ask(trireme_service::Caching::Usual);
        let looked_up = each(best(|| ask(trireme_service::Caching::Usual)));
        let tokens = read() / texts.len();
        let read = each(best(|| _ = black_box(read())));
        println!(
            "{tokens:>7} {read:>11.1} {looked_up:>11.1} {all:>11.1} {:>8.1}%",
            100.0 * read / all
        );
    }
}

fn best(mut work: impl FnMut()) -> Duration {
    let time = |_| {
        let begun = Instant::now();
        work();
        begun.elapsed()
    };
    (0..ROUNDS).map(time).min().unwrap_or_default()
}
