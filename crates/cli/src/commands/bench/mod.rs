//! `trireme bench`

mod chart;
mod place;
mod report;
mod turn;

use trireme_domain::{Code, Fault};
use trireme_model::{Bundle, Precision};
use trireme_server::{ModelSettings, Processor, named_checkpoint, replace, start};
use trireme_service::{Text, from_model};

use super::quality::{Answered, Cosines, Questions};
use crate::args::{Bench, Global};
use crate::output::Output;
use crate::{input, progress};
use place::{Endpoint, Place, Process};
use report::{Report, Row};
use turn::{Asked, Work, answer_turns};

/// One way to have answers, before it is timed.
struct Way {
    name: String,
    bytes: Option<usize>,
    answered: Answered,
    /// Whether it can say classes.
    classifies: bool,
    place: Place,
}

/// What all of them are measured with.
struct Bencher<'a> {
    global: &'a Global,
    settings: &'a ModelSettings,
    questions: Questions,
    output: Output,
}

/// Measures a model in every precision, beside others and other places, by turns.
pub async fn run(
    args: Bench,
    global: &Global,
    settings: &ModelSettings,
    output: Output,
) -> Result<(), Fault> {
    if args.turns {
        return answer_turns(settings, output).await;
    }
    let model = named_checkpoint(settings).await?;
    let labels = model.checkpoint.spec().labels.as_ref();
    let labels = labels.map(|labels| labels.names.as_slice()).unwrap_or_default();
    let questions = Questions::read(args.sts.as_deref(), args.classify.as_deref(), labels)?;
    let texts = match &args.input {
        Some(file) => input::file(file)?,
        None => questions.texts.iter().cloned().map(Text::from).collect(),
    };
    if !args.url.is_empty() && texts.iter().any(|text| text.second.is_some()) {
        let message = "texts with a second one can't be sent to a server that makes vectors";
        return Err(Fault::new(Code::InvalidRequest, message));
    }
    let bench = Bencher { global, settings, questions, output };
    // What fails at once comes first.
    let endpoints: Vec<Way> =
        args.url.iter().map(|url| bench.endpoint(url)).collect::<Result<_, _>>()?;
    let mut others = Vec::new();
    for model in &args.with {
        let settings = ModelSettings { model: Some(model.clone()), ..settings.clone() };
        others.push(bench.way(model.clone(), &settings).await?);
    }
    let mut ways = bench.precisions().await?;
    ways.extend(others);
    ways.extend(endpoints);
    let task = if ways.iter().all(|way| way.classifies) { Asked::Classes } else { Asked::Vectors };
    let rows = timed(ways, task, &texts, usize::from(args.rounds), output)?;
    let report = Report { model: model.name, task, threads: settings.threads, rows };
    match output.json {
        true => output.json(&report)?,
        false => output.result(&report.to_string())?,
    }
    replace(&args.output, [chart::svg(&report).as_bytes()]).map_err(|e| {
        let message = format!("could not write {}: {e}", args.output.display());
        Fault::new(Code::Unwritable, message)
    })
}

impl Bencher<'_> {
    /// The model in singles, and in whatever else it can be had; or in what was asked for.
    async fn precisions(&self) -> Result<Vec<Way>, Fault> {
        let mut ways = Vec::new();
        for precision in Precision::ALL {
            let asked = self.settings.precision;
            let beyond = precision == Precision::F16 && self.settings.processor == Processor::Cpu;
            if beyond && asked != Some(precision) {
                continue;
            }
            if asked.is_some_and(|asked| ![Precision::F32, asked].contains(&precision)) {
                continue;
            }
            let settings = ModelSettings { precision: Some(precision), ..self.settings.clone() };
            match self.way(precision.name().to_owned(), &settings).await {
                Ok(way) => ways.push(way),
                Err(fault) if fault.code == Code::UnsupportedHere && asked != Some(precision) => {
                    self.output.note(&format!("{}: {}", precision.name(), fault.message));
                }
                Err(fault) => return Err(fault),
            }
        }
        match ways.is_empty() {
            false => Ok(ways),
            true => Err(Fault::new(Code::UnsupportedHere, "no precision can be had; see above")),
        }
    }

    /// A model, what it answers, and a process that answers the same.
    async fn way(&self, name: String, settings: &ModelSettings) -> Result<Way, Fault> {
        let mut model = named_checkpoint(settings).await?;
        if let Some(precision) = settings.precision.filter(|precision| precision.in_bytes()) {
            let quantized = model.checkpoint.quantized(precision);
            model.checkpoint = quantized.map_err(|e| from_model(&e))?;
        }
        let bundle = Bundle::new(&model.checkpoint, None).map_err(|e| from_model(&e))?;
        let bytes = Some(bundle.pieces().map(<[u8]>::len).sum());
        let opened = start(settings, model).await?;
        let answered = self.questions.ask(&opened, self.output).await?;
        let classifies = opened.model.labels().is_some();
        drop(opened);
        let place = Place::Process(Process::start(self.global, settings)?);
        Ok(Way { name, bytes, answered, classifies, place })
    }

    fn endpoint(&self, url: &str) -> Result<Way, Fault> {
        let endpoint = Endpoint::new(url);
        let answered = self.questions.answered(endpoint.vectors(&self.questions.texts)?, None);
        let place = Place::Url(endpoint);
        Ok(Way { name: url.to_owned(), bytes: None, answered, classifies: false, place })
    }
}

/// Every way does as much as every other, by turns, so that all have the same weather.
fn timed(
    mut ways: Vec<Way>,
    task: Asked,
    texts: &[Text],
    rounds: usize,
    output: Output,
) -> Result<Vec<Row>, Fault> {
    let bar = progress::steps(output, 0, (rounds + 1) * ways.len());
    let mut turns: Vec<Vec<_>> = ways.iter().map(|_| Vec::new()).collect();
    for round in 0..=rounds {
        let work = Work::of(task, texts, round);
        for (way, turns) in ways.iter_mut().zip(&mut turns) {
            bar.set_message(way.name.clone());
            let turn = way.place.turn(&work)?;
            // The first time is for pages that are touched and cores that wake up.
            if round > 0 {
                turns.push(turn);
            }
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    let (first, mut rows) = (ways.first(), Vec::new());
    for (way, turns) in ways.iter().zip(&turns) {
        let cosine = first.and_then(|first| Cosines::between(&first.answered, &way.answered));
        rows.push(Row::new(&way.name, way.bytes, turns, cosine, &way.answered));
    }
    Ok(Row::compared(rows))
}
