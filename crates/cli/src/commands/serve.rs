//! `trireme serve`

use std::net::SocketAddr;
use std::time::Duration;

use trireme_domain::Fault;
use trireme_server::{ModelSettings, Queue, open, serve};

use crate::args::Serve;
use crate::output::Output;

pub async fn run(args: &Serve, settings: ModelSettings, output: Output) -> Result<(), Fault> {
    let queue = Queue { jobs: usize::from(args.queue), timeout: Duration::from_secs(args.timeout) };
    let opened = open(&ModelSettings { queue, ..settings }).await?;
    let origin = &opened.service.identity.origin;
    let model = format!("{} ({})", origin.model, origin.digest.get(..12).unwrap_or_default());
    let address = SocketAddr::new(args.host, args.port);
    serve(opened.service.clone(), address, stop(), |address| {
        output.note(&format!("trireme answers at http://{address} with the model {model}"));
    })
    .await
}

/// Resolves when somebody asks the process to end.
async fn stop() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // Without a handler the default action ends the process, which is all that is left to do.
    drop(interrupt.await);
}
