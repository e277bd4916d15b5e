//! Queries an index, and times the answers.

use std::fmt;
use std::path::Path;

use retune::{Answer, Encoder, Engine, Filter, Mode, Options, Query, Reader};

use crate::build::{Built, SHARES};
use crate::dense::{DenseOptions, DenseView};
use crate::ids::ChunkId;
use crate::timing::{Percentiles, timed};

/// Numbers of candidates, and with them efSearch, for searches for ten: shows the cost of recall.
const BREADTHS: [usize; 2] = [128, 400];

pub(crate) struct Queries {
    texts: Vec<String>,
    vectors: Vec<Vec<f32>>,
}

impl Queries {
    pub(crate) fn encode(encoder: &Encoder, texts: &[String]) -> Queries {
        Queries { texts: texts.to_vec(), vectors: encoder.encode(texts).expect("vectors of queries") }
    }

    pub(crate) fn vectors(&self) -> &[Vec<f32>] {
        &self.vectors
    }

    pub(crate) fn texts(&self) -> &[String] {
        &self.texts
    }
}

/// Searches of the dense index.
pub(crate) struct DenseSearches {
    size: usize,
    exact: Percentiles,
    graph_10: Percentiles,
    graph_100: Percentiles,
    /// The graph's proposals to a search for ten, without rescoring.
    proposed: Percentiles,
    recall_10_proposed: f64,
    recall_10: f64,
    /// For the first ten of a hundred, which is what the engine requests.
    recall_10_of_100: f64,
    recall_100: f64,
    /// Searches for ten by their number of candidates.
    breadths: Vec<(usize, Percentiles, f64)>,
}

impl Built {
    pub(crate) fn searches(&self, queries: &Queries) -> DenseSearches {
        eprintln!("{} passages: searching the vectors", self.size);
        let live: Vec<ChunkId> = (0..self.size as u64).map(ChunkId).collect();
        let view = |exact_below, ef_search| {
            let options = DenseOptions { exact_below, ef_search, ..DenseOptions::default() };
            self.dense(options).view(&live).expect("a view")
        };
        let (exact, graph) = (view(usize::MAX, 1), view(0, DenseOptions::default().ef_search));
        let vectors = &queries.vectors;
        let search =
            |view: &DenseView, query: usize, k| view.search(&vectors[query], k, None).expect("an answer");
        let times = |view: &DenseView, k: usize| {
            Percentiles::of(vectors.len(), |query| timed(|| search(view, query, k)).1)
        };
        let best = |query| search(&exact, query, 100).into_iter().map(|(id, _)| id).collect();
        let expected: Vec<Vec<ChunkId>> = (0..vectors.len()).map(best).collect();
        let recall = |view: &DenseView, k: usize, among: usize| {
            let ids = |query| search(view, query, among).into_iter().take(k).map(|(id, _)| id).collect();
            recall(&expected, k, ids)
        };
        let proposed = |query: usize| -> Vec<ChunkId> {
            let proposed = graph.proposed(&vectors[query], 10, None).expect("proposals");
            // With so few rows, all of them are scored, with or without a graph.
            proposed.unwrap_or_else(|| search(&graph, query, 10).into_iter().map(|(id, _)| id).collect())
        };
        let breadths = BREADTHS.iter().map(|&breadth| {
            let view = view(0, breadth);
            (breadth, times(&view, 10), recall(&view, 10, 10))
        });
        DenseSearches {
            size: self.size,
            exact: times(&exact, 10),
            graph_10: times(&graph, 10),
            graph_100: times(&graph, 100),
            proposed: Percentiles::of(vectors.len(), |query| timed(|| proposed(query)).1),
            recall_10_proposed: self::recall(&expected, 10, |query| {
                proposed(query).into_iter().take(10).collect()
            }),
            recall_10: recall(&graph, 10, 10),
            recall_10_of_100: recall(&graph, 10, 100),
            recall_100: recall(&graph, 100, 100),
            breadths: breadths.collect(),
        }
    }
}

impl DenseSearches {
    pub(crate) fn breadths(&self, mut row: impl FnMut(String)) {
        for (candidates, time, recall) in &self.breadths {
            let breadth = DenseOptions::default().ef(*candidates, self.size);
            row(format!("| {} | {candidates} | {breadth} | {time} | {recall:.4} |", self.size));
        }
    }
}

