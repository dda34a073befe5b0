//! What is to be done, and what a run of it is known by.

use std::collections::BTreeMap;

use trireme_domain::batch::{Manifest, ModelMade, PartSize};
use trireme_domain::{Code, Fault};

use super::answer::Asked;
use super::args::Wanted;
use super::files::Files;
use super::said::{Added, Names};
use crate::table;

/// What is to be done.
#[derive(Clone)]
pub struct Plan {
    pub files: Files,
    pub size: PartSize,
    /// What is added to every row, and what those columns are called.
    pub added: Added,
    pub names: Names,
    wanted: Wanted,
}

impl Plan {
    /// What is to be done with these files by this model.
    pub fn new(files: Files, wanted: Wanted, part_rows: u32, asked: &Asked) -> Result<Self, Fault> {
        let size = PartSize { rows: part_rows as usize, ..PartSize::default() };
        let names = Names::behind(&wanted.prefix);
        let plan = Self { files, size, added: asked.added.clone(), names, wanted };
        let taken = |column: &&table::Column| plan.adds(&column.name);
        if let Some(column) = plan.files.carried.iter().find(taken) {
            let message = format!(
                "{} has a column {} already; --prefix gives the new one another name",
                plan.files.input.display(),
                column.name
            );
            return Err(Fault::new(Code::InvalidRequest, message));
        }
        Ok(plan)
    }

    /// Whether this is the name of a column that is added.
    pub fn adds(&self, name: &str) -> bool {
        self.added.names(&self.names).contains(&name)
    }

    /// A run of which nothing is done. The input is read from beginning to end for it.
    pub fn manifest(&self, asked: &Asked) -> Result<Manifest, Fault> {
        let input = table::survey(&self.files.input, self.files.from)?;
        let model = ModelMade {
            name: asked.origin.model.clone(),
            digest: asked.origin.digest.clone(),
            precision: asked.origin.precision.clone(),
        };
        Ok(Manifest::new(input, model, self.options(), self.files.shard))
    }

    /// What answers, and how they are written, depend on beside the model.
    fn options(&self) -> BTreeMap<String, String> {
        let Wanted { vector, cut, prefix, .. } = &self.wanted;
        let prefix = Some(prefix.clone()).filter(|prefix| !prefix.is_empty());
        let mut options = vec![
            ("input-format", Some(self.files.from.name().to_owned())),
            ("format", Some(self.files.to.name().to_owned())),
            ("task", Some(self.added.task().to_owned())),
            ("text-column", Some(self.files.text.clone())),
            ("id-column", self.files.id.clone()),
            ("prefix", prefix),
            ("max-length", cut.max_length.map(|most| most.to_string())),
            ("truncate", cut.truncate.as_ref().map(name_of)),
        ];
        match self.added {
            Added::Vector(_) => options.extend([
                ("encoding", Some(name_of(&self.wanted.encoding))),
                ("pooling", vector.pooling.as_ref().map(name_of)),
                ("normalize", vector.normalize.map(|normalize| normalize.to_string())),
                ("dimensions", vector.dimensions.map(|count| count.to_string())),
                ("prompt", vector.prompt.clone()),
            ]),
            Added::Classes { .. } => {
                options.push(("probabilities", Some(self.wanted.probabilities.to_string())));
            }
        }
        let said = options.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        said.collect()
    }
}

/// A value as it is said on the command line.
fn name_of(value: &impl clap::ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}
