//! The input of an evaluation's page.

use std::collections::BTreeMap;

use plotters::style::RGBColor;

use super::super::colours::{BOTH, MEANING, WORDS};
use crate::eval::{Evaluation, Inventory, Metric, SEED};
use crate::measure::{CollectionReport, FolderReport, ModeScores, WeightMean};
use crate::{Fusion, Status, Took};

/// The plots show this metric if it was measured, else the first one that was.
const PLOTTED: Metric = Metric::NdcgAt(10);

/// An evaluation, ready to be drawn. Only the three evaluations are required; the page omits defaults.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EvaluationReport {
    /// The name of the collection or folder.
    pub collection: String,
    /// The split whose judgements were used, or their file.
    pub split: String,
    /// The collection's counts and oddities. `None` for a folder.
    pub inventory: Option<Inventory>,
    /// BM25 alone.
    pub lexical: Evaluation,
    /// The vectors alone.
    pub dense: Evaluation,
    /// Both, fused.
    pub hybrid: Evaluation,
    /// The seed of the bootstrap intervals. Default 42.
    pub seed: u64,
    /// The queries' texts by id.
    pub texts: BTreeMap<String, String>,
    /// How the hybrid was fused.
    pub fusion: Fusion,
    /// The hybrid's mean [`plotted`](EvaluationReport::plotted) metric by dense weight, ascending from 0 to 1.
    pub weights: Vec<WeightMean>,
    /// The times of each timed search.
    pub took_ms: Vec<Took>,
    /// Documents that were encoded for this evaluation.
    pub encoded: usize,
    /// The seconds it took to encode and add them.
    pub encode_seconds: f64,
    /// Other evaluation settings: names and values.
    pub setup: Vec<(String, String)>,
}

impl EvaluationReport {
    /// Three evaluations of the same queries by the same metrics.
    pub fn new(lexical: Evaluation, dense: Evaluation, hybrid: Evaluation) -> EvaluationReport {
        EvaluationReport {
            collection: String::new(),
            split: String::new(),
            inventory: None,
            lexical,
            dense,
            hybrid,
            seed: SEED,
            texts: BTreeMap::new(),
            fusion: Fusion::default(),
            weights: Vec::new(),
            took_ms: Vec::new(),
            encoded: 0,
            encode_seconds: 0.0,
            setup: Vec::new(),
        }
    }

    /// Sets [`weights`](EvaluationReport::weights).
    pub fn with_weights(mut self, weights: Vec<WeightMean>) -> EvaluationReport {
        self.weights = weights;
        self
    }

    /// Sets [`took_ms`](EvaluationReport::took_ms).
    pub fn with_took_ms(mut self, took_ms: Vec<Took>) -> EvaluationReport {
        self.took_ms = took_ms;
        self
    }

    /// The metric that the plots show: nDCG@10 if it is among `metrics`, else the first.
    pub fn plotted(metrics: &[Metric]) -> Metric {
        let first = metrics.first().copied().unwrap_or(PLOTTED);
        metrics.iter().copied().find(|&metric| metric == PLOTTED).unwrap_or(first)
    }

    pub(super) fn metric(&self) -> Metric {
        EvaluationReport::plotted(self.hybrid.metrics())
    }

    /// The modes in the order in which the page shows them.
    pub(super) fn modes(&self) -> [Shown<'_>; 3] {
        [
            Shown { name: "words", colour: WORDS, evaluation: &self.lexical },
            Shown { name: "meaning", colour: MEANING, evaluation: &self.dense },
            Shown { name: "both", colour: BOTH, evaluation: &self.hybrid },
        ]
    }

    /// The scores of the modes, `depth` documents deep, of an engine in this state.
    fn of(scores: &ModeScores, depth: usize, status: &Status) -> EvaluationReport {
        let evaluations = scores.evaluations.clone();
        let mut report = EvaluationReport::new(evaluations.lexical, evaluations.dense, evaluations.hybrid);
        report.fusion = status.generation.fusion;
        report.setup = setup(depth, status);
        report
    }
}

/// A mode with its colour.
pub(super) struct Shown<'a> {
    pub(super) name: &'static str,
    pub(super) colour: RGBColor,
    pub(super) evaluation: &'a Evaluation,
}

impl From<&CollectionReport> for EvaluationReport {
    fn from(measured: &CollectionReport) -> EvaluationReport {
        EvaluationReport {
            collection: measured.collection.clone(),
            split: measured.split.clone(),
            inventory: Some(measured.inventory.clone()),
            texts: measured.texts.clone(),
            took_ms: measured.took_ms.clone(),
            encoded: measured.encode.documents,
            encode_seconds: measured.encode.seconds,
            ..EvaluationReport::of(&measured.scores, CollectionReport::DEPTH, &measured.status)
        }
    }
}

impl From<&FolderReport> for EvaluationReport {
    fn from(measured: &FolderReport) -> EvaluationReport {
        EvaluationReport {
            collection: measured.folder.clone(),
            split: measured.judgements.display().to_string(),
            texts: measured.texts.clone(),
            ..EvaluationReport::of(&measured.scores, FolderReport::DEPTH, &measured.status)
        }
    }
}

fn setup(depth: usize, status: &Status) -> Vec<(String, String)> {
    let generation = &status.generation;
    let setup = [
        ("retune", env!("CARGO_PKG_VERSION").to_string()),
        ("encoder's weights (SHA-256)", generation.weights.to_string()),
        ("documents encoded in", format!("{} on {}", generation.precisions.documents, generation.hardware())),
        ("queries encoded in", format!("{} on {}", generation.precisions.queries, generation.hardware())),
        ("generation", generation.id.to_string()),
        ("language of the lexical index", status.language.to_string()),
        ("documents in the index", status.documents.to_string()),
        ("passages in the index", status.chunks.to_string()),
        ("documents of a ranking", depth.to_string()),
    ];
    setup.map(|(name, value)| (name.to_string(), value)).to_vec()
}
