//! How many chunks have a term.

use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use lru::LruCache;
use serde_json::{Map, Value as Json, json};

use super::client::{Body, Call, Client, Method};
use super::failure::unexpected;
use super::mapping::field_of;
use super::retry::Repeat;
use crate::error::Result;
use crate::lexical::Part;

const DOING: &str = "count passages by words at";
/// Terms of which the counts are kept: about 10 MB.
const KEPT: NonZeroUsize = NonZeroUsize::new(100_000).expect("it is not zero");
/// Clauses of one request; a cluster takes 1,024.
const MOST_TERMS: usize = 500;

/// The counts of a term in text and title.
type Counts = [u64; 2];

/// The counts of a generation, asked for once: a generation never changes.
pub(super) struct Frequencies(Mutex<LruCache<String, Counts>>);

impl Default for Frequencies {
    fn default() -> Self {
        Frequencies(Mutex::new(LruCache::new(KEPT)))
    }
}

/// The counts of a query's terms.
pub(super) struct Known(HashMap<String, Counts>);

impl Known {
    pub(super) fn of(&self, part: Part, term: &str) -> u64 {
        let counts = self.0.get(term).copied().unwrap_or_default();
        counts[usize::from(part == Part::Title)]
    }
}

impl Frequencies {
    /// The counts of these terms, from one request for all that are not known yet.
    pub(super) fn of(&self, terms: &BTreeSet<&str>, client: &Client, index: &str) -> Result<Known> {
        let cache = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known = HashMap::new();
        let mut unknown = Vec::new();
        {
            let mut cache = cache();
            for &term in terms {
                match cache.get(term) {
                    Some(&counts) => drop(known.insert(term.to_string(), counts)),
                    None => unknown.push(term),
                }
            }
        }
        for some in unknown.chunks(MOST_TERMS) {
            let counted = count(some, client, index)?;
            let mut cache = cache();
            for (&term, counts) in some.iter().zip(counted) {
                cache.put(term.to_string(), counts);
                known.insert(term.to_string(), counts);
            }
        }
        Ok(Known(known))
    }
}

fn count(terms: &[&str], client: &Client, index: &str) -> Result<Vec<Counts>> {
    let filters = |part| {
        let of = |(at, term): (usize, &&str)| (at.to_string(), json!({ "term": { field_of(part): term } }));
        let filters: Map<String, Json> = terms.iter().enumerate().map(of).collect();
        json!({ "filters": { "filters": filters } })
    };
    let query = json!({
        "size": 0, "track_total_hits": false,
        "aggs": { "text": filters(Part::Whole), "title": filters(Part::Title) },
    });
    let path = format!("/{index}/_search?allow_partial_search_results=false");
    let body = Body::Json(&query);
    let call = Call { doing: DOING, method: Method::Post, path: &path, body, repeat: Repeat::Safe };
    let answer = client.ask(&call)?;
    let of =
        |part: &str, at: usize| answer["aggregations"][part]["buckets"][at.to_string()]["doc_count"].as_u64();
    let counted = (0..terms.len()).map(|at| Some([of("text", at)?, of("title", at)?]));
    counted.collect::<Option<_>>().ok_or_else(|| unexpected(DOING, client.at(&path), "counts"))
}
