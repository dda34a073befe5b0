//! Threads: workers of the page that share this module's memory.

use std::sync::{Mutex, PoisonError};

use trireme_cpu::{Executor, Inline};
use trireme_domain::Fault;
use trireme_pool::{Seat, Shared};
use wasm_bindgen::prelude::*;

/// The seats that wait for a worker.
static SEATS: Mutex<Vec<Seat>> = Mutex::new(Vec::new());

/// Who computes: the calling worker, and those that call [`work`].
pub fn executors(threads: usize) -> Result<impl Fn() -> Box<dyn Executor>, Fault> {
    let shared = match threads {
        1 => None,
        _ => {
            let (shared, seats) = Shared::seated(threads)?;
            SEATS.lock().unwrap_or_else(PoisonError::into_inner).extend(seats);
            Some(shared)
        }
    };
    Ok(move || match &shared {
        None => Box::new(Inline) as Box<dyn Executor>,
        Some(shared) => Box::new(shared.clone()),
    })
}

/// Takes a seat and works for the model that is loaded. It does not return, so the worker that
/// calls it hears nothing any more; it ends when it is terminated.
#[wasm_bindgen]
pub fn work() {
    let seat = SEATS.lock().unwrap_or_else(PoisonError::into_inner).pop();
    if let Some(seat) = seat {
        seat.work();
    }
}
