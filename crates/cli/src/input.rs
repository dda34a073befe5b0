//! Texts from arguments, from a file, or from standard input.

use std::io::Read;
use std::path::Path;

use serde::Deserialize;
use trireme_domain::{Code, Fault, Limits};
use trireme_service::Text;

use crate::args::Texts;
use crate::table;

/// One line of a `.jsonl` file.
#[derive(Deserialize)]
struct Line {
    text: String,
    pair: Option<String>,
}

/// The texts that a command is to work on.
pub fn texts(args: &Texts) -> Result<Vec<Text>, Fault> {
    let texts = match &args.input {
        None => args.texts.iter().cloned().map(Text::from).collect(),
        Some(path) => lines(path)?,
    };
    checked(texts)
}

/// The texts of a file.
pub fn file(path: &Path) -> Result<Vec<Text>, Fault> {
    checked(lines(path)?)
}

fn lines(path: &Path) -> Result<Vec<Text>, Fault> {
    let bytes = read(path)?;
    let json = path.extension().is_some_and(|extension| extension == "jsonl");
    if json { json_lines(path, &bytes) } else { plain_lines(path, &bytes) }
}

fn checked(texts: Vec<Text>) -> Result<Vec<Text>, Fault> {
    if texts.is_empty() {
        let message = "there is no text; give some as arguments or by --input";
        return Err(Fault::new(Code::InvalidRequest, message));
    }
    check(&texts)?;
    Ok(texts)
}

/// The rules that a server has, for any number of texts.
pub fn check(texts: &[Text]) -> Result<(), Fault> {
    let limits = Limits::default();
    texts.iter().enumerate().try_for_each(|(index, text)| {
        let mut parts = [Some(&text.first), text.second.as_ref()].into_iter().flatten();
        parts.try_for_each(|part| limits.check_text(part)).map_err(|fault| fault.of_text(index))
    })
}

/// A whole file, or standard input for `-`.
pub fn read(path: &Path) -> Result<Vec<u8>, Fault> {
    let unreadable =
        |e| Fault::new(Code::Unreadable, format!("could not read {}: {e}", path.display()));
    if path.as_os_str() != "-" {
        return std::fs::read(path).map_err(unreadable);
    }
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

/// The text of a table, whatever its file is.
pub fn table(path: &Path, bytes: Vec<u8>) -> Result<Vec<u8>, Fault> {
    table::as_text(bytes).map_err(|e| invalid(path, e))
}

/// That a data file is not laid out as it must be.
pub fn invalid(file: &Path, error: impl std::fmt::Display) -> Fault {
    Fault::new(Code::InvalidData, format!("{}: {error}", file.display()))
}

fn utf8<'a>(path: &Path, bytes: &'a [u8]) -> Result<&'a str, Fault> {
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let message = format!("{} is not UTF-8 from byte {} on", path.display(), e.valid_up_to());
        Fault::new(Code::InvalidUtf8, message)
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

fn plain_lines(path: &Path, bytes: &[u8]) -> Result<Vec<Text>, Fault> {
    Ok(utf8(path, bytes)?.lines().map(|line| Text::from(line.to_owned())).collect())
}

fn json_lines(path: &Path, bytes: &[u8]) -> Result<Vec<Text>, Fault> {
    let lines = utf8(path, bytes)?.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| {
            let line: Line = serde_json::from_str(line).map_err(|e| {
                let message = format!("{}, line {}: {e}", path.display(), index + 1);
                Fault::new(Code::InvalidData, message)
            })?;
            Ok(Text { first: line.text, second: line.pair })
        })
        .collect()
}
