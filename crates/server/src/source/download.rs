//! One file over HTTP into a part file, taken up again where a transfer broke.

use std::io::{self, Read};
use std::path::Path;

use trireme_service::ports::SourceError;
use ureq::Body;
use ureq::http::header::{
    CONTENT_RANGE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH, IF_RANGE, RANGE,
};
use ureq::http::{Method, Response, Uri};

use super::about::About;
use super::blocking::Stop;
use super::client::{Client, NetError};
use super::part::Part;
use super::settings::Progress;
use super::untrusted::headers::{ContentRange, content_length, text};

const CHUNK: usize = 64 << 10;

/// What to fetch, and where to.
pub(super) struct Download<'a> {
    pub client: &'a Client,
    pub about: About<'a>,
    pub address: &'a Uri,
    pub part: &'a Path,
    /// The version that the cache holds, which need not come again.
    pub have: Option<&'a str>,
    /// The size that was promised elsewhere.
    pub size: Option<u64>,
    /// Whether offline mode would find the file.
    pub cached: bool,
    pub stop: &'a Stop,
}

/// How a download ended.
pub(super) enum Outcome {
    /// The part file is whole and synced.
    Complete { etag: Option<String> },
    /// The version that the cache holds is the current one.
    NotModified,
    /// The server has no such file.
    Absent,
}

/// Why an attempt ended without an outcome.
enum Fault {
    Final(SourceError),
    /// Another attempt may bring the rest.
    Broken(String),
}

