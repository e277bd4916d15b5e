//! A small part of the corpus that a trained encoder is judged on before anything is reindexed, so that a bad round costs
//! little: what the gate's queries find now, what answers them, and a random share of all the rest, in which a new
//! encoder may find what the old one did not.

use std::collections::{BTreeSet, HashMap, HashSet};

use rand::SeedableRng;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;

use super::examples::JudgedQuery;
use super::gate::{DEPTH, Guarded, QueryScores, ranking_scores};
use crate::encoder::TrainableEncoder;
use crate::error::Result;
use crate::fusion::{Candidate, Fusion, Judged, fuse};
use crate::ids::ChunkId;
use crate::search::{Query, Snapshot, profile, scored_candidates};

/// One chunk in so many is drawn at random.
const RANDOM: usize = 5;
/// Chunks of a document that answers, those that the engine finds nearest: a book would fill the pool. That a new encoder
/// may find another one right speaks against it, not for it.
const OF_ANSWER: usize = 10;

/// Chunks with their documents and texts.
pub(super) struct Pool {
    ids: Vec<ChunkId>,
    documents: HashMap<ChunkId, String>,
    texts: Vec<String>,
}

/// What an encoder makes of a pool: every query with every chunk.
pub(super) struct Scored<'a> {
    pool: &'a Pool,
    pub(super) judged: Vec<Judged>,
}

impl Pool {
    /// Takes about `most` chunks, and the answers beside them: what the queries find, their best first, up to four fifths of
    /// `most`, but never less of a held-out query than the gate looks at; then others at random. `going_on` is asked before each
    /// query.
    pub(super) fn gather(
        snapshot: &Snapshot,
        held_out: &[JudgedQuery],
        guard: &Guarded<JudgedQuery>,
        (most, seed): (usize, u64),
        going_on: &mut dyn FnMut() -> Result<()>,
    ) -> Result<Pool> {
        let mut answers: BTreeSet<ChunkId> = BTreeSet::new();
        let mut found: Vec<Vec<ChunkId>> = Vec::with_capacity(held_out.len());
        for query in held_out.iter().chain(guard.iter()) {
            going_on()?;
            for document in query.relevant.keys() {
                answers.extend(nearest(snapshot, document, query)?);
            }
            let (candidates, profile) = scored_candidates(snapshot, &Query::new(query.text.as_str()))?;
            let fusion = &snapshot.pinned.generation.meta.fusion;
            found.push(fuse(fusion, profile, &candidates).into_iter().map(|hit| hit.id).collect());
        }
        let mut needed = Vec::with_capacity(found.len());
        for found in &found[..held_out.len()] {
            needed.push(chunks_of_first_documents(snapshot, found)?);
        }
        needed.resize(found.len(), 0);
        let mut chosen = best(&found, &needed, most - most / RANDOM);
        let live = snapshot.lexical.live_chunks();
        let drawn = most.saturating_sub(chosen.len()).max(most / RANDOM).min(live.len());
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        chosen.extend(sample(&mut random, live.len(), drawn).into_iter().map(|place| live[place]));
        chosen.append(&mut answers);
        let (mut ids, mut documents, mut texts) = (Vec::new(), HashMap::new(), Vec::new());
        for id in chosen {
            if let Some(record) = snapshot.lexical.get(id)? {
                texts.push(record.encoder_text());
                documents.insert(id, record.document);
                ids.push(id);
            }
        }
        Ok(Pool { ids, documents, texts })
    }

    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// The serving encoder's view. `going_on` is asked before each query.
    pub(super) fn serving(
        &self,
        snapshot: &Snapshot,
        queries: &[JudgedQuery],
        going_on: &mut dyn FnMut() -> Result<()>,
    ) -> Result<Scored<'_>> {
        self.scored(snapshot, queries, &mut |_, query| {
            going_on()?;
            let vector = snapshot.pinned.generation.encode_query(&query.text)?;
            let scores = snapshot.pinned.dense.score(&vector, &self.ids)?;
            Ok(scores.into_iter().map(|score| score.unwrap_or(-1.0)).collect())
        })
    }

    /// The view of an encoder that has been trained. `going_on` is asked before each of its batches.
    pub(super) fn trained(
        &self,
        snapshot: &Snapshot,
        queries: &[JudgedQuery],
        encoder: &mut TrainableEncoder,
        going_on: &mut dyn FnMut() -> Result<()>,
    ) -> Result<Scored<'_>> {
        let texts: Vec<&str> = self.texts.iter().map(String::as_str).collect();
        let chunks = encoder.encode(&texts, going_on)?;
        let texts: Vec<&str> = queries.iter().map(|query| query.text.as_str()).collect();
        let vectors = encoder.encode(&texts, going_on)?;
        self.scored(snapshot, queries, &mut |place, _| {
            let dot = |chunk: &Vec<f32>| chunk.iter().zip(&vectors[place]).map(|(x, y)| x * y).sum();
            Ok(chunks.iter().map(dot).collect())
        })
    }

    fn scored(
        &self,
        snapshot: &Snapshot,
        queries: &[JudgedQuery],
        dense: &mut dyn FnMut(usize, &JudgedQuery) -> Result<Vec<f32>>,
    ) -> Result<Scored<'_>> {
        let mut judged = Vec::with_capacity(queries.len());
        for (place, query) in queries.iter().enumerate() {
            let words = snapshot.lexical.prepare(&query.text)?;
            let lexical = words.score(&self.ids)?;
            let dense = dense(place, query)?;
            let both = self.ids.iter().zip(lexical.into_iter().zip(dense));
            let candidates = both.map(|(&id, (lexical, dense))| Candidate { id, lexical, dense }).collect();
            let relevant = query.relevant.keys().cloned().collect();
            judged.push(Judged { candidates, relevant, profile: profile(&snapshot.lexical, &words)? });
        }
        Ok(Scored { pool: self, judged })
    }
}

