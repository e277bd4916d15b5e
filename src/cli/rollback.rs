//! `retune rollback`.

use retune::{GenerationId, Result};
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
    // By its path: the generation that is left may be one that can't be opened.
    let report = Report { generation: args.place.roll_back()? };
    out.print(&report, |report| format!("generation {} answers again", report.generation))
}
