//! The folder of a run that is under way: its parts, their record, and who works on it.

use std::collections::HashSet;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use trireme_domain::batch::{Made, Manifest, Part};
use trireme_domain::{Code, Fault};
use trireme_server::{publish, replace};

use super::answer::Answered;
use super::files::Files;
use super::join::{Piece, join, made_of};
use super::plan::Plan;
use super::{beside, manifest_of, rejects_of, unwritable, write};
use crate::output::to_json;
use crate::table::{Format, unreadable};

const MANIFEST: &str = "manifest.json";
const LOCK: &str = "lock";
/// What a file is called until it is whole.
const UNTIL: &str = "joined";

/// A run that is under way.
pub struct Work {
    folder: PathBuf,
    manifest: Manifest,
    to: Format,
    /// Held as long as this process works here; the system lets go of it if the process is killed.
    _lock: File,
}

/// What there is to do.
pub enum Begun {
    /// Something.
    Goes(Work),
    /// Nothing: a run before this one did it.
    Done(Manifest),
}

impl Work {
    /// Begins, or goes on with what was begun.
    pub fn begin(files: &Files, asked: Manifest, restart: bool) -> Result<Begun, Fault> {
        let folder = beside(&files.output, ".parts");
        fs::create_dir_all(&folder).map_err(|e| unwritable(&folder, &e))?;
        let lock = lock(&folder, &files.output)?;
        let before = if restart { Ok(Before::Nothing) } else { before(files, &folder, &asked) };
        let manifest = match before {
            Ok(Before::Nothing) => asked,
            Ok(Before::Begun(manifest)) => manifest,
            Ok(Before::Done(manifest)) => {
                remove(&folder)?;
                return Ok(Begun::Done(manifest));
            }
            Err(fault) => {
                if !folder.join(MANIFEST).exists() {
                    // Nothing was begun here, so nothing is left; the fault is what is worth telling.
                    drop(fs::remove_dir_all(&folder));
                }
                return Err(fault);
            }
        };
        let work = Self { folder, manifest, to: files.to, _lock: lock };
        work.sweep()?;
        work.check()?;
        work.record()?;
        Ok(Begun::Goes(work))
    }

    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Keeps a part: first its files, then that there is one.
    pub fn add(&mut self, plan: &Plan, answered: &Answered) -> Result<(), Fault> {
        let Answered { start, end, counts, .. } = *answered;
        let [output, rejects] = self.names(start);
        let rejected = match answered.rejects.is_empty() {
            true => None,
            false => Some(keep(&rejects, &write::rejects(&answered.rejects)?)?),
        };
        let output = keep(&output, &write::table(plan, &answered.rows)?)?;
        let part = Part { start, end, counts, output, rejects: rejected };
        let out_of_turn =
            |e: trireme_domain::batch::OutOfTurn| Fault::new(Code::Internal, e.to_string());
        self.manifest.push(part).map_err(out_of_turn)?;
        self.record()
    }

    /// Joins the parts into the output, and takes the folder away.
    pub fn finish(mut self, plan: &Plan) -> Result<Manifest, Fault> {
        let output = &plan.files.output;
        let piece = |path: PathBuf, made: &Made| Piece { path, made: made.clone() };
        let (mut answers, mut rejects) = (Vec::new(), Vec::new());
        for part in &self.manifest.parts {
            let [answer, reject] = self.names(part.start);
            answers.push(piece(answer, &part.output));
            rejects.extend(part.rejects.as_ref().map(|made| piece(reject, made)));
        }
        if answers.is_empty() {
            let [path, _] = self.names(self.manifest.rest().start);
            let made = keep(&path, &write::table(plan, &[])?)?;
            answers.push(Piece { path, made });
        }
        let until = self.folder.join(UNTIL);
        self.manifest.rejects = join_rejects(&rejects, &until, output)?;
        self.manifest.output = Some(join(self.to, &answers, &until, output)?);
        record(&until, &self.manifest)?;
        let path = manifest_of(output);
        publish(&until, &path).map_err(|e| unwritable(&path, &e))?;
        remove(&self.folder)?;
        Ok(self.manifest)
    }

    fn record(&self) -> Result<(), Fault> {
        record(&self.folder.join(MANIFEST), &self.manifest)
    }

    /// The files of the part that begins with this row: its answers, and its rejected rows.
    fn names(&self, start: u64) -> [PathBuf; 2] {
        let name = |what: &str, end: &str| self.folder.join(format!("{what}-{start:012}.{end}"));
        [name("part", self.to.name()), name("rejected", Format::Jsonl.name())]
    }

    /// Takes away what a run that was cut short left half done.
    fn sweep(&self) -> Result<(), Fault> {
        let known = self.manifest.parts.iter().flat_map(|part| self.names(part.start));
        let known: HashSet<PathBuf> =
            known.chain([MANIFEST, LOCK].map(|name| self.folder.join(name))).collect();
        let entries = fs::read_dir(&self.folder).map_err(|e| unreadable(&self.folder, &e))?;
        for entry in entries {
            let path = entry.map_err(|e| unreadable(&self.folder, &e))?.path();
            if !known.contains(&path) {
                fs::remove_file(&path).map_err(|e| unwritable(&path, &e))?;
            }
        }
        Ok(())
    }

