//! Splits: the judged queries of a collection with their judgements.

use std::collections::BTreeSet;
use std::path::Path;

use super::collection::{Collection, Queries, Query};
use super::qrels::Qrels;
use crate::error::{Error, Result};

/// A split of a collection, such as `train` or `test`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Split {
    /// Its name.
    pub name: String,
    /// The judged queries, in file order; at least one. If an id repeats, the first query counts.
    pub queries: Vec<Query>,
    /// All judgements, including those of queries that are not in `queries`.
    pub qrels: Qrels,
}

impl Split {
    /// Reads a split, limited to its first `limit` queries if given.
    ///
    /// # Errors
    /// As [`Collection::qrels`] and [`Collection::queries`]; [`Error::Invalid`] if no query is left.
    pub fn read(collection: &Collection, name: &str, limit: Option<usize>) -> Result<Split> {
        let qrels = collection.qrels(name)?;
        let queries = judged(collection.queries()?, &qrels, limit)?;
        Split::of(name, &collection.name(), queries, qrels)
    }

    /// Reads a split from `queries.jsonl` and `qrels/NAME.tsv` in a folder, whatever its documents are.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Invalid`] with the invalid line, or if no query is judged.
    pub fn read_beir(folder: &Path, name: &str) -> Result<Split> {
        let qrels = Qrels::read_beir(&folder.join("qrels").join(format!("{name}.tsv")))?;
        let queries = judged(Queries::open(&folder.join("queries.jsonl"))?, &qrels, None)?;
        Split::of(name, &folder.display().to_string(), queries, qrels)
    }

    fn of(name: &str, source: &str, queries: Vec<Query>, qrels: Qrels) -> Result<Split> {
        match queries.is_empty() {
            false => Ok(Split { name: name.into(), queries, qrels }),
            true => Err(Error::invalid(
                "the collection",
                format!("no judged query in {source}"),
                "queries and qrels that share query ids, and a limit of 1 or more",
            )),
        }
    }

    /// The judgements of [`queries`](Split::queries) only.
    pub fn judgements(&self) -> Qrels {
        self.judgements_of(&self.queries)
    }

    /// The judgements of these queries only.
    pub fn judgements_of(&self, queries: &[Query]) -> Qrels {
        let mut judged = Qrels::new();
        for Query { id, .. } in queries {
            for (document, &relevance) in self.qrels.judgements(id).into_iter().flatten() {
                judged.insert(id, document, relevance);
            }
        }
        judged
    }

    /// Whether a document answers a query.
    pub fn is_relevant(&self, query: &Query, document: &str) -> bool {
        self.qrels.get(&query.id, document).is_some_and(|relevance| relevance > 0)
    }

    /// The first document, by id, that answers a query.
    pub fn first_relevant(&self, query: &Query) -> Option<&str> {
        let judged = self.qrels.judgements(&query.id)?;
        judged.iter().find(|(_, relevance)| **relevance > 0).map(|(document, _)| document.as_str())
    }
}

/// The queries that have judgements, each id once.
fn judged(queries: Queries, qrels: &Qrels, limit: Option<usize>) -> Result<Vec<Query>> {
    let (mut judged, mut seen) = (Vec::new(), BTreeSet::new());
    for query in queries {
        let query = query?;
        if qrels.judgements(&query.id).is_some() && seen.insert(query.id.clone()) {
            judged.push(query);
        }
    }
    judged.truncate(limit.unwrap_or(usize::MAX));
    Ok(judged)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_split_has_each_judged_query_once() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("qrels")).unwrap();
        let queries =
            ["a", "b", "unjudged", "a"].map(|id| format!("{{\"_id\": \"{id}\", \"text\": \"t\"}}\n"));
        fs::write(folder.path().join("queries.jsonl"), queries.concat()).unwrap();
        let qrels = "query-id\tcorpus-id\tscore\nb\ty\t0\nb\tz\t1\na\tx\t1\n";
        fs::write(folder.path().join("qrels/test.tsv"), qrels).unwrap();
        fs::write(folder.path().join("corpus.jsonl"), "{\"_id\": \"x\", \"text\": \"t\"}\n").unwrap();
        let split = Split::read_beir(folder.path(), "test").unwrap();
        assert_eq!(split.queries.iter().map(|query| query.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!((split.first_relevant(&split.queries[1]), split.judgements().len()), (Some("z"), 2));
        assert!(!split.is_relevant(&split.queries[1], "y"));
        let collection = Collection::open(folder.path()).unwrap();
        assert_eq!(Split::read(&collection, "test", Some(1)).unwrap().judgements().len(), 1);
        assert!(Split::read(&collection, "test", Some(0)).is_err());
    }
}
