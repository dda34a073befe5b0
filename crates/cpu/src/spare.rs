//! Memory that one operation leaves and the next one takes: after the first pass, none is asked of
//! the system.

use std::sync::{Arc, Mutex, PoisonError};

use trireme_kernels::{OutOfMemory, filled};

/// Buffers that nobody uses now, and who left them: they lie in that thread's cache.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spare(Arc<Mutex<Vec<Left>>>);

/// The thread, and what it left.
type Left = (usize, Vec<f32>);

thread_local! {
    static HERE: u8 = const { 0 };
}

/// A name for this thread: where its own memory lies.
fn here() -> usize {
    HERE.with(|here| std::ptr::from_ref(here).addr())
}

impl Spare {
    /// A buffer of this length, with anything in it.
    pub fn take(&self, len: usize) -> Result<Buffer, OutOfMemory> {
        let mut values = self.fitting(len);
        if values.capacity() < len {
            // Growing would copy what is in it; keeping it meanwhile would take room twice.
            drop(std::mem::take(&mut values));
            values = filled(0.0, len)?;
        }
        values.resize(len, 0.0);
        Ok(Buffer { values, home: self.clone() })
    }

    /// The smallest that is large enough, this thread's own if it can be; else the largest there is.
    fn fitting(&self, len: usize) -> Vec<f32> {
        let own = here();
        let mut spare = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |(thread, buffer): &Left| {
            let short = buffer.capacity() < len;
            // Twice what is needed belongs to another operation.
            let wide = buffer.capacity() / 2 > len;
            (short, wide, *thread != own, buffer.capacity().abs_diff(len))
        };
        let best = (0..spare.len()).min_by_key(|&at| fits(&spare[at]));
        best.map(|at| spare.swap_remove(at).1).unwrap_or_default()
    }
}

/// Values that go back to where they came from.
#[derive(Debug, Clone)]
pub(crate) struct Buffer {
    pub values: Vec<f32>,
    home: Spare,
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let values = std::mem::take(&mut self.values);
        let mut spare = self.home.0.lock().unwrap_or_else(PoisonError::into_inner);
        spare.push((here(), values));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_that_fits_is_taken_again() {
        let spare = Spare::default();
        let (small, large) = (spare.take(10).unwrap(), spare.take(1000).unwrap());
        let places = [small.values.as_ptr(), large.values.as_ptr()];
        drop((small, large));
        let (large, small) = (spare.take(900).unwrap(), spare.take(7).unwrap());
        assert_eq!([small.values.as_ptr(), large.values.as_ptr()], places);
        assert_eq!((small.values.len(), large.values.len()), (7, 900));
    }

    #[test]
    fn a_thread_takes_what_it_left() {
        let spare = Spare::default();
        let (mine, other) = (spare.take(10).unwrap(), spare.take(10).unwrap());
        let place = mine.values.as_ptr();
        drop(mine);
        std::thread::scope(|scope| scope.spawn(|| drop(other)).join().unwrap());
        assert_eq!(spare.take(10).unwrap().values.as_ptr(), place);
    }

    #[test]
    fn one_that_is_too_small_is_replaced_not_kept() {
        let spare = Spare::default();
        drop(spare.take(10).unwrap());
        drop(spare.take(1000).unwrap());
        assert_eq!(spare.0.lock().unwrap().len(), 1);
    }

    #[test]
    fn what_no_machine_has_is_an_error() {
        assert!(Spare::default().take(usize::MAX / 8).is_err());
    }
}
