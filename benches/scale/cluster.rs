//! The same index on this machine and on a cluster: the same queries, asked by a number of clients at once.
//!
//! Every client asks one query after another. Query vectors are known before the clock runs, so no time is spent on
//! encoding.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use crossbeam_utils::thread::scope;
use retune::cluster::{Cluster, MigrateOptions};
use retune::{Answer, Mode, Options, Query, Reader};
use serde_json::Value as Json;

use crate::build::Built;
use crate::dense::DenseOptions;
use crate::ids::ChunkId;
use crate::searches::{Queries, recall};
use crate::timing::timed;

/// Clients at once.
const CLIENTS: [usize; 3] = [1, 8, 32];

/// Where the cluster is, and into how many parts its indices are divided.
pub(crate) struct Place {
    /// Its nodes, separated by commas.
    pub(crate) nodes: String,
    pub(crate) shards: u32,
    pub(crate) replicas: u32,
}

type Ask<'a> = dyn Fn(&Query) -> Answer + Sync + 'a;

impl Place {
    pub(crate) fn at(nodes: String) -> Place {
        Place { nodes, shards: 3, replicas: 1 }
    }

    /// Migrates an index, and prints what that takes and how both answer.
    pub(crate) fn compare(&self, built: &Built, model: &Path, queries: &Queries) {
        let (size, name) = (built.size, format!("scale-{}", built.size));
        let store = format!("{}/{name}", self.nodes);
        let options = Options::default().with_model(model);
        let reader = Reader::open(&built.index, options.clone()).expect("an index");
        let layout = MigrateOptions::default().with_shards(self.shards).with_replicas(self.replicas);
        let migrate = || reader.migrate(&store, &layout, &mut |_| ControlFlow::Continue(()));
        eprintln!("{size} passages: migrating to {name}");
        let report = migrate().expect("a migration");
        let cluster = Cluster::open(&store, &options).expect("an index on a cluster");
        println!(
            "\n| passages | shards | replicas | sent | seconds | bytes of a passage: first copy | all copies | \
             heap, MB |"
        );
        println!("|---|---|---|---|---|---|---|---|");
        let (sent, seconds) = (report.sent, report.seconds);
        let (first, all) = self.bytes(&name);
        println!(
            "| {size} | {} | {} | {sent} | {seconds:.0} | {:.0} | {:.0} | {} |",
            self.shards,
            self.replicas,
            first / size as f64,
            all / size as f64,
            self.heap(),
        );
        let embedded = |query: &Query| reader.search(query).expect("an answer");
        let on_cluster = |query: &Query| cluster.search(query).expect("an answer");
        let sides: [(&str, &Ask<'_>); 2] = [("this machine", &embedded), ("cluster", &on_cluster)];
        let expected = exact(built, queries);
        println!(
            "\n| passages | | recall@10 of the vectors | clients | p50 / p95, ms | answers a second | encode | words | \
             vectors | scores and passages | rest |"
        );
        println!("|---|---|---|---|---|---|---|---|---|---|---|");
        for (side, ask) in sides {
            let found = |query: usize| chunks(&ask(&asked(queries, query).with_mode(Mode::Dense)));
            let recall = recall(&expected, 10, found);
            // What is read for the first time.
            (0..queries.texts().len()).for_each(|query| _ = ask(&asked(queries, query)));
            for clients in CLIENTS {
                println!(
                    "| {size} | {side} | {recall:.4} | {clients} | {} |",
                    at_once(queries, clients, ask)
                );
            }
        }
        reader.close().expect("a sound index");
    }

    /// The bytes of an index on the cluster's disks: of the first copies, and of all.
    fn bytes(&self, name: &str) -> (f64, f64) {
        self.get(&format!("{name}/_refresh"));
        let stats = self.get(&format!("{name}/_stats/store"));
        let of = |copies: &str| stats["_all"][copies]["store"]["size_in_bytes"].as_f64().expect("a size");
        (of("primaries"), of("total"))
    }

    /// The heap that each node uses, in MB.
    fn heap(&self) -> String {
        let stats = self.get("_nodes/stats/jvm");
        let nodes = stats["nodes"].as_object().expect("nodes").values();
        let used = nodes.filter_map(|node| node["jvm"]["mem"]["heap_used_in_bytes"].as_u64());
        used.map(|bytes| (bytes / 1_000_000).to_string()).collect::<Vec<_>>().join(", ")
    }

    fn get(&self, path: &str) -> Json {
        let node = self.nodes.split(',').next().expect("a node");
        let mut answer = ureq::get(format!("{node}/{path}")).call().expect("an answer of the cluster");
        serde_json::from_reader(answer.body_mut().as_reader()).expect("JSON")
    }
}

fn asked(queries: &Queries, query: usize) -> Query {
    Query::new(queries.texts()[query].as_str()).without_logging().without_trial().with_copies()
}

fn chunks(answer: &Answer) -> Vec<ChunkId> {
    answer.hits.iter().map(|hit| ChunkId(hit.chunk.0)).collect()
}

/// The ten best of each query by vectors.
fn exact(built: &Built, queries: &Queries) -> Vec<Vec<ChunkId>> {
    let live: Vec<ChunkId> = (0..built.size as u64).map(ChunkId).collect();
    let options = DenseOptions { exact_below: usize::MAX, ..DenseOptions::default() };
    let view = built.dense(options).view(&live).expect("a view");
    let search = |vector: &Vec<f32>| view.search(vector, 10, None).expect("an answer");
    queries.vectors().iter().map(|vector| search(vector).into_iter().map(|(id, _)| id).collect()).collect()
}

/// Hybrid searches of all queries, once each, by as many clients. A row's cells: times, throughput, and the medians of
/// the parts.
fn at_once(queries: &Queries, clients: usize, ask: &Ask<'_>) -> String {
    let count = queries.texts().len();
    let next = AtomicUsize::new(0);
    let begun = Instant::now();
    let answers: Vec<[f64; 6]> = scope(|scope| {
        let clients: Vec<_> = (0..clients)
            .map(|_| {
                scope.spawn(|_| {
                    let mut took = Vec::new();
                    loop {
                        let query = next.fetch_add(1, Ordering::Relaxed);
                        if query >= count {
                            return took;
                        }
                        let (answer, total) = timed(|| ask(&asked(queries, query)));
                        let parts = answer.took_ms;
                        let parts = [parts.encode, parts.lexical, parts.dense, parts.fuse];
                        let [encode, words, vectors, passages] = parts;
                        let rest = total - parts.iter().sum::<f64>();
                        took.push([total, encode, words, vectors, passages, rest]);
                    }
                })
            })
            .collect();
        clients.into_iter().flat_map(|client| client.join().expect("a client")).collect()
    })
    .expect("clients");
    let seconds = begun.elapsed().as_secs_f64();
    let part = |part: usize, share: f64| {
        let mut times: Vec<f64> = answers.iter().map(|parts| parts[part]).collect();
        times.sort_by(f64::total_cmp);
        times[((times.len() - 1) as f64 * share) as usize]
    };
    let [encode, words, vectors, passages, rest] = [1, 2, 3, 4, 5].map(|of| part(of, 0.5));
    format!(
        "{:.1} / {:.1} | {:.0} | {encode:.1} | {words:.1} | {vectors:.1} | {passages:.1} | {rest:.1}",
        part(0, 0.5),
        part(0, 0.95),
        count as f64 / seconds,
    )
}
