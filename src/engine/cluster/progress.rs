//! How far a migration is.

/// How far a migration is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct MigrateProgress {
    /// Passages that were sent or removed. Weights are sent before the first.
    pub done: u64,
    /// Those that are to be: all, or as many as differ from what is there.
    pub total: u64,
}
