//! Words that begin in some way: the chunks that have them, and the terms that are searched for with them.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::clauses::{all_of, any_of};
use super::mapping::{TEXT_TERMS, VOCABULARY, WORDS};
use super::regexp;
use super::searches::Searches;
use crate::error::Result;
use crate::lexical::{Analysis, BEFORE_STEM, MOST_SCORED, WordPrefix, most_frequent};

/// Terms of a shard that are counted together with those of others. Where more begin so, rare ones may be missed.
const MOST_OF_SHARD: usize = 10_000;

/// The chunks with a word that begins so.
pub(super) fn begins(prefix: &str, analysis: &Analysis) -> Json {
    let Some(prefix) = analysis.prefix(prefix) else { return any_of(Vec::new()) };
    let mut any: Vec<Json> = prefix.terms.iter().map(|one| with_beginning(&one.beginning)).collect();
    any.extend(shorter(&prefix).map(|stem| with_stem(&prefix, stem)));
    any_of(any)
}

/// The terms of the index that stand for a prefix in a search: of those that begin so, and of the shorter stems of
/// words that do, those of the most chunks.
pub(super) fn terms_of(prefix: &str, analysis: &Analysis, searches: Searches<'_>) -> Result<Vec<String>> {
    let Some(prefix) = analysis.prefix(prefix) else { return Ok(Vec::new()) };
    let stems: Vec<&str> = shorter(&prefix).collect();
    let filters = stems.iter().enumerate().map(|(at, stem)| (at.to_string(), with_stem(&prefix, stem)));
    let filters: Map<String, Json> = filters.collect();
    let longer =
        prefix.terms.iter().enumerate().map(|(at, one)| (at.to_string(), most_frequent_of(&one.beginning)));
    let longer: Map<String, Json> = longer.collect();
    let mut aggs = Json::Object(longer);
    if !stems.is_empty() {
        aggs["shorter"] = json!({ "filters": { "filters": filters } });
    }
    let query = json!({ "size": 0, "track_total_hits": false, "aggs": aggs });
    let counted = &searches.one(&query, &[])?["aggregations"];
    let mut terms = BTreeMap::new();
    let lacks = || searches.lacks("counts of words");
    for at in 0..prefix.terms.len() {
        for bucket in counted[at.to_string()]["terms"]["buckets"].as_array().ok_or_else(lacks)? {
            let term = bucket["key"].as_str().ok_or_else(lacks)?;
            terms.insert(term.to_string(), bucket["doc_count"].as_u64().ok_or_else(lacks)?);
        }
    }
    for (at, stem) in stems.into_iter().enumerate() {
        let chunks = counted["shorter"]["buckets"][at.to_string()]["doc_count"].as_u64().ok_or_else(lacks)?;
        if chunks > 0 {
            terms.insert(stem.to_string(), chunks);
        }
    }
    Ok(most_frequent(terms))
}

fn shorter(prefix: &WordPrefix) -> impl Iterator<Item = &str> {
    prefix.terms.iter().flat_map(|one| &one.shorter).map(String::as_str)
}

/// The terms of the most chunks that begin so, of one language.
fn most_frequent_of(beginning: &str) -> Json {
    json!({ "filter": with_beginning(beginning), "aggs": { "terms": { "terms": {
        "field": VOCABULARY, "include": format!("{}{}", regexp::text(beginning), regexp::ANYTHING),
        "size": MOST_SCORED, "shard_size": MOST_OF_SHARD, "order": [{ "_count": "desc" }, { "_key": "asc" }],
    } } } })
}

/// The chunks with a term that begins so.
fn with_beginning(beginning: &str) -> Json {
    json!({ "prefix": { TEXT_TERMS: { "value": beginning } } })
}

/// The chunks with a word that begins so and has this stem.
fn with_stem(prefix: &WordPrefix, stem: &str) -> Json {
    let any = format!("[^{BEFORE_STEM}]*");
    let word = format!("{}{any}{BEFORE_STEM}{}", regexp::text(&prefix.word), regexp::text(stem));
    all_of(vec![json!({ "term": { TEXT_TERMS: stem } }), json!({ "regexp": { WORDS: { "value": word } } })])
}
