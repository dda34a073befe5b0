//! How texts become tokens, and tokens texts. That is no pass, and yet takes a while where they are
//! long: a megabyte may be a second's reading.

use std::sync::{Arc, mpsc};

use trireme_domain::{Code, Fault};
use trireme_model::{Cut, Token};

use crate::ports::Reads;
use crate::served::Served;
use crate::service::Terms;

/// The most tokens of one answer; printed, they are some 15 MB. By default a text has half as many
/// bytes; where the host takes longer ones, one text alone may be too many.
const TOKENS: usize = 250_000;

/// What is made of a model's reader: by [`Compute::aside`](crate::ports::Compute::aside), because
/// every other request would wait for a thread that listens and reads meanwhile, and every run for
/// the model's own. With it come terms for what is done next, in the time that is left.
///
/// # Errors
/// The host's: it had no room or no time for it, or the work broke down.
pub async fn read<T: Send + 'static>(
    served: &Served,
    terms: Terms,
    work: impl FnOnce(&dyn Reads) -> T + Send + 'static,
) -> Result<(T, Terms), Fault> {
    let (reader, (tell, told)) = (Arc::clone(&served.reader), mpsc::channel());
    // Nobody is told where the caller left meanwhile.
    let work = move || drop(tell.send(work(reader.as_ref())));
    let left = served.compute.aside(terms, Box::new(work)).await?;
    let made = told.try_recv();
    made.map(|made| (made, left)).map_err(|_| Fault::new(Code::Internal, "the texts were not read"))
}

/// The tokens of every text.
///
/// # Errors
/// A [`Fault`] of a text, or of the whole request: together they have too many.
pub async fn tokens(
    served: &Served,
    texts: Vec<String>,
    prompt: Option<String>,
    special: bool,
    terms: Terms,
) -> Result<Vec<Vec<Token>>, Fault> {
    let all = move |reader: &dyn Reads| {
        let (mut all, mut sum) = (Vec::with_capacity(texts.len()), 0);
        for text in &texts {
            let tokens = reader.tokens(text, prompt.as_deref(), special)?;
            sum += tokens.len();
            // Those that are only counted need not be kept.
            if sum <= TOKENS {
                all.push(tokens);
            }
        }
        check(sum).map(|()| all)
    };
    read(served, terms, all).await?.0
}

/// The text of every list of ids, as nearly as can be said.
///
/// # Errors
/// A [`Fault`] of a list, or of the whole request: together they are too many.
pub async fn texts(
    served: &Served,
    ids: Vec<Vec<u32>>,
    skip_special: bool,
    terms: Terms,
) -> Result<Vec<String>, Fault> {
    check(ids.iter().map(Vec::len).sum())?;
    let all =
        move |reader: &dyn Reads| ids.iter().map(|ids| reader.text(ids, skip_special)).collect();
    read(served, terms, all).await?.0
}

/// Texts, how many of their tokens the model looks at, and terms for what is done next.
///
/// # Errors
/// A [`Fault`] of a text, with its place, or of the whole request.
pub(crate) async fn counted(
    served: &Served,
    texts: Vec<String>,
    prompt: Option<String>,
    cut: Cut,
    terms: Terms,
) -> Result<(Vec<String>, usize, Terms), Fault> {
    let count = move |reader: &dyn Reads| {
        let most = reader.max_tokens().min(cut.max_tokens.unwrap_or(usize::MAX));
        let mut sum = 0;
        for (at, text) in texts.iter().enumerate() {
            let tokens = reader.tokens(text, prompt.as_deref(), true);
            sum += tokens.map_err(|fault| fault.of_text(at))?.len().min(most);
        }
        Ok((texts, sum))
    };
    let (counted, terms) = read(served, terms, count).await?;
    counted.map(|(texts, sum)| (texts, sum, terms))
}

fn check(tokens: usize) -> Result<(), Fault> {
    if tokens <= TOKENS {
        return Ok(());
    }
    let message = format!("{tokens} tokens, and {TOKENS} are the most; send less at once");
    Err(Fault::new(Code::TooManyTexts, message))
}
