//! What is said of damage in a generation.

use crate::storage::rebuild;

/// Describes a generation, in its folder.
pub(super) const META: &str = "generation.json";

/// What helps against damage in a generation that a round has made.
pub(super) const REMEDY: &str = concat!(
    "if an earlier one is kept, return to it with `retune rollback` or Engine::rollback_at; else ",
    rebuild!()
);
