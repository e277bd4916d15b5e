//! Arguments that several verbs share.

mod collection_index;
mod files;
mod fixed;
mod learning;
mod measures;
mod model;
mod place;
mod scratch;
mod values;

pub(super) use collection_index::CollectionIndex;
pub(super) use files::{PageFile, RunFiles};
pub(super) use fixed::fixed;
pub(super) use learning::Learning;
pub(super) use measures::{Measures, Over};
pub(super) use model::Model;
pub(super) use place::Place;
pub(super) use scratch::Scratch;
pub(super) use values::{bytes, dense_weight, filter, one_or_more, positive};
