//! Test collections on disk: documents, queries and judgements, in the forms that the field uses.

mod classic;
mod inventory;
mod record;
mod sgml;
mod sniff;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub use inventory::Inventory;
pub use record::{Document, Query};

use self::sniff::{Form, Kind, files, sniff, split_name};
use super::Qrels;
use super::lines::Lines;
use crate::error::{Error, Result};

type Records<T> = Box<dyn Iterator<Item = Result<T>> + Send>;

/// A folder with documents, queries and judgements.
///
/// What its files are is told by what they hold, gzipped or not:
///
/// - BEIR's layout: `corpus.jsonl`, `queries.jsonl`, `qrels/SPLIT.tsv`. Then no other file counts.
/// - JSON lines under other names: files with `quer` or `topic` in their name are queries, others documents. A document has
///   `_id` (or `id`, `doc_id`, `docid`, `docno`), `text` (or `contents`, `body`) and `title`, a query `_id` (or `id`, `query_id`, `qid`)
///   and `text` (or `query`); of several names the first counts.
/// - TREC: `<DOC>` with `<DOCNO>`, topics (`<top>`, of which the title is asked), and qrels.
/// - SMART's classics, such as Cranfield: `.I`, `.T` and `.W`. Their qrels call everything relevant that they name, whatever
///   code stands beside it; queries go by their place in the file where the qrels do.
#[derive(Debug, Clone)]
pub struct Collection {
    folder: PathBuf,
    documents: Vec<(PathBuf, Form)>,
    queries: (PathBuf, Form),
    /// With the names of their splits.
    qrels: Vec<(String, PathBuf)>,
    /// The names of files that are none of these.
    passed_over: Vec<String>,
}

impl Collection {
    /// Finds out what the files in `folder` are.
    ///
    /// # Errors
    /// [`Error::NotFound`] when documents, queries or judgements are missing, [`Error::Invalid`] when there are two files
    /// of queries or two of one split, or a file whose name says what it should hold begins otherwise, [`Error::Io`].
    pub fn open(folder: impl AsRef<Path>) -> Result<Collection> {
        let folder = folder.as_ref();
        let mut found = Found::default();
        match beir(folder) {
            Some((corpus, queries)) => {
                found.documents.push((corpus, Form::Json));
                found.queries.push((queries, Form::Json));
            }
            None => {
                for path in files(folder)? {
                    found.add(path)?;
                }
            }
        }
        if folder.join("qrels").is_dir() {
            found
                .qrels
                .extend(files(&folder.join("qrels"))?.into_iter().map(|path| (split_name(&path), path)));
        }
        found.into_collection(folder)
    }

