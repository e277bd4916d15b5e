//! The README of an exported model.

use crate::ids::{Digest, GenerationId};
use crate::learn::{GateScores, RoundReport};
use crate::lexical::Date;

/// What a model is and comes from.
pub(super) struct Trained {
    pub(super) generation: GenerationId,
    pub(super) weights: Digest,
    /// What it encodes.
    pub(super) encodes: &'static str,
    /// Its longest input in tokens, with the two special ones.
    pub(super) tokens: usize,
    pub(super) trained: bool,
    /// The rounds that have made it, the first one first.
    pub(super) rounds: Vec<RoundReport>,
}

/// A model card as the Hugging Face hub reads it. It has no query and no text of a document.
pub(super) fn model_card(model: &Trained) -> String {
    let Trained { generation, weights, encodes, tokens, .. } = model;
    format!(
        r#"---
library_name: sentence-transformers
pipeline_tag: sentence-similarity
tags:
- sentence-transformers
- sentence-similarity
- feature-extraction
---

# Encoder of a retune index

It encodes {encodes} of generation {generation} of an index of retune {version}: texts of up to {tokens} tokens become
vectors of length 1, the mean over their tokens. SHA-256 of the weights: `{weights}`.

```python
from sentence_transformers import SentenceTransformer

model = SentenceTransformer("path/of/this/folder")
vectors = model.encode(["how do I reset my password", "To set a new password, open Settings."])
```

In the index a passage is encoded as its title, a space and its text; a query is encoded as it is.

## Training

{training}
"#,
        version = env!("CARGO_PKG_VERSION"),
        training = training(model),
    )
}

fn training(model: &Trained) -> String {
    if !model.trained {
        return "It was not trained: it is the model that the index was created with.".into();
    }
    let mut text =
        "Rounds of learning have trained it from what users of the index picked and passed over, with \
                    MultipleNegativesRankingLoss. Its weights may tell something of what they asked.\n"
            .to_string();
    if model.rounds.is_empty() {
        return text + "The reports of these rounds are no longer there.";
    }
    text += "\n| round | date | published | generation | training rows | held-out queries | nDCG@10 before | after |\n";
    text += "|---|---|---|---|---|---|---|---|\n";
    for round in &model.rounds {
        let score = |scores: Option<GateScores>| {
            scores.map_or("–".into(), |scores| format!("{:.4}", scores.hybrid.ndcg_10))
        };
        let date = Date::from_unix_ms(i64::try_from(round.started_ms).unwrap_or(0)).to_string();
        text += &format!(
            "| {} | {} | {} | {} | {} | {} | {} | {} |\n",
            round.round,
            date.split('T').next().unwrap_or_default(),
            round.tier.map_or("a generation".into(), |tier| tier.to_string()),
            round.generation,
            round.examples,
            round.held_out,
            score(round.gate.before),
            score(round.gate.after),
        );
    }
    text + "\nnDCG@10 is that of the hybrid ranking, words and vectors, on queries that were held out."
}
