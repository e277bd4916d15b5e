//! Simulated users: they ask a query, look at the answer and pick documents.

use std::ops::ControlFlow;

use super::progress::{Progress, tell};
use crate::error::{Error, Result};
use crate::eval::{ClickModel, Query as Topic, Split};
use crate::{Query, Reader, Verdict};

/// Asks one query and judges the documents that `clicks` picks as chosen.
pub(super) fn ask(
    engine: &Reader,
    topic: &Topic,
    split: &Split,
    clicks: ClickModel,
    seed: u64,
) -> Result<()> {
    let answer = engine.search(&Query::new(topic.text.as_str()).with_copies())?;
    let relevant: Vec<bool> = answer.hits.iter().map(|hit| split.is_relevant(topic, &hit.document)).collect();
    let picked = clicks.clicks(&relevant, seed);
    for &place in &picked {
        engine.judge(answer.query_id, &answer.hits[place].document, Verdict::Chosen)?;
    }
    // A perfect user also knows the answers that were not shown.
    if clicks == ClickModel::Perfect
        && picked.is_empty()
        && let Some(document) = split.first_relevant(topic)
    {
        engine.judge(answer.query_id, document, Verdict::Chosen)?;
    }
    Ok(())
}

/// Asks every query of a split and picks one relevant document: the highest shown, or, if none was shown, the first by
/// id. Queries and picks are logged.
///
/// # Errors
/// [`Error::Invalid`] if a query has no relevant document; as [`Reader::search`] and [`Reader::judge`];
/// [`Error::Cancelled`] when `progress` breaks.
pub fn replay(
    engine: &Reader,
    split: &Split,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<()> {
    for (done, topic) in split.queries.iter().enumerate() {
        tell(progress, Progress::Asking { done, total: split.queries.len() })?;
        let answer = engine.search(&Query::new(topic.text.as_str()).with_copies())?;
        let mut shown = answer.hits.iter().map(|hit| hit.document.as_str());
        let shown = shown.find(|document| split.is_relevant(topic, document));
        let picked = shown.or_else(|| split.first_relevant(topic)).ok_or_else(|| {
            let found = format!("no answer to query {}", topic.id);
            Error::invalid("the judgements", found, "at least one")
        })?;
        engine.judge(answer.query_id, picked, Verdict::Chosen)?;
    }
    Ok(())
}
