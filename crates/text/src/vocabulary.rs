//! Vocabularies with fewer pieces, for students of a larger model.
//!
//! Of word pieces any may go: what they stood for is cut into smaller ones. Pieces of other
//! vocabularies are made of each other, so those stay whole.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::files::malformed;
use crate::{TextError, TokenizerFiles};

const FILE: &str = "tokenizer.json";

/// Some pieces of a vocabulary of word pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pieces {
    /// Their ids in the vocabulary that they come from; the new ones count from zero.
    pub ids: Vec<u32>,
    /// The new `tokenizer.json`.
    pub tokenizer_json: Vec<u8>,
    /// The new `vocab.txt`, where there was one.
    pub vocab_txt: Option<Vec<u8>>,
}

impl Pieces {
    /// Keeps at most so many pieces: special ones, letters, then those that were counted most, then
    /// the rest by their old ids, which are smaller for what is frequent.
    ///
    /// # Errors
    /// [`TextError::Malformed`] where this is no `tokenizer.json`, [`TextError::Vocabulary`] where it
    /// is none of word pieces, or so few are asked for that letters don't fit.
    pub fn most_frequent(
        files: &TokenizerFiles<'_>,
        counts: &BTreeMap<u32, usize>,
        most: usize,
    ) -> Result<Self, TextError> {
        let json = files.tokenizer_json.ok_or_else(|| malformed(FILE, &"it is not there"))?;
        let mut parts: Map<String, Value> =
            serde_json::from_slice(json).map_err(|e| malformed(FILE, &e))?;
        let vocabulary = vocabulary(&parts)?;
        let special = special(&parts, &vocabulary);
        let ids = choose(&vocabulary, &special, counts, most)?;
        let new: BTreeMap<u32, u32> = (0..).zip(&ids).map(|(new, &old)| (old, new)).collect();
        renumber(&mut parts, &vocabulary, &new)?;
        let names: BTreeMap<u32, &str> =
            vocabulary.iter().map(|(piece, &id)| (id, piece.as_str())).collect();
        let lines = || ids.iter().filter_map(|id| names.get(id));
        let vocab_txt =
            files.vocab_txt.map(|_| lines().flat_map(|piece| [piece, "\n"]).collect::<String>());
        let tokenizer_json = serde_json::to_vec(&parts).map_err(|e| malformed(FILE, &e))?;
        Ok(Self { ids, tokenizer_json, vocab_txt: vocab_txt.map(String::into_bytes) })
    }
}

/// Every piece and its id.
fn vocabulary(parts: &Map<String, Value>) -> Result<BTreeMap<String, u32>, TextError> {
    let model = parts.get("model").and_then(Value::as_object);
    let kind = model.and_then(|model| model.get("type")).and_then(Value::as_str);
    let pieces = model.and_then(|model| model.get("vocab")).and_then(Value::as_object);
    let (Some("WordPiece"), Some(pieces)) = (kind, pieces) else {
        let kind = kind.unwrap_or("of no known kind");
        let reason = format!("only one of word pieces can be, and this is {kind}");
        return Err(TextError::Vocabulary { reason });
    };
    let id = |id: &Value| id.as_u64().and_then(|id| u32::try_from(id).ok());
    pieces
        .iter()
        .map(|(piece, number)| {
            let id = id(number).ok_or_else(|| malformed(FILE, &format!("{piece:?}: {number}")))?;
            Ok((piece.clone(), id))
        })
        .collect()
}

/// The ids of tokens that the tokenizer adds itself, and of what stands for the unknown.
fn special(parts: &Map<String, Value>, vocabulary: &BTreeMap<String, u32>) -> BTreeSet<u32> {
    let unknown = parts.get("model").and_then(|model| model.get("unk_token"));
    let unknown = unknown.and_then(Value::as_str).and_then(|piece| vocabulary.get(piece));
    let added = parts.get("added_tokens").and_then(Value::as_array).into_iter().flatten();
    let added = added.filter_map(|token| token.get("id")?.as_u64()?.try_into().ok());
    added.chain(unknown.copied()).collect()
}

