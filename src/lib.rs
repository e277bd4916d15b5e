//! retune: an embedded search engine that learns from what it confuses.
//!
//! Add documents, search them, and report what users pick. Their picks become training data for the encoder that ranks
//! the documents. Everything is in one folder and one process: no server, no Python, no cloud.
//!
//! ```
//! use retune::{Document, Engine, Options, Query, Verdict};
//!
//! # fn main() -> retune::Result<()> {
//! # let folder = tempfile::tempdir().unwrap();
//! # let folder = folder.path();
//! # let model = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/reference/tiny-mpnet");
//! // Without `with_model` the engine uses the model that `retune model fetch` downloaded into the cache.
//! let engine = Engine::open(folder, Options::default().with_model(model))?;
//! engine.add(vec![
//!     Document::new("faq/1", "To set a new password, open Settings.").with_title("Passwords"),
//!     Document::new("faq/2", "Invoices are sent on the first of the month.").with_title("Billing"),
//! ])?;
//!
//! let answer = engine.search(&Query::new("change my password"))?;
//! assert_eq!(answer.hits[0].document, "faq/1");
//!
//! // The encoder learns from what users pick: see `Engine::learn` and `LearnPolicy`.
//! engine.judge(answer.query_id, "faq/1", Verdict::Chosen)?;
//! engine.close()
//! # }
//! ```
//!
//! [`Engine`] is the handle to all of it. [`documents`] has what it tells of the documents that it holds. [`learn`]
//! has the options and reports of rounds of learning, [`feedback`] the log of what users saw and picked, [`exchange`]
//! its formats for others. [`eval`] scores rankings, [`extract`] reads files that are not text, [`measure`] an engine
//! on a test collection. [`trial`] lets picks decide between two rankings. [`model`] finds and fetches the encoder's
//! weights, and [`encoder`] loads them without an index. `page` draws a round or an evaluation.

#![deny(missing_docs, unsafe_op_in_unsafe_fn, clippy::unwrap_used)]

#[cfg(feature = "access")]
pub mod access;
pub mod bench;
mod clock;
mod corpus;
mod dense;
pub mod encoder;
mod engine;
mod error;
pub mod eval;
pub mod exchange;
pub mod extract;
pub mod feedback;
#[cfg(feature = "cli")]
pub mod find;
mod fusion;
#[cfg(all(feature = "formats", any(test, feature = "fuzzing")))]
#[doc(hidden)]
pub mod fuzzing;
mod generation;
mod ids;
pub mod learn;
mod lexical;
#[cfg(feature = "serve")]
pub mod mcp;
pub mod measure;
mod negatives;
#[cfg(feature = "page")]
pub mod page;
mod place;
mod search;
#[cfg(feature = "serve")]
pub mod serve;
mod storage;
mod store;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod terminal;
mod train;
pub mod trial;

/// What the index holds of documents: their fields, lists of them, counts. See [`Reader::list`], [`Reader::facets`].
pub mod documents {
    pub use crate::engine::{DocumentPage, Listing, StoredDocument, StoredPassage};
    pub use crate::lexical::{Date, FacetCount};
}

/// Indexes on an OpenSearch cluster. See [`Reader::migrate`],
/// [`Engine::learn_from_cluster`].
#[cfg(feature = "opensearch")]
pub mod cluster {
    pub use crate::engine::{
        ChangeReport, Cluster, ClusterNodes, ClusterProgress, ClusterRound, ClusterStatus, EncodeProgress,
        EncodingStatus, FeedbackCounts, ListedDocument, ListedPage, MigrateOptions, MigrateProgress,
        MigrateReport, RestoreReport, WorkerProgress, WorkerReport,
    };
}

/// Indexes of folders: what runs over them report, what is known of their files, watching. See
/// [`Engine::index_folder`], [`Engine::watch`].
pub mod folders {
    pub use crate::corpus::{SkipReason, Skipped};
    pub use crate::engine::{
        Changes, FileStatus, Folder, IndexProgress, IndexReport, WatchEvent, WatchOptions,
    };
}

pub use corpus::{CorpusOptions, Format};
pub use encoder::{Encoder, model};
pub use engine::{
    AddOptions, AddReport, AnsweredQuery, Chunking, Document, Engine, ExportedModel, Feedback,
    GenerationStatus, IdleOptions, LearnPolicy, LearnTask, ModelExport, OpenProgress, Options, QueryListing,
    QueryPage, Reader, RoundState, Status,
};
pub use error::{Error, Result};
pub use feedback::Verdict;
pub use fusion::Fusion;
pub use ids::{ChunkId, Digest, GenerationId, QueryId};
pub use learn::{Decision, LearnOptions, LearnProgress, LearnStage, RoundReport};
pub use lexical::{FieldValue, Filter, Language};
pub use place::Place;
pub use search::{Answer, Coverage, Hit, Mode, Query, Took};
