//! Buffers that are used again.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use trireme_backend::BackendError;
use wgpu::BufferUsages;

/// Bytes that may lie idle in any case.
const IDLE: u64 = 256 << 20;

/// Words that are uploaded at once.
const AT_ONCE: usize = 1 << 20;

/// A buffer, and a number that no other has.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    pub buffer: wgpu::Buffer,
    pub id: u64,
}

/// Where buffers come from, and go back to.
pub(crate) struct Pool {
    device: wgpu::Device,
    queue: wgpu::Queue,
    largest: u64,
    rooms: Mutex<Rooms>,
    next: AtomicU64,
    /// Grows when buffers are given up, so that who knows them forgets them.
    generation: AtomicU64,
    /// The first generation whose buffers are as good as new ones.
    trusted: AtomicU64,
    /// Bytes of buffers that are filled for good.
    filled: AtomicU64,
}

#[derive(Default)]
struct Rooms {
    /// By size and use, then by number: the first is taken first, so that a pass that is like one
    /// before it gets the same buffers, and finds them bound.
    idle: HashMap<(u64, BufferUsages), BTreeMap<u64, wgpu::Buffer>>,
    idle_bytes: u64,
    lent_bytes: u64,
    /// The most that was ever lent at once.
    most: u64,
}

/// A buffer on loan: it goes back when this is dropped.
pub(crate) struct Room {
    named: Named,
    pool: Arc<Pool>,
    generation: u64,
    doubtful: AtomicBool,
}

impl Pool {
    pub fn new(device: wgpu::Device, queue: wgpu::Queue, limits: &wgpu::Limits) -> Self {
        let largest = limits.max_buffer_size.min(limits.max_storage_buffer_binding_size);
        let (rooms, next, generation, trusted, filled) = Default::default();
        Self { device, queue, largest, rooms, next, generation, trusted, filled }
    }

    /// The most bytes that a shader can be given at once.
    pub fn largest(&self) -> u64 {
        self.largest
    }

    /// How many buffers were ever made.
    pub fn made(&self) -> u64 {
        self.next.load(Relaxed)
    }

    /// The bytes of all buffers: weights, what is lent, and what lies idle.
    pub fn bytes(&self) -> u64 {
        let rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        self.filled.load(Relaxed) + rooms.lent_bytes + rooms.idle_bytes
    }

    /// Another number than before where buffers were given up.
    pub fn generation(&self) -> u64 {
        self.generation.load(Relaxed)
    }

    /// A buffer with room for so many bytes, whatever stands in it.
    pub fn room(
        self: &Arc<Self>,
        op: &'static str,
        bytes: u64,
        usage: BufferUsages,
    ) -> Result<Room, BackendError> {
        let size = rounded(bytes);
        self.fits(op, size)?;
        let found = {
            let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
            let found = rooms.idle.get_mut(&(size, usage)).and_then(BTreeMap::pop_first);
            rooms.idle_bytes -= found.as_ref().map_or(0, |_| size);
            rooms.lent_bytes += size;
            rooms.most = rooms.most.max(rooms.lent_bytes);
            found.map(|(id, buffer)| Named { buffer, id })
        };
        let named = match found {
            Some(named) => named,
            None => self.named(op, size, usage),
        };
        let (pool, generation) = (Arc::clone(self), self.generation());
        Ok(Room { named, pool, generation, doubtful: AtomicBool::new(false) })
    }

    /// A buffer that holds these words for good.
    pub fn filled(&self, op: &'static str, words: &[u32]) -> Result<Named, BackendError> {
        let size = (4 * words.len() as u64).next_multiple_of(16).max(16);
        self.fits(op, size)?;
        let named = self.named(op, size, BufferUsages::STORAGE | BufferUsages::COPY_DST);
        self.filled.fetch_add(size, Relaxed);
        for (at, some) in words.chunks(AT_ONCE).enumerate() {
            let offset = (4 * AT_ONCE * at) as u64;
            self.queue.write_buffer(&named.buffer, offset, bytemuck::cast_slice(some));
            // What is uploaded is held a second time until something is submitted.
            self.queue.submit([]);
        }
        Ok(named)
    }

    /// Gives up what lies idle, and what is lent when it comes back: something of it may be broken.
    pub fn distrust(&self) {
        let before = self.generation.fetch_add(1, Relaxed);
        self.trusted.store(before + 1, Relaxed);
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        (rooms.idle, rooms.idle_bytes) = Default::default();
    }

    fn trusts(&self, generation: u64) -> bool {
        generation >= self.trusted.load(Relaxed)
    }

    fn fits(&self, op: &'static str, size: u64) -> Result<(), BackendError> {
        match size > self.largest {
            true => Err(BackendError::OutOfMemory { op, bytes: size as usize }),
            false => Ok(()),
        }
    }

    fn named(&self, op: &'static str, size: u64, usage: BufferUsages) -> Named {
        let mapped_at_creation = false;
        let descriptor =
            wgpu::BufferDescriptor { label: Some(op), size, usage, mapped_at_creation };
        let buffer = self.device.create_buffer(&descriptor);
        Named { buffer, id: self.next.fetch_add(1, Relaxed) }
    }

    fn take_back(&self, named: Named, trusted: bool) {
        let size = named.buffer.size();
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.lent_bytes = rooms.lent_bytes.saturating_sub(size);
        if !trusted {
            return;
        }
        if rooms.idle_bytes + size > IDLE.max(2 * rooms.most) {
            // What lies idle is of sizes that nobody asks for any more.
            (rooms.idle, rooms.idle_bytes) = Default::default();
            self.generation.fetch_add(1, Relaxed);
        }
        rooms.idle_bytes += size;
        let usage = named.buffer.usage();
        rooms.idle.entry((size, usage)).or_default().insert(named.id, named.buffer);
    }
}

impl Room {
    /// The buffer.
    pub fn named(&self) -> &Named {
        &self.named
    }

    /// As long as it is in doubt, it does not go back to who lent it.
    pub fn doubt(&self, doubtful: bool) {
        self.doubtful.store(doubtful, Relaxed);
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let doubtful = self.doubtful.load(Relaxed);
        let trusted = !doubtful && self.pool.trusts(self.generation);
        self.pool.take_back(self.named.clone(), trusted);
    }
}

/// Sizes are a power of two or one of three steps between: few, so that a buffer is found again,
/// and none is more than a quarter too large.
fn rounded(bytes: u64) -> u64 {
    let bytes = bytes.max(256);
    let step = (bytes.next_power_of_two() / 8).max(64);
    bytes.next_multiple_of(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_few_and_near() {
        let mut seen = std::collections::BTreeSet::new();
        for bytes in 1..100_000 {
            let got = rounded(bytes);
            assert!(got >= bytes && got.is_multiple_of(16), "{bytes} bytes in {got}");
            assert!(bytes < 256 || got * 4 <= bytes * 5, "{bytes} bytes in {got}");
            seen.insert(got);
        }
        assert!(seen.len() <= 40, "{} sizes below 100,000", seen.len());
    }
}
