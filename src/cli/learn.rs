//! `retune learn`.

use std::ops::ControlFlow;
use std::path::PathBuf;

use retune::{
    Decision, Engine, LearnOptions, LearnStage, MonitorReport, Options, Result, RoundReport, TierReport, page,
};

use super::file::check_place_of;
use super::learning::Learning;
use super::output::Output;
use super::place::Place;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    learning: Learning,
    /// Seed of the batches: two rounds with the same seed and log give the same weights.
    #[arg(long)]
    seed: Option<u64>,
    /// Draws the round as a page: one HTML file with everything in it.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    check_place_of("the report's file", args.report.as_deref())?;
    let engine = args.place.open(Options::default())?;
    let mut options = args.learning.options(args.place.model.precision);
    if let Some(seed) = args.seed {
        options.train = options.train.with_seed(seed);
    }
    let report = round(&engine, &options, out)?;
    out.print(&report, text)?;
    if let Some(path) = &args.report {
        page::write(&report, path)?;
    }
    engine.close()
}

/// One round under a progress bar.
pub(super) fn round(engine: &Engine, options: &LearnOptions, out: &Output) -> Result<RoundReport> {
    let bar = out.bar("collecting", 0);
    let report = engine.learn(options, &mut |progress| {
        bar.set_message(match progress.stage {
            LearnStage::Collect => "collecting",
            LearnStage::Train => "training",
            LearnStage::Reindex => "reindexing",
            LearnStage::Gate => "comparing",
            LearnStage::Publish => "publishing",
        });
        bar.set_length(progress.total as u64);
        bar.set_position(progress.done as u64);
        ControlFlow::Continue(())
    });
    bar.finish_and_clear();
    report
}

pub(super) fn text(report: &RoundReport) -> String {
    let mut text = format!(
        "round {}: {} examples, {} held-out queries, {:.0} s",
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
    let followed = report.followed;
    if followed.measured > 0 {
        text.push_str(&format!(
            "\n  of {} confusables {} are solved, {} come nearer in spite of training, {} are left out",
            followed.measured, followed.solved, followed.rising, followed.left_out
        ));
    }
    for TierReport { tier, gate, .. } in &report.tried {
        let passed = if gate.decision == Decision::Published { "passed" } else { "failed" };
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

/// A line for each source of negatives: what training has done to them.
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
