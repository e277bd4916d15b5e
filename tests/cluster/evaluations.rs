//! Collections measured on a cluster.

use std::ops::ControlFlow;
use std::path::Path;

use retune::eval::{Metric, Run};
use retune::measure::{EvaluationOptions, TestSet};
use retune::{Chunking, Engine, Mode};
use serde_json::json;

use crate::common::options;
use crate::program::{retune, text};
use crate::support::{index, questions};

const ASKED: usize = 40;

/// The handbook as a collection in BEIR's layout, with the beginning of its questions.
fn collection(folder: &Path) {
    let mut documents = String::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/handbook");
    for group in root.join("documents").read_dir().unwrap() {
        for file in group.unwrap().path().read_dir().unwrap() {
            let path = file.unwrap().path();
            let id = path.strip_prefix(root.join("documents")).unwrap().to_str().unwrap();
            let line = json!({ "_id": id, "title": "", "text": std::fs::read_to_string(&path).unwrap() });
            documents.push_str(&format!("{line}\n"));
        }
    }
    std::fs::create_dir_all(folder.join("qrels")).unwrap();
    std::fs::write(folder.join("corpus.jsonl"), documents).unwrap();
    std::fs::copy(root.join("queries.jsonl"), folder.join("queries.jsonl")).unwrap();
    std::fs::copy(root.join("qrels/test.tsv"), folder.join("qrels/test.tsv")).unwrap();
}

fn scores(run: &Run, id: &str) -> Vec<f32> {
    run.ranking(id).unwrap().iter().map(|(_, score)| *score).collect()
}

#[test]
fn a_collection_has_the_same_figures_on_the_cluster() {
    let Some(index) = index("evaluations") else { return };
    let folder = tempfile::tempdir().unwrap();
    let beir = folder.path().join("handbook");
    collection(&beir);
    let set = TestSet::read(&beir, None, Some(ASKED)).unwrap();
    let local = folder.path().join("index");
    let engine = Engine::open(&local, options().with_chunking(Chunking::Whole)).unwrap();
    let all = EvaluationOptions::default();
    let near = set.evaluate(&engine, &all, &mut |_| ControlFlow::Continue(())).unwrap();
    index.migrate(&engine, 3);
    engine.close().unwrap();
    let far = set.evaluate_cluster(&index.open(), &all, &mut |_| ControlFlow::Continue(())).unwrap();
    assert!(questions().len() > ASKED && far.queries == ASKED);
    for (mode, run) in near.runs.iter() {
        for topic in &set.split.queries {
            let (own, theirs) = (scores(run, &topic.id), scores(far.runs.get(mode), &topic.id));
            assert_eq!(own.len(), theirs.len(), "{mode:?} {}", topic.id);
            let same = own.iter().zip(&theirs).all(|(a, b)| (a - b).abs() <= 1e-4 * a.abs().max(1.0));
            assert!(same, "{mode:?} {}: {own:?} {theirs:?}", topic.id);
        }
        let ndcg = |scores: &retune::measure::ModeScores| scores.modes.get(mode)["ndcg@10"];
        assert!(mode == Mode::Dense || ndcg(&near.scores) > 0.1, "{mode:?}");
        assert!((ndcg(&near.scores) - ndcg(&far.scores)).abs() < 0.002, "{mode:?}");
    }
    let args = ["eval", "--collection", beir.to_str().unwrap(), "--limit", "9", "--store", &index.store()];
    let shown = text(&retune(&index, &args));
    assert!(shown.contains("9 queries, asked of generation 1"), "{shown}");
    let refused = retune(&index, &[&args[..], &["--index", local.to_str().unwrap()]].concat());
    assert!(!refused.status.success());
    assert_eq!(Metric::USUAL.len(), far.scores.modes.hybrid.len());
}
