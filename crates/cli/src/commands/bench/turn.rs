//! One turn: some texts alone, then more of them together.

use std::time::Instant;

use serde::{Deserialize, Serialize};
use trireme_domain::{Code, Fault};
use trireme_model::EmbedOptions;
use trireme_server::{ModelSettings, Opened, open};
use trireme_service::{Answer, Job, Task, Text, all};

use crate::output::Output;

/// Texts that are asked one after another, for how long each takes.
const ALONE: usize = 16;

/// Texts of one request, for how many there are a second.
pub const TOGETHER: usize = 32;

/// What texts are asked for.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Asked {
    /// By models that all know classes.
    Classes,
    /// By models that do not, and by servers, which take several texts for vectors alone.
    Vectors,
}

/// What is asked in a turn: a text, and the second one of a pair.
#[derive(Serialize, Deserialize)]
pub struct Work {
    pub task: Asked,
    pub alone: Vec<(String, Option<String>)>,
    pub together: Vec<(String, Option<String>)>,
}

/// How long it took.
#[derive(Serialize, Deserialize)]
pub struct Turn {
    /// Milliseconds of each text alone.
    pub alone: Vec<f64>,
    /// Seconds of all together.
    pub together: f64,
    pub texts: usize,
    pub tokens: usize,
    /// Bytes that the process holds.
    pub memory: Option<u64>,
}

impl Work {
    /// The next texts of so many, from the beginning again behind the last.
    pub fn of(task: Asked, texts: &[Text], turn: usize) -> Self {
        let mut next = texts.iter().cycle().skip(turn * (ALONE + TOGETHER) % texts.len().max(1));
        let mut some = |count| {
            let texts = next.by_ref().take(count);
            texts.map(|text| (text.first.clone(), text.second.clone())).collect()
        };
        Self { task, alone: some(ALONE), together: some(TOGETHER) }
    }
}

/// Does every turn that standard input asks for.
pub async fn answer_turns(settings: &ModelSettings, output: Output) -> Result<(), Fault> {
    let opened = open(settings).await?;
    for line in std::io::stdin().lines() {
        let work = line.ok().and_then(|line| serde_json::from_str(&line).ok());
        let work = work.ok_or_else(|| Fault::new(Code::InvalidRequest, "that is no turn"))?;
        output.json(&turn(&opened, work).await?)?;
    }
    Ok(())
}

async fn turn(opened: &Opened, work: Work) -> Result<Turn, Fault> {
    let mut alone = Vec::with_capacity(work.alone.len());
    for text in work.alone {
        let started = Instant::now();
        ask(opened, work.task, vec![text]).await?;
        alone.push(started.elapsed().as_secs_f64() * 1e3);
    }
    let texts = work.together.len();
    let started = Instant::now();
    let answers = ask(opened, work.task, work.together).await?;
    let together = started.elapsed().as_secs_f64();
    let tokens = answers.iter().map(|answer| answer.tokens).sum();
    Ok(Turn { alone, together, texts, tokens, memory: resident() })
}

async fn ask(
    opened: &Opened,
    task: Asked,
    texts: Vec<(String, Option<String>)>,
) -> Result<Vec<Answer>, Fault> {
    let task = match task {
        Asked::Vectors => Task::Embed { options: EmbedOptions::default(), prompt: None },
        Asked::Classes => Task::CLASSES,
    };
    let texts = texts.into_iter().map(|(first, second)| Text { first, second }).collect();
    all(opened.served.compute.submit(Job { texts, task, ..Job::default() }).await?)
}

/// What this process holds in memory, where the system tells.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes << 10)
}

#[cfg(test)]
mod tests {
    use trireme_service::Text;

    use super::{Asked, Work};

    #[test]
    fn turns_go_through_all_texts_and_begin_again() {
        let texts: Vec<Text> = (0..5).map(|at: usize| Text::from(at.to_string())).collect();
        let asked = |turn| {
            let Work { alone, together, .. } = Work::of(Asked::Vectors, &texts, turn);
            alone.into_iter().chain(together).map(|(text, _)| text).collect::<Vec<_>>()
        };
        let all: Vec<String> = (0..3).flat_map(asked).collect();
        let expected: Vec<String> = (0..all.len()).map(|at| (at % 5).to_string()).collect();
        assert_eq!((all.len(), all), (3 * 48, expected));
    }
}
