//! What is true of rows whatever happened, written so that both databases understand it.

use trireme_service::store::StoreError;

/// What is true of every row of one kind.
pub struct Rule {
    /// The first layout that has such rows.
    pub since: u32,
    /// The jobs of which it is not true, one at most.
    pub broken: &'static str,
    /// What is wrong with them.
    wrong: &'static str,
}

const fn rule(since: u32, broken: &'static str, wrong: &'static str) -> Rule {
    Rule { since, broken, wrong }
}

/// Records of predictions and secrets belong to nothing else, so there is nothing to say of them.
const RULES: [Rule; 8] = [
    rule(
        1,
        "SELECT job_id FROM job_results
         WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE id = job_id) LIMIT 1",
        "it has results, and is not there",
    ),
    rule(
        1,
        "SELECT job_id FROM job_texts
         WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE id = job_id) LIMIT 1",
        "it has texts, and is not there",
    ),
    rule(
        2,
        "SELECT job_id FROM notices
         WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE id = job_id) LIMIT 1",
        "it has a notice, and is not there",
    ),
    rule(
        1,
        "SELECT id FROM jobs
         WHERE done <> (SELECT count(*) FROM job_results WHERE job_id = jobs.id) LIMIT 1",
        "it has another number of results than it says",
    ),
    // No two of them have the same place, so there is no hole where none is behind the last.
    rule(
        1,
        "SELECT id FROM jobs WHERE EXISTS (
           SELECT 1 FROM job_results
           WHERE job_id = jobs.id AND (place < 0 OR place >= jobs.done)) LIMIT 1",
        "its results do not follow one another",
    ),
    rule(
        1,
        "SELECT id FROM jobs WHERE status = 'processing' AND (
           texts - done <> (SELECT count(*) FROM job_texts WHERE job_id = jobs.id)
           OR EXISTS (
             SELECT 1 FROM job_texts
             WHERE job_id = jobs.id AND (place < jobs.done OR place >= jobs.texts))) LIMIT 1",
        "its texts are not those that have no result",
    ),
    rule(
        1,
        "SELECT id FROM jobs WHERE status <> 'processing'
           AND EXISTS (SELECT 1 FROM job_texts WHERE job_id = jobs.id) LIMIT 1",
        "it is over, and has texts",
    ),
    // But for one of which a part is forgotten.
    rule(
        1,
        "SELECT id FROM jobs
         WHERE status = 'completed' AND done <> texts AND expires_at > 0 LIMIT 1",
        "it is completed, and texts have no result",
    ),
];

impl Rule {
    /// Those that a layout can be held to.
    pub fn of(version: u32) -> impl Iterator<Item = Self> {
        RULES.into_iter().filter(move |rule| rule.since <= version)
    }

    /// Whether no job broke it.
    pub fn kept(&self, broken: Option<String>) -> Result<(), StoreError> {
        match broken {
            None => Ok(()),
            Some(id) => Err(StoreError::Damaged { reason: format!("job {id}: {}", self.wrong) }),
        }
    }
}
