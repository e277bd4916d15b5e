//! What the `retune.toml`s say of the documents of a folder: their language, and how long their passages are.

use std::path::Path;

use super::Engine;
use crate::corpus::{CONFIG, Config, Lengths};
use crate::error::{Error, Result};
use crate::lexical::Language;

/// How the documents of a folder are analysed and cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rules {
    /// Their language, if it is not the index's own.
    pub(super) language: Option<Language>,
    pub(super) lengths: Lengths,
}

impl Engine {
    /// The rules for the folder in `path`: of its own configuration, else that of the index, else its settings.
    ///
    /// # Errors
    /// [`Error::Invalid`], which names the file, for a language without a stemmer and for passages that the encoder
    /// does not read.
    pub(super) fn rules(&self, path: &Path, own: Option<&Config>, folder: Option<&Config>) -> Result<Rules> {
        let configs = [(path, folder), (self.path(), own)];
        let configs = configs.into_iter().filter_map(|(path, config)| Some((path.join(CONFIG), config?)));
        let mut rules = Rules { language: None, lengths: self.folder_lengths()? };
        let (mut language, mut max_tokens) = (None, None);
        for (file, config) in configs {
            let refused = |what: &str, value: &dyn std::fmt::Display, error: Error| {
                let Error::Invalid { expected, .. } = error else { return error };
                let found = format!("{} with {what} = {value}", file.display());
                Error::Invalid { what: "the configuration", found, expected }
            };
            if let (Some(name), None) = (&config.language, language) {
                let parsed =
                    name.parse().map_err(|error| refused("language", &format!("{name:?}"), error))?;
                language = Some(parsed);
            }
            if let (Some(tokens), None) = (config.max_tokens, max_tokens) {
                let read = self.tokens_read()?;
                let lengths = rules.lengths.with_text(tokens, read);
                rules.lengths = lengths.map_err(|error| refused("max_tokens", &tokens, error))?;
                max_tokens = Some(tokens);
            }
        }
        rules.language = language.filter(|&language| language != self.inner.settings.language);
        Ok(rules)
    }
}
