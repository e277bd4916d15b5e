//! `retune bench`: measures the encoder's speed on this machine.

use retune::Result;
use retune::bench::{BenchOptions, BenchPart, BenchReport, bench};
use retune::learn::TrainOptions;

use super::args::{Model, positive};
use super::print::{Output, Text, spinner};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Number of threads. Default: all.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Measure one part only: encode, query or train.
    #[arg(long, value_name = "PART")]
    only: Option<BenchPart>,
    /// Seconds to measure each figure.
    #[arg(long, default_value_t = 3.0, value_parser = positive)]
    seconds: f64,
    /// Triplets in a training step.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(2..))]
    batch_size: u32,
    /// Number of lowest layers to keep frozen in training.
    #[arg(long, value_name = "N", default_value_t = 0)]
    frozen_layers: usize,
    #[command(flatten)]
    model: Model,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    let folder = args.model.ensure()?.folder;
    let train = TrainOptions::default()
        .with_batch_size(args.batch_size as usize)
        .with_frozen_layers(args.frozen_layers);
    let mut options = BenchOptions::default()
        .with_precision(args.model.precision)
        .with_device(args.model.device)
        .with_train(train)
        .with_seconds(args.seconds);
    if let Some(threads) = args.threads {
        options = options.with_threads(threads.into());
    }
    if let Some(part) = args.only {
        options = options.with_only(part);
    }
    let spinner = spinner();
    let report = bench(&folder, &options, &|what| spinner.set_message(what.to_string()))?;
    spinner.finish_and_clear();
    out.print(&report, text)
}

fn text(report: &BenchReport) -> Text {
    let mut text = Text::of(match report.peak_gflops {
        Some(peak) => format!(
            "{} in {} on {} threads, products at {peak:.0} GFLOP/s",
            report.kernel, report.precision, report.threads
        ),
        None => format!("{} in {}", report.device, report.precision),
    });
    for (tokens, rate) in report.encode.iter().flatten() {
        text.line(format!("{rate:8.2} documents of {tokens} tokens a second"));
    }
    if let Some(query) = report.query_ms {
        text.line(format!("{:8.2} ms a query of 12 tokens; 95 of 100 below {:.2} ms", query.p50, query.p95));
    }
    if let Some(train) = report.train {
        let memory = train.peak_rss_bytes.map(|bytes| format!(", in {:.2} GB", bytes as f64 / 1e9));
        let memory = memory.unwrap_or_default();
        text.line(format!("{:8.2} triplets a second in training{memory}", train.triplets_per_second));
    }
    text
}
