//! Two generations answer one query, and their hits are shown as one list.

use std::collections::HashMap;
use std::time::Instant;

use crate::clock::millis;
use crate::error::Result;
use crate::feedback::Standing;
use crate::search::{Hit, Query, Ranked, Snapshot, rank, rank_with_words};
use crate::store::StoreQuery as _;
use crate::trial::{Placed, interleave};

/// What two generations answered together.
pub(super) struct Interleaved {
    /// Hits of both, by team draft. Counts are the serving generation's.
    pub(super) ranked: Ranked,
    /// Where both lists have each hit, in the order of the hits.
    pub(super) standings: Vec<Standing>,
}

/// Ranks the documents for `query` by both snapshots. A later page continues the first one, if `seed` is the same.
pub(super) fn rank_interleaved(
    serving: &Snapshot,
    candidate: &Snapshot,
    query: &Query,
    seed: u64,
) -> Result<Interleaved> {
    // A later page depends on all hits before it. Only those that it shows are highlighted.
    let last = query.offset + query.limit;
    let from_the_top = query.clone().with_limit(last).with_offset(0).without_highlights();
    let (mut ranked, words) = rank_with_words(serving, &from_the_top)?;
    let other = rank(candidate, &from_the_top)?;
    let started = Instant::now();
    // Both may show the same passage under another of its documents.
    let copies: HashMap<&str, &str> = ranked
        .hits
        .iter()
        .flat_map(|hit| hit.also_in.iter().map(|copy| (copy.as_str(), hit.document.as_str())))
        .collect();
    let first =
        |hit: &Hit| copies.get(hit.document.as_str()).map_or(hit.document.clone(), ToString::to_string);
    let of_serving: Vec<String> = ranked.hits.iter().map(|hit| hit.document.clone()).collect();
    let of_candidate: Vec<String> = other.hits.iter().map(first).collect();
    let drafted = interleave(&of_serving, &of_candidate, last, seed);
    let mut hits: HashMap<String, Hit> =
        other.hits.into_iter().chain(ranked.hits).map(|hit| (hit.document.clone(), hit)).collect();
    let (mut shown, mut standings) = (Vec::new(), Vec::new());
    for Placed { document, standing, .. } in drafted.into_iter().skip(query.offset) {
        let Some(hit) = hits.remove(&document) else { continue };
        let record = if query.highlight { words.record(hit.chunk)? } else { None };
        let highlights = record.map(|record| words.highlight(&record)).unwrap_or_default();
        shown.push(Hit { rank: standing.place as usize, highlights, ..hit });
        standings.push(standing);
    }
    ranked.hits = shown;
    ranked.took.encode += other.took.encode;
    ranked.took.lexical += other.took.lexical;
    ranked.took.dense += other.took.dense;
    let drafting = millis(started);
    ranked.took.fuse += other.took.fuse + drafting;
    ranked.took.total += other.took.total + drafting;
    Ok(Interleaved { ranked, standings })
}
