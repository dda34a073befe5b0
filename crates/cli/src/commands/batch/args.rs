//! What can be said to `trireme batch`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use trireme_domain::batch::Shard;
use trireme_domain::wire;

use crate::args::{Cut, Vector};

/// Options of a batch, or what else is done with batches.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Batch {
    #[command(subcommand)]
    pub other: Option<Other>,
    /// Table to answer: `.jsonl`, `.csv`, `.tsv` or `.parquet`; a file, or an address such as
    /// `s3://bucket/key` (also `gs://`, `az://`)
    #[arg(value_name = "IN", required = true)]
    pub input: Option<PathBuf>,
    /// Table to write, in the format that its name ends in
    #[arg(value_name = "OUT", required = true)]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub wanted: Wanted,
    #[command(flatten)]
    pub share: Share,
    /// Folder in which tables of object stores are worked on [default: the system's]
    #[arg(long, value_name = "FOLDER", global = true)]
    pub work: Option<PathBuf>,
    /// Begin anew, whatever was begun or written before
    #[arg(long)]
    pub restart: bool,
    /// Rows of a part, which is what a run that is cut short may lose
    #[arg(long, value_name = "N", default_value_t = 4096,
          value_parser = clap::value_parser!(u32).range(1..))]
    pub part_rows: u32,
}

/// What is done with batches beside answering them.
#[derive(Subcommand)]
pub enum Other {
    /// Put the outputs of all shards together
    Merge(Merge),
}

/// Options of a merge.
#[derive(Args)]
pub struct Merge {
    /// Table to write
    #[arg(value_name = "OUT")]
    pub output: PathBuf,
    /// What every shard wrote
    #[arg(value_name = "SHARD", required = true)]
    pub shards: Vec<PathBuf>,
}

/// What is wanted of every row.
#[derive(Args, Clone)]
pub struct Wanted {
    /// What to do with every text [default: classify, where the model can]
    #[arg(long)]
    pub task: Option<BatchTask>,
    /// The column with the texts [default: `text`, `sentence` or `content`]
    #[arg(long, value_name = "NAME")]
    pub text_column: Option<String>,
    /// A column that names a row among those that were rejected
    #[arg(long, value_name = "NAME")]
    pub id_column: Option<String>,
    /// Put this before the names of the columns that are added
    #[arg(long, value_name = "PREFIX", default_value = "")]
    pub prefix: String,
    /// Write the score of every class too
    #[arg(long)]
    pub probabilities: bool,
    /// How numbers of vectors are written
    #[arg(long, default_value = "float")]
    pub encoding: Encoding,
    #[command(flatten)]
    pub vector: Vector,
    #[command(flatten)]
    pub cut: Cut,
}

/// Which rows are done here.
#[derive(Args, Clone, Copy)]
pub struct Share {
    /// Do only the rows of one shard of several, counted from 0
    #[arg(long, value_name = "I/N", conflicts_with = "shards")]
    pub shard: Option<Shard>,
    /// Shards that there are; JOB_COMPLETION_INDEX says which one this is
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub shards: Option<u32>,
}

/// What to do with every text.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BatchTask {
    /// Name its class
    Classify,
    /// Turn it into a vector
    Embed,
}

/// How numbers of vectors are written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Encoding {
    /// As they are
    Float,
    /// Eight signed bits each
    Int8,
    /// One bit each, in signed bytes
    Binary,
    /// One bit each, in unsigned bytes
    Ubinary,
}

impl From<Encoding> for wire::Encoding {
    fn from(encoding: Encoding) -> Self {
        match encoding {
            Encoding::Float => Self::Float,
            Encoding::Int8 => Self::Int8,
            Encoding::Binary => Self::Binary,
            Encoding::Ubinary => Self::Ubinary,
        }
    }
}
