//! The graph in memory and in a file, and its search: HNSW (Malkov and Yashunin, 2016).
//!
//! Nodes are numbered by their highest level, highest first. So the nodes of a level are a prefix, every search starts
//! at node 0, and a few sizes determine the whole layout. A node has room for [`Shape::most_links`] links per level,
//! each a node number as u32; [`NONE`] follows the last one. All numbers are little endian:
//!
//! | part | content |
//! |---|---|
//! | nodes | for each node: its code ([`code`](super::code)), then its links on the lowest level |
//! | links | for each level above, for each node on it: its links there |
//! | rows | for each node, its row, u32 |
//!
//! A node's code and its links on the lowest level are adjacent, so that they are mostly on one page.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::{Deref, Range};

use super::bits::Bits;
use super::code::{CodeQuery, code_len};
use super::kernel::{self, Kernel};

/// No node.
pub(super) const NONE: u32 = u32::MAX;
/// How many comparisons ahead a code is prefetched.
const AHEAD: usize = 8;
/// How many comparisons ahead a code's first byte is prefetched: the page's address translation takes longest.
const FAR_AHEAD: usize = 12;

/// The product of a node's code with the query, and the node. Greater is nearer.
pub(super) type Scored = (i32, u32);

/// The sizes of a graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    /// Dimensions of a vector.
    pub(super) dimensions: usize,
    /// Maximum links of a node on an upper level.
    pub(super) connectivity: usize,
    /// Number of nodes on each level, from the lowest. Never more than on the level below, and never 0.
    pub(super) levels: Vec<usize>,
}

impl Shape {
    pub(super) fn nodes(&self) -> usize {
        self.levels.first().copied().unwrap_or_default()
    }

    /// Maximum links of a node on a level.
    pub(super) fn most_links(&self, level: usize) -> usize {
        if level == 0 { 2 * self.connectivity } else { self.connectivity }
    }

    /// The highest level of a node.
    pub(super) fn level(&self, node: u32) -> usize {
        self.levels.partition_point(|&nodes| (node as usize) < nodes).saturating_sub(1)
    }

    /// Bytes of a node with its code and its links on the lowest level: 512 for 768 dimensions and a connectivity of
    /// 16.
    fn node_len(&self) -> Option<usize> {
        code_len(self.dimensions).checked_add(self.connectivity.checked_mul(8)?)
    }

    /// The offsets of each upper level's links and of the rows, and the length in bytes. `None` if the sizes are
    /// invalid.
    fn places(&self) -> Option<(Vec<usize>, usize, usize)> {
        let sound = self.levels.is_sorted_by(|below, above| below >= above) && !self.levels.contains(&0);
        if !sound || self.nodes() >= NONE as usize {
            return None;
        }
        let mut at = self.nodes().checked_mul(self.node_len()?)?;
        let mut links = Vec::with_capacity(self.levels.len());
        for &nodes in self.levels.iter().skip(1) {
            links.push(at);
            at = at.checked_add(nodes.checked_mul(self.connectivity.checked_mul(4)?)?)?;
        }
        let len = at.checked_add(self.nodes().checked_mul(4)?)?;
        Some((links, at, len))
    }

    /// The size of a graph of this shape in bytes. `None` if the shape is invalid.
    pub(super) fn len(&self) -> Option<usize> {
        self.places().map(|(_, _, len)| len)
    }
}

/// A graph in bytes, mapped or owned. Out-of-range node numbers are skipped, never followed.
pub(super) struct Hnsw<B> {
    pub(super) bytes: B,
    shape: Shape,
    node_len: usize,
    /// The offsets of each level's links, except for the lowest level.
    links: Vec<usize>,
    rows: usize,
    /// The entry point and its highest level. `None` for an empty graph.
    pub(super) entry: Option<(u32, usize)>,
    kernel: Kernel,
}

impl<B: Deref<Target = [u8]>> Hnsw<B> {
    /// `None` if there are too few bytes for the shape.
    pub(super) fn new(bytes: B, shape: Shape) -> Option<Hnsw<B>> {
        let (node_len, (links, rows, len)) = (shape.node_len()?, shape.places()?);
        let entry = (shape.nodes() > 0).then(|| (0, shape.levels.len() - 1));
        (bytes.len() == len).then(|| Hnsw {
            bytes,
            shape,
            node_len,
            links,
            rows,
            entry,
            kernel: Kernel::best(),
        })
    }

    pub(super) fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The row of a node.
    pub(super) fn row(&self, node: u32) -> Option<u32> {
        let bytes = self.bytes.get(self.row_at(node))?;
        bytes.first_chunk().copied().map(u32::from_le_bytes)
    }

    /// The rows of all nodes.
    pub(super) fn rows(&self) -> impl Iterator<Item = u32> {
        let rows = self.bytes.get(self.rows..).unwrap_or_default().as_chunks().0;
        rows.iter().map(|&row| u32::from_le_bytes(row))
    }

    pub(super) fn row_at(&self, node: u32) -> Range<usize> {
        let start = self.rows + 4 * node as usize;
        start..start + 4
    }

    pub(super) fn code(&self, node: u32) -> &[u8] {
        self.bytes.get(self.code_at(node)).unwrap_or_default()
    }

