//! A round on its way to a cluster.

use std::time::Instant;

use super::edition::Vectors;
use super::leased::Leased;
use super::step::Learnt;
use crate::store::opensearch::Manifest;

/// What a round has published on this machine, on its way to a cluster.
pub(super) struct Round {
    /// Who has the lease of the round.
    pub(super) holder: String,
    /// What served when it began. `None` if it is no round, but an index as it is.
    pub(super) begun: Option<Learnt>,
    /// An index that has its passages already, by workers or this machine.
    pub(super) made: Option<Manifest>,
    /// How many of these this machine has sent.
    pub(super) sent: u64,
    /// Bytes of weights that it has sent.
    pub(super) weights_bytes: u64,
    /// Vectors of passages that were changed on the cluster meanwhile.
    pub(super) vectors: Vectors,
    /// When what it has published served on this machine.
    pub(super) ended: Instant,
}

impl Round {
    pub(super) fn of(leased: &Leased, begun: Option<Learnt>, made: Option<Manifest>) -> Round {
        let (holder, vectors) = (leased.lease.holder().to_string(), Vectors::default());
        Round { holder, begun, made, sent: 0, weights_bytes: 0, vectors, ended: Instant::now() }
    }
}
