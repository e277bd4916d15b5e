//! A cluster, and an index on it that is removed behind the test.

use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use retune::cluster::{Cluster, MigrateOptions, MigrateReport};
use retune::exchange::{ImportOptions, ImportReport};
use retune::{AnsweredQuery, Document, Engine, Feedback, Query, QueryListing, Reader};
use serde_json::Value as Json;

use crate::common::options;

/// An index of a test.
pub struct Index {
    pub name: String,
    nodes: String,
    _alone: MutexGuard<'static, ()>,
}

/// One test at a time: some end nodes, and 2 cores are shared with three of them.
static ALONE: Mutex<()> = Mutex::new(());

static NO_CLUSTER: Once = Once::new();

/// Says why tests are skipped: once, and even where the output of tests that pass is not shown.
pub fn skip(said: &Once, why: &str) {
    said.call_once(|| drop(writeln!(std::io::stderr(), "skipped the tests of indexes on a cluster: {why}")));
}

/// An index that no other test has. `None`, and a word about it, without a cluster.
pub fn index(test: &str) -> Option<Index> {
    let Ok(nodes) = std::env::var("RETUNE_TEST_STORE") else {
        skip(&NO_CLUSTER, "RETUNE_TEST_STORE names no cluster; `just cluster` starts one");
        return None;
    };
    let name = format!("test-{test}-{:08x}", rand::random::<u32>());
    Some(Index { name, nodes, _alone: alone() })
}

/// Waits until no other test asks a cluster.
pub fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Index {
    pub fn store(&self) -> String {
        format!("{}/{}", self.nodes, self.name)
    }

    pub fn open(&self) -> Cluster {
        Cluster::open(&self.store(), &options()).unwrap()
    }

    pub fn migrate(&self, reader: &Reader, shards: u32) -> MigrateReport {
        self.try_migrate(reader, shards).unwrap()
    }

    pub fn try_migrate(&self, reader: &Reader, shards: u32) -> retune::Result<MigrateReport> {
        let options = MigrateOptions::default().with_shards(shards);
        reader.migrate(&self.store(), &options, &mut |_| ControlFlow::Continue(()))
    }

    /// The indices on the cluster, in order.
    pub fn indices(&self) -> Vec<String> {
        let found = self.get(&format!("/{}*", self.name));
        let mut found: Vec<String> = found.as_object().unwrap().keys().cloned().collect();
        found.sort();
        found
    }

    /// Moves the alias, as a publishing process would.
    pub fn swap(&self, from: &str, to: &str) -> u16 {
        let actions = serde_json::json!({ "actions": [
            { "remove": { "index": from, "alias": self.name, "must_exist": true } },
            { "add": { "index": to, "alias": self.name } },
        ] });
        let agent = agent();
        let sent = agent.post(format!("{}/_aliases", self.node())).header("content-type", "application/json");
        sent.send(actions.to_string()).unwrap().status().as_u16()
    }

    pub fn get(&self, path: &str) -> Json {
        let mut answer = agent().get(format!("{}{path}", self.node())).call().unwrap();
        serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
    }

    /// Status of a request with a body of JSON, or none.
    pub fn send_json(&self, method: &str, path: &str, body: Option<&Json>) -> u16 {
        let body = body.map(Json::to_string).unwrap_or_default();
        self.send(method, path, "application/json", &body).0
    }

    /// Status and answer of a request with a body.
    pub fn send(&self, method: &str, path: &str, kind: &str, body: &str) -> (u16, Json) {
        let request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.node()));
        let request = request.header("content-type", kind).body(body.to_string()).unwrap();
        let mut answer = agent().run(request).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        (answer.status().as_u16(), serde_json::from_str(&text).unwrap())
    }

    /// Records of this index among those of User Behavior Insights.
    pub fn records(&self, of: &str) -> Vec<Json> {
        let own = serde_json::json!({ "size": 10_000, "query": { "bool": { "should": [
            { "term": { "application": self.name } }, { "term": { "application.keyword": self.name } },
        ] } } });
        self.send("POST", &format!("/{of}/_refresh"), "application/json", "");
        let path = format!("/{of}/_search");
        let (_, found) = self.send("POST", &path, "application/json", &own.to_string());
        found["hits"]["hits"].as_array().unwrap().iter().map(|hit| hit["_source"].clone()).collect()
    }

    /// A node that answers.
    fn node(&self) -> &str {
        let answers = |node: &&str| agent().get(*node).call().is_ok();
        self.nodes.split(',').find(answers).expect("a node that answers")
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        for part in ["-state", "-weights", "-g*"] {
            let _ = agent().delete(format!("{}/{}{part}", self.node(), self.name)).call();
        }
    }
}

pub fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).build().new_agent()
}

/// An index of this machine with the handbook's files.
pub fn handbook(folder: &Path) -> Engine {
    let engine = Engine::open(folder.join("index"), options()).unwrap();
    let documents = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/handbook/documents");
    let report = engine.index_folder(&documents, &mut |_| ControlFlow::Continue(())).unwrap();
    assert!(report.skipped.is_empty());
    engine
}

/// The handbook's questions.
pub fn questions() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/handbook/queries.jsonl");
    let lines = std::fs::read_to_string(path).unwrap();
    let text = |line: &str| serde_json::from_str::<Json>(line).unwrap()["text"].as_str().unwrap().to_string();
    lines.lines().map(text).collect()
}

/// The log of an index of this machine.
pub fn log(engine: &Engine) -> Feedback {
    Feedback::open(engine.path(), &options()).unwrap()
}

/// Brings what is on the cluster into the log of an index of this machine.
pub fn import(engine: &Engine, index: &Index) -> ImportReport {
    let log = log(engine);
    let report = log.import_cluster(&index.store(), &ImportOptions::default()).unwrap();
    log.close().map(|()| report).unwrap()
}

/// All that the log has of answers, with what was said of them.
pub fn logged(engine: &Engine) -> Vec<AnsweredQuery> {
    engine.queries(&QueryListing::default().with_limit(usize::MAX)).unwrap().queries
}

/// A small index of this machine, of which each document says the same word.
pub fn saying(folder: &Path, word: &str, documents: usize) -> Engine {
    let engine = Engine::open(folder, options()).unwrap();
    let of = |at| Document::new(format!("{word}-{at}"), format!("{word} number {at} of the harbour"));
    engine.add((0..documents).map(of).collect()).unwrap();
    engine
}

/// The ids of an answer, best first.
pub fn found(cluster: &Cluster, query: &Query) -> Vec<String> {
    cluster.search(query).unwrap().hits.into_iter().map(|hit| hit.document).collect()
}
