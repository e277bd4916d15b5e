//! What became of an export or import.

use std::collections::BTreeMap;

use serde::Serialize;

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
