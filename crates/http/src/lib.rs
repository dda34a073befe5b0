//! One router for every host: native, Worker and Spin all serve this.
//!
//! A handler decodes, asks the service, and encodes. Every fault, of whichever layer, becomes the
//! same JSON with the status that its code declares.

mod answer;
mod body;
mod routes;

pub use answer::refused;
pub use routes::router;
