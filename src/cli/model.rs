//! `retune model fetch | export`: the encoder's model on this machine, and the one that an index has trained.

use std::path::PathBuf;

use retune::{ExportedModel, GenerationId, ModelExport, Result};
use serde::Serialize;

use super::args::{ModelFolder, StoredPlace};
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
    /// Copy the encoder of an index, as it was trained, into a folder for sentence-transformers.
    Export(Export),
}

#[derive(clap::Args)]
struct Export {
    /// A new or empty folder.
    #[arg(value_name = "DIR")]
    to: PathBuf,
    /// The encoder of this generation, of those that are kept. Default: the one that answers.
    #[arg(long, value_name = "N")]
    generation: Option<u64>,
    /// The encoder of queries, where a round has trained one for them alone (the tier query_side).
    #[arg(long)]
    queries: bool,
    #[command(flatten)]
    place: StoredPlace,
}

#[derive(Serialize)]
struct Report {
    folder: String,
    source: String,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    match &args.verb {
        Verb::Fetch { model } => fetch(model, out),
        Verb::Export(args) => export(args, out),
    }
}

fn fetch(model: &ModelFolder, out: &Output) -> Result<()> {
    let located = model.fetch()?;
    let report = Report { folder: located.folder.display().to_string(), source: located.source.to_string() };
    out.print(&report, |report| Text::of(format!("{} ({})", report.folder, report.source)))
}

fn export(args: &Export, out: &Output) -> Result<()> {
    let which = args.generation.map_or(ModelExport::default(), |generation| {
        ModelExport::default().with_generation(GenerationId(generation))
    });
    let which = if args.queries { which.of_queries() } else { which };
    let exported = args.place.open()?.export_model(&args.to, &which)?;
    out.print(&exported, |exported: &ExportedModel| {
        let what = if exported.trained { "as it was trained" } else { "not trained yet" };
        let (folder, generation) = (exported.folder.display(), exported.generation);
        Text::of(format!("{folder}: the encoder of generation {generation}, {what}"))
    })
}
