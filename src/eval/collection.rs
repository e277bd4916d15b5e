//! Test collections in the layout of BEIR.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};

use super::Qrels;
use super::lines::Lines;
use crate::error::{Error, Result};

/// A folder with `corpus.jsonl`, `queries.jsonl` and `qrels/SPLIT.tsv`.
#[derive(Debug, Clone)]
pub struct Collection {
    folder: PathBuf,
}

/// A document of a collection.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Document {
    /// Its name in qrels and runs.
    #[serde(rename = "_id", deserialize_with = "text_or_number")]
    pub id: String,
    /// Empty where the collection has none.
    #[serde(default, deserialize_with = "text_or_null")]
    pub title: String,
    /// The body.
    #[serde(default, deserialize_with = "text_or_null")]
    pub text: String,
}

/// A query of a collection.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Query {
    /// Its name in qrels and runs.
    #[serde(rename = "_id", deserialize_with = "text_or_number")]
    pub id: String,
    /// What was asked.
    pub text: String,
}

impl Collection {
    /// Names the collection in `folder`.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the folder lacks `corpus.jsonl`, `queries.jsonl` or `qrels`.
    pub fn open(folder: impl AsRef<Path>) -> Result<Collection> {
        let folder = folder.as_ref();
        for name in ["corpus.jsonl", "queries.jsonl", "qrels"] {
            if !folder.join(name).exists() {
                return Err(Error::NotFound {
                    what: "file of a test collection",
                    id: folder.join(name).display().to_string(),
                    remedy: "give a folder in BEIR layout: corpus.jsonl, queries.jsonl, qrels/SPLIT.tsv",
                });
            }
        }
        Ok(Collection { folder: folder.to_path_buf() })
    }

    /// The name of the folder.
    pub fn name(&self) -> String {
        let resolved = self.folder.canonicalize().unwrap_or_else(|_| self.folder.clone());
        resolved.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    /// Streams the documents, in the order of the file.
    ///
    /// # Errors
    /// [`Error::Io`]; the iterator's items are [`Error::Invalid`] with the line that is wrong.
    pub fn documents(&self) -> Result<Documents> {
        Ok(Documents { lines: Lines::open(&self.folder.join("corpus.jsonl"))? })
    }

    /// Streams the queries of all splits, in the order of the file.
    ///
    /// # Errors
    /// [`Error::Io`]; the iterator's items are [`Error::Invalid`] with the line that is wrong.
    pub fn queries(&self) -> Result<Queries> {
        Queries::open(&self.folder.join("queries.jsonl"))
    }

    /// The names of the splits, sorted: "test", "train" and the like.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn splits(&self) -> Result<Vec<String>> {
        let folder = self.folder.join("qrels");
        let mut splits = Vec::new();
        for entry in fs::read_dir(&folder).map_err(Error::io("list", &folder))? {
            let path = entry.map_err(Error::io("list", &folder))?.path();
            if path.extension().is_some_and(|extension| extension == "tsv") {
                splits.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
            }
        }
        splits.sort();
        Ok(splits)
    }

    /// The judgements of a split.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such split, [`Error::Invalid`] with the line that is wrong.
    pub fn qrels(&self, split: &str) -> Result<Qrels> {
        if !self.splits()?.iter().any(|known| known == split) {
            let remedy = "name one that the collection's folder qrels has";
            return Err(Error::NotFound {
                what: "split",
                id: format!("{split:?} in {}", self.name()),
                remedy,
            });
        }
        Qrels::read_beir(&self.folder.join("qrels").join(format!("{split}.tsv")))
    }
}

/// The documents of a collection, one at a time.
pub struct Documents {
    lines: Lines,
}

impl Iterator for Documents {
    type Item = Result<Document>;

    fn next(&mut self) -> Option<Self::Item> {
        next_json(&mut self.lines, "one JSON object a line with _id, title and text")
    }
}

/// The queries of a collection, one at a time.
pub struct Queries {
    lines: Lines,
}

impl Queries {
    /// Streams the queries of one file: one JSON object a line with `_id` and `text`.
    ///
    /// # Errors
    /// [`Error::Io`]; the iterator's items are [`Error::Invalid`] with the line that is wrong.
    pub fn open(path: &Path) -> Result<Queries> {
        Ok(Queries { lines: Lines::open(path)? })
    }
}

impl Iterator for Queries {
    type Item = Result<Query>;

    fn next(&mut self) -> Option<Self::Item> {
        next_json(&mut self.lines, "one JSON object a line with _id and text")
    }
}

fn next_json<T: serde::de::DeserializeOwned>(lines: &mut Lines, expected: &str) -> Option<Result<T>> {
    let (number, line) = match lines.next()? {
        Ok(line) => line,
        Err(error) => return Some(Err(error)),
    };
    Some(serde_json::from_str(&line).map_err(|e| lines.wrong(number, e, expected)))
}

/// Some collections number their documents.
fn text_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "_id is neither text nor a whole number")]
    enum Id {
        Text(String),
        Number(i64),
    }
    Ok(match Id::deserialize(deserializer)? {
        Id::Text(text) => text,
        Id::Number(number) => number.to_string(),
    })
}

fn text_or_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.unwrap_or_default())
}
