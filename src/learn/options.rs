//! How a round of learning goes.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::gate::GateOptions;
use super::ledger::FollowOptions;
use super::report::Tier;
use super::tier_options::{AdapterOptions, QuerySideOptions};
use crate::error::{Error, Result};
use crate::negatives::{ConfusableOptions, NegativeShares, SemanticOptions};
use crate::train::TrainOptions;

/// Options of a round. The defaults suit a log of a few dozen to a few thousand judged queries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LearnOptions {
    /// The optimiser's part.
    pub train: TrainOptions,
    /// Share of the judged queries that is never trained on and judges the new generation. Chosen by a hash of the
    /// normalised query text, so that a query never wanders from one side to the other while this is the same. After a change
    /// to a smaller share rounds train on queries that have judged, after one to a larger share queries judge that the serving encoder
    /// was trained on, in its favour. Default 0.3.
    pub held_out_share: f32,
    /// With fewer judged queries than this to train on the encoder is not trained. Default 8.
    pub min_queries: usize,
    /// Fewer held-out queries than this: the gate could not tell, the round is skipped. Default 4:
    /// of three, even all being better may be luck.
    pub min_held_out: usize,
    /// Hard negatives a training row has at most. Default 3.
    pub negatives_per_query: usize,
    /// How they are divided among the sources.
    pub negative_shares: NegativeShares,
    /// Which confusables are kept, and in which order.
    #[serde(default)]
    pub confusable: ConfusableOptions,
    /// Which neighbours of a query become semantic negatives.
    pub semantic: SemanticOptions,
    /// Training rows that a query makes at most: one for each of its answers, the ones nearest to it first. Default 2.
    pub positives_per_query: usize,
    /// Whether the fusion weight is learnt from the judgements too. Default yes.
    pub learn_fusion: bool,
    /// Whether short and long queries, with and without rare terms, get fusion weights of their own, where
    /// cross-validation finds that better than one weight for all. Default no.
    #[serde(default)]
    pub fusion_classes: bool,
    /// Whether an adapter of the queries' vectors is fitted to the documents' vectors as they are, which takes seconds. From then
    /// on it is part of how queries are encoded, until an encoder is trained. Default no: docs/learning.md says what it gained.
    #[serde(default)]
    pub learn_adapter: bool,
    /// Whether to try vectors of judged passages that are moved towards the queries that they answer (NUDGE); no encoder changes.
    /// Default no: docs/learning.md says what it gained.
    pub learn_nudge: bool,
    /// How it is fitted.
    #[serde(default)]
    pub adapter: AdapterOptions,
    /// Whether an encoder of queries alone is trained, against the documents' vectors as they are. Nothing is reindexed; from
    /// then on the index holds two encoders, until a round of [`learn_encoder`](LearnOptions::learn_encoder) replaces both.
    /// Default no: docs/learning.md says what it gained.
    #[serde(default)]
    pub learn_query_side: bool,
    /// How it is trained.
    #[serde(default)]
    pub query_side: QuerySideOptions,
    /// Whether the encoder of documents and queries is trained. Default yes; without it nothing is reindexed.
    pub learn_encoder: bool,
    /// Shares of the way from the serving weights to the trained ones; the one that ranks the held-out queries best is
    /// taken (WiSE-FT: Wortsman et al., "Robust fine-tuning of zero-shot models", 2022). Each but a lone one costs the encoding of the
    /// gate's pool. Default 1 alone.
    pub interpolation: Vec<f32>,
    /// A candidate is left out as a suspected answer if its cosine, less that of the query's worst positive, is above
    /// this quantile of all such differences in the round, 0 to 1; confusables too, but for those that a user called
    /// not relevant. It takes the place of both margins of [`semantic`](LearnOptions::semantic). Default off: those
    /// margins count, for semantic negatives alone; so they do in a round with fewer than 50 differences.
    #[serde(default)]
    pub suspect_quantile: Option<f32>,
    /// Rows count by the inverse of how surely the place was looked at where their answer was chosen, and this is the
    /// most that a row may count, 1 or more (Joachims, Swaminathan and Schnabel, "Unbiased Learning-to-Rank with Biased Feedback",
    /// WSDM 2017). How surely a place is looked at is estimated from documents that the log has at several ranks for one
    /// query text; where there are none, every row counts the same. Default off.
    #[serde(default)]
    pub inverse_propensity: Option<f32>,
    /// A row counts half for so many judgements that other queries have had since its own was last judged, above 0:
    /// what users looked for long ago is replayed in each round, and fades. Default off: all rows count the same.
    #[serde(default)]
    pub replay_half_life: Option<f32>,
    /// When a confusable that is followed from round to round is solved, or likely is an answer, and what comes of it.
    #[serde(default)]
    pub follow: FollowOptions,
    /// Bounds of the gate.
    pub gate: GateOptions,
    /// How many threads a round computes on, 1 or more. Default: in the background all processors but one, so that searches keep one;
    /// of [`Engine::learn`](crate::Engine::learn) all.
    #[serde(default)]
    pub threads: Option<usize>,
    /// How often training is kept against a crash, in time spent on its steps: the same round, started again, goes on from
    /// there, to the same weights. It takes 12 bytes of disk for each parameter that moves, 0.5 GB of all-mpnet-base-v2, until the
    /// round ends. Shorter trainings keep nothing. Default 5 minutes; `None`: never.
    #[serde(default = "five_minutes")]
    pub checkpoint_interval: Option<Duration>,
}

