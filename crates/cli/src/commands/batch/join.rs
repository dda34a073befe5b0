//! Files of one format become one, each proven to be what its record says.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use trireme_domain::batch::Made;
use trireme_domain::{Code, Fault};
use trireme_server::publish;

use super::{unwritable, write};
use crate::table::{Format, Hashed, header_length, unreadable};

/// Bytes that are copied at once.
const AT_ONCE: usize = 128 << 10;

/// A file that becomes a part of another.
pub struct Piece {
    pub path: PathBuf,
    /// What it must be.
    pub made: Made,
}

/// Who is to blame where files could not be joined.
enum Broken {
    Piece(Fault),
    Sink(io::Error),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Sink(error)
    }
}

impl From<ParquetError> for Broken {
    fn from(error: ParquetError) -> Self {
        Self::Sink(io::Error::other(error))
    }
}

/// Joins files into one, which is there whole or not at all. Until it is whole it has another name,
/// always the same: what a kill leaves there is written over by the next try.
pub fn join(format: Format, pieces: &[Piece], until: &Path, to: &Path) -> Result<Made, Fault> {
    let joined = joined(format, pieces, until).and_then(|made| {
        publish(until, to)?;
        Ok(made)
    });
    joined.map_err(|broken| {
        // The first failure is the one worth telling.
        drop(fs::remove_file(until));
        match broken {
            Broken::Piece(fault) => fault,
            Broken::Sink(error) => unwritable(to, &error),
        }
    })
}

fn joined(format: Format, pieces: &[Piece], to: &Path) -> Result<Made, Broken> {
    let mut file = File::create(to)?;
    let mut sink = Hashed::new(BufWriter::new(&mut file));
    match format {
        Format::Parquet => join_groups(pieces, &mut sink)?,
        _ => join_lines(format, pieces, &mut sink)?,
    }
    sink.flush()?;
    let made = sink.made();
    file.sync_all()?;
    Ok(made)
}

/// What a file is now.
pub fn made_of(path: &Path) -> Result<Made, Fault> {
    let mut file = Hashed::new(open(path)?);
    io::copy(&mut file, &mut io::sink()).map_err(|e| unreadable(path, &e))?;
    Ok(file.made())
}

fn open(path: &Path) -> Result<File, Fault> {
    File::open(path).map_err(|e| unreadable(path, &e))
}

impl Piece {
    /// That this is what the piece must be.
    fn is(&self, found: &Made) -> Result<(), Broken> {
        let Self { path, made } = self;
        if found == made {
            return Ok(());
        }
        let message = format!(
            "{} has changed: it has {} bytes and SHA-256 {}, and had {} and {}",
            path.display(),
            found.bytes,
            found.sha256,
            made.bytes,
            made.sha256
        );
        Err(Broken::Piece(Fault::new(Code::InvalidData, message)))
    }

    fn broken(&self, error: &io::Error) -> Broken {
        Broken::Piece(unreadable(&self.path, error))
    }
}

/// One text behind the other, under the header of the first.
fn join_lines(format: Format, pieces: &[Piece], sink: &mut impl Write) -> Result<(), Broken> {
    let mut buffer = vec![0; AT_ONCE];
    for (at, piece) in pieces.iter().enumerate() {
        let mut file = Hashed::new(open(&piece.path).map_err(Broken::Piece)?);
        let length = header_length(&piece.path, format).map_err(Broken::Piece)?;
        let mut header = vec![0; length];
        file.read_exact(&mut header).map_err(|e| piece.broken(&e))?;
        if at == 0 {
            sink.write_all(&header)?;
        }
        loop {
            let read = file.read(&mut buffer).map_err(|e| piece.broken(&e))?;
            match buffer.get(..read) {
                Some(bytes) if read > 0 => sink.write_all(bytes)?,
                _ => break,
            }
        }
        piece.is(&file.made())?;
    }
    Ok(())
}

/// All groups of rows, as they are, behind each other.
fn join_groups(pieces: &[Piece], sink: &mut (impl Write + Send)) -> Result<(), Broken> {
    let mut sink = Some(sink);
    let mut writer = None;
    for piece in pieces {
        piece.is(&made_of(&piece.path).map_err(Broken::Piece)?)?;
        let file = open(&piece.path).map_err(Broken::Piece)?;
        let reader = SerializedFileReader::new(file.try_clone()?)?;
        let metadata = reader.metadata();
        if let Some(sink) = sink.take() {
            let schema = metadata.file_metadata().schema_descr().root_schema_ptr();
            writer = Some(SerializedFileWriter::new(sink, schema, Arc::new(write::properties()))?);
        }
        let Some(writer) = &mut writer else { continue };
        for group in metadata.row_groups() {
            let mut joined = writer.next_row_group()?;
            for column in group.columns() {
                let close = ColumnCloseResult {
                    bytes_written: u64::try_from(column.compressed_size()).unwrap_or_default(),
                    rows_written: u64::try_from(group.num_rows()).unwrap_or_default(),
                    metadata: column.clone(),
                    bloom_filter: None,
                    column_index: None,
                    offset_index: None,
                };
                joined.append_column(&file, close)?;
            }
            joined.close()?;
        }
    }
    writer.map(SerializedFileWriter::close).transpose()?;
    Ok(())
}
