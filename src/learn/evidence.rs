//! What the log gives a round to learn from.

use serde::{Deserialize, Serialize};

use super::queries::Forgotten;

/// What the log gives a round to learn from. Held-out queries don't count here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LogEvidence {
    /// Judged queries to train on.
    pub queries: usize,
    /// The answers to these queries, by how they are known.
    pub answers: AnswerCounts,
    /// Documents that users passed over for others, strongest evidence first; at most 10. Forgotten ones are missing.
    pub confusables: Vec<ConfusedPair>,
}

/// Answers by the strongest verdict on them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AnswerCounts {
    /// Chosen among the hits.
    pub chosen: usize,
    /// Judged relevant.
    pub relevant: usize,
    /// Opened last.
    pub opened: usize,
    /// Answers to the same needs in other words.
    #[serde(default)]
    pub in_other_words: usize,
}

impl AnswerCounts {
    /// The number of pairs of a query and an answer.
    pub fn total(&self) -> usize {
        self.chosen + self.relevant + self.opened + self.in_other_words
    }
}

/// A document that stood above the answer, or was judged not relevant, over all queries that have this answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConfusedPair {
    /// The id of the document that was passed over.
    pub document: String,
    /// The id of the answer.
    pub answer: String,
    /// Answers to queries in which the document was passed over.
    pub passed_over: u32,
    /// Answers to queries that showed the document and in which something was picked.
    pub shown: u32,
    /// Whether a user judged the document not relevant.
    pub judged_not_relevant: bool,
    /// The number of queries.
    pub queries: usize,
    /// The query with the strongest evidence.
    pub query: String,
}

impl LogEvidence {
    /// Removes the pairs that name what is forgotten. The counts stay.
    pub(super) fn forget(&mut self, what: &Forgotten) {
        self.confusables.retain(|pair| !what.is_named_in(&pair.query, [&pair.document, &pair.answer]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_forgotten_is_named_no_more() {
        let left = |what: Forgotten| {
            let pair = |document: &str, answer: &str, query: &str| ConfusedPair {
                document: document.into(),
                answer: answer.into(),
                query: query.into(),
                ..ConfusedPair::default()
            };
            let confusables = vec![pair("a", "b", "Fog  horn"), pair("c", "a", "lamp")];
            let mut evidence = LogEvidence { queries: 2, confusables, ..LogEvidence::default() };
            evidence.forget(&what);
            (evidence.queries, evidence.confusables.len())
        };
        assert_eq!(left(Forgotten::Query("fog horn".into())), (2, 1));
        assert_eq!(left(Forgotten::Document("a".into())), (2, 0));
        assert_eq!(left(Forgotten::Document("b".into())), (2, 1));
        assert_eq!(left(Forgotten::Document("d".into())), (2, 2));
        assert_eq!(left(Forgotten::Everything), (2, 0));
    }
}
