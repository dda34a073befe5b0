//! The log: files of JSON lines that follow one another, and go when they were kept long enough.
//!
//! A line is on the disk once it was said to be. One that was cut off as the host was killed was
//! said to nobody, and is taken out as the next one begins.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use trireme_domain::Fault;
use trireme_domain::records::Rotation;

use crate::durable::{self, unwritable};

/// The files of a folder, and the last of them, which is written.
pub struct Files {
    folder: PathBuf,
    rotation: Rotation,
    /// None where it has to be opened anew.
    last: Mutex<Option<Last>>,
    /// Held by whoever changes the files before it, which may take long: lines go on being written.
    closed: Mutex<()>,
    /// Held for as long as this host writes here.
    _lock: File,
}

struct Last {
    number: u64,
    file: File,
    /// As far as lines are whole.
    bytes: u64,
    begun: SystemTime,
}

impl Files {
    /// Goes on with the files of a folder, or begins the first.
    ///
    /// # Errors
    /// [`trireme_domain::Code::Unwritable`], also where another host writes there.
    pub fn open(folder: &Path, rotation: Rotation) -> Result<Self, Fault> {
        let open = || -> io::Result<Self> {
            fs::create_dir_all(folder)?;
            let lock = File::create(folder.join("predictions.lock"))?;
            lock.try_lock().map_err(|_| io::Error::other("another server writes there"))?;
            clear(folder)?;
            let last = Mutex::new(Some(Last::newest(folder)?));
            let closed = Mutex::default();
            Ok(Self { folder: folder.to_owned(), rotation, last, closed, _lock: lock })
        };
        open().map_err(|e| unwritable(folder, &e))
    }

    /// Does something with the last file. After a failure it is opened anew: what is in it then is
    /// what is on the disk.
    fn with_last<T>(&self, work: impl FnOnce(&mut Last) -> io::Result<T>) -> Result<T, Fault> {
        let mut slot = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let done = match slot.take() {
            Some(last) => Ok(last),
            None => Last::newest(&self.folder),
        };
        let done = done.and_then(|mut last| {
            let done = work(&mut last)?;
            *slot = Some(last);
            Ok(done)
        });
        done.map_err(|e| unwritable(&self.folder, &e))
    }

    fn turn(&self, last: &mut Last) -> io::Result<()> {
        if self.rotation.turns(last.bytes, age(last.begun)) {
            *last = Last::open(&self.folder, last.number + 1)?;
        }
        Ok(())
    }

    /// Writes whole lines.
    pub fn append(&self, lines: &str) -> Result<(), Fault> {
        self.with_last(|last| {
            self.turn(last)?;
            last.append(lines)
        })
    }

    /// Takes out every line that is meant. `hint` is part of each.
    pub fn forget<L: DeserializeOwned>(
        &self,
        hint: &str,
        meant: impl Fn(&L) -> bool,
    ) -> Result<(), Fault> {
        let meant = |line: &str| {
            line.contains(hint) && serde_json::from_str(line).is_ok_and(|line| meant(&line))
        };
        let _closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        let from = self.with_last(|last| Ok(last.number))?;
        self.without(from, &meant).map_err(|e| unwritable(&self.folder, &e))?;
        self.with_last(|last| {
            // And those that were closed meanwhile.
            for number in from..=last.number {
                without(&path(&self.folder, number), &meant)?;
            }
            *last = Last::open(&self.folder, last.number)?;
            Ok(())
        })
    }

    /// Lets files go that were kept long enough; how many.
    pub fn sweep(&self) -> Result<usize, Fault> {
        let _closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        let last = self.with_last(|last| {
            self.turn(last)?;
            Ok(last.number)
        })?;
        self.swept(last).map_err(|e| unwritable(&self.folder, &e))
    }

    /// Takes lines out of the files before this one.
    fn without(&self, last: u64, meant: &impl Fn(&str) -> bool) -> io::Result<()> {
        self.before(last)?.try_for_each(|path| without(&path, meant))
    }

    fn before(&self, last: u64) -> io::Result<impl Iterator<Item = PathBuf>> {
        let numbers = numbers(&self.folder)?.into_iter().take_while(move |number| *number < last);
        Ok(numbers.map(|number| path(&self.folder, number)))
    }

    fn swept(&self, last: u64) -> io::Result<usize> {
        let mut gone = 0;
        for path in self.before(last)? {
            if self.rotation.is_over(age(fs::metadata(&path)?.modified()?)) {
                fs::remove_file(&path)?;
                gone += 1;
            }
        }
        Ok(gone)
    }
}

impl Last {
    fn newest(folder: &Path) -> io::Result<Self> {
        Self::open(folder, numbers(folder)?.last().copied().unwrap_or(1))
    }