impl Download<'_> {
    pub fn run(&self) -> Result<Outcome, SourceError> {
        let mut part = Part::open(self.part).map_err(|error| self.about.io(error))?;
        let mut furthest = part.len();
        let mut left = self.client.retries();
        // A server that never answered is not worth waiting for; one that broke off is.
        let mut answered = false;
        loop {
            let why = match self.attempt(&mut part, &mut answered) {
                Ok(outcome) => return Ok(outcome),
                Err(Fault::Final(error)) => return Err(error),
                Err(Fault::Broken(why)) => why,
            };
            if part.len() > furthest {
                furthest = part.len();
                left = self.client.retries();
            }
            left = left.checked_sub(1).ok_or_else(|| self.gave_up(furthest, &why))?;
            self.stop.check(self.about)?;
            std::thread::sleep(self.client.retry_pause());
        }
    }

    fn gave_up(&self, furthest: u64, why: &str) -> SourceError {
        let retries = self.client.retries();
        let reason = format!(
            "the transfer broke after {furthest} bytes and {retries} more attempts in a row \
             brought nothing new ({why})"
        );
        self.about.unreachable(reason, self.cached)
    }

    fn attempt(&self, part: &mut Part, answered: &mut bool) -> Result<Outcome, Fault> {
        let response = match self.ask(part) {
            Ok(response) => response,
            Err(error) if *answered => return Err(Fault::Broken(error.to_string())),
            Err(error) => return Err(Fault::Final(self.about.unreachable(error, self.cached))),
        };
        let retry = std::mem::replace(answered, true);
        match response.status().as_u16() {
            200 => self.receive_all(response, part),
            206 => self.receive_rest(response, part),
            304 if self.have.is_some() => Ok(Outcome::NotModified),
            404 | 410 => Ok(Outcome::Absent),
            416 if part.resumable().is_some() => self.beyond_the_end(&response, part),
            status @ (408 | 429 | 500..) if retry => Err(Fault::Broken(format!("HTTP {status}"))),
            status => Err(Fault::Final(self.about.refused(status))),
        }
    }

    fn ask(&self, part: &Part) -> Result<Response<Body>, NetError> {
        let mut headers = HeaderMap::new();
        let mut set = |name: HeaderName, value: &str| -> Result<(), NetError> {
            let value = HeaderValue::from_str(value).map_err(ureq::http::Error::from)?;
            headers.insert(name, value);
            Ok(())
        };
        if let Some(etag) = self.have {
            set(IF_NONE_MATCH, etag)?;
        }
        if let Some(etag) = part.resumable() {
            set(RANGE, &format!("bytes={}-", part.len()))?;
            set(IF_RANGE, etag)?;
        }
        self.client.send(&Method::GET, self.address, &headers, |_| true)
    }

    fn receive_all(&self, response: Response<Body>, part: &mut Part) -> Result<Outcome, Fault> {
        part.restart(text(response.headers(), ETAG)).map_err(|error| self.disk(error))?;
        let total = content_length(response.headers());
        self.receive(response, part, total)
    }

    fn receive_rest(&self, response: Response<Body>, part: &mut Part) -> Result<Outcome, Fault> {
        let headers = response.headers();
        let total = match range(headers) {
            Some(ContentRange::Part { first, total, .. })
                if first == part.len() && is_same(headers, part) =>
            {
                total.or(self.size)
            }
            _ => None,
        };
        // A rest whose end nobody names could stop anywhere and pass for whole.
        if total.is_none() {
            part.restart(None).map_err(|error| self.disk(error))?;
            let why = "the server sent another part than was asked for, or one without an end";
            return Err(Fault::Broken(why.to_owned()));
        }
        self.receive(response, part, total)
    }

    /// The part file reaches as far as the remote file, or it is no beginning of that file.
    fn beyond_the_end(&self, response: &Response<Body>, part: &mut Part) -> Result<Outcome, Fault> {
        let headers = response.headers();
        let whole = Some(ContentRange::Beyond { total: part.len() });
        if range(headers) == whole && is_same(headers, part) {
            return self.complete(part);
        }
        part.restart(None).map_err(|error| self.disk(error))?;
        Err(Fault::Broken("the server has fewer bytes than an earlier transfer brought".into()))
    }

    fn receive(
        &self,
        response: Response<Body>,
        part: &mut Part,
        total: Option<u64>,
    ) -> Result<Outcome, Fault> {
        if let (Some(size), Some(total)) = (self.size, total)
            && size != total
        {
            return Err(self.damaged(size, total));
        }
        let total = total.or(self.size);
        self.copy(response, part, total)?;
        match total {
            Some(total) if part.len() < total => {
                Err(Fault::Broken(format!("the server closed before byte {total}")))
            }
            Some(total) if part.len() > total => Err(self.damaged(total, part.len())),
            _ => self.complete(part),
        }
    }

    fn copy(
        &self,
        response: Response<Body>,
        part: &mut Part,
        total: Option<u64>,
    ) -> Result<(), Fault> {
        let mut body = response.into_body().into_reader();
        let mut chunk = vec![0; CHUNK];
        loop {
            let read = body.read(&mut chunk).map_err(|error| Fault::Broken(error.to_string()))?;
            if read == 0 {
                return Ok(());
            }
            part.append(&chunk[..read]).map_err(|error| self.disk(error))?;
            self.client.report(Progress { file: self.about.file, done: part.len(), total });
            self.stop.check(self.about).map_err(Fault::Final)?;
        }
    }

    fn complete(&self, part: &Part) -> Result<Outcome, Fault> {
        part.sync().map_err(|error| self.disk(error))?;
        Ok(Outcome::Complete { etag: part.etag().map(str::to_owned) })
    }

    fn damaged(&self, expected: u64, got: u64) -> Fault {
        match Part::remove(self.part) {
            Ok(()) => Fault::Final(self.about.wrong_size(expected, got)),
            Err(error) => self.disk(error),
        }
    }

    fn disk(&self, error: io::Error) -> Fault {
        Fault::Final(self.about.io(error))
    }
}

fn range(headers: &HeaderMap) -> Option<ContentRange> {
    text(headers, CONTENT_RANGE).and_then(ContentRange::parse)
}

/// Whether the answer is about the version that the part file began with, as far as it says.
fn is_same(headers: &HeaderMap, part: &Part) -> bool {
    let etag = headers.get(ETAG).map(HeaderValue::as_bytes);
    etag.is_none() || etag == part.resumable().map(str::as_bytes)
}
