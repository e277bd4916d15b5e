//! Names and remedies for damage in a generation.

use crate::storage::rebuild;

/// The file that describes a generation, in its folder.
pub(super) const META: &str = "generation.json";

/// The remedy for damage in a generation that a round made.
pub(super) const REMEDY: &str = concat!(
    "if an earlier one is kept, return to it with `retune rollback` or Engine::rollback_at; else ",
    rebuild!()
);
