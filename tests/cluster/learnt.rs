//! What rounds have learnt, on a cluster: weights that are sent, downloaded and dropped.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use retune::cluster::Cluster;
use retune::learn::Tier;
use retune::{Decision, Engine, Fusion, GenerationId, Mode, Query};
use serde_json::{Value as Json, json};

use crate::answers::compare_with;
use crate::common::{documents, judge_everything, options, quick_round};
use crate::support::{Index, index};

/// An index with judged queries, in which every round of an encoder passes its gate: the hybrid ranks by words.
pub fn judged(folder: &Path) -> Engine {
    judged_with(folder, 0.0)
}

fn judged_with(folder: &Path, dense_weight: f32) -> Engine {
    let fused = options().with_fusion(Fusion::Convex { dense_weight });
    let engine = Engine::open(folder.join("index"), fused).unwrap();
    engine.add(documents()).unwrap();
    judge_everything(&engine);
    engine
}

/// Runs a round that publishes what this tier has learnt.
pub fn learn(engine: &Engine, tier: Tier, learning_rate: f64) {
    let round = quick_round().with_tiers(&[tier]);
    let train = round.train.clone().with_learning_rate(learning_rate);
    let report = engine.learn(&round.with_train(train), &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!((report.gate.decision, report.tier), (Decision::Published, Some(tier)), "{report:?}");
}

/// Opens an index for readers that have the first model, and what they have downloaded.
pub fn open(index: &Index, cache: &Path) -> retune::Result<Cluster> {
    Cluster::open(&index.store(), &options().with_model_cache(cache))
}

/// Queries that vectors decide.
pub fn by_vectors(text: &str) -> Query {
    Query::new(text).with_mode(Mode::Dense).with_limit(100).without_logging()
}

fn compare(engine: &Engine, cluster: &Cluster) {
    for text in ["what is done about a kettle", "worn ropes of the gate", "blue ledger"] {
        compare_with(engine, cluster, &by_vectors(text));
        let fused = Query::new(text).with_fusion(Fusion::Convex { dense_weight: 0.5 });
        compare_with(engine, cluster, &fused.without_logging());
    }
}

/// The encoders in a cache.
fn cached(cache: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(cache).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_dir()).collect()
}

fn is_complete(encoder: &Path) -> bool {
    encoder.file_name().unwrap().len() == 64
}

/// The parts on the cluster.
fn parts(index: &Index) -> BTreeSet<String> {
    index.send_json("POST", &format!("/{}-weights/_refresh", index.name), None);
    let found = index.get(&format!("/{}-weights/_search?size=1000&_source=false", index.name));
    let hits = found["hits"]["hits"].as_array().unwrap();
    hits.iter().map(|hit| hit["_id"].as_str().unwrap().to_string()).collect()
}

/// The part of the weights that a generation encodes queries with: the tiny model's are in one.
fn part_of_weights(index: &Index, generation: GenerationId) -> String {
    let key = format!("g{:06}", generation.0);
    let state = index.get(&format!("/{}-state/_doc/{key}", index.name));
    let file = &state["_source"]["manifest"]["encoder"]["files"]["model.safetensors"];
    assert_eq!(file["parts"].as_array().unwrap().len(), 1);
    file["parts"][0].as_str().unwrap().to_string()
}

#[test]
fn a_reader_with_the_first_model_answers_as_the_index_that_was_trained() {
    let Some(index) = index("trained") else { return };
    let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let engine = judged(folder.path());
    let first = index.migrate(&engine, 1);
    assert_eq!((first.sent, first.weights_bytes), (8, 0));
    compare(&engine, &open(&index, cache.path()).unwrap());
    assert!(cached(cache.path()).is_empty());

    learn(&engine, Tier::Encoder, 1e-3);
    let second = index.migrate(&engine, 2);
    assert!(second.sent == 8 && second.weights_bytes > 100_000, "{second:?}");
    compare(&engine, &open(&index, cache.path()).unwrap());
    let downloaded = cached(cache.path());
    assert!(downloaded.len() == 1 && is_complete(&downloaded[0]), "{downloaded:?}");
    // The same again: nothing moves, and nothing is downloaded.
    let sent = parts(&index);
    let third = index.migrate(&engine, 2);
    assert_eq!((third.generation, third.sent, third.weights_bytes), (GenerationId(2), 0, 0));
    assert_eq!(parts(&index), sent);
    compare(&engine, &open(&index, cache.path()).unwrap());
    assert_eq!(cached(cache.path()), downloaded);

    // Whoever has the weights needs no cache.
    let own = folder.path().join("index/generations/000002/model");
    let given = options().with_model(own).with_model_cache(folder.path().join("none"));
    compare(&engine, &Cluster::open(&index.store(), &given).unwrap());
    assert!(!folder.path().join("none").exists());
}

