//! One router for every host: native, Worker and Spin all serve this.
//!
//! A handler decodes, asks the service, and encodes. Every fault, of whichever layer, gets the
//! status and the headers that its code declares; each convention says it in its own shape.

mod answer;
mod body;
mod call;
mod docs;
mod dress;
mod inputs;
mod invocations;
mod jobs;
#[doc(hidden)]
pub mod oip;
mod openai;
mod origin;
mod own;
mod pipeline;
mod predictions;
mod rerank;
mod route;
mod routes;
mod style;
mod tei;
#[cfg(test)]
mod tests;

pub use answer::{Coded, refused};
pub use body::Late;
pub use call::Caller;
pub use dress::{RequestId, cors};
pub use origin::Origin;
pub use routes::{router, routes};
pub use tei::Measure;