/// Recall: the share of the `k` best found; `expected` has the best hundred.
pub(crate) fn recall(expected: &[Vec<ChunkId>], k: usize, found: impl Fn(usize) -> Vec<ChunkId>) -> f64 {
    let (mut hits, mut all) = (0, 0);
    for (query, expected) in expected.iter().enumerate() {
        let (expected, found) = (&expected[..expected.len().min(k)], found(query));
        hits += expected.iter().filter(|hit| found.contains(hit)).count();
        all += expected.len();
    }
    hits as f64 / all as f64
}

impl fmt::Display for DenseSearches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.graph_100.p50 / self.exact.p50 * self.size as f64;
        write!(
            f,
            "| {} | {} | {} | {} | {} | {:.4} | {:.4} | {:.4} | {:.4} | {rows:.0} |",
            self.size,
            self.exact,
            self.proposed,
            self.graph_10,
            self.graph_100,
            self.recall_10_proposed,
            self.recall_10,
            self.recall_10_of_100,
            self.recall_100,
        )
    }
}

/// Searches as users run them, without the time to encode the query.
pub(crate) struct EngineSearches {
    size: usize,
    rows: Vec<Row>,
    pub(crate) bytes_in_memory: Option<f64>,
}

struct Row {
    allowed: &'static str,
    lexical: Percentiles,
    dense: Percentiles,
    /// The total; the two sides; the rest.
    fused: [Percentiles; 4],
}

/// Searches for ten documents in every mode, without a filter and with each filter.
pub(crate) fn through_the_engine(
    built: &Built,
    empty: &Built,
    model: &Path,
    queries: &Queries,
) -> EngineSearches {
    eprintln!("{} passages: searching through the engine", built.size);
    let open =
        |built: &Built| Reader::open(&built.index, Options::default().with_model(model)).expect("an index");
    // The engine's own memory without any passage, most of it the encoder.
    let engine = open(empty);
    engine.search(&Query::new(queries.texts[0].as_str())).expect("an answer");
    let before = anonymous_bytes();
    drop(engine);
    let engine = open(built);
    // The engine caches query vectors, so none is encoded while the clock runs.
    queries.texts.iter().for_each(|text| _ = engine.search(&Query::new(text.as_str())).expect("an answer"));
    let [half, hundredth, ten_thousandth] = SHARES.map(|(field, _)| Some(Filter::equals(field, 0)));
    let allowed = [("all", None), ("50 %", half), ("1 %", hundredth), ("0.01 %", ten_thousandth)];
    let rows = allowed.into_iter().map(|(allowed, filter)| {
        let ask = |query: usize, mode: Mode| -> Answer {
            let mut asked = Query::new(queries.texts[query].as_str()).with_mode(mode);
            asked.filter = filter.clone();
            engine.search(&asked).expect("an answer")
        };
        let alone = |mode| {
            Percentiles::of(queries.texts.len(), |query| {
                let took = ask(query, mode).took_ms;
                took.total - took.encode
            })
        };
        let (lexical, dense) = (alone(Mode::Lexical), alone(Mode::Dense));
        let fused = Percentiles::of_parts(queries.texts.len(), |query| {
            let took = ask(query, Mode::Hybrid).took_ms;
            [took.total - took.encode, took.lexical, took.dense, took.fuse]
        });
        Row { allowed, lexical, dense, fused }
    });
    let rows = rows.collect();
    let grown = before.zip(anonymous_bytes()).map(|(before, after)| after.saturating_sub(before));
    let bytes_in_memory = grown.map(|grown| grown as f64 / built.size as f64);
    EngineSearches { size: built.size, rows, bytes_in_memory }
}

impl fmt::Display for EngineSearches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Row { allowed, lexical, dense, fused: [fused, of_lexical, of_dense, rest] } in &self.rows {
            writeln!(
                f,
                "| {} | {allowed} | {lexical} | {dense} | {fused} | {:.2} | {:.2} | {:.2} |",
                self.size, of_lexical.p50, of_dense.p50, rest.p50,
            )?;
        }
        Ok(())
    }
}

/// Memory of this process that is not backed by files, if the system reports it.
fn anonymous_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? << 10)
}
