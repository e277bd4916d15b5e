//! The candidates of topics with their documents, for choosing a fusion.

use std::collections::HashMap;

use crate::error::Result;
use crate::fusion::{Fusion, Judged, learn_dense_weight};
use crate::ids::ChunkId;
use crate::learn::progress::Tracker;
use crate::learn::stage::LearnStage;
use crate::learn::topic::Topic;
use crate::search::{Fusible, Query, Snapshot, fusible};

/// Topics with the candidates of a hybrid search, before fusion.
pub(in crate::learn) struct Ranked {
    pub(super) queries: Vec<Judged>,
    /// The document of every candidate.
    pub(super) documents: HashMap<ChunkId, String>,
}

impl Ranked {
    /// The fusion that ranks best the queries for which `keep` returns true, given their index. Returns `base` if it
    /// has no weight, or if the queries have no preference.
    pub(in crate::learn) fn best_fusion(&self, keep: impl Fn(usize) -> bool, base: Fusion) -> Fusion {
        let some = self.queries.iter().enumerate().filter(|(place, _)| keep(*place));
        let some: Vec<&Judged> = some.map(|(_, query)| query).collect();
        match base {
            Fusion::Rrf { .. } => base,
            Fusion::Convex { .. } => learn_dense_weight(&some, &self.documents)
                .map_or(base, |dense_weight| Fusion::Convex { dense_weight }),
        }
    }
}

/// Searches for topics. Each counts as a unit of `stage`.
pub(in crate::learn) fn rank_topics(
    snapshot: &Snapshot,
    topics: &[Topic],
    stage: LearnStage,
    tracker: &mut Tracker<'_>,
) -> Result<Ranked> {
    let mut ranked = Ranked { queries: Vec::with_capacity(topics.len()), documents: HashMap::new() };
    for (done, topic) in topics.iter().enumerate() {
        tracker.report(stage, done, topics.len())?;
        let Fusible { candidates, ceiling } = fusible(snapshot, &Query::new(topic.text.as_str()))?;
        for candidate in &candidates {
            if !ranked.documents.contains_key(&candidate.id)
                && let Some(record) = snapshot.lexical.get(candidate.id)?
            {
                ranked.documents.insert(candidate.id, record.document);
            }
        }
        let relevant = topic.relevant.keys().cloned().collect();
        ranked.queries.push(Judged { candidates, relevant, ceiling });
    }
    Ok(ranked)
}
