//! Vectors of texts, kept from one index to the next: for collections that are indexed again and again.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::dense::{DenseIndex, DenseOptions};
use crate::encoder::{Encoder, EncoderPrecision};
use crate::error::{Error, Result};
use crate::ids::{ChunkId, Digest};
use crate::storage::{WriterLock, remove_folder};

/// A folder of vectors by the hashes of the texts that they are of, all of one encoder and precision.
///
/// A cache: what can't be read is encoded again, and what can't be written is logged and costs only time. A text's key
/// is the first 64 bits of its SHA-256: of a million texts two share one with a chance of 1 in 37 million.
#[derive(Debug)]
pub(super) struct Embeddings {
    vectors: DenseIndex,
    weights: Digest,
    precision: EncoderPrecision,
    /// Without it somebody else is writing, and this only reads.
    lock: Option<WriterLock>,
}

impl Embeddings {
    /// Opens what `root` has for `encoder`. `None` for int8, whose vectors depend on a sample of other texts, and where
    /// the folder is of no use.
    pub(super) fn open(root: &Path, encoder: &Encoder) -> Option<Embeddings> {
        let precision = encoder.computes_in().documents;
        if precision == EncoderPrecision::Int8 || encoder.wants_calibration() {
            return None;
        }
        Embeddings::open_for_any(root, encoder)
    }

    /// The same for int8 too: for one generation alone, whose calibration never changes.
    pub(super) fn open_for_any(root: &Path, encoder: &Encoder) -> Option<Embeddings> {
        let precision = encoder.computes_in().documents;
        let folder = folder(root, encoder, precision);
        let opened = Embeddings::open_in(&folder, encoder, precision);
        opened.map_err(|error| tracing::warn!(%error, "vectors are made without the cache")).ok()
    }

    fn open_in(folder: &Path, encoder: &Encoder, precision: EncoderPrecision) -> Result<Embeddings> {
        let weights = encoder.weights();
        std::fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        let lock = match WriterLock::acquire(folder, Duration::ZERO) {
            Ok(lock) => Some(lock),
            Err(Error::Locked { .. }) => None,
            Err(error) => return Err(error),
        };
        let dense = folder.join("dense");
        let vectors = match lock {
            None => DenseIndex::open_read_only(&dense, weights)?,
            Some(_) => match DenseIndex::open(&dense, weights) {
                Ok(vectors) => vectors,
                Err(error) => {
                    if !matches!(error, Error::NotFound { .. }) {
                        tracing::warn!(%error, "the cache of vectors begins anew");
                    }
                    remove_folder(&dense)?;
                    DenseIndex::create(&dense, encoder.dimensions(), weights, DenseOptions::default())?
                }
            },
        };
        Ok(Embeddings { vectors, weights, precision, lock })
    }

    /// The vectors of texts: those that are kept, rounded to bf16 as an index stores them, and the others by `encoder`.
    /// Says how many it had to encode.
    ///
    /// # Errors
    /// As [`Encoder::encode`].
    pub(super) fn encode(&mut self, encoder: &Encoder, texts: &[String]) -> Result<(Vec<Vec<f32>>, usize)> {
        if encoder.weights() != self.weights || encoder.computes_in().documents != self.precision {
            return Ok((encoder.encode(texts)?, texts.len()));
        }
        let keys: Vec<ChunkId> = texts.iter().map(|text| key(text)).collect();
        let mut sorted = keys.clone();
        sorted.sort_unstable();
        sorted.dedup();
        let kept = self.vectors.view(&sorted)?;
        let mut vectors: Vec<Option<Vec<f32>>> = keys.iter().map(|&key| kept.vector(key)).collect();
        let missing: Vec<usize> = (0..texts.len()).filter(|&text| vectors[text].is_none()).collect();
        let to_encode: Vec<&String> = missing.iter().map(|&text| &texts[text]).collect();
        let made = encoder.encode(&to_encode)?;
        self.keep(&to_encode, &made);
        let encoded = made.len();
        for (text, vector) in missing.into_iter().zip(made) {
            vectors[text] = Some(vector);
        }
        Ok((vectors.into_iter().flatten().collect(), encoded))
    }

    /// Adds vectors of texts.
    pub(super) fn keep<S: AsRef<str>>(&mut self, texts: &[S], vectors: &[Vec<f32>]) {
        if self.lock.is_none() || texts.is_empty() {
            return;
        }
        let keys = texts.iter().map(|text| key(text.as_ref()));
        let rows: Vec<(ChunkId, &[f32])> = keys.zip(vectors.iter().map(Vec::as_slice)).collect();
        if let Err(error) = self.vectors.append(&rows) {
            tracing::warn!(%error, "vectors were not kept in the cache");
            self.lock = None;
        }
    }
}

