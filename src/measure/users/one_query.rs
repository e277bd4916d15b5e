//! Users who ask one query and choose.

use crate::error::Result;
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
