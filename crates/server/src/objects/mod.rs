//! Objects of S3, Google Cloud Storage and Azure, by addresses such as `s3://bucket/reviews.csv`.
//!
//! Credentials, regions and endpoints come from each platform's own variables (`AWS_…`, `GOOGLE_…`,
//! `AZURE_…`), or from where its machines find them. Requests go through this project's one client.

mod client;
mod platform;

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use object_store::buffered::BufWriter;
use object_store::path::Path as Key;
use object_store::{Error, GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt as _};
use tokio::io::AsyncWriteExt as _;
use trireme_domain::{Code, Fault};

use crate::durable::{sibling, unwritable};
use platform::Platform;

/// How often a transfer that breaks off is gone on with, each time it got somewhere.
const TRIES: u32 = 5;

/// Bytes that are handed on at once.
const PIECE: usize = 1 << 20;

/// Bytes of a part that an object is sent in, and of all parts that are on their way.
const PART: (u64, u64) = (10 << 20, 80 << 20);

/// Parts that an object may have: S3 takes 10,000.
const PARTS: u64 = 9_000;

/// What comes of an object.
type Pieces = BoxStream<'static, object_store::Result<Bytes>>;

/// An object, there or not.
#[derive(Clone)]
pub struct Object {
    store: Arc<dyn ObjectStore>,
    /// The address up to the key.
    root: String,
    key: Key,
}

/// As its address.
impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.root, self.key)
    }
}

impl Object {
    /// The object of an address; `None` where it is no address of an object.
    ///
    /// # Errors
    /// [`Code::InvalidRequest`] for an address without a bucket or a key, and
    /// [`Code::SourceMisconfigured`] where the platform's variables make no sense.
    pub fn at(address: &str) -> Option<Result<Self, Fault>> {
        let (scheme, rest) = address.split_once("://")?;
        let platform = Platform::of(scheme)?;
        Some(Self::in_bucket(platform, scheme, rest))
    }

    fn in_bucket(platform: Platform, scheme: &str, rest: &str) -> Result<Self, Fault> {
        let wrong = |why: &str| {
            let message = format!("{scheme}://{rest}: {why}; write {scheme}://bucket/key");
            Fault::new(Code::InvalidRequest, message)
        };
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() || key.is_empty() || key.ends_with('/') {
            return Err(wrong("a bucket or a key is missing"));
        }
        let key = Key::parse(key).map_err(|e| wrong(&e.to_string()))?;
        let root = format!("{scheme}://{bucket}/");
        let senseless = |why: &str| {
            let message = format!("{root} can't be reached with these settings: {why}");
            Fault::new(Code::SourceMisconfigured, message)
        };
        if let Some(name) = platform.unsendable() {
            return Err(senseless(&format!("{name} has a line break or a strange letter in it")));
        }
        let store =
            platform.bucket(bucket).map_err(|e| senseless(&without_secrets(&e.to_string())))?;
        Ok(Self { store, root, key })
    }

    /// Another object beside this one.
    #[must_use]
    pub fn beside(&self, name: &str) -> Self {
        let parts: Vec<_> = self.key.parts().collect();
        let folder = parts.iter().take(parts.len().saturating_sub(1)).cloned();
        let key = folder.collect::<Key>().join(name);
        Self { store: Arc::clone(&self.store), root: self.root.clone(), key }
    }

    /// The last part of its key.
    #[must_use]
    pub fn name(&self) -> String {
        self.key.filename().unwrap_or_default().to_owned()
    }

    /// How many bytes it has, if it is there.
    ///
    /// # Errors
    /// [`Code::SourceRefused`] and [`Code::SourceUnavailable`].
    pub async fn size(&self) -> Result<Option<u64>, Fault> {
        Ok(self.about().await?.map(|about| about.size))
    }

    async fn about(&self) -> Result<Option<ObjectMeta>, Fault> {
        match self.store.head(&self.key).await {
            Ok(about) => Ok(Some(about)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.unreachable(&error)),
        }
    }

