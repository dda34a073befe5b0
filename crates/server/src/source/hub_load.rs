//! One file of a hub, found or brought into the cache.

use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use trireme_service::ports::SourceError;

use super::about::About;
use super::blocking::Stop;
use super::client::Client;
use super::disk::{self, sibling};
use super::download::{Download, Outcome};
use super::hub::Inner;
use super::hub_cache::Cached;
use super::hub_head::{Head, ask};
use super::part::Part;
use super::untrusted::headers::Remote;
use crate::durable;

/// The search for one file, online.
pub(super) struct Load<'a> {
    pub source: &'a Inner,
    pub client: &'a Client,
    pub about: About<'a>,
    pub file: &'a Path,
    pub stop: &'a Stop,
}

impl Load<'_> {
    pub fn path(&self) -> Result<Option<PathBuf>, SourceError> {
        let (commit, head) = self.commit()?;
        let Some(commit) = commit else { return Ok(None) };
        // A commit never changes, so what is known about it needs no asking.
        match self.source.cache.look(&commit, self.file) {
            Cached::Here(path) => return Ok(Some(path)),
            Cached::Absent => return Ok(None),
            Cached::Unknown => {}
        }
        let head = match head {
            Some(head) => head,
            None => self.head(&commit)?,
        };
        match head.remote {
            Some(remote) => self.take(&commit, &remote).map(Some),
            None => self.remember_absent(&commit),
        }
    }

    /// The commit of this load. The first file to ask settles it while others wait, and gets the
    /// hub's whole answer; only a hub that has no such file may leave it open.
    fn commit(&self) -> Result<(Option<String>, Option<Head>), SourceError> {
        let mut settled = self.source.commit.lock().unwrap_or_else(PoisonError::into_inner);
        if settled.is_some() {
            return Ok((settled.clone(), None));
        }
        let revision = &self.source.revision;
        let head = self.head(revision)?;
        let Some(commit) = head.commit.clone() else { return Ok((None, Some(head))) };
        let remembered = self.source.cache.remember_commit(revision, &commit);
        remembered.map_err(|error| self.about.io(error))?;
        *settled = Some(commit.clone());
        Ok((Some(commit), Some(head)))
    }

    fn head(&self, revision: &str) -> Result<Head, SourceError> {
        let address = self.source.address(revision, self.about)?;
        ask(self.client, &address, self.about, || self.is_cached())
    }

    /// Whether offline mode would find the file.
    fn is_cached(&self) -> bool {
        matches!(self.source.cached(self.file, self.about), Ok(Some(_)))
    }

    fn remember_absent(&self, commit: &str) -> Result<Option<PathBuf>, SourceError> {
        // Only a saving: a cache that can't be written to is asked about at the next load.
        let _ = self.source.cache.remember_absent(commit, self.file);
        Ok(None)
    }

    /// Brings a blob into the cache, unless another commit or process did, and links it.
    fn take(&self, commit: &str, remote: &Remote) -> Result<PathBuf, SourceError> {
        let cache = &self.source.cache;
        let _lock = cache.lock(&remote.etag, self.about, self.stop)?;
        let blob = cache.blob(&remote.etag);
        if !blob.is_file() {
            self.download(commit, remote, &blob)?;
        }
        cache.link(commit, self.file, &remote.etag).map_err(|error| self.about.io(error))
    }

    fn download(&self, commit: &str, remote: &Remote, blob: &Path) -> Result<(), SourceError> {
        let part = sibling(blob, ".incomplete");
        disk::create_parent(&part).map_err(|error| self.about.io(error))?;
        let download = Download {
            client: self.client,
            about: self.about,
            address: &self.source.address(commit, self.about)?,
            part: &part,
            have: None,
            size: remote.size,
            cached: false,
            stop: self.stop,
        };
        match download.run()? {
            Outcome::Complete { .. } => {}
            Outcome::NotModified => return Err(self.about.refused(304)),
            Outcome::Absent => return Err(self.about.refused(404)),
        }
        self.verify(&part, remote)?;
        let kept = disk::publish(&part, blob).and_then(|()| Part::remove(&part));
        kept.map_err(|error| self.about.io(error))
    }

    /// Large files are named by their SHA-256; small ones by git's own digest, which is SHA-1.
    fn verify(&self, part: &Path, remote: &Remote) -> Result<(), SourceError> {
        let Some(expected) = remote.sha256() else { return Ok(()) };
        let got = durable::sha256(part).map_err(|error| self.about.io(error))?;
        if got == expected {
            return Ok(());
        }
        Part::remove(part).map_err(|error| self.about.io(error))?;
        Err(self.about.damaged(format_args!("sha256 {expected}"), format_args!("sha256 {got}")))
    }
}
