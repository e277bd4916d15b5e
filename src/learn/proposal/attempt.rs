//! What tiers are made of, and what each comes to.

use crate::error::Result;
use crate::fusion::Fusion;
use crate::generation::Building;
use crate::learn::gate::{Gate, Verdict};
use crate::learn::input::RoundInput;
use crate::learn::mine::TrainingSet;
use crate::learn::report::TrainingReport;
use crate::learn::topic::Topic;
use crate::search::Snapshot;

/// What the tiers of a round are made of and judged by.
#[derive(Clone, Copy)]
pub(in crate::learn) struct Materials<'a> {
    pub(in crate::learn) input: &'a RoundInput<'a>,
    /// The queries to train on.
    pub(in crate::learn) topics: &'a [Topic],
    /// The training rows, where something is trained.
    pub(in crate::learn) mined: Option<&'a TrainingSet>,
    pub(in crate::learn) gate: &'a Gate<'a>,
}

/// The best way to answer so far.
#[derive(Clone, Copy)]
pub(super) struct Incumbent<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) fusion: Fusion,
}

/// Something that may be published.
pub(super) trait Proposal {
    /// What a search would see of it, beside what serves.
    fn snapshot(&self, serving: &Snapshot) -> Result<Snapshot>;

    /// The whole generation, with this fusion.
    fn build(self: Box<Self>, input: &RoundInput<'_>, fusion: Fusion) -> Result<Building>;
}

/// What a tier comes to.
pub(super) enum Attempt {
    /// Nothing that could be judged, and why.
    Nothing(&'static str),
    /// Rejected by a pool of the corpus.
    Rejected { verdict: Box<Verdict>, training: TrainingReport },
    /// For the gate to judge.
    Proposed(Proposed),
}

/// A proposal before the gate.
pub(super) struct Proposed {
    pub(super) proposal: Box<dyn Proposal>,
    /// Its fusion, if the training queries have chosen it. Else the held-out queries do.
    pub(super) fusion: Option<Fusion>,
    pub(super) training: Option<TrainingReport>,
}
