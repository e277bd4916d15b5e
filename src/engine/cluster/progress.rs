//! How far work on a cluster is.

/// How far a migration is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MigrateProgress {
    /// Passages that were sent or removed. Weights are sent before the first.
    pub done: u64,
    /// Those that are to be: all, or as many as differ from what is there.
    pub total: u64,
}

/// How far workers and the machine that learns are with the passages of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct EncodeProgress {
    /// Passages that have their vectors.
    pub done: u64,
    /// All passages that get one.
    pub total: u64,
    /// Others that encode now, beside this machine.
    pub workers: usize,
}
