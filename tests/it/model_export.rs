//! Encoders that leave an index as folders for sentence-transformers, on the tiny model.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::rounds::{judged, learn, publish};
use crate::common::{documents, open, quick_round, tiny_model};
use retune::encoder::{EncoderOptions, EncoderPrecision};
use retune::learn::Tier;
use retune::{Decision, Encoder, Engine, Error, GenerationId, ModelExport, Options, Query};

const TEXTS: [&str; 3] = ["The green lamp burns.", "what is done about a kettle", "frayed ropes"];

fn encoder(folder: &Path) -> Encoder {
    Encoder::load_with(folder, EncoderOptions::of(EncoderPrecision::F32)).unwrap()
}

fn vectors(folder: &Path) -> Vec<Vec<f32>> {
    encoder(folder).encode(&TEXTS).unwrap()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// An index whose second generation a round has trained.
fn trained(folder: &Path) -> Engine {
    let engine = judged(folder);
    let report = learn(&engine, &quick_round().with_tiers(&[Tier::Encoder]));
    assert_eq!(report.gate.decision, Decision::Published, "{}", report.gate.reason);
    engine
}

#[test]
fn the_trained_encoder_is_a_model_folder_that_gives_the_same_vectors() {
    let folder = tempfile::tempdir().unwrap();
    let engine = trained(folder.path());
    let to = folder.path().join("model");
    let exported = engine.export_model(&to, &ModelExport::default()).unwrap();
    assert_eq!((exported.generation, exported.trained), (GenerationId(2), true));
    assert_eq!(exported.weights, engine.status().unwrap().generation.weights);
    assert_eq!(encoder(&to).weights(), exported.weights);
    assert_eq!(vectors(&to), vectors(&engine.model_folder()));
    assert_ne!(vectors(&to), vectors(&tiny_model()));
    let card = fs::read_to_string(to.join("README.md")).unwrap();
    for said in ["library_name: sentence-transformers", "documents and queries of generation 2", "| 1 | 20"] {
        assert!(card.contains(said), "{said}: {card}");
    }
    assert!(!card.contains("kettle"), "no query and no document: {card}");
    for name in [
        "modules.json",
        "config.json",
        "tokenizer.json",
        "sentence_bert_config.json",
        "1_Pooling/config.json",
    ] {
        assert!(to.join(name).is_file(), "{name}");
    }

    // Another index can begin with it, and answers alike.
    let other = tempfile::tempdir().unwrap();
    let second = Engine::open(other.path(), Options::default().with_model(&to)).unwrap();
    second.add(documents()).unwrap();
    let dense = |engine: &Engine| {
        let answer = engine.search(&Query::new("a lamp that burns")).unwrap();
        answer.hits.iter().map(|hit| (hit.document.clone(), hit.dense)).collect::<Vec<_>>()
    };
    let (mut first, mut second) = (dense(&engine), dense(&second));
    first.sort_by(|a, b| a.0.cmp(&b.0));
    second.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(first, second);
}

#[test]
fn earlier_generations_and_untrained_indexes_export_what_they_began_with() {
    let folder = tempfile::tempdir().unwrap();
    let engine = trained(folder.path());
    let first = ModelExport::default().with_generation(GenerationId(1));
    let to = folder.path().join("first");
    fs::create_dir(&to).unwrap();
    let exported = engine.export_model(&to, &first).unwrap();
    assert!(!exported.trained);
    assert_eq!(vectors(&to), vectors(&tiny_model()));
    assert_eq!(encoder(&to).weights(), encoder(&tiny_model()).weights(), "the same file");
    assert!(fs::read_to_string(to.join("README.md")).unwrap().contains("It was not trained"));
    engine.close().unwrap();

    // Of an index that is not open for writing, and of its recorded model.
    let reader =
        retune::Reader::open(folder.path().join("index"), Options::default().with_lazy_model(true)).unwrap();
    let again = folder.path().join("again");
    assert_eq!(reader.export_model(&again, &first).unwrap().weights, exported.weights);
}

#[test]
fn an_encoder_of_queries_is_exported_on_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let engine = judged(folder.path());
    let train = quick_round().train.with_learning_rate(5e-3);
    publish(&engine, &quick_round().with_tiers(&[Tier::QuerySide]).with_train(train), Tier::QuerySide);
    let [documents, queries] = ["documents", "queries"].map(|name| folder.path().join(name));
    assert!(!engine.export_model(&documents, &ModelExport::default()).unwrap().trained);
    let exported = engine.export_model(&queries, &ModelExport::default().of_queries()).unwrap();
    assert_eq!(Some(exported.weights), engine.status().unwrap().generation.query_weights);
    assert_eq!(encoder(&queries).weights(), exported.weights);
    assert_ne!(vectors(&documents), vectors(&queries));
    let encodes = |folder: &Path, what: &str| {
        fs::read_to_string(folder.join("README.md")).unwrap().contains(&format!("It encodes {what} of"))
    };
    assert!(encodes(&documents, "documents") && encodes(&queries, "queries"));
}

#[test]
fn nothing_is_replaced_and_nothing_is_left_half_done() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let full = folder.path().join("full");
    fs::create_dir(&full).unwrap();
    fs::write(full.join("notes.txt"), "mine").unwrap();
    let refused = |to: &Path, which: &ModelExport| engine.export_model(to, which).unwrap_err();
    for to in [&full, &full.join("notes.txt")] {
        assert!(matches!(refused(to, &ModelExport::default()), Error::Invalid { .. }));
    }
    assert_eq!(fs::read_dir(&full).unwrap().count(), 1);
    let missing =
        refused(&folder.path().join("new"), &ModelExport::default().with_generation(GenerationId(7)));
    assert!(matches!(missing, Error::NotFound { .. }), "{missing}");
    engine.close().unwrap();

    // The model that it was created with has other weights by now.
    let model = folder.path().join("moved");
    crate::common::copy(&tiny_model(), &model);
    let other = folder.path().join("other");
    let engine = Engine::open(&other, Options::default().with_model(&model)).unwrap();
    crate::common::flip(&model.join("model.safetensors"), 100_000);
    let to = folder.path().join("new");
    let error = engine.export_model(&to, &ModelExport::default()).unwrap_err();
    assert!(matches!(error, Error::Model { .. }), "{error}");
    assert!(!to.exists() && !to.with_added_extension("unfinished").exists());
}

/// Prints the vectors of its arguments behind the first, a folder.
const SCRIPT: &str = "
import json, sys
from sentence_transformers import SentenceTransformer
model = SentenceTransformer(sys.argv[1], device='cpu')
print(json.dumps(model.encode(sys.argv[2:]).tolist()))
";

#[test]
fn python_reads_the_folder_and_gives_the_same_vectors() {
    let python = |arguments: &[&str]| Command::new("python3").arg("-c").args(arguments).output();
    if !python(&["import sentence_transformers"]).is_ok_and(|ran| ran.status.success()) {
        eprintln!("skipped: python3 has no sentence_transformers here");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let engine = trained(folder.path());
    let to = folder.path().join("model");
    engine.export_model(&to, &ModelExport::default()).unwrap();
    let ran = python(&[&[SCRIPT, to.to_str().unwrap()], &TEXTS[..]].concat()).unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let theirs: Vec<Vec<f32>> = serde_json::from_slice(&ran.stdout).unwrap();
    let ours = vectors(&to);
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(&theirs) {
        let cosine = cosine(ours, theirs);
        eprintln!("cosine {cosine}");
        assert!(cosine > 0.99999, "{cosine}");
    }
}
