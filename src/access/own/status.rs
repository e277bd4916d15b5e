//! What an index is and does.

use std::path::absolute;

use super::Own;
use crate::access::api::{Covered, Learning, LogCounts, ModelStatus, OnTrial, StatusAnswer};
use crate::engine::RoundState;
use crate::error::Result;
use crate::search::Coverage;

impl Own {
    /// As [`Access::status`](crate::access::Access::status).
    pub fn status(&self) -> Result<StatusAnswer> {
        let reader = self.reader()?;
        let glance = reader.glance()?;
        let Coverage { encoded, chunks } = reader.coverage();
        Ok(StatusAnswer {
            version: env!("CARGO_PKG_VERSION").to_string(),
            // Clients have another current folder.
            index: absolute(reader.path()).unwrap_or_else(|_| reader.path().into()).display().to_string(),
            folders: reader.folders()?,
            documents: glance.documents,
            chunks,
            coverage: Covered { covered: encoded, chunks },
            generation: glance.generation,
            can_roll_back: glance.can_roll_back,
            log: reader.is_logging().then_some(LogCounts {
                impressions: glance.feedback.impressions,
                judgements: glance.feedback.judgements,
            }),
            learning: reader.round().map(learning),
            trial: reader.trial()?.as_ref().map(OnTrial::from),
            indexing: None,
            model: ModelStatus {
                folder: reader.model_folder().display().to_string(),
                weights: glance.weights,
            },
            cluster: None,
        })
    }
}

fn learning(state: RoundState) -> Learning {
    let RoundState { progress, seconds, paused } = state;
    let fraction = progress.map_or(0.0, |progress| progress.fraction);
    let known = fraction > 0.02 && !paused;
    Learning {
        stage: progress.map(|progress| progress.stage),
        fraction,
        eta_s: known.then(|| seconds * f64::from(1.0 - fraction) / f64::from(fraction)),
        paused,
    }
}
