//! `trireme batch`: a table in, the same table with answers out.
//!
//! A thread reads ahead, the model answers, a thread writes: the model waits for no disk. What is
//! done is kept in parts, so that a run that is cut short goes on where it was. Tables in object
//! stores are worked on as files.

mod answer;
pub mod args;
mod files;
mod join;
mod merge;
mod plan;
mod read;
mod remote;
mod said;
mod summary;
mod work;
mod write;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc::{Receiver, Sender, channel};
use trireme_domain::admission::Admission;
use trireme_domain::batch::Manifest;
use trireme_domain::batching::Batching;
use trireme_domain::{Code, Fault};
use trireme_server::{ModelSettings, Opened, Queue};

use crate::host;
use crate::output::Output;
use crate::progress;
use answer::{Answered, Asked, answer};
use args::{Batch, Other};
use files::Files;
use plan::Plan;
use read::Part;
use remote::Stage;
use summary::{Pace, Summary};
use work::{Begun, Work};

/// Parts that are answered at once: while the last texts of one run, the first of the next do.
const AT_ONCE: usize = 2;

/// Answers a table, or puts shards together.
pub async fn run(args: Batch, settings: &ModelSettings, output: Output) -> Result<(), Fault> {
    match (args.other, args.input, args.output) {
        (Some(Other::Merge(merged)), ..) => merge::run(merged, args.work.as_deref(), output).await,
        (None, Some(from), Some(to)) => {
            let shard = files::shard(args.share)?;
            let tables = [from.as_path(), to.as_path()];
            let stage = Stage::new(&tables, &shard.to_string(), args.work.as_deref())?;
            let (from, to) = (stage.input(&from).await?, stage.output(&to)?);
            let files = Files::new(&from, &to, &args.wanted, args.share)?;
            let opened = host::open(&unhurried(settings), output).await?;
            let asked = Asked::new(&args.wanted, &opened).await?;
            let plan = Plan::new(files, args.wanted, args.part_rows, &asked)?;
            answer_table(&plan, stage, asked, args.restart, &opened, output).await
        }
        _ => Err(Fault::new(Code::InvalidRequest, "say which table to read and which to write")),
    }
}

async fn answer_table(
    plan: &Plan,
    stage: Stage,
    asked: Asked,
    restart: bool,
    opened: &Opened,
    output: Output,
) -> Result<(), Fault> {
    let begun = Instant::now();
    let origin = &opened.served.identity.origin;
    let files = &plan.files;
    let shown = stage.shown(&files.output);
    let wanted = plan.manifest(&asked)?;
    let done = |manifest: &Manifest| {
        output.note(&format!("{} is done already", shown.display()));
        Summary::new(&shown, manifest, None, Some(origin)).say(output)
    };
    let work = match Work::begin(files, wanted.clone(), restart)? {
        // Done here, and perhaps not delivered yet.
        Begun::Done(manifest) => {
            stage.deliver(&files.output, &manifest).await?;
            return done(&manifest);
        }
        Begun::Goes(work) => work,
    };
    // Nothing is begun before it is known that nobody else's output is there.
    if work.manifest().parts.is_empty() {
        match stage.done(&files.output, &wanted, restart).await {
            Ok(None) => {}
            delivered => {
                drop(work);
                stage.clear()?;
                return delivered?.map_or(Ok(()), |manifest| done(&manifest));
            }
        }
    }
    let before = work.manifest().counts();
    if before.rows() > 0 {
        output.note(&format!("{} rows are done already", before.rows()));
    }
    let work = through(plan, work, Arc::new(asked), output).await?;
    files.unchanged()?;
    let manifest = work.finish(plan)?;
    let took = begun.elapsed();
    if manifest.counts().cut > 0 {
        let (cut, most) = (manifest.counts().cut, opened.model.reader().max_tokens());
        output.note(&format!("{cut} texts were cut; the model sees {most} tokens at most"));
    }
    let pace = Pace {
        rows: manifest.counts().rows() - before.rows(),
        tokens: manifest.counts().tokens - before.tokens,
        took,
    };
    stage.deliver(&files.output, &manifest).await?;
    Summary::new(&shown, &manifest, Some(pace), Some(origin)).say(output)
}

/// Nobody waits for any one text, so many run together and all may wait.
fn unhurried(settings: &ModelSettings) -> ModelSettings {
    let most = usize::MAX / 2;
    let queue = Queue {
        admission: Admission { texts: most, tokens: most },
        batching: Batching { max_texts: 512, max_tokens: 8192, ..Batching::default() },
        ..settings.queue
    };
    ModelSettings { queue, ..settings.clone() }
}

/// Reads, answers and writes what is left to do.
async fn through(
    plan: &Plan,
    work: Work,
    asked: Arc<Asked>,
    output: Output,
) -> Result<Work, Fault> {
    let rows = work.manifest().rest();
    let (parts, read) = channel(1);
    let (answers, answered) = channel(1);
    let reading = plan.clone();
    let reader = tokio::task::spawn_blocking(move || read::parts(&reading, rows, &parts));
    let writing = plan.clone();
    let writer = tokio::task::spawn_blocking(move || write_all(&writing, work, answered, output));
    let ended = answer_all(read, answers, asked).await;
    // The writer is waited for in any case: what it holds is done.
    let work = writer.await.map_err(|e| broken(&e))??;
    ended?;
    reader.await.map_err(|e| broken(&e))?;
    match work.manifest().is_done() {
        true => Ok(work),
        false => Err(Fault::new(Code::Unreadable, "the input ended before its last row")),
    }
}

fn broken(error: &tokio::task::JoinError) -> Fault {
    Fault::new(Code::Internal, error.to_string())
}

/// Answers parts, several at once, and hands them on in order.
async fn answer_all(
    mut parts: Receiver<Result<Part, Fault>>,
    answers: Sender<Answered>,
    asked: Arc<Asked>,
) -> Result<(), Fault> {
    let mut under_way = VecDeque::new();
    loop {
        while under_way.len() < AT_ONCE
            && let Some(part) = parts.recv().await
        {
            under_way.push_back(tokio::spawn(answer(part?, Arc::clone(&asked))));
        }
        let Some(next) = under_way.pop_front() else { return Ok(()) };
        // A writer that left says itself why.
        if answers.send(next.await.map_err(|e| broken(&e))??).await.is_err() {
            return Ok(());
        }
    }
}

fn write_all(
    plan: &Plan,
    mut work: Work,
    mut answered: Receiver<Answered>,
    output: Output,
) -> Result<Work, Fault> {
    let Manifest { input, shard, .. } = work.manifest();
    let rows = shard.rows(input.rows);
    let done = work.manifest().rest().start - rows.start;
    let bar = progress::rows(output, done, rows.end - rows.start);
    while let Some(part) = answered.blocking_recv() {
        let rows = part.end - part.start;
        work.add(plan, &part)?;
        bar.inc(rows);
    }
    bar.finish_and_clear();
    Ok(work)
}

/// The path with `suffix` added to its file name.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Where a run's record is kept once all is done.
fn manifest_of(output: &Path) -> PathBuf {
    beside(output, ".manifest.json")
}

/// Where the rows are that have no answer.
fn rejects_of(output: &Path) -> PathBuf {
    beside(output, ".rejected.jsonl")
}

/// That a file could not be written.
fn unwritable(path: &Path, error: &std::io::Error) -> Fault {
    Fault::new(Code::Unwritable, format!("could not write {}: {error}", path.display()))
}
