//! What a collection holds, and what is odd about it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Collection;
use crate::error::{Error, Result};
use crate::eval::Qrels;

/// Counts of a collection. Making it reads every line once, so that a collection with a wrong line is refused
/// before anything is done with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Inventory {
    /// Documents by distinct id.
    pub documents: usize,
    /// Documents whose id came before; the last of an id counts.
    pub duplicate_documents: usize,
    /// Documents with neither title nor text: they can't be found, and count as not found.
    pub empty_documents: usize,
    /// Judged queries that the collection has.
    pub queries: usize,
    /// Those of them without text: what one finds says nothing, and it counts all the same.
    pub empty_queries: usize,
    /// Queries whose id came before; the first of an id counts.
    pub duplicate_queries: usize,
    /// Queries that the judgements name and the collection lacks: they can't be asked, and are left out.
    pub unknown_queries: usize,
    /// The names of files that hold none of a collection's parts, as far as could be told, and were not read.
    pub passed_over: Vec<String>,
    /// Judgements of documents that the collection lacks: one that is relevant counts as not found.
    pub unknown_documents: usize,
    /// The place of the last document of each id in the order of the files.
    #[serde(skip)]
    last: BTreeMap<String, usize>,
}

impl Inventory {
    /// Reads `collection` through, against judgements of a split of it.
    ///
    /// # Errors
    /// As [`Collection::documents`] and [`Collection::queries`], of any line; [`Error::Invalid`] when there is no document.
    pub fn of(collection: &Collection, qrels: &Qrels) -> Result<Inventory> {
        let mut inventory = Inventory { passed_over: collection.passed_over.clone(), ..Inventory::default() };
        for (place, document) in collection.documents()?.enumerate() {
            let document = document?;
            let empty = document.title.trim().is_empty() && document.text.trim().is_empty();
            inventory.empty_documents += usize::from(empty);
            inventory.duplicate_documents += usize::from(inventory.last.insert(document.id, place).is_some());
        }
        inventory.documents = inventory.last.len();
        if inventory.documents == 0 {
            let found = format!("no document in {}", collection.folder.display());
            return Err(Error::invalid("the collection", found, "one at least"));
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

    /// Whether the collection has a document of this id.
    pub fn holds(&self, document: &str) -> bool {
        self.last.contains_key(document)
    }

    /// Whether the document of this id that is at this place of [`Collection::documents`], counted from 0, is the last of its id: the one
    /// that counts.
    pub fn counts(&self, place: usize, document: &str) -> bool {
        self.last.get(document) == Some(&place)
    }

    /// The ids of its documents, ascending.
    pub fn document_ids(&self) -> impl Iterator<Item = &str> {
        self.last.keys().map(String::as_str)
    }

    /// What may be odd about it, and how often it is.
    pub fn odd(&self) -> [(&'static str, usize); 7] {
        [
            ("files that are no documents, queries or judgements: not read", self.passed_over.len()),
            ("documents with an id that came before: the last one counts", self.duplicate_documents),
            ("documents without title and text: they can't be found", self.empty_documents),
            ("judged queries without text: what they find says nothing", self.empty_queries),
            ("queries with an id that came before: the first one counts", self.duplicate_queries),
            ("judged queries that the collection lacks: left out", self.unknown_queries),
            ("judgements of documents that the collection lacks", self.unknown_documents),
        ]
    }
}
