//! The current passages of logged documents.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use super::subjects::Subjects;
use crate::error::Result;
use crate::ids::{ChunkId, Digest};
use crate::learn::counts::Counts;
use crate::lexical::ChunkRecord;
use crate::negatives::{Confusion, JudgedQuery, PassedOver, ShownRef};
use crate::search::Snapshot;

/// Looks up the passages of judged documents.
pub(super) struct Passages<'a> {
    snapshot: &'a Snapshot,
    digests: RefCell<HashMap<String, BTreeSet<[u8; 32]>>>,
    subjects: Subjects,
}

impl<'a> Passages<'a> {
    pub(super) fn new(snapshot: &'a Snapshot) -> Self {
        Passages { snapshot, digests: RefCell::default(), subjects: Subjects::default() }
    }

    /// Whether two documents have the same chunks. Then the second would be a false negative.
    pub(super) fn same_content(&self, a: &str, b: &str) -> Result<bool> {
        let (a, b) = (self.content(a)?, self.content(b)?);
        Ok(!a.is_empty() && a == b)
    }

    /// Whether a document is still in the index.
    pub(super) fn is_there(&self, document: &str) -> Result<bool> {
        Ok(!self.content(document)?.is_empty())
    }

    fn content(&self, document: &str) -> Result<BTreeSet<[u8; 32]>> {
        if let Some(found) = self.digests.borrow().get(document) {
            return Ok(found.clone());
        }
        let chunks = self.snapshot.lexical.chunks_of(document)?;
        let content: BTreeSet<[u8; 32]> =
            chunks.iter().map(|chunk| Digest::of(chunk.body.as_bytes()).0).collect();
        self.digests.borrow_mut().insert(document.to_string(), content.clone());
        Ok(content)
    }

    /// The passages of those documents that still exist.
    pub(super) fn of_all(&self, shown: &[ShownRef], query: &str) -> Result<Vec<ChunkRecord>> {
        let mut passages = Vec::with_capacity(shown.len());
        for shown in shown {
            passages.extend(self.of(shown, query)?);
        }
        Ok(passages)
    }

    /// The passage that represents a document: the chunk that was shown if it still exists, else the one nearest to the
    /// query. `None` if the document is gone.
    fn of(&self, shown: &ShownRef, query: &str) -> Result<Option<ChunkRecord>> {
        if let Some(chunk) = shown.chunk
            && let Some(record) = self.snapshot.lexical.get(chunk)?
            && record.document == shown.document
        {
            return Ok(Some(record));
        }
        let mut chunks = self.snapshot.lexical.chunks_of(&shown.document)?;
        if chunks.len() <= 1 {
            return Ok(chunks.pop());
        }
        let vector = self.snapshot.pinned.generation.encode_query(query)?;
        let ids: Vec<ChunkId> = chunks.iter().map(|chunk| chunk.chunk).collect();
        let scores = self.snapshot.pinned.dense.score(&vector, &ids)?;
        let best = chunks.into_iter().zip(scores).max_by(|a, b| {
            let score = |one: &Option<f32>| one.unwrap_or(f32::NEG_INFINITY);
            // The earlier chunk wins a tie.
            score(&a.1).total_cmp(&score(&b.1)).then(b.0.ordinal.cmp(&a.0.ordinal))
        });
        Ok(best.map(|(chunk, _)| chunk))
    }

    /// The judged query whose answers are these passages.
    pub(super) fn judged(
        &self,
        confusion: &Confusion,
        answers: Vec<ChunkRecord>,
        counts: &mut Counts,
    ) -> Result<JudgedQuery> {
        let pinned = &self.snapshot.pinned;
        let vector = pinned.generation.encode_query(&confusion.query)?;
        let ids: Vec<ChunkId> = answers.iter().map(|answer| answer.chunk).collect();
        let scores = pinned.dense.score(&vector, &ids)?;
        let mut scored: Vec<(ChunkRecord, f32)> = Vec::with_capacity(answers.len());
        for (answer, score) in answers.into_iter().zip(scores) {
            let score = match score {
                Some(score) => score,
                // It has no vector yet.
                None => {
                    let own = pinned.generation.encoder()?.encode(&[answer.encoder_text()])?.concat();
                    own.iter().zip(vector.iter()).map(|(a, b)| a * b).sum()
                }
            };
            scored.push((answer, score));
        }
        scored.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.chunk.cmp(&b.0.chunk)));
        let farthest = scored.iter().map(|(_, score)| *score).fold(1.0, f32::min);
        let positives: Vec<ChunkRecord> = scored.into_iter().map(|(answer, _)| answer).collect();
        let disputed = self.of_all(&confusion.disputed, &confusion.query)?;
        let mut subjects = BTreeSet::new();
        for answer in positives.iter().chain(&disputed) {
            if self.subjects.has(answer, self.snapshot)? {
                subjects.insert(answer.title.clone());
            }
        }
        let passed_over = self.passed_over(confusion, &positives, &subjects, counts)?;
        Ok(JudgedQuery {
            text: confusion.query.clone(),
            vector,
            positives,
            weight: confusion.weight as f32,
            farthest,
            disputed,
            subjects,
            passed_over,
        })
    }

    /// The passages that were confused with an answer, strongest evidence first. Left out is what training would push
    /// away from a query that it answers: a copy of an answer's body under another title, and what is on the
    /// subject of an answer, unless somebody judged it not relevant.
    fn passed_over(
        &self,
        confusion: &Confusion,
        positives: &[ChunkRecord],
        subjects: &BTreeSet<String>,
        counts: &mut Counts,
    ) -> Result<Vec<PassedOver>> {
        let mut passages = Vec::<PassedOver>::new();
        for confusable in &confusion.confusables {
            let shown = ShownRef { document: confusable.document.clone(), chunk: confusable.chunk };
            let Some(passage) = self.of(&shown, &confusion.query)? else { continue };
            let same = |other: &ChunkRecord| passage.encoder_text() == other.encoder_text();
            let copied = |other: &ChunkRecord| !passage.body.is_empty() && passage.body == other.body;
            if positives.iter().any(|positive| same(positive) || copied(positive)) {
                counts.add("dropped_duplicate_of_positive", 1);
            } else if !confusable.judged_not_relevant && subjects.contains(&passage.title) {
                counts.add("dropped_title_of_positive", 1);
            } else if !passages.iter().any(|other| same(&other.passage)) {
                let judged_not_relevant = confusable.judged_not_relevant;
                passages.push(PassedOver { passage, judged_not_relevant });
            }
        }
        Ok(passages)
    }
}
