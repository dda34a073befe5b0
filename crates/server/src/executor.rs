//! The pieces of one operation, shared out over a pool of threads.

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use trireme_cpu::Executor;
use trireme_domain::{Code, Fault};

/// A pool that the compute thread lends its work to.
pub struct Shared {
    pool: ThreadPool,
}

impl Shared {
    /// A pool of this many threads.
    ///
    /// # Errors
    /// [`Code::Internal`] where the system gives no more threads.
    pub fn new(threads: usize) -> Result<Self, Fault> {
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|index| format!("trireme-compute-{index}"))
            .build()
            .map_err(|e| Fault::new(Code::Internal, format!("no compute threads: {e}")))?;
        Ok(Self { pool })
    }
}

impl Executor for Shared {
    fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    fn for_each(&self, out: &mut [f32], len: usize, work: &(dyn Fn(usize, &mut [f32]) + Sync)) {
        if out.len() <= len {
            return work(0, out);
        }
        let pieces = out.par_chunks_mut(len).enumerate();
        self.pool.install(|| pieces.for_each(|(index, piece)| work(index, piece)));
    }
}