fn five_minutes() -> Option<Duration> {
    Some(Duration::from_secs(300))
}

impl Default for LearnOptions {
    fn default() -> Self {
        LearnOptions {
            train: TrainOptions::default(),
            held_out_share: 0.3,
            min_queries: 8,
            min_held_out: 4,
            negatives_per_query: 3,
            negative_shares: NegativeShares::default(),
            confusable: ConfusableOptions::default(),
            semantic: SemanticOptions::default(),
            positives_per_query: 2,
            learn_fusion: true,
            fusion_classes: false,
            learn_adapter: false,
            learn_nudge: false,
            adapter: AdapterOptions::default(),
            learn_query_side: false,
            query_side: QuerySideOptions::default(),
            learn_encoder: true,
            interpolation: vec![1.0],
            suspect_quantile: None,
            inverse_propensity: None,
            replay_half_life: None,
            follow: FollowOptions::default(),
            gate: GateOptions::default(),
            threads: None,
            checkpoint_interval: five_minutes(),
        }
    }
}

impl LearnOptions {
    /// Sets [`train`](LearnOptions::train).
    pub fn with_train(mut self, train: TrainOptions) -> Self {
        self.train = train;
        self
    }

    /// Sets [`held_out_share`](LearnOptions::held_out_share).
    pub fn with_held_out_share(mut self, share: f32) -> Self {
        self.held_out_share = share;
        self
    }

    /// Sets [`min_queries`](LearnOptions::min_queries).
    pub fn with_min_queries(mut self, queries: usize) -> Self {
        self.min_queries = queries;
        self
    }

    /// Sets [`min_held_out`](LearnOptions::min_held_out).
    pub fn with_min_held_out(mut self, queries: usize) -> Self {
        self.min_held_out = queries;
        self
    }

    /// Sets [`negatives_per_query`](LearnOptions::negatives_per_query).
    pub fn with_negatives_per_query(mut self, negatives: usize) -> Self {
        self.negatives_per_query = negatives;
        self
    }

    /// Sets [`negative_shares`](LearnOptions::negative_shares).
    pub fn with_negative_shares(mut self, shares: NegativeShares) -> Self {
        self.negative_shares = shares;
        self
    }

    /// Sets [`confusable`](LearnOptions::confusable).
    pub fn with_confusable(mut self, confusable: ConfusableOptions) -> Self {
        self.confusable = confusable;
        self
    }

    /// Sets [`semantic`](LearnOptions::semantic).
    pub fn with_semantic(mut self, semantic: SemanticOptions) -> Self {
        self.semantic = semantic;
        self
    }

    /// Sets [`positives_per_query`](LearnOptions::positives_per_query).
    pub fn with_positives_per_query(mut self, positives: usize) -> Self {
        self.positives_per_query = positives;
        self
    }

    /// Sets [`learn_fusion`](LearnOptions::learn_fusion).
    pub fn with_learn_fusion(mut self, learn: bool) -> Self {
        self.learn_fusion = learn;
        self
    }

    /// Sets [`fusion_classes`](LearnOptions::fusion_classes).
    pub fn with_fusion_classes(mut self, classes: bool) -> Self {
        self.fusion_classes = classes;
        self
    }

    /// Sets [`learn_adapter`](LearnOptions::learn_adapter).
    pub fn with_learn_adapter(mut self, learn: bool) -> Self {
        self.learn_adapter = learn;
        self
    }

    /// Sets [`adapter`](LearnOptions::adapter).
    pub fn with_adapter(mut self, options: AdapterOptions) -> Self {
        self.adapter = options;
        self
    }

    /// Sets [`learn_nudge`](LearnOptions::learn_nudge).
    pub fn with_learn_nudge(mut self, learn: bool) -> Self {
        self.learn_nudge = learn;
        self
    }

    /// Sets [`learn_query_side`](LearnOptions::learn_query_side).
    pub fn with_learn_query_side(mut self, learn: bool) -> Self {
        self.learn_query_side = learn;
        self
    }

    /// Sets [`query_side`](LearnOptions::query_side).
    pub fn with_query_side(mut self, options: QuerySideOptions) -> Self {
        self.query_side = options;
        self
    }

