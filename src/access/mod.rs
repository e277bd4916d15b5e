//! What a front end asks of an index: the page, MCP, the finder and the program's verbs.
//!
//! One face for an index that this process holds, for one that a running service holds, and for one on a cluster.
//! [`api`] has the requests and answers, which are the JSON of `/api/v1/` as docs/serve.md describes it.

mod answer;
pub mod api;
mod asking;
mod call;
#[cfg(feature = "opensearch")]
mod cluster;
mod document;
mod forgetting;
mod likeness;
mod log;
mod missing;
mod own;
mod pace;
mod part;
mod record;
mod served;
mod told;

#[cfg(feature = "serve")]
pub(crate) use call::Line;
#[cfg(all(unix, feature = "serve"))]
pub(crate) use call::{Call, Task};
pub use call::{IndexTask, Indexed, Searched};
#[cfg(feature = "opensearch")]
pub use cluster::Clustered;
pub use log::Log;
pub use own::{Own, ServedFile};
pub use record::ServiceRecord;
pub use served::Served;

use std::path::Path;

use crate::engine::{Options, Reader};
use crate::error::Result;

/// An index that answers front ends. All calls block. `Send` and `Sync`.
#[derive(Debug)]
#[non_exhaustive]
pub enum Access {
    /// This process holds the index.
    Own(Own),
    /// A running service holds it.
    Served(Served),
    /// It lies on a cluster.
    #[cfg(feature = "opensearch")]
    Clustered(Box<Clustered>),
}

/// Calls the same method on whatever answers.
macro_rules! ask {
    ($access:expr, $call:ident $(, $argument:expr)*) => {
        match $access {
            Access::Own(own) => own.$call($($argument),*),
            Access::Served(served) => served.$call($($argument),*),
            #[cfg(feature = "opensearch")]
            Access::Clustered(clustered) => clustered.$call($($argument),*),
        }
    };
}

impl Access {
    /// The index in the folder `index`: through the service that holds it, or else opened for reading, so that others
    /// can go on writing to it. The options count for the latter.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn find(index: &Path, options: Options) -> Result<Access> {
        match Served::find(index) {
            Some(served) => Ok(Access::Served(served)),
            None => Ok(Access::Own(Own::reading(Reader::open(index, options)?))),
        }
    }

    /// Answers a query.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for a request that can't be used.
    pub fn search(&self, request: &api::SearchRequest) -> Result<api::SearchAnswer> {
        ask!(self, search, request)
    }

    /// Documents that are like one, or like a passage of it. Never logged.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) for a document or passage that is not in the index.
    pub fn similar(&self, request: &api::SimilarRequest) -> Result<api::SearchAnswer> {
        ask!(self, similar, request)
    }

    /// The text of a document, or a part of it. With a query's id it is noted as opened for that query.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) for a document, passage or query that is not there.
    pub fn read(&self, request: &api::ReadRequest) -> Result<api::ReadAnswer> {
        ask!(self, read, request)
    }

    /// Records what was said of a document of an answer. Returns when it is durable.
    ///
    /// # Errors
    /// As [`Reader::judge`](crate::Reader::judge).
    pub fn judge(&self, request: &api::JudgeRequest) -> Result<()> {
        ask!(self, judge, request)
    }

    /// What the index is and does.
    pub fn status(&self) -> Result<api::StatusAnswer> {
        ask!(self, status)
    }

    /// One page of the documents; with the first one what was passed over.
    pub fn files(&self, request: &api::FilesRequest) -> Result<api::FilesAnswer> {
        ask!(self, files, request)
    }

    /// All rounds of learning, the first one first. On a cluster none: the machine that learns has them.
    pub fn rounds(&self) -> Result<Vec<api::Round>> {
        ask!(self, rounds)
    }

    /// A page of the queries that were answered, with what was said of their documents; the latest first.
    ///
    /// # Errors
    /// As [`Reader::queries`](crate::Reader::queries); [`Error::Invalid`](crate::Error::Invalid) for a page of none or
    /// of more than 1,000.
    pub fn recent(&self, request: &api::LogRequest) -> Result<api::LogAnswer> {
        ask!(self, recent, request)
    }

    /// Starts a round of learning in the background.
    ///
    /// # Errors
    /// [`Error::ReadOnly`](crate::Error::ReadOnly) where another process writes to the index; refused for an index on a
    /// cluster.
    pub fn learn(&self) -> Result<()> {
        ask!(self, learn)
    }

    /// Writes out the log of an index that this process holds, or what it has still to send to a cluster. The former
    /// ends its answers. A service goes on.
    ///
    /// # Errors
    /// As [`Reader::close`].
    pub fn close(&self) -> Result<()> {
        match self {
            Access::Own(own) => own.close(),
            Access::Served(_) => Ok(()),
            #[cfg(feature = "opensearch")]
            Access::Clustered(clustered) => clustered.close(),
        }
    }

    /// Removes a query, a document or everything from the log for good.
    ///
    /// # Errors
    /// As [`Reader::forget_query`](crate::Reader::forget_query); [`Error::Invalid`](crate::Error::Invalid) unless
    /// exactly one thing is named.
    pub fn forget(&self, request: &api::ForgetRequest) -> Result<api::Forgotten> {
        ask!(self, forget, request)
    }
}
