//! Checksummed frames: the records of an append-only file.
//!
//! | bytes | content |
//! |---|---|
//! | 0..4 | sync mark `F2 9D 72 74` |
//! | 4..8 | length of the payload, u32 little endian |
//! | 8..12 | CRC-32 (IEEE) of bytes 4..8 and the payload, little endian |
//! | 12.. | payload |
//!
//! The mark lets a reader find the next whole frame behind a damaged one. A mark inside a payload does no harm: readers
//! skip a good frame as a whole, and behind a damaged one they accept only a frame with a correct checksum.

use std::ops::Range;

use super::header::le_u32;

const MARK: [u8; 4] = [0xf2, 0x9d, 0x72, 0x74];

/// Bytes of a frame besides its payload.
pub(crate) const FRAME_OVERHEAD: usize = 12;

/// Appends one frame around `payload` to `out`.
///
/// # Panics
/// If the payload is longer than `u32::MAX` bytes.
pub(crate) fn append_frame(out: &mut Vec<u8>, payload: &[u8]) {
    let len = u32::try_from(payload.len()).expect("a frame's payload is at most 4 GiB").to_le_bytes();
    out.extend_from_slice(&MARK);
    out.extend_from_slice(&len);
    out.extend_from_slice(&checksum(&len, payload).to_le_bytes());
    out.extend_from_slice(payload);
}

/// A part of a file of frames.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scanned<'a> {
    /// A whole frame. `range` includes the overhead.
    Frame { range: Range<usize>, payload: &'a [u8] },
    /// Bytes that are not a frame, with a whole frame somewhere behind them.
    Damaged(Range<usize>),
    /// Bytes at the end that are not a whole frame: an interrupted write.
    TornTail(Range<usize>),
}

/// Walks the frames of `bytes` from the start. Every byte belongs to exactly one item.
pub(crate) fn scan_frames(bytes: &[u8]) -> impl Iterator<Item = Scanned<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        if at >= bytes.len() {
            return None;
        }
        if let Some(end) = frame_end(bytes, at) {
            let range = at..end;
            at = end;
            return Some(Scanned::Frame { payload: &bytes[range.start + FRAME_OVERHEAD..end], range });
        }
        let start = at;
        let next = (start + 1..bytes.len()).find(|&i| bytes[i] == MARK[0] && frame_end(bytes, i).is_some());
        at = next.unwrap_or(bytes.len());
        Some(if next.is_some() { Scanned::Damaged(start..at) } else { Scanned::TornTail(start..at) })
    })
}

/// The end of the whole frame at `at`; `None` if there is none.
fn frame_end(bytes: &[u8], at: usize) -> Option<usize> {
    let head = bytes.get(at..at + FRAME_OVERHEAD)?;
    if head[..4] != MARK {
        return None;
    }
    let end = (at + FRAME_OVERHEAD).checked_add(le_u32(&head[4..]) as usize)?;
    let payload = bytes.get(at + FRAME_OVERHEAD..end)?;
    (checksum(&head[4..8], payload) == le_u32(&head[8..])).then_some(end)
}

fn checksum(len: &[u8], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(len);
    hasher.update(payload);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn payloads(bytes: &[u8]) -> Vec<Vec<u8>> {
        scan_frames(bytes)
            .filter_map(|item| match item {
                Scanned::Frame { payload, .. } => Some(payload.to_vec()),
                _ => None,
            })
            .collect()
    }

    proptest! {
        #[test]
        fn a_cut_file_keeps_every_whole_frame(
            records in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..8),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut bytes = Vec::new();
            let mut ends = Vec::new();
            for record in &records {
                append_frame(&mut bytes, record);
                ends.push(bytes.len());
            }
            let cut = cut.index(bytes.len() + 1);
            let whole = ends.iter().filter(|&&end| end <= cut).count();
            prop_assert_eq!(payloads(&bytes[..cut]), &records[..whole]);
            let torn = scan_frames(&bytes[..cut]).any(|item| matches!(item, Scanned::TornTail(_)));
            prop_assert_eq!(torn, cut != whole.checked_sub(1).map_or(0, |i| ends[i]));
        }

        #[test]
        fn a_flipped_bit_costs_one_frame_and_is_seen(
            records in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 2..8),
            bit in any::<prop::sample::Index>(),
        ) {
            let mut bytes = Vec::new();
            let mut starts = Vec::new();
            for record in &records {
                starts.push(bytes.len());
                append_frame(&mut bytes, record);
            }
            let bit = bit.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            let hit = starts.iter().rposition(|&start| start <= bit / 8).unwrap_or(0);
            let mut expected = records.clone();
            expected.remove(hit);
            prop_assert_eq!(payloads(&bytes), expected);
            let seen = scan_frames(&bytes).any(|item| !matches!(item, Scanned::Frame { .. }));
            prop_assert!(seen);
        }

        #[test]
        fn arbitrary_bytes_are_covered_once_and_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut at = 0;
            for item in scan_frames(&bytes) {
                let (Scanned::Frame { range, .. } | Scanned::Damaged(range) | Scanned::TornTail(range)) = item;
                prop_assert_eq!(range.start, at);
                at = range.end;
            }
            prop_assert_eq!(at, bytes.len());
        }
    }
}
