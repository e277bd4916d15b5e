//! The records of an index on a cluster, and the queue of answers on their way there.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::queue::{FeedbackCounts, Queue};
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::exchange::{event_record, query_record};
use crate::feedback::{Impression, Judgement, Verdict};
use crate::ids::Digest;
use crate::store::opensearch::{Batch, Client, Names, Records, Ubi};

/// The records of an index, and the queue of answers on their way there.
#[derive(Debug)]
pub(super) struct Feedback {
    pub(super) records: Arc<Records>,
    queue: Queue,
    /// The time of the last judgement, in milliseconds since the Unix epoch.
    judged: AtomicU64,
}

impl Feedback {
    /// With room for so many answers in the queue. Asks nothing of the cluster yet.
    pub(super) fn of(client: &Arc<Client>, names: &Names, room: usize) -> Result<Feedback> {
        let records = Arc::new(Records::of(Arc::clone(client), names.alias().to_string()));
        let to = Arc::clone(&records);
        let queue = Queue::new(room, Box::new(move |answers| send(&to, &answers)))?;
        Ok(Feedback { records, queue, judged: AtomicU64::new(0) })
    }

    /// Queues an answer. Never waits and never fails. Returns whether there was room.
    pub(super) fn log(&self, answer: Impression) -> bool {
        self.queue.log(answer)
    }

    /// Waits until everything queued before is written or counted as lost.
    pub(super) fn flush(&self) {
        self.queue.flush();
    }

    /// Records what was said of a document in an answer. Returns when the cluster has acknowledged it.
    pub(super) fn judge(&self, answer: &Impression, document: &str, verdict: Verdict) -> Result<()> {
        let judgement = Judgement {
            query_id: answer.query_id,
            time_ms: self.time_ms(),
            document: document.to_string(),
            verdict,
        };
        let record = event_record(&judgement, answer, self.records.application());
        let record = record.map_err(|error| unwritten(&error))?;
        let mut batch = Batch::default();
        // The same again adds nothing.
        let id = Digest::of(record.as_bytes()).to_string();
        batch.create(Ubi::Events, &id[..32], &record);
        self.records.create(batch)?.all_taken(|| self.records.at(Ubi::Events))
    }

    pub(super) fn counts(&self) -> FeedbackCounts {
        self.queue.counts()
    }

    /// As [`Queue::close`].
    pub(super) fn close(&self) -> FeedbackCounts {
        self.queue.close()
    }

    /// A time after those of all judgements so far: their order is known by nothing else.
    fn time_ms(&self) -> u64 {
        let now = now_ms();
        let next = |last: u64| Some(now.max(last + 1));
        let last = self.judged.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        last.map_or(now, |last| now.max(last + 1))
    }
}

/// Sends answers. Returns how many were refused, and why the last one was.
fn send(records: &Records, answers: &[Impression]) -> Result<(u64, Option<String>)> {
    let mut batch = Batch::default();
    for one in answers {
        let record = query_record(one, records.application()).map_err(|error| unwritten(&error))?;
        batch.create(Ubi::Queries, &one.query_id.to_string(), &record);
    }
    let sent = records.create(batch)?;
    Ok((sent.refused, sent.why))
}

fn unwritten(error: &serde_json::Error) -> Error {
    Error::invalid("a record of feedback", error, "what JSON can represent")
}