#[test]
fn an_encoder_of_queries_moves_no_passage_and_a_way_back_stays() {
    let Some(index) = index("queries") else { return };
    let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let engine = judged(folder.path());
    index.migrate(&engine, 1);
    let reader = open(&index, cache.path()).unwrap();
    let asked = by_vectors("what is done about a kettle");
    let before = reader.search(&asked).unwrap().hits;
    learn(&engine, Tier::QuerySide, 5e-3);
    let report = index.migrate(&engine, 1);
    assert!(report.sent == 0 && report.weights_bytes > 100_000, "{report:?}");
    compare(&engine, &open(&index, cache.path()).unwrap());
    assert_ne!(before[0].score, open(&index, cache.path()).unwrap().search(&asked).unwrap().hits[0].score);
    // A third generation has other passages, and both before it are there.
    engine.add(vec![retune::Document::new("eels", "A new page about eels and what they eat.")]).unwrap();
    let report = index.migrate(&engine, 1);
    assert_eq!((report.generation, report.sent, report.weights_bytes), (GenerationId(3), 1, 0));
    let [first, second, third, state, weights] =
        ["g000001", "g000002", "g000003", "state", "weights"].map(|part| format!("{}-{part}", index.name));
    assert_eq!(index.indices(), [&first, &second, &third, &state, &weights].map(String::clone));
    compare(&engine, &open(&index, cache.path()).unwrap());
    // Back, by the alias alone.
    assert_eq!(index.swap(&third, &second), 200);
    assert_eq!(open(&index, cache.path()).unwrap().search(&asked).unwrap().hits.len(), 8);
    assert_eq!(index.swap(&second, &first), 200);
    let back = open(&index, cache.path()).unwrap().search(&asked).unwrap().hits;
    assert_eq!(back[0].score, before[0].score);
}

