//! Who may ask, and how often.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use trireme_domain::access::{Key, Keys, Scope, bearer};
use trireme_domain::rate::{Buckets, Rate, TooMuch};
use trireme_domain::{Code, Fault};
use trireme_http::{Caller, refused};

use super::Hosting;

/// Callers whose rate is remembered.
const CALLERS: usize = 100_000;

/// How often a look is taken at the key file.
const LOOK: Duration = Duration::from_secs(1);

/// The name of a key, for the log; it stands among a response's extensions.
#[derive(Clone)]
pub struct KeyName(pub String);

/// Who may ask, and how often.
#[derive(Clone)]
pub struct Guard(Arc<Inner>);

struct Inner {
    file: Option<PathBuf>,
    /// The file as it was when the host began.
    seen: Option<Stamp>,
    keys: RwLock<Keys>,
    rate: Option<Rate>,
    forwarded: bool,
    begun: Instant,
    buckets: Mutex<Buckets<Who>>,
}

/// Whose rate is counted.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Who {
    Key(String),
    Address(IpAddr),
}

impl Who {
    /// Whose what is left here is. An address is nobody's own.
    fn tenant(&self) -> &str {
        match self {
            Self::Key(tenant) => tenant,
            Self::Address(_) => "",
        }
    }
}

impl Guard {
    pub fn new(hosting: &Hosting) -> Result<Self, Fault> {
        // Before it is read: what changes meanwhile is then read again.
        let seen = hosting.keys.as_deref().and_then(stamp);
        let keys = match &hosting.keys {
            Some(file) => read(file)?,
            None => Keys::default(),
        };
        Ok(Self(Arc::new(Inner {
            file: hosting.keys.clone(),
            seen,
            keys: RwLock::new(keys),
            rate: hosting.rate,
            forwarded: hosting.forwarded,
            begun: Instant::now(),
            buckets: Mutex::new(Buckets::new(CALLERS)),
        })))
    }

    /// Reads the key file again whenever it changes. One that can't be read changes nothing.
    pub fn watch(&self) {
        let Some(file) = self.0.file.clone() else { return };
        let (guard, mut seen) = (Arc::downgrade(&self.0), self.0.seen);
        tokio::spawn(async move {
            while guard.strong_count() > 0 {
                tokio::time::sleep(LOOK).await;
                let now = stamp(&file);
                if now == seen {
                    continue;
                }
                seen = now;
                let Some(guard) = guard.upgrade() else { return };
                match read(&file) {
                    Ok(keys) => {
                        tracing::info!(keys = keys.keys.len(), "the key file was read again");
                        *guard.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
                    }
                    Err(fault) => tracing::error!(%fault, "the keys stay as they were"),
                }
            }
        });
    }

    /// Lets a request through, or answers it.
    pub async fn stand(self, mut request: Request, next: Next) -> Response {
        let scope = scope(request.method(), request.uri().path());
        let who = match self.check(&request, scope) {
            Ok(who) => who,
            Err(fault) => return refused(fault),
        };
        let owner = {
            let mut hasher = DefaultHasher::new();
            who.0.hash(&mut hasher);
            hasher.finish()
        };
        let tenant = who.0.tenant().into();
        request.extensions_mut().insert(Caller { owner, tenant });
        let mut response = next.run(request).await;
        if let Some(name) = who.1 {
            response.extensions_mut().insert(KeyName(name));
        }
        response
    }

    /// Whose rate counts, and the name of the key.
    fn check(
        &self,
        request: &Request,
        scope: Option<Scope>,
    ) -> Result<(Who, Option<String>), Fault> {
        let inner = &self.0;
        let address = Who::Address(self.address(request));
        let Some(scope) = scope else { return Ok((address, None)) };
        let (who, name, rate) = match (&inner.file, scope) {
            (None, Scope::Admin) => {
                let message = "admin routes need a key file; start the host with --keys";
                return Err(Fault::new(Code::Forbidden, message));
            }
            (None, _) => (address, None, inner.rate),
            (Some(_), _) => {
                let key = self.key(request.headers(), scope)?;
                let rate = key.rate.or(inner.rate);
                (Who::Key(key.tenant), Some(key.name), rate)
            }
        };
        if let Some(rate) = rate.filter(|_| scope == Scope::Infer) {
            let mut buckets = inner.buckets.lock().unwrap_or_else(PoisonError::into_inner);
            buckets.take(who.clone(), rate, inner.begun.elapsed(), 1.0).map_err(too_often)?;
        }
        Ok((who, name))
    }

