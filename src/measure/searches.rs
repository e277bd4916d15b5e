//! What a collection's queries are asked of.

#[cfg(feature = "opensearch")]
use crate::engine::Cluster;
use crate::error::Result;
use crate::{Answer, Query, Reader};

/// An index that answers queries: one of this machine, or one on a cluster.
pub trait Searches {
    /// Answers a query.
    ///
    /// # Errors
    /// As [`Reader::search`].
    fn search(&self, query: &Query) -> Result<Answer>;
}

impl Searches for Reader {
    fn search(&self, query: &Query) -> Result<Answer> {
        Reader::search(self, query)
    }
}

#[cfg(feature = "opensearch")]
impl Searches for Cluster {
    fn search(&self, query: &Query) -> Result<Answer> {
        Cluster::search(self, query)
    }
}
