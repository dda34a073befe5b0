//! `trireme similarity`

use serde_json::json;
use trireme_domain::Fault;
use trireme_domain::similarity::cosine;
use trireme_model::Cut;
use trireme_server::Opened;
use trireme_service::{Task, Text};

use crate::args::Similarity;
use crate::output::Output;
use crate::{host, input};

pub async fn run(args: Similarity, opened: &Opened, output: Output) -> Result<(), Fault> {
    let texts = vec![Text::from(args.a), Text::from(args.b)];
    input::check(&texts)?;
    let task = Task::from(args.vector);
    let answers = host::answer(opened, texts, &task, Cut::default(), output).await?;
    let cosine = match &answers[..] {
        [a, b] => cosine(&a.values, &b.values),
        _ => 0.0,
    };
    match output.json {
        true => output.json(&json!({ "similarity": cosine })),
        false => output.result(&format!("{cosine:.6}")),
    }
}
