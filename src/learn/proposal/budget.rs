//! Whether a round can afford to encode every chunk anew.

use std::time::{Duration, Instant};

use crate::error::Result;
use crate::learn::input::RoundInput;
use crate::learn::report::{Ruling, TierReport};
use crate::learn::tier::Tier;
use crate::search::Snapshot;

/// Chunks that each thread encodes to measure its speed: some seconds.
const SAMPLE: usize = 16;
/// No machine takes longer for a chunk. A budget of so much for each chunk is kept without a measurement.
const SLOWEST: Duration = Duration::from_secs(10);

/// The tiers that a round can afford.
pub(super) struct Affordable {
    pub(super) tiers: Vec<Tier>,
    /// Why the encoder is not among them.
    pub(super) left_out: Option<TierReport>,
}

/// Replaces the encoder by the query encoder, if encoding every chunk would take longer than the budget. What the
/// options list is tried whatever it costs, and training that was interrupted goes on: a second measurement could
/// throw away hours of it.
pub(super) fn affordable(input: &RoundInput<'_>, planned: &[Tier]) -> Result<Affordable> {
    let left_out = match input.options.reindex_budget {
        Some(budget)
            if input.options.tiers.is_none()
                && planned.contains(&Tier::Encoder)
                && !input.checkpoints.have_begun() =>
        {
            too_expensive(input, budget)?
        }
        _ => None,
    };
    let instead = |&tier: &Tier| match tier {
        Tier::Encoder if left_out.is_some() => Tier::QuerySide,
        tier => tier,
    };
    let tiers = planned.iter().map(instead).collect();
    let left_out = left_out.map(|reason| TierReport { tier: Tier::Encoder, gate: Ruling::skipped(reason) });
    Ok(Affordable { tiers, left_out })
}

/// Why the chunks can't be encoded anew. `None` if the budget allows it.
fn too_expensive(input: &RoundInput<'_>, budget: Duration) -> Result<Option<String>> {
    let snapshot = input.snapshot;
    let chunks = snapshot.pinned.dense.len();
    if SLOWEST.saturating_mul(u32::try_from(chunks).unwrap_or(u32::MAX)) <= budget {
        return Ok(None);
    }
    // Others are taken to be as fast as this machine.
    let helpers = input.helpers.map_or(0, |helpers| helpers.count());
    let estimate = estimate(snapshot, chunks)?.div_f64(1.0 + helpers as f64);
    Ok((estimate > budget).then(|| {
        format!(
            "encoding all {chunks} chunks anew would take about {}, more than the reindex budget of {}: the query \
             encoder learns alone until that fits (raise the budget, or list the tiers to try)",
            rounded(estimate),
            rounded(budget)
        )
    }))
}

/// The time to encode so many chunks, at the speed with which the serving encoder encodes a few of them now.
fn estimate(snapshot: &Snapshot, chunks: usize) -> Result<Duration> {
    let live = snapshot.lexical.live_chunks();
    let wanted = (SAMPLE * rayon::current_num_threads()).min(live.len()).max(1);
    let mut texts = Vec::with_capacity(wanted);
    for &chunk in live.iter().step_by(live.len().div_ceil(wanted).max(1)) {
        texts.extend(snapshot.lexical.get(chunk)?.map(|record| record.encoder_text()));
    }
    let encoder = snapshot.pinned.generation.encoder()?;
    let started = Instant::now();
    encoder.encode(&texts)?;
    Ok(started.elapsed().mul_f64(chunks as f64 / texts.len().max(1) as f64))
}

/// A time as people say it.
fn rounded(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        ..90.0 => format!("{} s", seconds.ceil()),
        ..5400.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded_to_what_they_are_worth() {
        let said =
            [0.02, 89.0, 90.0, 3600.0, 28_800.0, 100_000.0].map(|s| rounded(Duration::from_secs_f64(s)));
        assert_eq!(said, ["1 s", "89 s", "2 min", "60 min", "8.0 h", "27.8 h"]);
    }
}
