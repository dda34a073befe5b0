//! `trireme serve`

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use trireme_domain::batching::Batching;
use trireme_domain::hygiene::Hygiene;
use trireme_domain::rate::Rate;
use trireme_domain::rounding::Rounding;
use trireme_domain::{Code, Fault, Limits};
use trireme_server::{
    Hosting, Log, LogFormat, Messenger, Metrics, ModelSettings, Queue, Steady, Traces, open, serve,
    service,
};
use trireme_service::{Memory, Models, Policy, Served};

use super::keeping;
use crate::args::{Global, Serve, THREADS};
use crate::host;
use crate::output::Output;
use crate::redacted::redacted;
use crate::serving::Format;

/// How often a model that serves answers a text whose answer is known.
const CANARY: Duration = Duration::from_secs(10);

/// Megabytes of answers that each model remembers.
const REMEMBERED: usize = 64;

pub async fn run(args: Serve, global: &Global, output: Output) -> Result<(), Fault> {
    let args = args.whole(global)?;
    let (hosting, wanted) = (hosting(&args)?, wanted(&args, settings(&args, global, output)?)?);
    let level = args.log.as_deref().unwrap_or(LEVEL);
    let _log = Log::begin(level, format(&args), traces(&args).as_ref())?;
    let (models, metrics) = (Models::default(), Arc::new(Metrics::default()));
    let mut service =
        service(models.clone(), limits(&args), policy(&args), Arc::clone(&metrics) as _);
    keeping::begin(&args, &mut service).await?;
    // Before anyone hears that it answers: until then, to be asked to end is to be killed.
    let stop = stop()?;
    let (memory, remembered) = (args.memory, args.remember.unwrap_or(REMEMBERED));
    let load = async {
        // Packing weights takes a while, and health is asked for meanwhile.
        let handle = Handle::current();
        let load = move || handle.block_on(bring(wanted, memory, remembered));
        let loaded = tokio::task::spawn_blocking(load).await;
        let loaded = loaded.map_err(|e| Fault::new(Code::Internal, e.to_string()))??;
        loaded.into_iter().for_each(|served| models.add(served));
        Ok(())
    };
    serve(service.clone(), metrics, hosting, load, stop, |address| {
        if let Ok(first) = service.models.get(None) {
            let origin = &first.identity.origin;
            let digest = origin.digest.get(..12).unwrap_or_default();
            let model = format!("{} ({digest})", origin.model);
            output.note(&format!("trireme answers at http://{address} with the model {model}"));
        }
    })
    .await
}

/// Whether the options make sense, as far as can be said without loading a model.
pub fn check(args: &Serve, global: &Global, output: Output) -> Result<(), Fault> {
    hosting(args)?.check()?;
    wanted(args, settings(args, global, output)?)?;
    traces(args).map_or(Ok(()), |traces| traces.check())?;
    keeping::check(args)?;
    let level = args.log.as_deref().unwrap_or(LEVEL);
    Log::check(level)
}

/// What is said of every model.
fn settings(args: &Serve, global: &Global, output: Output) -> Result<ModelSettings, Fault> {
    host::answers(args.device)?;
    if args.threads.is_some_and(|threads| !THREADS.contains(&threads.into())) {
        let message = format!("threads is {} to {}", THREADS.start(), THREADS.end());
        return Err(Fault::new(Code::InvalidOption, message));
    }
    Ok(host::settings(&args.global(global), output))
}

fn traces(args: &Serve) -> Option<Traces> {
    let collector = args.traces.clone().filter(|collector| !collector.is_empty())?;
    Some(Traces { collector, share: args.trace_share.unwrap_or(1.0) })
}

/// Requests are logged; `--quiet` leaves that to those who ask for it.
const LEVEL: &str = "info";

fn format(args: &Serve) -> LogFormat {
    match args.log_format {
        Some(Format::Json) => LogFormat::Json,
        Some(Format::Human) | None => LogFormat::Human,
    }
}

