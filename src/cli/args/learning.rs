//! Options of a round of learning.

use std::time::Duration;

use retune::LearnOptions;
use retune::learn::{NegativeCounts, NegativeScope, Tier, TrainOptions};

use super::values::{OrNone, duration, named, or_none, positive};

/// Options of a round.
#[derive(clap::Args)]
pub(crate) struct Learning {
    /// What to try: fusion, query-side, encoder. Default: fusion,encoder, within --reindex-budget.
    #[arg(long, value_name = "TIER,…", value_delimiter = ',', value_parser = |text: &str| named(text, &TIERS))]
    tiers: Option<Vec<Tier>>,
    /// Longest time in which all chunks may be encoded anew, such as 30m or 8h; else only the encoder of queries
    /// learns, unless --tiers says what to try. "none" for no limit. Default: 8h.
    #[arg(long, value_name = "TIME", value_parser = |text: &str| or_none(text, duration))]
    reindex_budget: Option<OrNone<Duration>>,
    /// Training rows in a batch. Default: 16.
    #[arg(long, value_parser = clap::value_parser!(u32).range(2..))]
    batch_size: Option<u32>,
    /// Peak learning rate. Default: 1e-4.
    #[arg(long, value_parser = positive)]
    learning_rate: Option<f64>,
    /// Number of lowest layers to keep frozen. Default: half of them.
    #[arg(long, value_name = "N")]
    frozen_layers: Option<usize>,
    /// Hard negatives of a row by source: confusable,semantic,adversarial. Default: 2,1,0.
    #[arg(long, value_name = "C,S,A", value_parser = counts)]
    negatives: Option<NegativeCounts>,
    /// Which anchors see a row's hard negatives: batch, own_anchor or auto. Default: auto.
    #[arg(long, value_parser = |text: &str| named(text, &SCOPES))]
    scope: Option<NegativeScope>,
    /// Also train on hard negatives moved towards the anchor by this share of their length, above 0 to 1.
    #[arg(long, value_name = "EPSILON", value_parser = epsilon)]
    gradient_negatives: Option<f32>,
    /// Leave out candidates above this quantile of the corpus's own margins as suspected answers, above 0 to 1.
    #[arg(long, value_name = "Q", value_parser = positive)]
    suspect_quantile: Option<f64>,
    /// The gate's alpha budget, above 0 to 1; "none" to publish whatever is not worse. Default: 0.2.
    #[arg(long, value_name = "ALPHA", value_parser = |text: &str| or_none(text, positive))]
    significance: Option<OrNone<f64>>,
    /// Threads to learn on. Default: all.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    threads: Option<u32>,
    /// Stop training after this many seconds, however many steps are left.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    time_limit: Option<Duration>,
    /// Seed: the same seed and log give the same weights. Default: 42.
    #[arg(long)]
    seed: Option<u64>,
}

const TIERS: [(&str, Tier); Tier::ALL.len()] =
    [("fusion", Tier::Fusion), ("query-side", Tier::QuerySide), ("encoder", Tier::Encoder)];
const SCOPES: [(&str, NegativeScope); 3] = [
    ("batch", NegativeScope::Batch),
    ("own_anchor", NegativeScope::OwnAnchor),
    ("auto", NegativeScope::Auto),
];

fn seconds(text: &str) -> Result<Duration, String> {
    Duration::try_from_secs_f64(positive(text)?).map_err(|error| error.to_string())
}

fn epsilon(text: &str) -> Result<f32, String> {
    let epsilon = positive(text)? as f32;
    let options = TrainOptions::default().with_gradient_negatives(Some(epsilon));
    options.validate().map(|()| epsilon).map_err(|error| error.to_string())
}

fn counts(text: &str) -> Result<NegativeCounts, String> {
    let counts: Vec<usize> =
        text.split(',').map(str::parse).collect::<Result<_, _>>().map_err(|e| format!("{e}"))?;
    match counts[..] {
        [confusable, semantic, adversarial] => Ok(NegativeCounts::new(confusable, semantic, adversarial)),
        _ => Err("expected three numbers".into()),
    }
}

