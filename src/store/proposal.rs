//! What both sides propose for a query.

use crate::ids::ChunkId;

/// How many chunks are wanted of each side.
pub(crate) struct Wanted<'a> {
    /// The number of chunks by words; 0 for none.
    pub(crate) words: usize,
    /// The query's vector, if its mode has one.
    pub(crate) vector: Option<&'a [f32]>,
    pub(crate) nearest: Nearest,
}

/// Chunks by vectors.
pub(crate) enum Nearest {
    /// So many are wanted.
    Best(usize),
    /// These were found before.
    Known(Vec<(ChunkId, f32)>),
}

/// The chunks of both sides, scored by both.
#[derive(Debug, Default)]
pub(crate) struct Proposed {
    /// Ascending.
    pub(crate) chunks: Vec<ChunkId>,
    /// BM25 of each; 0 if no word matches.
    pub(crate) lexical: Vec<f32>,
    /// The cosine of each; `None` without a query vector, and for a chunk that has no vector yet.
    pub(crate) dense: Vec<Option<f32>>,
    /// The chunks by vectors with their cosines, best first.
    pub(crate) nearest: Vec<(ChunkId, f32)>,
    /// How many chunks the words have found.
    pub(crate) by_words: usize,
    /// Whether they find more than were proposed, though more were wanted.
    pub(crate) cut: bool,
    /// The least score of those.
    pub(crate) least_lexical: f32,
    pub(crate) times: Times,
}

/// How long it took, in milliseconds.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Times {
    pub(crate) lexical: f64,
    pub(crate) dense: f64,
    /// Fetching what was proposed, where it comes with its scores.
    pub(crate) records: f64,
}
