//! Metrics as the command line takes and prints them.

use std::collections::BTreeMap;

use retune::eval::{AveragedOver, Evaluation, Interval, Metric};

/// A map from a metric's name to its mean.
pub(super) type Figures = BTreeMap<String, f64>;

/// Of every interval and every test: the same figures every time.
pub(super) const SEED: u64 = 42;

/// What is measured unless `--metrics` says otherwise.
pub(super) const METRICS: [Metric; 12] = [
    Metric::NdcgAt(5),
    Metric::NdcgAt(10),
    Metric::NdcgAt(20),
    Metric::NdcgAt(100),
    Metric::MrrAt(10),
    Metric::MrrAt(100),
    Metric::Map,
    Metric::PrecisionAt(10),
    Metric::RecallAt(10),
    Metric::RecallAt(100),
    Metric::RecallAt(1000),
    Metric::JudgedAt(10),
];

/// Those whose means are shown in a table; `--json` has all.
const SHOWN: [Metric; 5] =
    [Metric::NdcgAt(10), Metric::MrrAt(10), Metric::Map, Metric::RecallAt(100), Metric::JudgedAt(10)];

/// What to measure, and over which queries.
#[derive(clap::Args)]
pub(super) struct Measures {
    /// Metrics, such as ndcg@10, mrr, map, precision@5, recall@100, success@1, judged@10, r-precision, bpref. Default:
    /// the usual ones, of which the text shows five.
    #[arg(long, value_name = "METRIC,…", value_delimiter = ',')]
    metrics: Vec<Metric>,
}

impl Measures {
    /// What was asked for, if anything was.
    pub(super) fn given(&self) -> Option<Vec<Metric>> {
        (!self.metrics.is_empty()).then(|| self.metrics.clone())
    }

    pub(super) fn metrics(&self) -> Vec<Metric> {
        self.given().unwrap_or_else(|| METRICS.to_vec())
    }

    /// Those that a table has room for.
    pub(super) fn shown(&self) -> Vec<Metric> {
        self.given().unwrap_or_else(|| SHOWN.to_vec())
    }
}

/// Which queries a mean is taken over.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(super) enum Over {
    /// All that are judged; those missing from the run count 0: trec_eval's -c.
    Judged,
    /// Those in both: trec_eval without -c.
    Both,
    /// All with a relevant document; those missing from the run count 0.
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

/// The means by the metrics' names.
pub(super) fn figures(evaluation: &Evaluation) -> Figures {
    evaluation
        .metrics()
        .iter()
        .map(|metric| (metric.to_string(), evaluation.mean(*metric).unwrap_or(0.0)))
        .collect()
}

/// Their 95 % intervals.
pub(super) fn intervals(evaluation: &Evaluation) -> BTreeMap<String, Interval> {
    let of = |metric: &Metric| Some((metric.to_string(), evaluation.interval(*metric, SEED)?));
    evaluation.metrics().iter().filter_map(of).collect()
}

/// Every metric of every query.
pub(super) fn by_query(evaluation: &Evaluation) -> BTreeMap<String, Figures> {
    let mut queries: BTreeMap<String, Figures> = BTreeMap::new();
    for &metric in evaluation.metrics() {
        for (query, value) in evaluation.by_query(metric).into_iter().flatten() {
            queries.entry(query.to_string()).or_default().insert(metric.to_string(), value);
        }
    }
    queries
}

/// The heads of columns of means, each twelve wide.
pub(super) fn heads(metrics: &[Metric]) -> String {
    metrics.iter().map(|metric| format!("{:>12}", metric.to_string())).collect()
}

/// A row under [`heads`], with the interval of the first metric.
pub(super) fn row(evaluation: &Evaluation, metrics: &[Metric]) -> String {
    let mean = |metric: &Metric| format!("{:>12.4}", evaluation.mean(*metric).unwrap_or(0.0));
    let interval = metrics.first().and_then(|&first| Some((first, evaluation.interval(first, SEED)?)));
    let sure =
        interval.map(|(metric, Interval { low, high, .. })| format!("   {metric} {low:.4} to {high:.4}"));
    metrics.iter().map(mean).chain(sure).collect()
}

/// A line for each query and metric, as `trec_eval -q` has them; `name` stands before each.
pub(super) fn lines_by_query(name: &str, evaluation: &Evaluation) -> String {
    let mut text = String::new();
    for (query, figures) in by_query(evaluation) {
        for (metric, value) in figures {
            text.push_str(&format!("{name}{metric}\t{query}\t{value:.6}\n"));
        }
    }
    text
}