impl Learning {
    /// The options of a round.
    pub(crate) fn options(&self) -> LearnOptions {
        let mut train = TrainOptions::default().with_time_limit(self.time_limit);
        train = train.with_gradient_negatives(self.gradient_negatives);
        if let Some(rows) = self.batch_size {
            train = train.with_batch_size(rows as usize);
        }
        if let Some(rate) = self.learning_rate {
            train = train.with_learning_rate(rate);
        }
        if let Some(layers) = self.frozen_layers {
            train = train.with_frozen_layers(layers);
        }
        if let Some(scope) = self.scope {
            train = train.with_scope(scope);
        }
        if let Some(seed) = self.seed {
            train = train.with_seed(seed);
        }
        let mut options = LearnOptions::default()
            .with_train(train)
            .with_suspect_quantile(self.suspect_quantile.map(|quantile| quantile as f32))
            .with_threads(self.threads.map(|threads| threads as usize));
        if let Some(tiers) = &self.tiers {
            options = options.with_tiers(tiers);
        }
        if let Some(OrNone(budget)) = self.reindex_budget {
            options = options.with_reindex_budget(budget);
        }
        if let Some(counts) = self.negatives {
            options = options.with_negatives(counts);
        }
        if let Some(OrNone(level)) = self.significance {
            options = options.with_significance(level);
        }
        options
    }

    /// The seed, if one was asked for.
    pub(crate) fn seed(&self) -> Option<u64> {
        self.seed
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Verb {
        #[command(flatten)]
        learning: Learning,
    }

    fn parsed(args: &[&str]) -> Result<LearnOptions, String> {
        let verb = Verb::try_parse_from([&["learn"], args].concat()).map_err(|error| error.to_string())?;
        Ok(verb.learning.options())
    }

    #[test]
    fn nothing_asked_for_leaves_the_defaults() {
        assert_eq!(parsed(&[]), Ok(LearnOptions::default()));
    }

    #[test]
    fn each_option_reaches_the_round() {
        let args = ["--tiers", "query-side", "--batch-size", "8", "--learning-rate", "0.01"];
        let more = ["--frozen-layers", "2", "--negatives", "1,2,3", "--scope", "batch", "--seed", "7"];
        let rest = ["--gradient-negatives", "0.05", "--suspect-quantile", "0.5", "--significance", "none"];
        let last = ["--threads", "2", "--time-limit", "1.5", "--reindex-budget", "2h"];
        let train = TrainOptions::default()
            .with_batch_size(8)
            .with_learning_rate(0.01)
            .with_frozen_layers(2)
            .with_scope(NegativeScope::Batch)
            .with_seed(7)
            .with_gradient_negatives(Some(0.05))
            .with_time_limit(Some(Duration::from_millis(1500)));
        let expected = LearnOptions::default()
            .with_tiers(&[Tier::QuerySide])
            .with_reindex_budget(Some(Duration::from_secs(7200)))
            .with_train(train)
            .with_negatives(NegativeCounts::new(1, 2, 3))
            .with_suspect_quantile(Some(0.5))
            .with_significance(None)
            .with_threads(Some(2));
        assert_eq!(parsed(&[&args[..], &more, &rest, &last].concat()), Ok(expected));
    }

    #[test]
    fn what_cannot_be_used_is_refused_with_what_can() {
        let refused = |args: &[&str], told: &str| {
            let error = parsed(args).unwrap_err();
            assert!(error.contains(told), "{error}");
        };
        refused(&["--tiers", "adapter"], "fusion, query-side, encoder");
        refused(&["--negatives", "1,2"], "expected three numbers");
        refused(&["--gradient-negatives", "2"], "above 0, at most 1");
        refused(&["--reindex-budget", "soon"], "90s, 30m or 2h, or none");
        refused(&["--significance", "no"], "expected a number above 0, or none");
    }
}
