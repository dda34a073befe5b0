//! The command line.

use std::path::PathBuf;

use wasmtime::{Result, bail, format_err};

/// What to run, and in which surroundings.
#[derive(Default)]
pub struct Arguments {
    /// The component's file.
    pub component: PathBuf,
    /// Folders of the host, and what the component calls them.
    pub mounts: Vec<(PathBuf, String)>,
    /// The component's environment.
    pub env: Vec<(String, String)>,
    /// The most memory of one instance.
    pub memory_bytes: Option<usize>,
}

impl Arguments {
    /// Reads what follows the program's name.
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Self> {
        let mut arguments = Self::default();
        while let Some(word) = words.next() {
            if !word.starts_with("--") {
                arguments.component = word.into();
                continue;
            }
            let value = words.next().ok_or_else(|| format_err!("{word} needs a value"))?;
            match word.as_str() {
                "--mount" => {
                    let (host, guest) = split(&value, "::")?;
                    arguments.mounts.push((host.into(), guest));
                }
                "--env" => arguments.env.push(split(&value, "=")?),
                "--memory-mb" => arguments.memory_bytes = Some(value.parse::<usize>()? << 20),
                _ => bail!("there is no {word}; see the top of this program's source"),
            }
        }
        if arguments.component.as_os_str().is_empty() {
            bail!("say which component to run");
        }
        Ok(arguments)
    }
}

fn split(value: &str, at: &str) -> Result<(String, String)> {
    let (one, other) = value.split_once(at).ok_or_else(|| format_err!("{value} has no {at}"))?;
    Ok((one.to_owned(), other.to_owned()))
}
