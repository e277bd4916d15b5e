//! Passages of a round that are encoded by many processes.

use std::collections::BTreeSet;
use std::fs::File;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use retune::cluster::{ClusterProgress, ClusterRound, EncodeProgress};
use retune::documents::Listing;
use retune::learn::Tier;
use retune::{
    Decision, Document, Engine, Error, Fusion, LearnOptions, LearnProgress, LearnStage, Mode, Query,
};
use serde_json::{Value as Json, json};

use crate::common::{documents, judge_everything, options, quick_round, tiny_model};
use crate::faults::{Nodes, manager, wait_green};
use crate::learnt::by_vectors;
use crate::program::{retune, text};
use crate::support::{Index, found, index};

/// A round that takes longer waits for somebody in vain: it is cancelled.
const LONGEST_ROUND: Duration = Duration::from_secs(180);
pub const ASKED: &str = "what is done about a kettle at the harbour";

/// An index whose rounds of an encoder pass their gate: it ranks by words. In so many documents more, nobody looks for
/// anything.
pub fn corpus(folder: &Path, more: usize) -> Engine {
    corpus_with(folder, more, 0.0)
}

pub fn corpus_with(folder: &Path, more: usize, dense_weight: f32) -> Engine {
    let fused = options().with_fusion(Fusion::Convex { dense_weight });
    let engine = Engine::open(folder.join("index"), fused).unwrap();
    let filler = |at| {
        let text = format!("Berth {at} of the harbour has {} fathoms at low water. ", at % 7).repeat(6);
        Document::new(format!("berth-{at}"), text)
    };
    engine.add(documents().into_iter().chain((0..more).map(filler)).collect()).unwrap();
    judge_everything(&engine);
    engine
}

pub fn round() -> LearnOptions {
    let round = quick_round().with_tiers(&[Tier::Encoder]);
    let train = round.train.clone().with_learning_rate(1e-3);
    round.with_train(train)
}

/// Runs a round; `told` hears how far workers are. Once there is a job, this machine waits until one has taken a slice
/// of it: else it could have encoded all by itself, where a worker comes late.
pub fn learn(
    engine: &Engine,
    index: &Index,
    told: &mut dyn FnMut(EncodeProgress) -> ControlFlow<()>,
) -> retune::Result<ClusterRound> {
    let begun = Instant::now();
    let mut is_waiting = true;
    engine.learn_from_cluster(&index.store(), &round(), &mut |at| {
        if begun.elapsed() > LONGEST_ROUND {
            return ControlFlow::Break(());
        }
        let at = match at {
            ClusterProgress::Encoding(at) => Some(at),
            ClusterProgress::Learning(LearnProgress { stage: LearnStage::Reindex, .. }) => None,
            _ => return ControlFlow::Continue(()),
        };
        if is_waiting {
            wait_for("no worker takes a slice", || {
                let slices = slices(index);
                slices.is_empty() || slices.iter().any(|slice| !is_of(slice, std::process::id()))
            });
            is_waiting = slices(index).is_empty();
        }
        // A machine with a large model: others have time to go on.
        thread::sleep(Duration::from_millis(80));
        at.map_or(ControlFlow::Continue(()), &mut *told)
    })
}

/// Whether a process has taken the slice, as the last one.
fn is_of(slice: &Json, process: u32) -> bool {
    let holder = slice["_source"]["holder"].as_str().unwrap_or_default();
    holder.starts_with(&format!("process {process} "))
}

/// The program as a worker, ended when it is dropped.
pub struct Worker {
    process: Child,
    said: PathBuf,
}