    /// All of a small object, if it is there.
    ///
    /// # Errors
    /// As [`Self::size`].
    pub async fn read(&self) -> Result<Option<Bytes>, Fault> {
        let got = match self.store.get(&self.key).await {
            Ok(got) => got.bytes().await,
            Err(error) => Err(error),
        };
        match got {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.unreachable(&error)),
        }
    }

    /// Brings it into a file, which is there whole or not at all. What an earlier try brought of the
    /// same object is gone on with.
    ///
    /// # Errors
    /// [`Code::Unreadable`] where there is no such object or it changes meanwhile,
    /// [`Code::Unwritable`] of the file, and as [`Self::size`].
    pub async fn download(&self, to: &Path) -> Result<(), Fault> {
        let gone = || Fault::new(Code::Unreadable, format!("there is no {self}"));
        let about = self.about().await?.ok_or_else(gone)?;
        let (part, tag) = (sibling(to, ".part"), sibling(to, ".tag"));
        let unwritable = |e: io::Error| unwritable(to, &e);
        let known = format!("{}\n{}", about.size, about.e_tag.clone().unwrap_or_default());
        match fs::read_to_string(&tag).is_ok_and(|tag| tag == known) {
            true if to.exists() => return Ok(()),
            true => {}
            // What is there of another object goes before this one's tag comes.
            false => begin(to, &part, &tag, &known).map_err(unwritable)?,
        }
        let mut file =
            OpenOptions::new().create(true).append(true).open(&part).map_err(unwritable)?;
        self.fill(&about, &mut file, to).await?;
        file.sync_all().map_err(unwritable)?;
        match file.metadata().map_err(unwritable)?.len() == about.size {
            true => crate::publish(&part, to).map_err(unwritable),
            false => Err(self.changed()),
        }
    }

    /// Brings what a file lacks, however often the transfer breaks off, as long as it gets on.
    async fn fill(&self, about: &ObjectMeta, file: &mut File, to: &Path) -> Result<(), Fault> {
        let unwritable = |e: io::Error| unwritable(to, &e);
        let (mut tries, mut at) = (0, file.metadata().map_err(unwritable)?.len());
        while at < about.size {
            let before = at;
            match self.behind(about, at).await {
                Ok(mut pieces) => {
                    while let Some(Ok(piece)) = pieces.next().await {
                        file.write_all(&piece).map_err(unwritable)?;
                        at += piece.len() as u64;
                    }
                }
                Err(Error::Precondition { .. }) => return Err(self.changed()),
                Err(error) if tries + 1 == TRIES => return Err(self.unreachable(&error)),
                Err(_) => {}
            }
            tries = if at > before { 0 } else { tries + 1 };
            if tries == TRIES {
                let message = format!("{self} broke off {TRIES} times at byte {at}");
                return Err(Fault::new(Code::SourceUnavailable, message));
            }
        }
        Ok(())
    }

    /// What is behind so many of its bytes, if it is still the one that it was.
    async fn behind(&self, about: &ObjectMeta, bytes: u64) -> object_store::Result<Pieces> {
        let options = GetOptions {
            if_match: about.e_tag.clone(),
            range: Some(GetRange::Offset(bytes)),
            ..GetOptions::default()
        };
        Ok(self.store.get_opts(&self.key, options).await?.into_stream())
    }

    /// Writes a file into it, in pieces where it is large. It is there whole or as it was before.
    ///
    /// # Errors
    /// [`Code::Unreadable`] of the file, and as [`Self::size`].
    pub async fn upload(&self, from: &Path) -> Result<(), Fault> {
        let unreadable = |e: io::Error| {
            Fault::new(Code::Unreadable, format!("could not read {}: {e}", from.display()))
        };
        let mut file = File::open(from).map_err(unreadable)?;
        let (bytes, at_once) = parts(file.metadata().map_err(unreadable)?.len());
        let writer = BufWriter::with_capacity(Arc::clone(&self.store), self.key.clone(), bytes);
        let mut writer = writer.with_max_concurrency(at_once);
        let send = async {
            loop {
                let mut piece = Vec::with_capacity(PIECE);
                (&mut file).take(PIECE as u64).read_to_end(&mut piece).map_err(unreadable)?;
                if piece.is_empty() {
                    return Ok(());
                }
                writer.put(piece.into()).await.map_err(|e| self.unreachable(&e))?;
            }
        };
        if let Err(fault) = send.await {
            // Its pieces would be paid for; the first failure is the one worth telling.
            drop(writer.abort().await);
            return Err(fault);
        }
        let ended = writer.shutdown().await;
        ended.map_err(|e| match e.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
            Some(error) => self.unreachable(error),
            None => self.unreachable(&Error::Generic { store: "upload", source: e.into() }),
        })
    }

    /// Deletes it, if it is there.
    ///
    /// # Errors
    /// As [`Self::size`].
    pub async fn delete(&self) -> Result<(), Fault> {
        match self.store.delete(&self.key).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.unreachable(&error)),
        }
    }

    fn changed(&self) -> Fault {
        Fault::new(Code::Unreadable, format!("{self} changed while it was read; run again"))
    }

    fn unreachable(&self, error: &Error) -> Fault {
        let code = match error {
            Error::Unauthenticated { .. } | Error::PermissionDenied { .. } => Code::SourceRefused,
            _ => Code::SourceUnavailable,
        };
        Fault::new(code, format!("{self}: {}", without_secrets(&error.to_string())))
    }
}

