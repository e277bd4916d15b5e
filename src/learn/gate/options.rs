//! What the gate asks of a new generation.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Bounds of the gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct GateOptions {
    /// How often a generation that is no better in GMAP of the first 20, nor worse, may be published by luck, over all the rounds since the last publication
    /// together: the k-th of them is allowed `significance · 6 / (π k)²`, and these sum to `significance`. The
    /// tiers that a round tests divide it among them, an encoder three times as much as any other. `None`: whatever is not worse is published. Default 0.2: what is
    /// published wrongly has at least not been seen to be worse, and can be rolled back.
    pub significance: Option<f64>,
    /// How much of their mean nDCG@10 the golden queries may lose, and how much the titles. Default 0.02.
    pub guard_loss: f64,
    /// Self-retrieval queries of the guard: titles of documents, each of which must find its document. Default 100; 0 for
    /// none.
    pub guard_queries: usize,
    /// Queries that must not get worse, with what answers them: a part of the guard that is held to its bound by itself. One without
    /// any answer in the index is left out.
    pub golden: Vec<GoldenQuery>,
    /// Chunks of the pool on which a trained encoder is judged before anything is reindexed: four fifths of it what the held-out
    /// queries and the guard find, but at least the first 20 documents of each held-out query, and a fifth at random. Beside it come up to
    /// ten chunks of every answer. Without several shares to choose from, skipped where the corpus is less than
    /// four times as large, or less than twice as large as the pool comes to. Default 1,000.
    pub pool_chunks: usize,
}

/// A query of the application's own with its answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoldenQuery {
    /// The query.
    pub text: String,
    /// Ids of the documents that answer it; at least one.
    pub relevant: Vec<String>,
}

impl Default for GateOptions {
    fn default() -> Self {
        GateOptions {
            significance: Some(0.2),
            guard_loss: 0.02,
            guard_queries: 100,
            golden: Vec::new(),
            pool_chunks: 1000,
        }
    }
}

impl GateOptions {
    /// Sets [`significance`](GateOptions::significance).
    pub fn with_significance(mut self, significance: Option<f64>) -> Self {
        self.significance = significance;
        self
    }

    /// Sets [`guard_loss`](GateOptions::guard_loss).
    pub fn with_guard_loss(mut self, loss: f64) -> Self {
        self.guard_loss = loss;
        self
    }

    /// Sets [`guard_queries`](GateOptions::guard_queries).
    pub fn with_guard_queries(mut self, queries: usize) -> Self {
        self.guard_queries = queries;
        self
    }

    /// Sets [`golden`](GateOptions::golden).
    pub fn with_golden(mut self, golden: Vec<GoldenQuery>) -> Self {
        self.golden = golden;
        self
    }

    /// Sets [`pool_chunks`](GateOptions::pool_chunks).
    pub fn with_pool_chunks(mut self, chunks: usize) -> Self {
        self.pool_chunks = chunks;
        self
    }

    /// # Errors
    /// [`Error::Invalid`] naming the first bound that can't be used.
    pub fn validate(&self) -> Result<()> {
        if let Some(level) = self.significance.filter(|level| !(*level > 0.0 && *level <= 1.0)) {
            return Err(Error::invalid("the gate's significance", level, "above 0, at most 1"));
        }
        if !(0.0..=1.0).contains(&self.guard_loss) {
            return Err(Error::invalid("the guard's bound", self.guard_loss, "0 to 1"));
        }
        if self.pool_chunks < 10 {
            return Err(Error::invalid("the chunks of the gate's pool", self.pool_chunks, "10 or more"));
        }
        match self.golden.iter().find(|golden| golden.relevant.is_empty() || golden.text.trim().is_empty()) {
            Some(golden) => {
                let found = format!("{:?} with {} answers", golden.text, golden.relevant.len());
                Err(Error::invalid("a golden query", found, "a text with one answer at least"))
            }
            None => Ok(()),
        }
    }
}
