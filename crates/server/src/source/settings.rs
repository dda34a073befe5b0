//! What the sources that use the network can be told.

use std::sync::Arc;
use std::time::Duration;

/// How far a download is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The file, by its path inside the model.
    pub file: &'a str,
    /// Bytes on disk, those of an earlier, broken transfer included.
    pub done: u64,
    /// Bytes in all, where the server said so.
    pub total: Option<u64>,
}

/// Told about every piece that arrives, on the downloading thread.
pub type OnProgress = Arc<dyn Fn(Progress<'_>) + Send + Sync>;

/// How to talk to a server. No environment variable is read: the caller sets what it wants.
#[derive(Clone)]
pub struct NetSettings {
    /// Sent as `Authorization: Bearer …`, to the configured server only.
    pub token: Option<String>,
    /// The longest wait for a connection.
    pub connect_timeout: Duration,
    /// The longest silence of a connected server.
    pub read_timeout: Duration,
    /// How many times in a row a broken transfer is taken up again; new bytes start the count anew.
    pub retries: u32,
    /// The rest before each of those.
    pub retry_pause: Duration,
    /// A proxy's address, such as `http://proxy:3128`.
    pub proxy: Option<String>,
    /// Who is told how far a download is.
    pub progress: Option<OnProgress>,
}

impl Default for NetSettings {
    fn default() -> Self {
        Self {
            token: None,
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            retries: 5,
            retry_pause: Duration::from_secs(1),
            proxy: None,
            progress: None,
        }
    }
}