impl Worker {
    pub fn start(index: &Index, folder: &Path, name: &str) -> Worker {
        let said = folder.join(format!("{name}.jsonl"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_retune"));
        command.args(["--json", "encode-worker", "--store", &index.store()]);
        command.env("RETUNE_CACHE", folder.join(name)).env_remove("RETUNE_MODEL");
        command.stdout(File::create(&said).unwrap()).stdin(Stdio::null());
        Worker { process: command.spawn().unwrap(), said }
    }

    pub fn signal(&self, signal: &str) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// Stops it where it has a slice that it has not finished.
    fn catch(&self, index: &Index) -> String {
        let begun = Instant::now();
        loop {
            self.signal("-STOP");
            // What is on its way arrives.
            thread::sleep(Duration::from_millis(100));
            let mine = slices(index).into_iter().find(|slice| self.has(slice));
            if let Some(slice) = mine {
                return slice["_id"].as_str().unwrap().to_string();
            }
            self.signal("-CONT");
            assert!(begun.elapsed() < Duration::from_secs(20), "it takes no slice: {:?}", slices(index));
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn has(&self, slice: &Json) -> bool {
        is_of(slice, self.process.id()) && !slice["_source"]["slice"]["is_done"].as_bool().unwrap()
    }

    /// Ends it as Ctrl-C would. The passages that it has encoded.
    pub fn end(mut self) -> u64 {
        self.signal("-TERM");
        assert!(self.process.wait().unwrap().success());
        self.passages()
    }

    fn passages(&self) -> u64 {
        let said = std::fs::read_to_string(&self.said).unwrap();
        let passages = |line: &str| serde_json::from_str::<Json>(line).unwrap()["passages"].as_u64().unwrap();
        said.lines().map(passages).sum()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Documents of a kind in the index of manifests.
pub fn of_kind(index: &Index, kind: &str) -> Vec<Json> {
    index.send_json("POST", &format!("/{}-state/_refresh", index.name), None);
    let query = json!({ "size": 1000, "query": { "term": { "kind": kind } } }).to_string();
    let path = format!("/{}-state/_search", index.name);
    let (_, found) = index.send("POST", &path, "application/json", &query);
    found["hits"]["hits"].as_array().unwrap().clone()
}

fn slices(index: &Index) -> Vec<Json> {
    of_kind(index, "slice")
}

fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(40), "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}

pub fn wait_for_workers(index: &Index, count: usize) {
    wait_for("workers don't come", || of_kind(index, "worker").len() == count);
}

/// The documents of all passages of the generation that serves.
pub fn served(index: &Index) -> BTreeSet<String> {
    let cluster = index.open();
    let (mut served, mut listing) = (BTreeSet::new(), Listing::default().with_limit(1000));
    loop {
        let page = cluster.list(&listing).unwrap();
        served.extend(page.documents.into_iter().map(|one| one.id));
        let Some(next) = page.next else { return served };
        listing = listing.with_after(next);
    }
}

/// Nothing of a job is left.
pub fn assert_over(index: &Index) {
    assert!(of_kind(index, "job").is_empty() && slices(index).is_empty());
}

/// The cosines of all documents, as an index of this machine has them.
fn cosines(engine: &Engine) -> Vec<(String, f32)> {
    let hits = engine.search(&by_vectors(ASKED).with_limit(3000)).unwrap().hits;
    let mut all: Vec<(String, f32)> = hits.into_iter().map(|hit| (hit.document, hit.score)).collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

/// Searches without end beside `work`, in two handles. None may fail.
pub fn while_searched<T>(index: &Index, work: impl FnOnce() -> T) -> T {
    let (stop, searches) = (AtomicBool::new(false), AtomicUsize::new(0));
    let clusters = [0; 2].map(|_| index.open());
    let done = crossbeam_utils::thread::scope(|scope| {
        for cluster in &clusters {
            scope.spawn(|_| {
                while !stop.load(Ordering::Relaxed) {
                    for query in [by_vectors(ASKED), Query::new("berth harbour").without_logging()] {
                        assert!(!cluster.search(&query).unwrap().hits.is_empty());
                        searches.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        // Also when something fails in it.
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        stop.store(true, Ordering::Relaxed);
        done
    });
    let done = done.unwrap().unwrap_or_else(|failed| std::panic::resume_unwind(failed));
    let searches = searches.into_inner();
    eprintln!("{searches} searches, none failed");
    assert!(searches > 10, "{searches}");
    done
}

#[test]
fn three_workers_encode_what_this_machine_would() {
    let Some(index) = index("workers") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = corpus(folder.path(), 2000);
    let alone = folder.path().join("alone");
    engine.backup(&alone).unwrap();
    assert_eq!(index.migrate(&engine, 2).chunks, 2008);
    let workers = ["a", "b", "c"].map(|name| Worker::start(&index, folder.path(), name));
    wait_for_workers(&index, 3);
    let (mut most, mut status) = (0, None);
    let reader = index.open();
    let done = while_searched(&index, || {
        learn(&engine, &index, &mut |at| {
            most = most.max(at.workers);
            assert!(at.done <= at.total && at.total == 2008, "{at:?}");
            status = status.take().or(reader.status().unwrap().encoding);
            ControlFlow::Continue(())
        })
        .unwrap()
    });
    assert_eq!((done.round.gate.decision, done.round.tier), (Decision::Published, Some(Tier::Encoder)));
    let status = status.expect("the status tells of a job");
    assert!(most >= 2 && status.total == 2008 && status.slices == 16, "{most} {status:?}");
    // All of it was there when it was migrated.
    assert_eq!((done.migrated.chunks, done.migrated.encoded, done.migrated.sent), (2008, 2008, 0));
    assert_over(&index);
    assert_eq!(served(&index).len(), 2008);
    let encoded = workers.map(Worker::end);
    eprintln!("the workers have encoded {encoded:?}");
    assert!(encoded.iter().filter(|&&passages| passages > 0).count() >= 2, "{encoded:?}");
    assert!(encoded.iter().sum::<u64>() <= 2008);
    assert!(of_kind(&index, "worker").is_empty());

    // The same round without them.
    let alone = Engine::open(&alone, options()).unwrap();
    alone.learn(&round(), &mut |_| ControlFlow::Continue(())).unwrap();
    let weights = |engine: &Engine| engine.status().unwrap().generation.weights;
    assert_eq!(weights(&alone), weights(&engine));
    let (own, theirs) = (cosines(&alone), cosines(&engine));
    assert_eq!(own.len(), 2008);
    let apart = own.iter().zip(&theirs).map(|(own, theirs)| (own.1 - theirs.1).abs());
    eprintln!("cosines are {:e} apart at most", apart.fold(0.0, f32::max));
    for (own, theirs) in own.iter().zip(&theirs) {
        assert!(own.0 == theirs.0 && (own.1 - theirs.1).abs() < 1e-5, "{own:?} {theirs:?}");
    }
    let hits = index.open().search(&by_vectors(ASKED)).unwrap().hits;
    for hit in hits {
        let own = own.iter().find(|own| own.0 == hit.document).unwrap();
        assert!((own.1 - hit.score).abs() < 1e-4, "{own:?} {hit:?}");
    }
}

#[test]
fn what_a_dead_or_stalled_worker_has_taken_is_taken_over() {
    let Some(index) = index("taken-over") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = corpus(folder.path(), 2000);
    index.migrate(&engine, 1);
    let [killed, stalled] = ["a", "b"].map(|name| Worker::start(&index, folder.path(), name));
    wait_for_workers(&index, 2);
    let (mut caught, mut taken_over) = (None, false);
    let done = while_searched(&index, || {
        learn(&engine, &index, &mut |_| {
            // In this machine's hands nothing is taken meanwhile.
            let [of_killed, of_stalled] = caught.get_or_insert_with(|| {
                let slices = [killed.catch(&index), stalled.catch(&index)];
                killed.signal("-KILL");
                slices
            });
            let slices = slices(&index);
            let is_done = |id: &String| {
                let slice = slices.iter().find(|slice| slice["_id"] == **id);
                slice.is_none_or(|slice| slice["_source"]["slice"]["is_done"] == true)
            };
            if !taken_over && is_done(of_killed) && is_done(of_stalled) {
                taken_over = true;
                stalled.signal("-CONT");
            }
            ControlFlow::Continue(())
        })
        .unwrap()
    });
    assert_eq!(done.round.gate.decision, Decision::Published);
    assert!(caught.is_some());
    // The job has ended with the last slice; then it comes back.
    if !taken_over {
        stalled.signal("-CONT");
    }
    assert_eq!((done.migrated.chunks, done.migrated.encoded, done.migrated.sent), (2008, 2008, 0));
    assert_over(&index);
    // What it sends now is refused, and makes no index.
    thread::sleep(Duration::from_secs(4));
    assert_eq!(served(&index).len(), 2008);
    let again = index.migrate(&engine, 1);
    assert_eq!((again.generation, again.sent), (done.migrated.generation, 0));
    let before = index.indices();
    stalled.end();
    assert_eq!(index.indices(), before);
}

#[test]
fn documents_that_are_added_meanwhile_are_there_and_a_node_may_end() {
    let Some(index) = index("meanwhile") else { return };
    let Some(nodes) = Nodes::of() else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = corpus(folder.path(), 1000);
    index.migrate(&engine, 1);
    wait_green(&index);
    let workers = ["a", "b"].map(|name| Worker::start(&index, folder.path(), name));
    wait_for_workers(&index, 2);
    let mut ended = None;
    let done = while_searched(&index, || {
        learn(&engine, &index, &mut |at| {
            if ended.is_none() && at.done > 0 {
                engine.add(vec![Document::new("lantern", "The lantern of the outer mole.")]).unwrap();
                engine.remove(&["berth-7"]).unwrap();
                engine.add(vec![Document::new("berth-8", "Berth 8 is closed for the winter.")]).unwrap();
                ended = Some(nodes.end(manager(&index)));
            }
            ControlFlow::Continue(())
        })
        .unwrap()
    });
    assert!(ended.take().is_some());
    assert_eq!(done.round.gate.decision, Decision::Published);
    // One added, one removed, one replaced by another.
    assert_eq!((done.migrated.chunks, done.migrated.encoded, done.migrated.sent), (1008, 1008, 4));
    let cluster = index.open();
    let by_words =
        |query: &str| found(&cluster, &Query::new(query).with_mode(Mode::Lexical).without_logging());
    assert_eq!(by_words("lantern"), ["lantern"]);
    assert_eq!(by_words("winter"), ["berth-8"]);
    let served = served(&index);
    assert!(served.len() == 1008 && !served.contains("berth-7"));
    assert_over(&index);
    let made = index.indices().into_iter().filter(|name| name.contains("-g00")).count();
    assert_eq!(made, 2, "what serves and what did before: {:?}", index.indices());
    wait_green(&index);
    drop(workers);
}

#[test]
fn a_round_that_is_cancelled_leaves_no_job_and_its_workers_wait_for_the_next() {
    let Some(index) = index("withdrawn") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = corpus(folder.path(), 1500);
    index.migrate(&engine, 1);
    let before = index.indices();
    let worker = Worker::start(&index, folder.path(), "a");
    wait_for_workers(&index, 1);
    let cut = learn(&engine, &index, &mut |_| ControlFlow::Break(()));
    assert!(matches!(cut, Err(Error::Cancelled { .. })), "{cut:?}");
    assert!(of_kind(&index, "job").is_empty());
    let left: Vec<String> = index.indices().into_iter().filter(|name| !name.ends_with("-weights")).collect();
    assert_eq!(left, before);
    let done = learn(&engine, &index, &mut |_| ControlFlow::Continue(()));
    assert_eq!(done.unwrap().migrated.sent, 0);
    assert!(worker.end() > 0);
}

#[test]
fn what_workers_have_made_for_a_round_that_is_rejected_is_dropped() {
    let Some(index) = index("rejected") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = corpus_with(folder.path(), 1500, 1.0);
    index.migrate(&engine, 1);
    let before = index.indices();
    let worker = Worker::start(&index, folder.path(), "a");
    wait_for_workers(&index, 1);
    let done = learn(&engine, &index, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!((done.round.gate.decision, done.migrated.generation.0), (Decision::Rejected, 1));
    assert!(worker.end() > 0);
    let left: Vec<String> = index.indices().into_iter().filter(|name| !name.ends_with("-weights")).collect();
    assert_eq!(left, before);
    assert_over(&index);
}

/// A round whose process was killed once a worker had a job.
pub struct Killed {
    pub worker: Worker,
    /// The arguments that begin it again.
    pub args: Vec<String>,
}

impl Killed {
    pub fn of(index: &Index, folder: &Path) -> Killed {
        let engine = corpus(folder, 3000);
        index.migrate(&engine, 1);
        let path = engine.path().to_str().unwrap().to_string();
        engine.close().unwrap();
        let worker = Worker::start(index, folder, "a");
        wait_for_workers(index, 1);
        let how = ["--batch-size", "4", "--learning-rate", "1e-3", "--frozen-layers", "0"];
        let what = ["--tiers", "encoder", "--significance", "none", "--index", &path];
        let store = index.store();
        let args = [&["learn", "--store", &store][..], &how, &what].concat();
        let args: Vec<String> = args.into_iter().map(str::to_string).collect();
        let mut learner = Command::new(env!("CARGO_BIN_EXE_retune"));
        let mut learner = learner.args(&args).env("RETUNE_MODEL", tiny_model()).spawn().unwrap();
        wait_for("no job", || !slices(index).is_empty());
        learner.kill().unwrap();
        learner.wait().unwrap();
        Killed { worker, args }
    }
}

#[test]
fn a_learner_that_is_killed_leaves_what_serves_and_the_next_round_goes_on() {
    let Some(index) = index("killed") else { return };
    let folder = tempfile::tempdir().unwrap();
    let Killed { worker, args } = Killed::of(&index, folder.path());
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let cluster = index.open();
    assert_eq!((cluster.generation().0, of_kind(&index, "job").len()), (1, 1));
    assert!(!cluster.search(&by_vectors(ASKED)).unwrap().hits.is_empty());
    // The next one waits until the lease is free.
    let said = while_searched(&index, || text(&retune(&index, &args)));
    assert!(said.contains("all of them there already"), "{said}");
    assert_over(&index);
    assert_eq!(served(&index).len(), 3008);
    assert!(index.open().generation().0 > 1);
    let made = index.indices().into_iter().filter(|name| name.contains("-g00")).count();
    assert_eq!(made, 3, "what serves, its passages, and what did before: {:?}", index.indices());
    assert!(worker.end() > 0);
}

#[test]
fn without_workers_this_machine_encodes_alone() {
    let Some(index) = index("no-workers") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = corpus(folder.path(), 100);
    index.migrate(&engine, 1);
    // One that is dead counts as none.
    let killed = Worker::start(&index, folder.path(), "a");
    wait_for_workers(&index, 1);
    killed.signal("-KILL");
    let done = learn(&engine, &index, &mut |_| panic!("nobody is there")).unwrap();
    assert_eq!((done.round.gate.decision, done.migrated.sent), (Decision::Published, 108));
    assert_over(&index);
    assert!(of_kind(&index, "worker").is_empty(), "it is forgotten");
}
