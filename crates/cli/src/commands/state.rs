//! `trireme state`

use std::path::PathBuf;

use serde::Serialize;
use trireme_domain::{Code, Fault};
use trireme_server::State;

use crate::args::Keep;
use crate::output::Output;
use crate::redacted::redacted;
use crate::serving::Place;

/// A notice that was given up.
#[derive(Serialize)]
struct Given {
    id: String,
    job_id: String,
    webhook: String,
    tries: u32,
}

/// Looks after what a server keeps.
pub async fn run(keep: Keep, output: Output) -> Result<(), Fault> {
    match keep {
        Keep::Check(place) => {
            let version = named(place)?.check().await?;
            output.result(&format!("it is sound, and of version {version}"))
        }
        Keep::Backup { file, place } => {
            named(place)?.backup(&file)?;
            output.result(&format!("all of it is in {}", file.display()))
        }
        Keep::Restore { file, place } => {
            named(place)?.restore(&file)?;
            output.result(&format!("all of {} is back", file.display()))
        }
        Keep::Notices { resend, place } => notices(&named(place)?, resend, output).await,
    }
}

/// Lists the notices that were given up. A webhook's query may be a secret.
async fn notices(state: &State, resend: bool, output: Output) -> Result<(), Fault> {
    let dead = state.dead_notices(resend).await?;
    let count = dead.len();
    for notice in dead {
        let webhook = redacted(&notice.url);
        let given = Given { id: notice.id, job_id: notice.job, webhook, tries: notice.tries };
        if output.json {
            output.json(&given)?;
        } else {
            let Given { id, job_id, webhook, tries } = given;
            output.result(&format!("{id}\tjob {job_id}\t{webhook}\t{tries} tries"))?;
        }
    }
    let due = if resend { ", and are due now" } else { "" };
    output.note(&format!("{count} notices were given up{due}"));
    Ok(())
}

/// Where a server keeps its jobs, if it keeps any.
pub fn place(folder: Option<PathBuf>, url: Option<String>) -> Result<Option<State>, Fault> {
    match (folder, url) {
        (None, None) => Ok(None),
        (Some(folder), None) => Ok(Some(State::Folder(folder))),
        (None, Some(url)) => Ok(Some(State::Database(url))),
        (Some(_), Some(_)) => {
            let message = "jobs are kept in one place: state, or database-url";
            Err(Fault::new(Code::InvalidOption, message))
        }
    }
}

fn named(named: Place) -> Result<State, Fault> {
    let none = || Fault::new(Code::InvalidOption, "say where it is, by --state or --database-url");
    place(named.state, named.database_url)?.ok_or_else(none)
}
