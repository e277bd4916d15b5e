//! Arguments that several verbs share.

mod action;
mod collection_index;
mod files;
mod fixed;
mod index_folder;
mod learning;
mod measures;
mod model;
mod place;
mod query_id;
mod scratch;
#[cfg(feature = "opensearch")]
mod store;
mod values;
mod wait;

pub(super) use action::{Action, action};
pub(super) use collection_index::CollectionIndex;
pub(super) use files::{Excluded, PageFile, RunFiles, check_writable};
pub(super) use fixed::fixed;
pub(super) use index_folder::StoredPlace;
pub(super) use learning::Learning;
pub(super) use measures::{Measures, Metrics, Over, metrics};
pub(super) use model::{Model, ModelFolder};
pub(super) use place::Place;
pub(super) use query_id::{LAST, query_id, query_id_or_last};
pub(super) use scratch::Scratch;
#[cfg(feature = "opensearch")]
pub(super) use store::{Store, open_on_cluster};
#[cfg(feature = "serve")]
pub(super) use values::duration;
pub(super) use values::{bytes, dense_weight, filter, number, one_or_more, positive};
pub(super) use wait::Wait;
