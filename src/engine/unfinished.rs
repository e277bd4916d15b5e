//! What was encoded of an addition that is not committed yet: given again, it goes on where it was cut short.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::embeddings::Embeddings;
use crate::encoder::Encoder;
use crate::error::Result;
use crate::generation::Generation;
use crate::storage::remove_folder;

const FOLDER: &str = "unfinished";

/// Vectors by their texts, in the folder of the generation that made them, until the change is committed.
///
/// They are begun only for a change that takes more than one step. A cache: whatever goes wrong with it is logged, and
/// costs time alone.
#[derive(Debug)]
pub(super) struct Unfinished {
    folder: PathBuf,
    kept: Option<Embeddings>,
    /// The first step of a change, until there is a second one.
    first: Option<FirstStep>,
}

#[derive(Debug)]
struct FirstStep {
    texts: Vec<String>,
    vectors: Vec<Vec<f32>>,
}

impl Unfinished {
    /// Takes up what a run has left.
    pub(super) fn open(generation: &Generation) -> Unfinished {
        let folder = generation.folder().join(FOLDER);
        let kept = generation.loaded_encoder().and_then(|encoder| take_up(&folder, encoder));
        Unfinished { folder, kept, first: None }
    }

    /// The vectors of texts, and how many had to be encoded.
    ///
    /// # Errors
    /// As [`Encoder::encode`](crate::Encoder::encode).
    pub(super) fn encode(
        &mut self,
        generation: &Generation,
        texts: &[String],
    ) -> Result<(Vec<Vec<f32>>, usize)> {
        let encoder = generation.encoder()?;
        if self.folder.parent() != Some(generation.folder()) {
            *self = Unfinished::open(generation);
        }
        if self.kept.is_none() {
            self.kept = take_up(&self.folder, encoder);
        }
        if self.kept.is_none()
            && let Some(first) = self.first.take()
        {
            self.kept = Embeddings::open_for_any(&self.folder, encoder);
            if let Some(kept) = &mut self.kept {
                kept.keep(&first.texts, &first.vectors);
            }
        }
        match &mut self.kept {
            Some(kept) => kept.encode(encoder, texts),
            None => {
                let vectors = encoder.encode(texts)?;
                self.first = Some(FirstStep { texts: texts.to_vec(), vectors: vectors.clone() });
                Ok((vectors, texts.len()))
            }
        }
    }

    /// The change was committed.
    pub(super) fn clear(&mut self) {
        self.first = None;
        let Some(kept) = self.kept.take() else { return };
        drop(kept);
        if let Err(error) = remove_folder(&self.folder) {
            tracing::warn!(%error, "vectors of a change that is done were not removed");
        }
    }
}

fn take_up(folder: &Path, encoder: &Encoder) -> Option<Embeddings> {
    folder.exists().then(|| Embeddings::open_for_any(folder, encoder)).flatten()
}

/// How many texts are encoded in a step, so that a step takes about two seconds: what an interruption costs.
#[derive(Debug)]
pub(super) struct Pace {
    texts: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Pace { texts: 8 }
    }
}

impl Pace {
    const SECONDS: f64 = 2.0;
    const LEAST: usize = 8;
    const MOST: usize = 128;

    pub(super) fn texts(&self) -> usize {
        self.texts
    }

    /// A step has encoded so many texts in this time.
    pub(super) fn measured(&mut self, texts: usize, took: Duration) {
        // A step that found most of its vectors says little.
        if texts * 2 >= self.texts {
            let texts = texts as f64 / took.as_secs_f64().max(1e-3) * Self::SECONDS;
            self.texts = (texts as usize).clamp(Self::LEAST, Self::MOST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_takes_about_two_seconds() {
        let mut pace = Pace::default();
        pace.measured(16, Duration::from_secs(1));
        assert_eq!(pace.texts(), 32);
        pace.measured(2, Duration::from_secs(10));
        assert_eq!(pace.texts(), 32, "the others were there");
        pace.measured(32, Duration::from_secs(32));
        assert_eq!(pace.texts(), Pace::LEAST);
        pace.measured(8, Duration::ZERO);
        assert_eq!(pace.texts(), Pace::MOST);
    }
}
