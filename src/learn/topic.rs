//! A query with its answers.

use std::collections::BTreeMap;

/// A query with its qrels.
#[derive(Debug, Clone)]
pub(super) struct Topic {
    pub(super) text: String,
    /// Relevance by document id: 1 for every answer.
    pub(super) relevant: BTreeMap<String, i32>,
    /// How much the query counts where position bias is to be undone: 1 if its answer was picked at the first place or
    /// judged, more further down, less if only opened.
    pub(super) weight: f64,
}

impl Topic {
    pub(super) fn new(text: &str, answers: impl IntoIterator<Item = String>) -> Topic {
        let relevant = answers.into_iter().map(|document| (document, 1)).collect();
        Topic { text: text.into(), relevant, weight: 1.0 }
    }
}
