//! Where the rows of a text begin and end, before anything in them is looked at.

use std::io::{self, BufRead};

use csv_core::ReadRecordResult;

use super::Format;

/// The most bytes of a row that are kept. A quote that is never closed would else be as long as the
/// rest of the file.
pub const MOST: usize = 16 << 20;

const MARK: &[u8] = b"\xef\xbb\xbf";

/// The rows of a text, one after another.
pub struct Records<R> {
    reader: R,
    split: Split,
    begun: bool,
    kept: Vec<u8>,
    length: usize,
}

/// What ends a row.
enum Split {
    Lines { blank: fn(&[u8]) -> bool },
    Commas(Box<csv_core::Reader>),
}

impl<R: BufRead> Records<R> {
    pub fn new(reader: R, format: Format) -> Self {
        let split = match format {
            Format::Csv => Split::Commas(Box::new(csv_core::Reader::new())),
            Format::Jsonl => Split::Lines { blank: |line| line.trim_ascii().is_empty() },
            Format::Tsv | Format::Parquet => Split::Lines { blank: <[u8]>::is_empty },
        };
        Self { reader, split, begun: false, kept: Vec::new(), length: 0 }
    }

    /// Goes to the next row, past blank lines; says whether there is one.
    pub fn advance(&mut self) -> io::Result<bool> {
        loop {
            let ended = self.read()?;
            self.trim(ended);
            let blank = match &self.split {
                Split::Lines { blank } => blank(&self.kept),
                Split::Commas(_) => self.kept.is_empty(),
            };
            if !blank || !ended {
                return Ok(!blank);
            }
        }
    }

    /// The row, or the beginning of one that is too long.
    pub fn row(&self) -> &[u8] {
        &self.kept
    }

    /// Its bytes, kept or not.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Whether the row is longer than what is kept of it.
    pub fn is_too_long(&self) -> bool {
        self.length > MOST
    }

    /// Reads up to where a row ends, or to the end of the text; says whether a row ended.
    fn read(&mut self) -> io::Result<bool> {
        self.kept.clear();
        self.length = 0;
        loop {
            let mut input = self.reader.fill_buf()?;
            if input.is_empty() {
                return Ok(false);
            }
            if !self.begun {
                self.begun = true;
                if input.starts_with(MARK) {
                    self.reader.consume(MARK.len());
                    input = self.reader.fill_buf()?;
                }
            }
            let (taken, ended) = self.split.take(input);
            let room = MOST.saturating_sub(self.kept.len()).min(taken);
            self.kept.extend_from_slice(input.get(..room).unwrap_or_default());
            self.length += taken;
            self.reader.consume(taken);
            if ended {
                return Ok(true);
            }
        }
    }

    /// Takes away what ends a row, and the blank lines that a row between commas begins with.
    fn trim(&mut self, ended: bool) {
        if ended && !self.is_too_long() {
            self.kept.pop_if(|byte| matches!(byte, b'\n' | b'\r'));
            self.kept.pop_if(|byte| *byte == b'\r');
        }
        if let Split::Commas(_) = self.split {
            let blank = self.kept.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
            self.kept.drain(..blank);
        }
    }
}

impl Split {
    /// How many bytes belong to this row, and whether it ends with them.
    fn take(&mut self, input: &[u8]) -> (usize, bool) {
        match self {
            Self::Lines { .. } => match input.iter().position(|&byte| byte == b'\n') {
                Some(at) => (at + 1, true),
                None => (input.len(), false),
            },
            Self::Commas(reader) => {
                let (mut cells, mut ends) = ([0; 1024], [0; 64]);
                let mut taken = 0;
                loop {
                    let rest = input.get(taken..).unwrap_or_default();
                    // Nothing left would mean to the reader that the text is at its end.
                    if rest.is_empty() {
                        return (taken, false);
                    }
                    let (result, read, ..) = reader.read_record(rest, &mut cells, &mut ends);
                    taken += read;
                    match result {
                        ReadRecordResult::Record => return (taken, true),
                        ReadRecordResult::InputEmpty | ReadRecordResult::End => {
                            return (taken, false);
                        }
                        ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {}
                    }
                }
            }
        }
    }
}
