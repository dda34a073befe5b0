//! `trireme batch merge`: the outputs of all shards become one, once they are proven to be all.

use std::path::{Path, PathBuf};

use trireme_domain::batch::{Made, Manifest, in_order, joined};
use trireme_domain::{Code, Fault};

use super::args::Merge;
use super::join::{Piece, join};
use super::remote::Stage;
use super::summary::Summary;
use super::work::{join_rejects, read, record};
use super::{beside, manifest_of, rejects_of};
use crate::output::Output;
use crate::table::Format;

/// What a shard wrote, and its record.
type Shard<'a> = (&'a PathBuf, Manifest);

/// Puts shards together, wherever they are.
pub async fn run(args: Merge, work: Option<&Path>, output: Output) -> Result<(), Fault> {
    let tables: Vec<&Path> =
        args.shards.iter().chain([&args.output]).map(PathBuf::as_path).collect();
    let stage = Stage::new(&tables, "merge", work)?;
    let to = stage.output(&args.output)?;
    let mut shards = Vec::with_capacity(args.shards.len());
    for (index, shard) in args.shards.iter().enumerate() {
        shards.push(stage.shard(index, shard).await?);
    }
    let whole = merged(&shards, &to)?;
    let shown = stage.shown(&to);
    stage.deliver(&to, &whole).await?;
    Summary::new(&shown, &whole, None, None).say(output)
}

fn merged(shards: &[PathBuf], to: &Path) -> Result<Manifest, Fault> {
    let format = Format::of(to)?;
    let shards = ordered(shards)?;
    let nothing = || Fault::new(Code::InvalidRequest, "say which shards to put together");
    let (_, first) = shards.first().ok_or_else(nothing)?;
    is_in(first, format, to)?;
    let mut whole = joined(first, shards.iter().map(|(_, manifest)| manifest));
    let piece = |path: PathBuf, made: &Option<Made>| Some(Piece { path, made: made.clone()? });
    let answers = shards.iter().filter_map(|(path, of)| piece((*path).clone(), &of.output));
    let rejects = shards.iter().filter_map(|(path, of)| piece(rejects_of(path), &of.rejects));
    let until = beside(to, ".merging");
    whole.rejects = join_rejects(&rejects.collect::<Vec<_>>(), &until, to)?;
    whole.output = Some(join(format, &answers.collect::<Vec<_>>(), &until, to)?);
    record(&manifest_of(to), &whole)?;
    Ok(whole)
}

/// The shards in order, if they are all there are of one run.
fn ordered(paths: &[PathBuf]) -> Result<Vec<Shard<'_>>, Fault> {
    let manifests = paths.iter().map(|path| manifest(path)).collect::<Result<Vec<_>, Fault>>()?;
    let order = in_order(&manifests).map_err(|e| Fault::new(Code::InvalidData, e.to_string()))?;
    let shard = |&at: &usize| Some((paths.get(at)?, manifests.get(at)?.clone()));
    Ok(order.iter().filter_map(shard).collect())
}

fn manifest(shard: &Path) -> Result<Manifest, Fault> {
    let path = manifest_of(shard);
    read(&path)?.ok_or_else(|| {
        let message = format!("there is no {}, so the shard is not done", path.display());
        Fault::new(Code::InvalidRequest, message)
    })
}

/// Whether a shard, and so each of them, is in the format that is to be written.
fn is_in(shard: &Manifest, format: Format, to: &Path) -> Result<(), Fault> {
    match shard.options.get("format") {
        Some(other) if other != format.name() => {
            let message = format!("the shards are {other}, and {} is not", to.display());
            Err(Fault::new(Code::InvalidRequest, message))
        }
        _ => Ok(()),
    }
}
