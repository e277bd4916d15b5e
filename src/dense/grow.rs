//! Adding nodes to a graph.
//!
//! Nodes are added in batches: all of a batch look for their neighbours side by side, in the graph as it was before and among those of
//! the batch that come before them, and then become part of it. So the graph is the same however many threads there are, and
//! no node is stranded by another that was added at the same moment.

use std::cmp::Reverse;
use std::ops::Deref;

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::hnsw::{Hnsw, Scored, Shape};
use crate::error::Result;

/// Nodes of a batch: each is compared with all before it, which takes a few hundredths of what its walk does.
const BATCH: usize = 512;

/// Level, whose link, to whom.
type Link = (usize, u32, u32);

/// Where a node comes from; those of the graph before are numbered first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Old { node: u32 },
    New { shuffled: u64, row: u32 },
}

/// A graph that grows: every node has its code and its row, and those that were added their links.
pub(super) struct Growing {
    hnsw: Hnsw<Vec<u8>>,
    /// Nodes that a search for neighbours keeps in mind (`efConstruction` of the paper).
    breadth: usize,
    /// The nodes that are still to be added, ascending.
    fresh: Vec<u32>,
    /// Threads of its own, unless it runs on some that are not everybody's: queries are encoded on the common ones, and would wait for
    /// whole batches.
    pool: Option<ThreadPool>,
}

impl Growing {
    /// A graph with the nodes of `base`, linked as they are there, and one to be added for each of `rows`. `None` if they are too
    /// many for any graph.
    pub(super) fn new<B: Deref<Target = [u8]>>(
        base: Option<&Hnsw<B>>,
        rows: &[u32],
        (dimensions, connectivity, breadth): (usize, usize, usize),
        code: impl Fn(u32) -> Vec<u8>,
    ) -> Option<Growing> {
        let old = base.into_iter().flat_map(|base| {
            let nodes = 0..base.shape().nodes() as u32;
            nodes.map(|node| (Reverse(base.shape().level(node)), Source::Old { node }))
        });
        let new = rows.iter().map(|&row| drawn(row, connectivity));
        let mut nodes: Vec<(Reverse<usize>, Source)> = old.chain(new).collect();
        nodes.sort_unstable();
        let highest = nodes.first().map_or(0, |(Reverse(level), _)| level + 1);
        let on = |level| nodes.partition_point(|(Reverse(highest), _)| *highest >= level);
        let shape = Shape { dimensions, connectivity, levels: (0..highest).map(on).collect() };
        // No link anywhere.
        let mut hnsw = Hnsw::new(vec![u8::MAX; shape.len()?], shape)?;
        let (mut fresh, mut number) = (Vec::with_capacity(rows.len()), Vec::new());
        number.resize(nodes.len() - rows.len(), 0);
        for (node, (_, source)) in (0..).zip(&nodes) {
            let (row, code) = match *source {
                Source::Old { node: old } => {
                    number[old as usize] = node;
                    let base = base?;
                    (base.row(old)?, base.code(old).to_vec())
                }
                Source::New { row, .. } => {
                    fresh.push(node);
                    (row, code(row))
                }
            };
            let (row_at, code_at) = (hnsw.row_at(node), hnsw.code_at(node));
            hnsw.bytes[row_at].copy_from_slice(&row.to_le_bytes());
            hnsw.bytes[code_at].copy_from_slice(&code);
        }
        hnsw.entry = None;
        let mut growing = Growing { hnsw, breadth, fresh, pool: pool() };
        if let Some(base) = base {
            for (old, &node) in (0..).zip(&number) {
                for level in 0..=base.shape().level(old) {
                    let links: Vec<u32> = base.links(old, level).map(|link| number[link as usize]).collect();
                    growing.link(node, level, &links);
                }
            }
            growing.hnsw.entry = base.entry.map(|(node, level)| (number[node as usize], level));
        }
        Some(growing)
    }

    /// Adds the nodes. `progress` is told how many were, and may end it by an error, which is then the result.
    pub(super) fn grow(&mut self, mut progress: impl FnMut(usize) -> Result<()>) -> Result<()> {
        let (fresh, mut done) = (std::mem::take(&mut self.fresh), 0);
        while done < fresh.len() {
            let until = fresh.len().min(done + BATCH);
            self.add(&fresh[done..until]);
            done = until;
            progress(done)?;
        }
        Ok(())
    }

    pub(super) fn into_graph(self) -> Hnsw<Vec<u8>> {
        self.hnsw
    }

