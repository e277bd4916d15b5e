//! The page of an evaluation: what is told of every one.

use retune::Status;
use retune::page::EvaluationReport;

use super::figures::SEED;
use super::modes::{MODES, Modes};
use super::status::hardware;

/// Of the three modes, `depth` documents deep, of an engine in this state.
pub(super) fn drawn(modes: &Modes, status: &Status, depth: usize) -> EvaluationReport {
    let generation = &status.generation;
    let setup = [
        ("retune", env!("CARGO_PKG_VERSION").to_string()),
        ("encoder's weights (SHA-256)", generation.weights.to_string()),
        ("documents encoded in", format!("{} on {}", generation.precisions.documents, hardware(generation))),
        ("queries encoded in", format!("{} on {}", generation.precisions.queries, hardware(generation))),
        ("generation", generation.id.to_string()),
        ("language of the lexical index", status.language.to_string()),
        ("documents in the index", status.documents.to_string()),
        ("passages in the index", status.chunks.to_string()),
        ("documents of a ranking", depth.to_string()),
    ];
    let [lexical, dense, hybrid] = MODES.map(|mode| modes.evaluation(mode).clone());
    let mut page = EvaluationReport::new(lexical, dense, hybrid);
    page.seed = SEED;
    page.fusion = generation.fusion;
    page.setup = setup.map(|(name, value)| (name.to_string(), value)).to_vec();
    page
}