    fn open(folder: &Path, number: u64) -> io::Result<Self> {
        let path = path(folder, number);
        let file = OpenOptions::new().create(true).append(true).read(true).open(&path)?;
        // What was cut off was promised to nobody.
        let bytes = whole(&file)?;
        file.set_len(bytes)?;
        let begun = first(&path)?.unwrap_or_else(SystemTime::now);
        Ok(Self { number, file, bytes, begun })
    }

    fn append(&mut self, lines: &str) -> io::Result<()> {
        self.file.write_all(lines.as_bytes())?;
        self.file.sync_data()?;
        self.bytes += lines.len() as u64;
        Ok(())
    }
}

/// When a file's first line was made: its own times change as lines are taken out.
fn first(path: &Path) -> io::Result<Option<SystemTime>> {
    #[derive(Deserialize)]
    struct Made {
        created_at: f64,
    }
    let mut line = String::new();
    BufReader::new(File::open(path)?).read_line(&mut line)?;
    let made = serde_json::from_str::<Made>(&line).ok();
    let since = made.and_then(|made| Duration::try_from_secs_f64(made.created_at).ok());
    Ok(since.and_then(|since| UNIX_EPOCH.checked_add(since)))
}

/// How many bytes of a file are whole lines.
fn whole(mut file: &File) -> io::Result<u64> {
    const PIECE: u64 = 4096;
    let mut end = file.metadata()?.len();
    while end > 0 {
        let begin = end.saturating_sub(PIECE);
        let mut piece = vec![0; (end - begin) as usize];
        file.seek(SeekFrom::Start(begin))?;
        file.read_exact(&mut piece)?;
        if let Some(at) = piece.iter().rposition(|byte| *byte == b'\n') {
            return Ok(begin + at as u64 + 1);
        }
        end = begin;
    }
    Ok(0)
}

/// Writes a file anew without the lines that are meant, if there are any. It is as old as it was.
fn without(path: &Path, meant: &impl Fn(&str) -> bool) -> io::Result<()> {
    let lines = || -> io::Result<_> { Ok(BufReader::new(File::open(path)?).lines()) };
    if !lines()?.any(|line| line.is_ok_and(|line| meant(&line))) {
        return Ok(());
    }
    let work = durable::temporary(path);
    let write = || -> io::Result<()> {
        let mut file = io::BufWriter::new(File::create(&work)?);
        for line in lines()? {
            let line = line?;
            if !meant(&line) {
                file.write_all(line.as_bytes())?;
                file.write_all(b"\n")?;
            }
        }
        let file = file.into_inner()?;
        file.set_modified(fs::metadata(path)?.modified()?)?;
        file.sync_all()?;
        durable::publish(&work, path)
    };
    let done = write();
    if done.is_err() {
        // The first failure is the one worth telling; what is left goes as the host starts.
        drop(fs::remove_file(&work));
    }
    done
}

/// Takes away what a host that was killed left half written.
fn clear(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "tmp") {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("predictions-{number:06}.jsonl"))
}

/// The numbers of the files there are, in order.
fn numbers(folder: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let name = name.to_str().and_then(|name| name.strip_prefix("predictions-"));
        let number = name.and_then(|name| name.strip_suffix(".jsonl")?.parse::<u64>().ok());
        numbers.extend(number);
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// A moment that is still to come was before the clock was set back; it is now at the earliest.
fn age(moment: SystemTime) -> Duration {
    moment.elapsed().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    #[derive(Deserialize)]
    struct Named {
        id: String,
    }

    #[test]
    fn lines_are_written_while_older_files_are_looked_through() {
        let folder = tempfile::tempdir().unwrap();
        let rotation = Rotation { bytes: 1, keep: Duration::from_secs(60) };
        let files = Files::open(folder.path(), rotation).unwrap();
        let line = |id: &str| format!("{{\"id\":\"{id}\"}}\n");
        for id in ["one", "two", "three"] {
            files.append(&line(id)).unwrap();
        }
        let (written, heard) = mpsc::channel();
        let heard = Mutex::new(heard);
        thread::scope(|scope| {
            let meant = |named: &Named| {
                // The first of the three is looked at, in a file that is not written any more.
                if named.id == "one" {
                    let (files, written) = (&files, written.clone());
                    scope.spawn(move || written.send(files.append("{\"id\":\"four\"}\n")).unwrap());
                    let heard = heard.lock().unwrap();
                    let done = heard.recv_timeout(Duration::from_secs(20));
                    done.expect("nothing could be written meanwhile").unwrap();
                }
                named.id != "three"
            };
            files.forget("id", meant).unwrap();
        });
        let left: String = numbers(folder.path())
            .unwrap()
            .into_iter()
            .map(|number| fs::read_to_string(path(folder.path(), number)).unwrap())
            .collect();
        assert_eq!(left, line("three"), "the fourth came meanwhile and is meant, too");
    }
}
