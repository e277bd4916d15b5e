//! A small part of the corpus, on which a trained encoder is judged before anything is reindexed, so that a bad round
//! costs little. It holds what the gate's queries find now, their answers, and a random sample of the rest, in which a
//! new encoder may find what the old one did not.

use std::collections::{BTreeSet, HashMap, HashSet};

use rand::SeedableRng;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;

use super::guard::Guarded;
use super::rank::Ranked;
use super::score::{DEPTH, ScoredQuery};
use crate::encoder::TrainableEncoder;
use crate::error::Result;
use crate::fusion::{Candidate, Fusion, Judged, fuse};
use crate::ids::ChunkId;
use crate::learn::progress::Tracker;
use crate::learn::report::LearnStage;
use crate::learn::topic::Topic;
use crate::lexical::Prepared;
use crate::search::{Fusible, Query, Snapshot, fusible};

/// Chunks of a pool, not counting answers. Queries find four fifths of them, the rest is random.
const CHUNKS: usize = 1000;
/// If the corpus has fewer chunks than this many pools, a pool costs nearly as much as reindexing.
const LARGER: usize = 4;
/// The same for a pool that many held-out queries made larger.
const SPARED: usize = 2;
/// One chunk in this many is drawn at random.
const RANDOM: usize = 5;
/// The most chunks of an answer, nearest first: a book would fill the pool. If a new encoder prefers another chunk of
/// it, that counts against the encoder, not for it.
const OF_ANSWER: usize = 10;

/// The cosine of each chunk to a topic, which comes with its place; none where the chunk has no vector.
type Scorer<'a> = dyn FnMut(usize, &Topic) -> Result<Vec<Option<f32>>> + 'a;

/// Chunks with their documents and texts.
pub(super) struct Pool {
    ids: Vec<ChunkId>,
    documents: HashMap<ChunkId, String>,
    texts: Vec<String>,
}

impl Pool {
    /// Gathers the answers, the best chunks that the queries find, and random chunks, as far as they have vectors. For
    /// a held-out query it has at least as many documents as the gate looks at. `None` if a pool would save too little.
    pub(super) fn gather(
        snapshot: &Snapshot,
        held_out: &[Topic],
        guard: &Guarded<Topic>,
        seed: u64,
        tracker: &mut Tracker<'_>,
    ) -> Result<Option<Pool>> {
        let chunks = snapshot.lexical.chunk_count() as usize;
        if chunks < LARGER * CHUNKS {
            return Ok(None);
        }
        let mut answers: BTreeSet<ChunkId> = BTreeSet::new();
        let mut found: Vec<Vec<ChunkId>> = Vec::with_capacity(held_out.len());
        for topic in held_out.iter().chain(guard.iter()) {
            tracker.report(LearnStage::Gate, 0, 1)?;
            for document in topic.relevant.keys() {
                answers.extend(nearest(snapshot, document, topic)?);
            }
            let Fusible { candidates, ceiling } = fusible(snapshot, &Query::new(topic.text.as_str()))?;
            let fusion = &snapshot.pinned.generation.meta.fusion;
            found.push(fuse(fusion, ceiling, &candidates).into_iter().map(|hit| hit.id).collect());
        }
        let mut needed = Vec::with_capacity(found.len());
        for found in &found[..held_out.len()] {
            needed.push(chunks_of_first_documents(snapshot, found)?);
        }
        needed.resize(found.len(), 0);
        let mut chosen = best(&found, &needed, CHUNKS - CHUNKS / RANDOM);
        let live = snapshot.lexical.live_chunks();
        let drawn = CHUNKS.saturating_sub(chosen.len()).max(CHUNKS / RANDOM).min(live.len());
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        chosen.extend(sample(&mut random, live.len(), drawn).into_iter().map(|place| live[place]));
        chosen.append(&mut answers);
        let mut pool = Pool { ids: Vec::new(), documents: HashMap::new(), texts: Vec::new() };
        // A new encoder would have vectors for all of them, and win by that alone.
        let missing = snapshot.pinned.dense.missing();
        for id in chosen.into_iter().filter(|id| missing.binary_search(id).is_err()) {
            if let Some(record) = snapshot.lexical.get(id)? {
                pool.texts.push(record.encoder_text());
                pool.documents.insert(id, record.document);
                pool.ids.push(id);
            }
        }
        Ok(Some(pool).filter(|pool| chunks >= SPARED * pool.len()))
    }

    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Ranks every chunk for every topic by the serving encoder.
    pub(super) fn serving(
        &self,
        snapshot: &Snapshot,
        topics: &[Topic],
        tracker: &mut Tracker<'_>,
    ) -> Result<Ranked> {
        self.ranked(snapshot, topics, &mut |_, topic| {
            tracker.report(LearnStage::Gate, 0, 1)?;
            let vector = snapshot.pinned.generation.encode_query(&topic.text)?;
            snapshot.pinned.dense.score(&vector, &self.ids)
        })
    }

