//! A round of learning as text.

use retune::{Decision, MonitorReport, RoundReport, TierReport};

/// The report of a round.
pub(crate) fn round_text(report: &RoundReport) -> String {
    let mut text = format!(
        "round {}: {} training rows, {} held-out queries, {:.0} s",
        report.round, report.examples, report.held_out, report.seconds.total
    );
    for (source, count) in &report.sources {
        text.push_str(&format!("\n  {source}: {count}"));
    }
    if let (Some(first), Some(last)) = (report.loss.first(), report.loss.last()) {
        text.push_str(&format!("\n  loss {first:.4} → {last:.4} in {} steps", report.loss.len()));
    }
    if let Some(training) = &report.training {
        if let Some(step) = training.resumed_at {
            text.push_str(&format!("\n  went on from a checkpoint after step {step}"));
        }
        if training.stopped_by_time {
            text.push_str("\n  the time limit left steps out");
        }
        if let Some(monitor) = &training.monitor {
            text.push_str(&negatives(monitor));
        }
    }
    for TierReport { tier, gate, .. } in &report.tried {
        let passed = match gate.decision {
            Decision::Published => "passed",
            Decision::Rejected => "failed",
            Decision::Skipped => "not tried",
        };
        text.push_str(&format!("\n  {} {passed}: {}", tier.name(), gate.reason));
    }
    text.push_str(&format!(
        "\n{}: {}\ngeneration {} answers",
        report.gate.decision.name(),
        report.gate.reason,
        report.generation
    ));
    text
}

/// A line for each source of negatives: how training changed them.
fn negatives(monitor: &MonitorReport) -> String {
    let (Some(before), Some(after)) = (monitor.measurements.first(), monitor.measurements.last()) else {
        return String::new();
    };
    let mut text = String::new();
    for ((kind, before), after) in before.sources.iter().zip(after.sources.values()) {
        let percent = |count: u64| 100.0 * count as f64 / after.margin.count as f64;
        text.push_str(&format!(
            "\n  {} ({} measured): harder than the answer {:.0} % → {:.0} %, too easy {:.0} % → {:.0} %, \
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
