//! Relative positions.

/// Number of buckets. The reference implementation uses 32, whatever a model's configuration says.
pub(in crate::encoder) const BUCKETS: usize = 32;

/// The bucket of a key that is `relative` positions after its query (negative: before it).
///
/// The scheme of T5 (Raffel et al. 2020), bidirectional: half of the buckets look forward. In each half, 8 buckets are
/// single distances, and 8 grow logarithmically up to 128. All larger distances share the last one.
pub(in crate::encoder) fn relative_position_bucket(relative: isize) -> usize {
    const HALF: usize = BUCKETS / 2;
    const EXACT: usize = HALF / 2;
    const MAX_DISTANCE: f32 = 128.0;
    let side = if relative > 0 { HALF } else { 0 };
    let distance = relative.unsigned_abs();
    if distance < EXACT {
        return side + distance;
    }
    let exact = EXACT as f32;
    let log = (distance as f32 / exact).ln() / (MAX_DISTANCE / exact).ln() * (HALF - EXACT) as f32;
    side + (EXACT + log as usize).min(HALF - 1)
}
