//! Work that is no pass, such as reading long texts: beside the model's thread and the listener's.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use trireme_domain::admission::has_room_aside;
use trireme_domain::{Code, Fault};
use trireme_service::ports::Aside;

use super::gone;

/// Work beside the model's that is done at once: the other cores are the model's.
const ASIDE: usize = 2;

/// When whoever found no room aside may ask again: a megabyte may be a second's reading.
const AGAIN: Duration = Duration::from_secs(1);

/// Work that is no pass. An owner's is done one at a time, and only then is its next one in line
/// with the other owners', so that each has its turn.
pub struct Sideline {
    permits: Arc<Semaphore>,
    owners: Mutex<HashMap<u64, Owner>>,
}

/// Who has work aside.
struct Owner {
    places: usize,
    turn: Arc<Semaphore>,
}

/// A place aside, which is given back by dropping it.
pub struct Place {
    line: Arc<Sideline>,
    owner: u64,
    turn: Arc<Semaphore>,
}

impl Default for Sideline {
    fn default() -> Self {
        Self { permits: Arc::new(Semaphore::new(ASIDE)), owners: Mutex::default() }
    }
}

impl Sideline {
    fn owners(&self) -> MutexGuard<'_, HashMap<u64, Owner>> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for an owner.
    ///
    /// # Errors
    /// [`Code::Overloaded`]: there is none.
    pub fn place(self: &Arc<Self>, owner: u64) -> Result<Place, Fault> {
        let mut owners = self.owners();
        let all = owners.values().map(|owner| owner.places).sum();
        let own = owners.get(&owner).map_or(0, |owner| owner.places);
        if !has_room_aside(all, own) {
            let message = "too many requests wait for their texts to be read";
            return Err(Fault::new(Code::Overloaded, message).after(AGAIN));
        }
        let new = || Owner { places: 0, turn: Arc::new(Semaphore::new(1)) };
        let found = owners.entry(owner).or_insert_with(new);
        found.places += 1;
        Ok(Place { line: Arc::clone(self), owner, turn: Arc::clone(&found.turn) })
    }
}

impl Place {
    /// Does the work once it is its turn.
    pub async fn work(self, work: Aside) -> Result<(), Fault> {
        let turn = Arc::clone(&self.turn).acquire_owned().await.map_err(|_| gone())?;
        let permit = Arc::clone(&self.line.permits).acquire_owned().await.map_err(|_| gone())?;
        // They are the thread's, for it goes on where its caller left.
        let held = (permit, turn, self);
        let work = move || {
            work();
            drop(held);
        };
        let broken = |_| Fault::new(Code::Internal, "a thread panicked on this request");
        tokio::task::spawn_blocking(work).await.map_err(broken)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut owners = self.line.owners();
        let Some(owner) = owners.get_mut(&self.owner) else { return };
        owner.places -= 1;
        if owner.places == 0 {
            owners.remove(&self.owner);
        }
    }
}
