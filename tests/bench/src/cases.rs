//! The texts that both sides get, as lengths: what a token says takes no time.

use std::path::Path;

use trireme_model::{Cut, Reader};
use trireme_tests::minilm_dir;

use crate::error::{Error, Result};
use crate::ours::checkpoint;

/// Texts of these lengths.
pub struct Case {
    pub name: &'static str,
    /// In the order in which they arrive.
    pub lengths: Vec<usize>,
    /// How a peer that pads can be fed them.
    pub feeds: &'static [Feed],
}

/// How a peer gets the texts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Feed {
    OneByOne,
    /// So many at once, as they arrive.
    Arriving(usize),
    /// So many at once, sorted by length first.
    Sorted(usize),
}

impl Feed {
    pub fn name(self) -> String {
        match self {
            Self::OneByOne => "one by one".to_owned(),
            Self::Arriving(texts) => format!("{texts} as they arrive"),
            Self::Sorted(texts) => format!("{texts} of a length"),
        }
    }

    /// The batches, each a list of lengths.
    pub fn batches(self, lengths: &[usize]) -> Vec<Vec<usize>> {
        let mut lengths = lengths.to_vec();
        let size = match self {
            Self::OneByOne => 1,
            Self::Arriving(size) => size,
            Self::Sorted(size) => {
                lengths.sort_unstable();
                size
            }
        };
        lengths.chunks(size).map(<[usize]>::to_vec).collect()
    }
}

/// What is computed for each token that is one.
pub fn padding(batches: &[Vec<usize>]) -> f64 {
    let real: usize = batches.iter().flatten().sum();
    let padded: usize =
        batches.iter().map(|batch| batch.len() * batch.iter().max().unwrap_or(&0)).sum();
    padded as f64 / real as f64
}

const UNIFORM: &[Feed] = &[Feed::OneByOne, Feed::Arriving(8)];
pub const UNIFORM_ONE_BY_ONE: &[Feed] = &[Feed::OneByOne];
const RAGGED: &[Feed] = &[Feed::OneByOne, Feed::Arriving(32), Feed::Sorted(32)];

/// All cases: texts of one length, and texts as long as people's are.
pub fn all(reader: &Reader, data: &Path) -> Result<Vec<Case>> {
    let uniform = |name, texts, length| Case { name, lengths: vec![length; texts], feeds: UNIFORM };
    let sst2 = column(&data.join("sst2/train.tsv"), '\t', 1)?;
    let stsb = column(&data.join("stsb/dev.csv"), ',', 0)?;
    let sst2 = ragged("SST-2 lengths", reader, &sst2)?;
    let mean = sst2.lengths.iter().sum::<usize>() / sst2.lengths.len();
    Ok(vec![
        uniform("uniform 16", 64, 16),
        uniform("uniform 128", 16, 128),
        uniform("uniform 256", 8, 256),
        // What raggedness costs is the gap between these two.
        uniform("all as long as SST-2's mean", sst2.lengths.len(), mean),
        sst2,
        ragged("STS-B lengths", reader, &stsb)?,
    ])
}

/// As many tokens as MiniLM sees of SST-2's texts.
pub fn lengths_of_sst2(data: &Path) -> Result<Vec<usize>> {
    let reader = Reader::new(&checkpoint(&minilm_dir())?)?;
    Ok(ragged("SST-2 lengths", &reader, &column(&data.join("sst2/train.tsv"), '\t', 1)?)?.lengths)
}

fn ragged(name: &'static str, reader: &Reader, texts: &[String]) -> Result<Case> {
    let length = |text: &String| reader.encode(text, None, Cut::default()).map(|e| e.ids.len());
    // Spread over the file, which may be sorted by something.
    let every = (texts.len() / 256).max(1);
    let lengths =
        texts.iter().step_by(every).take(256).map(length).collect::<std::result::Result<_, _>>()?;
    Ok(Case { name, lengths, feeds: RAGGED })
}

/// A column of a table whose fields hold no separators.
fn column(path: &Path, separator: char, at: usize) -> Result<Vec<String>> {
    let table = std::fs::read_to_string(path).map_err(Error::file(path))?;
    let field = |line: &str| line.split(separator).nth(at).map(ToOwned::to_owned);
    Ok(table.lines().skip(1).filter_map(field).collect())
}
