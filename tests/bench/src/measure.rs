//! Two or more ways to do the same work, run in turn.

use std::time::Duration;

use crate::error::Result;

/// One way to do it: the time it took.
pub type Run<'a> = Box<dyn FnMut() -> Result<Duration> + 'a>;

/// A slow way is run this often, where there are so many rounds.
const ENOUGH: usize = 3;

/// A way that took longer in all has been run enough.
const PATIENCE: Duration = Duration::from_secs(8);

/// How long everything rests between two ways. A peer's threads go on spinning after their work, in
/// wait of more, and would take a core from whoever is measured next.
const REST: Duration = Duration::from_millis(300);

/// The median time of each way, over so many rounds of all of them, after one that does not count.
pub fn in_turn(rounds: usize, ways: &mut [Run<'_>]) -> Result<Vec<Duration>> {
    let mut times = vec![Vec::with_capacity(rounds); ways.len()];
    for round in 0..=rounds {
        for (way, times) in ways.iter_mut().zip(&mut times) {
            if times.len() >= ENOUGH && times.iter().sum::<Duration>() > PATIENCE {
                continue;
            }
            std::thread::sleep(REST);
            let time = way()?;
            if round > 0 {
                times.push(time);
            }
        }
    }
    Ok(times.into_iter().map(median).collect())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
