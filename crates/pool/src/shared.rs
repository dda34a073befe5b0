//! The pieces of one operation, shared out over a pool of threads.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake};
use std::thread::{self, Thread};

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};
use rayon::{ThreadBuilder, ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};
use trireme_cpu::{Cuts, Executor, Inline, Work};
use trireme_domain::{Code, Fault};
use trireme_service::ports::{BoxFuture, OneByOne, Rows, Spread};

/// A pool of threads; clones are the same pool.
#[derive(Clone)]
pub struct Shared {
    pool: Arc<ThreadPool>,
    /// Passes that run at once now.
    passes: Arc<AtomicUsize>,
}

/// A place in a pool, for a thread that somebody else starts.
pub struct Seat(ThreadBuilder);

impl Seat {
    /// Works for the pool, until the pool is gone.
    pub fn work(self) {
        self.0.run();
    }
}

fn builder(threads: usize) -> ThreadPoolBuilder {
    let name = |index| format!("trireme-compute-{index}");
    ThreadPoolBuilder::new().num_threads(threads).thread_name(name)
}

/// One of the passes that run at once, while it lives.
struct Running<'a>(&'a AtomicUsize);

impl<'a> Running<'a> {
    fn new(passes: &'a AtomicUsize) -> Self {
        passes.fetch_add(1, Ordering::Relaxed);
        Self(passes)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Shared {
    /// A pool of this many threads.
    ///
    /// # Errors
    /// [`Code::Internal`] where the system gives no more threads.
    pub fn new(threads: usize) -> Result<Self, Fault> {
        Self::of(builder(threads).build())
    }

    /// A pool of the calling thread and of seats for the others. Work that nobody takes is done by
    /// the calling thread, so the pool answers before a seat is taken, and where none ever is.
    ///
    /// # Errors
    /// [`Code::Internal`] where the calling thread has a seat in a pool already.
    pub fn seated(threads: usize) -> Result<(Self, Vec<Seat>), Fault> {
        let mut seats = Vec::new();
        let seated = builder(threads).use_current_thread().spawn_handler(|thread| {
            seats.push(Seat(thread));
            Ok(())
        });
        Ok((Self::of(seated.build())?, seats))
    }

    fn of(pool: Result<ThreadPool, ThreadPoolBuildError>) -> Result<Self, Fault> {
        let failed = |e| Fault::new(Code::Internal, format!("no compute threads: {e}"));
        Ok(Self { pool: Arc::new(pool.map_err(failed)?), passes: Arc::default() })
    }

    /// Does work on a thread of the pool. Operations of that work are shared out from there, where
    /// no other thread has to be woken for each.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.pool.install(work)
    }
}

/// Several passes at once, each on a thread; a thread that has none helps the others with theirs.
impl Spread for Shared {
    fn run<'a>(&'a self, passes: Vec<BoxFuture<'a, Rows>>) -> BoxFuture<'a, Vec<Rows>> {
        if passes.len() <= 1 || self.pool.current_num_threads() == 1 {
            return OneByOne.run(passes);
        }
        Box::pin(async move {
            let passes = passes.into_par_iter().with_max_len(1);
            let run = |pass| {
                let _running = Running::new(&self.passes);
                wait(pass)
            };
            self.pool.install(|| passes.map(run).collect())
        })
    }
}

/// Runs a future on this thread to its end.
pub fn wait<T>(mut future: BoxFuture<'_, T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(thread::current())).into();
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

impl Executor for Shared {
    /// A pass's share of the threads: where all have a pass of their own, cutting an operation only
    /// makes every weight come by twice.
    fn threads(&self) -> usize {
        let passes = self.passes.load(Ordering::Relaxed).max(1);
        (self.pool.current_num_threads() / passes).max(1)
    }

    fn for_each(&self, out: &mut [f32], cuts: Cuts<'_>, work: &Work<'_>) {
        let (len, pieces) = (out.len(), cuts.count(out.len()));
        if pieces <= 1 || self.threads() == 1 {
            return Inline.for_each(out, cuts, work);
        }
        let start = |index| cuts.start(index, len);
        self.pool.install(|| halve(out, 0..pieces, &start, work));
    }
}

/// Halves the pieces until each is alone; who is idle takes the other half.
fn halve(
    out: &mut [f32],
    pieces: Range<usize>,
    start: &(impl Fn(usize) -> usize + Sync),
    work: &Work<'_>,
) {
    if pieces.len() == 1 {
        #[cfg(feature = "drill")]
        crate::drill::piece();
        return work(pieces.start, out);
    }
    let middle = pieces.start + pieces.len() / 2;
    let (low, high) = out.split_at_mut(start(middle) - start(pieces.start));
    rayon::join(
        || halve(low, pieces.start..middle, start, work),
        || halve(high, middle..pieces.end, start, work),
    );
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn passes_that_run_at_once_share_the_threads() {
        let shared = Shared::new(4).unwrap();
        assert_eq!(shared.threads(), 4);
        let both = std::sync::Barrier::new(2);
        let pass = || -> BoxFuture<'_, Rows> {
            Box::pin(async {
                both.wait();
                let share = shared.threads();
                both.wait();
                Ok(vec![Ok(vec![share as f32])])
            })
        };
        let got = wait(Spread::run(&shared, vec![pass(), pass()]));
        let half = Ok(vec![Ok(vec![2.0])]);
        assert_eq!(got, [half.clone(), half], "four threads for two passes");
        assert_eq!(shared.threads(), 4, "afterwards, one pass has them all");
    }

    #[test]
    fn a_pool_works_before_its_seats_are_taken_and_with_who_takes_them() {
        let (shared, seats) = Shared::seated(3).unwrap();
        assert_eq!((shared.threads(), seats.len()), (3, 2));
        assert_eq!(who_does(&shared, 8), 1, "alone");
        thread::scope(|scope| {
            for seat in seats {
                scope.spawn(|| seat.work());
            }
            // A seat is taken when its thread comes, not before.
            while who_does(&shared, 256) < 3 {}
            drop(shared);
        });
    }

    /// How many threads had a part in so many pieces.
    fn who_does(shared: &Shared, pieces: usize) -> usize {
        let seen = Mutex::new(HashSet::new());
        shared.for_each(&mut vec![0.0; pieces], Cuts::Every(1), &|_, _| {
            seen.lock().unwrap().insert(thread::current().id());
            thread::yield_now();
        });
        seen.into_inner().unwrap().len()
    }

    #[test]
    fn every_piece_is_done_once_wherever_it_is_cut() {
        let shared = Shared::new(2).unwrap();
        let at = |starts| Cuts::At { starts, width: 2 };
        for (name, len, cuts, expected) in [
            ("nothing", 0, Cuts::Every(3), vec![]),
            ("no text", 0, at(&[0]), vec![]),
            ("one piece", 2, Cuts::Every(3), vec![1.0; 2]),
            ("a shorter last", 4, Cuts::Every(3), vec![1.0, 1.0, 1.0, 2.0]),
            ("texts", 8, at(&[0, 1, 3, 4]), vec![1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 3.0, 3.0]),
        ] {
            let mut got = vec![0.0; len];
            shared.for_each(&mut got, cuts, &|index, piece: &mut [f32]| {
                for value in piece {
                    *value += index as f32 + 1.0;
                }
            });
            assert_eq!(got, expected, "{name}");
        }
    }
}
