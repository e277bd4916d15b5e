//! Forgets what was asked of an index on a cluster, and said of its answers.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::Cluster;
use crate::error::{Error, Result};
use crate::exchange::{document_of, query_id_of, without_document};
use crate::feedback::normalise_query;
use crate::ids::QueryId;
use crate::store::opensearch::{Batch, Narrowed, Record, Records, Sent, Ubi};

/// The fields that queries are forgotten by.
const OF_QUERIES: &[&str] = &["application", "query_id", "user_query"];
const OF_EVENTS: &[&str] = &["application", "query_id", "event_attributes.object.object_id"];
/// Ids that one request asks for.
const IDS: usize = 500;
/// So many times others may change a record between a look and a change.
const MOST: usize = 10;

impl Cluster {
    /// Permanently removes a query from the cluster: every answer to the same normalised text, by whatever process, and
    /// its judgements. Returns how many records were removed. What other processes have not written yet stays, and so
    /// does what an index has imported: forget it there too.
    ///
    /// # Errors
    /// [`Error::Cluster`] if the cluster can't be asked or refuses it. A part may be forgotten by then: call it again.
    pub fn forget_query(&self, text: &str) -> Result<usize> {
        let text = normalise_query(text);
        let is = |query: &Json| query["user_query"].as_str().is_some_and(|one| normalise_query(one) == text);
        self.forgetting().queries(Narrowed::No, &is)
    }

    /// Permanently removes one answered query and its judgements. As [`forget_query`](Cluster::forget_query) otherwise.
    ///
    /// # Errors
    /// As `forget_query`.
    pub fn forget_query_id(&self, query_id: QueryId) -> Result<usize> {
        let (forgetting, ids) = (self.forgetting(), [query_id.to_string()]);
        let is = |record: &Json| query_id_of(record) == Some(query_id);
        // One that is not there may have judgements all the same.
        let mut forgotten = forgetting.all(Ubi::Events, Narrowed::Queries(&ids), OF_EVENTS, &is)?;
        forgotten += forgetting.all(Ubi::Queries, Narrowed::Queries(&ids), OF_QUERIES, &is)?;
        match forgotten {
            // Others call their queries as they like.
            0 => forgetting.queries(Narrowed::No, &is),
            forgotten => Ok(forgotten),
        }
    }

    /// Permanently removes a document from all answers, and its judgements. The document itself stays in the index.
    /// Returns how many records changed. As [`forget_query`](Cluster::forget_query) otherwise.
    ///
    /// # Errors
    /// As `forget_query`.
    pub fn forget_document(&self, document: &str) -> Result<usize> {
        let forgetting = self.forgetting();
        let is = |event: &Json| document_of(event).as_deref() == Some(document);
        let said = forgetting.all(Ubi::Events, Narrowed::Document(document), OF_EVENTS, &is)?;
        let shown = until_none_has_changed(|| {
            forgetting.pages(Ubi::Queries, Narrowed::Shown(document), None, &mut |records| {
                let mut batch = Batch::default();
                for record in records {
                    let mut fields = record.fields.clone();
                    if without_document(&mut fields, document) {
                        batch.replace(&record, &fields);
                    }
                }
                forgetting.send(Ubi::Queries, batch)
            })
        })?;
        Ok(said + shown)
    }

    /// Permanently removes all queries and judgements of this index. Returns how many records were removed. As
    /// [`forget_query`](Cluster::forget_query) otherwise.
    ///
    /// # Errors
    /// As `forget_query`.
    pub fn forget_everything(&self) -> Result<usize> {
        let forgetting = self.forgetting();
        // Else an event could be left whose query nobody finds any more.
        let said = forgetting.all(Ubi::Events, Narrowed::No, OF_EVENTS, &|_| true)?;
        Ok(said + forgetting.all(Ubi::Queries, Narrowed::No, OF_QUERIES, &|_| true)?)
    }

    /// What is in this process's queue is to be forgotten too.
    fn forgetting(&self) -> Forgetting<'_> {
        self.feedback.flush();
        Forgetting { records: &self.feedback.records }
    }
}

struct Forgetting<'c> {
    records: &'c Records,
}

/// How much was done, and whether others came in between.
type Done = (usize, bool);

impl Forgetting<'_> {
    /// Removes queries and their judgements: these first, so that if it is interrupted, the query still finds them.
    fn queries(&self, narrowed: Narrowed<'_>, is: &dyn Fn(&Json) -> bool) -> Result<usize> {
        until_none_has_changed(|| {
            self.pages(Ubi::Queries, narrowed, Some(OF_QUERIES), &mut |mut records| {
                records.retain(|record| is(&record.fields));
                let ids: BTreeSet<&str> =
                    records.iter().filter_map(|record| record.fields["query_id"].as_str()).collect();
                let ids: Vec<String> = ids.into_iter().map(str::to_string).collect();
                let mut said = 0;
                for ids in ids.chunks(IDS) {
                    let of_one = |event: &Json| {
                        event["query_id"].as_str().is_some_and(|id| ids.iter().any(|one| one == id))
                    };
                    said += self.all(Ubi::Events, Narrowed::Queries(ids), OF_EVENTS, &of_one)?;
                }
                let (asked, again) = self.send(Ubi::Queries, removals(&records))?;
                Ok((said + asked, again))
            })
        })
    }

    /// Removes all records that it `is`.
    fn all(
        &self,
        of: Ubi,
        narrowed: Narrowed<'_>,
        fields: &[&str],
        is: &dyn Fn(&Json) -> bool,
    ) -> Result<usize> {
        until_none_has_changed(|| {
            self.pages(of, narrowed, Some(fields), &mut |mut records| {
                records.retain(|record| is(&record.fields));
                self.send(of, removals(&records))
            })
        })
    }

    /// Does something with each page of what is there.
    fn pages(
        &self,
        of: Ubi,
        narrowed: Narrowed<'_>,
        fields: Option<&[&str]>,
        with: &mut dyn FnMut(Vec<Record>) -> Result<Done>,
    ) -> Result<Done> {
        let mut all = (0, false);
        let Some(mut scan) = self.records.scan(of, narrowed, fields)? else { return Ok(all) };
        while let Some(records) = scan.next()? {
            let (done, again) = with(records)?;
            all = (all.0 + done, all.1 | again);
        }
        Ok(all)
    }

    fn send(&self, of: Ubi, batch: Batch) -> Result<Done> {
        let sent = self.records.change(batch)?;
        sent.all_taken(|| self.records.at(of))?;
        let Sent { done, changed_since, .. } = sent;
        Ok((done as usize, changed_since > 0))
    }
}

fn removals(records: &[Record]) -> Batch {
    let mut batch = Batch::default();
    records.iter().for_each(|record| batch.remove(record));
    batch
}

/// Does it again while others change records between its look at them and its change of them.
fn until_none_has_changed(mut once: impl FnMut() -> Result<Done>) -> Result<usize> {
    let mut all = 0;
    for _ in 0..MOST {
        let (done, again) = once()?;
        all += done;
        if !again {
            return Ok(all);
        }
    }
    Err(Error::Cluster {
        doing: "forget",
        at: "what the index was asked".into(),
        found: "records that others changed again and again".into(),
        remedy: "call it again",
    })
}