/// Weights, precision and length: all that a text's vector depends on beside the text.
fn folder(root: &Path, encoder: &Encoder, precision: EncoderPrecision) -> PathBuf {
    let weights = encoder.weights().to_string();
    root.join(format!("{}-{precision}-{}", &weights[..16], encoder.max_tokens()))
}

fn key(text: &str) -> ChunkId {
    let digest = Digest::of(text.as_bytes()).0;
    ChunkId(digest[..8].iter().fold(0, |key, &byte| key << 8 | u64::from(byte)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoder::EncoderOptions;

    fn encoder(precision: EncoderPrecision) -> Encoder {
        let tiny = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/reference/tiny-mpnet");
        Encoder::load_with(&tiny, EncoderOptions::of(precision)).unwrap()
    }

    fn texts(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| word.to_string()).collect()
    }

    #[test]
    fn what_was_encoded_once_comes_from_the_folder() {
        let root = tempfile::tempdir().unwrap();
        let encoder = encoder(EncoderPrecision::F32);
        let mut cache = Embeddings::open(root.path(), &encoder).unwrap();
        let (first, encoded) = cache.encode(&encoder, &texts(&["one", "two", "one"])).unwrap();
        assert_eq!(first, encoder.encode(&texts(&["one", "two", "one"])).unwrap());
        assert_eq!((cache.vectors.rows(), encoded), (3, 3));
        let (again, encoded) = cache.encode(&encoder, &texts(&["two", "three", "one"])).unwrap();
        assert_eq!((cache.vectors.rows(), encoded), (4, 1), "only the third was encoded");
        let cosine: f32 = again[0].iter().zip(&first[1]).map(|(a, b)| a * b).sum();
        assert!(cosine > 0.9999, "{cosine}");
        drop(cache);

        // A second one reads what a first one writes, and leaves the writing to it.
        let mut writer = Embeddings::open(root.path(), &encoder).unwrap();
        let mut reader = Embeddings::open(root.path(), &encoder).unwrap();
        assert_eq!(reader.encode(&encoder, &texts(&["two", "four"])).unwrap().0[0], again[0]);
        assert_eq!((reader.vectors.rows(), reader.lock.is_none()), (4, true));
        writer.encode(&encoder, &texts(&["five"])).unwrap();
        assert_eq!(writer.vectors.rows(), 5);
    }

    #[test]
    fn vectors_of_another_encoder_are_never_given() {
        let root = tempfile::tempdir().unwrap();
        let (f32, bf16) = (encoder(EncoderPrecision::F32), encoder(EncoderPrecision::Bf16));
        let mut cache = Embeddings::open(root.path(), &f32).unwrap();
        cache.encode(&f32, &texts(&["one"])).unwrap();
        if bf16.computes_in() != f32.computes_in() {
            assert_eq!(
                cache.encode(&bf16, &texts(&["one"])).unwrap(),
                (bf16.encode(&texts(&["one"])).unwrap(), 1)
            );
            assert_eq!(Embeddings::open(root.path(), &bf16).unwrap().vectors.rows(), 0);
        }
        assert!(Embeddings::open(root.path(), &encoder(EncoderPrecision::Int8)).is_none_or(|cache| {
            // Where the processor has no int8 it is another precision, with a folder of its own.
            cache.precision != EncoderPrecision::Int8
        }));
    }

    #[test]
    fn a_damaged_folder_begins_anew_and_one_that_cannot_be_costs_no_index() {
        let root = tempfile::tempdir().unwrap();
        let encoder = encoder(EncoderPrecision::F32);
        Embeddings::open(root.path(), &encoder).unwrap().encode(&encoder, &texts(&["one"])).unwrap();
        let file = folder(root.path(), &encoder, EncoderPrecision::F32).join("dense/vectors.bin");
        std::fs::write(&file, b"not ours").unwrap();
        let mut cache = Embeddings::open(root.path(), &encoder).unwrap();
        assert_eq!(cache.vectors.rows(), 0);
        assert_eq!(cache.encode(&encoder, &texts(&["one"])).unwrap().1, 1);
        let blocked = root.path().join("a file");
        std::fs::write(&blocked, b"").unwrap();
        assert!(Embeddings::open(&blocked, &encoder).is_none());
    }
}
