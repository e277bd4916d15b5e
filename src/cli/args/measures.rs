//! What is measured, and over which queries.

use retune::Error;
use retune::eval::{AveragedOver, Metric};

/// The metrics of a table unless `--metrics` says otherwise. JSON has all that were measured.
const SHOWN: [Metric; 5] =
    [Metric::NdcgAt(10), Metric::MrrAt(10), Metric::Map, Metric::RecallAt(100), Metric::JudgedAt(10)];

/// The metrics.
#[derive(clap::Args)]
pub(crate) struct Measures {
    /// Metrics, such as ndcg@10, mrr@10, map, precision@5, recall@100, success@1, judged@10, r-precision, bpref,
    /// err@20, rbp(p=0.8), gmap, num-rel-ret. The names of trec_eval (ndcg_cut_10), ir-measures (nDCG@10) and MTEB will
    /// do. Default: twelve common ones, of which text shows five; for a folder ndcg@10, mrr@10, success@3, recall@10.
    #[arg(long, value_name = "METRIC,…", value_parser = metrics)]
    metrics: Option<Metrics>,
}

/// Some metrics. A type of its own: clap takes a `Vec` for an option that may be given again.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Metrics(pub(crate) Vec<Metric>);

/// Names of metrics with commas between them. Commas in brackets belong to a name.
pub(crate) fn metrics(text: &str) -> Result<Metrics, Error> {
    let mut open = false;
    let names = text.split(|c: char| {
        open = c == '(' || open && c != ')';
        c == ',' && !open
    });
    Ok(Metrics(names.map(str::parse).collect::<Result<Vec<Metric>, _>>()?))
}

impl Measures {
    /// The metrics that were asked for, else `usual`.
    pub(crate) fn or(&self, usual: &[Metric]) -> Vec<Metric> {
        self.metrics.as_ref().map_or_else(|| usual.to_vec(), |Metrics(asked)| asked.clone())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_separate_metrics_but_not_their_parameters() {
        let asked = metrics("nDCG@10,RBP(rel=1,p=0.5),P_5").unwrap();
        assert_eq!(asked, Metrics(vec![Metric::NdcgAt(10), Metric::Rbp(50), Metric::PrecisionAt(5)]));
        for wrong in ["", "map,", "RBP(p=0.5,map"] {
            assert!(metrics(wrong).is_err(), "{wrong}");
        }
    }
}
