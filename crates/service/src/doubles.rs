//! What tests bring where a host brings a port.

use std::future::ready;
use std::sync::{Mutex, PoisonError};

use trireme_domain::{Code, Fault};

use crate::Token;
use crate::ports::{BoxFuture, Reads};
use crate::records::{Entry, Found, Ledger};

/// A reader to whom all texts are empty.
pub struct Reader;

impl Reads for Reader {
    fn max_tokens(&self) -> usize {
        16
    }

    fn tokens(&self, _: &str, _: Option<&str>, _: bool) -> Result<Vec<Token>, Fault> {
        Ok(Vec::new())
    }

    fn text(&self, _: &[u32], _: bool) -> Result<String, Fault> {
        Ok(String::new())
    }
}

/// Records that are kept, and that nobody finds again.
#[derive(Default)]
pub struct Shelf {
    pub kept: Mutex<Vec<Entry>>,
    stuck: bool,
}

impl Shelf {
    /// One that can't be swept.
    pub fn stuck() -> Self {
        Self { stuck: true, ..Self::default() }
    }
}

impl Ledger for Shelf {
    fn now(&self) -> f64 {
        0.0
    }

    fn keep(&self, entries: Vec<Entry>) -> BoxFuture<'_, Result<(), Fault>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).extend(entries);
        Box::pin(ready(Ok(())))
    }

    fn read<'a>(&'a self, _: &'a str, _: &'a str) -> BoxFuture<'a, Found> {
        Box::pin(ready(Ok(None)))
    }

    fn forget<'a>(&'a self, _: &'a str, _: &'a str) -> BoxFuture<'a, Result<bool, Fault>> {
        Box::pin(ready(Ok(false)))
    }

    fn sweep(&self) -> BoxFuture<'_, Result<(), Fault>> {
        let stuck = || Fault::new(Code::Unwritable, "as it was told");
        Box::pin(ready(if self.stuck { Err(stuck()) } else { Ok(()) }))
    }
}
