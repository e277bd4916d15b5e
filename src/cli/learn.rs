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
    /// Show what a round would learn and which queries would win and lose, and change nothing.
    #[arg(long)]
    dry_run: bool,
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
    let progress = &mut |progress| bars.show_learning(progress);
    if let Some(served) = args.place.served() {
        return match args.dry_run {
            true => served.dry_run(&options, progress),
            false => served.learn_now(&options, progress),
        };
    }
    let engine = args.place.open(&args.wait)?;
    let report = match args.dry_run {
        true => engine.dry_run(&options, progress)?,
        false => engine.learn(&options, progress)?,
    };
    engine.close().map(|()| report)
}