    pub(super) fn code_at(&self, node: u32) -> Range<usize> {
        let start = node as usize * self.node_len;
        start..start + code_len(self.shape.dimensions)
    }

    /// The neighbours of a node on one of its levels.
    pub(super) fn links(&self, node: u32, level: usize) -> impl Iterator<Item = u32> {
        let nodes = self.shape.levels.get(level).copied().unwrap_or_default();
        let links = self.link_bytes(node, level).as_chunks().0;
        links.iter().map(|&link| u32::from_le_bytes(link)).take_while(move |&link| (link as usize) < nodes)
    }

    fn link_bytes(&self, node: u32, level: usize) -> &[u8] {
        self.bytes.get(self.links_at(node, level)).unwrap_or_default()
    }

    pub(super) fn links_at(&self, node: u32, level: usize) -> Range<usize> {
        let room = 4 * self.shape.most_links(level);
        let start = match level.checked_sub(1) {
            None => self.code_at(node).end,
            Some(above) => {
                self.links.get(above).map_or(self.bytes.len(), |&links| links + node as usize * room)
            }
        };
        start..start + room
    }

    /// A query for a node's neighbourhood, from its code.
    pub(super) fn query_of(&self, node: u32) -> CodeQuery {
        CodeQuery::coded(self.code(node), self.shape.dimensions)
    }

    pub(super) fn compare(&self, node: u32, query: &CodeQuery) -> i32 {
        query.product(self.kernel.dot_code(self.code(node), &query.elements))
    }

    /// Returns the `ef` rows nearest to the query, nearest first, with their products. `ef` is the length of the
    /// candidate list, as in algorithms 2 and 5 of the paper. The query has as many dimensions as the codes.
    pub(super) fn search(&self, query: &CodeQuery, ef: usize) -> Vec<(i32, u32)> {
        let Some((start, highest)) = self.entry.filter(|_| ef > 0) else { return Vec::new() };
        let mut at = (self.compare(start, query), start);
        for level in (1..=highest).rev() {
            at = self.greedy_search(at, level, query);
        }
        let found = self.search_layer(at, 0, query, ef);
        found.into_iter().filter_map(|(score, node)| Some((score, self.row(node)?))).collect()
    }

    /// Greedy search: follows links to nearer nodes of a level until there is none.
    pub(super) fn greedy_search(&self, from: Scored, level: usize, query: &CodeQuery) -> Scored {
        let (mut at, mut links) = (from, Vec::new());
        loop {
            let before = at;
            links.clear();
            links.extend(self.links(at.1, level));
            self.compare_all(&links, query, |one| at = at.max(one));
            if at.0 == before.0 {
                return before;
            }
        }
    }

    /// Searches a level: returns the nearest `ef` nodes that a best-first search finds from `start`, nearest first.
    pub(super) fn search_layer(
        &self,
        start: Scored,
        level: usize,
        query: &CodeQuery,
        ef: usize,
    ) -> Vec<Scored> {
        let mut visited = Bits::below(self.shape.nodes());
        visited.insert(start.1 as usize);
        let mut next = BinaryHeap::from([start]);
        let mut found = BinaryHeap::from([Reverse(start)]);
        let mut links = Vec::new();
        while let Some((score, node)) = next.pop() {
            if found.len() == ef && found.peek().is_some_and(|Reverse(worst)| score < worst.0) {
                break;
            }
            links.clear();
            links.extend(self.links(node, level).filter(|&link| visited.insert(link as usize)));
            self.compare_all(&links, query, |one| {
                if found.len() < ef {
                    found.push(Reverse(one));
                } else if let Some(mut worst) = found.peek_mut()
                    && one.0 > worst.0.0
                {
                    *worst = Reverse(one);
                } else {
                    return;
                }
                kernel::prefetch(self.link_bytes(one.1, level));
                next.push(one);
            });
        }
        found.into_sorted_vec().into_iter().map(|Reverse(one)| one).collect()
    }

    fn compare_all(&self, nodes: &[u32], query: &CodeQuery, mut each: impl FnMut(Scored)) {
        nodes.iter().take(FAR_AHEAD).for_each(|&node| kernel::prefetch(&self.code(node)[..1]));
        nodes.iter().take(AHEAD).for_each(|&node| kernel::prefetch(self.code(node)));
        for (at, &node) in nodes.iter().enumerate() {
            if let Some(&soon) = nodes.get(at + FAR_AHEAD) {
                kernel::prefetch(&self.code(soon)[..1]);
            }
            if let Some(&soon) = nodes.get(at + AHEAD) {
                kernel::prefetch(self.code(soon));
            }
            each((self.compare(node, query), node));
        }
    }

    /// Returns which nodes a search can reach: level by level downwards, along all links.
    pub(super) fn reached(&self) -> Bits {
        let mut reached = Bits::below(self.shape.nodes());
        let Some((start, highest)) = self.entry else { return reached };
        let mut found = vec![start];
        reached.insert(start as usize);
        for level in (0..=highest).rev() {
            let mut at = 0;
            while let Some(&node) = found.get(at) {
                at += 1;
                found.extend(self.links(node, level).filter(|&link| reached.insert(link as usize)));
            }
        }
        reached
    }
}