/// The ids to keep, in their old order.
fn choose(
    vocabulary: &BTreeMap<String, u32>,
    special: &BTreeSet<u32>,
    counts: &BTreeMap<u32, usize>,
    most: usize,
) -> Result<Vec<u32>, TextError> {
    let count = |id: &u32| counts.get(id).copied().unwrap_or(0);
    // A word of which no piece is known would be unknown as a whole.
    let is_letter = |piece: &str, id: &u32| {
        let piece = piece.strip_prefix("##").unwrap_or(piece);
        piece.chars().count() == 1 && (piece.is_ascii() || count(id) > 0)
    };
    let rank = |piece: &str, id: &u32| match () {
        () if special.contains(id) => 0,
        () if is_letter(piece, id) => 1,
        () if piece.starts_with("[unused") => 3,
        () => 2,
    };
    let mut order: Vec<(u8, std::cmp::Reverse<usize>, u32)> = vocabulary
        .iter()
        .map(|(piece, id)| (rank(piece, id), std::cmp::Reverse(count(id)), *id))
        .collect();
    // Tokens that were added behind the vocabulary are no pieces of it, and have ids all the same.
    let pieces: BTreeSet<u32> = vocabulary.values().copied().collect();
    order.extend(special.difference(&pieces).map(|&id| (0, std::cmp::Reverse(count(&id)), id)));
    order.sort_unstable();
    let needed = order.iter().filter(|(rank, ..)| *rank < 2).count();
    if needed > most {
        let reason = format!("{needed} pieces are special or letters, more than {most}");
        return Err(TextError::Vocabulary { reason });
    }
    let mut ids: Vec<u32> = order.into_iter().take(most).map(|(.., id)| id).collect();
    ids.sort_unstable();
    Ok(ids)
}

/// Gives every piece that stays its new id, wherever the file names the old one.
fn renumber(
    parts: &mut Map<String, Value>,
    vocabulary: &BTreeMap<String, u32>,
    new: &BTreeMap<u32, u32>,
) -> Result<(), TextError> {
    let pieces: Map<String, Value> = vocabulary
        .iter()
        .filter_map(|(piece, old)| Some((piece.clone(), json!(new.get(old)?))))
        .collect();
    let renumbered = |id: &mut Value| -> Result<(), TextError> {
        let old = id.as_u64().and_then(|id| u32::try_from(id).ok());
        let stays = old.and_then(|old| new.get(&old));
        *id = json!(stays.ok_or_else(|| malformed(FILE, &format!("no piece has the id {id}")))?);
        Ok(())
    };
    if let Some(model) = parts.get_mut("model").and_then(Value::as_object_mut) {
        model.insert("vocab".to_owned(), pieces.into());
    }
    let added = parts.get_mut("added_tokens").and_then(Value::as_array_mut);
    for token in added.into_iter().flatten() {
        token.get_mut("id").map_or(Ok(()), &renumbered)?;
    }
    // Padding to a length is nothing that is done here, and its id would be the old one.
    parts.insert("padding".to_owned(), Value::Null);
    let Some(finish) = parts.get_mut("post_processor").and_then(Value::as_object_mut) else {
        return Ok(());
    };
    // A pair of a token and its id.
    for key in ["sep", "cls"] {
        finish.get_mut(key).and_then(|pair| pair.get_mut(1)).map_or(Ok(()), &renumbered)?;
    }
    let tokens = finish.get_mut("special_tokens").and_then(Value::as_object_mut);
    for token in tokens.into_iter().flat_map(|tokens| tokens.values_mut()) {
        let ids = token.get_mut("ids").and_then(Value::as_array_mut);
        ids.into_iter().flatten().try_for_each(&renumbered)?;
    }
    Ok(())
}
