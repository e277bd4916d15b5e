//! Requests for candidates and for scores, and what their answers say.

use std::collections::HashMap;

use serde_json::{Value as Json, json};

use super::chunk;
use super::mapping::{CHUNK, RECORD, TEXT_TERMS, VECTOR, field_of};
use super::terms::text_of_phrase;
use crate::ids::ChunkId;
use crate::lexical::{ChunkRecord, PairWeight, TermWeight, Weights};

/// Candidates of the graph for each chunk that is asked for, and at least.
const BREADTH: usize = 2;
const LEAST_BREADTH: usize = 200;

const BY_WORDS: &str = "words";
const BY_VECTOR: &str = "vector";

/// A chunk with both scores.
pub(super) struct Scored {
    pub(super) lexical: f32,
    pub(super) dense: Option<f32>,
    pub(super) record: ChunkRecord,
}

/// The best chunks by words. Pairs don't select, they change the order: as in our own index.
pub(super) fn best_by_words(weights: &Weights, most: usize, filter: Option<&Json>) -> Json {
    let mut query = terms(weights);
    if let Some(filter) = filter {
        query["bool"]["filter"] = json!([filter]);
    }
    ranked(query, most)
}

/// The chunks whose vectors are nearest.
pub(super) fn nearest(vector: &[f32], most: usize, filter: Option<&Json>) -> Json {
    let mut knn = json!({
        "vector": vector, "k": most,
        "method_parameters": { "ef_search": (most * BREADTH).max(LEAST_BREADTH) },
    });
    if let Some(filter) = filter {
        knn["filter"] = filter.clone();
    }
    ranked(json!({ "knn": { VECTOR: knn } }), most)
}

/// The best chunks of a query, ties by id.
fn ranked(query: Json, most: usize) -> Json {
    json!({
        "size": most, "_source": false, "track_total_hits": false, "query": query,
        "sort": [{ "_score": "desc" }, { CHUNK: "asc" }],
    })
}

/// Both scores of these chunks, and their records.
pub(super) fn both(weights: &Weights, vector: Option<&[f32]>, chunks: &[ChunkId]) -> Json {
    let ids: Vec<String> = chunks.iter().map(ChunkId::to_string).collect();
    let ids = json!({ "ids": { "values": ids } });
    let mut should = Vec::new();
    if !weights.terms.is_empty() {
        // A chunk that has none of the terms is no hit by its pairs.
        should.push(json!({ "bool": {
            "must": [terms(weights)], "should": pairs(weights), "_name": BY_WORDS,
        } }));
    }
    if let Some(vector) = vector {
        let having = json!({ "bool": { "filter": [ids, { "exists": { "field": VECTOR } }] } });
        let script = json!({
            "lang": "knn", "source": "knn_score",
            "params": { "field": VECTOR, "query_value": vector, "space_type": "cosinesimil" },
        });
        should.push(json!({ "script_score": { "query": having, "script": script, "_name": BY_VECTOR } }));
    }
    json!({
        "size": chunks.len(), "track_total_hits": false, "_source": false, "stored_fields": [RECORD],
        "query": { "bool": { "filter": [ids], "should": should } },
    })
}

/// The chunks with a term, by words.
pub(super) fn terms(weights: &Weights) -> Json {
    let of = |one: &TermWeight| {
        let weighed = json!({ "value": one.term, "boost": one.boost });
        json!({ "term": { field_of(one.part): weighed } })
    };
    let terms: Vec<Json> = weights.terms.iter().map(of).collect();
    // Beside a filter none would have to match.
    json!({ "bool": { "should": terms, "minimum_should_match": 1 } })
}

fn pairs(weights: &Weights) -> Vec<Json> {
    let of = |pair: &PairWeight| {
        let text = text_of_phrase([(0, pair.first.as_str()), (pair.distance, pair.second.as_str())]);
        json!({ "constant_score": {
            "filter": { "match_phrase": { TEXT_TERMS: text } }, "boost": pair.weight,
        } })
    };
    weights.pairs.iter().map(of).collect()
}

/// The hits of an answer. `None` if they are not all there.
pub(super) fn hits(answer: &Json) -> Option<&Vec<Json>> {
    let complete = answer["_shards"]["failed"].as_u64() == Some(0) && answer["timed_out"] == false;
    answer["hits"]["hits"].as_array().filter(|_| complete)
}

/// The chunk and the score of each hit.
pub(super) fn ranking(hits: &[Json]) -> Option<Vec<(ChunkId, f32)>> {
    hits.iter().map(|hit| Some((chunk::chunk(hit)?, hit["_score"].as_f64()? as f32))).collect()
}

/// The hits of [`both`] by chunk.
pub(super) fn scored(hits: &[Json]) -> Option<HashMap<ChunkId, Scored>> {
    let of = |hit: &Json| {
        let named = |name: &str| hit["matched_queries"][name].as_f64();
        let lexical = named(BY_WORDS).unwrap_or(0.0) as f32;
        let dense = named(BY_VECTOR).map(|score| cosine(score as f32));
        Some((chunk::chunk(hit)?, Scored { lexical, dense, record: chunk::record(hit)? }))
    };
    hits.iter().map(of).collect()
}

/// The cosine of a score, which is its place between 0 and 1.
pub(super) fn cosine(score: f32) -> f32 {
    (2.0 * score - 1.0).clamp(-1.0, 1.0)
}
