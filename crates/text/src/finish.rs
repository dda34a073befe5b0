//! Whether the special tokens that a `tokenizer.json` asks for can be added.
//!
//! Its library checks a template that is built in code, and panics on one that is read from a file.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use tokenizers::processors::PostProcessorWrapper;

use crate::TextError;
use crate::files::malformed;

#[derive(Deserialize)]
struct Template {
    single: Vec<Piece>,
    pair: Vec<Piece>,
    special_tokens: BTreeMap<String, IgnoredAny>,
}

#[derive(Deserialize)]
enum Piece {
    Sequence { id: Text },
    SpecialToken { id: String },
}

#[derive(Deserialize, PartialEq)]
enum Text {
    A,
    B,
}

/// Checks that no text can make the steps panic.
pub fn check(finish: &PostProcessorWrapper) -> Result<(), TextError> {
    let refuse = |reason: &str| malformed("tokenizer.json", &reason);
    let mut templates = Vec::new();
    collect(finish, &mut templates);
    if templates.len() > 1 {
        return Err(refuse("its post-processor has more than one template"));
    }
    for template in templates {
        let template = serde_json::to_value(template).and_then(Template::deserialize);
        let template = template.map_err(|e| malformed("tokenizer.json", &e))?;
        if template.single.iter().any(|piece| matches!(piece, Piece::Sequence { id: Text::B })) {
            return Err(refuse("its template for one text asks for a second"));
        }
        for piece in template.single.iter().chain(&template.pair) {
            if let Piece::SpecialToken { id } = piece
                && !template.special_tokens.contains_key(id)
            {
                return Err(refuse(&format!("its template names {id:?}, no special token of it")));
            }
        }
    }
    Ok(())
}

/// The templates among the steps, at any depth.
fn collect<'a>(step: &'a PostProcessorWrapper, templates: &mut Vec<&'a PostProcessorWrapper>) {
    match step {
        PostProcessorWrapper::Template(_) => templates.push(step),
        PostProcessorWrapper::Sequence(steps) => {
            steps.as_ref().iter().for_each(|step| collect(step, templates));
        }
        _ => {}
    }
}
