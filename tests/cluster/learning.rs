//! A round of learning from what was judged on the cluster, to what serves there.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use retune::cluster::{Cluster, ClusterProgress};
use retune::learn::Tier;
use retune::{Decision, Engine, Fusion, Query, Verdict};

use crate::common::{documents, judged_queries, options, quick_round};
use crate::learnt::{by_vectors, open};
use crate::program::{retune, text};
use crate::support::{found, index, saying};

/// Asks every query, half of them of each process, and picks the right documents.
fn judge(clusters: &[Cluster; 2]) -> usize {
    let mut judged = 0;
    for (at, (query, right)) in judged_queries().into_iter().enumerate() {
        let cluster = &clusters[at % 2];
        let answer = cluster.search(&Query::new(query)).unwrap();
        cluster.judge(answer.query_id, &right, Verdict::Chosen).unwrap();
        judged += 1;
    }
    judged
}

#[test]
fn what_two_processes_judge_is_learnt_and_serves_them_while_they_search() {
    let Some(index) = index("learning") else { return };
    let folder = tempfile::tempdir().unwrap();
    let fused = options().with_fusion(Fusion::Convex { dense_weight: 0.0 });
    let engine = Engine::open(folder.path().join("index"), fused).unwrap();
    engine.add(documents()).unwrap();
    let first = index.migrate(&engine, 2);
    let clusters = ["a", "b"].map(|cache| open(&index, &folder.path().join(cache)).unwrap());
    let judged = judge(&clusters);
    let before = clusters[0].search(&by_vectors("what is done about a kettle")).unwrap();
    let (stop, searches, migrating) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    let round = crossbeam_utils::thread::scope(|scope| {
        for cluster in &clusters {
            scope.spawn(|_| {
                while !stop.load(Ordering::Relaxed) {
                    cluster.search(&Query::new("worn ropes of the gate").without_logging()).unwrap();
                    searches.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let round = quick_round().with_tiers(&[Tier::Encoder]);
        let train = round.train.clone().with_learning_rate(1e-3);
        let options = round.with_train(train);
        let round = engine.learn_from_cluster(&index.store(), &options, &mut |at| {
            if let ClusterProgress::Migrating(_) = at {
                migrating.fetch_add(1, Ordering::Relaxed);
            }
            ControlFlow::Continue(())
        });
        stop.store(true, Ordering::Relaxed);
        round.unwrap()
    })
    .unwrap();
    assert_eq!((round.imported.judgements, round.imported.unreadable), (judged, 0));
    assert_eq!(round.round.gate.decision, Decision::Published, "{:?}", round.round.gate);
    assert!(round.migrated.generation > first.generation && round.migrated.weights_bytes > 0);
    assert!(migrating.into_inner() > 0 && searches.into_inner() > 10);
    let learnt = round.migrated.generation;
    for cluster in &clusters {
        let published = Instant::now();
        while cluster.search(&by_vectors("what is done about a kettle")).unwrap().generation != learnt {
            assert!(published.elapsed() < Duration::from_secs(4), "{:?}", cluster.generation());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    let own = engine.search(&by_vectors("what is done about a kettle")).unwrap();
    for cluster in &clusters {
        let answer = cluster.search(&by_vectors("what is done about a kettle")).unwrap();
        assert!(own.hits.iter().zip(&answer.hits).all(|(own, hit)| (own.score - hit.score).abs() < 1e-4));
        assert!(before.hits.iter().zip(&answer.hits).any(|(old, hit)| (old.score - hit.score).abs() > 1e-3));
    }
    engine.close().unwrap();
}

#[test]
fn a_round_that_changes_nothing_migrates_what_has_changed_here_and_says_what_it_did() {
    let Some(index) = index("nothing-learnt") else { return };
    let folder = tempfile::tempdir().unwrap();
    let local = folder.path().join("index");
    let engine = saying(&local, "anchor", 20);
    let first = index.migrate(&engine, 1);
    engine.add(vec![retune::Document::new("lantern", "a lantern")]).unwrap();
    engine.close().unwrap();
    text(&retune(&index, &["search", "anchor", "17"]));
    let wrong = retune(
        &index,
        &["learn", "--index", local.to_str().unwrap(), "--store", &format!("{}x", index.store())],
    );
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(!wrong.status.success() && said.contains("no index on the cluster"), "{said}");
    assert_eq!(index.indices().len(), 2, "nothing was made for the wrong name: {:?}", index.indices());
    let learn = ["learn", "--index", local.to_str().unwrap(), "--store", &index.store()];
    let said = text(&retune(&index, &learn));
    for part in ["imported 1 query and 0 judgements", "generation 2 serves", "1 sent or removed"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let query = Query::new("lantern").with_mode(retune::Mode::Lexical);
    assert_eq!(found(&index.open(), &query), ["lantern"]);
    let said = text(&retune(&index, &learn));
    assert!(said.contains("generation 2 serves") && said.contains("all of them there already"), "{said}");
    assert!(first.generation.0 == 1);
}
