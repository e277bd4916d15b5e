//! Generations: encoder weights, the dense index built with them, and fusion weights, published whole.
//!
//! A generation is a numbered folder. The file `CURRENT` names the one that answers and those kept for a rollback;
//! a folder that it doesn't name is the leftover of a build or of a deletion and is collected by the next writer.
//! Only vectors are ever added to a published generation; what it was built with never changes.

mod build;
mod calibration;
mod candidate;
mod damage;
mod encoders;
mod manifest;
mod model_files;
mod open;
mod publish;
mod queries;
mod query_side;
mod scratch;

pub(crate) use build::{Building, fill};
pub(crate) use candidate::Candidate;
pub(crate) use manifest::Manifest;
pub(crate) use open::{Generation, GenerationMeta, Pinned};
pub(crate) use publish::{Published, collect_garbage, publish, roll_back};
