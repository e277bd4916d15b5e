//! What users say of answers, and forgetting it.

use serde::{Deserialize, Serialize};

use crate::feedback::Verdict;
use crate::ids::QueryId;

/// `POST judge`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JudgeRequest {
    /// The answer.
    pub query_id: QueryId,
    /// The document. It need not be one of the answer's.
    pub document: String,
    /// What is said of it.
    pub verdict: Verdict,
}

/// `POST forget`: exactly one of these.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ForgetRequest {
    /// Every query with this text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// One answered query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query_id: Option<QueryId>,
    /// A document in every answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// The whole log. What was published because of it stays; a trial ends.
    pub everything: bool,
}

/// What forgetting did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Forgotten {
    /// Records of the log that were removed or changed.
    pub records: usize,
}

/// `GET log`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct LogRequest {
    /// Only queries behind this one: `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<QueryId>,
    /// Only queries with this in their text, in any case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// Queries of a page, 1 to 1,000. Default 100.
    pub limit: usize,
}

impl LogRequest {
    /// The most queries of a page.
    pub(crate) const MOST: usize = 1000;
}

impl Default for LogRequest {
    fn default() -> LogRequest {
        LogRequest { after: None, contains: None, limit: 100 }
    }
}

/// One page of the queries that were answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LogAnswer {
    /// The latest first.
    pub queries: Vec<Asked>,
    /// Where the next page begins; none on the last one.
    pub next: Option<QueryId>,
}

/// A query that was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Asked {
    /// The answer's id.
    pub query_id: QueryId,
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// The query's text.
    pub query: String,
    /// The session that it belongs to.
    pub session: Option<String>,
    /// What was said of its documents, in the order in which it was said.
    pub picked: Vec<Picked>,
}

/// What was said of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Picked {
    /// The document.
    pub document: String,
    /// What was said of it.
    pub verdict: Verdict,
}
