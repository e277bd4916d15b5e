//! A collection's folder: finds its files and reads them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::classic;
use super::record::{Document, Query, Records, json_lines};
#[cfg(feature = "formats")]
use super::sgml;
use super::sniff::{Form, Kind, files, sniff, split_name};
use crate::error::{Error, Result};
use crate::eval::Qrels;
use crate::eval::lines::Lines;

/// Names of other files in an error message.
const MOST_NAMED: usize = 5;

/// A folder with documents, queries and judgements.
///
/// Files are recognised by their content, gzipped or not:
///
/// - BEIR's layout: `corpus.jsonl`, `queries.jsonl`, `qrels/SPLIT.tsv`. Other files are then ignored.
/// - JSON lines under other names: files with `quer` or `topic` in their name are queries, others are documents. A
///   document has `_id` (or `id`, `doc_id`, `docid`, `docno`), `text` (or `contents`, `content`, `body`) and `title`. A
///   query has `_id` (or `id`, `query_id`, `qid`), `text` (or `query`) and perhaps `excluded_ids`, as BRIGHT's have.
///   If a record has several of the names, the first counts.
/// - TREC: `<DOC>` with `<DOCNO>`, topics (`<top>`, whose title is the query), and qrels.
/// - SMART's classic collections, such as Cranfield: `.I`, `.T` and `.W`. All documents in their qrels are relevant,
///   whatever their code. Query ids are positions in the file if the qrels use positions.
#[derive(Debug, Clone)]
pub struct Collection {
    pub(super) folder: PathBuf,
    documents: Vec<(PathBuf, Form)>,
    queries: (PathBuf, Form),
    /// The files of judgements, each with the name of its split.
    qrels: Vec<(String, PathBuf)>,
    /// The names of other files.
    pub(super) passed_over: Vec<String>,
}

impl Collection {
    /// Opens the collection in `folder` and detects what its files are.
    ///
    /// # Errors
    /// [`Error::Io`]. [`Error::NotFound`] if documents, queries or judgements are missing. [`Error::Invalid`] if there
    /// are two files of queries or two of one split, or if a file's content does not match its name.
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

    /// Streams the documents, file by file.
    ///
    /// # Errors
    /// [`Error::Io`]. The iterator returns [`Error::Invalid`] for an invalid line.
    pub fn documents(&self) -> Result<Documents> {
        // Open all files first, so that one that can't be opened is reported at once.
        let mut all: Records<Document> = Box::new(std::iter::empty());
        for (path, form) in &self.documents {
            let lines = Lines::open(path)?;
            let next = match form {
                Form::Json => json_lines(lines, "one JSON object per line with _id, title and text"),
                #[cfg(feature = "formats")]
                Form::Sgml => sgml::documents(lines),
                #[cfg(not(feature = "formats"))]
                Form::Sgml => return Err(no_sgml(path)),
                Form::Classic => classic::documents(lines),
            };
            all = Box::new(all.chain(next));
        }
        Ok(Documents(all))
    }

    /// Streams the queries of all splits, in the order of the file.
    ///
    /// # Errors
    /// [`Error::Io`]. The iterator returns [`Error::Invalid`] for an invalid line.
    pub fn queries(&self) -> Result<Queries> {
        let (path, form) = &self.queries;
        let lines = Lines::open(path)?;
        Ok(Queries(match form {
            Form::Json => json_lines(lines, QUERY),
            #[cfg(feature = "formats")]
            Form::Sgml => sgml::queries(lines),
            #[cfg(not(feature = "formats"))]
            Form::Sgml => return Err(no_sgml(path)),
            Form::Classic => classic::queries(lines, self.are_numbered_by_place()?),
        }))
    }

    /// Whether the judgements use positions as query ids. In Cranfield they do: the queries' own numbers have gaps.
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
    /// [`Error::NotFound`] if there is no such split, [`Error::Invalid`] for an invalid line.
    pub fn qrels(&self, split: &str) -> Result<Qrels> {
        let Some((_, path)) = self.qrels.iter().find(|(known, _)| known == split) else {
            return Err(Error::NotFound {
                what: "split",
                id: format!("{split:?} in {}, which has {}", self.name(), self.splits().join(", ")),
                remedy: "name one of the collection's splits",
            });
        };
        match self.queries.1 {
            Form::Classic => Qrels::read_smart(path),
            _ => Qrels::read(path),
        }
    }
}

const QUERY: &str = "one JSON object per line with _id and text";

/// The files of documents and queries in BEIR's layout, if both exist.
fn beir(folder: &Path) -> Option<(PathBuf, PathBuf)> {
    let find = |name: &str| {
        let paths = [folder.join(name), folder.join(format!("{name}.gz"))];
        paths.into_iter().find(|path| path.is_file())
    };
    Some((find("corpus.jsonl")?, find("queries.jsonl")?))
}

/// The files found in a folder.
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
            false => {
                let named = passed_over.iter().take(MOST_NAMED).cloned().collect::<Vec<_>>().join(", ");
                let more = passed_over.len().saturating_sub(MOST_NAMED);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                format!(" (its other files: {named}{more})")
            }
        };
        let missing = |what: &str| Error::NotFound {
            what: "test collection",
            id: format!("in {}: it has no {what}{others}", folder.display()),
            remedy: "use a folder with documents, queries and judgements: BEIR's corpus.jsonl, queries.jsonl and \
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
    /// Streams the queries of one file with one JSON object per line, with `_id` and `text`.
    ///
    /// # Errors
    /// [`Error::Io`]. The iterator returns [`Error::Invalid`] for an invalid line.
    pub fn open(path: &Path) -> Result<Queries> {
        Ok(Queries(json_lines(Lines::open(path)?, QUERY)))
    }
}

impl Iterator for Queries {
    type Item = Result<Query>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

#[cfg(not(feature = "formats"))]
fn no_sgml(path: &Path) -> Error {
    let found = format!("TREC's SGML in {}", path.display());
    Error::invalid(
        "the collection",
        found,
        "JSON lines; a build with the feature `formats` reads TREC's form too",
    )
}
