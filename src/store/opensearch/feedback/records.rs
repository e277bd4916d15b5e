//! The records of one index.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value as Json;

use super::bulk::{Batch, Sent};
use super::count::count;
use super::indices::{Ubi, prepare};
use super::latest::Latest;
use super::lookup::{beginning, find};
use super::narrowed::Narrowed;
use super::scan::Scan;
use crate::error::Result;
use crate::store::opensearch::client::Client;

/// What was asked of an index, and said of its answers. `Send` and `Sync`.
#[derive(Debug)]
pub(crate) struct Records {
    client: Arc<Client>,
    application: String,
    /// Whether both indices are there, as far as it is known.
    prepared: AtomicBool,
}

impl Records {
    /// Those of the index with this name. Asks nothing yet.
    pub(crate) fn of(client: Arc<Client>, application: String) -> Records {
        Records { client, application, prepared: AtomicBool::new(false) }
    }

    pub(crate) fn application(&self) -> &str {
        &self.application
    }

    /// Sends new records, once both indices are there.
    ///
    /// # Errors
    /// As [`Batch::send`].
    pub(crate) fn create(&self, batch: Batch) -> Result<Sent> {
        if !self.prepared.load(Ordering::Acquire) {
            Ubi::ALL.into_iter().try_for_each(|of| prepare(&self.client, of))?;
            self.prepared.store(true, Ordering::Release);
        }
        let sent = self.change(batch)?;
        if sent.no_index {
            // They were dropped since.
            self.prepared.store(false, Ordering::Release);
        }
        Ok(sent)
    }

    /// Sends changes of records.
    ///
    /// # Errors
    /// As [`Batch::send`].
    pub(crate) fn change(&self, batch: Batch) -> Result<Sent> {
        if batch.is_empty() { Ok(Sent::default()) } else { batch.send(&self.client) }
    }

    /// The fields of an answered query of this index, also of one that searches don't see yet.
    pub(crate) fn find(&self, id: &str) -> Result<Option<Json>> {
        Ok(find(&self.client, Ubi::Queries, id)?.filter(|fields| self.is_own(fields)))
    }

    /// The fields of queries of this index whose ids begin so: of some of them, if they are many.
    pub(crate) fn beginning(&self, digits: &str) -> Result<Vec<Json>> {
        const MOST: usize = 100;
        let found = beginning(&self.client, &self.application, &digits.to_ascii_lowercase(), MOST)?;
        Ok(found.into_iter().filter(|fields| self.is_own(fields)).collect())
    }

    /// Reads the records that are there now, with these fields, or with all. `None` if there is no index.
    pub(crate) fn scan<'s>(
        &'s self,
        of: Ubi,
        narrowed: Narrowed<'_>,
        fields: Option<&'s [&'s str]>,
    ) -> Result<Option<Scan<'s>>> {
        Scan::open(&self.client, of, &self.application, narrowed, fields)
    }

    /// Reads the answered queries, the latest first: from this time on backwards, in milliseconds since the Unix epoch.
    pub(crate) fn latest(&self, until_ms: Option<u64>) -> Latest<'_> {
        Latest::of(&self.client, &self.application, until_ms)
    }

    /// How many records searches can see: of events those with one of these actions.
    pub(crate) fn count(&self, of: Ubi, actions: &[&str]) -> Result<u64> {
        count(&self.client, of, &self.application, actions)
    }

    /// An address for messages.
    pub(crate) fn at(&self, of: Ubi) -> String {
        self.client.at(&format!("/{}", of.index()))
    }

    fn is_own(&self, fields: &Json) -> bool {
        fields["application"].as_str() == Some(&self.application)
    }
}
