//! Brings what was asked and judged on a cluster into the log of an index of this machine, which learns from it.

use std::collections::HashSet;
use std::sync::Arc;

use super::serving::reached;
use crate::engine::Feedback;
use crate::error::{Error, Result};
use crate::exchange::{ImportOptions, ImportReport, Importer};
use crate::store::opensearch::{Client, Names, Narrowed, Records, Ubi, live};

impl Feedback {
    /// Adds the queries of the index on the cluster at `store`, as [`Cluster::open`](crate::cluster::Cluster::open)
    /// takes it, and what was said of their answers. What the cluster has acknowledged by now comes along, of all
    /// processes. Returns when it is durable.
    ///
    /// This index should be the one that was migrated there: then the passages that were shown are its own. What the
    /// log has already stays as it is, so importing again brings what is new. What was forgotten here alone comes back:
    /// forget it on the cluster too.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the cluster has neither such an index nor feedback of one; [`Error::Cluster`] if it can't
    /// be asked; else as [`import`](Feedback::import). A part may be imported by then; importing again completes it.
    pub fn import_cluster(&self, store: &str, options: &ImportOptions) -> Result<ImportReport> {
        let (client, names) = reached(store)?;
        self.import_of(&client, &names, options)
    }

    pub(super) fn import_of(
        &self,
        client: &Arc<Client>,
        names: &Names,
        options: &ImportOptions,
    ) -> Result<ImportReport> {
        let records = Records::of(Arc::clone(client), names.alias().to_string());
        self.log.flush()?;
        let mut importer = Importer::new(self.log.headings()?, options);
        // Events are looked at first, and read last: so the query of each is there.
        let events = records.scan(Ubi::Events, Narrowed::No, None)?;
        let queries = records.scan(Ubi::Queries, Narrowed::No, None)?;
        let (mut report, mut read, mut documents) = (ImportReport::default(), 0, HashSet::new());
        for mut scan in [queries, events].into_iter().flatten() {
            while let Some(page) = scan.next()? {
                read += page.len();
                let imported = importer.add(page.into_iter().map(|record| record.fields));
                report.add(self.take(imported, &mut documents)?);
            }
        }
        if read == 0 && live(client, names)?.is_none() {
            return Err(Error::NotFound {
                what: "index on the cluster, and no feedback of one, with the name",
                id: names.alias().to_string(),
                remedy: "give the name that it was migrated to",
            });
        }
        Ok(report)
    }
}
