//! `trireme distill`

mod lessons;
mod recipe;

use std::collections::BTreeMap;

use trireme_domain::dataset::ScoredPair;
use trireme_domain::{Code, Fault};
use trireme_model::{Checkpoint, Cut};
use trireme_server::{ModelSettings, Opened, named_checkpoint};
use trireme_service::{Task, Text, from_model};
use trireme_train::{Distill as Taught, Lesson, Place, fresh_weights};

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
pub async fn run(
    args: Distill,
    settings: &ModelSettings,
    place: Place,
    output: Output,
) -> Result<(), Fault> {
    let recipe = Recipe::read(&args.recipe, &args.set)?;
    let run = Run::new(recipe.training.clone(), &args.keeping, place)?;
    let whole = named_checkpoint(&named(settings, &recipe.student.of)).await?.checkpoint;
    let teachers = Teachers::open(&recipe, settings, output).await?;
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
    classes: Vec<Opened>,
    vectors: Option<Opened>,
}

impl Teachers {
    async fn open(
        recipe: &Recipe,
        settings: &ModelSettings,
        output: Output,
    ) -> Result<Self, Fault> {
        let opened = async |teacher: &String| host::open(&named(settings, teacher), output).await;
        let mut classes = Vec::new();
        for teacher in &recipe.teachers.classes {
            classes.push(opened(teacher).await?);
        }
        let vectors = match &recipe.teachers.vectors {
            Some(teacher) => Some(opened(teacher).await?),
            None => None,
        };
        Ok(Self { classes, vectors })
    }

    /// The classes that are taught.
    fn names(&self, recipe: &Recipe) -> Result<Vec<String>, Fault> {
        let Some((first, others)) = self.classes.split_first() else {
            return Ok(recipe.labels.clone());
        };
        let names = one_of_several(first.model.labels())?;
        for other in others {
            let said = one_of_several(other.model.labels())?;
            if said != names {
                let message = format!(
                    "the teachers name other classes: {}, and {}",
                    names.join(", "),
                    said.join(", ")
                );
                return Err(Fault::new(Code::InvalidOption, message));
            }
        }
        Ok(names.to_vec())
    }

    /// What tells who teaches what.
    fn digests(&self) -> (Vec<&str>, Option<&str>) {
        let classes = self.classes.iter().map(|teacher| teacher.model.digest());
        (classes.collect(), self.vectors.as_ref().map(|teacher| teacher.model.digest()))
    }

    /// The share of each class that they give each text, the mean of all.
    async fn shares(&self, texts: &[Text], output: Output) -> Result<Vec<Vec<f32>>, Fault> {
        let mut all = Vec::new();
        for teacher in &self.classes {
            let (task, cut) = (Task::CLASSES, Cut::default());
            let said = host::answer(teacher, texts.to_vec(), &task, cut, output).await?;
            all.push(said.into_iter().map(|answer| answer.values).collect());
        }
        Ok(mean(all))
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
        let classes = self.shares(&texts, output).await?;
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
                classes: known.shares(classes.get(at).map(Vec::as_slice), names.len()),
                vector: vectors.get(at).cloned(),
            })
        };
        learn.iter().enumerate().map(lesson).collect()
    }
}

/// For each text, the mean of what all teachers say of it.
fn mean(all: Vec<Vec<Vec<f32>>>) -> Vec<Vec<f32>> {
    let part = 1.0 / all.len() as f32;
    let sum = |mut sum: Vec<Vec<f32>>, said: Vec<Vec<f32>>| {
        let shares = sum.iter_mut().flatten().zip(said.iter().flatten());
        shares.for_each(|(sum, share)| *sum += share);
        sum
    };
    let mut mean = all.into_iter().reduce(sum).unwrap_or_default();
    mean.iter_mut().flatten().for_each(|share| *share *= part);
    mean
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

#[cfg(test)]
mod tests {
    use super::mean;

    #[test]
    fn what_several_teachers_say_is_their_mean() {
        let [sure, unsure] = [vec![vec![0.75, 0.25]], vec![vec![0.25, 0.75]]];
        assert_eq!(mean(vec![sure.clone(), unsure]), [[0.5, 0.5]]);
        assert_eq!(mean(vec![sure.clone()]), sure);
        assert!(mean(Vec::new()).is_empty());
    }
}
