//! `trireme info`

use serde_json::json;
use trireme_domain::Fault;
use trireme_server::{Opened, Processor};

use crate::output::Output;

pub fn run(opened: &Opened, output: Output) -> Result<(), Fault> {
    let (model, origin) = (&opened.model, &opened.served.identity.origin);
    let spec = model.spec();
    let facts = json!({
        "model": origin.model,
        "version": origin.version,
        "digest": origin.digest,
        "architecture": spec.architecture(),
        "layers": spec.layers,
        "width": spec.width,
        "heads": spec.heads,
        "vocabulary": spec.vocab,
        "max_tokens": model.reader().max_tokens(),
        "dimensions": model.dimensions(),
        "pooling": model.pooling().name(),
        "normalize": model.normalizes(),
        "labels": model.labels().map(|labels| &labels.names),
        "precision": origin.precision,
        "device": Processor::from(model.backend()).name(),
        "lane": model.backend().lane(),
    });
    if output.json {
        return output.json(&facts);
    }
    for (key, value) in facts.as_object().into_iter().flatten() {
        let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        output.result(&format!("{key:13} {shown}"))?;
    }
    Ok(())
}
