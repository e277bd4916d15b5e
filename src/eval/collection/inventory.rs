//! Counts the records of a collection and its defects.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::folder::Collection;
use crate::error::{Error, Result};
use crate::eval::Qrels;

/// Counts of a collection. Making it reads every line once, so that an invalid line is found before the collection is
/// used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Inventory {
    /// Documents with distinct ids.
    pub documents: usize,
    /// Documents that repeat an id. The last document with an id counts.
    pub duplicate_documents: usize,
    /// Documents with neither title nor text. They can't be found.
    pub empty_documents: usize,
    /// Judged queries that the collection has.
    pub queries: usize,
    /// Judged queries without text. They count, but their results mean nothing.
    pub empty_queries: usize,
    /// Queries that repeat an id. The first query with an id counts.
    pub duplicate_queries: usize,
    /// Judged queries that the collection does not have. They are left out.
    pub unknown_queries: usize,
    /// Names of files that are not part of the collection and were not read.
    pub passed_over: Vec<String>,
    /// Judgements of documents that the collection does not have. Relevant ones count as not found.
    pub unknown_documents: usize,
    /// Bytes of all titles and texts.
    #[serde(skip)]
    text_bytes: u64,
    /// The position of the last document with each id.
    #[serde(skip)]
    last: BTreeMap<String, usize>,
}

impl Inventory {
    /// Reads all of `collection` and compares it with the judgements of a split.
    ///
    /// # Errors
    /// As [`Collection::documents`] and [`Collection::queries`], for any line; [`Error::Invalid`] if there are no
    /// documents.
    pub fn of(collection: &Collection, qrels: &Qrels) -> Result<Inventory> {
        let mut inventory = Inventory { passed_over: collection.passed_over.clone(), ..Inventory::default() };
        for (place, document) in collection.documents()?.enumerate() {
            let document = document?;
            let empty = document.title.trim().is_empty() && document.text.trim().is_empty();
            inventory.empty_documents += usize::from(empty);
            inventory.text_bytes += document.bytes();
            inventory.duplicate_documents += usize::from(inventory.last.insert(document.id, place).is_some());
        }
        inventory.documents = inventory.last.len();
        if inventory.documents == 0 {
            let found = format!("no document in {}", collection.folder.display());
            return Err(Error::invalid("the collection", found, "at least one document"));
        }
        let mut asked = BTreeSet::new();
        for query in collection.queries()? {
            let query = query?;
            let (judged, empty) = (qrels.judgements(&query.id).is_some(), query.text.trim().is_empty());
            let new = asked.insert(query.id);
            inventory.queries += usize::from(judged && new);
            inventory.empty_queries += usize::from(judged && new && empty);
            inventory.duplicate_queries += usize::from(!new);
        }
        for (query, judgements) in qrels.iter() {
            inventory.unknown_queries += usize::from(!asked.contains(query));
            let unknown = judgements.keys().filter(|document| !inventory.holds(document));
            inventory.unknown_documents += unknown.count();
        }
        Ok(inventory)
    }

    /// Whether the collection has a document with this id.
    pub fn holds(&self, document: &str) -> bool {
        self.last.contains_key(document)
    }

    /// Whether a document is the last one with its id, which is the one that counts. `place` is its position in
    /// [`Collection::documents`], from 0.
    pub fn counts(&self, place: usize, document: &str) -> bool {
        self.last.get(document) == Some(&place)
    }

    /// Bytes of all titles and texts, duplicates included: how long encoding takes depends on them.
    pub fn text_bytes(&self) -> u64 {
        self.text_bytes
    }

    /// The ids of the documents, ascending.
    pub fn document_ids(&self) -> impl Iterator<Item = &str> {
        self.last.keys().map(String::as_str)
    }

    /// Possible defects of the collection, each with its count.
    pub fn odd(&self) -> [(&'static str, usize); 7] {
        [
            ("files that are not documents, queries or judgements: not read", self.passed_over.len()),
            ("documents that repeat an id: the last one counts", self.duplicate_documents),
            ("documents without title and text: they can't be found", self.empty_documents),
            ("judged queries without text: their results mean nothing", self.empty_queries),
            ("queries that repeat an id: the first one counts", self.duplicate_queries),
            ("judged queries that are not in the collection: left out", self.unknown_queries),
            ("judgements of documents that are not in the collection", self.unknown_documents),
        ]
    }
}
