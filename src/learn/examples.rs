//! From the feedback log to training rows and held-out queries.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::options::LearnOptions;
use crate::error::Result;
use crate::feedback::Replay;
use crate::ids::{ChunkId, Digest};
use crate::lexical::{ChunkRecord, LexicalSnapshot};
use crate::negatives::{Confusion, ShownRef, collect_confusables};
use crate::search::Snapshot;
use crate::train::Example;

/// A judged query with the documents that answer it.
#[derive(Debug, Clone)]
pub(super) struct JudgedQuery {
    pub(super) text: String,
    /// By document id, as qrels have it: 1 for every answer.
    pub(super) relevant: BTreeMap<String, i32>,
}

/// What a round learns from, and what it is judged by.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pub(super) examples: Vec<Example>,
    /// The queries behind `examples`.
    pub(super) trained: Vec<JudgedQuery>,
    pub(super) held_out: Vec<JudgedQuery>,
    pub(super) sources: BTreeMap<String, u64>,
}

/// Whether the query with this normalised text is held out: stable over rounds, machines and versions.
pub(super) fn is_held_out(normalised: &str, share: f32) -> bool {
    let digest = Digest::of(normalised.as_bytes()).0;
    let bucket = u32::from_le_bytes([digest[0], digest[1], digest[2], digest[3]]);
    f64::from(bucket) < f64::from(share) * (f64::from(u32::MAX) + 1.0)
}

/// Makes training rows and held-out queries of everything in the log that still exists in `snapshot`. `progress` is
/// told (queries done, queries to do) before each and may stop the work by failing.
pub(super) fn collect(
    replay: &Replay,
    snapshot: &Snapshot,
    options: &LearnOptions,
    progress: &mut dyn FnMut(usize, usize) -> Result<()>,
) -> Result<Collected> {
    let texts = Texts::new(&snapshot.lexical);
    let mut failure = None;
    let (confusions, counts) = collect_confusables(replay, &mut |positive, candidate| {
        texts.same_content(positive, candidate).unwrap_or_else(|error| {
            failure.get_or_insert(error);
            false
        })
    });
    if let Some(error) = failure {
        return Err(error);
    }
    let mut collected = Collected::default();
    counts.add_to(&mut collected.sources);
    let total = confusions.len();
    for (done, confusion) in confusions.into_iter().enumerate() {
        progress(done, total)?;
        let mut positives = Vec::new();
        for positive in &confusion.positives {
            positives
                .extend(texts.passage(positive, &confusion.query, snapshot)?.map(|chunk| (positive, chunk)));
        }
        if positives.is_empty() {
            *collected.sources.entry("dropped_positive_is_gone".into()).or_default() += 1;
            continue;
        }
        let judged = JudgedQuery {
            text: confusion.query.clone(),
            relevant: positives.iter().map(|(positive, _)| (positive.document.clone(), 1)).collect(),
        };
        if is_held_out(&confusion.normalised, options.held_out_share) {
            collected.held_out.push(judged);
            continue;
        }
        let (candidates, duplicates) = texts.negatives(&confusion, &positives, options, snapshot)?;
        if duplicates > 0 {
            *collected.sources.entry("dropped_duplicate_of_positive".into()).or_default() += duplicates;
        }
        let negatives: Vec<String> = candidates.iter().map(ChunkRecord::encoder_text).collect();
        *collected.sources.entry("queries".into()).or_default() += 1;
        *collected.sources.entry("confusables".into()).or_default() += negatives.len() as u64;
        for (_, positive) in positives {
            if negatives.is_empty() {
                *collected.sources.entry("pairs_without_negative".into()).or_default() += 1;
            }
            let (anchor, positive) = (confusion.query.clone(), positive.encoder_text());
            collected.examples.push(Example { anchor, positive, negatives: negatives.clone() });
        }
        collected.trained.push(judged);
    }
    Ok(collected)
}

/// Passages of logged documents, as they are now.
struct Texts<'a> {
    lexical: &'a LexicalSnapshot,
    digests: std::cell::RefCell<HashMap<String, BTreeSet<[u8; 32]>>>,
}

impl<'a> Texts<'a> {
    fn new(lexical: &'a LexicalSnapshot) -> Self {
        Texts { lexical, digests: Default::default() }
    }

