//! A helper's death on purpose, for builds that rehearse it; no other build holds this module.

use std::sync::atomic::Ordering;

use trireme_service::drill::HELPER_DIES;

/// Where a helper is to die: it does, and the first thread leaves it time to come by a piece.
#[expect(clippy::panic, reason = "the drill is what happens then")]
pub fn piece() {
    while HELPER_DIES.load(Ordering::Relaxed) {
        if rayon::current_thread_index() != Some(0) {
            panic!("a drill");
        }
        std::hint::spin_loop();
    }
}
