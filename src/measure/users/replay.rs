//! One user who asks every query of a split and picks a right document.

use std::ops::ControlFlow;

use crate::error::{Error, Result};
use crate::eval::Split;
use crate::measure::progress::{Progress, tell};
use crate::{Query, Reader, Verdict};

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
