//! Runs: what a system returned for each query.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use super::lines::Lines;
use super::qrels::check_id;
use crate::error::{Error, Result};
use crate::storage::write_atomic;

/// The documents that a system returned for some queries, with their scores.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Run {
    queries: BTreeMap<String, Vec<(String, f32)>>,
}

impl Run {
    /// A run without queries.
    pub fn new() -> Run {
        Run::default()
    }

    /// Notes what was returned for a query, in any order. It is kept as trec_eval ranks it, whatever rank the system
    /// itself gave: by score, best first, and among equal scores by document id, *descending*.
    ///
    /// # Errors
    /// [`Error::Invalid`] when a document comes twice, or a score is not a finite number.
    pub fn insert(&mut self, query: impl Into<String>, mut documents: Vec<(String, f32)>) -> Result<()> {
        let mut seen = HashSet::new();
        for (document, score) in &documents {
            if !score.is_finite() || !seen.insert(document.as_str()) {
                let found = format!("{document} with score {score}");
                return Err(Error::invalid("the run", found, "each document once, with a finite number"));
            }
        }
        rank(&mut documents);
        self.queries.insert(query.into(), documents);
        Ok(())
    }

    /// What was returned for a query, best first.
    pub fn ranking(&self, query: &str) -> Option<&[(String, f32)]> {
        self.queries.get(query).map(Vec::as_slice)
    }

    /// The queries, sorted, with their rankings.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[(String, f32)])> {
        self.queries.iter().map(|(query, documents)| (query.as_str(), documents.as_slice()))
    }

    /// Leaves out every document whose id is its query's, as BEIR does: there some queries are documents of the corpus
    /// (ArguAna, Quora). Says how many there were.
    pub fn remove_own_ids(&mut self) -> usize {
        let mut removed = 0;
        for (query, documents) in &mut self.queries {
            let before = documents.len();
            documents.retain(|(document, _)| document != query);
            removed += before - documents.len();
        }
        removed
    }

    /// The number of queries.
    pub fn len(&self) -> usize {
        self.queries.len()
    }

    /// Whether there is no query.
    pub fn is_empty(&self) -> bool {
        self.queries.is_empty()
    }

    /// Reads TREC's form, `query Q0 document rank score tag`. The rank in the file is ignored, as trec_eval does.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Invalid`] with the line that is wrong.
    pub fn read_trec(path: &Path) -> Result<Run> {
        const EXPECTED: &str =
            "query Q0 document rank score tag, each document once a query with a finite score";
        let mut queries: BTreeMap<String, Vec<(String, f32)>> = BTreeMap::new();
        let mut seen = HashSet::new();
        let mut lines = Lines::open(path)?;
        while let Some(line) = lines.next() {
            let (number, line) = line?;
            let fields: Vec<&str> = line.split_ascii_whitespace().collect();
            let [query, _, document, _, score, _] = fields[..] else {
                return Err(lines.wrong(number, format!("{line:?}"), EXPECTED));
            };
            let score = score.parse::<f32>().ok().filter(|score| score.is_finite());
            let Some(score) = score.filter(|_| seen.insert((query.to_string(), document.to_string()))) else {
                return Err(lines.wrong(number, format!("{line:?}"), EXPECTED));
            };
            queries.entry(query.to_string()).or_default().push((document.to_string(), score));
        }
        queries.values_mut().for_each(|documents| rank(documents));
        Ok(Run { queries })
    }

    /// Whether all of these ids of queries or documents can stand in TREC's form.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the first that is empty or holds white space.
    pub fn check_ids<'a>(ids: impl IntoIterator<Item = &'a str>) -> Result<()> {
        ids.into_iter().try_for_each(|id| check_id(id, char::is_whitespace))
    }

    /// Writes TREC's form; `tag` names the system. A query without documents leaves no trace, as the form has none.
    ///
    /// # Errors
    /// [`Error::Invalid`] when an id or the tag holds white space, [`Error::Io`].
    pub fn write_trec(&self, path: &Path, tag: &str) -> Result<()> {
        check_id(tag, char::is_whitespace)?;
        let mut text = String::new();
        for (query, documents) in self.iter() {
            check_id(query, char::is_whitespace)?;
            for (index, (document, score)) in documents.iter().enumerate() {
                check_id(document, char::is_whitespace)?;
                text.push_str(&format!("{query} Q0 {document} {} {score} {tag}\n", index + 1));
            }
        }
        write_atomic(path, text.as_bytes())
    }
}

fn rank(documents: &mut [(String, f32)]) {
    // `+ 0.0` makes one score of −0 and 0.
    documents.sort_by(|a, b| (b.1 + 0.0).total_cmp(&(a.1 + 0.0)).then_with(|| b.0.cmp(&a.0)));
}
