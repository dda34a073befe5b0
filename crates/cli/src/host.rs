//! From options and environment to a model in memory, and jobs through it.

use std::path::PathBuf;
use std::time::Duration;

use trireme_domain::{Code, Fault, Limits};
use trireme_model::{Cut, EmbedOptions, Pooling, Side};
use trireme_server::source::NetSettings;
use trireme_server::{ModelSettings, Opened, Precision, Processor, Queue};
use trireme_service::{Answer, Job, Task, Text, all};
use trireme_train::Place;

use crate::args::{self, Global};
use crate::output::Output;
use crate::progress;

/// Texts of one job: enough for full passes, few enough that a bar moves.
const JOB_TEXTS: usize = 64;

/// What the options and the environment say about the model.
pub fn settings(global: &Global, output: Output) -> ModelSettings {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    ModelSettings {
        model: global.model.clone(),
        hub_cache: hub_cache(global),
        http_cache: own_cache(global).join("http"),
        gpu_cache: own_cache(global).join("gpu.json"),
        endpoint: global.endpoint.clone(),
        offline: global.offline.unwrap_or_default(),
        net: NetSettings {
            token: global.token.clone(),
            proxy: variable("HTTPS_PROXY").or_else(|| variable("https_proxy")),
            progress: progress::downloads(output),
            ..NetSettings::default()
        },
        threads: global.threads.map_or(cores, usize::from),
        precision: global.precision.and_then(Option::from),
        processor: match global.device {
            None | Some(args::Device::Auto | args::Device::Cpu) => Processor::Cpu,
            // Who teaches what is trained there answers there too.
            Some(args::Device::Wgpu | args::Device::Cuda) => Processor::Gpu,
        },
        lane: global.lane.clone(),
        queue: Queue { timeout: Duration::from_secs(24 * 3600), ..Queue::default() },
        limits: Limits::default(),
    }
}

/// Where a model is trained.
pub fn place(device: Option<args::Device>) -> Result<Place, Fault> {
    match device {
        Some(args::Device::Cuda) => Place::cuda().map_err(|error| {
            let message = format!(
                "cannot train on CUDA: {error}; it takes a GPU of NVIDIA's and a program that was \
                 built with `--features cuda`"
            );
            Fault::new(Code::InvalidOption, message)
        }),
        // Teachers answer on `wgpu`, and what they teach is trained on the processor.
        None | Some(args::Device::Auto | args::Device::Cpu | args::Device::Wgpu) => {
            Ok(Place::default())
        }
    }
}

/// Refuses a device that only trains.
pub fn answers(device: Option<args::Device>) -> Result<(), Fault> {
    match device {
        Some(args::Device::Cuda) => Err(Fault::new(
            Code::InvalidOption,
            "a model answers on `cpu` or `wgpu`; on `cuda` it is trained",
        )),
        None | Some(args::Device::Auto | args::Device::Cpu | args::Device::Wgpu) => Ok(()),
    }
}

/// The model, in memory; and a note, where it is not on the device that was asked for.
pub async fn open(settings: &ModelSettings, output: Output) -> Result<Opened, Fault> {
    let opened = trireme_server::open(settings).await?;
    if let Some(fault) = &opened.refused {
        output.note(&format!("the processor answers: {fault}"));
    }
    Ok(opened)
}

/// A variable of the environment that is set to something.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn home() -> PathBuf {
    std::env::home_dir().unwrap_or_else(std::env::temp_dir)
}

fn own_cache(global: &Global) -> PathBuf {
    global.cache.clone().unwrap_or_else(|| home().join(".cache/trireme"))
}

/// The cache that Python's tools use, so that neither downloads what the other has.
fn hub_cache(global: &Global) -> PathBuf {
    if let Some(cache) = &global.cache {
        return cache.join("hub");
    }
    variable("HF_HUB_CACHE")
        .map(PathBuf::from)
        .or_else(|| variable("HF_HOME").map(|home| PathBuf::from(home).join("hub")))
        .unwrap_or_else(|| home().join(".cache/huggingface/hub"))
}

/// Answers any number of texts, job by job, behind a bar.
pub async fn answer(
    opened: &Opened,
    texts: Vec<Text>,
    task: &Task,
    cut: Cut,
    output: Output,
) -> Result<Vec<Answer>, Fault> {
    let bar = progress::texts(output, texts.len());
    let mut answers = Vec::with_capacity(texts.len());
    for texts in texts.chunks(JOB_TEXTS) {
        let job = Job { texts: texts.to_vec(), task: task.clone(), cut, ..Job::default() };
        answers.extend(opened.served.compute.submit(job).await?);
        bar.inc(texts.len() as u64);
    }
    bar.finish_and_clear();
    let answers = all(answers)?;
    let cut = answers.iter().filter(|answer| answer.dropped > 0).count();
    if cut > 0 {
        let most = opened.model.reader().max_tokens();
        output.note(&format!(
            "{cut} of {} texts were cut; the model sees {most} tokens at most",
            answers.len()
        ));
    }
    Ok(answers)
}

impl From<args::Precision> for Option<Precision> {
    fn from(precision: args::Precision) -> Self {
        match precision {
            args::Precision::Auto => None,
            args::Precision::F32 => Some(Precision::F32),
            args::Precision::Bf16 => Some(Precision::Bf16),
            args::Precision::F16 => Some(Precision::F16),
            args::Precision::Int8 => Some(Precision::Int8),
            args::Precision::Int4 => Some(Precision::Int4),
        }
    }
}

impl From<args::Cut> for Cut {
    fn from(cut: args::Cut) -> Self {
        let side = cut.truncate.map(|side| match side {
            args::Side::Left => Side::Left,
            args::Side::Right => Side::Right,
        });
        Self { max_tokens: cut.max_length, side }
    }
}

impl From<args::Vector> for Task {
    fn from(vector: args::Vector) -> Self {
        let pooling = vector.pooling.map(|pooling| match pooling {
            args::Pooling::Mean => Pooling::Mean,
            args::Pooling::Cls => Pooling::Cls,
            args::Pooling::Max => Pooling::Max,
            args::Pooling::LastToken => Pooling::LastToken,
        });
        let (normalize, dimensions) = (vector.normalize, vector.dimensions);
        let options = EmbedOptions { pooling, normalize, dimensions };
        Self::Embed { options, prompt: vector.prompt }
    }
}
