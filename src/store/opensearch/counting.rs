//! How many documents a query finds, and how many of them have each value of a field.
//!
//! The cluster has passages, and counts the documents that they are of in two ways: by a sketch (HyperLogLog++), and by
//! a list of all of them, which is exact. A first request counts by sketches. What is few enough is then listed.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value as Json, json};

use super::chunk::record;
use super::clauses::{all_of, any_of};
use super::mapping::{DOCUMENT, FACTS, RECORD};
use super::regexp;
use super::scores::terms;
use super::searches::Searches;
use crate::error::Result;
use crate::ids::ChunkId;
use crate::lexical::{FacetTerms, Weights};
use crate::store::state::{Counts, Found};

/// Documents, or pairs of a document and a value, that are listed. A cluster makes 65,535 buckets in one search, and of
/// a value it makes one too; the sketch that says how many there are is a little off.
const MOST_LISTED: usize = 30_000;
const MOST_IN_LIST: usize = 32_000;
/// From how many documents on a sketch guesses, of all and of those with one value. A node takes 256 KB for the one,
/// the highest that there is, and 16 KB for the other.
const PRECISION: usize = 40_000;
const PRECISION_OF_VALUE: usize = 3000;
/// Values that are counted by sketches: those of the most passages.
const MOST_SKETCHED: usize = 1000;

/// What an answer has that is needed.
const KEPT: &str = "responses.status,responses.error,responses._shards.failed,responses.timed_out,\
                    responses.aggregations.documents.value,responses.aggregations.list.count,\
                    responses.aggregations.values.sum_other_doc_count,responses.aggregations.values.buckets.key,\
                    responses.aggregations.values.buckets.documents.value,\
                    responses.aggregations.values.buckets.list.count,\
                    responses.aggregations.values.buckets.one.hits.hits._id,\
                    responses.aggregations.values.buckets.one.hits.hits.fields";

/// The documents of passages.
pub(super) struct Counting<'s> {
    searches: Searches<'s>,
    /// The clause of the passages.
    found: Json,
}

/// How documents are counted.
#[derive(Clone, Copy, PartialEq)]
enum By {
    Sketch,
    List,
}

/// What is counted in one search.
#[derive(Clone, Copy)]
enum What<'f> {
    Documents,
    Values(&'f FacetTerms<'f>),
}

/// What was counted.
struct Counted {
    documents: usize,
    /// By the term of the value.
    values: BTreeMap<String, usize>,
    /// Passages of other values, for each value once.
    others: usize,
}

impl By {
    fn aggregations(self, precision: usize) -> Json {
        match self {
            By::Sketch => json!({ "documents": {
                "cardinality": { "field": DOCUMENT, "precision_threshold": precision },
            } }),
            By::List => json!({
                "documents": { "terms": { "field": DOCUMENT, "size": MOST_IN_LIST } },
                "list": { "stats_bucket": { "buckets_path": "documents>_count" } },
            }),
        }
    }
}

impl What<'_> {
    fn aggregations(self, by: By) -> Json {
        let What::Values(facet) = self else { return by.aggregations(PRECISION) };
        let terms = regexp::any_of(facet.beginnings().map(|one| regexp::text(&one)));
        let size = if by == By::Sketch { MOST_SKETCHED } else { MOST_IN_LIST };
        json!({ "values": {
            "terms": {
                "field": FACTS, "include": format!("{terms}{}", regexp::ANYTHING), "size": size,
                // Only those values that are kept have a sketch or a list.
                "collect_mode": "breadth_first",
            },
            "aggs": by.aggregations(PRECISION_OF_VALUE),
        } })
    }
}

impl Counted {
    /// `None` of an answer that lacks something.
    fn of(answer: &Json) -> Option<Counted> {
        let found = &answer["aggregations"];
        let documents = |of: &Json| {
            let count = of["documents"]["value"].as_u64().or_else(|| of["list"]["count"].as_u64());
            count.map(|count| count as usize)
        };
        let Some(buckets) = found.get("values") else {
            return Some(Counted { documents: documents(found)?, values: BTreeMap::new(), others: 0 });
        };
        let each = buckets["buckets"].as_array().into_iter().flatten();
        let values = each.map(|one| Some((one["key"].as_str()?.to_string(), documents(one)?)));
        let values = values.collect::<Option<BTreeMap<String, usize>>>()?;
        let others = buckets["sum_other_doc_count"].as_u64()? as usize;
        Some(Counted { documents: values.values().sum(), values, others })
    }

