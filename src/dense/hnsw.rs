//! The file that usearch writes, and the walk through it.
//!
//! The library builds graphs, but does not search them: a walk waits for memory, and this one asks for the codes that it is about
//! to look at before it needs them; and it takes as many threads at once as come. The file is that of usearch 2
//! (`index_dense.hpp`, `index.hpp`), all numbers little endian:
//!
//! | part | content |
//! |---|---|
//! | codes | number of nodes and bytes of a code, u32 each; then the codes |
//! | head | 64 bytes that begin with `usearch` |
//! | shape | number of nodes, links of a node on an upper level and on the lowest at most, the highest level, its first node; u64 each |
//! | levels | the highest level of each node, i16 each |
//! | nodes | of each its row, u64, and level, i16; then for each level from the lowest how many links there are, u32, and room for the most, u32 each |
//!
//! Nodes are numbered in the order in which they were added.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::ops::Range;
use std::path::Path;

use memmap2::Mmap;

use super::kernel::{self, Kernel};
use crate::error::{Error, Result};

const MAGIC: &[u8] = b"usearch";
const HEAD: usize = 64;
const SHAPE: usize = 40;
/// Row and level of a node.
const NODE_HEAD: usize = 10;
/// Codes are asked for so many ahead of the one that is compared.
const AHEAD: usize = 4;

/// A graph file, mapped. Whoever opens one vouches for its bytes by a checksum; numbers in it that can't be are passed
/// over in a walk and never followed.
pub(super) struct Hnsw {
    map: Mmap,
    count: usize,
    code_len: usize,
    /// Bytes of the links of one upper level, and of the lowest.
    upper_len: usize,
    lowest_len: usize,
    highest: usize,
    entry: u32,
    /// Where the nodes begin.
    nodes: usize,
    /// How many upper levels the nodes before each have together.
    levels_before: Vec<u32>,
    kernel: Kernel,
}

impl Hnsw {
    /// Maps the file. `Err` inside says what is wrong with its shape.
    pub(super) fn open(path: &Path) -> Result<std::result::Result<Hnsw, String>> {
        let file = File::open(path).map_err(Error::io("open", path))?;
        // SAFETY: published graph files are never written again; an unlinked one stays mapped.
        let map = unsafe { Mmap::map(&file) }.map_err(Error::io("map", path))?;
        Ok(Hnsw::read(map).ok_or_else(|| "no graph of usearch 2".to_owned()))
    }

    fn read(map: Mmap) -> Option<Hnsw> {
        let number = |at: usize| usize::try_from(u64::from_le_bytes(*map.get(at..)?.first_chunk()?)).ok();
        let (count, code_len) = (u32_at(&map, 0)? as usize, u32_at(&map, 4)? as usize);
        let head = count.checked_mul(code_len)?.checked_add(8)?;
        if !map.get(head..)?.starts_with(MAGIC) {
            return None;
        }
        let shape = head + HEAD;
        let links = |at: usize| number(shape + at)?.checked_mul(4)?.checked_add(4);
        let (upper_len, lowest_len) = (links(8)?, links(16)?);
        let (highest, entry) = (number(shape + 24)?, u32::try_from(number(shape + 32)?).ok()?);
        let levels = shape + SHAPE;
        let nodes = levels + count.checked_mul(2)?;
        let mut levels_before = Vec::with_capacity(count);
        let mut before = 0u32;
        for level in map.get(levels..nodes)?.chunks_exact(2) {
            levels_before.push(before);
            before = before.checked_add(u32::try_from(i16::from_le_bytes([level[0], level[1]])).ok()?)?;
        }
        let lowest = count.checked_mul(NODE_HEAD.checked_add(lowest_len)?)?;
        let len = lowest.checked_add((before as usize).checked_mul(upper_len)?)?.checked_add(nodes)?;
        let sound = number(shape)? == count && len == map.len() && (count == 0 || (entry as usize) < count);
        let kernel = Kernel::best();
        let read = Hnsw {
            map,
            count,
            code_len,
            upper_len,
            lowest_len,
            highest,
            entry,
            nodes,
            levels_before,
            kernel,
        };
        (sound && (count == 0 || highest == read.level(entry))).then_some(read)
    }

