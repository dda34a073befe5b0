//! Progress on standard error: bars where a person looks, nothing where a program reads.

use std::sync::Arc;
use std::sync::Mutex;

use indicatif::{ProgressBar, ProgressStyle};
use trireme_server::source::{OnProgress, Progress};

use crate::output::Output;

/// A bar over texts; hidden where it is not wanted. Indicatif hides it off a terminal.
pub fn texts(output: Output, total: usize) -> ProgressBar {
    if output.quiet || output.json {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:32} {pos}/{len} texts, {per_sec}, {eta} left");
    ProgressBar::new(total as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// A bar over the rows of a file, some of which may be done.
pub fn rows(output: Output, done: u64, total: u64) -> ProgressBar {
    if output.quiet || output.json {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:32} {pos}/{len} rows, {per_sec}, {eta} left");
    let bar = ProgressBar::new(total).with_position(done);
    bar.reset_eta();
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// A bar over the steps of a training, some of which may be done.
pub fn steps(output: Output, done: usize, total: usize) -> ProgressBar {
    if output.quiet || output.json {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:32} step {pos}/{len}, {msg}, {eta} left");
    let bar = ProgressBar::new(total as u64).with_position(done as u64);
    bar.reset_eta();
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// A bar for each file that a source downloads.
pub fn downloads(output: Output) -> Option<OnProgress> {
    if output.quiet || output.json {
        return None;
    }
    let current: Mutex<Option<(String, ProgressBar)>> = Mutex::new(None);
    Some(Arc::new(move |progress: Progress<'_>| {
        let Ok(mut current) = current.lock() else { return };
        let same = current.as_ref().is_some_and(|(file, _)| file == progress.file);
        if !same {
            *current = Some((progress.file.to_owned(), download(progress)));
        }
        if let Some((_, bar)) = current.as_ref() {
            bar.set_position(progress.done);
            if progress.total == Some(progress.done) {
                bar.finish();
            }
        }
    }))
}

fn download(progress: Progress<'_>) -> ProgressBar {
    let template = "{msg} {bar:32} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left";
    let style = ProgressStyle::with_template(template);
    let bar = progress.total.map_or_else(ProgressBar::no_length, ProgressBar::new);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message(progress.file.to_owned());
    bar
}
