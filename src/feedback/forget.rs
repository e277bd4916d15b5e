//! Removing from the log for good.
//!
//! Every segment that holds what is to be forgotten is replaced by one without it, atomically. Damaged bytes of any
//! segment go too: they might hold it, nobody can tell, and nothing else reads them. A segment with neither is not
//! touched. A record of a newer version can't be looked into, so nothing at all is done while there is one.
//!
//! What the file system or the disk keeps of replaced files is out of reach.

use std::collections::HashSet;
use std::path::Path;

use super::record::{Decoded, Impression, Kind, Record, normalise_query, peek};
use super::segment::{self, Part, header};
use crate::error::{Error, Result};
use crate::ids::QueryId;
use crate::storage::{append_frame, write_atomic};

/// What is to be forgotten.
#[derive(Debug, Clone)]
pub(super) enum Forget {
    /// Every impression of this text, compared normalised, and what was said of it.
    Query(String),
    /// One impression, and what was said of it.
    QueryId(QueryId),
    /// A document in the hits of every impression, and what was said of it.
    Document(String),
}

/// What becomes of a record.
enum Fate {
    Stays,
    Becomes(Record),
    Goes,
}

/// Removes it from every segment. Returns how many records went or changed. The writer has no segment open.
pub(super) fn forget(folder: &Path, what: &Forget) -> Result<usize> {
    segment::remove_strays(folder)?;
    let queries = queries_of(folder, what)?;
    let mut changed = 0;
    // A judgement stands behind its impression: going backwards, a query's text is the last of it to go, and whoever is
    // cut short on the way finds the rest by asking again.
    for (_, path) in segment::list(folder)?.into_iter().rev() {
        changed += rewrite(&path, what, &queries)?;
    }
    Ok(changed)
}

/// The queries whose records go as a whole.
///
/// # Errors
/// [`Error::Version`] if there is a record of a newer version anywhere.
fn queries_of(folder: &Path, what: &Forget) -> Result<HashSet<QueryId>> {
    let text = match what {
        Forget::Query(text) => Some(normalise_query(text)),
        Forget::QueryId(_) | Forget::Document(_) => None,
    };
    let mut queries = HashSet::new();
    if let Forget::QueryId(id) = what {
        queries.insert(*id);
    }
    for (_, path) in segment::list(folder)? {
        segment::walk(&path, &mut |part| {
            let Part::Frame { payload, .. } = part else { return Ok(()) };
            match (peek(payload).0, &text) {
                (Kind::Newer, _) => {
                    let found = payload.first().copied().map_or(0, u32::from);
                    return Err(Error::Version { path: path.clone(), found, supported: 1 });
                }
                (Kind::Impression, Some(text)) => {
                    if let Decoded::Known(Record::Impression(impression)) = Record::decode(payload)
                        && normalise_query(&impression.query) == *text
                    {
                        queries.insert(impression.query_id);
                    }
                }
                _ => {}
            }
            Ok(())
        })?;
    }
    Ok(queries)
}

/// Replaces the segment at `path` if it must change. Returns how many records went or changed.
pub(super) fn rewrite(path: &Path, what: &Forget, queries: &HashSet<QueryId>) -> Result<usize> {
    let mut kept = header().to_vec();
    let (mut changed, mut unreadable) = (0, false);
    segment::walk(path, &mut |part| {
        let Part::Frame { payload, .. } = part else {
            unreadable = true;
            return Ok(());
        };
        match Record::decode(payload) {
            Decoded::Known(record) => match fate(record, what, queries) {
                Fate::Stays => append_frame(&mut kept, payload),
                Fate::Becomes(record) => {
                    changed += 1;
                    // It is shorter than it was, so it is not too long.
                    record.encode().into_iter().for_each(|payload| append_frame(&mut kept, &payload));
                }
                Fate::Goes => changed += 1,
            },
            Decoded::Newer | Decoded::Garbage => unreadable = true,
        }
        Ok(())
    })?;
    if changed > 0 || unreadable {
        write_atomic(path, &kept)?;
    }
    Ok(changed)
}

fn fate(record: Record, what: &Forget, queries: &HashSet<QueryId>) -> Fate {
    let (query_id, named) = match (&record, what) {
        (Record::Impression(one), _) => (one.query_id, false),
        (Record::Judgement(one), Forget::Document(document)) => (one.query_id, one.document == *document),
        (Record::Judgement(one), _) => (one.query_id, false),
        (Record::Loss(_), _) => return Fate::Stays,
    };
    if named || queries.contains(&query_id) {
        return Fate::Goes;
    }
    match (record, what) {
        (Record::Impression(one), Forget::Document(document))
            if one.hits.iter().any(|hit| hit.document == *document) =>
        {
            let hits = one.hits.into_iter().filter(|hit| hit.document != *document).collect();
            Fate::Becomes(Record::Impression(Impression { hits, ..one }))
        }
        _ => Fate::Stays,
    }
}
