//! Files that are in memory already: a model built into the program, or a test's.

use std::collections::BTreeMap;

use crate::ports::{BoxFuture, ModelSource, SourceError};
use bytes::Bytes;

/// Named bytes.
///
/// ```
/// use trireme_service::Memory;
/// use trireme_service::ports::ModelSource;
///
/// let source = Memory::new("mine").with("config.json", &b"{}"[..]);
/// assert_eq!(source.describe(), "mine");
/// ```
#[derive(Debug, Clone, Default)]
pub struct Memory {
    name: String,
    files: BTreeMap<String, Bytes>,
}

impl Memory {
    /// A source without files; `name` is how a person would call it.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), files: BTreeMap::new() }
    }

    /// The same source with one more file.
    #[must_use]
    pub fn with(mut self, file: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        self.files.insert(file.into(), bytes.into());
        self
    }
}

impl ModelSource for Memory {
    fn fetch<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, SourceError>> {
        Box::pin(std::future::ready(Ok(self.files.get(name).cloned())))
    }

    fn describe(&self) -> String {
        self.name.clone()
    }
}
