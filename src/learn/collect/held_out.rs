//! Chooses the held-out queries.

use crate::ids::Digest;

/// The share of judged queries that is held out.
const SHARE: f32 = 0.3;

/// Whether the query with this normalised text is held out. A hash of the text decides, so a query stays on its side in
/// all rounds, on all machines and in all versions.
pub(crate) fn is_held_out(normalised: &str) -> bool {
    bucket(normalised) < f64::from(SHARE)
}

/// A number from 0 to 1.
fn bucket(normalised: &str) -> f64 {
    let digest = Digest::of(normalised.as_bytes()).0;
    let bucket = u32::from_le_bytes([digest[0], digest[1], digest[2], digest[3]]);
    f64::from(bucket) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_held_out_share_is_met_and_never_moves() {
        let held_out = (0..10_000).filter(|i| is_held_out(&format!("query {i}"))).count();
        assert!((2_850..3_150).contains(&held_out), "{held_out}");
        // Fixed by the hash, not by this build: a change would leak trained queries into the gate.
        let known: Vec<bool> = (0..8).map(|i| bucket(&format!("query {i}")) < 0.5).collect();
        assert_eq!(known, [false, true, false, true, true, false, true, false]);
    }
}
