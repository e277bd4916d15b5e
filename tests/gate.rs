//! What the gate looks at before it lets a round through, on the tiny model.

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::rounds::{
    by_vectors, by_words, generation, harmful_round, judged_pages, learn, open_by_words, publish,
};
use common::{documents, judge, judge_everything, quick_round};
use retune::{Decision, Document, Engine, GateOptions, GoldenQuery, LearnOptions, Query, Tier, Verdict};

/// A round whose encoder hardly moves.
fn idle_round() -> LearnOptions {
    let round = quick_round().with_learn_fusion(false);
    let train = round.train.clone().with_learning_rate(1e-9);
    round.with_train(train)
}

fn golden(text: &str, document: &str) -> GoldenQuery {
    GoldenQuery { text: text.into(), relevant: vec![document.into()] }
}

#[test]
fn the_whole_corpus_is_ranked_to_its_twentieth_document() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open_by_words(folder.path());
    // By words the shorter one is better: document n stands at rank n + 1.
    let lamp = |n: usize| Document::new(format!("d{n}"), format!("lantern{}", " filler".repeat(n)));
    engine.add((0..25).map(lamp).collect()).unwrap();
    for n in 0..20 {
        let answer = engine.search(&Query::new(format!("lantern q{n}"))).unwrap();
        engine.judge(answer.query_id, "d14", Verdict::Relevant).unwrap();
    }
    let report = learn(&engine, &idle_round());
    let before = report.gate.before.unwrap().hybrid;
    assert_eq!((before.mrr_10, before.ndcg_10), (0.0, 0.0), "users see ten");
    assert!((before.gmap_20 - 1.0 / 15.0).abs() < 1e-9, "{before:?}");
    assert_eq!(report.gate.after.unwrap().hybrid, before);
    assert_eq!(report.gate.decision, Decision::Published, "{}", report.gate.reason);
}

#[test]
fn golden_queries_are_held_to_the_bound_by_themselves_and_those_without_an_answer_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(folder.path().join("index"), by_vectors()).unwrap();
    let titled = |document: Document| {
        let title = format!("the page of {}", document.id);
        document.with_title(title)
    };
    engine.add(documents().into_iter().map(titled).collect()).unwrap();
    judge_everything(&engine);
    let kettle = documents().remove(0);
    let asked = vec![golden(&kettle.text, "kettle"), golden("who keeps the eels", "gone")];
    let gate = GateOptions::default().with_significance(None).with_golden(asked);
    let round = |round: LearnOptions, gate: GateOptions| learn(&engine, &round.with_gate(gate)).gate;
    let rejected = round(harmful_round(), gate.clone());
    assert_eq!(rejected.decision, Decision::Rejected);
    assert!(rejected.reason.starts_with("the golden queries' nDCG@10 falls from 1.0000"), "{rejected:?}");
    let (golden, titles) = (rejected.golden.unwrap(), rejected.guard.unwrap());
    assert_eq!((golden.queries, titles.queries), (1, documents().len()));
    assert!(titles.after < titles.before, "{titles:?}");
    // The titles alone are enough to say no, and nothing is asked where there are none.
    let titles = round(harmful_round(), GateOptions::default().with_significance(None));
    assert!(titles.reason.starts_with("the titles' nDCG@10 falls"), "{titles:?}");
    let none = round(harmful_round(), GateOptions::default().with_significance(None).with_guard_queries(0));
    assert_eq!((none.golden, none.guard), (None, None));
    let kept = round(idle_round(), gate);
    assert_eq!((kept.decision, kept.golden.unwrap().after), (Decision::Published, 1.0), "{}", kept.reason);
}

#[test]
fn an_encoder_that_was_trained_on_the_queries_leaves_the_fusion_to_those_that_were_held_out() {
    let folder = tempfile::tempdir().unwrap();
    let engine = judged_pages(folder.path());
    let fusion = quick_round().with_tiers(&[Tier::Fusion]).with_gate(GateOptions::default());
    // The untrained encoder's weight comes from the other queries, and where it ranks the held-out ones alike there is nothing to test.
    let first = learn(&engine, &fusion);
    assert_eq!((first.gate.decision, first.tried.len()), (Decision::Skipped, 0), "{first:?}");
    assert_eq!(first.gate.reason, "another fusion weight ranks the held-out queries alike");
    publish(&engine, &idle_round(), Tier::Encoder);
    let second = learn(&engine, &fusion);
    assert_eq!(second.tried.len(), 1, "{second:?}");
    assert_eq!((second.tried[0].tier, second.gate.decision), (Tier::Fusion, Decision::Rejected));
    assert!(second.gate.reason.starts_with("no better"), "{}", second.gate.reason);
}

#[test]
fn a_trained_encoder_is_not_published_again_with_the_fusion_that_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let engine = judged_pages(folder.path());
    let train = quick_round().train.with_learning_rate(1e-9);
    let both = quick_round().with_train(train);
    let first = publish(&engine, &both, Tier::Encoder);
    assert_eq!(first.tried.len(), 2, "{first:?}");
    // The held-out queries choose what they have chosen.
    let again = learn(&engine, &quick_round().with_tiers(&[Tier::Fusion]));
    assert_eq!((again.gate.decision, again.fusion), (Decision::Rejected, first.fusion), "{again:?}");
    assert_eq!(again.gate.reason, "no other fusion weight is better");
    assert_eq!((again.gate.p_value, again.gate.allowed), (None, None));
    // Beside an encoder, which comes with its own, the fusion is not tried.
    let second = learn(&engine, &both);
    assert_eq!(second.tried.iter().map(|one| one.tier).collect::<Vec<_>>(), [Tier::Encoder]);
}

