//! What the manifest of a generation says of an encoder whose files lie on the cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read as _;
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::encoder::WEIGHTS;
use crate::error::{Error, Result};
use crate::generation::OwnEncoder;
use crate::ids::Digest;

/// As one document, with a third more for base64, it stays far below what a node takes, 100 MB.
const PART_BYTES: u64 = 4 << 20;

/// An encoder of queries: a model folder in parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredEncoder {
    /// SHA-256 of its weights.
    pub(crate) weights: Digest,
    /// SHA-256 of the weights whose vectors it was trained against, if it encodes queries alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) trained_against: Option<Digest>,
    /// The length of each part but the last of a file.
    pub(super) part_bytes: u64,
    /// By path below the folder, with `/` between folders.
    pub(super) files: BTreeMap<String, StoredFile>,
}

/// A file in parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoredFile {
    pub(super) sha256: Digest,
    pub(super) bytes: u64,
    /// SHA-256 of each part, in order.
    pub(super) parts: Vec<Digest>,
}

/// A part of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part<'a> {
    /// The file, by path below the folder.
    pub(super) file: &'a str,
    /// From 0.
    pub(super) number: usize,
    pub(super) sha256: Digest,
    pub(super) bytes: usize,
}

impl StoredEncoder {
    /// Reads the files of a generation's own encoder.
    ///
    /// # Errors
    /// [`Error::Damaged`] for one that is not as it was published.
    pub(crate) fn of(own: &OwnEncoder) -> Result<StoredEncoder> {
        StoredEncoder::in_parts_of(own, PART_BYTES)
    }

    pub(super) fn in_parts_of(own: &OwnEncoder, part_bytes: u64) -> Result<StoredEncoder> {
        let mut files = BTreeMap::new();
        for (name, published) in &own.files {
            let path = own.folder.join(name);
            let (mut all, mut bytes, mut parts) = (Sha256::new(), 0, Vec::new());
            read_in_parts(&path, part_bytes, &mut |part| {
                all.update(part);
                bytes += part.len() as u64;
                parts.push(Digest::of(part));
                Ok(())
            })?;
            let sha256 = Digest(all.finalize().into());
            if sha256 != *published {
                return Err(Error::Damaged {
                    path,
                    found: format!("SHA-256 {sha256}"),
                    expected: format!("SHA-256 {published}"),
                    remedy: "restore the file, or return to an earlier generation with `retune rollback`",
                });
            }
            files.insert(name.clone(), StoredFile { sha256, bytes, parts });
        }
        let OwnEncoder { weights, trained_against, .. } = *own;
        Ok(StoredEncoder { weights, trained_against, part_bytes, files })
    }

    /// Whether its vectors of queries may be compared with what these weights made of passages.
    pub(crate) fn fits(&self, weights: Digest) -> bool {
        self.trained_against.unwrap_or(self.weights) == weights
    }

    /// Whether its files can be put together: it comes from elsewhere, and names paths.
    pub(crate) fn is_sound(&self) -> bool {
        let is_below = |name: &str| {
            let mut components = Path::new(name).components();
            !name.is_empty() && components.all(|one| matches!(one, Component::Normal(_)))
        };
        let is_cut_so = |file: &StoredFile| file.parts.len() as u64 == file.bytes.div_ceil(self.part_bytes);
        let weights = self.files.get(WEIGHTS);
        // A part is held in memory.
        (1..=64 << 20).contains(&self.part_bytes)
            && weights.is_some_and(|weights| weights.sha256 == self.weights)
            && self.files.iter().all(|(name, file)| is_below(name) && is_cut_so(file))
    }

    /// What tells it from all others: the digest of its files' names and digests.
    pub(super) fn id(&self) -> Digest {
        let lines = self.files.iter().map(|(name, file)| format!("{name} {}\n", file.sha256));
        Digest::of(lines.collect::<String>().as_bytes())
    }

    /// The files besides the weights.
    pub(super) fn beside(&self) -> BTreeMap<String, Digest> {
        let others = self.files.iter().filter(|(name, _)| *name != WEIGHTS);
        others.map(|(name, file)| (name.clone(), file.sha256)).collect()
    }

    /// The parts of a file.
    pub(super) fn parts_of<'a>(&self, name: &'a str, file: &'a StoredFile) -> impl Iterator<Item = Part<'a>> {
        let (bytes, part_bytes) = (file.bytes, self.part_bytes);
        file.parts.iter().enumerate().map(move |(number, &sha256)| {
            let left = bytes.saturating_sub(number as u64 * part_bytes);
            Part { file: name, number, sha256, bytes: left.min(part_bytes) as usize }
        })
    }

