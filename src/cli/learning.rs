//! How a round goes, as options of the verbs that run one.

use std::time::Duration;

use retune::encoder::EncoderPrecision;
use retune::{LearnOptions, NegativeShares};

use super::evidence::Evidence;
use super::loss::Loss;
use super::mining::Mining;
use super::or_none::{OrNone, or_none};
use super::positive::positive;
use super::tiers::Tiers;

#[derive(clap::Args)]
pub(super) struct Learning {
    /// Passes over the examples.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    epochs: Option<u32>,
    /// Rows of a batch.
    #[arg(long, value_parser = clap::value_parser!(u32).range(2..))]
    batch_size: Option<u32>,
    /// Peak learning rate. Default 1e-4.
    #[arg(long, value_parser = positive)]
    learning_rate: Option<f64>,
    /// Longer texts are cut at so many tokens while training.
    #[arg(long, value_name = "N")]
    max_tokens: Option<usize>,
    /// So many of the lowest layers stay as they are: quicker steps, in less memory. Default: half of them.
    #[arg(long, value_name = "N")]
    frozen_layers: Option<usize>,
    /// Shares of the sources of hard negatives: confusable,semantic,adversarial. Default 2,1,0.
    #[arg(long, value_name = "C,S,A", value_parser = shares)]
    negatives: Option<NegativeShares>,
    /// Hard negatives of a row.
    #[arg(long, value_name = "N")]
    negatives_per_query: Option<usize>,
    /// Rows of a query, one for each of its answers.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    positives_per_query: Option<u32>,
    /// Shares of the way to the trained weights, of which the best is taken.
    #[arg(long, value_name = "SHARE,…", value_delimiter = ',')]
    interpolation: Option<Vec<f32>>,
    /// Share of the judged queries that is never trained on and judges the round, 0.05 to 0.9. Keep to one: a smaller one trains on
    /// queries that judged before, a larger one judges by queries that were trained on. Default 0.3.
    #[arg(long, value_name = "SHARE", value_parser = held_out)]
    held_out: Option<f32>,
    /// How often luck may publish what is no better, 0 to 1, or `none`: whatever is not worse is published.
    #[arg(long, value_name = "P", value_parser = |text: &str| or_none(text, positive))]
    significance: Option<OrNone<f64>>,
    /// Queries whose hard negatives are measured before training and after each epoch; 0: none. Default 64.
    #[arg(long, value_name = "N")]
    monitor: Option<usize>,
    #[command(flatten)]
    mining: Mining,
    #[command(flatten)]
    loss: Loss,
    #[command(flatten)]
    tiers: Tiers,
    /// Threads that a round computes on. Default: all.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    threads: Option<u32>,
    /// Training ends within so many seconds, however many steps are left.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    time_limit: Option<Duration>,
    /// Seconds of training between two checkpoints, which a round that was interrupted goes on from, or `none`. Default 300.
    #[arg(long, value_name = "SECONDS", value_parser = |text: &str| or_none(text, seconds))]
    checkpoint_every: Option<OrNone<Duration>>,
    #[command(flatten)]
    evidence: Evidence,
}

fn seconds(text: &str) -> Result<Duration, String> {
    Duration::try_from_secs_f64(positive(text)?).map_err(|error| error.to_string())
}

fn held_out(text: &str) -> Result<f32, String> {
    let share = positive(text)? as f32;
    let options = LearnOptions::default().with_held_out_share(share);
    options.validate().map(|()| share).map_err(|error| error.to_string())
}

fn shares(text: &str) -> Result<NegativeShares, String> {
    let shares: Vec<f32> =
        text.split(',').map(str::parse).collect::<Result<_, _>>().map_err(|e| format!("{e}"))?;
    match shares[..] {
        [confusable, semantic, adversarial] => {
            Ok(NegativeShares::default().with(confusable, semantic, adversarial))
        }
        _ => Err("three numbers are wanted".into()),
    }
}

impl Learning {
    /// The options of a round; `precision` is the encoder's.
    pub(super) fn options(&self, precision: EncoderPrecision) -> LearnOptions {
        let mut options = self.tiers.apply(LearnOptions::default());
        let mut train = options.train.clone().with_precision(precision.of_training());
        if let Some(epochs) = self.epochs {
            train = train.with_epochs(epochs as usize);
        }
        if let Some(rows) = self.batch_size {
            train = train.with_batch_size(rows as usize);
        }
        if let Some(rate) = self.learning_rate {
            train = train.with_learning_rate(rate);
        }
        if let Some(tokens) = self.max_tokens {
            train = train.with_max_tokens(tokens);
        }
        if let Some(layers) = self.frozen_layers {
            train = train.with_frozen_layers(layers);
        }
        if let Some(queries) = self.monitor {
            train = train.with_monitor_queries(queries);
        }
        train = self.loss.apply(train).with_time_limit(self.time_limit);
        options = options.with_train(train).with_threads(self.threads.map(|threads| threads as usize));
        if let Some(OrNone(interval)) = self.checkpoint_every {
            options = options.with_checkpoint_interval(interval);
        }
        if let Some(shares) = self.negatives {
            options = options.with_negative_shares(shares);
        }
        options = options.with_semantic(self.mining.options());
        if let Some(negatives) = self.negatives_per_query {
            options = options.with_negatives_per_query(negatives);
        }
        if let Some(positives) = self.positives_per_query {
            options = options.with_positives_per_query(positives as usize);
        }
        if let Some(shares) = &self.interpolation {
            options = options.with_interpolation(shares.clone());
        }
        if let Some(share) = self.held_out {
            options = options.with_held_out_share(share);
        }
        if let Some(OrNone(level)) = self.significance {
            let gate = options.gate.clone().with_significance(level);
            options = options.with_gate(gate);
        }
        self.evidence.apply(options)
    }
}
