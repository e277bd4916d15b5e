//! `retune learn`: runs one round of learning.

use retune::{Result, RoundReport, page};

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
    let report = learn(args)?;
    out.print(&report, round_text)?;
    if let Some(path) = args.page.path() {
        page::write(&report, path)?;
    }
    Ok(())
}

fn learn(args: &Args) -> Result<RoundReport> {
    let (options, mut bars) = (args.learning.options(), Bars::default());
    if let Some(served) = args.place.served() {
        return served.learn_now(&options, &mut |progress| bars.show_learning(progress));
    }
    let engine = args.place.open(&args.wait)?;
    let report = engine.learn(&options, &mut |progress| bars.show_learning(progress))?;
    engine.close().map(|()| report)
}