    /// The ids of all parts.
    pub(in crate::store::opensearch) fn ids(&self) -> BTreeSet<String> {
        self.files.values().flat_map(|file| &file.parts).map(Digest::to_string).collect()
    }
}

/// Reads a file, one part after the other.
pub(super) fn read_in_parts(
    path: &Path,
    part_bytes: u64,
    take: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let mut file = File::open(path).map_err(Error::io("read", path))?;
    let mut part = Vec::new();
    loop {
        part.clear();
        file.by_ref().take(part_bytes).read_to_end(&mut part).map_err(Error::io("read", path))?;
        if part.is_empty() {
            return Ok(());
        }
        take(&part)?;
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An encoder in 10-byte parts: two files, of which one is empty and one lies deeper, and weights.
    pub(in crate::store::opensearch::weights) fn encoder(folder: &Path) -> StoredEncoder {
        std::fs::create_dir_all(folder.join("inner")).unwrap();
        let contents =
            [(WEIGHTS, "0123456789abcdefghijKLM"), ("inner/config.json", "0123456789"), ("none", "")];
        let files = contents.map(|(name, text)| {
            std::fs::write(folder.join(name), text).unwrap();
            (name.to_string(), Digest::of(text.as_bytes()))
        });
        let files = BTreeMap::from(files);
        let own = OwnEncoder {
            folder: folder.to_path_buf(),
            weights: files[WEIGHTS],
            trained_against: None,
            files,
        };
        StoredEncoder::in_parts_of(&own, 10).unwrap()
    }

    #[test]
    fn files_are_cut_into_parts_and_the_same_part_is_one() {
        let folder = tempfile::tempdir().unwrap();
        let stored = encoder(folder.path());
        assert!(stored.is_sound());
        let lengths = |name: &str| -> Vec<usize> {
            let (name, file) = stored.files.get_key_value(name).unwrap();
            stored.parts_of(name, file).map(|part| part.bytes).collect()
        };
        assert_eq!(lengths(WEIGHTS), [10, 10, 3]);
        assert_eq!((lengths("inner/config.json"), lengths("none")), (vec![10], vec![]));
        // The first ten bytes of the weights and the inner file are the same.
        assert_eq!(stored.ids().len(), 3);
        let json = serde_json::to_string(&stored).unwrap();
        assert_eq!(serde_json::from_str::<StoredEncoder>(&json).unwrap(), stored);
    }

    #[test]
    fn a_changed_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let stored = encoder(folder.path());
        let files = stored.files.iter().map(|(name, file)| (name.clone(), file.sha256)).collect();
        let (weights, trained_against) = (stored.weights, None);
        std::fs::write(folder.path().join("none"), "x").unwrap();
        let own = OwnEncoder { folder: folder.path().into(), weights, trained_against, files };
        let refused = StoredEncoder::of(&own).unwrap_err();
        assert!(matches!(&refused, Error::Damaged { path, .. } if path.ends_with("none")), "{refused}");
    }

    #[test]
    fn what_names_other_places_or_other_lengths_is_not_sound() {
        let folder = tempfile::tempdir().unwrap();
        let stored = encoder(folder.path());
        for name in ["../none", "/none", "inner/../../none", "", "."] {
            let mut other = stored.clone();
            let file = other.files.remove("none").unwrap();
            other.files.insert(name.into(), file);
            assert!(!other.is_sound(), "{name:?}");
        }
        let mut longer = stored.clone();
        longer.files.get_mut("none").unwrap().bytes = 1;
        assert!(!longer.is_sound());
        assert!(!StoredEncoder { part_bytes: 0, ..stored.clone() }.is_sound());
        assert!(!StoredEncoder { weights: Digest([0; 32]), ..stored }.is_sound());
    }

    #[test]
    fn an_encoder_of_queries_fits_the_vectors_that_it_was_trained_against() {
        let folder = tempfile::tempdir().unwrap();
        let (stored, other) = (encoder(folder.path()), Digest([1; 32]));
        assert!(stored.fits(stored.weights) && !stored.fits(other));
        let of_queries = StoredEncoder { trained_against: Some(other), ..stored.clone() };
        assert!(of_queries.fits(other) && !of_queries.fits(stored.weights));
    }
}
