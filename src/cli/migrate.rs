//! `retune migrate DIR --store URL/NAME`: copies an index to a cluster, or back.

use std::path::PathBuf;

use retune::Result;
use retune::cluster::MigrateOptions;

use super::args::{StoredPlace, one_or_more};
use super::print::{Bars, Output, migrated_text, restored_text};

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
    /// Parts that the index is divided into. One is enough for some ten million passages. Default: as now, or else 1.
    #[arg(long, value_name = "N", value_parser = one_or_more())]
    shards: Option<usize>,
    /// Copies of each part beside the first: so many nodes may be lost. Default: as now, or else 1.
    #[arg(long, value_name = "N")]
    replicas: Option<u32>,
    /// The way back: make an index for DIR, which has none, of the one on the cluster.
    #[arg(long, conflicts_with_all = ["shards", "replicas"])]
    back: bool,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    if args.back {
        return back(args, out);
    }
    let reader = args.place.open_of(args.folder.as_deref())?;
    let mut options = MigrateOptions::default();
    options.shards = args.shards.map(|shards| shards as u32);
    options.replicas = args.replicas;
    let mut bars = Bars::default();
    let report = reader.migrate(&args.store, &options, &mut |progress| bars.show_migrating(progress));
    bars.clear();
    out.print(&report?, migrated_text)?;
    reader.close()
}

fn back(args: &Args, out: &Output) -> Result<()> {
    let (index, mut bars) = (args.place.new_index(args.folder.as_deref()), Bars::default());
    let cluster = args.place.open_cluster(&args.store)?;
    let report = cluster.restore(&index, &mut |progress| bars.show_migrating(progress));
    bars.clear();
    out.print(&report?, |report| restored_text(report, &index))?;
    cluster.close()
}
