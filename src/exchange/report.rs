//! What became of an export or import.

use std::collections::BTreeMap;

use serde::Serialize;

/// Ids of documents that a report names.
pub(crate) const EXAMPLES: usize = 5;

/// What was exported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ExportReport {
    /// Answered queries.
    pub queries: usize,
    /// Judgements of their answers.
    pub judgements: usize,
    /// Judgements that were left out, as the log does not have their query.
    pub judgements_without_query: usize,
}

/// What was imported, and what was not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ImportReport {
    /// Queries that were new.
    pub queries: usize,
    /// Judgements that were new.
    pub judgements: usize,
    /// Queries that were left as they are: the log has their ids, or an earlier line of the files has.
    pub known_queries: usize,
    /// Judgements that the log has already.
    pub known_judgements: usize,
    /// Records on a cluster that were passed over, as they can't be read. In a file such a line is an error.
    pub unreadable: usize,
    /// Queries that were passed over, as they have no text.
    pub queries_without_text: usize,
    /// Events that were passed over, as neither the files nor the log have their query.
    pub events_without_query: usize,
    /// Events that were passed over, as they name no document.
    pub events_without_document: usize,
    /// Events that were passed over, as their action says nothing about a document: how many by action. See
    /// [`ImportOptions::with_action`](super::ImportOptions::with_action).
    pub other_actions: BTreeMap<String, usize>,
    /// Documents that were named by what is new.
    pub documents: usize,
    /// How many of these are not in the index. They teach nothing until they are.
    pub missing_documents: usize,
    /// Ids of a few of those.
    pub missing_examples: Vec<String>,
}

impl ImportReport {
    /// Adds the report of another part of the same import, which counts no document that this one does.
    #[cfg(feature = "opensearch")]
    pub(crate) fn add(&mut self, part: ImportReport) {
        self.documents += part.documents;
        self.missing_documents += part.missing_documents;
        self.missing_examples.extend(part.missing_examples);
        self.missing_examples.truncate(EXAMPLES);
        self.queries += part.queries;
        self.judgements += part.judgements;
        self.known_queries += part.known_queries;
        self.known_judgements += part.known_judgements;
        self.unreadable += part.unreadable;
        self.queries_without_text += part.queries_without_text;
        self.events_without_query += part.events_without_query;
        self.events_without_document += part.events_without_document;
        for (action, count) in part.other_actions {
            *self.other_actions.entry(action).or_default() += count;
        }
    }
}
