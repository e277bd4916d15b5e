//! Judging and forgetting without loading a model, with and without a service.

use super::Served;
use super::api::{ForgetRequest, JudgeRequest};
use crate::engine::Feedback;
use crate::error::Result;
use crate::feedback::{Impression, Verdict};
use crate::ids::QueryId;

/// The feedback log of an index. Where a service holds the index it is asked: it may not have written yet what it has
/// just answered.
#[derive(Debug)]
#[non_exhaustive]
pub enum Log {
    /// The log itself.
    Own(Box<Feedback>),
    /// A service that holds it.
    Served(Served),
}

impl Log {
    /// As [`Feedback::last_query`].
    ///
    /// # Errors
    /// As `Feedback::last_query`.
    pub fn last_query(&self) -> Result<Option<Impression>> {
        match self {
            Log::Own(log) => log.last_query(),
            Log::Served(served) => served.last_query(),
        }
    }

    /// As [`Feedback::find_query`].
    ///
    /// # Errors
    /// As `Feedback::find_query`.
    pub fn find_query(&self, beginning: &str) -> Result<Impression> {
        match self {
            Log::Own(log) => log.find_query(beginning),
            Log::Served(served) => served.find_query(beginning),
        }
    }

    /// As [`Feedback::judge`].
    ///
    /// # Errors
    /// As `Feedback::judge`.
    pub fn judge(&self, query_id: QueryId, document: &str, verdict: Verdict) -> Result<()> {
        match self {
            Log::Own(log) => log.judge(query_id, document, verdict),
            Log::Served(served) => {
                served.judge(&JudgeRequest { query_id, document: document.to_string(), verdict })
            }
        }
    }

    /// As [`Feedback::forget_query`].
    ///
    /// # Errors
    /// As `Feedback::forget_query`.
    pub fn forget_query(&self, text: &str) -> Result<usize> {
        match self {
            Log::Own(log) => log.forget_query(text),
            Log::Served(served) => {
                forget(served, ForgetRequest { query: Some(text.to_string()), ..ForgetRequest::default() })
            }
        }
    }

    /// As [`Feedback::forget_query_id`].
    ///
    /// # Errors
    /// As `Feedback::forget_query`.
    pub fn forget_query_id(&self, query_id: QueryId) -> Result<usize> {
        match self {
            Log::Own(log) => log.forget_query_id(query_id),
            Log::Served(served) => {
                forget(served, ForgetRequest { query_id: Some(query_id), ..ForgetRequest::default() })
            }
        }
    }

    /// As [`Feedback::forget_document`].
    ///
    /// # Errors
    /// As `Feedback::forget_query`.
    pub fn forget_document(&self, document: &str) -> Result<usize> {
        match self {
            Log::Own(log) => log.forget_document(document),
            Log::Served(served) => {
                let document = Some(document.to_string());
                forget(served, ForgetRequest { document, ..ForgetRequest::default() })
            }
        }
    }

    /// As [`Feedback::close`].
    ///
    /// # Errors
    /// As `Feedback::close`.
    pub fn close(self) -> Result<()> {
        match self {
            Log::Own(log) => log.close(),
            Log::Served(_) => Ok(()),
        }
    }
}

fn forget(served: &Served, request: ForgetRequest) -> Result<usize> {
    served.forget(&request).map(|forgotten| forgotten.records)
}
