//! Requests and answers of the JSON API.
//!
//! Requests are flat, so that each can stand in the query of a URL. What they leave out has its default. Offsets in
//! texts count characters (Unicode scalar values).

mod documents;
mod feedback;
mod rounds;
mod search;
mod status;

pub use documents::{
    Cut, FilesAnswer, FilesRequest, ListedDocument, PassedOver, ReadAnswer, ReadPassage, ReadRequest,
};
pub use feedback::{Asked, ForgetRequest, Forgotten, JudgeRequest, LogAnswer, LogRequest, Picked};
pub use rounds::{Round, RoundQuery, RoundsAnswer};
pub use search::{At, Covered, FoundDocument, SearchAnswer, SearchRequest, SimilarRequest};
pub use status::{
    Indexing, IndexingStage, Learning, LogCounts, ModelStatus, OnCluster, OnTrial, StatusAnswer,
};
