//! A model's own answers, remembered, while many ask for them at once.
#![allow(clippy::unwrap_used, reason = "a test's helpers are tests too, which the lint can't see")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use trireme_domain::Limits;
use trireme_server::source::NetSettings;
use trireme_server::{ModelSettings, Opened, Processor, Queue, Steady, open};
use trireme_service::ports::Compute;
use trireme_service::{Answer, Caching, Job, Memory, Served, Task, Terms, Text, all};

fn settings() -> ModelSettings {
    ModelSettings {
        model: None,
        hub_cache: PathBuf::from("/nowhere"),
        http_cache: PathBuf::from("/nowhere"),
        gpu_cache: PathBuf::from("/nowhere"),
        endpoint: None,
        offline: true,
        net: NetSettings::default(),
        threads: 2,
        precision: None,
        processor: Processor::Cpu,
        lane: None,
        queue: Queue::default(),
        limits: Limits::default(),
    }
}

fn job(texts: &[&str], task: Task, caching: Caching) -> Job {
    let texts = texts.iter().map(|text| Text::from((*text).to_owned())).collect();
    Job { texts, task, terms: Terms { caching, ..Terms::default() }, ..Job::default() }
}

async fn ask(compute: &dyn Compute, job: Job) -> Vec<Answer> {
    all(compute.submit(job).await.unwrap()).unwrap()
}

fn bits(answers: &[Answer]) -> Vec<(Vec<u32>, usize)> {
    let bits = |answer: &Answer| answer.values.iter().map(|value| value.to_bits()).collect();
    answers.iter().map(|answer| (bits(answer), answer.tokens)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_who_ask_at_once_and_leave_as_they_like_get_the_models_bits() {
    let Opened { served, .. } = open(&settings()).await.unwrap();
    let clock = Arc::new(Steady::default());
    let memory = Memory { bytes: 6000, longest: Duration::from_secs(60), clock };
    let served = Arc::new(served.remembering(memory));
    let texts = ["a fine film", "a dull mess", "the harbour at dawn", "an hour too long", "yes"];
    let tasks = [Task::CLASSES, Task::default()];
    let mut expected = Vec::new();
    for task in &tasks {
        let all = job(&texts, task.clone(), Caching::Off);
        expected.push(ask(served.compute.as_ref(), all).await);
    }
    let expected = Arc::new(expected);

    let one = |number: usize| {
        let (served, expected): (Arc<Served>, _) = (Arc::clone(&served), Arc::clone(&expected));
        let which = number % 2;
        let task = tasks[which].clone();
        async move {
            for round in 0..4 {
                let places = [(number + round) % 5, (number / 5) % 5, (number * 7) % 5];
                let some: Vec<&str> = places.iter().map(|&place| texts[place]).collect();
                let some = job(&some, task.clone(), Caching::Usual);
                let answer = ask(served.compute.as_ref(), some);
                if (number + round).is_multiple_of(3) {
                    let soon = Duration::from_micros(number as u64 * 20 % 4000);
                    let _left = tokio::time::timeout(soon, answer).await;
                    continue;
                }
                let right: Vec<Answer> =
                    places.iter().map(|&place| expected[which][place].clone()).collect();
                assert_eq!(bits(&answer.await), bits(&right), "{places:?}");
            }
        }
    };
    let tasks: Vec<_> = (0..300).map(|number| tokio::spawn(one(number))).collect();
    for task in tasks {
        tokio::time::timeout(Duration::from_secs(60), task).await.expect("nobody hangs").unwrap();
    }
    let before = served.compute.work();
    for _ in 0..2 {
        let last = ask(served.compute.as_ref(), job(&["yes"], Task::CLASSES, Caching::Usual)).await;
        assert_eq!(bits(&last), bits(&expected[0][4..]));
    }
    let after = served.compute.work();
    assert!(after.texts <= before.texts + 1, "the second was remembered");
    assert!(after.remembered.bytes <= 6000, "{:?}", after.remembered);
}
