//! Maps chunks to the rows with their vectors.

use crate::ids::ChunkId;

/// The current row of every chunk: the last valid one appended for it. Ascending by chunk.
#[derive(Debug, Default)]
pub(super) struct Directory {
    entries: Vec<(ChunkId, u32)>,
}

impl Directory {
    /// Adds rows in the order in which they were appended; a later row of the same chunk replaces an earlier one.
    pub(super) fn extend(&mut self, rows: impl IntoIterator<Item = (ChunkId, u32)>) {
        let known = self.entries.len();
        self.entries.extend(rows);
        let from = known.saturating_sub(1);
        if self.entries[from..].is_sorted_by(|a, b| a.0 < b.0) {
            return;
        }
        // The sort is stable, so the last of equal chunks is the row appended last.
        self.entries.sort_by_key(|entry| entry.0);
        self.entries.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                kept.1 = later.1;
            }
            same
        });
    }

    /// The largest id of a chunk with a vector.
    pub(super) fn highest(&self) -> Option<ChunkId> {
        self.entries.last().map(|entry| entry.0)
    }

    /// Number of chunks with a vector.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The current rows, ascending by row.
    pub(super) fn rows(&self) -> Vec<u32> {
        let mut rows: Vec<u32> = self.entries.iter().map(|entry| entry.1).collect();
        rows.sort_unstable();
        rows
    }

    /// Looks up `chunks` (ascending): the found ones with their rows, and those without a vector.
    pub(super) fn look_up(&self, chunks: &[ChunkId]) -> Found {
        let mut found =
            Found { chunks: Vec::with_capacity(chunks.len()), rows: Vec::new(), missing: Vec::new() };
        found.rows.reserve(chunks.len());
        let mut rest = &self.entries[..];
        for &chunk in chunks {
            rest = &rest[skip(rest, chunk, |entry| entry.0)..];
            match rest.first() {
                Some(&(id, row)) if id == chunk => {
                    found.chunks.push(chunk);
                    found.rows.push(row);
                }
                _ => found.missing.push(chunk),
            }
        }
        found
    }
}

/// The result of [`Directory::look_up`]: `rows[i]` has the vector of `chunks[i]`.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) chunks: Vec<ChunkId>,
    pub(super) rows: Vec<u32>,
    pub(super) missing: Vec<ChunkId>,
}

/// Number of leading items of ascending `items` with an id below `chunk`. Galloping search: cheap for near and far
/// targets.
pub(super) fn skip<T>(items: &[T], chunk: ChunkId, id: impl Fn(&T) -> ChunkId) -> usize {
    let mut bound = 1;
    while bound < items.len() && id(&items[bound]) < chunk {
        bound *= 2;
    }
    let from = bound / 2;
    from + items[from..(bound + 1).min(items.len())].partition_point(|item| id(item) < chunk)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn behaves_like_a_map_that_is_overwritten(
            batches in prop::collection::vec(prop::collection::vec(0u64..40, 0..20), 0..6),
            asked in prop::collection::btree_set(0u64..45, 0..45),
        ) {
            let (mut directory, mut model, mut row) = (Directory::default(), BTreeMap::new(), 0);
            for batch in batches {
                let rows: Vec<_> = batch.into_iter().map(|id| { row += 1; (ChunkId(id), row) }).collect();
                model.extend(rows.iter().copied());
                directory.extend(rows);
            }
            prop_assert_eq!(directory.len(), model.len());
            let asked: Vec<ChunkId> = asked.into_iter().map(ChunkId).collect();
            let found = directory.look_up(&asked);
            let (known, missing): (Vec<_>, Vec<_>) = asked.iter().partition(|id| model.contains_key(id));
            prop_assert_eq!(&found.rows, &known.iter().map(|id| model[id]).collect::<Vec<_>>());
            prop_assert_eq!(found.chunks, known);
            prop_assert_eq!(found.missing, missing);
        }

        #[test]
        fn skipping_is_a_partition_point(ids in prop::collection::btree_set(0u64..200, 0..80), id in 0u64..201) {
            let ids: Vec<ChunkId> = ids.into_iter().map(ChunkId).collect();
            let id = ChunkId(id);
            prop_assert_eq!(skip(&ids, id, |i| *i), ids.partition_point(|i| *i < id));
        }
    }
}
