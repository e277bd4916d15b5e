//! Text to token ids.

use std::path::Path;

use tokenizers::{PostProcessor, Tokenizer, TruncationDirection};

use super::config::{COMPLETE_IT, problem};
use crate::error::{Error, Result};

/// The model's tokeniser. It ignores truncation and padding in `tokenizer.json`: texts are truncated to the model's
/// longest input, and nothing is padded.
pub(super) struct Tokens {
    tokenizer: Tokenizer,
    /// The number of special tokens around every text: `<s>` and `</s>`.
    specials: usize,
    lower_case: bool,
}

impl Tokens {
    /// Reads `tokenizer.json` of a model with vectors for `vocabulary` tokens.
    pub(super) fn read(folder: &Path, vocabulary: usize, lower_case: bool) -> Result<Tokens> {
        let path = folder.join("tokenizer.json");
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(problem(&path, "the file is missing", COMPLETE_IT));
            }
            Err(e) => return Err(Error::io("read", &path)(e)),
        };
        // The tokenizers crate panics on text that is not JSON.
        let mut tokenizer = serde_json::from_slice::<serde::de::IgnoredAny>(&text)
            .map_err(tokenizers::Error::from)
            .and_then(|_| Tokenizer::from_bytes(&text))
            .map_err(|e| problem(&path, e.to_string(), COMPLETE_IT))?;
        tokenizer.with_truncation(None).map_err(|e| problem(&path, e.to_string(), COMPLETE_IT))?;
        tokenizer.with_padding(None);
        if let Some(id) =
            tokenizer.get_vocab(true).into_values().max().filter(|&id| id as usize >= vocabulary)
        {
            let what = format!("token {id} has no vector: the model's vocabulary has {vocabulary}");
            return Err(problem(&path, what, COMPLETE_IT));
        }
        let specials = tokenizer.get_post_processor().map_or(0, |processor| processor.added_tokens(false));
        if specials == 0 {
            return Err(problem(&path, "it puts no special tokens around a text", COMPLETE_IT));
        }
        Ok(Tokens { tokenizer, specials, lower_case })
    }

    /// The ids of a text with special tokens, truncated to `max_tokens`. Never empty.
    pub(super) fn ids(&self, text: &str, max_tokens: usize) -> Result<Vec<u32>> {
        let mut encoding = self.plain(text)?;
        let room = max_tokens.saturating_sub(self.specials).max(1);
        encoding.truncate(room, 0, TruncationDirection::Right);
        let encoding = self.tokenizer.post_process(encoding, None, true).map_err(failed)?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The number of tokens of a text, without special tokens and without truncation.
    pub(super) fn count(&self, text: &str) -> Result<usize> {
        self.plain(text).map(|encoding| encoding.len())
    }

    fn plain(&self, text: &str) -> Result<tokenizers::Encoding> {
        if self.lower_case {
            return self.tokenizer.encode_fast(text.to_lowercase(), false).map_err(failed);
        }
        self.tokenizer.encode_fast(text, false).map_err(failed)
    }
}

fn failed(e: tokenizers::Error) -> Error {
    Error::Encoder { doing: "tokenise a text", message: e.to_string() }
}
