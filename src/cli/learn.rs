//! `retune learn`: runs one round of learning.

use retune::{Result, page};

use super::args::{Learning, PageFile, Place, Wait};
use super::print::{Bars, Output, round_text};

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
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    args.page.check()?;
    let engine = args.place.open(&args.wait)?;
    let mut bars = Bars::default();
    let report = engine.learn(&args.learning.options(), &mut |progress| bars.show_learning(progress))?;
    bars.clear();
    out.print(&report, round_text)?;
    if let Some(path) = args.page.path() {
        page::write(&report, path)?;
    }
    engine.close()
}
