//! Adding nodes to a graph.
//!
//! Nodes are added in batches. All nodes of a batch search for their neighbours in parallel: in the graph as it was
//! before the batch, and among earlier nodes of the batch. Only then do they become part of the graph. So the graph is
//! the same for any number of threads, and concurrent additions never strand a node.

use std::cmp::Reverse;
use std::ops::Deref;

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::hnsw::{Hnsw, Scored, Shape};
use crate::error::Result;

/// Nodes per batch. Each is compared with all earlier ones in the batch, a few percent of the work of its search.
const BATCH: usize = 512;

/// A link on a level from one node to another: level, from, to.
type Link = (usize, u32, u32);

/// The paper's M and efConstruction, and the number of dimensions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parameters {
    /// Dimensions of a vector.
    pub(super) dimensions: usize,
    /// Maximum links of a node on an upper level.
    pub(super) connectivity: usize,
    /// Length of the candidate list while neighbours are searched.
    pub(super) ef_construction: usize,
}

/// The origin of a node. Nodes of the earlier graph sort first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Old { node: u32 },
    New { shuffled: u64, row: u32 },
}

/// A growing graph. Every node has its code and its row; added ones also have their links.
pub(super) struct Growing {
    hnsw: Hnsw<Vec<u8>>,
    ef_construction: usize,
    /// Nodes to be added, ascending.
    fresh: Vec<u32>,
    /// Its own threads. `None` if it already runs in a pool. Never the common pool: queries are encoded there and would
    /// wait for whole batches.
    pool: Option<ThreadPool>,
}

impl Growing {
    /// A graph with the nodes of `base` and their links, and one node to add for each of `rows`. `None` if there are
    /// too many for a graph.
    pub(super) fn new<B: Deref<Target = [u8]>>(
        base: Option<&Hnsw<B>>,
        rows: &[u32],
        parameters: Parameters,
        code: impl Fn(u32) -> Vec<u8>,
    ) -> Option<Growing> {
        let Parameters { dimensions, connectivity, ef_construction } = parameters;
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
        // Empty link slots.
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
        let mut growing = Growing { hnsw, ef_construction, fresh, pool: pool() };
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

    /// Adds the nodes. `progress` gets the number of nodes added so far; its error stops the work.
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

    /// Finds the neighbours of a new node on each of its levels (algorithm 1 of the paper). `before` are the earlier
    /// nodes of its batch; their levels are at least as high.
    fn neighbours(&self, node: u32, before: &[u32]) -> Vec<Vec<u32>> {
        let hnsw = &self.hnsw;
        let (query, own) = (hnsw.query_of(node), hnsw.shape().level(node));
        let before: Vec<Scored> = before.iter().map(|&mate| (hnsw.compare(mate, &query), mate)).collect();
        let mut at = hnsw.entry.map(|(start, _)| (hnsw.compare(start, &query), start));
        let highest = hnsw.entry.map_or(0, |(_, level)| level);
        for level in (own + 1..=highest).rev() {
            at = at.map(|from| hnsw.greedy_search(from, level, &query));
        }
        let mut chosen = vec![Vec::new(); own + 1];
        for level in (0..=own).rev() {
            let mut found = before.clone();
            if let Some(from) = at.filter(|_| level <= highest) {
                let near = hnsw.search_layer(from, level, &query, self.ef_construction);
                at = near.first().copied();
                found.extend(near);
            }
            found.sort_unstable_by_key(|&one| Reverse(one));
            found.truncate(self.ef_construction);
            chosen[level] = self.choose(&found, hnsw.shape().most_links(level));
        }
        chosen
    }

    /// The links of a node with the new back links, pruned if there are too many.
    fn linked_back(&self, back: &[Link]) -> Vec<u32> {
        let (hnsw, (level, node, _)) = (&self.hnsw, back[0]);
        let links: Vec<u32> = hnsw.links(node, level).chain(back.iter().map(|link| link.2)).collect();
        let most = hnsw.shape().most_links(level);
        if links.len() <= most {
            return links;
        }
        let query = hnsw.query_of(node);
        let mut scored: Vec<Scored> = links.iter().map(|&link| (hnsw.compare(link, &query), link)).collect();
        scored.sort_unstable_by_key(|&scored| Reverse(scored));
        self.choose(&scored, most)
    }

    /// Selects neighbours from candidates, nearest first: a candidate is selected if it is nearer to the node than to
    /// any neighbour selected before, so that links point in all directions (algorithm 4 of the paper).
    fn choose(&self, nodes: &[Scored], most: usize) -> Vec<u32> {
        let mut chosen: Vec<u32> = Vec::with_capacity(most);
        for &(score, node) in nodes {
            if chosen.len() == most {
                break;
            }
            let query = self.hnsw.query_of(node);
            if chosen.iter().all(|&other| self.hnsw.compare(other, &query) <= score) {
                chosen.push(node);
            }
        }
        chosen
    }

    /// Replaces the links of a node. There is room for them.
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
    build.inspect_err(|e| tracing::warn!("building a graph on the shared thread pool: {e}")).ok()
}

/// The highest level of a new node, drawn from an exponential distribution as in the paper, and its rank among the
/// nodes of that level. Seeded with the row, so it never changes.
fn drawn(row: u32, connectivity: usize) -> (Reverse<usize>, Source) {
    let mut rng = ChaCha8Rng::seed_from_u64(row.into());
    let share: f64 = 1.0 - rng.random::<f64>();
    let level = (-share.ln() / (connectivity as f64).ln()) as usize;
    (Reverse(level), Source::New { shuffled: rng.random(), row })
}
