//! A round of learning as text.

use retune::learn::{ChangeIntervals, GuardScores, MonitorReport, Ruling, TierReport};
use retune::{Decision, RoundReport};

use super::dry_run::{closing, evidence_text, queries_text};
use super::figures::change;
use super::text::Text;
use super::trial::trial_text;

/// The report of a round.
pub(crate) fn round_text(report: &RoundReport) -> Text {
    text_of(report, "answers")
}

/// The same where another generation answers elsewhere.
#[cfg(feature = "opensearch")]
pub(crate) fn local_round_text(report: &RoundReport) -> Text {
    text_of(report, "answers on this machine")
}

fn text_of(report: &RoundReport, answers: &str) -> Text {
    let (kind, would) = if report.dry_run { ("dry run of round", "would be ") } else { ("round", "") };
    let mut text = Text::of(format!(
        "{kind} {}: {} training rows, {} held-out queries, {:.0} s",
        report.round, report.examples, report.held_out, report.seconds.total
    ));
    for (source, count) in &report.sources {
        text.line(format!("  {source}: {count}"));
    }
    if let (Some(first), Some(last)) = (report.loss.first(), report.loss.last()) {
        text.line(format!("  loss {first:.4} → {last:.4} in {} steps", report.loss.len()));
    }
    if let Some(training) = &report.training {
        if let Some(step) = training.resumed_at {
            text.line(format!("  went on from a checkpoint after step {step}"));
        }
        if training.stopped_by_time {
            text.line("  the time limit left steps out");
        }
        if let Some(monitor) = &training.monitor {
            text.append(negatives(monitor));
        }
    }
    for TierReport { tier, gate, .. } in &report.tried {
        let passed = match gate.decision {
            Decision::Published => "passed",
            Decision::Skipped => "not tried",
            _ => "failed",
        };
        text.line(format!("  {} {passed}: {}", tier.name(), gate.reason));
    }
    if let Some(evidence) = &report.evidence {
        text.append(evidence_text(evidence));
    }
    if let Some(queries) = report.queries.as_ref().filter(|_| report.dry_run) {
        text.append(queries_text(queries));
    }
    text.line(format!("{would}{}: {}", report.gate.decision.name(), report.gate.reason));
    figures(&report.gate).into_iter().for_each(|line| text.line(line));
    if let Some(trial) = &report.trial {
        text.append(trial_text(trial));
    }
    text.line(match report.dry_run {
        true => closing(report),
        false => format!("generation {} {answers}", report.generation),
    });
    text
}

/// A line for each figure of the gate.
fn figures(gate: &Ruling) -> Vec<String> {
    let (Some(before), Some(after)) = (gate.before, gate.after) else { return Vec::new() };
    let (of_hybrid, of_dense) = gate.intervals.map(|both| (both.hybrid, both.dense)).unzip();
    let mut lines = Vec::new();
    for (mode, old, new, intervals) in
        [("hybrid", before.hybrid, after.hybrid, of_hybrid), ("dense", before.dense, after.dense, of_dense)]
    {
        let mut add = |name: &str, old: f64, new: f64, intervals: Option<ChangeIntervals>| {
            lines.push(format!("  {mode} {name} {}", change(old, new, intervals)));
        };
        add("nDCG@10", old.ndcg_10, new.ndcg_10, intervals.map(|all| all.ndcg_10));
        add("MRR@10", old.mrr_10, new.mrr_10, intervals.map(|all| all.mrr_10));
        add("GMAP@20", old.gmap_20, new.gmap_20, intervals.map(|all| all.gmap_20));
    }
    for (name, scores) in [("golden queries", gate.golden), ("titles", gate.guard)] {
        if let Some(GuardScores { before, after, intervals, .. }) = scores {
            lines.push(format!("  {name} nDCG@10 {}", change(before, after, intervals)));
        }
    }
    lines
}

/// A line for each source of negatives: how training changed them.
fn negatives(monitor: &MonitorReport) -> Text {
    let mut text = Text::default();
    let (Some(before), Some(after)) = (monitor.measurements.first(), monitor.measurements.last()) else {
        return text;
    };
    for ((kind, before), after) in before.sources.iter().zip(after.sources.values()) {
        let percent = |count: u64| 100.0 * count as f64 / after.margin.count as f64;
        text.line(format!(
            "  {} ({} measured): harder than the answer {:.0} % → {:.0} %, too easy {:.0} % → {:.0} %, \
             median margin {:.3} → {:.3}; {} resolved, {} grown harder, {} may be answers",
            kind.name(),
            after.margin.count,
            percent(before.harder),
            percent(after.harder),
            percent(before.too_easy),
            percent(after.too_easy),
            before.margin.quantiles.p50,
            after.margin.quantiles.p50,
            after.moved.resolved,
            after.moved.harder,
            after.suspected,
        ));
    }
    text
}
