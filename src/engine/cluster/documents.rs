//! The documents of an index on a cluster.

use std::collections::BTreeMap;

use super::Cluster;
use crate::engine::{Listing, StoredDocument};
use crate::error::Result;
use crate::lexical::FieldValue;
use crate::search::Coverage;
use crate::store::opensearch::Listed;

/// A document of an index on a cluster, without its text.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ListedDocument {
    /// Its id.
    pub id: String,
    /// As [`StoredDocument::title`].
    pub title: String,
    /// What it can be filtered by.
    pub fields: BTreeMap<String, FieldValue>,
    /// Its passages, and how many of them have vectors.
    pub coverage: Coverage,
}

/// Some of the documents of an index on a cluster, in the order of their ids.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct ListedPage {
    /// The documents.
    pub documents: Vec<ListedDocument>,
    /// Where the next page begins. None on the last page.
    pub next: Option<String>,
}

impl Cluster {
    /// The document with this id, with all its passages. `None` if there is none.
    ///
    /// # Errors
    /// [`Error::Cluster`](crate::Error::Cluster) if the cluster can't be asked.
    pub fn get(&self, document: &str) -> Result<Option<StoredDocument>> {
        let chunks = self.following.ask(|state| state.chunks_of(document))?;
        Ok((!chunks.is_empty()).then(|| StoredDocument::of(document, chunks)))
    }

    /// One page of the documents, as [`Reader::list`](crate::Reader::list) gives it, without their texts. Another
    /// generation may serve the next page.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for a limit of 0 or above 10,000, and for a filter as of
    /// [`Cluster::search`]; [`Error::Cluster`](crate::Error::Cluster) if the cluster can't be asked.
    pub fn list(&self, listing: &Listing) -> Result<ListedPage> {
        let limit = listing.checked_limit()?;
        // One more tells whether there is a next page.
        let mut listed = self
            .following
            .ask(|state| state.documents(listing.filter.as_ref(), listing.after.as_deref(), limit + 1))?;
        let more = listed.len() > limit;
        listed.truncate(limit);
        let documents: Vec<ListedDocument> = listed.into_iter().map(ListedDocument::from).collect();
        let next = documents.last().filter(|_| more).map(|last| last.id.clone());
        Ok(ListedPage { documents, next })
    }
}

impl From<Listed> for ListedDocument {
    fn from(Listed { first, coverage }: Listed) -> ListedDocument {
        let StoredDocument { id, title, fields, .. } =
            StoredDocument::of(&first.document.clone(), vec![first]);
        ListedDocument { id, title, fields, coverage }
    }
}
