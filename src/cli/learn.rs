//! `retune learn`: runs one round of learning.

#[cfg(feature = "opensearch")]
use std::ops::ControlFlow;

#[cfg(feature = "opensearch")]
use retune::cluster::ClusterProgress;
use retune::{Result, RoundReport, page};

use super::args::{Learning, PageFile, Place, Wait};
use super::print::{Bars, Output, round_text};
#[cfg(feature = "opensearch")]
use super::print::{import_text, local_round_text, migrated_text};

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    wait: Wait,
    #[command(flatten)]
    learning: Learning,
    #[command(flatten)]
    page: PageFile,
    /// Learn for an index on an OpenSearch cluster that was migrated from this one: import what was asked and judged
    /// there, run a round, and migrate what it has made.
    #[cfg(feature = "opensearch")]
    #[arg(long, value_name = "URL", conflicts_with_all = ["dry_run", "report"])]
    store: Option<String>,
    /// Show what a round would learn and which queries would win and lose, and change nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    args.page.check()?;
    #[cfg(feature = "opensearch")]
    if let Some(store) = &args.store {
        return learn_from_cluster(store, args, out);
    }
    let report = learn(args)?;
    out.print(&report, round_text)?;
    if let Some(path) = args.page.path() {
        page::write(&report, path)?;
    }
    Ok(())
}

#[cfg(feature = "opensearch")]
fn learn_from_cluster(store: &str, args: &Args, out: &Output) -> Result<()> {
    let engine = args.place.open(&args.wait)?;
    let mut bars = Bars::default();
    let round = engine.learn_from_cluster(store, &args.learning.options(), &mut |progress| match progress {
        ClusterProgress::Learning(progress) => bars.show_learning(progress),
        ClusterProgress::Encoding(progress) => bars.show_workers(progress),
        ClusterProgress::Migrating(progress) => bars.show_migrating(progress),
        _ => ControlFlow::Continue(()),
    });
    bars.clear();
    out.print(&round?, |round| {
        let mut text = import_text(&round.imported);
        text.append(local_round_text(&round.round));
        text.append(migrated_text(&round.migrated));
        text
    })?;
    engine.close()
}

fn learn(args: &Args) -> Result<RoundReport> {
    let (options, mut bars) = (args.learning.options(), Bars::default());
    let progress = &mut |progress| bars.show_learning(progress);
    if let Some(served) = args.place.served() {
        return match args.dry_run {
            true => served.dry_run(&options, progress),
            false => served.learn_now(&options, progress),
        };
    }
    let engine = args.place.open(&args.wait)?;
    let report = match args.dry_run {
        true => engine.dry_run(&options, progress)?,
        false => engine.learn(&options, progress)?,
    };
    engine.close().map(|()| report)
}