/// Bytes of each part of an object of so many, and how many parts are on their way at once: few
/// where they are large, for each is held in memory.
fn parts(bytes: u64) -> (usize, usize) {
    let (least, all) = PART;
    let part = least.max(bytes.div_ceil(PARTS));
    (part as usize, (all / part).max(1) as usize)
}

/// Makes a new beginning: nothing of another object is taken for this one's, whenever one is killed.
fn begin(to: &Path, part: &Path, tag: &Path, known: &str) -> io::Result<()> {
    for path in [tag, to] {
        match fs::remove_file(path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
    }
    File::create(part)?.sync_all()?;
    fs::write(tag, known)
}

/// What a library says of an answer or a setting, without the answer's body and without what it
/// quotes: either may repeat a secret. A code that stands in a body is said.
fn without_secrets(said: &str) -> String {
    let unquoted = match (said.find('"'), said.rfind('"')) {
        (Some(from), Some(to)) if from < to => {
            format!("{}\"…\"{}", &said[..from], &said[to + 1..])
        }
        _ => said.to_owned(),
    };
    let end = unquoted.find(['<', '{', '\n']).unwrap_or(unquoted.len());
    let head = unquoted[..end].trim_end_matches([':', ' ']);
    let code = said.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    match code {
        Some((code, _)) => format!("{head}: {code}"),
        None => head.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_an_objects_or_somebody_elses_or_wrong() {
        for (address, expected) in [
            ("reviews.csv", None),
            ("/data/s3/reviews.csv", None),
            ("https://models.example/x", None),
            ("S3://shop/reviews.csv", None),
            ("s3://shop", Some(false)),
            ("s3:///reviews.csv", Some(false)),
            ("s3://shop/", Some(false)),
            ("s3://shop/today/", Some(false)),
            ("s3://shop/today//reviews.csv", Some(false)),
            ("s3://shop/today/reviews 1.csv", Some(true)),
        ] {
            let got = Object::at(address).map(|object| object.is_ok());
            assert_eq!(got, expected, "{address}");
        }
    }

    #[test]
    fn what_a_body_or_a_setting_says_is_not_repeated_but_for_a_code() {
        let body =
            "<?xml version=\"1.0\"?><Error><Code>ExpiredToken</Code><Token-0>planted</Token-0>";
        for (said, expected) in [
            (
                format!("Server returned 400 Bad Request: {body}"),
                "Server returned 400 Bad Request: ExpiredToken",
            ),
            ("it said: {\"error\": \"planted\"}".to_owned(), "it said"),
            (
                r#"invalid type: string "{\"key\": \"planted\"}", expected a map"#.to_owned(),
                "invalid type: string \"…\", expected a map",
            ),
            ("no answer in 3s".to_owned(), "no answer in 3s"),
        ] {
            assert_eq!(without_secrets(&said), expected);
        }
    }

    #[test]
    fn an_object_of_any_size_has_no_more_parts_than_it_may() {
        for (bytes, part, at_once) in [
            (0, 10 << 20, 8),
            (90_000 << 20, 10 << 20, 8),
            (360_000 << 20, 40 << 20, 2),
            (5 << 40, 610_839_794, 1),
        ] {
            assert_eq!(parts(bytes), (part, at_once), "{bytes} bytes");
            assert!(bytes.div_ceil(part as u64) <= PARTS, "{bytes} bytes");
        }
    }

    #[test]
    fn what_is_beside_an_object_is_in_its_folder() {
        for (address, expected) in [
            ("s3://shop/out.csv", "s3://shop/out.csv.manifest.json"),
            ("s3://shop/a b/c/out.csv", "s3://shop/a b/c/out.csv.manifest.json"),
        ] {
            let object = Object::at(address).unwrap().unwrap();
            assert_eq!(object.to_string(), address);
            assert_eq!(object.name(), "out.csv");
            assert_eq!(object.beside("out.csv.manifest.json").to_string(), expected);
        }
    }
}
