//! Finds impressions without reading the whole log.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::path::Path;

use super::ids::Ids;
use super::record::{Decoded, Impression, Record};
use super::segment::{self, Opened};
use crate::error::Result;
use crate::ids::QueryId;

/// The impression with this id.
pub(super) fn find(folder: &Path, query_id: QueryId) -> Result<Option<Impression>> {
    // Judged queries are usually recent: the live segments come last.
    for opened in segment::open_all(folder)?.opened.iter().rev() {
        for (_, offset) in Ids::of(opened)?.within(query_id..=query_id) {
            if let Some(impression) = impression_at(opened, offset).filter(|one| one.query_id == query_id) {
                return Ok(Some(impression));
            }
        }
    }
    Ok(None)
}

/// The ids of impressions in this range, up to `limit` of them, ascending.
pub(super) fn ids_within(
    folder: &Path,
    ids: &RangeInclusive<QueryId>,
    limit: usize,
) -> Result<BTreeSet<QueryId>> {
    let mut found = BTreeSet::new();
    for opened in &segment::open_all(folder)?.opened {
        found.extend(Ids::of(opened)?.within(ids.clone()).map(|(id, _)| id).take(limit));
    }
    Ok(found.into_iter().take(limit).collect())
}

/// The latest impression.
pub(super) fn latest(folder: &Path) -> Result<Option<Impression>> {
    let mut latest: Option<Impression> = None;
    for opened in &segment::open_all(folder)?.opened {
        let last = Ids::of(opened)?.last().and_then(|offset| impression_at(opened, offset));
        if let Some(last) = last
            && latest.as_ref().is_none_or(|latest| last.time_ms >= latest.time_ms)
        {
            latest = Some(last);
        }
    }
    Ok(latest)
}

fn impression_at(opened: &Opened, offset: usize) -> Option<Impression> {
    match Record::decode(opened.frame_at(offset)?) {
        Decoded::Known(Record::Impression(impression)) => Some(impression),
        _ => None,
    }
}