    /// Whether two documents hold the same chunks: the second would be a false negative.
    fn same_content(&self, a: &str, b: &str) -> Result<bool> {
        let (a, b) = (self.content(a)?, self.content(b)?);
        Ok(!a.is_empty() && a == b)
    }

    fn content(&self, document: &str) -> Result<BTreeSet<[u8; 32]>> {
        if let Some(found) = self.digests.borrow().get(document) {
            return Ok(found.clone());
        }
        let chunks = self.lexical.chunks_of(document)?;
        let content: BTreeSet<[u8; 32]> =
            chunks.iter().map(|chunk| Digest::of(chunk.body.as_bytes()).0).collect();
        self.digests.borrow_mut().insert(document.to_string(), content.clone());
        Ok(content)
    }

    /// The passage that stands for a document: the chunk that was shown if it still exists, else the one nearest to the
    /// query. `None` when the document is gone.
    fn passage(&self, shown: &ShownRef, query: &str, snapshot: &Snapshot) -> Result<Option<ChunkRecord>> {
        if let Some(record) =
            shown.chunk.map(|id| self.shown_chunk(id, &shown.document)).transpose()?.flatten()
        {
            return Ok(Some(record));
        }
        let mut chunks = self.lexical.chunks_of(&shown.document)?;
        if chunks.len() <= 1 {
            return Ok(chunks.pop());
        }
        let vector = snapshot.pinned.generation.encode_query(query)?;
        let ids: Vec<ChunkId> = chunks.iter().map(|chunk| chunk.chunk).collect();
        let scores = snapshot.pinned.dense.score(&vector, &ids)?;
        let best = chunks.into_iter().zip(scores).max_by(|a, b| {
            let score = |one: &Option<f32>| one.unwrap_or(f32::NEG_INFINITY);
            // The earlier chunk wins a tie.
            score(&a.1).total_cmp(&score(&b.1)).then(b.0.ordinal.cmp(&a.0.ordinal))
        });
        Ok(best.map(|(chunk, _)| chunk))
    }

    fn shown_chunk(&self, id: ChunkId, document: &str) -> Result<Option<ChunkRecord>> {
        let record = self.lexical.get(id)?;
        Ok(record.filter(|record| record.document == document))
    }

    /// The passages that were confused with an answer, the strongest first, and how many were left out for being an
    /// answer's own: its body under another title would be trained away from the query that it answers.
    fn negatives(
        &self,
        confusion: &Confusion,
        positives: &[(&ShownRef, ChunkRecord)],
        options: &LearnOptions,
        snapshot: &Snapshot,
    ) -> Result<(Vec<ChunkRecord>, u64)> {
        let (mut negatives, mut duplicates) = (Vec::<ChunkRecord>::new(), 0);
        for confusable in &confusion.confusables {
            if negatives.len() == options.negatives_per_query {
                break;
            }
            let shown = ShownRef { document: confusable.document.clone(), chunk: confusable.chunk };
            let Some(chunk) = self.passage(&shown, &confusion.query, snapshot)? else { continue };
            let same = |other: &ChunkRecord| chunk.encoder_text() == other.encoder_text();
            let copied = |other: &ChunkRecord| !chunk.body.is_empty() && chunk.body == other.body;
            if positives.iter().any(|(_, positive)| same(positive) || copied(positive)) {
                duplicates += 1;
            } else if !negatives.iter().any(same) {
                negatives.push(chunk);
            }
        }
        Ok((negatives, duplicates))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_held_out_share_is_met_and_never_moves() {
        let held_out = |share| (0..10_000).filter(|i| is_held_out(&format!("query {i}"), share)).count();
        assert!((1_850..2_150).contains(&held_out(0.2)), "{}", held_out(0.2));
        // Fixed by the hash, not by this build: a change would leak trained queries into the gate.
        let known: Vec<bool> = (0..8).map(|i| is_held_out(&format!("query {i}"), 0.5)).collect();
        assert_eq!(known, [false, true, false, true, true, false, true, false]);
    }

    proptest! {
        #[test]
        fn a_larger_share_only_adds(text in ".{0,40}", a in 0.0f32..1.0, b in 0.0f32..1.0) {
            let (low, high) = if a < b { (a, b) } else { (b, a) };
            prop_assert!(!is_held_out(&text, low) || is_held_out(&text, high));
        }
    }
}
