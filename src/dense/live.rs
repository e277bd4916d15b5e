//! The live part: the rows after the last segment, in a usearch index in memory that grows while it is searched.
//!
//! usearch allows searches during an addition, but they read the entry point and the number of levels without a lock,
//! and link lists while they are rewritten: a search may miss results or read out of bounds. So there are two indexes
//! that take turns: one is searched and never changes, the other grows, and then they are swapped. [`Arc::try_unwrap`]
//! proves that nobody searches an index any more; a search never waits.
//!
//! This is the only file that names usearch.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::ops::{ControlFlow, Range};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use usearch::{Index, IndexOptions, MetricKind, ScalarKind};

use super::bits::Bits;
use super::code::CodeQuery;
use super::vectors::Rows;
use crate::error::{Error, Result};

/// Rows to add before the indexes are swapped. Fewer are scored exactly.
pub(super) const STEP: usize = 1024;
/// Maximum rows of a live part; rows after it are scored exactly. The two indexes take 3.4 kB per row of 768
/// dimensions.
const MOST: usize = 1 << 15;
/// Concurrent searches per index. Beyond that, a search scores the rows exactly.
const SLOTS: usize = 64;
/// How often to check whether the last search of an index has ended.
const WAIT: Duration = Duration::from_millis(1);
/// Rows between two calls of `progress`.
const ROWS: u32 = 32;

/// The live part. Views share it: they see rows that were added after their creation, and skip them.
#[derive(Debug, Default)]
pub(super) struct Live {
    searched: ArcSwapOption<LivePart>,
    /// The other index, for the thread that adds to it.
    grows: Mutex<Option<LivePart>>,
}

impl Live {
    pub(super) fn get(&self) -> Option<Arc<LivePart>> {
        self.searched.load_full()
    }

    /// Removes all rows.
    pub(super) fn clear(&self) {
        self.searched.store(None);
        if let Ok(mut grows) = self.grows.try_lock() {
            *grows = None;
        }
    }
}

/// An index over consecutive rows.
pub(super) struct LivePart {
    index: Index,
    first: u32,
    /// All rows from the first on and below this one were added.
    end: u32,
    /// Rows without a node because their vectors equal a node's: a search would get lost among equal nodes.
    copies: HashMap<u32, Vec<u32>>,
    nodes: HashMap<u64, u32>,
    hasher: RandomState,
    /// Number of rows that a search can find.
    found: usize,
    /// Rows that no search can find, from the first on and before the end. Ascending.
    missed: Vec<u32>,
}

impl std::fmt::Debug for LivePart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LivePart").field("first", &self.first).field("end", &self.end).finish()
    }
}

impl LivePart {
    /// The range of its rows.
    pub(super) fn rows(&self) -> Range<u32> {
        self.first..self.end
    }

    /// Number of rows that a search can find.
    pub(super) fn found(&self) -> usize {
        self.found
    }

    /// The other rows of its range, ascending: they must be scored exactly.
    pub(super) fn missed(&self) -> &[u32] {
        &self.missed
    }

    /// Returns the `count` rows nearest to the query, and rows with the same vectors. `None` if there are too many
    /// concurrent searches.
    pub(super) fn search(&self, query: &CodeQuery, count: usize) -> Option<Vec<u32>> {
        let found = self.index.search(&query.elements, count).inspect_err(|e| {
            tracing::debug!("scoring the live rows one by one: {e}");
        });
        let mut rows = Vec::with_capacity(count);
        for row in found.ok()?.keys.into_iter().filter_map(|key| u32::try_from(key).ok()) {
            rows.push(row);
            rows.extend(self.copies.get(&row).into_iter().flatten());
        }
        Some(rows)
    }

    /// Finds out which rows a search can reach: level by level downwards from the entry point, along all links.
    fn verify(&mut self) {
        let reached = self.reached();
        self.found = reached.len();
        let missed = (self.first..self.end).filter(|row| !reached.contains((row - self.first) as usize));
        self.missed = missed.collect();
    }

    fn reached(&self) -> Bits {
        let size = (self.end - self.first) as usize;
        let mut found = Bits::below(size);
        let mut queue: Vec<u64> = self.entry().into_iter().collect();
        queue.iter().for_each(|&key| _ = found.insert(key as usize - self.first as usize));
        let highest = queue.first().map_or(0, |&entry| self.index.level_of_key(entry));
        let mut links = [0; 1024];
        for level in (0..=highest).rev() {
            let mut at = 0;
            while let Some(&key) = queue.get(at) {
                at += 1;
                let count = self.index.neighbors(key, level).drain_into(&mut links);
                queue.extend(
                    links[..count].iter().filter(|&&key| found.insert(key as usize - self.first as usize)),
                );
            }
        }
        for (&node, copies) in &self.copies {
            if found.contains((node - self.first) as usize) {
                copies.iter().for_each(|&row| _ = found.insert((row - self.first) as usize));
            }
        }
        found
    }

