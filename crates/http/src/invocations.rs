//! `POST /invocations`: what SageMaker and MLflow send.
//!
//! MLflow's own keys get `predictions`; with `inputs`, or a body of any other convention, the
//! answer is what `POST /` gives.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use trireme_domain::wire::Kind;
#[cfg(test)]
use trireme_domain::wire::schema::List;
use trireme_domain::{Code, Fault};
use trireme_service::{EmbedOptions, Service, Terms, Text, parse};

use crate::answer::{Json, Refused};
use crate::body::Bytes;
use crate::call::Call;
use crate::route::Host;
use crate::tei;
#[cfg(test)]
use crate::tests::{Instance, Row};
use trireme_service::asking::{Cutting, scores, vectors};

/// The keys of MLflow, one of which a body has.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "MlflowTable"))]
pub(crate) enum Table {
    DataframeSplit(Split),
    DataframeRecords(#[cfg_attr(test, schemars(with = "List<Row>"))] Vec<Map<String, Value>>),
    Instances(#[cfg_attr(test, schemars(with = "List<Instance>"))] Vec<Value>),
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "MlflowSplit"))]
pub(crate) struct Split {
    columns: Vec<String>,
    #[cfg_attr(test, schemars(with = "List<Vec<Value>>"))]
    data: Vec<Vec<Value>>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "MlflowPredictions"))]
pub(crate) struct Predictions {
    predictions: Vec<Prediction>,
}

#[derive(Serialize)]
#[serde(untagged)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "MlflowPrediction"))]
enum Prediction {
    Class { label: String, score: f32 },
    Vector(Vec<f32>),
}

pub(crate) async fn invoke(State(service): Host, call: Call, body: Bytes) -> Response {
    let parsed = parse::<Map<String, Value>>(&body.0);
    let of_mlflow = |fields: &Map<String, Value>| {
        ["dataframe_split", "dataframe_records", "instances"]
            .iter()
            .any(|key| fields.contains_key(*key))
    };
    match parsed {
        Err(fault) => Refused(fault).into_response(),
        Ok(fields) if of_mlflow(&fields) => {
            predictions(&service, call.0, &body.0).await.map(Json).map_err(Refused).into_response()
        }
        Ok(_) => tei::task(State(service), call, body).await,
    }
}

async fn predictions(service: &Service, terms: Terms, body: &[u8]) -> Result<Predictions, Fault> {
    let texts = texts(parse(body)?)?;
    let served = service.models.get(None)?;
    let cutting = Cutting::new(None, None);
    if served.identity.kind == Kind::Embedding {
        let options = EmbedOptions::default();
        let answers = vectors(service, &served, texts, options, None, cutting, terms).await?;
        let predictions = answers.into_iter().map(|answer| Prediction::Vector(answer.values));
        return Ok(Predictions { predictions: predictions.collect() });
    }
    let texts = texts.into_iter().map(Text::from).collect();
    let answers = scores(service, &served, texts, false, cutting, terms).await?;
    let class = |answer: trireme_service::Answer| {
        let best = trireme_domain::top::top(&answer.values)?;
        let label = served.identity.labels.get(best)?.clone();
        Some(Prediction::Class { label, score: *answer.values.get(best)? })
    };
    Ok(Predictions { predictions: answers.into_iter().filter_map(class).collect() })
}

/// The one text of each row: in the column `text`, or in the only column there is.
fn texts(table: Table) -> Result<Vec<String>, Fault> {
    let no_text = |row: usize| {
        let message = format!("row {row} has no text; name the column `text`, or send one column");
        Fault::new(Code::InvalidRequest, message)
    };
    let of_fields = |(row, mut fields): (usize, Map<String, Value>)| {
        let only = (fields.len() == 1).then(|| fields.keys().next().cloned()).flatten();
        let name = if fields.contains_key("text") { Some("text".to_owned()) } else { only };
        match name.and_then(|name| fields.remove(&name)) {
            Some(Value::String(text)) => Ok(text),
            _ => Err(no_text(row)),
        }
    };
    match table {
        Table::DataframeRecords(rows) => rows.into_iter().enumerate().map(of_fields).collect(),
        Table::DataframeSplit(Split { columns, data }) => {
            let fields = |row: Vec<Value>| columns.iter().cloned().zip(row).collect();
            data.into_iter().map(fields).enumerate().map(of_fields).collect()
        }
        Table::Instances(rows) => {
            let text = |(row, value)| match value {
                Value::String(text) => Ok(text),
                Value::Object(fields) => of_fields((row, fields)),
                _ => Err(no_text(row)),
            };
            rows.into_iter().enumerate().map(text).collect()
        }
    }
}