#[test]
fn an_attempt_is_a_round_that_was_rejected_since_the_last_publication() {
    let folder = tempfile::tempdir().unwrap();
    let engine = judged_pages(folder.path());
    let rejected = || {
        let report = learn(&engine, &idle_round().with_gate(GateOptions::default()));
        assert_eq!(report.gate.decision, Decision::Rejected, "{}", report.gate.reason);
        report.gate.allowed.unwrap()
    };
    let first = rejected();
    let skipped = learn(&engine, &idle_round().with_min_held_out(1000));
    assert_eq!(skipped.gate.decision, Decision::Skipped);
    let second = rejected();
    assert!((first / second - 4.0).abs() < 1e-9, "{first} {second}");
    publish(&engine, &idle_round(), Tier::Encoder);
    assert_eq!(rejected(), first);
}

/// The parameters of a generation's own encoder.
fn parameters(folder: &Path, number: u64) -> BTreeMap<String, Vec<f32>> {
    let path = match number {
        1 => common::tiny_model().join("model.safetensors"),
        _ => generation(folder, number).join("model/model.safetensors"),
    };
    let bytes = std::fs::read(path).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let numbers = |bytes: &[u8]| -> Vec<f32> {
        bytes.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect()
    };
    let all = tensors.iter().filter(|(_, tensor)| tensor.dtype() == safetensors::Dtype::F32);
    all.map(|(name, tensor)| (name.to_string(), numbers(tensor.data()))).collect()
}

#[test]
fn what_is_published_stands_the_chosen_share_of_the_way_to_the_trained_weights() {
    let trained = |shares: &[f32]| {
        let folder = tempfile::tempdir().unwrap();
        let engine = judged_pages(folder.path());
        let round = quick_round().with_learn_fusion(false).with_interpolation(shares.to_vec());
        let report = publish(&engine, &round, Tier::Encoder);
        (parameters(folder.path(), 2), report.training.unwrap().interpolation)
    };
    let (whole, _) = trained(&[1.0]);
    let (part, share) = trained(&[0.25]);
    assert_eq!(share, 0.25);
    let before = parameters(Path::new(""), 1);
    let mut moved = 0.0f32;
    for (name, numbers) in &part {
        for ((found, from), to) in numbers.iter().zip(&before[name]).zip(&whole[name]) {
            assert!((found - (from + 0.25 * (to - from))).abs() < 1e-6, "{name}");
            moved = moved.max((to - from).abs());
        }
    }
    assert!(moved > 1e-4, "{moved}");
    // Of several that rank alike the last one, through the pool and over the whole corpus.
    assert_eq!(trained(&[0.25, 0.5]).1, 0.5);
}

#[test]
fn a_pool_holds_what_the_gate_looks_at_and_no_whole_book() {
    let folder = tempfile::tempdir().unwrap();
    // By words: what a query finds are pages, and an encoder that changes nothing in that is no better.
    let small = by_words().with_corpus(retune::CorpusOptions::default().with_max_tokens(16));
    let engine = Engine::open(folder.path().join("index"), small).unwrap();
    let page = |n: usize| Document::new(format!("page {n}"), format!("page number {n}"));
    engine.add((0..600).map(page).collect()).unwrap();
    let chapter = |n: usize| format!("Chapter {n} tells about eels in canals.\n\n");
    engine.add(vec![Document::new("book", (0..60).map(chapter).collect::<String>())]).unwrap();
    for n in 0..12 {
        judge(&engine, &format!("page {n} of the list"), &format!("page {n}"));
    }
    let pool = |chunks: usize, golden: Vec<GoldenQuery>| {
        let gate = GateOptions::default().with_pool_chunks(chunks).with_golden(golden);
        let report = learn(&engine, &idle_round().with_gate(gate));
        assert_eq!(report.gate.decision, Decision::Rejected, "{}", report.gate.reason);
        let size = report.gate.reason.strip_prefix("on a pool of ");
        let size = size.map(|rest| rest.split(' ').next().unwrap().parse::<usize>().unwrap());
        (size, report.held_out)
    };
    let chunks = engine.status().unwrap().chunks as usize;
    assert!(chunks > 640, "{chunks}");
    let (size, held_out) = pool(10, Vec::new());
    let size = size.unwrap();
    // Of each query twenty documents and its answer, and two chunks that are drawn at random.
    assert!((20..=21 * held_out + 2).contains(&size), "{size} for {held_out} queries");
    // Of a book the ten best chunks, and the first that its query finds.
    let with_book = pool(10, vec![golden("the eels", "book")]).0.unwrap();
    assert!((size + 1..=size + 11).contains(&with_book), "{with_book}, and {size} without the book");
    // As large as half of the corpus it would spare nothing.
    let pages = (0..400).map(|n| format!("page {n}")).collect();
    assert_eq!(pool(10, vec![GoldenQuery { text: "a page".into(), relevant: pages }]).0, None);
    // A corpus of less than four times the pool is not sampled.
    assert_eq!(pool(chunks / 3, Vec::new()).0, None);
}
