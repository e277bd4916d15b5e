//! The proximity graph as it lies in memory and in a file, and the walk through it: HNSW (Malkov and Yashunin, 2016).
//!
//! Nodes are numbered by their highest level, those of the highest first. So the nodes of a level are those below a number, every
//! walk begins at node 0, and a few sizes say where everything is. Links have room for as many node numbers as [`Shape::most_links`],
//! u32 each; behind the last one stands [`NONE`]. All numbers are little endian:
//!
//! | part | content |
//! |---|---|
//! | nodes | of each node: its code, half a byte an element ([`code`](super::code)), and its links on the lowest level, next to each other, so that they mostly lie on one page |
//! | links | for each level above, of each node on it: its links there |
//! | rows | of each node, the row that it stands for, u32 |

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::{Deref, Range};

use super::code::{Sought, code_len};
use super::kernel::{self, Kernel};

/// No node.
pub(super) const NONE: u32 = u32::MAX;
/// Codes are asked for so many ahead of the one that is compared.
const AHEAD: usize = 8;
/// How many comparisons before its turn a code's first byte is asked for: the address of its page takes longest.
const FAR_AHEAD: usize = 12;

/// The product of a node's code with what is sought, and the node. The greater, the nearer.
pub(super) type Scored = (i32, u32);

/// The sizes of a graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    /// Elements of a vector.
    pub(super) dimensions: usize,
    /// Links of a node on an upper level at most.
    pub(super) connectivity: usize,
    /// How many nodes are on each level, from the lowest; none has more than the one below it, and none is empty.
    pub(super) levels: Vec<usize>,
}

impl Shape {
    pub(super) fn nodes(&self) -> usize {
        self.levels.first().copied().unwrap_or_default()
    }

    /// Links of a node on a level at most.
    pub(super) fn most_links(&self, level: usize) -> usize {
        if level == 0 { 2 * self.connectivity } else { self.connectivity }
    }

    /// The highest level that a node is on.
    pub(super) fn level(&self, node: u32) -> usize {
        self.levels.partition_point(|&nodes| (node as usize) < nodes).saturating_sub(1)
    }

    /// Bytes of a node with its code and its links on the lowest level: 512 of 768 dimensions and a connectivity of 16.
    fn node_len(&self) -> Option<usize> {
        code_len(self.dimensions).checked_add(self.connectivity.checked_mul(8)?)
    }

    /// Where the links of each level but the lowest begin, where the rows do, and how many bytes there are. `None` if no graph has such sizes.
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

    /// How many bytes a graph of this shape takes. `None` if there is none.
    pub(super) fn len(&self) -> Option<usize> {
        self.places().map(|(_, _, len)| len)
    }
}

/// A graph in bytes, mapped or owned. Numbers in them that can't be are passed over and never followed.
pub(super) struct Hnsw<B> {
    pub(super) bytes: B,
    shape: Shape,
    node_len: usize,
    /// Where the links of each level but the lowest begin.
    links: Vec<usize>,
    rows: usize,
    /// Where walks begin, and its highest level. `None` in an empty graph.
    pub(super) entry: Option<(u32, usize)>,
    kernel: Kernel,
}

impl<B: Deref<Target = [u8]>> Hnsw<B> {
    /// `None` if the bytes are not as many as the shape takes.
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

    /// The row that a node stands for.
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

    /// The nodes that a node is linked to on one of its levels.
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

    /// What is near to a node can be sought by its code.
    pub(super) fn sought(&self, node: u32) -> Sought {
        Sought::coded(self.code(node), self.shape.dimensions)
    }

    pub(super) fn compare(&self, node: u32, sought: &Sought) -> i32 {
        sought.product(self.kernel.dot_code(self.code(node), &sought.elements))
    }

    /// Rows of nodes near to what is sought, the nearest first: as many as `breadth`, which is also how many the walk keeps in mind
    /// (`ef` of the paper's algorithms 2 and 5). It has as many dimensions as the codes here.
    pub(super) fn nearest(&self, sought: &Sought, breadth: usize) -> Vec<u32> {
        let Some((start, highest)) = self.entry.filter(|_| breadth > 0) else { return Vec::new() };
        let mut at = (self.compare(start, sought), start);
        for level in (1..=highest).rev() {
            at = self.climb(at, level, sought);
        }
        let found = self.spread(at, 0, sought, breadth);
        found.into_iter().filter_map(|(_, node)| self.row(node)).collect()
    }

    /// From link to nearer link on a level, as far as that goes.
    pub(super) fn climb(&self, from: Scored, level: usize, sought: &Sought) -> Scored {
        let (mut at, mut links) = (from, Vec::new());
        loop {
            let before = at;
            links.clear();
            links.extend(self.links(at.1, level));
            self.compare_all(&links, sought, |one| at = at.max(one));
            if at.0 == before.0 {
                return before;
            }
        }
    }

    /// The nearest `breadth` nodes that are met on a level from `start` on, the nearest first.
    pub(super) fn spread(&self, start: Scored, level: usize, sought: &Sought, breadth: usize) -> Vec<Scored> {
        let mut met = Met::new(self.shape.nodes());
        met.insert(start.1);
        let mut next = BinaryHeap::from([start]);
        let mut found = BinaryHeap::from([Reverse(start)]);
        let mut links = Vec::new();
        while let Some((score, node)) = next.pop() {
            if found.len() == breadth && found.peek().is_some_and(|Reverse(worst)| score < worst.0) {
                break;
            }
            links.clear();
            links.extend(self.links(node, level).filter(|&link| met.insert(link)));
            self.compare_all(&links, sought, |one| {
                if found.len() < breadth {
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

    fn compare_all(&self, nodes: &[u32], sought: &Sought, mut each: impl FnMut(Scored)) {
        nodes.iter().take(FAR_AHEAD).for_each(|&node| kernel::prefetch(&self.code(node)[..1]));
        nodes.iter().take(AHEAD).for_each(|&node| kernel::prefetch(self.code(node)));
        for (at, &node) in nodes.iter().enumerate() {
            if let Some(&soon) = nodes.get(at + FAR_AHEAD) {
                kernel::prefetch(&self.code(soon)[..1]);
            }
            if let Some(&soon) = nodes.get(at + AHEAD) {
                kernel::prefetch(self.code(soon));
            }
            each((self.compare(node, sought), node));
        }
    }

    /// Which nodes a walk can meet: level by level down, along all links.
    pub(super) fn reached(&self) -> Vec<bool> {
        let mut reached = vec![false; self.shape.nodes()];
        let Some((start, highest)) = self.entry else { return reached };
        let mut found = vec![start];
        reached[start as usize] = true;
        for level in (0..=highest).rev() {
            let mut at = 0;
            while let Some(&node) = found.get(at) {
                at += 1;
                found.extend(
                    self.links(node, level)
                        .filter(|&link| !std::mem::replace(&mut reached[link as usize], true)),
                );
            }
        }
        reached
    }
}

/// A set of nodes.
struct Met(Vec<u64>);

impl Met {
    fn new(nodes: usize) -> Met {
        Met(vec![0; nodes.div_ceil(64)])
    }

    /// Whether the node, which there is, was not in it yet.
    fn insert(&mut self, node: u32) -> bool {
        let (word, bit) = (&mut self.0[node as usize / 64], 1 << (node % 64));
        let new = *word & bit == 0;
        *word |= bit;
        new
    }
}
