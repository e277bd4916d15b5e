//! What there is to import, whatever the format.

use crate::feedback::ShownHit;
use crate::ids::QueryId;

/// An answered query.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) query_id: QueryId,
    pub(super) time_ms: u64,
    pub(super) query: String,
    pub(super) words: Option<String>,
    pub(super) session: Option<String>,
    /// The documents shown, best first. Empty if the line doesn't have them.
    pub(super) hits: Vec<ShownHit>,
}

/// A document that was shown, of which nothing more is known.
pub(super) fn shown(document: String) -> ShownHit {
    ShownHit { document, chunk: None, lexical: None, dense: None, score: f32::NAN, standing: None }
}

/// Something that a user did.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) query_id: Option<QueryId>,
    pub(super) time_ms: u64,
    pub(super) action: String,
    pub(super) document: Option<String>,
    /// The place of the document in the answer.
    pub(super) ordinal: Option<f64>,
    pub(super) session: Option<String>,
}
