//! Nodes that are ended in the middle of something.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, Once};
use std::thread;
use std::time::{Duration, Instant};

use retune::cluster::MigrateOptions;
use retune::{Query, Verdict};

use crate::support::{Index, found, import, index, logged, saying, skip};

/// The scripts that end and start nodes of the cluster.
pub struct Nodes(PathBuf);

impl Nodes {
    /// `None`, and a word about it, if the cluster is not one of ours.
    pub fn of() -> Option<Nodes> {
        let scripts = std::env::var_os("RETUNE_TEST_NODES").map(|folder| Nodes(folder.into()));
        if scripts.is_none() {
            static SAID: Once = Once::new();
            skip(&SAID, "RETUNE_TEST_NODES names no folder with scripts that end nodes");
        }
        scripts
    }

    fn run(&self, script: &str, arguments: &[&str]) {
        let output = Command::new(self.0.join(script)).args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script} {arguments:?}: {said}");
    }

    /// None of three nodes does anything for so many seconds.
    fn pause(&self, seconds: u32) {
        crossbeam_utils::thread::scope(|scope| {
            for node in ["1", "2", "3"] {
                scope.spawn(move |_| self.run("pause-node.sh", &[node, &seconds.to_string()]));
            }
        })
        .unwrap();
    }

    /// Ends a node; the returned value starts it again.
    pub fn end(&self, node: usize) -> Ended<'_> {
        self.run("kill-node.sh", &[&node.to_string()]);
        Ended { nodes: self, node }
    }
}

pub struct Ended<'n> {
    nodes: &'n Nodes,
    node: usize,
}

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.nodes.run("start-node.sh", &[&self.node.to_string()]);
    }
}

/// Waits until every copy of the index is there.
pub fn wait_green(index: &Index) {
    wait_for(index, &format!("{}-g*", index.name));
}

fn wait_for(index: &Index, indices: &str) {
    let begun = Instant::now();
    while index.get(&format!("/_cluster/health/{indices}"))["status"] != "green" {
        assert!(begun.elapsed() < Duration::from_secs(60), "not green");
        thread::sleep(Duration::from_millis(200));
    }
}

/// The number of the node that manages the cluster.
pub fn manager(index: &Index) -> usize {
    let name = index.get("/_cat/cluster_manager?format=json")[0]["node"].as_str().unwrap().to_string();
    name.strip_prefix("node-").unwrap().parse().unwrap()
}

#[test]
fn searches_go_on_when_a_node_is_ended() {
    let Some(index) = index("ended") else { return };
    let Some(nodes) = Nodes::of() else { return };
    let folder = tempfile::tempdir().unwrap();
    index.migrate(&saying(folder.path(), "anchor", 300), 3);
    wait_green(&index);
    let cluster = index.open();
    let (stop, searches, longest) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    crossbeam_utils::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|_| {
                while !stop.load(Ordering::Relaxed) {
                    let begun = Instant::now();
                    assert_eq!(found(&cluster, &Query::new("anchor number 17")).len(), 10);
                    longest.fetch_max(begun.elapsed().as_millis() as usize, Ordering::Relaxed);
                    searches.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        thread::sleep(Duration::from_millis(500));
        let ended = nodes.end(manager(&index));
        let before = searches.load(Ordering::Relaxed);
        thread::sleep(Duration::from_secs(4));
        assert!(searches.load(Ordering::Relaxed) > before + 10, "searches did not go on");
        drop(ended);
        stop.store(true, Ordering::Relaxed);
    })
    .unwrap();
    let (searches, longest) = (searches.into_inner(), longest.into_inner());
    eprintln!("{searches} searches, none failed; the longest took {longest} ms");
    wait_green(&index);
}