    /// That every part is as long as its record says; what is in it is looked at when it is joined.
    fn check(&self) -> Result<(), Fault> {
        for part in &self.manifest.parts {
            let [output, rejects] = self.names(part.start);
            let files = [(output, Some(&part.output)), (rejects, part.rejects.as_ref())];
            for (path, made) in files.iter().filter_map(|(path, made)| Some((path, (*made)?))) {
                let bytes = fs::metadata(path).map_or(0, |data| data.len());
                if bytes != made.bytes {
                    let message = format!(
                        "{} has {bytes} bytes and had {}; --restart begins anew",
                        path.display(),
                        made.bytes
                    );
                    return Err(Fault::new(Code::InvalidData, message));
                }
            }
        }
        Ok(())
    }
}

pub fn lock(folder: &Path, output: &Path) -> Result<File, Fault> {
    let path = folder.join(LOCK);
    let lock = File::create(&path).map_err(|e| unwritable(&path, &e))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => {
            let message = format!("another run is at work on {}", output.display());
            Err(Fault::new(Code::Overloaded, message))
        }
        Err(TryLockError::Error(e)) => Err(unwritable(&path, &e)),
    }
}

/// What there was before this run.
enum Before {
    Nothing,
    /// The same run, cut short.
    Begun(Manifest),
    /// The same run, and it was done.
    Done(Manifest),
}

/// Looks for what there was, and refuses what is another run's.
fn before(files: &Files, folder: &Path, asked: &Manifest) -> Result<Before, Fault> {
    let refused =
        |what: String| Fault::new(Code::InvalidRequest, format!("{what}; --restart begins anew"));
    let left = left(&files.output, asked)?;
    if let Left::Done(manifest) = left {
        return Ok(Before::Done(*manifest));
    }
    if let Some(begun) = read(&folder.join(MANIFEST))? {
        let misfit = |misfit| refused(format!("{}: {misfit}", folder.display()));
        begun.fits(asked).map_err(misfit)?;
        return Ok(Before::Begun(begun));
    }
    match left {
        Left::Other(why) => {
            Err(refused(format!("{} is there already: {why}", files.output.display())))
        }
        Left::Nothing | Left::Done(_) => Ok(Before::Nothing),
    }
}

/// What stands where this run is to write.
enum Left {
    Nothing,
    /// What this run would write.
    Done(Box<Manifest>),
    /// Something else, and how that is known.
    Other(String),
}

fn left(output: &Path, asked: &Manifest) -> Result<Left, Fault> {
    if !output.exists() {
        return Ok(Left::Nothing);
    }
    let Some(manifest) = read(&manifest_of(output))? else {
        return Ok(Left::Other("no run of this program left it".to_owned()));
    };
    if let Err(misfit) = manifest.fits(asked) {
        return Ok(Left::Other(misfit.to_string()));
    }
    let is = |path: &Path, made: &Option<Made>| match made {
        None => Ok(true),
        Some(made) => Ok::<_, Fault>(path.exists() && made_of(path)? == *made),
    };
    let whole = manifest.is_done()
        && is(output, &manifest.output)?
        && is(&rejects_of(output), &manifest.rejects)?;
    match whole {
        true => Ok(Left::Done(Box::new(manifest))),
        false => Ok(Left::Other("it was changed afterwards".to_owned())),
    }
}

/// The record of a run, where there is one.
pub fn read(path: &Path) -> Result<Option<Manifest>, Fault> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(unreadable(path, &e)),
    };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|e| crate::input::invalid(path, format!("{e}; --restart begins anew")))
}

/// Writes the record of a run.
pub fn record(path: &Path, manifest: &Manifest) -> Result<(), Fault> {
    let json = to_json(manifest)?;
    replace(path, [json.as_bytes()]).map_err(|e| unwritable(path, &e))
}

/// Writes a file, for good.
fn keep(path: &Path, bytes: &[u8]) -> Result<Made, Fault> {
    replace(path, [bytes]).map_err(|e| unwritable(path, &e))?;
    Ok(Made::of(bytes))
}

/// The rows without an answer beside the output; no file, where there are none.
pub fn join_rejects(pieces: &[Piece], until: &Path, output: &Path) -> Result<Option<Made>, Fault> {
    let path = rejects_of(output);
    if !pieces.is_empty() {
        return join(Format::Jsonl, pieces, until, &path).map(Some);
    }
    match fs::remove_file(&path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(unwritable(&path, &e)),
        _ => Ok(None),
    }
}

/// The record first: parts that are left without it are nobody's.
fn remove(folder: &Path) -> Result<(), Fault> {
    let path = folder.join(MANIFEST);
    match fs::remove_file(&path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(unwritable(&path, &e)),
        _ => {}
    }
    fs::remove_dir_all(folder).map_err(|e| unwritable(folder, &e))
}
