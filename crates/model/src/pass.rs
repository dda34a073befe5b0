//! A forward that can stop between layers.
//!
//! Whoever drives a [`Pass`] decides what happens between its steps: check a deadline, look at a
//! cancel flag, report progress, give a browser its event loop back. Dropping it is cancelling it.

use std::ops::Range;

use trireme_backend::{Backend, Layout, Pooling};
use trireme_text::Encoded;

use crate::encoder::Inputs;
use crate::{Model, ModelError};

/// What an encoder is run for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Want {
    /// A vector for each text, pooled so.
    Vectors(Pooling),
    /// The encoder's own vector of each token, one behind the other.
    Tokens,
    /// The classifier's logits for each text.
    Logits,
}

/// How far a pass has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Steps done.
    pub done: usize,
    /// Steps in all: the embedding, each layer, the head.
    pub total: usize,
}

impl Progress {
    /// Whether nothing but reading the answer is left.
    #[must_use]
    pub fn is_complete(self) -> bool {
        self.done == self.total
    }
}

/// A forward of one ragged batch, run step by step.
pub struct Pass<'m, B: Backend> {
    model: &'m Model<B>,
    want: Want,
    layout: Layout,
    state: State<B>,
    done: usize,
}

enum State<B: Backend> {
    Inputs(Inputs),
    Rows(B::Acts),
}

impl<'m, B: Backend> Pass<'m, B> {
    pub(crate) fn new(
        model: &'m Model<B>,
        texts: &[Encoded],
        want: Want,
    ) -> Result<Self, ModelError> {
        if want == Want::Logits && model.classifier.is_none() {
            return Err(ModelError::NoHead);
        }
        let inputs = Inputs::new(model.spec(), texts)?;
        let layout = inputs.layout.clone();
        Ok(Self { model, want, layout, state: State::Inputs(inputs), done: 0 })
    }

    /// How far it has come.
    #[must_use]
    pub fn progress(&self) -> Progress {
        Progress { done: self.done, total: self.model.spec().layers + 2 }
    }

    /// Runs the next step; nothing, where none is left.
    ///
    /// # Errors
    /// [`ModelError::Backend`] where the device fails.
    pub fn step(&mut self) -> Result<Progress, ModelError> {
        let Model { backend, encoder, .. } = self.model;
        let layers = self.model.spec().layers;
        let next = match &self.state {
            _ if self.progress().is_complete() => return Ok(self.progress()),
            State::Inputs(inputs) => encoder.embed(backend, inputs)?,
            State::Rows(rows) if self.done <= layers => {
                encoder.layer(backend, self.done - 1, rows, &self.layout)?
            }
            State::Rows(rows) => self.head(rows, self.want)?,
        };
        self.state = State::Rows(next);
        self.done += 1;
        Ok(self.progress())
    }

    fn head(&self, rows: &B::Acts, want: Want) -> Result<B::Acts, ModelError> {
        let Model { backend, classifier, dense, .. } = self.model;
        match (want, classifier) {
            (Want::Vectors(pooling), _) => {
                let pooled = backend.pool(rows, &self.layout, pooling)?;
                Ok(dense.apply(backend, pooled)?)
            }
            (Want::Tokens, _) => {
                // As if each token were a text of its own: the rows stay as they are.
                let each = Layout::from_lengths(std::iter::repeat_n(1, self.layout.tokens()))?;
                Ok(backend.pool(rows, &each, Pooling::Cls)?)
            }
            (Want::Logits, Some(classifier)) => {
                let first = backend.pool(rows, &self.layout, Pooling::Cls)?;
                Ok(classifier.apply(backend, first)?)
            }
            (Want::Logits, None) => Err(ModelError::NoHead),
        }
    }

    /// Runs what is left; the rows stay where they were computed, for who goes on computing there.
    ///
    /// # Errors
    /// [`ModelError::Backend`].
    pub fn rows(mut self) -> Result<B::Acts, ModelError> {
        loop {
            let complete = self.step()?.is_complete();
            match self.state {
                State::Rows(rows) if complete => return Ok(rows),
                state => self.state = state,
            }
        }
    }

    /// Runs the encoder once and each of two heads on what comes of it: the one that this pass
    /// wants, and another.
    ///
    /// # Errors
    /// [`ModelError::Backend`], or [`ModelError::NoHead`].
    pub fn rows_and(mut self, other: Want) -> Result<(B::Acts, B::Acts), ModelError> {
        loop {
            self.step()?;
            match &self.state {
                State::Rows(rows) if self.done > self.model.spec().layers => {
                    return Ok((self.head(rows, self.want)?, self.head(rows, other)?));
                }
                _ => {}
            }
        }
    }

    /// Runs what is left and brings the answer back: for each text its row, or those of its tokens,
    /// or [`ModelError::AnswerNotFinite`]; what is wrong with one changes no other.
    ///
    /// # Errors
    /// [`ModelError::Backend`].
    pub async fn finish(mut self) -> Result<Vec<Result<Vec<f32>, ModelError>>, ModelError> {
        while !self.progress().is_complete() {
            self.step()?;
        }
        let State::Rows(rows) = &self.state else { return Ok(Vec::new()) };
        let values = self.model.backend.read(rows).await?;
        let answer = |row: &[f32]| match row.iter().all(|value| value.is_finite()) {
            true => Ok(row.to_vec()),
            false => Err(ModelError::AnswerNotFinite),
        };
        let (texts, tokens) = (self.layout.len(), self.layout.tokens());
        let rows = if self.want == Want::Tokens { tokens } else { texts };
        let width = values.len().checked_div(rows).unwrap_or(0);
        let place = |(text, tokens): (usize, Range<usize>)| match self.want {
            Want::Tokens => tokens,
            Want::Vectors(_) | Want::Logits => text..text + 1,
        };
        let row = |rows: Range<usize>| values.get(rows.start * width..rows.end * width);
        let texts = self.layout.texts().enumerate().map(place).filter_map(row);
        Ok(texts.map(answer).collect())
    }
}
