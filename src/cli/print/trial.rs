//! A trial as text.

use retune::learn::TrialReport;

use super::text::Text;

/// How a trial goes on, or how it has ended.
pub(crate) fn trial_text(trial: &TrialReport) -> Text {
    let TrialReport { candidate, serving, tier, round, most_votes, .. } = trial;
    let what = match trial.is_running() {
        true => format!("generation {candidate} is on trial beside generation {serving}"),
        false => format!("generation {candidate} was on trial beside generation {serving}"),
    };
    let mut text = Text::of(format!("{what}, since round {round}: {}", tier.name()));
    if let Some(before) = trial.in_place_of {
        text.line(format!(
            "  it took the place of generation {before}, and what was said against that counts"
        ));
    }
    text.line(format!("  {}", trial.verdict()));
    if trial.is_running() {
        text.line(format!(
            "  it is published at {:.1}, rejected at {:.1}, and ends undecided after {most_votes} votes",
            trial.publish_at, trial.reject_at
        ));
        text.line("  `retune serve` has both answer; a need votes ten minutes after its last pick");
    }
    text
}
