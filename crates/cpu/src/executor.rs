//! Who does the work. The host decides; this crate only cuts it.

/// Runs the pieces of one operation, on as many threads as it has.
pub trait Executor: Send + Sync {
    /// How many pieces can run at once.
    fn threads(&self) -> usize;

    /// Cuts `out` and calls `work` once for each piece with its index. Returns when all are done.
    fn for_each(&self, out: &mut [f32], cuts: Cuts<'_>, work: &Work<'_>);
}

/// What is done to a piece, by its index.
pub type Work<'a> = dyn Fn(usize, &mut [f32]) + Sync + 'a;

/// Where an output is cut into pieces.
#[derive(Debug, Clone, Copy)]
pub enum Cuts<'a> {
    /// Every so many values; the last piece may be shorter.
    Every(usize),
    /// At each of these rows of so many values; the last entry is the end of the last piece.
    At {
        /// Rows, ascending from zero.
        starts: &'a [u32],
        /// Values of a row.
        width: usize,
    },
}

impl Cuts<'_> {
    /// Pieces of an output of this length.
    #[must_use]
    pub fn count(&self, len: usize) -> usize {
        match self {
            Self::Every(values) => len.div_ceil(*values),
            Self::At { starts, .. } => starts.len() - 1,
        }
    }

    /// Where a piece begins, in an output of this length; past the last, the output's end.
    #[must_use]
    pub fn start(&self, index: usize, len: usize) -> usize {
        match self {
            Self::Every(values) => (index * values).min(len),
            Self::At { starts, width } => starts[index] as usize * width,
        }
    }

    /// The pieces of an output, in order.
    pub fn pieces(self, out: &mut [f32]) -> impl Iterator<Item = &mut [f32]> {
        let len = out.len();
        let mut rest = out;
        (0..self.count(len)).map(move |index| {
            let size = self.start(index + 1, len) - self.start(index, len);
            let (piece, after) = std::mem::take(&mut rest).split_at_mut(size);
            rest = after;
            piece
        })
    }
}

/// The calling thread, for hosts that have one.
pub struct Inline;

impl Executor for Inline {
    fn threads(&self) -> usize {
        1
    }

    fn for_each(&self, out: &mut [f32], cuts: Cuts<'_>, work: &Work<'_>) {
        for (index, piece) in cuts.pieces(out).enumerate() {
            work(index, piece);
        }
    }
}
