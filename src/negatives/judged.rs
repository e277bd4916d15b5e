//! Judged queries with the passages of their judged documents.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::lexical::ChunkRecord;

/// A judged query, and the passages of the documents judged for it.
#[derive(Debug, Clone)]
pub(crate) struct JudgedQuery {
    /// The query as it was asked last.
    pub(crate) text: String,
    /// Its vector from the serving encoder, of length 1.
    pub(crate) vector: Arc<[f32]>,
    /// The passages that answer it, one per document, nearest first; at least one.
    pub(crate) positives: Vec<ChunkRecord>,
    /// How much its rows count in the loss, up to 1: less if its answers were only opened.
    pub(crate) weight: f32,
    /// The lowest cosine of a positive.
    pub(crate) farthest: f32,
    /// Passages of documents that may answer: somebody judged them relevant and a majority did not, or too few needs
    /// ended with them. Neither positives nor negatives.
    pub(crate) disputed: Vec<ChunkRecord>,
    /// The titles of all these that say what a few passages are about: messages of a thread, several answers to one
    /// question.
    pub(crate) subjects: BTreeSet<String>,
    /// Passages that were confused with an answer, strongest evidence first.
    pub(crate) passed_over: Vec<PassedOver>,
}

/// A passage that was confused with an answer.
#[derive(Debug, Clone)]
pub(crate) struct PassedOver {
    pub(crate) passage: ChunkRecord,
    /// Whether a user said that it does not answer the query.
    pub(crate) judged_not_relevant: bool,
}

impl JudgedQuery {
    fn answers(&self) -> impl Iterator<Item = &ChunkRecord> {
        self.positives.iter().chain(&self.disputed)
    }

    /// Whether a passage is part of a document that was judged an answer, or a copy of such a passage.
    pub(super) fn is_answered_by(&self, candidate: &ChunkRecord) -> bool {
        self.answers().any(|answer| {
            candidate.document == answer.document
                || (!candidate.body.is_empty() && candidate.body == answer.body)
                || candidate.encoder_text() == answer.encoder_text()
        })
    }

    /// Whether a passage is an answer, or on the subject of one. Users who need one of them open one and pass over the
    /// others.
    pub(super) fn may_be_answered_by(&self, candidate: &ChunkRecord) -> bool {
        self.is_answered_by(candidate) || self.subjects.contains(&candidate.title)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::negatives) fn record(document: &str, body: &str) -> ChunkRecord {
        ChunkRecord { document: document.into(), ..ChunkRecord::sample(1, "", body) }
    }

    pub(in crate::negatives) fn query(positives: &[ChunkRecord], disputed: &[ChunkRecord]) -> JudgedQuery {
        JudgedQuery {
            text: "q".into(),
            vector: Arc::from([]),
            positives: positives.to_vec(),
            weight: 1.0,
            farthest: 1.0,
            disputed: disputed.to_vec(),
            subjects: BTreeSet::new(),
            passed_over: Vec::new(),
        }
    }

    #[test]
    fn the_rest_of_a_document_that_answers_is_an_answer_and_so_is_a_copy_of_its_passage() {
        let positives = [record("p", "positive"), record("empty", "")];
        let query = query(&positives, &[record("d", "disputed")]);
        assert!(query.is_answered_by(&record("p", "another chapter")));
        assert!(query.is_answered_by(&record("d", "its second page")));
        assert!(query.is_answered_by(&ChunkRecord { title: "T".into(), ..record("other", "positive") }));
        assert!(!query.is_answered_by(&record("other", "negative")));
        // Passages without a body are not copies of each other: their titles tell them apart.
        assert!(!query.is_answered_by(&ChunkRecord { title: "T".into(), ..record("other", "") }));
    }

    #[test]
    fn what_is_on_the_subject_of_an_answer_may_be_one() {
        let titled = |title: &str, body| ChunkRecord { title: title.into(), ..record(body, body) };
        let mut query =
            query(&[titled("Re: boiler noise", "first"), titled("The house's pages", "second")], &[]);
        query.subjects = BTreeSet::from(["Re: boiler noise".to_owned()]);
        let found = [titled("Re: boiler noise", "third"), titled("The house's pages", "fourth")];
        assert_eq!(found.each_ref().map(|one| query.may_be_answered_by(one)), [true, false]);
        assert!(found.iter().all(|one| !query.is_answered_by(one)));
    }
}
