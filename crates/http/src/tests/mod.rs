//! The document that describes the routes: written from the types, and held to what is committed.

mod closed;
mod document;
mod faults;
mod operation;
mod router;
mod shapes;

pub(crate) use operation::Said;
pub(crate) use shapes::{Instance, Row, Texts};
