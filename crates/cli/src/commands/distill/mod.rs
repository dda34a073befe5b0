//! `trireme distill`

mod lessons;
mod recipe;

use std::collections::BTreeMap;

use trireme_domain::Fault;
use trireme_model::{Checkpoint, Cut, ModelError};
use trireme_server::{ModelSettings, named_checkpoint, open};
use trireme_service::{Answer, Task, Text, from_model};
use trireme_train::{Distill as Taught, Lesson, fresh_weights};

use crate::args::Distill;
use crate::commands::train::Texts;
use crate::commands::train::embed::{HIGHEST_SCORE, taught};
use crate::commands::train::run::{Run, fault};
use crate::host;
use crate::output::Output;
use lessons::{Known, Material};
use recipe::Recipe;

/// Makes a student, teaches it, and writes it.
pub async fn run(args: Distill, settings: &ModelSettings, output: Output) -> Result<(), Fault> {
    let recipe = Recipe::read(&args.recipe, &args.set)?;
    let named = |model: &str| ModelSettings { model: Some(model.to_owned()), ..settings.clone() };
    let whole = named_checkpoint(&named(&recipe.student.of)).await?.checkpoint;
    let names = match &recipe.teachers.classes {
        Some(teacher) => classes_of(&named(teacher)).await?,
        None => Vec::new(),
    };
    let material = Material::read(&recipe, &names)?;
    let student = student(&recipe, &whole, &names, &material.learn)?;

    let texts = Texts::new(&student, recipe.max_length)?;
    let all: Vec<Text> = material.learn.iter().map(|known| known.text.clone().into()).collect();
    let classes = match &recipe.teachers.classes {
        Some(teacher) => scores(&named(teacher), &all, output).await?,
        None => Vec::new(),
    };
    let vectors = match &recipe.teachers.vectors {
        Some(teacher) => taught(Some(teacher), &student, &all, settings, output).await?,
        None => Vec::new(),
    };
    let lesson = |(at, known): (usize, &Known)| {
        Ok(Lesson {
            text: texts.encode(&known.text)?,
            classes: classes.get(at).map(|scores| shares(&scores.values, known)),
            vector: vectors.get(at).cloned(),
        })
    };
    let labelled = material.labelled.iter();
    let labelled: Vec<_> = labelled
        .map(|(text, class)| Ok((texts.encode(text)?, *class)))
        .collect::<Result<_, Fault>>()?;
    let pairs = material.pairs.iter().map(|pair| {
        let score = (pair.score / HIGHEST_SCORE) as f32;
        let first = texts.encode_for_vector(&pair.first)?;
        Ok((first, texts.encode_for_vector(&pair.second)?, score))
    });
    let task = Taught {
        lessons: material.learn.iter().enumerate().map(lesson).collect::<Result<_, Fault>>()?,
        pairs: match recipe.teachers.vectors {
            Some(_) => pairs.collect::<Result<_, Fault>>()?,
            None => Vec::new(),
        },
        names,
        labelled: labelled.clone(),
        pooling: student.pooling(),
        vectors: recipe.vectors,
    };
    task.check().map_err(|e| fault(&e))?;
    output.note(&format!(
        "{} texts to learn, {} and {} pairs to measure by",
        task.lessons.len(),
        task.labelled.len(),
        task.pairs.len()
    ));
    let run = Run::new(recipe.training, &args.keeping, material.sources);
    let mut ended = run.train(student, task, settings, output)?;
    if !labelled.is_empty() {
        ended = ended.calibrated(settings, &labelled).await?;
    }
    run.finish(ended, output)
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
    let labels = checkpoint.spec().labels.as_ref();
    Ok(labels.ok_or_else(|| from_model(&ModelError::NoHead))?.names.clone())
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