fn seconds(seconds: Option<u64>, usual: Duration) -> Duration {
    seconds.map_or(usual, Duration::from_secs)
}

fn hosting(args: &Serve) -> Result<Hosting, Fault> {
    some(args)?;
    let host = args.host.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let usual = Hosting::at(SocketAddr::new(host, args.port.unwrap_or(8080)));
    let origin = |name: &String| {
        let named =
            |e: Fault| Fault::new(e.code, format!("{}, not {:?}", e.message, redacted(name)));
        name.parse().map_err(named)
    };
    Ok(Hosting {
        keys: args.keys.clone(),
        rate: rate(args.rate, args.burst)?,
        origins: args.origins.iter().flatten().map(origin).collect::<Result<_, _>>()?,
        forwarded: args.forwarded.unwrap_or_default(),
        connections: args.connections.unwrap_or(usual.connections),
        patience: seconds(args.patience, usual.patience),
        notice: seconds(args.notice, usual.notice),
        grace: seconds(args.grace, usual.grace),
        workers: args.job_workers.unwrap_or(usual.workers),
        messenger: Messenger::new(args.webhook_secret.as_deref()),
        ..usual
    })
}

/// With none of these a host would answer nobody, and not say so.
fn some(args: &Serve) -> Result<(), Fault> {
    let counts = [
        ("connections", args.connections),
        ("queue", args.queue),
        ("max-texts", args.max_texts),
        ("max-text-bytes", args.max_text_bytes),
        ("max-body-bytes", args.max_body_bytes),
        ("max-chars", args.max_chars),
        ("max-job-texts", args.max_job_texts),
        ("max-job-bytes", args.max_job_bytes),
        ("max-jobs", args.max_jobs),
    ];
    let times = [
        ("patience", args.patience),
        ("timeout", args.timeout),
        ("keep-jobs", args.keep_jobs),
        ("keep-predictions", args.keep_predictions),
        ("prediction-log-mb", args.prediction_log_mb),
        ("job-lease", args.job_lease),
    ];
    let zero = counts.into_iter().find(|(_, count)| *count == Some(0)).map(|(name, _)| name);
    let never = times.into_iter().find(|(_, time)| *time == Some(0)).map(|(name, _)| name);
    zero.or(never)
        .map_or(Ok(()), |name| Err(Fault::new(Code::InvalidOption, format!("{name} is 1 or more"))))
}

/// A burst alone limits nothing.
fn rate(per_second: Option<f64>, burst: Option<f64>) -> Result<Option<Rate>, Fault> {
    let Some(per_second) = per_second else { return Ok(None) };
    let burst = burst.unwrap_or((10.0 * per_second).max(1.0));
    let rate = Rate { per_second, burst };
    let sound = rate.is_sound() && burst >= 1.0;
    let message = "rate is above 0, and burst 1 or more";
    sound.then_some(Some(rate)).ok_or_else(|| Fault::new(Code::InvalidOption, message))
}

fn limits(args: &Serve) -> Limits {
    let usual = Limits::default();
    Limits {
        texts: args.max_texts.unwrap_or(usual.texts),
        text_bytes: args.max_text_bytes.unwrap_or(usual.text_bytes),
        body_bytes: args.max_body_bytes.unwrap_or(usual.body_bytes),
    }
}

fn policy(args: &Serve) -> Policy {
    let hygiene = Hygiene {
        strip_markup: args.strip_markup.unwrap_or_default(),
        collapse_space: args.collapse_space.unwrap_or_default(),
        deny: args.deny.clone().unwrap_or_default(),
        max_chars: args.max_chars,
        refuse_control_characters: args.refuse_control.unwrap_or_default(),
    };
    let rounding = Rounding { digits: args.round };
    Policy { hygiene, rounding, token_ids: args.token_ids.unwrap_or_default() }
}

