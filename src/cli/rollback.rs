//! `retune rollback`.

use retune::{GenerationId, Options, Result};
use serde::Serialize;

use super::output::Output;
use super::place::Place;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    place: Place,
}

#[derive(Serialize)]
struct Report {
    generation: GenerationId,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    let engine = args.place.open(Options::default())?;
    let report = Report { generation: engine.rollback()? };
    out.print(&report, |report| format!("generation {} answers again", report.generation))?;
    engine.close()
}
