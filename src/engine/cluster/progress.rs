//! How far a migration is.

/// How far a migration is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct MigrateProgress {
    /// Passages that the cluster has. Weights are sent before the first.
    pub done: u64,
    /// Passages in all.
    pub total: u64,
}