    /// Ranks every chunk for every topic by a trained encoder.
    pub(super) fn trained(
        &self,
        snapshot: &Snapshot,
        topics: &[Topic],
        encoder: &mut TrainableEncoder,
        tracker: &mut Tracker<'_>,
    ) -> Result<Ranked> {
        let mut going_on = || tracker.report(LearnStage::Gate, 0, 1);
        let texts: Vec<&str> = self.texts.iter().map(String::as_str).collect();
        let chunks = encoder.encode(&texts, &mut going_on)?;
        let texts: Vec<&str> = topics.iter().map(|topic| topic.text.as_str()).collect();
        let vectors = encoder.encode(&texts, &mut going_on)?;
        self.ranked(snapshot, topics, &mut |place, _| {
            let dot = |chunk: &Vec<f32>| chunk.iter().zip(&vectors[place]).map(|(x, y)| x * y).sum::<f32>();
            Ok(chunks.iter().map(|chunk| Some(dot(chunk))).collect())
        })
    }

    fn ranked(&self, snapshot: &Snapshot, topics: &[Topic], dense: &mut Scorer<'_>) -> Result<Ranked> {
        let mut queries = Vec::with_capacity(topics.len());
        for (place, topic) in topics.iter().enumerate() {
            let words = snapshot.lexical.prepare(&topic.text)?;
            let dense = dense(place, topic)?;
            let candidates = candidates(&self.ids, &words, dense)?;
            let relevant = topic.relevant.keys().cloned().collect();
            queries.push(Judged { candidates, relevant, ceiling: words.ceiling() });
        }
        Ok(Ranked { queries, documents: self.documents.clone() })
    }
}

/// The figures of a topic with the candidates of `query`.
pub(super) fn score_ranked(ranked: &Ranked, query: &Judged, topic: &Topic, fusion: Fusion) -> ScoredQuery {
    let documents = |fusion: &Fusion| -> Vec<&str> {
        let mut seen = HashSet::new();
        let hits = fuse(fusion, query.ceiling, &query.candidates);
        let documents = hits.iter().filter_map(|hit| ranked.documents.get(&hit.id));
        documents.filter(|document| seen.insert(*document)).take(DEPTH).map(String::as_str).collect()
    };
    let dense = documents(&Fusion::Convex { dense_weight: 1.0 });
    ScoredQuery::new(&documents(&fusion), &dense, topic)
}

fn candidates(ids: &[ChunkId], words: &Prepared<'_>, dense: Vec<Option<f32>>) -> Result<Vec<Candidate>> {
    let both = ids.iter().zip(words.score(ids)?.into_iter().zip(dense));
    Ok(both.map(|(&id, (lexical, dense))| Candidate { id, lexical, dense }).collect())
}

