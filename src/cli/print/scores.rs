//! Tables of scores.

use retune::eval::{Evaluation, Interval, Metric, SEED};
use retune::measure::ModeScores;

/// The heads of the columns of [`row`].
pub(crate) fn head(metrics: &[Metric]) -> String {
    metrics.iter().map(|metric| format!("{:>12}", metric.to_string())).collect()
}

/// The means of the metrics, and the interval of the first.
pub(crate) fn row(evaluation: &Evaluation, metrics: &[Metric]) -> String {
    let mean = |metric: &Metric| format!("{:>12.4}", evaluation.mean(*metric).unwrap_or(0.0));
    let interval = metrics.first().and_then(|&first| Some((first, evaluation.interval(first, SEED)?)));
    let interval =
        interval.map(|(metric, Interval { low, high, .. })| format!("   {metric} {low:.4} to {high:.4}"));
    metrics.iter().map(mean).chain(interval).collect()
}

/// A line for each query and metric, as `trec_eval -q` prints them. Each begins with `prefix`.
pub(crate) fn query_lines(prefix: &str, evaluation: &Evaluation) -> String {
    let mut text = String::new();
    for (query, figures) in evaluation.per_query() {
        for (metric, value) in figures {
            text.push_str(&format!("{prefix}{metric}\t{query}\t{value:.6}\n"));
        }
    }
    text
}

/// The lines of every query in every mode, with an empty line after them; nothing unless the scores have them.
pub(crate) fn mode_lines(scores: &ModeScores) -> String {
    if scores.per_query.is_none() {
        return String::new();
    }
    let evaluations = &scores.evaluations;
    let modes =
        [("dense", &evaluations.dense), ("hybrid", &evaluations.hybrid), ("lexical", &evaluations.lexical)];
    let lines = modes.map(|(mode, evaluation)| query_lines(&format!("{mode}\t"), evaluation));
    lines.concat() + "\n"
}

/// The means of these metrics, a row for each mode.
pub(crate) fn mode_table(scores: &ModeScores, metrics: &[Metric]) -> String {
    let rows = scores.evaluations.iter();
    let rows = rows.map(|(mode, evaluation)| format!("\n{:10}{}", mode.name(), row(evaluation, metrics)));
    format!("{:10}{}{}", "", head(metrics), rows.collect::<String>())
}
