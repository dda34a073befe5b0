//! Who does the work. The host decides; this crate only cuts it.

/// Runs the pieces of one operation, on as many threads as it has.
pub trait Executor: Send + Sync {
    /// How many pieces can run at once.
    fn threads(&self) -> usize;

    /// Cuts `out` into pieces of `len` values (the last may be shorter), and calls `work` once for
    /// each with its index. Returns when all are done.
    fn for_each(&self, out: &mut [f32], len: usize, work: &(dyn Fn(usize, &mut [f32]) + Sync));
}

/// The calling thread, for hosts that have one.
pub struct Inline;

impl Executor for Inline {
    fn threads(&self) -> usize {
        1
    }

    fn for_each(&self, out: &mut [f32], len: usize, work: &(dyn Fn(usize, &mut [f32]) + Sync)) {
        for (index, piece) in out.chunks_mut(len).enumerate() {
            work(index, piece);
        }
    }
}
