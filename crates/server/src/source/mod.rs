//! Where model files come from on a native host: adapters of the service's [`ModelSource`].
//!
//! [`Folder`] is local; [`Http`] and [`Hub`] share one download machinery and keep
//! a cache. File and network work runs on tokio's blocking threads, so `fetch` needs a runtime.
//!
//! [`ModelSource`]: trireme_service::ports::ModelSource

mod about;
mod blocking;
mod client;
mod disk;
mod download;
mod folder;
mod http;
mod hub;
mod hub_cache;
mod hub_head;
mod hub_load;
mod part;
mod settings;
pub mod untrusted;

pub use folder::Folder;
pub use http::{Http, HttpSettings};
pub use hub::{Hub, HubSettings};
pub use settings::{NetSettings, OnProgress, Progress};
