//! A small part of the corpus that a trained encoder is judged on before anything is reindexed, so that a bad round costs
//! little: what the gate's queries find now, what answers them, and a random share of all the rest, in which a new
//! encoder may find what the old one did not.

use std::collections::{BTreeSet, HashMap, HashSet};

use rand::SeedableRng;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;

use super::examples::JudgedQuery;
use super::gate::{DEPTH, QueryScores, ranking_scores};
use crate::encoder::TrainableEncoder;
use crate::error::Result;
use crate::fusion::{Candidate, Fusion, Judged, fuse};
use crate::ids::ChunkId;
use crate::search::{Query, Snapshot, profile, scored_candidates};

/// The share of the pool that is drawn at random.
const RANDOM: usize = 5;

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
    /// Takes about `most` chunks: every answer, then what the queries find, their best first, up to four fifths of
    /// `most`, then others at random.
    pub(super) fn gather(
        snapshot: &Snapshot,
        queries: &[JudgedQuery],
        most: usize,
        seed: u64,
    ) -> Result<Pool> {
        let mut chosen: BTreeSet<ChunkId> = BTreeSet::new();
        let mut found: Vec<Vec<ChunkId>> = Vec::with_capacity(queries.len());
        let fusion = snapshot.pinned.generation.meta.fusion;
        for query in queries {
            for document in query.relevant.keys() {
                chosen.extend(snapshot.lexical.chunks_of(document)?.into_iter().map(|record| record.chunk));
            }
            let (candidates, profile) = scored_candidates(snapshot, &Query::new(query.text.as_str()))?;
            found.push(fuse(&fusion, profile, &candidates).into_iter().map(|hit| hit.id).collect());
        }
        let deepest = found.iter().map(Vec::len).max().unwrap_or(0);
        for rank in 0..deepest {
            if chosen.len() >= most - most / RANDOM {
                break;
            }
            chosen.extend(found.iter().filter_map(|found| found.get(rank)));
        }
        let live = snapshot.lexical.live_chunks();
        let missing = most.saturating_sub(chosen.len()).min(live.len());
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        chosen.extend(sample(&mut random, live.len(), missing).into_iter().map(|place| live[place]));
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

    /// The serving encoder's view.
    pub(super) fn serving(&self, snapshot: &Snapshot, queries: &[JudgedQuery]) -> Result<Scored<'_>> {
        self.scored(snapshot, queries, &mut |_, query| {
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
