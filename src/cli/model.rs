//! `retune model fetch`.

use retune::Result;
use serde::Serialize;

use super::output::Output;
use super::place::Model;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Fetch all-mpnet-base-v2 (438 MB) unless it is on this machine already and whole, and print its folder.
    Fetch {
        #[command(flatten)]
        model: Model,
    },
}

#[derive(Serialize)]
struct Report {
    folder: String,
    source: String,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    let Verb::Fetch { model } = &args.verb;
    let located = model.fetch(out)?;
    let report = Report { folder: located.folder.display().to_string(), source: located.source.to_string() };
    out.print(&report, |report| format!("{} ({})", report.folder, report.source))
}
