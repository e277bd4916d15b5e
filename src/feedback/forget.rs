//! Permanently removes records from the log.
//!
//! First all segments are sealed, including those that others append to. Then every segment with a record to forget is
//! atomically replaced by one without it. Damaged bytes are removed from all segments: they may contain what must be
//! forgotten, and nothing else reads them. Other segments are not touched. Records of a newer version can't be
//! searched, so forgetting fails while the log has one.
//!
//! Records in the queues of other handles are written later, and stay. Copies of replaced files that the file system or
//! the disk may keep are out of reach.

use std::collections::HashSet;
use std::path::Path;
use std::time::{Duration, Instant};

use super::options::FeedbackOptions;
use super::record::{Decoded, Impression, Kind, Record, VERSION, normalise_query, peek};
use super::seal::{Damaged, Maintenance, write_sealed};
use super::segment::{self, Opened, Part, Segment};
use crate::error::{Error, Result};
use crate::ids::QueryId;

/// An append takes no longer than this, unless the disk hangs or the process is stopped.
const AN_APPEND: Duration = Duration::from_secs(1);

/// What to forget.
#[derive(Debug, Clone)]
pub(super) enum Forget {
    /// Every impression of this query text, compared after normalising, with its judgements.
    Query(String),
    /// One impression with its judgements.
    QueryId(QueryId),
    /// A document in the hits of every impression, and its judgements.
    Document(String),
    /// All impressions and judgements.
    Everything,
}

/// What to do with a record.
enum Action {
    Keep,
    Replace(Record),
    Remove,
}

/// Judgements are removed first: if the call is interrupted and repeated, a query's text still finds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    Judgements,
    Impressions,
}

/// Removes records from every segment. Returns the number of removed or changed records. Waits for at most `wait` for
/// others that replace segments.
pub(super) fn forget(
    folder: &Path,
    what: &Forget,
    options: &FeedbackOptions,
    wait: Duration,
) -> Result<usize> {
    let maintenance = Maintenance::begin(folder, wait)?;
    let deadline = Instant::now() + wait.max(AN_APPEND);
    if maintenance.seal(options.segment_bytes, Damaged::AreCut, deadline)?.busy {
        return Err(Error::Locked { path: folder.to_path_buf(), holder: None });
    }
    // Live segments that started since then only have later records.
    let sealed = || -> Result<Vec<Opened>> {
        let segments = segment::list(folder)?.into_iter().filter(Segment::is_sealed);
        segments.map(Opened::new).collect()
    };
    let queries = queries_of(&sealed()?, what)?;
    let mut changed = 0;
    for pass in [Pass::Judgements, Pass::Impressions] {
        for opened in sealed()? {
            changed += rewrite(&opened, what, &queries, pass)?;
        }
    }
    Ok(changed)
}

/// The queries whose records are all to be removed.
///
/// # Errors
/// [`Error::Version`] if a segment has a record of a newer version.
fn queries_of(segments: &[Opened], what: &Forget) -> Result<HashSet<QueryId>> {
    let text = match what {
        Forget::Query(text) => Some(normalise_query(text)),
        Forget::QueryId(_) | Forget::Document(_) | Forget::Everything => None,
    };
    let mut queries = HashSet::new();
    if let Forget::QueryId(id) = what {
        queries.insert(*id);
    }
    for opened in segments {
        opened.walk(&mut |part| {
            let Part::Frame { payload, .. } = part else { return Ok(()) };
            match (peek(payload).0, &text) {
                (Kind::Newer, _) => {
                    let (path, found) = (opened.segment.path.clone(), payload.first().copied());
                    let (found, supported) = (found.map_or(0, u32::from), u32::from(VERSION));
                    return Err(Error::Version { path, found, supported });
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

/// Replaces a sealed segment if it must change. Returns the number of removed or changed records.
pub(super) fn rewrite(
    opened: &Opened,
    what: &Forget,
    queries: &HashSet<QueryId>,
    pass: Pass,
) -> Result<usize> {
    let mut kept: Vec<Vec<u8>> = Vec::new();
    let (mut changed, mut unreadable) = (0, false);
    opened.walk(&mut |part| {
        let Part::Frame { payload, .. } = part else {
            unreadable = true;
            return Ok(());
        };
        match Record::decode(payload) {
            Decoded::Known(record) => match action(record, what, queries, pass) {
                Action::Keep => kept.push(payload.to_vec()),
                Action::Replace(record) => {
                    changed += 1;
                    // The record has become shorter, so it can be encoded.
                    kept.extend(record.encode());
                }
                Action::Remove => changed += 1,
            },
            Decoded::Newer | Decoded::Garbage => unreadable = true,
        }
        Ok(())
    })?;
    if changed > 0 || unreadable {
        write_sealed(&opened.segment, kept.iter().map(Vec::as_slice))?;
    }
    Ok(changed)
}

fn action(record: Record, what: &Forget, queries: &HashSet<QueryId>, pass: Pass) -> Action {
    let (query_id, named) = match (&record, what) {
        (Record::Impression(_), _) if pass == Pass::Judgements => return Action::Keep,
        (Record::Impression(one), _) => (one.query_id, false),
        (Record::Judgement(one), Forget::Document(document)) => (one.query_id, one.document == *document),
        (Record::Judgement(one), _) => (one.query_id, false),
        (Record::Loss(_) | Record::Replaced(_), _) => return Action::Keep,
    };
    if named || queries.contains(&query_id) || matches!(what, Forget::Everything) {
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