#[test]
fn a_learnt_fusion_moves_a_manifest_alone() {
    let Some(index) = index("fused") else { return };
    let folder = tempfile::tempdir().unwrap();
    // A model of random weights alone ranks worse than with the words.
    let engine = judged_with(folder.path(), 1.0);
    index.migrate(&engine, 1);
    engine.learn(&quick_round().with_tiers(&[Tier::Fusion]), &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(engine.status().unwrap().generation.id, GenerationId(2), "the round has published");
    let report = index.migrate(&engine, 1);
    assert_eq!((report.sent, report.weights_bytes, report.chunks), (0, 0, 8));
    compare_with(&engine, &index.open(), &Query::new("what is done about a kettle").without_logging());
    // Where the passages are no longer whole, what is missing is sent.
    index.send_json("DELETE", &format!("/{}-g000001/_doc/0?refresh=true", index.name), None);
    assert_eq!(index.migrate(&engine, 1).sent, 1);
    let cosines = |hits: Vec<retune::Hit>| -> BTreeMap<String, i32> {
        hits.into_iter().map(|hit| (hit.document, (hit.score * 1e4).round() as i32)).collect()
    };
    let (own, found) =
        (engine.search(&by_vectors("kettle")).unwrap(), index.open().search(&by_vectors("kettle")));
    let (own, found) = (cosines(own.hits), cosines(found.unwrap().hits));
    assert!(
        own.keys().eq(found.keys()) && own.values().zip(found.values()).all(|(a, b)| a.abs_diff(*b) <= 1)
    );
}

#[test]
fn a_damaged_part_is_named_and_nothing_of_it_is_kept() {
    let Some(index) = index("damaged") else { return };
    let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let engine = judged(folder.path());
    learn(&engine, Tier::Encoder, 1e-3);
    let part = part_of_weights(&index, index.migrate(&engine, 1).generation);
    let document = format!("/{}-weights/_doc/{part}", index.name);
    assert_eq!(index.send_json("PUT", &document, Some(&json!({ "bytes": "b3RoZXJz" }))), 200);
    let refused = open(&index, cache.path()).unwrap_err().to_string();
    assert!(refused.contains(&part) && refused.contains("part 1 of model.safetensors"), "{refused}");
    // The files before it came whole, and wait for the rest.
    let left = cached(cache.path());
    assert!(left.len() == 1 && !is_complete(&left[0]), "{left:?}");
    let weights = left[0].join("model.safetensors");
    assert_eq!(std::fs::metadata(&weights).unwrap().len(), 0);
    let waits = std::fs::metadata(left[0].join("config.json")).unwrap().modified().unwrap();

    assert_eq!(index.send_json("DELETE", &document, None), 200);
    let lost = open(&index, cache.path()).unwrap_err().to_string();
    assert!(lost.contains(&part) && lost.contains("migrate the index again"), "{lost}");
    assert!(index.migrate(&engine, 1).weights_bytes > 100_000);
    compare(&engine, &open(&index, cache.path()).unwrap());
    let complete = cached(cache.path());
    assert!(complete.len() == 1 && is_complete(&complete[0]), "{complete:?}");
    assert_eq!(std::fs::metadata(complete[0].join("config.json")).unwrap().modified().unwrap(), waits);
    // Changed in the cache, it is downloaded again.
    std::fs::write(complete[0].join("model.safetensors"), "others").unwrap();
    compare(&engine, &open(&index, cache.path()).unwrap());
}

#[test]
fn the_generation_before_goes_on_while_weights_are_missing() {
    let Some(index) = index("missing") else { return };
    let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let engine = judged(folder.path());
    let before = index.migrate(&engine, 1).generation;
    let cluster = open(&index, cache.path()).unwrap();
    learn(&engine, Tier::Encoder, 1e-3);
    let after = index.migrate(&engine, 1).generation;
    let document = format!("/{}-weights/_doc/{}", index.name, part_of_weights(&index, after));
    let source = index.get(&document)["_source"].clone();
    assert_eq!(index.send_json("DELETE", &document, None), 200);
    let search = || cluster.search(&by_vectors("kettle")).unwrap().generation;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(3) {
        assert_eq!(search(), before);
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(index.send_json("PUT", &document, Some(&source)), 201);
    while search() != after {
        assert!(begun.elapsed() < Duration::from_secs(20), "not tried again");
        thread::sleep(Duration::from_millis(50));
    }
    compare(&engine, &cluster);
}

#[test]
fn parts_go_with_the_generation_before_the_last() {
    let Some(index) = index("parts") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = judged(folder.path());
    let weights: Vec<String> = [1e-3, 2e-3, 3e-3]
        .iter()
        .map(|rate| {
            learn(&engine, Tier::Encoder, *rate);
            part_of_weights(&index, index.migrate(&engine, 1).generation)
        })
        .collect();
    let all = parts(&index);
    assert!(weights.iter().all(|part| all.contains(part)), "the last two, and the one that they replaced");
    assert!(index.migrate(&engine, 1).weights_bytes == 0);
    let left = parts(&index);
    assert_eq!(all.difference(&left).collect::<Vec<_>>(), [&weights[0]]);
}

#[test]
fn the_first_weights_of_an_index_whose_migration_is_stopped_are_sent_once() {
    let Some(index) = index("once") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = judged(folder.path());
    learn(&engine, Tier::Encoder, 1e-3);
    // Not before all parts are there.
    let mut seen = 0;
    let cut = engine.migrate(&index.store(), &retune::cluster::MigrateOptions::default(), &mut |_| {
        seen += 1;
        if index.indices().iter().any(|name| name.ends_with("-g000001")) {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    });
    assert!(matches!(cut, Err(retune::Error::Cancelled { .. })), "{cut:?}");
    let sent = parts(&index);
    assert!(seen > sent.len() && !sent.is_empty(), "{seen} {sent:?}");
    let report = index.migrate(&engine, 1);
    assert_eq!((report.generation, report.sent, report.weights_bytes), (GenerationId(2), 8, 0));
    assert_eq!(parts(&index), sent);
}

/// What a manifest of this version says, without what earlier versions did not know.
fn as_of_version(index: &Index, generation: GenerationId, version: u64) {
    let path = format!("/{}-state/_doc/g{:06}", index.name, generation.0);
    let mut source: Json = index.get(&path)["_source"].clone();
    let manifest = source["manifest"].as_object_mut().unwrap();
    manifest.insert("version".into(), version.into());
    for unknown in ["layout", "passages", "encoder", "origin"] {
        manifest.remove(unknown);
    }
    assert_eq!(index.send_json("PUT", &format!("{path}?refresh=true"), Some(&source)), 200);
}

#[test]
fn generations_of_an_earlier_version_are_replaced_and_later_ones_refused() {
    let Some(index) = index("versions") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = judged(folder.path());
    let first = index.migrate(&engine, 1).generation;
    as_of_version(&index, first, 2);
    let refused = Cluster::open(&index.store(), &options()).unwrap_err().to_string();
    assert!(refused.contains("format version 2") && refused.contains("migrate the index again"), "{refused}");
    let second = index.migrate(&engine, 1);
    assert_eq!((second.generation, second.sent), (GenerationId(2), 8));
    compare(&engine, &index.open());
    as_of_version(&index, second.generation, 4);
    let refused = Cluster::open(&index.store(), &options()).unwrap_err().to_string();
    assert!(refused.contains("format version 4"), "{refused}");
    let refused = index.try_migrate(&engine, 1).unwrap_err().to_string();
    assert!(refused.contains("format version 4"), "{refused}");
}