    /// The name of the folder.
    pub fn name(&self) -> String {
        let resolved = self.folder.canonicalize().unwrap_or_else(|_| self.folder.clone());
        resolved.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    /// Streams the documents, in the order of the files.
    ///
    /// # Errors
    /// [`Error::Io`]; the iterator's items are [`Error::Invalid`] with the line that is wrong.
    pub fn documents(&self) -> Result<Documents> {
        // All are opened before the first is read, so that one that can't be is known at once.
        let mut all: Records<Document> = Box::new(std::iter::empty());
        for (path, form) in &self.documents {
            let lines = Lines::open(path)?;
            let next = match form {
                Form::Json => record::json_lines(lines, "one JSON object a line with _id, title and text"),
                Form::Sgml => sgml::documents(lines),
                Form::Classic => classic::documents(lines),
            };
            all = Box::new(all.chain(next));
        }
        Ok(Documents(all))
    }

    /// Streams the queries of all splits, in the order of the file.
    ///
    /// # Errors
    /// [`Error::Io`]; the iterator's items are [`Error::Invalid`] with the line that is wrong.
    pub fn queries(&self) -> Result<Queries> {
        let (path, form) = &self.queries;
        let lines = Lines::open(path)?;
        Ok(Queries(match form {
            Form::Json => record::json_lines(lines, QUERY),
            Form::Sgml => sgml::queries(lines),
            Form::Classic => classic::queries(lines, self.are_numbered_by_place()?),
        }))
    }

    /// Cranfield's queries have numbers with gaps, and its judgements count them.
    fn are_numbered_by_place(&self) -> Result<bool> {
        let mut own = BTreeSet::new();
        for query in classic::queries(Lines::open(&self.queries.0)?, false) {
            own.insert(query?.id);
        }
        let mut judged = BTreeSet::new();
        for (split, _) in &self.qrels {
            judged.extend(self.qrels(split)?.iter().map(|(query, _)| query.to_string()));
        }
        let is_place = |id: &String| id.parse().is_ok_and(|place: usize| (1..=own.len()).contains(&place));
        Ok(!judged.is_subset(&own) && judged.iter().all(is_place))
    }

    /// The names of the splits, sorted: "test", "train" and the like.
    pub fn splits(&self) -> Vec<&str> {
        self.qrels.iter().map(|(split, _)| split.as_str()).collect()
    }

    /// The judgements of a split.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such split, [`Error::Invalid`] with the line that is wrong.
    pub fn qrels(&self, split: &str) -> Result<Qrels> {
        let Some((_, path)) = self.qrels.iter().find(|(known, _)| known == split) else {
            return Err(Error::NotFound {
                what: "split",
                id: format!("{split:?} in {}, which has {}", self.name(), self.splits().join(", ")),
                remedy: "name one that the collection has",
            });
        };
        match self.queries.1 {
            Form::Classic => Qrels::read_smart(path),
            _ => Qrels::read(path),
        }
    }
}

const QUERY: &str = "one JSON object a line with _id and text";

/// The files of BEIR's layout, if they are there.
fn beir(folder: &Path) -> Option<(PathBuf, PathBuf)> {
    let find = |name: &str| {
        let paths = [folder.join(name), folder.join(format!("{name}.gz"))];
        paths.into_iter().find(|path| path.is_file())
    };
    Some((find("corpus.jsonl")?, find("queries.jsonl")?))
}

/// What a folder was found to hold.
#[derive(Default)]
struct Found {
    documents: Vec<(PathBuf, Form)>,
    queries: Vec<(PathBuf, Form)>,
    qrels: Vec<(String, PathBuf)>,
    passed_over: Vec<String>,
}

impl Found {
    fn add(&mut self, path: PathBuf) -> Result<()> {
        match sniff(&path)? {
            Some(Kind::Documents(form)) => self.documents.push((path, form)),
            Some(Kind::Queries(form)) => self.queries.push((path, form)),
            Some(Kind::Qrels) => self.qrels.push((split_name(&path), path)),
            None => {
                self.passed_over.extend(path.file_name().map(|name| name.to_string_lossy().into_owned()));
            }
        }
        Ok(())
    }

    fn into_collection(mut self, folder: &Path) -> Result<Collection> {
        let passed_over = std::mem::take(&mut self.passed_over);
        let others = match passed_over.is_empty() {
            true => String::new(),
            false => format!(" (its other files: {})", passed_over.join(", ")),
        };
        let missing = |what: &str| Error::NotFound {
            what: "test collection",
            id: format!("in {}: it has no {what}{others}", folder.display()),
            remedy: "give a folder with documents, queries and judgements: BEIR's corpus.jsonl, queries.jsonl and \
                     qrels/SPLIT.tsv, TREC's <DOC>, <top> and qrels, or SMART's .I and .W",
        };
        if self.documents.is_empty() {
            return Err(missing("documents"));
        }
        if self.qrels.is_empty() {
            return Err(missing("judgements"));
        }
        if let [(first, _), (second, _), ..] = &self.queries[..] {
            let found = format!("{} and {}", first.display(), second.display());
            return Err(Error::invalid("the collection", found, "one file of queries"));
        }
        self.qrels.sort();
        if let Some([(split, first), (_, second)]) = self
            .qrels
            .windows(2)
            .find(|pair| pair[0].0 == pair[1].0)
            .and_then(|pair| <&[_; 2]>::try_from(pair).ok())
        {
            let found = format!("{} and {}", first.display(), second.display());
            return Err(Error::invalid("the collection", found, format!("one file of the split {split}")));
        }
        let queries = self.queries.pop().ok_or_else(|| missing("queries"))?;
        let Found { documents, qrels, .. } = self;
        Ok(Collection { folder: folder.to_path_buf(), documents, queries, qrels, passed_over })
    }
}

/// The documents of a collection, one at a time.
pub struct Documents(Records<Document>);

impl Iterator for Documents {
    type Item = Result<Document>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

/// The queries of a collection, one at a time.
pub struct Queries(Records<Query>);

impl Queries {
    /// Streams the queries of one file: one JSON object a line with `_id` and `text`.
    ///
    /// # Errors
    /// [`Error::Io`]; the iterator's items are [`Error::Invalid`] with the line that is wrong.
    pub fn open(path: &Path) -> Result<Queries> {
        Ok(Queries(record::json_lines(Lines::open(path)?, QUERY)))
    }
}

impl Iterator for Queries {
    type Item = Result<Query>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}
