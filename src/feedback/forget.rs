//! Permanently removes records from the log.
//!
//! Every segment with a record to forget is atomically replaced by one without it. Damaged bytes are removed from all
//! segments: they may contain what must be forgotten, and nothing else reads them. Other segments are not touched.
//! Records of a newer version can't be searched, so forgetting fails while the log has one.
//!
//! Copies of replaced files that the file system or the disk may keep are out of reach.

use std::collections::HashSet;
use std::path::Path;

use super::record::{Decoded, Impression, Kind, Record, normalise_query, peek};
use super::segment::{self, Part, header};
use crate::error::{Error, Result};
use crate::ids::QueryId;
use crate::storage::{append_frame, write_atomic};

/// What to forget.
#[derive(Debug, Clone)]
pub(super) enum Forget {
    /// Every impression of this query text, compared after normalising, with its judgements.
    Query(String),
    /// One impression with its judgements.
    QueryId(QueryId),
    /// A document in the hits of every impression, and its judgements.
    Document(String),
}

/// What to do with a record.
enum Action {
    Keep,
    Replace(Record),
    Remove,
}

/// Removes records from every segment. Returns the number of removed or changed records.
///
/// The writer must have no segment open.
pub(super) fn forget(folder: &Path, what: &Forget) -> Result<usize> {
    segment::remove_strays(folder)?;
    let queries = queries_of(folder, what)?;
    let mut changed = 0;
    // Judgements come behind their impression. Going backwards removes the query's text last, so that an interrupted
    // call can be repeated: the text still finds the rest.
    for (_, path) in segment::list(folder)?.into_iter().rev() {
        changed += rewrite(&path, what, &queries)?;
    }
    Ok(changed)
}

/// The queries whose records are all to be removed.
///
/// # Errors
/// [`Error::Version`] if the log has a record of a newer version.
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

/// Replaces the segment at `path` if it must change. Returns the number of removed or changed records.
pub(super) fn rewrite(path: &Path, what: &Forget, queries: &HashSet<QueryId>) -> Result<usize> {
    let mut kept = header().to_vec();
    let (mut changed, mut unreadable) = (0, false);
    segment::walk(path, &mut |part| {
        let Part::Frame { payload, .. } = part else {
            unreadable = true;
            return Ok(());
        };
        match Record::decode(payload) {
            Decoded::Known(record) => match action(record, what, queries) {
                Action::Keep => append_frame(&mut kept, payload),
                Action::Replace(record) => {
                    changed += 1;
                    // The record has become shorter, so it can be encoded.
                    record.encode().into_iter().for_each(|payload| append_frame(&mut kept, &payload));
                }
                Action::Remove => changed += 1,
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

fn action(record: Record, what: &Forget, queries: &HashSet<QueryId>) -> Action {
    let (query_id, named) = match (&record, what) {
        (Record::Impression(one), _) => (one.query_id, false),
        (Record::Judgement(one), Forget::Document(document)) => (one.query_id, one.document == *document),
        (Record::Judgement(one), _) => (one.query_id, false),
        (Record::Loss(_), _) => return Action::Keep,
    };
    if named || queries.contains(&query_id) {
        return Action::Remove;
    }
    match (record, what) {
        (Record::Impression(one), Forget::Document(document))
            if one.hits.iter().any(|hit| hit.document == *document) =>
        {
            let hits = one.hits.into_iter().filter(|hit| hit.document != *document).collect();
            Action::Replace(Record::Impression(Impression { hits, ..one }))
        }
        _ => Action::Keep,
    }
}
