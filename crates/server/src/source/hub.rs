//! A model of a hub, in the cache that Python's `huggingface_hub` shares.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use trireme_service::ports::{BoxFuture, ModelSource, SourceError};
use ureq::http::Uri;

use super::about::About;
use super::blocking::{Stop, off_runtime};
use super::client::Client;
use super::disk;
use super::hub_cache::{Cached, HubCache};
use super::hub_load::Load;
use super::settings::NetSettings;
use super::untrusted::address;
use super::untrusted::names::{is_commit, model_folder, relative_path};

/// What a [`Hub`] source is made of.
#[derive(Clone)]
pub struct HubSettings {
    /// `owner/name`, or `name` for the few models without an owner.
    pub id: String,
    /// A branch, a tag or a commit.
    pub revision: String,
    /// The hub's address.
    pub endpoint: String,
    /// The folder that `huggingface_hub` calls `cache_dir`.
    pub cache: PathBuf,
    /// Read the cache only; no socket opens.
    pub offline: bool,
    /// How to talk to the hub.
    pub net: NetSettings,
}

impl HubSettings {
    /// The model's `main` branch at huggingface.co, everything else as usual.
    pub fn new(id: impl Into<String>, cache: impl Into<PathBuf>) -> Self {
        Self {
            id: id.into(),
            revision: "main".to_owned(),
            endpoint: "https://huggingface.co".to_owned(),
            cache: cache.into(),
            offline: false,
            net: NetSettings::default(),
        }
    }
}

/// A model of a hub. One value is one load: its first answer fixes the commit that all of its
/// files come from, so make a new one to see a branch that moved.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

pub(super) struct Inner {
    place: String,
    pub revision: String,
    model: String,
    pub cache: HubCache,
    /// `None` is offline: what does not exist opens no socket.
    client: Option<Client>,
    /// The commit of this load, once it is known.
    pub commit: Mutex<Option<String>>,
}

impl Hub {
    /// A source for the settings; nothing is asked before the first `fetch`.
    ///
    /// # Errors
    /// [`SourceError::Misconfigured`] where the id, the revision, the endpoint, the proxy or the
    /// token can't be used.
    pub fn new(settings: HubSettings) -> Result<Self, SourceError> {
        let HubSettings { id, revision, endpoint, cache, offline, net } = settings;
        let place = format!("hub:{id}@{revision}");
        let wrong = |reason: &str| SourceError::Misconfigured {
            place: place.clone(),
            reason: reason.to_owned(),
        };
        let folder = model_folder(&id)
            .ok_or_else(|| wrong("a hub id is owner/name, of letters, digits, `-`, `_` and `.`"))?;
        if relative_path(&revision).is_none() {
            return Err(wrong("a revision is a branch, a tag or a commit, such as `main`"));
        }
        let model = format!("{}/{id}", address::base(&endpoint)?);
        let client = match offline {
            true => None,
            false => Some(Client::new(net, &place)?),
        };
        let commit = Mutex::new(is_commit(&revision).then(|| revision.clone()));
        let cache = HubCache::new(&cache, &folder);
        Ok(Self(Arc::new(Inner { place, revision, model, cache, client, commit })))
    }
}

impl ModelSource for Hub {
    fn fetch<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, SourceError>> {
        Box::pin(async move {
            let about = About { place: &self.0.place, file: name };
            let (source, file) = (Arc::clone(&self.0), name.to_owned());
            off_runtime(about, move |stop| source.fetch(&file, stop)).await
        })
    }

    fn describe(&self) -> String {
        self.0.place.clone()
    }
}

impl Inner {
    fn fetch(&self, file: &str, stop: &Stop) -> Result<Option<Bytes>, SourceError> {
        let about = About { place: &self.place, file };
        let relative = about.relative_path()?;
        let path = match &self.client {
            Some(client) => Load { source: self, client, about, file: &relative, stop }.path()?,
            None => self.cached(&relative, about)?,
        };
        match path {
            Some(path) => disk::read(&path).map_err(|error| about.io(error)),
            None => Ok(None),
        }
    }

    /// What the cache alone says about a file.
    pub fn cached(&self, file: &Path, about: About<'_>) -> Result<Option<PathBuf>, SourceError> {
        let commit = match is_commit(&self.revision) {
            true => Some(self.revision.clone()),
            false => self.cache.commit_of(&self.revision).map_err(|error| about.io(error))?,
        };
        match commit.map(|commit| self.cache.look(&commit, file)) {
            Some(Cached::Here(path)) => Ok(Some(path)),
            Some(Cached::Absent) => Ok(None),
            // That no process asked for the file yet does not say that the model lacks it.
            Some(Cached::Unknown) | None => Err(about.offline()),
        }
    }

    pub fn address(&self, revision: &str, about: About<'_>) -> Result<Uri, SourceError> {
        let revision = address::escape(revision, b"");
        let file = address::escape(about.file, b"/");
        let address = format!("{}/resolve/{revision}/{file}", self.model);
        address.parse().map_err(|error| about.io(error))
    }
}
