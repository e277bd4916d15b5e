//! Exact search: scores every candidate.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::sync::OnceLock;

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::vectors::{Query, Rows};
use crate::ids::ChunkId;

/// Rows per task; below two of these a search stays on the caller's thread.
const TASK_ROWS: usize = 4096;

/// How many rows ahead to prefetch.
pub(super) const AHEAD: usize = 2;

/// A scored chunk. Greater is better: a higher score; on ties, a lower id.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit {
    pub(super) score: f32,
    pub(super) chunk: ChunkId,
}

impl Ord for Hit {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score.total_cmp(&other.score).then(other.chunk.cmp(&self.chunk))
    }
}

impl PartialOrd for Hit {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Hit {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Hit {}

/// The best `k` hits offered so far.
#[derive(Debug)]
struct Best {
    k: usize,
    heap: BinaryHeap<Reverse<Hit>>,
}

impl Best {
    fn new(k: usize) -> Best {
        Best { k, heap: BinaryHeap::new() }
    }

    fn offer(&mut self, hit: Hit) {
        if self.heap.len() < self.k {
            self.heap.push(Reverse(hit));
        } else if let Some(mut worst) = self.heap.peek_mut()
            && hit > worst.0
        {
            worst.0 = hit;
        }
    }

    fn merge(mut self, other: Best) -> Best {
        other.heap.into_iter().for_each(|hit| self.offer(hit.0));
        self
    }

    fn into_sorted(self) -> Vec<Hit> {
        self.heap.into_sorted_vec().into_iter().map(|hit| hit.0).collect()
    }
}

/// Returns the `k` best of the candidate rows, best first. Candidates are distinct.
pub(super) fn best_of(rows: &Rows, query: &Query, candidates: &[u32], k: usize) -> Vec<Hit> {
    let k = k.min(candidates.len());
    if k == 0 {
        return Vec::new();
    }
    let score = |part: &[u32]| {
        let mut best = Best::new(k);
        for (at, &row) in part.iter().enumerate() {
            // The processor prefetches consecutive rows by itself.
            if let Some(&soon) = part.get(at + AHEAD)
                && soon != row.wrapping_add(AHEAD as u32)
            {
                rows.prefetch(soon);
            }
            best.offer(Hit { score: rows.cosine(row, query), chunk: rows.chunk(row) });
        }
        best
    };
    match pool() {
        Some(pool) if pool.current_num_threads() > 1 && candidates.len() >= 2 * TASK_ROWS => pool
            .install(|| candidates.par_chunks(TASK_ROWS).map(score).reduce(|| Best::new(k), Best::merge))
            .into_sorted(),
        _ => score(candidates).into_sorted(),
    }
}

/// Threads that belong to the dense index: training may keep the common pool busy for long, and searches must not wait
/// for it. They get the priority of the thread that first asks for them.
pub(super) fn pool() -> Option<&'static ThreadPool> {
    static POOL: OnceLock<Option<ThreadPool>> = OnceLock::new();
    let build = || ThreadPoolBuilder::new().thread_name(|i| format!("retune-dense-{i}")).build();
    POOL.get_or_init(|| build().inspect_err(|e| tracing::warn!("dense search is single-threaded: {e}")).ok())
        .as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keeps_what_sorting_would_keep(
            scores in prop::collection::vec(0u8..6, 0..60), k in 1usize..20, split in any::<prop::sample::Index>(),
        ) {
            let scores = scores.into_iter().map(f32::from).enumerate();
            let mut hits: Vec<Hit> = scores.map(|(i, score)| Hit { score, chunk: ChunkId(i as u64) }).collect();
            let (left, right) = hits.split_at(split.index(hits.len() + 1));
            let part = |hits: &[Hit]| {
                let mut best = Best::new(k);
                hits.iter().rev().for_each(|&hit| best.offer(hit));
                best
            };
            let found = part(left).merge(part(right)).into_sorted();
            hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.chunk.cmp(&b.chunk)));
            hits.truncate(k);
            prop_assert_eq!(found, hits);
        }
    }
}
