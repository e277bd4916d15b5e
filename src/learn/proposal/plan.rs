//! Chooses the tiers that a round tries.

use crate::fusion::Fusion;
use crate::learn::options::LearnOptions;
use crate::learn::tier::Tier;
use crate::search::Snapshot;

/// With fewer judged queries to train on, nothing is trained.
const LEAST_TRAINING: usize = 8;
/// With fewer held-out queries the round is skipped, whatever the significance level.
const LEAST_HELD_OUT: usize = 4;

/// The tiers to try, in order: those that the options include and that have enough queries. Or why the round is
/// skipped.
///
/// If a trained encoder serves and the round trains another one, the fusion is not tried by itself. Only the held-out
/// queries could choose it, and they choose one with the new encoder anyway. Asking them twice would cost the encoder a
/// part of its alpha.
pub(in crate::learn) fn plan(
    options: &LearnOptions,
    training: usize,
    held_out: usize,
    snapshot: &Snapshot,
) -> Result<Vec<Tier>, String> {
    let enough = training >= LEAST_TRAINING;
    if !enough && !options.tries(Tier::Fusion) {
        return Err(format!("{} are needed: search and judge more", to_train_on(training)));
    }
    if held_out < LEAST_HELD_OUT {
        return Err(format!(
            "{held_out} held-out queries to judge by, {LEAST_HELD_OUT} are needed: search and judge more"
        ));
    }
    let serving = &snapshot.pinned.generation.meta;
    let with_encoder = enough && options.tries(Tier::Encoder);
    let fusion_alone = matches!(serving.fusion, Fusion::Rrf { .. }) || !serving.has_learnt() || !with_encoder;
    let is_tried =
        |tier: &Tier| options.tries(*tier) && if *tier == Tier::Fusion { fusion_alone } else { enough };
    Ok(Tier::ALL.into_iter().filter(is_tried).collect())
}

fn to_train_on(queries: usize) -> String {
    format!("{queries} judged queries to train on, {LEAST_TRAINING}")
}

/// Why the gate had nothing to judge.
pub(super) fn nothing_tried(options: &LearnOptions, training: usize, reasons: Vec<&str>) -> String {
    let reasons = reasons.join(", ");
    if Tier::ALL.iter().any(|&tier| tier.is_trained() && options.tries(tier)) && training < LEAST_TRAINING {
        return format!("{} are needed, and {reasons}: search and judge more", to_train_on(training));
    }
    if reasons.is_empty() { "the options include no tier".into() } else { reasons }
}
