//! `retune rollback`: returns to the previous generation.

use retune::{GenerationId, Result};
use serde::Serialize;

use super::args::{Place, Wait};
use super::print::{Output, Text};

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    wait: Wait,
}

#[derive(Serialize)]
struct Report {
    generation: GenerationId,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    // Without opening the index: the generation to leave may be damaged.
    let report = Report { generation: args.place.roll_back(&args.wait)? };
    out.print(&report, |report| Text::of(format!("generation {} answers again", report.generation)))
}