    /// Sets [`learn_encoder`](LearnOptions::learn_encoder).
    pub fn with_learn_encoder(mut self, learn: bool) -> Self {
        self.learn_encoder = learn;
        self
    }

    /// Whether a tier is to be tried.
    pub fn learns(&self, tier: Tier) -> bool {
        match tier {
            Tier::Fusion => self.learn_fusion,
            Tier::Adapter => self.learn_adapter,
            Tier::Nudge => self.learn_nudge,
            Tier::QuerySide => self.learn_query_side,
            Tier::Encoder => self.learn_encoder,
        }
    }

    /// Learns these tiers and no others.
    pub fn with_tiers(mut self, tiers: &[Tier]) -> Self {
        self.learn_fusion = tiers.contains(&Tier::Fusion);
        self.learn_adapter = tiers.contains(&Tier::Adapter);
        self.learn_nudge = tiers.contains(&Tier::Nudge);
        self.learn_query_side = tiers.contains(&Tier::QuerySide);
        self.learn_encoder = tiers.contains(&Tier::Encoder);
        self
    }

    /// Sets [`interpolation`](LearnOptions::interpolation).
    pub fn with_interpolation(mut self, shares: Vec<f32>) -> Self {
        self.interpolation = shares;
        self
    }

    /// Sets [`suspect_quantile`](LearnOptions::suspect_quantile).
    pub fn with_suspect_quantile(mut self, quantile: Option<f32>) -> Self {
        self.suspect_quantile = quantile;
        self
    }

    /// Sets [`inverse_propensity`](LearnOptions::inverse_propensity).
    pub fn with_inverse_propensity(mut self, most: Option<f32>) -> Self {
        self.inverse_propensity = most;
        self
    }

    /// Sets [`replay_half_life`](LearnOptions::replay_half_life).
    pub fn with_replay_half_life(mut self, judgements: Option<f32>) -> Self {
        self.replay_half_life = judgements;
        self
    }

    /// Sets [`follow`](LearnOptions::follow).
    pub fn with_follow(mut self, follow: FollowOptions) -> Self {
        self.follow = follow;
        self
    }

    /// Sets [`gate`](LearnOptions::gate).
    pub fn with_gate(mut self, gate: GateOptions) -> Self {
        self.gate = gate;
        self
    }

    /// Sets [`threads`](LearnOptions::threads).
    pub fn with_threads(mut self, threads: Option<usize>) -> Self {
        self.threads = threads;
        self
    }

    /// Sets [`checkpoint_interval`](LearnOptions::checkpoint_interval).
    pub fn with_checkpoint_interval(mut self, interval: Option<Duration>) -> Self {
        self.checkpoint_interval = interval;
        self
    }

    /// Whether a round needs training rows.
    pub(super) fn trains(&self) -> bool {
        self.learn_adapter || self.learn_nudge || self.learn_query_side || self.learn_encoder
    }

    /// # Errors
    /// [`Error::Invalid`] for a share outside 0.05 to 0.9, for minima of zero, and for unusable training options.
    pub fn validate(&self) -> Result<()> {
        if !(0.05..=0.9).contains(&self.held_out_share) {
            return Err(Error::invalid("the held-out share", self.held_out_share, "0.05 to 0.9"));
        }
        if self.min_queries == 0 || self.min_held_out == 0 {
            return Err(Error::invalid("the least number of judged queries", 0, "1 or more, on both sides"));
        }
        if self.positives_per_query == 0 {
            return Err(Error::invalid("the number of rows for each query", 0, "1 or more"));
        }
        if self.threads == Some(0) {
            return Err(Error::invalid("the number of threads", 0, "1 or more"));
        }
        if self.interpolation.is_empty()
            || !self.interpolation.iter().all(|share| *share > 0.0 && *share <= 1.0)
        {
            let found = format!("{:?}", self.interpolation);
            return Err(Error::invalid(
                "the shares of the trained weights",
                found,
                "numbers above 0, at most 1",
            ));
        }
        if let Some(quantile) = self.suspect_quantile.filter(|quantile| !(0.0..=1.0).contains(quantile)) {
            return Err(Error::invalid("the quantile above which answers are suspected", quantile, "0 to 1"));
        }
        if let Some(most) = self.inverse_propensity.filter(|most| !(most.is_finite() && *most >= 1.0)) {
            return Err(Error::invalid("the most that a row may count", most, "1 or more"));
        }
        if let Some(half_life) = self.replay_half_life.filter(|one| !(one.is_finite() && *one > 0.0)) {
            return Err(Error::invalid(
                "the half-life of replayed rows",
                half_life,
                "judgements, more than 0",
            ));
        }
        self.confusable.validate()?;
        self.follow.validate()?;
        self.adapter.validate()?;
        self.query_side.validate()?;
        self.gate.validate()?;
        self.negative_shares.validate()?;
        self.semantic.validate()?;
        self.train.validate()
    }
}
