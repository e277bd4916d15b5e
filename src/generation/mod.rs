//! Generations: encoder weights, the dense index built with them, and fusion weights, published whole.
//!
//! A generation is a numbered folder. The file `CURRENT` names the current generation, those kept for rollback, and the
//! one on trial. Any other folder is left over from a build or a deletion, and the next writer removes it. After
//! publishing, a generation only gains vectors. What it was built with never changes.

mod build;
mod calibration;
mod candidate;
mod damage;
mod encoders;
mod export;
mod first;
mod manifest;
mod meta;
mod model_files;
mod model_source;
mod open;
#[cfg(feature = "opensearch")]
mod own;
mod publish;
mod queries;
mod query_side;
mod scratch;

pub(crate) use build::{Building, fill};
pub(crate) use candidate::Candidate;
pub(crate) use manifest::Manifest;
pub(crate) use meta::GenerationMeta;
#[cfg(feature = "opensearch")]
pub(crate) use meta::OutsideModel;
pub(crate) use model_source::ModelSource;
pub(crate) use open::{Generation, Pinned};
#[cfg(feature = "opensearch")]
pub(crate) use own::OwnEncoder;
pub(crate) use publish::{Published, collect_garbage, end_trial, promote, publish, roll_back, set_aside};
#[cfg(feature = "opensearch")]
pub(crate) use queries::QueryCache;
