//! What is to be forgotten.

use super::api::ForgetRequest;
use crate::error::{Error, Result};
use crate::ids::QueryId;

/// The one thing that a request names.
pub(super) enum Forgetting<'r> {
    Query(&'r str),
    QueryId(QueryId),
    Document(&'r str),
    Everything,
}

impl Forgetting<'_> {
    /// # Errors
    /// [`Error::Invalid`] unless exactly one thing is named.
    pub(super) fn of(request: &ForgetRequest) -> Result<Forgetting<'_>> {
        match request {
            ForgetRequest { query: Some(text), query_id: None, document: None, everything: false } => {
                Ok(Forgetting::Query(text))
            }
            ForgetRequest { query: None, query_id: Some(id), document: None, everything: false } => {
                Ok(Forgetting::QueryId(*id))
            }
            ForgetRequest { query: None, query_id: None, document: Some(id), everything: false } => {
                Ok(Forgetting::Document(id))
            }
            ForgetRequest { query: None, query_id: None, document: None, everything: true } => {
                Ok(Forgetting::Everything)
            }
            _ => {
                let expected = "exactly one of query, query_id, document, everything";
                Err(Error::invalid("what to forget", "none or several", expected))
            }
        }
    }
}
