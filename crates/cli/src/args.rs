//! What can be said on the command line.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};

pub use crate::commands::batch::args::Batch;
use crate::exit;
pub use crate::serving::{Config, Keep, NewKey, Serve};

/// Text classification and sentence embeddings, from a model folder, a bundle, a hub id, or the
/// model inside this program.
#[derive(Parser)]
#[command(name = "trireme", version, after_help = exit::HELP)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    /// What to do; `serve` where nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Threads that one forward may be shared out over.
pub const THREADS: RangeInclusive<i64> = 1..=512;

/// Options that every command takes. What is not said a server's file may say.
#[derive(Args, Clone)]
pub struct Global {
    /// Folder, bundle, URL, or hub id (`owner/name`, `owner/name@revision`)
    #[arg(
        long,
        short,
        global = true,
        env = "TRIREME_MODEL",
        hide_env_values = true,
        value_name = "MODEL"
    )]
    pub model: Option<String>,
    /// Threads that share one forward [default: all cores]
    #[arg(long, global = true, env = "TRIREME_THREADS", value_name = "N",
          value_parser = clap::value_parser!(u16).range(THREADS))]
    pub threads: Option<u16>,
    /// Where to compute [default: auto]
    #[arg(long, global = true, env = "TRIREME_DEVICE")]
    pub device: Option<Device>,
    /// Numbers to compute in [default: auto]
    #[arg(long, global = true, env = "TRIREME_PRECISION")]
    pub precision: Option<Precision>,
    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// Print results and errors, nothing else
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Open no socket; take everything from the cache
    #[arg(long, global = true, env = "HF_HUB_OFFLINE", value_parser = switch, num_args = 0..=1,
          default_missing_value = "true", require_equals = true)]
    pub offline: Option<bool>,
    /// Token for the hub
    #[arg(long, global = true, env = "HF_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub token: Option<String>,
    /// Address of the hub
    #[arg(long, global = true, env = "HF_ENDPOINT", hide_env_values = true, value_name = "URL")]
    pub endpoint: Option<String>,
    /// Folder for downloads
    #[arg(long, global = true, env = "TRIREME_CACHE", value_name = "FOLDER")]
    pub cache: Option<PathBuf>,
    /// Instructions to use, for tests
    #[arg(long, global = true, env = "TRIREME_LANE", hide = true)]
    pub lane: Option<String>,
}

/// The reference's own switch is set by 1, ON, YES or TRUE.
fn switch(value: &str) -> Result<bool, &'static str> {
    match value.to_ascii_lowercase().as_str() {
        "1" | "on" | "yes" | "true" => Ok(true),
        "0" | "off" | "no" | "false" => Ok(false),
        _ => Err("say 1 or 0"),
    }
}

/// Where to compute.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Device {
    /// The processor; a GPU only where it is asked for
    Auto,
    /// The processor
    Cpu,
    /// A GPU, over Vulkan, Metal or DirectX 12; the processor, where none computes as it should
    Wgpu,
    /// A GPU of NVIDIA's, to train on; in a program that was built with its feature `cuda`
    Cuda,
}

/// Numbers to compute in.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Those that the weights are kept in
    Auto,
    /// Singles
    F32,
    /// Halves of singles (bfloat16), where every token passes, on machines that multiply these
    Bf16,
    /// Halves of singles (float16), where every token passes, on a GPU that multiplies these
    F16,
    /// Bytes, where every token passes: about three times as fast
    Int8,
    /// Bytes of which a file keeps four bits: as fast as int8, and half as large
    Int4,
}

