//! Why the model is not on the GPU, as far as is known by now.

use std::sync::{Mutex, PoisonError};

use trireme_device::Processor;
use trireme_domain::Fault;

/// A module has one model, as it has one memory.
static REFUSED: Mutex<Option<String>> = Mutex::new(None);

/// Notes where the model was put, when it is loaded and whenever its device was lost.
pub fn note(_to: Processor, refused: Option<&Fault>) {
    let why = refused.map(|fault| fault.message.clone());
    *REFUSED.lock().unwrap_or_else(PoisonError::into_inner) = why;
}

/// Why it is not the GPU, where that was asked for.
pub fn refused() -> Option<String> {
    REFUSED.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
