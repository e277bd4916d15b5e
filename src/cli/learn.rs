//! `retune learn`.

use std::ops::ControlFlow;

use retune::encoder::EncoderPrecision;
use retune::{Engine, LearnOptions, LearnStage, Options, Result, RoundReport};

use super::output::Output;
use super::place::Place;
use super::positive::positive;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    place: Place,
    /// Passes over the examples.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    epochs: Option<u32>,
    /// Rows of a batch.
    #[arg(long, value_parser = clap::value_parser!(u32).range(2..))]
    batch_size: Option<u32>,
    /// Peak learning rate.
    #[arg(long, value_parser = positive)]
    learning_rate: Option<f64>,
    /// So many of the lowest layers stay as they are: quicker steps, in less memory.
    #[arg(long, value_name = "N")]
    frozen_layers: Option<usize>,
    /// How often luck may publish what is no better, 0 to 1, or `none`: whatever is not worse is published.
    #[arg(long, value_name = "P", value_parser = significance)]
    significance: Option<Significance>,
    /// Learn the weight of the two sides alone: nothing is trained or reindexed.
    #[arg(long)]
    fusion_only: bool,
    /// Seed of the batches: two rounds with the same seed and log give the same weights.
    #[arg(long)]
    seed: Option<u64>,
}

/// `None` for no test.
#[derive(Clone, Copy)]
struct Significance(Option<f64>);

fn significance(text: &str) -> std::result::Result<Significance, String> {
    match text {
        "none" => Ok(Significance(None)),
        _ => positive(text).map(|level| Significance(Some(level))),
    }
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    let engine = args.place.open(Options::default())?;
    let mut options = LearnOptions::default();
    options.train = options.train.with_precision(match args.place.model.precision {
        EncoderPrecision::F32 => EncoderPrecision::F32,
        // There is no training in int8.
        EncoderPrecision::Bf16 | EncoderPrecision::Int8 => EncoderPrecision::Bf16,
    });
    if let Some(epochs) = args.epochs {
        options.train = options.train.with_epochs(epochs as usize);
    }
    if let Some(rows) = args.batch_size {
        options.train = options.train.with_batch_size(rows as usize);
    }
    if let Some(rate) = args.learning_rate {
        options.train = options.train.with_learning_rate(rate);
    }
    if let Some(layers) = args.frozen_layers {
        options.train = options.train.with_frozen_layers(layers);
    }
    if let Some(Significance(level)) = args.significance {
        options.gate = options.gate.with_significance(level);
    }
    options = options.with_learn_encoder(!args.fusion_only);
    if let Some(seed) = args.seed {
        options.train = options.train.with_seed(seed);
    }
    let report = round(&engine, &options, out)?;
    out.print(&report, text)?;
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
    let decision = match report.gate.decision {
        retune::Decision::Published => "published",
        retune::Decision::Rejected => "rejected",
        retune::Decision::Skipped => "skipped",
    };
    text.push_str(&format!("\n{decision}: {}\ngeneration {} answers", report.gate.reason, report.generation));
    text
}
