//! Runs: the ranked output of a system.

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

    /// Adds the documents returned for a query, in any order. They are ranked as in trec_eval: by score, best first,
    /// ties by document id, *descending*.
    ///
    /// # Errors
    /// [`Error::Invalid`] if a document comes twice, or a score is not finite.
    pub fn insert(&mut self, query: impl Into<String>, mut documents: Vec<(String, f32)>) -> Result<()> {
        let mut seen = HashSet::new();
        for (document, score) in &documents {
            if !score.is_finite() || !seen.insert(document.as_str()) {
                let found = format!("{document} with score {score}");
                return Err(Error::invalid("the run", found, "each document once, with a finite score"));
            }
        }
        rank(&mut documents);
        self.queries.insert(query.into(), documents);
        Ok(())
    }

    /// The documents returned for a query, best first.
    pub fn ranking(&self, query: &str) -> Option<&[(String, f32)]> {
        self.queries.get(query).map(Vec::as_slice)
    }

    /// The queries, sorted, with their rankings.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[(String, f32)])> {
        self.queries.iter().map(|(query, documents)| (query.as_str(), documents.as_slice()))
    }

    /// Removes documents with the same id as their query, as BEIR does: in ArguAna and Quora some queries are documents
    /// of the corpus. Returns the number of removed documents.
    pub fn remove_own_ids(&mut self) -> usize {
        let mut removed = 0;
        for (query, documents) in &mut self.queries {
            let before = documents.len();
            documents.retain(|(document, _)| document != query);
            removed += before - documents.len();
        }
        removed
    }

    /// Removes documents that do not count for a query, such as BRIGHT's excluded ones. Returns how many.
    pub fn remove(&mut self, query: &str, documents: &[String]) -> usize {
        let Some(ranking) = self.queries.get_mut(query) else { return 0 };
        let before = ranking.len();
        ranking.retain(|(document, _)| !documents.contains(document));
        before - ranking.len()
    }

    /// The number of queries.
    pub fn len(&self) -> usize {
        self.queries.len()
    }

    /// Whether there are no queries.
    pub fn is_empty(&self) -> bool {
        self.queries.is_empty()
    }

    /// Reads TREC's format, `query Q0 document rank score tag`. Ignores the rank in the file, as trec_eval does.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Invalid`] with the line that is invalid.
    pub fn read_trec(path: &Path) -> Result<Run> {
        const EXPECTED: &str =
            "query Q0 document rank score tag, each document once per query with a finite score";
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

    /// Checks that these ids of queries or documents can be written in TREC's format.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the first id that is empty or contains white space.
    pub fn check_ids<'a>(ids: impl IntoIterator<Item = &'a str>) -> Result<()> {
        ids.into_iter().try_for_each(|id| check_id(id, char::is_whitespace))
    }

    /// Writes TREC's format. `tag` names the system. The format can't represent queries without documents.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Invalid`] if an id or the tag contains white space.
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
    // `+ 0.0` makes −0 equal to 0.
    documents.sort_by(|a, b| (b.1 + 0.0).total_cmp(&(a.1 + 0.0)).then_with(|| b.0.cmp(&a.0)));
}
