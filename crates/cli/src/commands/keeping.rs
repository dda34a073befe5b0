//! What a server that `trireme serve` starts keeps: jobs, and records of predictions.

use std::time::Duration;

use trireme_domain::jobs::Rules;
use trireme_domain::records::{Keeping, Rotation};
use trireme_domain::{Code, Fault};
use trireme_server::{Files, Places, Steady, Stores, keep_predictions};
use trireme_service::Service;
use trireme_service::jobs::Jobs;
use trireme_service::records::Records;

use super::state::place;
use crate::args::Serve;

/// Days that a record is kept.
const KEPT: u64 = 30;

/// Megabytes of a file of the prediction log.
const FILE: u64 = 64;

/// Opens the places there are, before anything is answered: a host that can't keep what it would
/// acknowledge does not begin.
pub async fn begin(args: &Serve, service: &mut Service) -> Result<(), Fault> {
    check(args)?;
    let Some(state) = place(args.state.clone(), args.database_url.clone())? else { return Ok(()) };
    let stores = state.open().await?;
    service.jobs = Some(jobs(args, &stores));
    service.records = records(args, stores).await?;
    Ok(())
}

/// Whether the options make sense, as far as can be said without opening a place.
pub fn check(args: &Serve) -> Result<(), Fault> {
    let wrong = |message: &str| Err(Fault::new(Code::InvalidOption, message));
    let placed = place(args.state.clone(), args.database_url.clone())?.is_some();
    let kept = args.predictions == Some(true);
    let of_records = args.keep_predictions.is_some()
        || args.prediction_texts == Some(true)
        || args.prediction_log.is_some()
        || args.prediction_log_mb.is_some()
        || args.backups.is_some();
    match (placed, kept, of_records) {
        (false, true, _) => {
            wrong("records are kept by --predictions beside --state or --database-url")
        }
        (_, false, true) => wrong("options of records do nothing without --predictions"),
        _ => Ok(()),
    }
}

fn jobs(args: &Serve, stores: &Stores) -> Jobs {
    let usual = Jobs::new(stores.jobs.clone(), Steady::default());
    let rules = Rules {
        texts: args.max_job_texts.unwrap_or(usual.rules.texts),
        body_bytes: args.max_job_bytes.unwrap_or(usual.rules.body_bytes),
        open: args.max_jobs.unwrap_or(usual.rules.open),
        keep: args.keep_jobs.map_or(usual.rules.keep, |hours| times(hours, 3600)),
        lease: args.job_lease.map_or(usual.rules.lease, Duration::from_secs),
        ..usual.rules
    };
    let webhooks = args.webhook_hosts.clone().unwrap_or_default().into();
    Jobs { rules, webhooks, ..usual }
}

async fn records(args: &Serve, stores: Stores) -> Result<Option<Records>, Fault> {
    if args.predictions != Some(true) {
        return Ok(None);
    }
    let keep = times(args.keep_predictions.unwrap_or(KEPT), 86_400);
    let bytes = args.prediction_log_mb.unwrap_or(FILE).saturating_mul(1_000_000);
    let open = |folder| Files::open(folder, Rotation { bytes, keep });
    let files = args.prediction_log.as_deref().map(open).transpose()?;
    let keeping = match args.prediction_texts {
        Some(true) => Keeping::Text,
        Some(false) | None => Keeping::Trace,
    };
    let (store, backups) = (stores.predictions, args.backups.clone());
    keep_predictions(Places { store, files, keep, backups }, keeping).await.map(Some)
}

fn times(number: u64, seconds: u64) -> Duration {
    Duration::from_secs(number.saturating_mul(seconds))
}
