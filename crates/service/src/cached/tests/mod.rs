mod fake;
mod flights;
mod memory;

use std::time::Duration;

use crate::engine::{Answers, Job, Task, Text};
use crate::service::Terms;
use fake::Fake;

/// A job of these texts.
fn job(texts: &[&str]) -> Job {
    let texts = texts.iter().map(|text| Text::from((*text).to_owned())).collect();
    Job { texts, task: Task::CLASSES, ..Job::default() }
}

fn with(texts: &[&str], terms: Terms) -> Job {
    Job { terms, ..job(texts) }
}

fn within(milliseconds: u64) -> Terms {
    Terms { timeout: Some(Duration::from_millis(milliseconds)), ..Terms::default() }
}

/// What computing says of these texts.
fn computed(texts: &[&str]) -> Answers {
    job(texts).texts.iter().map(Fake::says).collect()
}

/// The same to the bit, which a comparison of numbers does not say.
fn assert_same(answers: &Answers, expected: &Answers) {
    assert_eq!(answers, expected);
    let bits = |answers: &Answers| -> Vec<Vec<u32>> {
        let values = answers.iter().flatten().map(|answer| &answer.values);
        values.map(|values| values.iter().map(|value| value.to_bits()).collect()).collect()
    };
    assert_eq!(bits(answers), bits(expected));
}
