//! Tables of figures with their intervals.

use retune::Mode;
use retune::eval::{Evaluation, Interval, Metric, SEED};
use retune::learn::ChangeIntervals;
use retune::measure::ModeScores;

use super::text::{Line, Text};

/// The columns that a mean with its interval takes, and the gap before it.
const CELL: usize = 22;

/// Each metric's mean in each mode, with its 95 % interval.
pub(crate) fn mode_table(scores: &ModeScores, metrics: &[Metric]) -> Text {
    let names = scores.evaluations.iter().map(|(mode, _)| format!("{:<CELL$}", mode.name()));
    let mut text = Text::of(format!("{:14}{}", "", names.collect::<String>()).trim_end());
    for &metric in metrics {
        let cells = scores.evaluations.iter().map(|(_, evaluation)| cell(evaluation, metric));
        text.line(format!("{:<14}{}", metric.to_string(), cells.collect::<String>()).trim_end());
    }
    text
}

/// Each metric's mean with its 95 % interval.
pub(crate) fn run_table(evaluation: &Evaluation, metrics: &[Metric]) -> Text {
    let mut text = Text::default();
    for &metric in metrics {
        text.line(format!("{:<14}{}", metric.to_string(), cell(evaluation, metric)).trim_end());
    }
    text
}

/// A mean, and in brackets the interval that it lies in.
pub(crate) fn cell(evaluation: &Evaluation, metric: Metric) -> String {
    let mean = evaluation.mean(metric).unwrap_or(0.0);
    if metric.is_count() {
        return format!("{mean:<CELL$.0}");
    }
    let interval = evaluation.interval(metric, SEED).map(interval).unwrap_or_default();
    format!("{:<CELL$}", format!("{mean:.4} {interval}"))
}

/// An interval in brackets.
pub(crate) fn interval(Interval { low, high, .. }: Interval) -> String {
    format!("({low:.3}–{high:.3})")
}

/// A figure before and after a round, and its change, each with its interval if they are known.
pub(crate) fn change(before: f64, after: f64, intervals: Option<ChangeIntervals>) -> String {
    let text = format!("{before:.4} → {after:.4}");
    intervals.map_or(text, |of| {
        let Interval { low, high, .. } = of.change;
        let (old, new, change) = (interval(of.before), interval(of.after), after - before);
        format!("{before:.4} {old} → {after:.4} {new}, {change:+.4} ({low:+.3} to {high:+.3})")
    })
}

/// A line for each query and metric, as `trec_eval -q` prints them. Each begins with `prefix`, if there is one.
pub(crate) fn query_lines(prefix: Option<&str>, evaluation: &Evaluation) -> Text {
    let mut text = Text::default();
    for (query, figures) in evaluation.per_query() {
        for (metric, value) in figures {
            let value = format!("{value:.6}");
            text.line(Line::fields(prefix.into_iter().chain([
                metric.as_str(),
                query.as_str(),
                value.as_str(),
            ])));
        }
    }
    text
}

/// The lines of every query in every mode, with an empty line after them; nothing unless the scores have them.
pub(crate) fn mode_lines(scores: &ModeScores) -> Text {
    let mut text = Text::default();
    if scores.per_query.is_some() {
        for mode in [Mode::Dense, Mode::Hybrid, Mode::Lexical] {
            text.append(query_lines(Some(mode.name()), scores.evaluations.get(mode)));
        }
        text.empty_line();
    }
    text
}