    /// Adds a batch, ascending.
    fn add(&mut self, nodes: &[u32]) {
        let places = 0..nodes.len();
        let chosen: Vec<Vec<Vec<u32>>> = self.side_by_side(|| {
            places.into_par_iter().map(|at| self.neighbours(nodes[at], &nodes[..at])).collect()
        });
        let mut back: Vec<Link> = Vec::new();
        for (&node, levels) in nodes.iter().zip(&chosen) {
            for (level, links) in levels.iter().enumerate() {
                self.link(node, level, links);
                back.extend(links.iter().map(|&link| (level, link, node)));
            }
        }
        back.sort_unstable();
        let of_one: Vec<&[Link]> = back.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)).collect();
        let linked: Vec<Vec<u32>> =
            self.side_by_side(|| of_one.par_iter().map(|back| self.linked_back(back)).collect());
        for (back, links) in of_one.iter().zip(&linked) {
            let (level, node, _) = back[0];
            self.link(node, level, links);
        }
        let highest = (nodes[0], self.hnsw.shape().level(nodes[0]));
        if self.hnsw.entry.is_none_or(|(_, level)| level < highest.1) {
            self.hnsw.entry = Some(highest);
        }
    }

    fn side_by_side<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match &self.pool {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }

    /// Whom a node that is to be added is linked to, on each of its levels (algorithm 1 of the paper). `before` are those of its batch that come
    /// before it, so that all of its levels are theirs too.
    fn neighbours(&self, node: u32, before: &[u32]) -> Vec<Vec<u32>> {
        let hnsw = &self.hnsw;
        let (sought, own) = (hnsw.sought(node), hnsw.shape().level(node));
        let before: Vec<Scored> = before.iter().map(|&mate| (hnsw.compare(mate, &sought), mate)).collect();
        let mut at = hnsw.entry.map(|(start, _)| (hnsw.compare(start, &sought), start));
        let highest = hnsw.entry.map_or(0, |(_, level)| level);
        for level in (own + 1..=highest).rev() {
            at = at.map(|from| hnsw.climb(from, level, &sought));
        }
        let mut chosen = vec![Vec::new(); own + 1];
        for level in (0..=own).rev() {
            let mut found = before.clone();
            if let Some(from) = at.filter(|_| level <= highest) {
                let near = hnsw.spread(from, level, &sought, self.breadth);
                at = near.first().copied();
                found.extend(near);
            }
            found.sort_unstable_by_key(|&one| Reverse(one));
            found.truncate(self.breadth);
            chosen[level] = self.choose(&found, hnsw.shape().most_links(level));
        }
        chosen
    }

    /// The links of a node once others have been linked to it.
    fn linked_back(&self, back: &[Link]) -> Vec<u32> {
        let (hnsw, (level, node, _)) = (&self.hnsw, back[0]);
        let links: Vec<u32> = hnsw.links(node, level).chain(back.iter().map(|link| link.2)).collect();
        let most = hnsw.shape().most_links(level);
        if links.len() <= most {
            return links;
        }
        let sought = hnsw.sought(node);
        let mut scored: Vec<Scored> = links.iter().map(|&link| (hnsw.compare(link, &sought), link)).collect();
        scored.sort_unstable_by_key(|&scored| Reverse(scored));
        self.choose(&scored, most)
    }

    /// Of nodes, the nearest first, those that are nearer to what they are to be linked to than to any that was chosen: so links
    /// lead in all directions (algorithm 4 of the paper).
    fn choose(&self, nodes: &[Scored], most: usize) -> Vec<u32> {
        let mut chosen: Vec<u32> = Vec::with_capacity(most);
        for &(score, node) in nodes {
            if chosen.len() == most {
                break;
            }
            let sought = self.hnsw.sought(node);
            if chosen.iter().all(|&other| self.hnsw.compare(other, &sought) <= score) {
                chosen.push(node);
            }
        }
        chosen
    }

    /// Makes these the links of a node. They are no more than there is room for.
    fn link(&mut self, node: u32, level: usize, links: &[u32]) {
        let at = self.hnsw.links_at(node, level);
        let room = self.hnsw.bytes[at].as_chunks_mut().0;
        room.fill([u8::MAX; 4]);
        room.iter_mut().zip(links).for_each(|(room, link)| *room = link.to_le_bytes());
    }
}

fn pool() -> Option<ThreadPool> {
    if rayon::current_thread_index().is_some() {
        return None;
    }
    let build = ThreadPoolBuilder::new().thread_name(|i| format!("retune-graph-{i}")).build();
    build.inspect_err(|e| tracing::warn!("a graph is built on the common threads: {e}")).ok()
}

/// A new node's highest level, which falls off exponentially as the paper has it, and its place in an order without meaning: always the same
/// for a row.
fn drawn(row: u32, connectivity: usize) -> (Reverse<usize>, Source) {
    let mut rng = ChaCha8Rng::seed_from_u64(row.into());
    let share: f64 = 1.0 - rng.random::<f64>();
    let level = (-share.ln() / (connectivity as f64).ln()) as usize;
    (Reverse(level), Source::New { shuffled: rng.random(), row })
}