    /// The file.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.map
    }

    /// Nodes.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Elements of a code.
    pub(super) fn dimensions(&self) -> usize {
        self.code_len
    }

    /// The row that a node stands for.
    fn row(&self, node: u32) -> Option<u32> {
        u32::try_from(u64::from_le_bytes(*self.map.get(self.node(node)?..)?.first_chunk()?)).ok()
    }

    /// Where a node begins.
    fn node(&self, node: u32) -> Option<usize> {
        let above = *self.levels_before.get(node as usize)? as usize;
        Some(self.nodes + node as usize * (NODE_HEAD + self.lowest_len) + above * self.upper_len)
    }

    /// The highest level of a node.
    fn level(&self, node: u32) -> usize {
        let at = self.nodes - 2 * (self.count - node as usize);
        u16::from_le_bytes([self.map[at], self.map[at + 1]]).into()
    }

    fn code_at(&self, node: u32) -> Option<Range<usize>> {
        let start = 8 + node as usize * self.code_len;
        ((node as usize) < self.count).then_some(start..start + self.code_len)
    }

    /// The nodes that a node is linked to on a level.
    fn links(&self, node: u32, level: usize) -> impl Iterator<Item = u32> {
        let bytes = self.links_at(node, level).and_then(|at| self.map.get(at)).unwrap_or_default();
        let count = u32_at(bytes, 0).unwrap_or_default() as usize;
        let links = bytes.get(4..).unwrap_or_default().chunks_exact(4).take(count);
        links.filter_map(|link| u32_at(link, 0)).filter(|&link| (link as usize) < self.count)
    }

    fn links_at(&self, node: u32, level: usize) -> Option<Range<usize>> {
        let lowest = self.node(node)? + NODE_HEAD;
        Some(match level {
            0 => lowest..lowest + self.lowest_len,
            _ => {
                let start = lowest + self.lowest_len + (level - 1) * self.upper_len;
                start..start + self.upper_len
            }
        })
    }

    fn compare(&self, node: u32, query: &[i16]) -> i32 {
        let code = self.code_at(node).and_then(|at| self.map.get(at)).unwrap_or_default();
        self.kernel.dot_codes(code, query)
    }

    fn ask_for(&self, at: Option<Range<usize>>) {
        kernel::prefetch(at.and_then(|at| self.map.get(at)).unwrap_or_default());
    }

    /// Rows of nodes near to the query, the nearest first: as many as `breadth`, which is also how many the walk keeps in mind
    /// (`ef` of Malkov and Yashunin, algorithms 2 and 5). The query is a code of as many elements as those here.
    pub(super) fn nearest(&self, query: &[i8], breadth: usize) -> Vec<u32> {
        let query: Vec<i16> = query.iter().map(|&element| element.into()).collect();
        if self.count == 0 || breadth == 0 {
            return Vec::new();
        }
        let mut at = (self.compare(self.entry, &query), self.entry);
        for level in (1..=self.highest).rev() {
            while let Some(nearer) = self.nearest_link(at.1, level, &query).filter(|nearer| nearer.0 > at.0) {
                at = nearer;
            }
        }
        let found = self.spread(at, &query, breadth);
        found.into_sorted_vec().into_iter().filter_map(|Reverse((_, node))| self.row(node)).collect()
    }

    fn nearest_link(&self, node: u32, level: usize, query: &[i16]) -> Option<(i32, u32)> {
        let links: Vec<u32> = self.links(node, level).collect();
        let mut best = None;
        self.compare_all(&links, query, |found| best = best.max(Some(found)));
        best
    }

    /// The nearest `breadth` nodes that are met on the lowest level from `start` on.
    fn spread(&self, start: (i32, u32), query: &[i16], breadth: usize) -> BinaryHeap<Reverse<(i32, u32)>> {
        let mut met = Met::new(self.count);
        met.insert(start.1);
        let mut next = BinaryHeap::from([start]);
        let mut found = BinaryHeap::from([Reverse(start)]);
        let mut links = Vec::new();
        while let Some((score, node)) = next.pop() {
            if found.len() == breadth && found.peek().is_some_and(|Reverse(worst)| score < worst.0) {
                break;
            }
            links.clear();
            links.extend(self.links(node, 0).filter(|&link| met.insert(link)));
            self.compare_all(&links, query, |one| {
                if found.len() < breadth {
                    found.push(Reverse(one));
                } else if let Some(mut worst) = found.peek_mut()
                    && one.0 > worst.0.0
                {
                    *worst = Reverse(one);
                } else {
                    return;
                }
                self.ask_for(self.links_at(one.1, 0));
                next.push(one);
            });
        }
        found
    }

    fn compare_all(&self, nodes: &[u32], query: &[i16], mut each: impl FnMut((i32, u32))) {
        nodes.iter().take(AHEAD).for_each(|&node| self.ask_for(self.code_at(node)));
        for (at, &node) in nodes.iter().enumerate() {
            self.ask_for(nodes.get(at + AHEAD).and_then(|&node| self.code_at(node)));
            each((self.compare(node, query), node));
        }
    }

    /// Which rows below `below` a walk from the first node can meet: level by level down, along all links.
    pub(super) fn reached(&self, below: usize) -> Vec<bool> {
        let mut reached = vec![false; below];
        if self.count == 0 {
            return reached;
        }
        let (mut met, mut found) = (Met::new(self.count), vec![self.entry]);
        met.insert(self.entry);
        for level in (0..=self.highest).rev() {
            let mut at = 0;
            while let Some(&node) = found.get(at) {
                at += 1;
                found.extend(self.links(node, level).filter(|&link| met.insert(link)));
            }
        }
        for row in found.into_iter().filter_map(|node| self.row(node)) {
            if let Some(reached) = reached.get_mut(row as usize) {
                *reached = true;
            }
        }
        reached
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
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