    fn key(&self, headers: &HeaderMap, scope: Scope) -> Result<Key, Fault> {
        let of = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let secret =
            of(header::AUTHORIZATION.as_str()).and_then(bearer).or_else(|| of("x-api-key"));
        let secret = secret.ok_or_else(|| {
            let message = "this host wants an API key: `authorization: Bearer …`";
            Fault::new(Code::Unauthorized, message)
        })?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
        let keys = self.0.keys.read().unwrap_or_else(PoisonError::into_inner);
        let key = keys.find(secret, now).ok_or_else(|| {
            Fault::new(Code::Unauthorized, "this API key is unknown here, or has expired")
        })?;
        if !key.may(scope) {
            let message = format!("the key {:?} lacks the scope {scope:?}", key.name);
            return Err(Fault::new(Code::Forbidden, message.to_lowercase()));
        }
        Ok(key.clone())
    }

    fn address(&self, request: &Request) -> IpAddr {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::from([0, 0, 0, 0]), |ConnectInfo(from)| from.ip());
        if !self.0.forwarded {
            return peer;
        }
        // The last is what the proxy itself saw; what stands before it anybody may have written, and
        // a proxy may have added a line of its own to theirs.
        let line = request.headers().get_all("x-forwarded-for").iter().next_back();
        let last = line.and_then(|line| line.to_str().ok()?.rsplit(',').next());
        last.and_then(|address| address.trim().parse().ok()).unwrap_or(peer)
    }
}

/// What a route asks of a key; nothing, where it is for everybody.
fn scope(method: &Method, path: &str) -> Option<Scope> {
    const OPEN: &[&str] = &["/", "/ping", "/ready", "/openapi.json", "/v2"];
    let under = |root: &str| path == root || path.starts_with(&format!("{root}/"));
    let open = || {
        let looks = matches!(*method, Method::GET | Method::HEAD);
        // What is sent to an open path is work like any other.
        looks && (OPEN.contains(&path) || ["/health", "/docs", "/v2/health"].into_iter().any(under))
    };
    match path {
        "/metrics" => Some(Scope::Metrics),
        _ if under("/admin") => Some(Scope::Admin),
        _ if open() => None,
        _ => Some(Scope::Infer),
    }
}

fn too_often(refused: TooMuch) -> Fault {
    let fault = Fault::new(Code::RateLimited, refused.to_string());
    match refused.retry_after() {
        Some(after) => fault.after(after),
        None => fault,
    }
}

/// When a file was changed, and its bytes: a system's clock may not tell two changes apart.
type Stamp = (SystemTime, u64);

fn stamp(file: &Path) -> Option<Stamp> {
    let about = std::fs::metadata(file).ok()?;
    Some((about.modified().ok()?, about.len()))
}

/// The keys of a file.
pub fn read(file: &Path) -> Result<Keys, Fault> {
    let fault = |code, reason: &dyn std::fmt::Display| {
        Fault::new(code, format!("the key file {}: {reason}", file.display()))
    };
    let text = std::fs::read_to_string(file).map_err(|e| fault(Code::Unreadable, &e))?;
    // The parser would quote the line, which may hold what should not be seen.
    let keys: Keys = toml::from_str(&text).map_err(|e| fault(Code::InvalidData, &e.message()))?;
    keys.check().map_err(|e| fault(Code::InvalidData, &e))?;
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_has_its_scope() {
        for (method, path, expected) in [
            (Method::GET, "/", None),
            (Method::HEAD, "/", None),
            (Method::POST, "/", Some(Scope::Infer)),
            (Method::GET, "/health", None),
            (Method::GET, "/health/live", None),
            (Method::GET, "/v2/health/ready", None),
            (Method::GET, "/docs", None),
            (Method::GET, "/docs/page.js", None),
            (Method::GET, "/metrics", Some(Scope::Metrics)),
            (Method::PUT, "/admin/log", Some(Scope::Admin)),
            (Method::GET, "/admin", Some(Scope::Admin)),
            (Method::POST, "/predict", Some(Scope::Infer)),
            (Method::POST, "/v1/embeddings", Some(Scope::Infer)),
            (Method::POST, "/v2/models/default/infer", Some(Scope::Infer)),
            (Method::POST, "/jobs", Some(Scope::Infer)),
            (Method::DELETE, "/jobs/1", Some(Scope::Infer)),
            (Method::GET, "/healthy", Some(Scope::Infer)),
            (Method::GET, "/administration", Some(Scope::Infer)),
        ] {
            assert_eq!(scope(&method, path), expected, "{method} {path}");
        }
    }
}