    /// The entry point: the first of the nodes with the highest level.
    fn entry(&self) -> Option<u64> {
        let nodes = self.nodes.values().map(|&row| u64::from(row));
        nodes.max_by_key(|&key| (self.index.level_of_key(key), std::cmp::Reverse(key)))
    }
}

/// Rows to add, by one thread at a time. See [`super::DenseIndex::live_rows`].
#[derive(Debug)]
pub(crate) struct LiveRows {
    pub(super) live: Arc<Live>,
    pub(super) dir: PathBuf,
    pub(super) rows: Arc<Rows>,
    /// The first row of the live part.
    pub(super) first: u32,
    /// The valid rows from there on, ascending.
    pub(super) current: Vec<u32>,
    pub(super) connectivity: usize,
    pub(super) ef_construction: usize,
}

impl LiveRows {
    /// Adds the rows; searches can use them step by step. `progress` gets the number of rows added and the total, and
    /// may cancel: rows already added stay.
    ///
    /// # Errors
    /// [`Error::Cancelled`] when `progress` breaks; [`Error::Dense`] if memory runs out.
    pub(crate) fn add(&self, progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>) -> Result<()> {
        let mut grows = self.live.grows.lock().unwrap_or_else(PoisonError::into_inner);
        let all = self.rows.count().min(self.first as usize + MOST);
        let mut going_on = |row: u32| match progress((row - self.first) as usize, all - self.first as usize) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Cancelled { doing: "adding vectors to the live part" }),
        };
        loop {
            let searched = self.live.get().filter(|part| part.first == self.first);
            let end = searched.map_or(self.first, |part| part.end);
            if all.saturating_sub(end as usize) < STEP {
                return Ok(());
            }
            going_on(end)?;
            let until = all.min(end as usize + STEP) as u32;
            let mut part = match grows.take().filter(|part| part.first == self.first) {
                Some(part) => part,
                None => self.part()?,
            };
            let added = self.add_until(&mut part, until, &mut going_on);
            if let Err(error) = added {
                *grows = Some(part).filter(|_| matches!(error, Error::Cancelled { .. }));
                return Err(error);
            }
            part.verify();
            let mut left = self.live.searched.swap(Some(Arc::new(part)));
            while let Some(searched) = left {
                match Arc::try_unwrap(searched) {
                    Ok(part) => {
                        *grows = Some(part);
                        left = None;
                    }
                    Err(searched) => {
                        going_on(until)?;
                        std::thread::sleep(WAIT);
                        left = Some(searched);
                    }
                }
            }
        }
    }

    fn part(&self) -> Result<LivePart> {
        let options = IndexOptions {
            dimensions: CodeQuery::vector(&self.rows.vector(self.first)).elements.len(),
            // Signed bytes in our own scale, so usearch must not rescale them.
            metric: MetricKind::IP,
            quantization: ScalarKind::I8,
            connectivity: self.connectivity,
            expansion_add: self.ef_construction,
            // The number of requested rows sets each search's efSearch.
            expansion_search: 1,
            multi: false,
        };
        Ok(LivePart {
            index: Index::new(&options).map_err(self.failed("make a live part"))?,
            first: self.first,
            end: self.first,
            copies: HashMap::new(),
            nodes: HashMap::new(),
            hasher: RandomState::new(),
            found: 0,
            missed: Vec::new(),
        })
    }

    fn add_until(
        &self,
        part: &mut LivePart,
        until: u32,
        going_on: &mut dyn FnMut(u32) -> Result<()>,
    ) -> Result<()> {
        // Beyond its reserved capacity, it would reject a row, and a search on another thread.
        let room = (until - self.first) as usize;
        if part.index.capacity() < room {
            let reserved = part.index.reserve_capacity_and_threads((2 * room).min(MOST), SLOTS);
            reserved.map_err(self.failed("reserve memory"))?;
        }
        let from = self.current.partition_point(|&row| row < part.end);
        for &row in self.current[from..].iter().take_while(|&&row| row < until) {
            if row.is_multiple_of(ROWS) {
                going_on(row)?;
            }
            let hash = part.hasher.hash_one(self.rows.elements(row));
            let node = *part.nodes.entry(hash).or_insert(row);
            if node != row && self.rows.elements(node) == self.rows.elements(row) {
                part.copies.entry(node).or_default().push(row);
            } else {
                let elements = CodeQuery::vector(&self.rows.vector(row)).elements;
                part.index.add(row.into(), &elements).map_err(self.failed("add a row"))?;
            }
            part.end = row + 1;
        }
        part.end = until;
        Ok(())
    }

    fn failed<E: std::fmt::Display>(&self, doing: &'static str) -> impl FnOnce(E) -> Error {
        let path = self.dir.clone();
        move |error| Error::Dense { doing, path, message: error.to_string() }
    }
}
