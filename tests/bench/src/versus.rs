//! Ours beside a peer's.

use std::time::Duration;

use serde::Serialize;

use crate::plot::Scale;
use crate::report::Row;

/// Ours beside one peer that was fed in one way.
#[derive(Serialize)]
pub struct Versus {
    /// The peer, and how it was fed.
    pub label: String,
    /// What the peer computes for each real token.
    pub padding: f64,
    /// Real tokens a second.
    pub ours: f64,
    /// The same of the peer.
    pub theirs: f64,
}

impl Versus {
    fn ratio(&self) -> f64 {
        self.ours / self.theirs
    }
}

impl Row for Versus {
    const COLUMNS: &'static [&'static str] = &["padding", "ours", "theirs", "ratio"];
    const SCALE: Scale = Scale::Ratio;

    fn label(&self) -> &str {
        &self.label
    }

    fn figures(&self) -> Vec<String> {
        let (ours, theirs) = (self.ours, self.theirs);
        vec![
            format!("{:.2}x", self.padding),
            format!("{ours:.0}/s"),
            format!("{theirs:.0}/s"),
            format!("{:.2}x", self.ratio()),
        ]
    }

    fn bar(&self) -> f64 {
        self.ratio()
    }
}

/// So many a second.
pub fn rate(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}
