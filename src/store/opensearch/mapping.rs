//! The index of a generation: its settings and fields.

use serde_json::{Value as Json, json};

use super::layout::Layout;
use super::manifest::Counts;
use super::terms::{BETWEEN_FORMS, GAP, LONGEST_POSITION};
use crate::lexical::{Part, Similarity};

/// The fields by name.
pub(super) const CHUNK: &str = "chunk";
pub(super) const DOCUMENT: &str = "document";
pub(super) const RECORD: &str = "record";
pub(super) const MARK: &str = "mark";
pub(super) const TITLE_TERMS: &str = "title_terms";
pub(super) const TEXT_TERMS: &str = "text_terms";
pub(super) const WORDS: &str = "words";
pub(super) const VOCABULARY: &str = "vocabulary";
pub(super) const PATHS: &str = "paths";
pub(super) const FACTS: &str = "facts";
pub(super) const VECTOR: &str = "vector";

/// A longer term of a path, in characters, is not indexed: as bytes it could be more than Lucene takes.
const LONGEST_PATH: usize = 16_000;

/// The field that the words of a part are in.
pub(super) fn field_of(part: Part) -> &'static str {
    match part {
        Part::Title => TITLE_TERMS,
        Part::Whole => TEXT_TERMS,
    }
}

/// How words of titles and of texts are scored among as many chunks.
pub(super) fn similarities(counts: &Counts) -> Json {
    let similarity = |part| {
        let Similarity { k1, b } = Similarity::of(counts.having(part), counts.chunks);
        // Every form of a word counts in a text's length, as in our own index.
        json!({ "type": "BM25", "k1": k1, "b": b, "discount_overlaps": false })
    };
    json!({ "title": similarity(Part::Title), "text": similarity(Part::Whole) })
}

/// The settings and the mapping of a generation that will hold as many chunks.
///
/// Of a passage its record is stored, which is read without its source. The source is whole: of one that lacks a field
/// OpenSearch keeps a second one for copies that catch up, with the vector as text, 6,100 bytes that no merge drops.
pub(super) fn mapping(layout: Layout, dimensions: usize, counts: &Counts) -> Json {
    let terms = |similarity: &str| json!({ "type": "text", "analyzer": "terms", "similarity": similarity });
    let stored = json!({ "type": "keyword", "index": false, "doc_values": false, "store": true });
    json!({
        "settings": { "index": {
            "number_of_shards": layout.shards,
            "number_of_replicas": layout.replicas,
            // Until everything is there.
            "refresh_interval": "-1",
            "knn": true,
            // What is read back of the vectors is made of those that are searched: they are not stored twice.
            "knn.derived_source.enabled": true,
            "similarity": similarities(counts),
            "analysis": {
                "tokenizer": { "positions": { "type": "whitespace", "max_token_length": LONGEST_POSITION } },
                "filter": {
                    "forms": {
                        "type": "pattern_capture", "preserve_original": false,
                        "patterns": [format!("([^{BETWEEN_FORMS}]+)")],
                    },
                    "gaps": { "type": "stop", "stopwords": [GAP.to_string()] },
                },
                "analyzer": { "terms": {
                    "type": "custom", "tokenizer": "positions", "filter": ["forms", "gaps"],
                } },
            },
        } },
        "mappings": {
            "dynamic": "strict",
            "properties": {
                CHUNK: { "type": "long" },
                MARK: { "type": "long", "index": false },
                DOCUMENT: { "type": "keyword" },
                RECORD: stored,
                TITLE_TERMS: terms("title"),
                TEXT_TERMS: terms("text"),
                WORDS: { "type": "text", "analyzer": "terms", "index_options": "positions", "norms": false },
                VOCABULARY: { "type": "keyword", "index": false },
                PATHS: { "type": "keyword", "doc_values": false, "ignore_above": LONGEST_PATH },
                FACTS: { "type": "keyword" },
                VECTOR: {
                    "type": "knn_vector",
                    "dimension": dimensions,
                    // Lucene has them already, and scores by those.
                    "doc_values": false,
                    "method": {
                        "name": "hnsw", "engine": "lucene", "space_type": "cosinesimil",
                        "parameters": { "m": 16, "ef_construction": 128 },
                    },
                },
            },
        },
    })
}
