//! What a round tries, as options of the verbs that run one.

use retune::{AdapterOptions, LearnOptions, QuerySideOptions, Tier};

use super::named::named;
use super::positive::positive;

#[derive(clap::Args)]
pub(super) struct Tiers {
    /// What is tried, the cheapest first: fusion, adapter, nudge, query-side, encoder. Default fusion,encoder.
    #[arg(long, value_name = "TIER,…", value_delimiter = ',', value_parser = |text: &str| named(text, &TIERS))]
    tiers: Option<Vec<Tier>>,
    /// Columns of each factor of the adapter of queries.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    adapter_rank: Option<u32>,
    /// Learning rate of the adapter of queries.
    #[arg(long, value_name = "R", value_parser = positive)]
    adapter_learning_rate: Option<f64>,
    /// Passes over the examples that train the encoder of queries.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    query_epochs: Option<u32>,
    /// Peak learning rate of the encoder of queries.
    #[arg(long, value_name = "R", value_parser = positive)]
    query_learning_rate: Option<f64>,
}

const TIERS: [(&str, Tier); Tier::ALL.len()] = [
    ("fusion", Tier::Fusion),
    ("adapter", Tier::Adapter),
    ("nudge", Tier::Nudge),
    ("query-side", Tier::QuerySide),
    ("encoder", Tier::Encoder),
];

impl Tiers {
    pub(super) fn apply(&self, options: LearnOptions) -> LearnOptions {
        let mut adapter = AdapterOptions::default();
        if let Some(rank) = self.adapter_rank {
            adapter = adapter.with_rank(rank as usize);
        }
        if let Some(rate) = self.adapter_learning_rate {
            adapter = adapter.with_learning_rate(rate);
        }
        let mut query_side = QuerySideOptions::default();
        if let Some(epochs) = self.query_epochs {
            query_side = query_side.with_epochs(epochs as usize);
        }
        if let Some(rate) = self.query_learning_rate {
            query_side = query_side.with_learning_rate(rate);
        }
        let options = options.with_adapter(adapter).with_query_side(query_side);
        match &self.tiers {
            Some(tiers) => options.with_tiers(tiers),
            None => options,
        }
    }
}
