//! `trireme distill`

mod lessons;
mod recipe;

use std::collections::BTreeMap;

use trireme_domain::Fault;
use trireme_domain::dataset::ScoredPair;
use trireme_model::{Checkpoint, Cut};
use trireme_server::{ModelSettings, Opened, named_checkpoint, open};
use trireme_service::{Task, Text, from_model};
use trireme_train::{Distill as Taught, Lesson, fresh_weights};

use crate::args::Distill;
use crate::commands::train::Texts;
use crate::commands::train::embed::{HIGHEST_SCORE, taught};
use crate::commands::train::folder::Source;
use crate::commands::train::run::{Run, fault, one_of_several};
use crate::host;
use crate::output::Output;
use lessons::{Known, Material};
use recipe::Recipe;

/// Makes a student, teaches it, and writes it.
pub async fn run(args: Distill, settings: &ModelSettings, output: Output) -> Result<(), Fault> {
    let recipe = Recipe::read(&args.recipe, &args.set)?;
    let run = Run::new(recipe.training.clone(), &args.keeping)?;
    let whole = named_checkpoint(&named(settings, &recipe.student.of)).await?.checkpoint;
    let teachers = Teachers::open(&recipe, settings).await?;
    let names = teachers.names(&recipe)?;
    let material = Material::read(&recipe, &names)?;
    let student = student(&recipe, &whole, &names, &material.learn)?;
    let reader = Texts::new(&student, recipe.max_length)?;
    let lessons = teachers.lessons(&student, &reader, &names, &material.learn, output).await?;
    let files: Vec<&str> = material.sources.iter().map(Source::sha256).collect();
    let by = format!("{:?} {:?} {files:?}", teachers.digests(), recipe.weights());
    let task = task(&student, &reader, names, lessons, recipe.vectors, by, &material)?;
    output.note(&format!(
        "{} texts to learn, {} and {} pairs to measure by",
        task.lessons.len(),
        task.labelled.len(),
        task.pairs.len()
    ));
    let labelled = task.labelled.clone();
    let mut ended = run.train(student, task, settings, output)?;
    if !labelled.is_empty() {
        ended = ended.calibrated(settings, &labelled).await?;
    }
    ended.finish(std::iter::once(&recipe.source).chain(&material.sources), output)
}

fn named(settings: &ModelSettings, model: &str) -> ModelSettings {
    ModelSettings { model: Some(model.to_owned()), ..settings.clone() }
}

/// Who teaches.
struct Teachers {
    classes: Option<Opened>,
    vectors: Option<Opened>,
}

impl Teachers {
    async fn open(recipe: &Recipe, settings: &ModelSettings) -> Result<Self, Fault> {
        let opened = async |teacher: &Option<String>| match teacher {
            Some(teacher) => open(&named(settings, teacher)).await.map(Some),
            None => Ok(None),
        };
        let classes = opened(&recipe.teachers.classes).await?;
        Ok(Self { classes, vectors: opened(&recipe.teachers.vectors).await? })
    }

    /// The classes that are taught.
    fn names(&self, recipe: &Recipe) -> Result<Vec<String>, Fault> {
        match &self.classes {
            Some(teacher) => Ok(one_of_several(teacher.model.labels())?.to_vec()),
            None => Ok(recipe.labels.clone()),
        }
    }

    fn digests(&self) -> [Option<&str>; 2] {
        [&self.classes, &self.vectors].map(|teacher| Some(teacher.as_ref()?.model.digest()))
    }

    /// What they say of every text.
    async fn lessons(
        &self,
        student: &Checkpoint,
        reader: &Texts,
        names: &[String],
        learn: &[Known],
        output: Output,
    ) -> Result<Vec<Lesson>, Fault> {
        let texts: Vec<Text> = learn.iter().map(|known| known.text.clone().into()).collect();
        let classes = match &self.classes {
            Some(teacher) => {
                let (task, cut) = (Task::CLASSES, Cut::default());
                host::answer(teacher, texts.clone(), &task, cut, output).await?
            }
            None => Vec::new(),
        };
        let vectors = match &self.vectors {
            Some(teacher) => taught(teacher, student, &texts, output).await?,
            None => Vec::new(),
        };
        let lesson = |(at, known): (usize, &Known)| {
            Ok(Lesson {
                // One reading serves both heads; a prompt is for vectors, so it is read where only
                // those are taught.
                text: match names.is_empty() {
                    true => reader.encode_for_vector(&known.text)?,
                    false => reader.encode(&known.text)?,
                },
                classes: known.shares(classes.get(at).map(|said| &said.values[..]), names.len()),
                vector: vectors.get(at).cloned(),
            })
        };
        learn.iter().enumerate().map(lesson).collect()
    }
}

/// What is taught, and what that is measured by.
fn task(
    student: &Checkpoint,
    reader: &Texts,
    names: Vec<String>,
    lessons: Vec<Lesson>,
    vectors: f64,
    by: String,
    material: &Material,
) -> Result<Taught, Fault> {
    let labelled = |(text, class): &(String, usize)| Ok((reader.encode(text)?, *class));
    let pair = |pair: &ScoredPair| reader.encode_pair(pair, HIGHEST_SCORE);
    let near = |(scored, truth): &(ScoredPair, f32)| Ok((pair(scored)?, *truth));
    let task = Taught {
        lessons,
        near: material.near.iter().map(near).collect::<Result<_, Fault>>()?,
        names,
        labelled: material.labelled.iter().map(labelled).collect::<Result<_, Fault>>()?,
        pairs: material.pairs.iter().map(pair).collect::<Result<_, Fault>>()?,
        pooling: student.pooling(),
        vectors,
        by,
    };
    task.check().map_err(|e| fault(&e))?;
    Ok(task)
}

/// The part of a model that the recipe asks for, with a head for these classes.
fn student(
    recipe: &Recipe,
    whole: &Checkpoint,
    names: &[String],
    learn: &[Known],
) -> Result<Checkpoint, Fault> {
    let reader = Texts::new(whole, recipe.max_length)?;
    let mut seen: BTreeMap<u32, usize> = BTreeMap::new();
    for known in learn {
        for id in reader.encode(&known.text)?.ids {
            *seen.entry(id).or_default() += 1;
        }
    }
    let student = whole.student(&recipe.student.kept, &seen).map_err(|e| from_model(&e))?;
    if names.is_empty() {
        return Ok(student);
    }
    let head = fresh_weights(recipe.training.seed);
    student.classifying(names, head).map_err(|e| from_model(&e))
}
