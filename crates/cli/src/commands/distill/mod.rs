//! `trireme distill`

mod lessons;
mod recipe;

use std::collections::BTreeMap;

use trireme_domain::Fault;
use trireme_domain::dataset::ScoredPair;
use trireme_model::{Checkpoint, Cut};
use trireme_server::{ModelSettings, named_checkpoint, open};
use trireme_service::{Answer, Task, Text, from_model};
use trireme_train::{Distill as Taught, Lesson, fresh_weights};

use crate::args::Distill;
use crate::commands::train::Texts;
use crate::commands::train::embed::{HIGHEST_SCORE, taught};
use crate::commands::train::run::{Run, fault, one_of_several};
use crate::host;
use crate::output::Output;
use lessons::{Known, Material};
use recipe::Recipe;

/// Makes a student, teaches it, and writes it.
pub async fn run(args: Distill, settings: &ModelSettings, output: Output) -> Result<(), Fault> {
    let recipe = Recipe::read(&args.recipe, &args.set)?;
    let whole = named_checkpoint(&named(settings, &recipe.student.of)).await?.checkpoint;
    let names = match &recipe.teachers.classes {
        Some(teacher) => classes_of(&named(settings, teacher)).await?,
        None => Vec::new(),
    };
    let material = Material::read(&recipe, &names)?;
    let student = student(&recipe, &whole, &names, &material.learn)?;
    let reader = Texts::new(&student, recipe.max_length)?;
    let lessons = lessons(&recipe, &student, &reader, &material.learn, settings, output).await?;
    let task = task(&student, &reader, names, lessons, recipe.vectors, &material)?;
    output.note(&format!(
        "{} texts to learn, {} and {} pairs to measure by",
        task.lessons.len(),
        task.labelled.len(),
        task.pairs.len()
    ));
    let labelled = task.labelled.clone();
    let run = Run::new(recipe.training, &args.keeping, material.sources);
    let mut ended = run.train(student, task, settings, output)?;
    if !labelled.is_empty() {
        ended = ended.calibrated(settings, &labelled).await?;
    }
    run.finish(ended, output)
}

fn named(settings: &ModelSettings, model: &str) -> ModelSettings {
    ModelSettings { model: Some(model.to_owned()), ..settings.clone() }
}

/// What the teachers say of every text.
async fn lessons(
    recipe: &Recipe,
    student: &Checkpoint,
    reader: &Texts,
    learn: &[Known],
    settings: &ModelSettings,
    output: Output,
) -> Result<Vec<Lesson>, Fault> {
    let texts: Vec<Text> = learn.iter().map(|known| known.text.clone().into()).collect();
    let classes = match &recipe.teachers.classes {
        Some(teacher) => scores(&named(settings, teacher), &texts, output).await?,
        None => Vec::new(),
    };
    let vectors = match &recipe.teachers.vectors {
        Some(teacher) => taught(Some(teacher), student, &texts, settings, output).await?,
        None => Vec::new(),
    };
    let lesson = |(at, known): (usize, &Known)| {
        Ok(Lesson {
            // One reading serves both heads; a prompt is for vectors, so it is read where only those
            // are taught.
            text: match classes.is_empty() {
                true => reader.encode_for_vector(&known.text)?,
                false => reader.encode(&known.text)?,
            },
            classes: classes.get(at).map(|scores| shares(&scores.values, known)),
            vector: vectors.get(at).cloned(),
        })
    };
    learn.iter().enumerate().map(lesson).collect()
}

/// What is taught, and what that is measured by.
fn task(
    student: &Checkpoint,
    reader: &Texts,
    names: Vec<String>,
    lessons: Vec<Lesson>,
    vectors: f64,
    material: &Material,
) -> Result<Taught, Fault> {
    let labelled = |(text, class): &(String, usize)| Ok((reader.encode(text)?, *class));
    let pair = |pair: &ScoredPair| reader.encode_pair(pair, HIGHEST_SCORE);
    let task = Taught {
        lessons,
        names,
        labelled: material.labelled.iter().map(labelled).collect::<Result<_, Fault>>()?,
        pairs: material.pairs.iter().map(pair).collect::<Result<_, Fault>>()?,
        pooling: student.pooling(),
        vectors,
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

async fn classes_of(teacher: &ModelSettings) -> Result<Vec<String>, Fault> {
    let checkpoint = named_checkpoint(teacher).await?.checkpoint;
    Ok(one_of_several(&checkpoint)?.to_vec())
}

/// What a teacher takes texts for.
async fn scores(
    teacher: &ModelSettings,
    texts: &[Text],
    output: Output,
) -> Result<Vec<Answer>, Fault> {
    let opened = open(teacher).await?;
    host::answer(&opened, texts.to_vec(), &Task::Classify, Cut::default(), output).await
}

/// What a text is to be taken for: by the teacher, by what is known of it, or by nobody.
fn shares(said: &[f32], known: &Known) -> Vec<f32> {
    if known.neutral {
        return vec![1.0 / said.len() as f32; said.len()];
    }
    let (class, truth) = known.truth.unwrap_or((0, 0.0));
    let one = |at| if at == class { truth } else { 0.0 };
    said.iter().enumerate().map(|(at, said)| said * (1.0 - truth) + one(at)).collect()
}
