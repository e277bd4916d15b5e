//! What a search asks of an index, as one narrow trait, and the two that answer it: the embedded index of this machine
//! (tantivy and our vectors), and with the feature `opensearch` a cluster.
//!
//! A [`Store`] is one pinned state: documents, words and vectors of one moment, and the generation that encodes its
//! queries. `search` fuses, groups and pages what it proposes, the same for both. Calls are dispatched statically, so
//! the embedded index pays nothing for the other one; each is so wide that a cluster answers it with one or two
//! requests.

mod coverage;
mod embedded;
#[cfg(feature = "opensearch")]
pub(crate) mod opensearch;
mod paths;
mod proposal;
mod restriction;
mod state;

pub use coverage::Coverage;
pub(crate) use embedded::Snapshot;
pub(crate) use paths::is_pattern;
pub(crate) use proposal::{Nearest, Proposed, Times, Wanted};
pub(crate) use restriction::{Asks, Restriction, Restrictions};
pub(crate) use state::{Counts, Found, Store, StoreQuery};