    /// Whether a list of so many can be made.
    fn is_short(&self) -> bool {
        self.documents + self.others <= MOST_LISTED
    }
}

impl Counting<'_> {
    /// Of what a query of these weights finds, which is restricted to `filter`. `None` if that is nothing.
    pub(super) fn of<'s>(
        searches: Searches<'s>,
        weights: &Weights,
        filter: Option<&Json>,
        found: Found<'_>,
    ) -> Option<Counting<'s>> {
        let (chunks, with_words) = match found {
            Found::These(chunks) => (chunks, false),
            Found::WithWordsAnd(chunks) => (chunks, !weights.terms.is_empty()),
        };
        let mut any = Vec::new();
        if with_words {
            any.push(all_of([terms(weights)].into_iter().chain(filter.cloned()).collect()));
        }
        if !chunks.is_empty() {
            let ids: Vec<String> = chunks.iter().map(ChunkId::to_string).collect();
            any.push(json!({ "ids": { "values": ids } }));
        }
        (!any.is_empty()).then(|| Counting { searches, found: any_of(any) })
    }

    pub(super) fn count(&self, facets: &[String]) -> Result<Counts> {
        let fields: Vec<FacetTerms<'_>> = facets.iter().map(|field| FacetTerms::of(field)).collect();
        let all: Vec<What<'_>> =
            [What::Documents].into_iter().chain(fields.iter().map(What::Values)).collect();
        let mut counted = self.counted(By::Sketch, &all)?;
        let short: Vec<usize> = (0..all.len()).filter(|&at| counted[at].is_short()).collect();
        let what: Vec<What<'_>> = short.iter().map(|&at| all[at]).collect();
        for (at, exact) in short.into_iter().zip(self.counted(By::List, &what)?) {
            counted[at] = exact;
        }
        let mut counted = counted.into_iter();
        let total = counted.next().map(|all| all.documents);
        let values = fields
            .iter()
            .zip(counted)
            .map(|(facet, counted)| facet.values(counted.values, &mut |terms| self.stored_fields(terms)));
        let facets = facets.iter().zip(values).map(|(field, values)| Ok((field.clone(), values?)));
        Ok(Counts { total, facets: facets.collect::<Result<_>>()? })
    }

    fn counted(&self, by: By, what: &[What<'_>]) -> Result<Vec<Counted>> {
        if what.is_empty() {
            return Ok(Vec::new());
        }
        let answers = self.ask(what.iter().map(|what| what.aggregations(by)))?;
        let counted =
            answers.iter().map(|answer| Counted::of(answer).ok_or_else(|| self.searches.lacks("counts")));
        counted.collect()
    }

    /// The fields of a document for each of these terms, which it has.
    fn stored_fields(&self, terms: &[&str]) -> Result<Vec<Map<String, Json>>> {
        if terms.is_empty() {
            return Ok(Vec::new());
        }
        let one = json!({ "top_hits": { "size": 1, "_source": false, "stored_fields": [RECORD] } });
        let values = json!({ "values": {
            "terms": { "field": FACTS, "include": terms, "size": terms.len() }, "aggs": { "one": one },
        } });
        let answers = self.ask([values].into_iter())?;
        let buckets = answers[0]["aggregations"]["values"]["buckets"].as_array().into_iter().flatten();
        let of = |bucket: &Json| {
            let record = record(&bucket["one"]["hits"]["hits"][0])?;
            Some((bucket["key"].as_str()?.to_string(), record.metadata))
        };
        let mut found: HashMap<String, Map<String, Json>> = buckets.filter_map(of).collect();
        let fields = terms
            .iter()
            .map(|&term| found.remove(term).ok_or_else(|| self.searches.lacks("the fields of a value")));
        fields.collect()
    }

    /// The answers to these aggregations of the passages.
    fn ask(&self, aggregations: impl Iterator<Item = Json>) -> Result<Vec<Json>> {
        let found = all_of(vec![self.found.clone()]);
        let of = |aggs| json!({ "size": 0, "track_total_hits": false, "query": found, "aggs": aggs });
        let searches: Vec<Json> = aggregations.map(of).collect();
        let answers = self.searches.several(&searches, &format!("filter_path={KEPT}"))?;
        let is_complete = |one: &Json| one["_shards"]["failed"] == 0 && one["timed_out"] == false;
        match answers.iter().all(is_complete) {
            true => Ok(answers),
            false => Err(self.searches.lacks("the counts of all shards")),
        }
    }
}
