//! Which passages become semantic negatives, as options of the verbs that run a round.

use retune::{Sampling, SemanticOptions};

use super::named::named;
use super::or_none::{OrNone, or_none};

/// They have the names that `mine_hard_negatives` of sentence-transformers gives them.
#[derive(clap::Args)]
pub(super) struct Mining {
    /// The best so many semantic candidates are left out. Default 0.
    #[arg(long, value_name = "N")]
    range_min: Option<usize>,
    /// Only the best so many semantic candidates are looked at. Default: 10 for each negative that is wanted.
    #[arg(long, value_name = "N")]
    range_max: Option<usize>,
    /// No semantic negative has a lower cosine to the query.
    #[arg(long, value_name = "C", allow_negative_numbers = true)]
    min_score: Option<f32>,
    /// No semantic negative has a higher cosine to the query.
    #[arg(long, value_name = "C", allow_negative_numbers = true)]
    max_score: Option<f32>,
    /// Cosine by which each semantic negative lies behind the query's worst answer at least.
    #[arg(long, value_name = "C", allow_negative_numbers = true)]
    absolute_margin: Option<f32>,
    /// The same as a share of that answer's cosine, or `none`. Default 0.05.
    #[arg(long, value_name = "SHARE", value_parser = |text: &str| or_none(text, number), allow_negative_numbers = true)]
    relative_margin: Option<OrNone<f32>>,
    /// Which of those that would do are taken: top or random. Default top.
    #[arg(long, value_name = "HOW", value_parser = |text: &str| named(text, &SAMPLING))]
    sampling: Option<Sampling>,
}

const SAMPLING: [(&str, Sampling); 2] = [("top", Sampling::Top), ("random", Sampling::Random)];

fn number(text: &str) -> Result<f32, String> {
    text.parse().map_err(|_| "a number is wanted".into())
}

impl Mining {
    /// The defaults with what was asked for.
    pub(super) fn options(&self) -> SemanticOptions {
        let default = SemanticOptions::default();
        let relative = self.relative_margin.map_or(default.relative_margin, |OrNone(margin)| margin);
        default
            .with_range(self.range_min.unwrap_or(default.range_min), self.range_max)
            .with_scores(self.min_score, self.max_score)
            .with_absolute_margin(self.absolute_margin)
            .with_relative_margin(relative)
            .with_sampling(self.sampling.unwrap_or(default.sampling))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Verb {
        #[command(flatten)]
        mining: Mining,
    }

    fn parsed(args: &[&str]) -> Result<SemanticOptions, String> {
        let verb = Verb::try_parse_from([&["learn"], args].concat()).map_err(|error| error.to_string())?;
        Ok(verb.mining.options())
    }

    #[test]
    fn each_option_reaches_the_choice_and_nothing_leaves_the_defaults() {
        assert_eq!(parsed(&[]), Ok(SemanticOptions::default()));
        let ranks = ["--range-min", "2", "--range-max", "30", "--sampling", "random"];
        let scores = ["--min-score", "-0.1", "--max-score", "0.8", "--absolute-margin", "0.02"];
        let expected = SemanticOptions::default()
            .with_range(2, Some(30))
            .with_sampling(Sampling::Random)
            .with_scores(Some(-0.1), Some(0.8))
            .with_absolute_margin(Some(0.02));
        assert_eq!(parsed(&[&ranks[..], &scores].concat()), Ok(expected));
        let wide = SemanticOptions::default().with_relative_margin(None);
        assert_eq!(parsed(&["--relative-margin", "none"]), Ok(wide));
        assert!(parsed(&["--sampling", "best"]).unwrap_err().contains("top, random"));
        assert!(parsed(&["--relative-margin", "no"]).unwrap_err().contains("a number is wanted, or none"));
    }
}
