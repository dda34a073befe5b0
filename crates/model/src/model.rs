//! A model that answers: texts in, vectors or scores out.

use trireme_backend::{Backend, Pooling};
use trireme_text::Encoded;

use crate::config::{Labels, Scoring, Spec};
use crate::encoder::Encoder;
use crate::head::Head;
use crate::upload::Weights;
use crate::{Checkpoint, ModelError, Pass, Reader, Want, finish};

/// A model in a backend's memory, with its tokenizer.
pub struct Model<B: Backend> {
    pub(crate) backend: B,
    pub(crate) encoder: Encoder<B>,
    pub(crate) dense: Head<B>,
    pub(crate) classifier: Option<Head<B>>,
    checkpoint: Facts,
    reader: Reader,
}

/// What stays of a checkpoint once its weights are uploaded.
struct Facts {
    spec: Spec,
    pooling: Pooling,
    normalize: bool,
    dimensions: usize,
    digest: String,
}

/// How a vector is made; what is `None` is as the model says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct EmbedOptions {
    /// How rows become one.
    pub pooling: Option<Pooling>,
    /// Whether vectors are brought to length one.
    pub normalize: Option<bool>,
    /// Keeps only the first dimensions, for models trained so that these mean most.
    pub dimensions: Option<usize>,
}

impl<B: Backend> Model<B> {
    /// Uploads a checkpoint.
    ///
    /// # Errors
    /// [`ModelError`] where the tokenizer does not fit or a weight is not finite.
    pub fn new(backend: B, checkpoint: &Checkpoint) -> Result<Self, ModelError> {
        let (spec, sentence) = (checkpoint.spec(), &checkpoint.sentence);
        let reader = Reader::new(checkpoint)?;
        let weights = Weights { backend: &backend, spec, tensors: &checkpoint.tensors };
        let dense = Head::sentence(&weights, sentence)?;
        let classifier = Head::classifier(&weights, spec)?;
        let encoder = Encoder::upload(&backend, spec, &checkpoint.tensors)?;
        let facts = Facts {
            spec: spec.clone(),
            pooling: sentence.pooling,
            normalize: sentence.normalize,
            dimensions: checkpoint.dimensions(),
            digest: checkpoint.digest(),
        };
        Ok(Self { backend, encoder, dense, classifier, checkpoint: facts, reader })
    }

    /// The encoder's shape.
    #[must_use]
    pub fn spec(&self) -> &Spec {
        &self.checkpoint.spec
    }

    /// The classes, where it classifies.
    #[must_use]
    pub fn labels(&self) -> Option<&Labels> {
        self.spec().labels.as_ref()
    }

    /// How its vectors are pooled, unless a request says otherwise.
    #[must_use]
    pub fn pooling(&self) -> Pooling {
        self.checkpoint.pooling
    }

    /// Whether its vectors have length one, unless a request says otherwise.
    #[must_use]
    pub fn normalizes(&self) -> bool {
        self.checkpoint.normalize
    }

    /// Dimensions of its vectors.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.checkpoint.dimensions
    }

    /// How it reads a text.
    #[must_use]
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The identity of its weights, tokenizer and configuration.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.checkpoint.digest
    }

    /// The backend that it lives in.
    #[must_use]
    pub fn backend(&self) -> &B {
        &self.backend
    }

    /// Begins a forward.
    ///
    /// # Errors
    /// [`ModelError`] where a text is too long, an id has no embedding, or there is no head.
    pub fn start(&self, texts: &[Encoded], want: Want) -> Result<Pass<'_, B>, ModelError> {
        Pass::new(self, texts, want)
    }

    /// What a pass must be run for to make these vectors.
    ///
    /// # Errors
    /// [`ModelError::Dimensions`] where there are not so many.
    pub fn vectors(&self, options: EmbedOptions) -> Result<Want, ModelError> {
        let available = self.dimensions();
        match options.dimensions.filter(|&asked| asked == 0 || asked > available) {
            Some(asked) => Err(ModelError::Dimensions { asked, available }),
            None => Ok(Want::Vectors(options.pooling.unwrap_or(self.pooling()))),
        }
    }

    /// Makes a vector of a row that a pass for [`Want::Vectors`] brought back.
    pub fn finish_vector(&self, mut row: Vec<f32>, options: EmbedOptions) -> Vec<f32> {
        row.truncate(options.dimensions.unwrap_or(usize::MAX));
        if options.normalize.unwrap_or(self.normalizes()) {
            finish::l2_normalize(&mut row);
        }
        row
    }

    /// Makes scores of a row that a pass for [`Want::Logits`] brought back.
    pub fn finish_scores(&self, mut row: Vec<f32>) -> Vec<f32> {
        match self.labels().map(|labels| labels.scoring) {
            Some(Scoring::Softmax) => finish::softmax(&mut row),
            Some(Scoring::Sigmoid) => finish::sigmoid(&mut row),
            Some(Scoring::Raw) | None => {}
        }
        row
    }
}
