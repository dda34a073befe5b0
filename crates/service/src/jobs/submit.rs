//! Bringing a job: it is looked at, kept, and only then acknowledged.

use sha2::{Digest as _, Sha256};
use trireme_domain::jobs::notice::may_go;
use trireme_domain::jobs::{Status, same_request};
use trireme_domain::wire::{JobRequest, JobStanding};
use trireme_domain::{Code, Fault};

use super::no_such_job;
use super::order::{Order, answerer};
use crate::Service;
use crate::store::{NewJob, Put};

/// Who brings a job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asker {
    /// Whose the job is. Jobs of others are as good as none.
    pub owner: String,
    /// With the same key the same request may be sent again: it is the same job.
    pub key: Option<String>,
}

impl Service {
    /// Keeps a job. Once this has answered, the job is done whatever becomes of this host.
    ///
    /// # Errors
    /// A [`Fault`] of the request, the store, or the host; also [`Code::TooManyJobs`] and
    /// [`Code::IdempotencyConflict`].
    pub async fn submit_job(
        &self,
        request: JobRequest,
        asker: Asker,
    ) -> Result<JobStanding, Fault> {
        let jobs = self.jobs()?;
        jobs.rules.check_count(request.texts.len())?;
        if let Some(webhook) = &request.webhook {
            may_go(webhook, &jobs.webhooks)?;
        }
        let digest = digest(&request)?;
        let served = self.models.get(request.model.as_deref())?;
        let order = Order::of(&request, &served)?;
        let job = NewJob {
            id: self.entropy.id(),
            owner: asker.owner,
            key: asker.key,
            digest: digest.clone(),
            answerer: answerer(&order.origin),
            order: order.write()?,
            webhook: request.webhook,
            texts: request.texts,
        };
        let id = job.id.clone();
        match jobs.store.put_job(job, jobs.rules.open, jobs.rules.keep).await? {
            Put::Made => {
                let status = Status::Processing;
                Ok(JobStanding { job_id: id, status, origin: order.origin })
            }
            Put::Known { id, digest: known } => {
                same_request(&known, &digest)?;
                self.standing(&id).await
            }
            Put::Full => Err(jobs.rules.full()),
        }
    }

    /// How a job is.
    pub(super) async fn standing(&self, id: &str) -> Result<JobStanding, Fault> {
        let kept = self.jobs()?.store.read_job(id).await?.ok_or_else(no_such_job)?;
        let origin = Order::read(&kept.order)?.origin;
        Ok(JobStanding { job_id: id.to_owned(), status: kept.status, origin })
    }
}

/// Of everything that was asked, however it was written.
fn digest(request: &JobRequest) -> Result<String, Fault> {
    let written =
        serde_json::to_vec(request).map_err(|e| Fault::new(Code::Internal, e.to_string()))?;
    Ok(Sha256::digest(&written).iter().map(|byte| format!("{byte:02x}")).collect())
}
