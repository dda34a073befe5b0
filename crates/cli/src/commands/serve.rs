//! `trireme serve`

use std::net::SocketAddr;
use std::time::Duration;

use trireme_domain::{Code, Fault};
use trireme_server::{ModelSettings, Queue, open, serve, service};
use trireme_service::Models;

use crate::args::Serve;
use crate::output::Output;

/// How often a model that serves answers a text whose answer is known.
const CANARY: Duration = Duration::from_secs(10);

pub async fn run(args: &Serve, settings: ModelSettings, output: Output) -> Result<(), Fault> {
    let queue = Queue {
        timeout: Duration::from_secs(args.timeout),
        canary: Some(CANARY),
        ..Queue::of_texts(args.queue.into())
    };
    let opened = open(&ModelSettings { queue, ..settings.clone() }).await?;
    let origin = &opened.served.identity.origin;
    let model = format!("{} ({})", origin.model, origin.digest.get(..12).unwrap_or_default());
    let address = SocketAddr::new(args.host, args.port);
    // Before anyone hears that it answers: until then, to be asked to end is to be killed.
    let stop = stop()?;
    let service = service(Models::of(opened.served), settings.limits);
    serve(service, address, stop, |address| {
        output.note(&format!("trireme answers at http://{address} with the model {model}"));
    })
    .await
}

/// Listens at once; what it returns resolves when somebody asks the process to end.
#[cfg(unix)]
fn stop() -> Result<impl Future<Output = ()>, Fault> {
    use tokio::signal::unix::{SignalKind, signal};

    let listen = |kind| signal(kind).map_err(|e| deaf(&e));
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Listens at once; what it returns resolves when somebody asks the process to end.
#[cfg(windows)]
fn stop() -> Result<impl Future<Output = ()>, Fault> {
    let mut interrupt = tokio::signal::windows::ctrl_c().map_err(|e| deaf(&e))?;
    Ok(async move { drop(interrupt.recv().await) })
}

fn deaf(error: &std::io::Error) -> Fault {
    Fault::new(Code::Internal, format!("can't listen for signals: {error}"))
}