fn queue(args: &Serve) -> Queue {
    let usual = Queue::default();
    let batching = Batching {
        max_texts: args.max_batch.unwrap_or(usual.batching.max_texts).max(1),
        max_tokens: args.max_batch_tokens.unwrap_or(usual.batching.max_tokens).max(1),
        max_wait: args.max_wait.map_or(usual.batching.max_wait, Duration::from_millis),
        ..usual.batching
    };
    let queue = args.queue.map_or(usual, Queue::of_texts);
    Queue { batching, timeout: seconds(args.timeout, queue.timeout), canary: Some(CANARY), ..queue }
}

/// A model to load, and what requests call it.
struct Wanted {
    settings: ModelSettings,
    name: Option<String>,
}

fn wanted(args: &Serve, settings: ModelSettings) -> Result<Vec<Wanted>, Fault> {
    let settings = ModelSettings { queue: queue(args), ..settings };
    let mut all = vec![Wanted { settings: settings.clone(), name: args.name.clone() }];
    for other in args.with.iter().flatten() {
        let named = other.split_once('=').filter(|(name, model)| {
            // An address in front of the sign is no name, and what is behind it may be a signature.
            !name.is_empty() && !model.is_empty() && !name.contains("://")
        });
        let (name, model) = named.ok_or_else(|| {
            let message = format!("another model is NAME=MODEL, not {:?}", redacted(other));
            Fault::new(Code::InvalidOption, message)
        })?;
        let settings = ModelSettings { model: Some(model.to_owned()), ..settings.clone() };
        all.push(Wanted { settings, name: Some(name.to_owned()) });
    }
    Ok(all)
}

/// Loads the models, one after another, as long as they fit.
async fn bring(
    wanted: Vec<Wanted>,
    megabytes: Option<u64>,
    remembered: usize,
) -> Result<Vec<Served>, Fault> {
    let (mut served, mut sum) = (Vec::new(), 0u64);
    for Wanted { settings, name } in wanted {
        let opened = open(&settings).await?;
        let (mut one, bytes) = (opened.served, opened.bytes);
        if let Some(name) = name {
            one.identity.origin.model = name;
        }
        sum += bytes;
        if let Some(most) = megabytes.filter(|most| sum > most.saturating_mul(1_000_000)) {
            let model = &one.identity.origin.model;
            let message = format!(
                "{model} takes {} MB, which makes {} MB with those before it, more than {most}; \
                 allow more by --memory, or serve fewer models",
                bytes.div_ceil(1_000_000),
                sum.div_ceil(1_000_000)
            );
            return Err(Fault::new(Code::OutOfMemory, message));
        }
        let same = |other: &Served| other.identity.origin.model == one.identity.origin.model;
        if served.iter().any(same) {
            let message = format!("two models are called {:?}", one.identity.origin.model);
            return Err(Fault::new(Code::InvalidOption, message));
        }
        served.push(remembering(one, remembered, settings.queue.timeout));
    }
    Ok(served)
}

/// A model that remembers so many megabytes of its answers.
fn remembering(served: Served, megabytes: usize, longest: Duration) -> Served {
    match megabytes.saturating_mul(1_000_000) {
        0 => served,
        bytes => served.remembering(Memory { bytes, longest, clock: Arc::new(Steady::default()) }),
    }
}

/// Listens at once; what it returns resolves each time that somebody asks the process to end.
#[cfg(unix)]
fn stop() -> Result<impl AsyncFnMut(), Fault> {
    use tokio::signal::unix::{SignalKind, signal};

    let listen = |kind| signal(kind).map_err(|e| deaf(&e));
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    Ok(async move || {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Listens at once; what it returns resolves each time that somebody asks the process to end.
#[cfg(windows)]
fn stop() -> Result<impl AsyncFnMut(), Fault> {
    let mut interrupt = tokio::signal::windows::ctrl_c().map_err(|e| deaf(&e))?;
    Ok(async move || drop(interrupt.recv().await))
}

fn deaf(error: &std::io::Error) -> Fault {
    Fault::new(Code::Internal, format!("can't listen for signals: {error}"))
}
