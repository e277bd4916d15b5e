//! Migrations that are cut short.

use std::ops::ControlFlow;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use retune::cluster::{Cluster, MigrateOptions};
use retune::{GenerationId, Query};

use crate::common::{options, tiny_model};
use crate::support::{found, index, saying};

#[test]
fn one_that_is_stopped_leaves_what_serves_and_the_next_one_cleans_up() {
    let Some(index) = index("cut") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = saying(&folder.path().join("a"), "anchor", 1200);
    let cut = |left: usize| {
        let mut left = left;
        // In two parts, so that no passages are there already.
        let options = MigrateOptions::default().with_shards(2);
        let stopped = engine.migrate(&index.store(), &options, &mut |_| {
            left -= 1;
            if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert!(matches!(stopped, Err(retune::Error::Cancelled { .. })), "{stopped:?}");
    };
    cut(1);
    let none = Cluster::open(&index.store(), &options()).unwrap_err();
    assert!(matches!(none, retune::Error::NotFound { .. }), "{none}");
    let first = index.migrate(&engine, 1);
    let cluster = index.open();
    cut(2);
    assert_eq!(found(&cluster, &Query::new("anchor 17")).len(), 10);
    assert_eq!(cluster.generation(), first.generation);
    let report = index.migrate(&engine, 1);
    assert_eq!((report.chunks, report.encoded), (1200, 1200));
    assert_eq!(index.open().generation(), report.generation);
}

#[test]
fn one_whose_process_is_killed_leaves_what_serves_and_the_next_one_cleans_up() {
    let Some(index) = index("killed") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = saying(&folder.path().join("a"), "anchor", 2500);
    engine.close().unwrap();
    let engine = retune::Reader::open(folder.path().join("a"), options()).unwrap();
    index.migrate(&engine, 1);
    let cluster = index.open();
    let mut child = Command::new(env!("CARGO_BIN_EXE_retune"))
        .args(["migrate", "--shards", "2", "--store", &index.store(), "--index"])
        .arg(folder.path().join("a"))
        .env("RETUNE_MODEL", tiny_model())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let unfinished = format!("{}-g000002", index.name);
    let begun = Instant::now();
    while !index.indices().contains(&unfinished) {
        assert!(
            begun.elapsed() < Duration::from_secs(20) && child.try_wait().unwrap().is_none(),
            "not seen at work"
        );
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(index.indices().contains(&unfinished));
    assert_eq!(found(&cluster, &Query::new("anchor 17")).len(), 10);
    assert_eq!(cluster.generation(), GenerationId(1));
    // It waits until the killed one is known to be dead.
    let report = index.migrate(&engine, 2);
    assert_eq!((report.chunks, report.generation), (2500, GenerationId(3)));
    assert!(!index.indices().contains(&unfinished));
}

#[test]
fn one_whose_generation_is_another_s_by_now_is_refused_and_its_number_is_not_given_again() {
    let Some(index) = index("fenced") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = saying(&folder.path().join("a"), "anchor", 1200);
    let first = index.migrate(&engine, 1);
    let cluster = index.open();
    let second = format!("{}-g000002", index.name);
    let mut marked = 0;
    let refused = engine.migrate(&index.store(), &MigrateOptions::default().with_shards(2), &mut |_| {
        let other = serde_json::json!({ "_meta": { "made_by": "somebody else" } });
        marked = index.send_json("PUT", &format!("/{second}/_mapping"), Some(&other));
        ControlFlow::Continue(())
    });
    assert_eq!(marked, 200);
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("made by somebody else"), "{refused}");
    assert_eq!(found(&cluster, &Query::new("anchor 17")).len(), 10);
    assert_eq!((index.open().generation(), first.generation), (GenerationId(1), GenerationId(1)));
    assert_eq!(index.migrate(&engine, 2).generation, GenerationId(3));
    assert!(!index.indices().contains(&second));
}
