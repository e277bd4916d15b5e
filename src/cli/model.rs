//! `retune model fetch`: makes sure that the model is on this machine.

use retune::Result;
use serde::Serialize;

use super::args::ModelFolder;
use super::print::{Output, Text};

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Fetch all-mpnet-base-v2 (438 MB) if it is missing or damaged, and print its folder.
    Fetch {
        #[command(flatten)]
        model: ModelFolder,
    },
}

#[derive(Serialize)]
struct Report {
    folder: String,
    source: String,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    let Verb::Fetch { model } = &args.verb;
    let located = model.fetch()?;
    let report = Report { folder: located.folder.display().to_string(), source: located.source.to_string() };
    out.print(&report, |report| Text::of(format!("{} ({})", report.folder, report.source)))
}
