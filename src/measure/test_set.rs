//! A collection with the split that evaluates an engine.

use std::path::Path;

use crate::Reader;
use crate::engine::{Chunking, Status};
use crate::error::{Error, Result};
use crate::eval::{Collection, Inventory, Run, Split};

/// A collection with one of its splits. Everything was read once, so an invalid line is found before anything is
/// encoded.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TestSet {
    /// The collection.
    pub collection: Collection,
    /// The queries and their judgements.
    pub split: Split,
    /// The size of the collection, and its defects.
    pub inventory: Inventory,
}

impl TestSet {
    /// Reads a collection. Without `split`, uses the only split, or `test`. `limit` keeps only the first queries; it
    /// does not affect the documents.
    ///
    /// # Errors
    /// As [`Collection::open`], [`Split::read`] and [`Inventory::of`].
    pub fn read(folder: &Path, split: Option<&str>, limit: Option<usize>) -> Result<TestSet> {
        let collection = Collection::open(folder)?;
        let split = match (split, &collection.splits()[..]) {
            (Some(split), _) => split.to_string(),
            (None, [only]) => only.to_string(),
            (None, _) => "test".into(),
        };
        let split = Split::read(&collection, &split, limit)?;
        let inventory = Inventory::of(&collection, &split.qrels)?;
        Ok(TestSet { collection, split, inventory })
    }

    /// Checks that runs on this set can be written in TREC's format.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the first id of a query or document that is empty or contains white space.
    pub fn check_run_ids(&self) -> Result<()> {
        let queries = self.split.queries.iter().map(|query| query.id.as_str());
        Run::check_ids(queries.chain(self.inventory.document_ids()))
    }

    /// Checks that an index is empty or holds only this collection's documents, each as one chunk.
    ///
    /// # Errors
    /// [`Error::Invalid`] if it doesn't.
    pub(super) fn check_index(&self, engine: &Reader, status: &Status) -> Result<()> {
        let mut others = engine.documents()?;
        others.retain(|id| !self.inventory.holds(id));
        let found = match others.first() {
            Some(other) => {
                format!(
                    "an index that also has other documents ({} of them, such as {other:?})",
                    others.len()
                )
            }
            None if status.chunking == Chunking::Whole => return Ok(()),
            None => "an index of passages".into(),
        };
        Err(Error::invalid("the index", found, "one of this collection, or a new folder"))
    }
}
