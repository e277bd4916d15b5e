//! What is measured, and over which queries.

use retune::eval::{AveragedOver, Metric};

/// The metrics of a table unless `--metrics` says otherwise. JSON has all that were measured.
const SHOWN: [Metric; 5] =
    [Metric::NdcgAt(10), Metric::MrrAt(10), Metric::Map, Metric::RecallAt(100), Metric::JudgedAt(10)];

/// The metrics.
#[derive(clap::Args)]
pub(crate) struct Measures {
    /// Metrics, such as ndcg@10, mrr, map, precision@5, recall@100, success@1, judged@10, r-precision, bpref. Default:
    /// twelve common ones; text shows five of them.
    #[arg(long, value_name = "METRIC,…", value_delimiter = ',')]
    metrics: Vec<Metric>,
}

impl Measures {
    /// The metrics that were asked for, else `usual`.
    pub(crate) fn or(&self, usual: &[Metric]) -> Vec<Metric> {
        if self.metrics.is_empty() { usual.to_vec() } else { self.metrics.clone() }
    }

    /// The metrics that a table shows.
    pub(crate) fn shown(&self) -> Vec<Metric> {
        self.or(&SHOWN)
    }
}

/// Which queries a mean is taken over.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum Over {
    /// All judged queries; one that the run lacks counts 0 (trec_eval -c).
    Judged,
    /// Queries that are judged and in the run (trec_eval without -c).
    Both,
    /// All queries with a relevant document; one that the run lacks counts 0.
    Relevant,
}

impl From<Over> for AveragedOver {
    fn from(over: Over) -> AveragedOver {
        match over {
            Over::Judged => AveragedOver::Judged,
            Over::Both => AveragedOver::InBoth,
            Over::Relevant => AveragedOver::WithRelevant,
        }
    }
}
