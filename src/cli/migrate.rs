//! `retune migrate DIR --store URL/NAME`: copies an index to a cluster.

use std::path::PathBuf;

use retune::Result;
use retune::cluster::{MigrateOptions, MigrateReport};

use super::args::{StoredPlace, one_or_more};
use super::print::{Bars, Output, Text};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Folder whose index is copied. Default: as --dir.
    #[arg(value_name = "DIR", conflicts_with_all = ["dir", "index"])]
    folder: Option<PathBuf>,
    #[command(flatten)]
    place: StoredPlace,
    /// Nodes of the cluster, separated by commas, and the index's name behind the last one:
    /// http://search-1:9200,http://search-2:9200/NAME. Without a name that of the folder. The environment says who
    /// asks: RETUNE_STORE_USER and RETUNE_STORE_PASSWORD, or RETUNE_STORE_API_KEY.
    #[arg(long, value_name = "URL", env = "RETUNE_STORE")]
    store: String,
    /// Parts that the index is divided into. One is enough for some ten million passages.
    #[arg(long, value_name = "N", default_value = "1", value_parser = one_or_more())]
    shards: usize,
    /// Copies of each part beside the first: so many nodes may be lost.
    #[arg(long, value_name = "N", default_value_t = 1)]
    replicas: u32,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    let reader = args.place.open_of(args.folder.as_deref())?;
    let options = MigrateOptions::default().with_shards(args.shards as u32).with_replicas(args.replicas);
    let mut bars = Bars::default();
    let report = reader.migrate(&args.store, &options, &mut |progress| bars.show_migrating(progress));
    bars.clear();
    out.print(&report?, report_text)?;
    reader.close()
}

fn report_text(report: &MigrateReport) -> Text {
    let MigrateReport { name, generation, chunks, encoded, sent, weights_bytes, seconds, .. } = report;
    let mut text = Text::of(format!("{name}: generation {generation} serves"));
    let rate = *sent as f64 / seconds.max(f64::EPSILON);
    let passages = format!("{chunks} passages, {encoded} with a vector");
    text.line(match *sent == *chunks {
        true => format!("{passages}, in {seconds:.1} s ({rate:.0}/s)"),
        false => format!("{passages}, all of them there already: {seconds:.1} s"),
    });
    if *weights_bytes > 0 {
        text.line(format!("{:.1} MB of trained weights sent", *weights_bytes as f64 / 1e6));
    }
    text
}
