//! A model's reader, as a port.

use trireme_backend::Backend;
use trireme_domain::Fault;
use trireme_model::{Model, Token};

use crate::faults::from_model;
use crate::ports::Reads;

impl<B: Backend> Reads for Model<B> {
    fn max_tokens(&self) -> usize {
        self.reader().max_tokens()
    }

    fn tokens(&self, text: &str, prompt: Option<&str>, special: bool) -> Result<Vec<Token>, Fault> {
        self.reader().tokens(text, prompt, special).map_err(|e| from_model(&e))
    }

    fn text(&self, ids: &[u32], skip_special: bool) -> Result<String, Fault> {
        self.reader().text(ids, skip_special).map_err(|e| from_model(&e))
    }
}
