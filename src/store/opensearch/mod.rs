//! An index on an OpenSearch cluster.
//!
//! Of an index NAME there are on the cluster:
//!
//! | name | what it is |
//! |---|---|
//! | `NAME` | an alias: on the generation that serves, or on `NAME-state` before there is one |
//! | `NAME-g000002` | a generation: chunks with their terms and vectors. Written once, then only read |
//! | `NAME-state` | the manifest of each generation, the leases of who writes and who learns, who encodes what |
//! | `NAME-weights` | the encoders that rounds have trained, in parts |
//! | `ubi_queries`, `ubi_events` | what was asked of all indexes, and said of the answers |
//!
//! A generation becomes visible by moving the alias, which fails if it is not where the mover saw it last. A reader
//! looks where the alias is, reads that generation's manifest, and searches the index by its own name: so a query is
//! never compared with vectors of another encoder.

mod address;
mod alias;
mod attempt;
mod beating;
mod beginning;
mod bulk;
mod chunk;
mod clauses;
mod client;
mod copy;
mod counting;
mod credentials;
mod difference;
mod documents;
mod encoders;
mod failure;
mod feedback;
mod filter;
mod frequencies;
mod generations;
mod health;
mod held;
mod in_bulk;
mod indices;
mod jobs;
mod kept;
mod layout;
mod lease;
mod manifest;
mod mapping;
mod pages;
mod path;
mod phrase;
mod query;
mod regexp;
mod retry;
mod scores;
mod searches;
mod state;
mod sweep;
mod terms;
mod versioned;
mod weights;

pub(crate) use address::Address;
pub(crate) use alias::{live, swap};
pub(crate) use bulk::Bulk;
pub(crate) use chunk::Passage;
pub(crate) use client::Client;
pub(crate) use copy::{copy, set_replicas};
pub(crate) use difference::Difference;
pub(crate) use documents::Listed;
pub(crate) use encoders::Encoders;
pub(crate) use feedback::{Batch, Narrowed, Record, Records, Sent, Ubi};
pub(crate) use generations::{Copies, copies, create, create_empty, existing, indexes, prepare, settle};
pub(crate) use health::{Health, health};
pub(crate) use held::Held;
pub(crate) use indices::{check_maker, drop_index};
pub(crate) use jobs::{Found, Job, Presence, Present, Slice, SliceState, SliceWatch, Standing, Target};
pub(crate) use kept::{Kept, encoded_between, records};
pub(crate) use layout::Layout;
pub(crate) use lease::{LearnerWatch, Lease};
pub(crate) use manifest::{Counts, Manifest, Names, Origin};
pub(crate) use query::DEEPEST;
pub(crate) use state::ClusterState;
pub(crate) use sweep::{OwnRound, Swept, next, sweep};
pub(crate) use versioned::Version;
pub(crate) use weights::{Parts, StoredEncoder};
