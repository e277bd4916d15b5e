//! A query with its answers.

use std::collections::BTreeMap;

/// A query with its qrels.
#[derive(Debug, Clone, Default)]
pub(super) struct Topic {
    pub(super) text: String,
    /// Relevance by document id: 1 for every answer.
    pub(super) relevant: BTreeMap<String, i32>,
}

impl Topic {
    pub(super) fn new(text: &str, answers: impl IntoIterator<Item = String>) -> Topic {
        Topic { text: text.into(), relevant: answers.into_iter().map(|document| (document, 1)).collect() }
    }
}
