//! Records of predictions, by their ids.

use axum::extract::State;
use trireme_domain::records::{Forgotten, Record};

use crate::answer::{Json, Outcome};
use crate::call::{Caller, Name};
use crate::route::Host;

/// The path of hosts that keep records, as the document writes it.
pub(crate) const PATHS: [&str; 1] = ["/predictions/{id}"];

pub(crate) async fn read(State(service): Host, caller: Caller, Name(id): Name) -> Outcome<Record> {
    Ok(Json(service.prediction(&id, &caller.tenant).await?))
}

pub(crate) async fn forget(
    State(service): Host,
    caller: Caller,
    Name(id): Name,
) -> Outcome<Forgotten> {
    service.forget_prediction(&id, &caller.tenant).await?;
    Ok(Json(Forgotten { prediction_id: id }))
}
