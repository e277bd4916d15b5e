//! `retune trial`: how a generation on trial does.

use retune::learn::TrialReport;
use retune::{Engine, Result};
use serde::Serialize;

use super::args::{Place, Wait};
use super::print::{Output, Text, trial_text};

#[derive(clap::Args)]
pub(super) struct Args {
    /// End the trial without a decision: the serving generation goes on alone, and the other one is removed.
    #[arg(long)]
    end: bool,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    wait: Wait,
}

#[derive(Serialize)]
struct Report {
    /// `None` if nothing is on trial.
    trial: Option<TrialReport>,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    let report = Report { trial: if args.end { end(args)? } else { look(args)? } };
    out.print(&report, |report| match &report.trial {
        Some(trial) => trial_text(trial),
        None => Text::of("nothing is on trial"),
    })
}

fn look(args: &Args) -> Result<Option<TrialReport>> {
    match args.place.served() {
        Some(served) => served.trial(),
        None => {
            let reader = args.place.open_without_model()?;
            let trial = reader.trial()?;
            reader.close()?;
            Ok(trial)
        }
    }
}

fn end(args: &Args) -> Result<Option<TrialReport>> {
    if let Some(served) = args.place.served() {
        return served.end_trial();
    }
    let engine: Engine = args.place.open(&args.wait)?;
    let trial = engine.end_trial()?;
    engine.close()?;
    Ok(trial)
}