#[test]
fn a_migration_loses_nothing_when_a_node_is_ended() {
    let Some(index) = index("lost") else { return };
    let Some(nodes) = Nodes::of() else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = saying(folder.path(), "anchor", 6000);
    let mut ended = None;
    let options = MigrateOptions::default().with_shards(2);
    let report = engine.migrate(&index.store(), &options, &mut |progress| {
        // Requests are on their way, and most of the passages are not.
        assert!(ended.is_some() || progress.done < 3000, "{progress:?}");
        ended.get_or_insert_with(|| nodes.end(manager(&index)));
        ControlFlow::Continue(())
    });
    let report = report.unwrap();
    drop(ended);
    assert_eq!(report.chunks, 6000);
    let cluster = index.open();
    for number in (0..6000).step_by(97) {
        let hits = found(&cluster, &Query::new(format!("anchor {number}")).with_mode(retune::Mode::Lexical));
        assert!(hits.contains(&format!("anchor-{number}")), "{number} {hits:?}");
    }
    wait_green(&index);
}

#[test]
fn a_migration_waits_for_a_cluster_that_is_busy() {
    let Some(index) = index("busy") else { return };
    let Some(nodes) = Nodes::of() else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = saying(folder.path(), "anchor", 3000);
    let mut paused = false;
    let report = engine.migrate(&index.store(), &MigrateOptions::default(), &mut |progress| {
        if !std::mem::replace(&mut paused, true) {
            assert!(progress.done < 2000, "{progress:?}");
            // No heartbeat is written for so long that others could take this process for dead.
            nodes.pause(14);
        }
        ControlFlow::Continue(())
    });
    assert_eq!(report.unwrap().chunks, 3000);
    assert_eq!(index.open().coverage().chunks, 3000);
}

#[test]
fn no_judgement_is_lost_and_no_search_fails_when_a_node_is_ended() {
    let Some(index) = index("judged") else { return };
    let Some(nodes) = Nodes::of() else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = saying(folder.path(), "anchor", 300);
    index.migrate(&engine, 1);
    wait_green(&index);
    let cluster = index.open();
    // Makes the indices of feedback.
    let first = cluster.search(&Query::new("anchor number 1")).unwrap();
    cluster.judge(first.query_id, &first.hits[0].document, Verdict::Chosen).unwrap();
    wait_for(&index, "ubi_*");
    let (stop, acknowledged) = (AtomicBool::new(false), Mutex::new(vec![first.query_id]));
    let searches = AtomicUsize::new(0);
    crossbeam_utils::thread::scope(|scope| {
        for thread in 0..3 {
            let (cluster, stop, searches, acknowledged) = (&cluster, &stop, &searches, &acknowledged);
            scope.spawn(move |_| {
                while !stop.load(Ordering::Relaxed) {
                    let answer = cluster.search(&Query::new(format!("anchor number {thread}"))).unwrap();
                    assert!(answer.logged && answer.hits.len() == 10);
                    searches.fetch_add(1, Ordering::Relaxed);
                    if thread > 0 && cluster.judge(answer.query_id, "anchor-7", Verdict::Relevant).is_ok() {
                        acknowledged.lock().unwrap().push(answer.query_id);
                    }
                }
            });
        }
        thread::sleep(Duration::from_millis(500));
        let ended = nodes.end(manager(&index));
        let before = acknowledged.lock().unwrap().len();
        thread::sleep(Duration::from_secs(4));
        assert!(acknowledged.lock().unwrap().len() > before, "judging did not go on");
        drop(ended);
        stop.store(true, Ordering::Relaxed);
    })
    .unwrap();
    let counts = cluster.feedback_counts();
    drop(cluster);
    wait_for(&index, "ubi_*");
    import(&engine, &index);
    let judged: HashSet<_> = logged(&engine)
        .into_iter()
        .filter(|one| !one.judgements.is_empty())
        .map(|one| one.impression.query_id)
        .collect();
    let (acknowledged, searches) = (acknowledged.into_inner().unwrap(), searches.into_inner());
    eprintln!("{searches} searches, none failed; {} judgements acknowledged; {counts:?}", acknowledged.len());
    for query_id in acknowledged {
        assert!(judged.contains(&query_id), "{query_id} is lost");
    }
}