/// How many of the chunks that a query finds it takes to see as many documents as the gate looks at.
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

/// What several queries find, rank by rank, until there are about `most`; of each query as many as are needed in any case.
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

/// The chunks of a document that answer a query best.
fn nearest(snapshot: &Snapshot, document: &str, query: &JudgedQuery) -> Result<Vec<ChunkId>> {
    let ids: Vec<ChunkId> =
        snapshot.lexical.chunks_of(document)?.into_iter().map(|record| record.chunk).collect();
    if ids.len() <= OF_ANSWER {
        return Ok(ids);
    }
    let pinned = &snapshot.pinned;
    let words = snapshot.lexical.prepare(&query.text)?;
    let vector = pinned.generation.encode_query(&query.text)?;
    let both = words.score(&ids)?.into_iter().zip(pinned.dense.score(&vector, &ids)?);
    let candidates: Vec<Candidate> = ids
        .iter()
        .zip(both)
        .map(|(&id, (lexical, dense))| Candidate { id, lexical, dense: dense.unwrap_or(-1.0) })
        .collect();
    let ranked = fuse(&pinned.generation.meta.fusion, profile(&snapshot.lexical, &words)?, &candidates);
    Ok(ranked.into_iter().take(OF_ANSWER).map(|hit| hit.id).collect())
}

impl Scored<'_> {
    pub(super) fn documents(&self) -> &HashMap<ChunkId, String> {
        &self.pool.documents
    }

    /// The figures of the query at `place`.
    pub(super) fn score(&self, place: usize, query: &JudgedQuery, fusion: Fusion) -> QueryScores {
        let ranked = |fusion: &Fusion| {
            let mut seen = HashSet::new();
            let Judged { candidates, profile, .. } = &self.judged[place];
            let hits = fuse(fusion, *profile, candidates);
            let documents = hits.iter().filter_map(|hit| self.pool.documents.get(&hit.id));
            let documents: Vec<&str> =
                documents.filter(|document| seen.insert(*document)).take(DEPTH).map(String::as_str).collect();
            ranking_scores(&documents, query)
        };
        QueryScores { hybrid: ranked(&fusion), dense: ranked(&Fusion::Convex { dense_weight: 1.0 }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fusion::QueryProfile;

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
        let candidate = |&id: &ChunkId| Candidate { id, lexical: 0.0, dense: 1.0 - id.0 as f32 / 100.0 };
        let candidates: Vec<Candidate> = ids.iter().map(candidate).collect();
        let pool = Pool { ids, documents, texts: Vec::new() };
        let scores = |answer: &str| {
            let query = JudgedQuery { text: "q".into(), relevant: [(answer.to_string(), 1)].into() };
            let relevant = [answer.to_string()].into();
            let judged =
                vec![Judged { candidates: candidates.clone(), relevant, profile: QueryProfile::default() }];
            Scored { pool: &pool, judged }.score(0, &query, Fusion::default()).hybrid
        };
        assert_eq!((scores("document 9").mrr_10, scores("document 9").gmap_20), (0.1, 0.1));
        assert_eq!((scores("document 14").ndcg_10, scores("document 14").gmap_20), (0.0, 1.0 / 15.0));
        assert_eq!(scores("another").gmap_20, 1.0 / 20.0);
    }
}
