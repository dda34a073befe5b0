//! A model's files under a web address, kept in a cache.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use trireme_service::ports::{BoxFuture, ModelSource, SourceError};

use super::about::About;
use super::blocking::{Stop, off_runtime};
use super::client::Client;
use super::disk::{self, sibling};
use super::download::{Download, Outcome};
use super::part::Part;
use super::settings::NetSettings;
use super::untrusted::{address, names};

/// What an [`Http`] source is made of.
#[derive(Clone)]
pub struct HttpSettings {
    /// The address that a file's name is added to.
    pub base: String,
    /// The folder that downloads are kept in.
    pub cache: PathBuf,
    /// Read the cache only; no socket opens.
    pub offline: bool,
    /// How to talk to the server.
    pub net: NetSettings,
}

impl HttpSettings {
    /// `base` with everything else as usual.
    pub fn new(base: impl Into<String>, cache: impl Into<PathBuf>) -> Self {
        let (base, cache) = (base.into(), cache.into());
        Self { base, cache, offline: false, net: NetSettings::default() }
    }
}

/// Files of a web server. A cached file is asked for again with its etag, so an unchanged one
/// costs one short answer; a server without etags sends every file at every load.
#[derive(Clone)]
pub struct Http(Arc<Inner>);

struct Inner {
    base: String,
    folder: PathBuf,
    /// `None` is offline: what does not exist opens no socket.
    client: Option<Client>,
}

impl Http {
    /// A source for the settings; nothing is asked before the first `fetch`.
    ///
    /// # Errors
    /// [`SourceError::Misconfigured`] where the address, the proxy or the token can't be used.
    pub fn new(settings: HttpSettings) -> Result<Self, SourceError> {
        let base = address::base(&settings.base)?;
        // Two addresses in one cache must not share files.
        let key = hex::encode(Sha256::digest(&base));
        let client = match settings.offline {
            true => None,
            false => Some(Client::new(settings.net, &base)?),
        };
        Ok(Self(Arc::new(Inner { folder: settings.cache.join(key), base, client })))
    }
}

impl ModelSource for Http {
    fn fetch<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, SourceError>> {
        Box::pin(async move {
            let about = About { place: &self.0.base, file: name };
            let (source, file) = (Arc::clone(&self.0), name.to_owned());
            off_runtime(about, move |stop| source.fetch(&file, stop)).await
        })
    }

    fn describe(&self) -> String {
        self.0.base.clone()
    }
}

impl Inner {
    fn fetch(&self, file: &str, stop: &Stop) -> Result<Option<Bytes>, SourceError> {
        let about = About { place: &self.base, file };
        let slot = Slot { file: self.folder.join(about.relative_path()?) };
        let there = match &self.client {
            Some(client) => self.refresh(client, &slot, about, stop)?,
            None => slot.known().ok_or_else(|| about.offline())?,
        };
        if !there {
            return Ok(None);
        }
        disk::read(&slot.file).map_err(|error| about.io(error))
    }

    /// Brings the slot up to date and says whether the server has the file.
    fn refresh(
        &self,
        client: &Client,
        slot: &Slot,
        about: About<'_>,
        stop: &Stop,
    ) -> Result<bool, SourceError> {
        let _lock = disk::lock(&slot.path(".lock"), about, stop)?;
        let address = format!("{}/{}", self.base, address::escape(about.file, b"/"));
        let address = address.parse().map_err(|error| about.io(error))?;
        let have = slot.etag().map_err(|error| about.io(error))?;
        let download = Download {
            client,
            about,
            address: &address,
            part: &slot.path(".part"),
            have: have.as_deref(),
            size: None,
            cached: slot.file.is_file(),
            stop,
        };
        let kept = match download.run()? {
            Outcome::NotModified => return Ok(true),
            Outcome::Absent => slot.forget().map(|()| false),
            Outcome::Complete { etag } => slot.keep(etag.as_deref()).map(|()| true),
        };
        kept.map_err(|error| about.io(error))
    }
}

/// One file's place in the cache, with what is known about it beside it.
struct Slot {
    file: PathBuf,
}

impl Slot {
    fn path(&self, suffix: &str) -> PathBuf {
        sibling(&self.file, suffix)
    }

    /// Whether the server has the file, as far as the cache knows.
    fn known(&self) -> Option<bool> {
        if self.file.is_file() {
            return Some(true);
        }
        self.path(".absent").is_file().then_some(false)
    }

    fn etag(&self) -> std::io::Result<Option<String>> {
        if !self.file.is_file() {
            return Ok(None);
        }
        let kept = disk::read(&self.path(".etag"))?;
        Ok(kept.and_then(|kept| names::etag(&kept).map(str::to_owned)))
    }

    /// Makes the finished part file the cached one. Its etag is written last: a crash in between
    /// costs a download, and never ties an etag to another version's bytes.
    fn keep(&self, etag: Option<&str>) -> std::io::Result<()> {
        disk::remove(&self.path(".etag"))?;
        disk::publish(&self.path(".part"), &self.file)?;
        Part::remove(&self.path(".part"))?;
        disk::remove(&self.path(".absent"))?;
        etag.map_or(Ok(()), |etag| disk::write_whole(&self.path(".etag"), etag.as_bytes()))
    }

    fn forget(&self) -> std::io::Result<()> {
        disk::remove(&self.path(".etag"))?;
        disk::remove(&self.file)?;
        Part::remove(&self.path(".part"))?;
        disk::write_whole(&self.path(".absent"), b"")
    }
}