#[derive(Subcommand)]
pub enum Command {
    /// Answer over HTTP
    Serve(Box<Serve>),
    /// Look at what a server would be started with
    #[command(subcommand)]
    Config(Config),
    /// Make an API key: the secret on standard output, its lines for the key file on standard error
    Key(NewKey),
    /// Look after what a server keeps
    #[command(subcommand)]
    State(Keep),
    /// Turn texts into vectors
    Embed(Embed),
    /// Name the class of texts
    Classify(Classify),
    /// Answer every row of a file, in parts that a run which is cut short need not do again
    Batch(Box<Batch>),
    /// Print the cosine of two texts
    Similarity(Similarity),
    /// Measure a model on a data file
    Eval(Eval),
    /// Describe a model
    Info,
    /// Write a model into one file
    Pack(Pack),
    /// Keep a model's weights in fewer bits, after saying what that costs
    Quantize(Quantize),
    /// Measure a model in every precision: speed, memory, size, and what is lost
    Bench(Bench),
    /// Teach a model
    #[command(subcommand)]
    Train(Train),
    /// Make a smaller model that a larger one teaches, by a recipe
    Distill(Distill),
    /// Print a completion script
    Completions {
        /// For this shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

/// Where texts come from, and how much of them is looked at.
#[derive(Args, Clone)]
pub struct Texts {
    /// The texts
    #[arg(value_name = "TEXT")]
    pub texts: Vec<String>,
    /// File with one text a line, or `.jsonl` with `{"text": …}`; `-` is standard input
    #[arg(long, short, value_name = "FILE", conflicts_with = "texts")]
    pub input: Option<PathBuf>,
    #[command(flatten)]
    pub cut: Cut,
}

#[derive(Args, Clone, Copy)]
pub struct Cut {
    /// Tokens to look at, special ones among them
    #[arg(long, value_name = "N")]
    pub max_length: Option<usize>,
    /// Which end of a text that is too long is cut off [default: as the model says]
    #[arg(long, value_name = "SIDE")]
    pub truncate: Option<Side>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Side {
    /// The beginning
    Left,
    /// The end
    Right,
}

/// How vectors are made.
#[derive(Args, Clone)]
pub struct Vector {
    /// How rows become one vector [default: as the model says]
    #[arg(long)]
    pub pooling: Option<Pooling>,
    /// Bring vectors to length one, or not [default: as the model says]
    #[arg(long, num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub normalize: Option<bool>,
    /// Keep only the first dimensions
    #[arg(long, value_name = "N")]
    pub dimensions: Option<usize>,
    /// The model's prompt to put first, by name
    #[arg(long, value_name = "NAME")]
    pub prompt: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Pooling {
    /// The average
    Mean,
    /// The first row
    Cls,
    /// The largest of each column
    Max,
    /// The last row
    #[value(alias = "last_token")]
    LastToken,
}

#[derive(Args)]
pub struct Embed {
    #[command(flatten)]
    pub texts: Texts,
    #[command(flatten)]
    pub vector: Vector,
    /// How to write vectors
    #[arg(long, default_value = "json")]
    pub format: Format,
    /// File to write them to [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A list of lists
    Json,
    /// NumPy's file format, f32
    Npy,
    /// One vector a line
    Csv,
}

#[derive(Args)]
pub struct Classify {
    #[command(flatten)]
    pub texts: Texts,
    /// A second text, for models that judge pairs
    #[arg(long, value_name = "TEXT")]
    pub pair: Option<String>,
    /// Show this many classes of each text
    #[arg(long, short = 'k', value_name = "N", conflicts_with = "all",
          value_parser = clap::value_parser!(u16).range(1..))]
    pub top_k: Option<u16>,
    /// Show every class
    #[arg(long)]
    pub all: bool,
}

#[derive(Args)]
pub struct Similarity {
    /// One text
    pub a: String,
    /// The other
    pub b: String,
    #[command(flatten)]
    pub vector: Vector,
}

#[derive(Args)]
pub struct Eval {
    /// What to measure
    #[arg(long)]
    pub task: EvalTask,
    /// Labelled texts or scored pairs: between tabs or commas, an object of JSON a line, or Parquet
    #[arg(long, value_name = "FILE")]
    pub data: PathBuf,
    #[command(flatten)]
    pub cut: Cut,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EvalTask {
    /// Similarity of sentence pairs: Spearman and Pearson
    Sts,
    /// Classes of texts: accuracy, macro F1, each class
    Classify,
}

#[derive(Args)]
pub struct Pack {
    /// File to write; a name by the model's digest where none is given
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// How weights are stored
    #[arg(long, default_value = "keep")]
    pub store: Store,
}

/// `--precision` says to what: `int8`, unless it is `int4`.
#[derive(Args)]
pub struct Quantize {
    /// Sentence pairs with scores, to measure similarity on (STS Benchmark)
    #[arg(long, value_name = "FILE")]
    pub sts: Option<PathBuf>,
    /// Labelled texts, to measure classification on (SST-2)
    #[arg(long, value_name = "FILE")]
    pub classify: Option<PathBuf>,
    /// File to write; a name by the model's digest where none is given
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Args)]
pub struct Bench {
    /// File with one text a line, or `.jsonl` with `{"text": …}` [default: those of the data, or
    /// sentences of our own]
    #[arg(long, short, value_name = "FILE")]
    pub input: Option<PathBuf>,
    /// Sentence pairs with scores, to measure similarity on (STS Benchmark)
    #[arg(long, value_name = "FILE")]
    pub sts: Option<PathBuf>,
    /// Labelled texts, to measure classification on (SST-2)
    #[arg(long, value_name = "FILE")]
    pub classify: Option<PathBuf>,
    /// Another model to measure beside it, as `--model` names it: its bundle, a student
    #[arg(long, value_name = "MODEL")]
    pub with: Vec<String>,
    /// A server, a Worker or a component to measure beside it: the address before `/encode`
    #[arg(long, value_name = "URL")]
    pub url: Vec<String>,
    /// Turns of 16 texts alone and 32 together
    #[arg(long, value_name = "N", default_value_t = 20,
          value_parser = clap::value_parser!(u16).range(1..))]
    pub rounds: u16,
    /// Picture to draw
    #[arg(long, short, value_name = "FILE", default_value = "bench.svg")]
    pub output: PathBuf,
    /// Answer turns from standard input, for the program that measures
    #[arg(long, hide = true)]
    pub turns: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Store {
    /// As they are
    Keep,
    /// Halves
    F16,
    /// Singles
    F32,
}

#[derive(Args)]
pub struct Distill {
    /// The recipe: teachers, what the student keeps, texts, and how it is trained
    #[arg(value_name = "RECIPE")]
    pub recipe: PathBuf,
    /// What a `{NAME}` in the recipe stands for
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    pub set: Vec<(String, String)>,
    #[command(flatten)]
    pub keeping: Keeping,
}

fn setting(value: &str) -> Result<(String, String), &'static str> {
    let (name, value) = value.split_once('=').ok_or("say what it is: data=path/of/the/data")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[derive(Subcommand)]
pub enum Train {
    /// To name the class of texts
    Classify(TrainClassify),
    /// To put near texts near each other
    Embed(TrainEmbed),
}

#[derive(Args)]
pub struct TrainClassify {
    /// The classes, in their order [default: the model's, or those of the data]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub labels: Vec<String>,
    /// Let every class count the same in all, however many examples it has
    #[arg(long)]
    pub balanced: bool,
    /// Make the model as sure as it is right on what was held out
    #[arg(long)]
    pub calibrate: bool,
    #[command(flatten)]
    pub training: Training,
}

#[derive(Args)]
pub struct TrainEmbed {
    /// What is made small
    #[arg(long, default_value = "cosine")]
    pub loss: PairLoss,
    /// By how much the cosine of the positive text of a triplet is to be the larger
    #[arg(long, value_name = "COSINE", default_value_t = 0.2)]
    pub margin: f64,
    /// Whose vectors are learnt, for `--loss distill`: a model as `--model` names it
    #[arg(long, value_name = "MODEL", required_if_eq("loss", "distill"))]
    pub teacher: Option<String>,
    /// The score of two texts that say the same [default: 5, as in the STS Benchmark]
    #[arg(long, value_name = "SCORE")]
    pub highest: Option<f64>,
    #[command(flatten)]
    pub training: Training,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PairLoss {
    /// What the cosine misses the score by
    Cosine,
    /// Multiple negatives ranking: every pair is near, and nearer than to other pairs' texts
    Mnr,
    /// The cosines of triplets (anchor, positive, negative) that are not a margin apart
    Triplet,
    /// How far vectors point away from a teacher's; pairs are only measured by
    Distill,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Schedule {
    /// By the same amount each step
    Linear,
    /// Along half a cosine
    Cosine,
    /// Not at all
    Constant,
}

impl From<Schedule> for trireme_train::Schedule {
    fn from(schedule: Schedule) -> Self {
        match schedule {
            Schedule::Linear => Self::Linear,
            Schedule::Cosine => Self::Cosine,
            Schedule::Constant => Self::Constant,
        }
    }
}

fn column(value: &str) -> Result<(String, String), &'static str> {
    const NAMES: [&str; 8] =
        ["label", "text", "score", "sentence1", "sentence2", "anchor", "positive", "negative"];
    match value.split_once('=') {
        Some((name, title)) if NAMES.contains(&name) => Ok((name.to_owned(), title.to_owned())),
        _ => Err(
            "say label, text, score, sentence1, sentence2, anchor, positive or negative, and what \
             it is called: label=stars",
        ),
    }
}

/// Where a training is kept.
#[derive(Args, Clone)]
pub struct Keeping {
    /// Folder for the model and the record of its training
    #[arg(long, short, value_name = "FOLDER")]
    pub output: PathBuf,
    /// Go on with the training that was put away in that folder
    #[arg(long)]
    pub resume: bool,
    /// Steps between two times that the training is put away
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub save_every: usize,
}

/// How a model is trained.
#[derive(Args)]
pub struct Training {
    /// Labelled texts or scored pairs: between tabs or commas, an object of JSON a line, or Parquet
    #[arg(long, value_name = "FILE")]
    pub data: PathBuf,
    /// What a header calls a column, as `label=stars`, `text=review`, `score=…`, `sentence1=…`
    #[arg(long, value_name = "NAME=TITLE", value_parser = column)]
    pub column: Vec<(String, String)>,
    /// Data to measure by [default: a share of `--data` that is not learnt from]
    #[arg(long, value_name = "FILE", conflicts_with = "held_out")]
    pub validation: Option<PathBuf>,
    /// That share
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    pub held_out: f64,
    #[command(flatten)]
    pub keeping: Keeping,
    /// How often every example is seen
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub epochs: usize,
    /// Examples of a step
    #[arg(long, value_name = "N", default_value_t = 32)]
    pub batch: usize,
    /// The highest learning rate
    #[arg(long, value_name = "RATE", default_value_t = 2e-5)]
    pub rate: f64,
    /// The share of all steps in which the rate rises from zero
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    pub warmup: f64,
    /// How it falls afterwards
    #[arg(long, default_value = "linear")]
    pub schedule: Schedule,
    /// How much of each weight is taken away, times the rate
    #[arg(long, value_name = "SHARE", default_value_t = 0.01)]
    pub decay: f64,
    /// The longest gradient; a longer one is shortened to this
    #[arg(long, value_name = "LENGTH", default_value_t = 1.0)]
    pub clip: f64,
    /// The share of values that are left out of each step
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    pub dropout: f32,
    /// Everything random follows from it
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Tensors whose names begin so stay as they are: `embeddings`, `encoder.layer.0.`
    #[arg(long, value_name = "PREFIX", value_delimiter = ',')]
    pub freeze: Vec<String>,
    /// Steps between two measurements [default: once an epoch]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub evaluate_every: usize,
    /// Measurements without a better score that end the training [default: none does]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub patience: usize,
    /// Tokens of a text to look at, special ones among them
    #[arg(long, value_name = "N")]
    pub max_length: Option<usize>,
}
