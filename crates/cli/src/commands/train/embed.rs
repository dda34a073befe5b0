//! `trireme train embed`

use trireme_domain::dataset::{ScoredPair, Triplet};
use trireme_domain::{Code, Fault};
use trireme_model::{Checkpoint, Cut, EmbedOptions, Encoded, Pooling};
use trireme_server::{ModelSettings, Opened, named_checkpoint};
use trireme_service::{Task, Text};
use trireme_train::{Distill, Lesson, Loss, Objective, Pair, Pairs, Place, Triplets};

use super::folder::Source;
use super::run::fault;
use super::{Texts, columns, parts, run_of, sources};
use crate::args::{PairLoss, TrainEmbed};
use crate::host;
use crate::output::Output;

/// Scores of the STS Benchmark end here.
pub const HIGHEST_SCORE: f64 = 5.0;

/// What multiplies cosines before one of them is to stand out.
const RANKING: f64 = 20.0;

/// What to learn from, and what to measure by.
type Parts<T> = (Vec<T>, Vec<T>);

/// The file to learn from, and the one to measure by, where it is another.
type Files = (Source, Option<Source>);

/// Trains a model to put near texts near each other.
pub async fn embed(
    args: TrainEmbed,
    settings: &ModelSettings,
    place: Place,
    output: Output,
) -> Result<(), Fault> {
    let run = run_of(&args.training, place)?;
    let checkpoint = named_checkpoint(settings).await?.checkpoint;
    let files = sources(&args.training)?;
    let texts = Texts::new(&checkpoint, args.training.max_length)?;
    let pooling = checkpoint.pooling();
    let task: Box<dyn Objective + Send> = match args.loss {
        PairLoss::Cosine => Box::new(near(&args, &files, &texts, Loss::Cosine, pooling)?),
        PairLoss::Mnr => Box::new(near(&args, &files, &texts, Loss::Ranking(RANKING), pooling)?),
        PairLoss::Triplet => Box::new(nearer(&args, &files, &texts, pooling)?),
        PairLoss::Distill => {
            Box::new(like(&args, &files, &texts, &checkpoint, settings, output).await?)
        }
    };
    let ended = run.train(checkpoint, task, settings, output)?;
    ended.finish(std::iter::once(&files.0).chain(&files.1), output)
}

fn read(args: &TrainEmbed, files: &Files) -> Result<Parts<ScoredPair>, Fault> {
    parts(&args.training, &files.0, files.1.as_ref(), |file| {
        columns(&args.training).read_pairs(&file.bytes).map_err(|e| file.fault(e))
    })
}

fn encode(args: &TrainEmbed, texts: &Texts, pairs: &[ScoredPair]) -> Result<Vec<Pair>, Fault> {
    let highest = args.highest.unwrap_or(HIGHEST_SCORE);
    pairs.iter().map(|pair| texts.encode_pair(pair, highest)).collect()
}

/// Pairs that are as near as their scores say, or nearer than others.
fn near(
    args: &TrainEmbed,
    files: &Files,
    texts: &Texts,
    loss: Loss,
    pooling: Pooling,
) -> Result<Pairs, Fault> {
    let (learn, held_out) = read(args, files)?;
    let [learn, held_out] = [encode(args, texts, &learn)?, encode(args, texts, &held_out)?];
    Pairs::new(learn, held_out, loss, pooling).map_err(|e| fault(&e))
}

/// Texts that are nearer to one than to another.
fn nearer(
    args: &TrainEmbed,
    files: &Files,
    texts: &Texts,
    pooling: Pooling,
) -> Result<Triplets, Fault> {
    let read = |file: &Source| {
        let read = columns(&args.training).read_triplets(&file.bytes);
        read.map_err(|e| file.fault(e))?
            .iter()
            .map(|triplet| encode_triplet(texts, triplet))
            .collect()
    };
    let (learn, held_out): Parts<[Encoded; 3]> =
        parts(&args.training, &files.0, files.1.as_ref(), read)?;
    Triplets::new(learn, held_out, args.margin, pooling).map_err(|e| fault(&e))
}

fn encode_triplet(texts: &Texts, triplet: &Triplet) -> Result<[Encoded; 3], Fault> {
    let Triplet { anchor, positive, negative } = triplet;
    Ok([
        texts.encode_for_vector(anchor)?,
        texts.encode_for_vector(positive)?,
        texts.encode_for_vector(negative)?,
    ])
}

/// The texts of pairs, with a teacher's vectors.
async fn like(
    args: &TrainEmbed,
    files: &Files,
    texts: &Texts,
    student: &Checkpoint,
    settings: &ModelSettings,
    output: Output,
) -> Result<Distill, Fault> {
    let (learn, held_out) = read(args, files)?;
    let all = learn.iter().flat_map(|pair| [&pair.first, &pair.second]);
    let all: Vec<Text> = all.cloned().map(Text::from).collect();
    let settings = ModelSettings { model: args.teacher.clone(), ..settings.clone() };
    let teacher = host::open(&settings, output).await?;
    let vectors = taught(&teacher, student, &all, output).await?;
    let lesson = |(text, vector): (&Text, Vec<f32>)| {
        let text = texts.encode_for_vector(&text.first)?;
        Ok(Lesson { text, classes: None, vector: Some(vector) })
    };
    let task = Distill {
        lessons: all.iter().zip(vectors).map(lesson).collect::<Result<_, Fault>>()?,
        near: Vec::new(),
        names: Vec::new(),
        labelled: Vec::new(),
        pairs: encode(args, texts, &held_out)?,
        pooling: student.pooling(),
        vectors: 1.0,
        by: teacher.model.digest().to_owned(),
    };
    task.check().map_err(|e| fault(&e))?;
    Ok(task)
}

/// The vectors that a model gives to texts, for a student to learn.
pub async fn taught(
    teacher: &Opened,
    student: &Checkpoint,
    texts: &[Text],
    output: Output,
) -> Result<Vec<Vec<f32>>, Fault> {
    let (width, most) = (teacher.model.dimensions(), student.dimensions());
    if width != most {
        let message =
            format!("the teacher's vectors have {width} numbers, and the student's have {most}");
        return Err(Fault::new(Code::InvalidOption, message));
    }
    let task = Task::Embed { options: EmbedOptions::default(), prompt: None };
    let answers = host::answer(teacher, texts.to_vec(), &task, Cut::default(), output).await?;
    Ok(answers.into_iter().map(|answer| answer.values).collect())
}
