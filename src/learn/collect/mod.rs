//! From the feedback log to judged queries: some to train on, some held out.

mod alike;
mod evidence;
mod held_out;
mod passages;
mod subjects;

use super::counts::Counts;
use super::evidence::LogEvidence;
use super::progress::Tracker;
use super::stage::LearnStage;
use super::topic::Topic;
use crate::error::Result;
use crate::feedback::Replay;
use crate::negatives::{Confusion, JudgedQuery, collect_confusables};
use crate::search::Snapshot;
use crate::trial::attention;
use alike::Alike;
pub(crate) use alike::is_same_need;
use evidence::EvidenceSum;
pub(crate) use held_out::is_held_out;
use passages::Passages;

/// The judgements of documents that are still in the index.
pub(super) struct Judgements {
    pub(super) training: Vec<JudgedQuery>,
    pub(super) held_out: Vec<Topic>,
    /// What the log says of those to train on.
    pub(super) evidence: LogEvidence,
}

impl Judgements {
    /// The queries to train on as topics, in order.
    pub(super) fn training_topics(&self) -> Vec<Topic> {
        let answers = |query: &JudgedQuery| -> Vec<String> {
            query.positives.iter().map(|positive| positive.document.clone()).collect()
        };
        self.training.iter().map(|query| Topic::new(&query.text, answers(query))).collect()
    }
}

/// Joins the log with the index. Counts what is dropped.
pub(super) fn collect(
    replay: &Replay,
    snapshot: &Snapshot,
    counts: &mut Counts,
    tracker: &mut Tracker<'_>,
) -> Result<Judgements> {
    tracker.report(LearnStage::Collect, 0, 1)?;
    let passages = Passages::new(snapshot);
    let mut alike = Alike { snapshot, passages: &passages, failure: None };
    let (confusions, dropped) = collect_confusables(replay, &mut alike);
    if let Some(error) = alike.failure {
        return Err(error);
    }
    dropped.each(|what, count| counts.add(what, count));
    let (mut training, mut held_out, mut evidence) = (Vec::new(), Vec::new(), EvidenceSum::default());
    let total = confusions.len();
    for (done, confusion) in confusions.iter().enumerate() {
        tracker.report(LearnStage::Collect, done, total)?;
        let positives = passages.of_all(&confusion.positives, &confusion.query)?;
        if positives.is_empty() {
            counts.add("dropped_positive_is_gone", 1);
        } else if is_held_out(&confusion.normalised) {
            let answers = positives.into_iter().map(|positive| positive.document);
            held_out.push(Topic { weight: weight(confusion), ..Topic::new(&confusion.query, answers) });
        } else {
            let query = passages.judged(confusion, positives, counts)?;
            evidence.add(confusion, &query);
            training.push(query);
        }
    }
    Ok(Judgements { training, held_out, evidence: evidence.finish() })
}

/// The share of the users who look at one hit that look at the next: between the two that a trial assumes.
const CONTINUES: f64 = 0.875;

/// The inverse of the probability that a user looked at the answer (Joachims, Swaminathan and Schnabel, "Unbiased
/// Learning-to-Rank with Biased Feedback", WSDM 2017), by how sure the answer is. Where the answer was found in other
/// words only, the list for these words failed, as if it stood far down. What was judged without being shown needs no
/// correction.
fn weight(confusion: &Confusion) -> f64 {
    let attention = |place: usize| attention(u32::try_from(place).unwrap_or(u32::MAX), CONTINUES);
    let attention = match confusion.picked_at {
        Some(place) => attention(place),
        None if confusion.is_in_other_words => attention(usize::MAX),
        None => 1.0,
    };
    confusion.weight / attention
}