/// How many of the found chunks it takes to see as many documents as the gate looks at.
fn chunks_of_first_documents(snapshot: &Snapshot, found: &[ChunkId]) -> Result<usize> {
    let mut documents = HashSet::new();
    for (place, &id) in found.iter().enumerate() {
        documents.extend(snapshot.lexical.get(id)?.map(|record| record.document));
        if documents.len() == DEPTH {
            return Ok(place + 1);
        }
    }
    Ok(found.len())
}

/// The union of several queries' best chunks, rank by rank, until it has about `most`. Each query contributes at least
/// as many as it needs.
fn best(found: &[Vec<ChunkId>], needed: &[usize], most: usize) -> BTreeSet<ChunkId> {
    let mut chosen = BTreeSet::new();
    let deepest = found.iter().map(Vec::len).max().unwrap_or(0);
    for rank in 0..deepest {
        let full = chosen.len() >= most;
        let asked = found.iter().zip(needed).filter(|(_, needed)| !full || rank < **needed);
        chosen.extend(asked.filter_map(|(found, _)| found.get(rank)));
    }
    chosen
}

/// The chunks of a document that are nearest to a query.
fn nearest(snapshot: &Snapshot, document: &str, topic: &Topic) -> Result<Vec<ChunkId>> {
    let ids: Vec<ChunkId> =
        snapshot.lexical.chunks_of(document)?.into_iter().map(|record| record.chunk).collect();
    if ids.len() <= OF_ANSWER {
        return Ok(ids);
    }
    let pinned = &snapshot.pinned;
    let words = snapshot.lexical.prepare(&topic.text)?;
    let vector = pinned.generation.encode_query(&topic.text)?;
    let candidates = candidates(&ids, &words, pinned.dense.score(&vector, &ids)?)?;
    let ranked = fuse(&pinned.generation.meta.fusion, words.ceiling(), &candidates);
    Ok(ranked.into_iter().take(OF_ANSWER).map(|hit| hit.id).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_of_all_queries_come_first_and_what_is_needed_of_one_comes_in_any_case() {
        let list = |first: u64| -> Vec<ChunkId> { (first..first + 5).map(ChunkId).collect() };
        let found = [list(10), list(20), list(30)];
        let of = |needed: [usize; 3], most| -> Vec<u64> {
            best(&found, &needed, most).into_iter().map(|id| id.0).collect()
        };
        assert_eq!(of([0, 0, 0], 5), [10, 11, 20, 21, 30, 31], "whole ranks");
        assert_eq!(of([3, 0, 0], 1), [10, 11, 12, 20, 30]);
        assert_eq!(of([9, 0, 0], 100).len(), 15);
    }

    #[test]
    fn an_answer_on_the_second_page_is_seen_and_one_document_counts_once() {
        let chunks = 40u64;
        let ids: Vec<ChunkId> = (0..chunks).map(ChunkId).collect();
        // Two chunks a document, by falling cosine: document n stands at rank n + 1.
        let documents = ids.iter().map(|id| (*id, format!("document {}", id.0 / 2))).collect();
        let candidate =
            |&id: &ChunkId| Candidate { id, lexical: 0.0, dense: Some(1.0 - id.0 as f32 / 100.0) };
        let candidates: Vec<Candidate> = ids.iter().map(candidate).collect();
        let judged = Judged { candidates, relevant: Default::default(), ceiling: 0.0 };
        let ranked = Ranked { queries: Vec::new(), documents };
        let scores = |answer: &str| {
            let topic = Topic::new("q", [answer.to_string()]);
            score_ranked(&ranked, &judged, &topic, Fusion::default()).scores.hybrid
        };
        assert_eq!((scores("document 9").mrr_10, scores("document 9").gmap_20), (0.1, 0.1));
        assert_eq!((scores("document 14").ndcg_10, scores("document 14").gmap_20), (0.0, 1.0 / 15.0));
        assert_eq!(scores("another").gmap_20, 1.0 / 20.0);
    }
}
