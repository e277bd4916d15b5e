//! The input of a tier, and its result.

use crate::error::Result;
use crate::fusion::Fusion;
use crate::generation::Building;
use crate::learn::gate::{Gate, Verdict};
use crate::learn::input::RoundInput;
use crate::learn::mine::TrainingSet;
use crate::learn::topic::Topic;
use crate::learn::training_report::TrainingReport;
use crate::search::Snapshot;

/// The input of all tiers of a round.
#[derive(Clone, Copy)]
pub(in crate::learn) struct Materials<'a> {
    pub(in crate::learn) input: &'a RoundInput<'a>,
    /// The queries to train on.
    pub(in crate::learn) topics: &'a [Topic],
    /// The training rows. `None` if no tier is trained.
    pub(in crate::learn) mined: Option<&'a TrainingSet>,
    pub(in crate::learn) gate: &'a Gate<'a>,
}

/// The best snapshot so far.
#[derive(Clone, Copy)]
pub(super) struct Incumbent<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) fusion: Fusion,
}

/// Something that could be published.
pub(super) trait Proposal {
    /// The snapshot that a search would see, over the documents of `serving`.
    fn snapshot(&self, serving: &Snapshot) -> Result<Snapshot>;

    /// Builds the generation, with this fusion.
    fn build(self: Box<Self>, input: &RoundInput<'_>, fusion: Fusion) -> Result<Building>;
}

/// The result of a tier.
pub(super) enum Attempt {
    /// There is nothing to judge, for this reason.
    Nothing(&'static str),
    /// Rejected on a pool of the corpus.
    Rejected { verdict: Box<Verdict>, training: TrainingReport },
    /// For the gate to judge.
    Proposed(Proposed),
}

/// A proposal before the gate.
pub(super) struct Proposed {
    pub(super) proposal: Box<dyn Proposal>,
    /// Its fusion, if the training queries chose it. Otherwise the held-out queries do.
    pub(super) fusion: Option<Fusion>,
    pub(super) training: Option<TrainingReport>,
}
