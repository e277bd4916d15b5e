//! Which generation serves.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use retune::{GenerationId, Query};

use crate::support::{found, index, saying};

#[test]
fn a_reader_sees_a_swap_within_a_second_and_no_search_fails() {
    let Some(index) = index("swap") else { return };
    let folder = tempfile::tempdir().unwrap();
    let (first, second) =
        (saying(&folder.path().join("a"), "anchor", 20), saying(&folder.path().join("b"), "buoy", 20));
    index.migrate(&first, 1);
    let cluster = index.open();
    assert_eq!(cluster.generation(), GenerationId(1));
    let (stop, searches) = (AtomicBool::new(false), AtomicUsize::new(0));
    crossbeam_utils::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|_| {
                while !stop.load(Ordering::Relaxed) {
                    let hits = found(&cluster, &Query::new("number of the harbour"));
                    let words: Vec<&str> = hits.iter().map(|id| id.split('-').next().unwrap()).collect();
                    assert!(words.len() == 10 && words.iter().all(|word| *word == words[0]), "{hits:?}");
                    searches.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let report = index.migrate(&second, 2);
        let swapped = Instant::now();
        assert_eq!(report.generation, GenerationId(2));
        while cluster.generation() != report.generation {
            assert!(swapped.elapsed() < Duration::from_secs(1), "not seen");
            thread::sleep(Duration::from_millis(10));
        }
        thread::sleep(Duration::from_millis(300));
        stop.store(true, Ordering::Relaxed);
    })
    .unwrap();
    assert!(searches.load(Ordering::Relaxed) > 10);
    assert!(found(&cluster, &Query::new("buoy"))[0].starts_with("buoy"));
    // Back, by the alias alone.
    let [old, new] = ["1", "2"].map(|number| format!("{}-g00000{number}", index.name));
    assert_eq!(index.swap(&new, &old), 200);
    thread::sleep(Duration::from_millis(600));
    assert!(found(&cluster, &Query::new("anchor"))[0].starts_with("anchor"));
    // A third replaces the first, and takes a number that no other has had; the second is dropped.
    assert_eq!(index.migrate(&second, 1).generation, GenerationId(3));
    let [third, state] = ["g000003", "state"].map(|part| format!("{}-{part}", index.name));
    assert_eq!(index.indices(), [old, third, state]);
}

#[test]
fn of_swaps_at_once_one_wins() {
    let Some(index) = index("race") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = saying(folder.path(), "anchor", 5);
    [1, 2].into_iter().for_each(|shards| drop(index.migrate(&engine, shards)));
    let [old, new] = ["1", "2"].map(|number| format!("{}-g00000{number}", index.name));
    for _ in 0..5 {
        let won = crossbeam_utils::thread::scope(|scope| {
            let swaps: Vec<_> = (0..6).map(|_| scope.spawn(|_| index.swap(&new, &old))).collect();
            swaps.into_iter().map(|swap| swap.join().unwrap()).filter(|status| *status == 200).count()
        })
        .unwrap();
        assert_eq!(won, 1);
        assert_eq!(index.swap(&old, &new), 200);
    }
}

#[test]
fn of_two_migrations_at_once_one_waits_for_nobody_and_the_other_is_refused() {
    let Some(index) = index("two") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = saying(folder.path(), "anchor", 3000);
    let reports = crossbeam_utils::thread::scope(|scope| {
        let migrations: Vec<_> = (0..2).map(|_| scope.spawn(|_| index.try_migrate(&engine, 1))).collect();
        migrations.into_iter().map(|one| one.join().unwrap()).collect::<Vec<_>>()
    })
    .unwrap();
    // The second may come when the first is done.
    let won = reports.iter().filter(|report| report.is_ok()).count();
    assert!(won >= 1, "{reports:?}");
    for error in reports.iter().filter_map(|report| report.as_ref().err()) {
        assert!(error.to_string().contains("at work"), "{error}");
    }
    assert_eq!(index.open().generation(), GenerationId(1), "the second finds what it would bring");
}
