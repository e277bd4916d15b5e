//! What the gate looks at before it lets a round through, on the tiny model.

use std::ops::ControlFlow;

use crate::common::rounds::{
    by_vectors, by_words, harmful_round, judged_pages, learn, open_by_words, publish,
};
use crate::common::{documents, judge, judge_everything, quick_round};
use retune::learn::{GoldenQuery, Tier};
use retune::{Decision, Document, Engine, LearnOptions, LearnStage, Query, Verdict};

/// A round whose encoder hardly moves.
fn idle_round() -> LearnOptions {
    let round = quick_round().with_tiers(&[Tier::Encoder]);
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
    for n in 0..40 {
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
fn a_round_that_cannot_pass_trains_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open_by_words(folder.path());
    engine.add(documents()).unwrap();
    // By words every query has its answer on top.
    judge_everything(&engine);
    let mut stages = Vec::new();
    let round = quick_round().with_significance(Some(0.2));
    let report = engine.learn(&round, &mut |progress| {
        stages.push(progress.stage);
        ControlFlow::Continue(())
    });
    let report = report.unwrap();
    assert_eq!(report.gate.decision, Decision::Skipped, "{report:?}");
    assert!(report.gate.reason.starts_with("the answers of all "), "{}", report.gate.reason);
    assert!(!stages.contains(&LearnStage::Train) && report.training.is_none());
    assert_eq!((report.examples, report.seconds.train, report.generation.0), (0, 0.0, 1));
    // Without a test, what is not worse passes.
    publish(&engine, &idle_round(), Tier::Encoder);
}

#[test]
fn golden_queries_are_held_to_the_bound_by_themselves_and_those_without_an_answer_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(folder.path().join("index"), by_vectors()).unwrap();
    // Each title finds its document at first, on whatever processor.
    let titled = |document: Document| {
        let title = document.text.clone();
        document.with_title(title)
    };
    engine.add(documents().into_iter().map(titled).collect()).unwrap();
    judge_everything(&engine);
    // If all vectors come to be the same, the first document is still the first.
    let last = documents().remove(7);
    let asked = vec![golden(&last.text, &last.id), golden("who keeps the eels", "gone")];
    let round = |round: LearnOptions, golden: &[GoldenQuery]| {
        learn(&engine, &round.with_golden(golden.to_vec())).gate
    };
    let rejected = round(harmful_round(), &asked);
    assert_eq!(rejected.decision, Decision::Rejected);
    assert!(rejected.reason.starts_with("the golden queries' nDCG@10 falls from 1.0000"), "{rejected:?}");
    let (golden, titles) = (rejected.golden.unwrap(), rejected.guard.unwrap());
    assert_eq!((golden.queries, titles.queries), (1, documents().len()));
    assert!(titles.after < titles.before, "{titles:?}");
    // The titles alone are enough to say no.
    let titles = round(harmful_round(), &[]);
    assert!(titles.reason.starts_with("the titles' nDCG@10 falls"), "{titles:?}");
    assert_eq!(titles.golden, None);
    let kept = round(idle_round(), &asked);
    assert_eq!((kept.decision, kept.golden.unwrap().after), (Decision::Published, 1.0), "{}", kept.reason);
}

#[test]
fn titles_of_two_words_guard_where_few_have_three_and_those_of_one_never() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(folder.path().join("index"), by_vectors()).unwrap();
    let titles = ["of", "the page of", "page of", "", "this page of"];
    let titled = |(at, document): (usize, Document)| {
        let title = format!("{} {}", titles[at % titles.len()], document.id);
        document.with_title(title.trim())
    };
    engine.add(documents().into_iter().enumerate().map(titled).collect()).unwrap();
    judge_everything(&engine);
    let guard = learn(&engine, &idle_round()).gate.guard.unwrap();
    let long_enough = (0..documents().len()).filter(|at| at % titles.len() != 3).count();
    assert_eq!(guard.queries, long_enough);
}

#[test]
fn an_encoder_that_was_trained_on_the_queries_leaves_the_fusion_to_those_that_were_held_out() {
    let folder = tempfile::tempdir().unwrap();
    let engine = judged_pages(folder.path());
    let fusion = quick_round().with_tiers(&[Tier::Fusion]).with_significance(Some(0.2));
    // The untrained encoder's weight comes from the other queries. If it ranks the held-out ones alike, there is
    // nothing to test.
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
        let report = learn(&engine, &idle_round().with_significance(Some(0.2)));
        assert_eq!(report.gate.decision, Decision::Rejected, "{}", report.gate.reason);
        report.gate.allowed.unwrap()
    };
    let first = rejected();
    let skipped = learn(&engine, &idle_round().with_tiers(&[]));
    assert_eq!(skipped.gate.decision, Decision::Skipped);
    let second = rejected();
    assert!((first / second - 4.0).abs() < 1e-9, "{first} {second}");
    publish(&engine, &idle_round(), Tier::Encoder);
    assert_eq!(rejected(), first);
}

#[test]
fn a_pool_holds_what_the_gate_looks_at_and_no_whole_book_and_rejects_before_anything_is_reindexed() {
    let folder = tempfile::tempdir().unwrap();
    // By words: what a query finds are pages, and an encoder that changes nothing in that is no better.
    let small = by_words().with_corpus(retune::CorpusOptions::default().with_max_tokens(16));
    let engine = Engine::open(folder.path().join("index"), small).unwrap();
    let page = |n: usize| Document::new(format!("page {n}"), format!("page number {n}"));
    engine.add((0..4000).map(page).collect()).unwrap();
    let chapter = |n: usize| format!("Chapter {n} tells about eels in canals.\n\n");
    engine.add(vec![Document::new("book", (0..60).map(chapter).collect::<String>())]).unwrap();
    for n in 0..60 {
        judge(&engine, &format!("page {n} of the list"), &format!("page {n}"));
        // These could gain, so that the round is worth running.
        judge(&engine, &format!("number {n} of the list"), &format!("page {}", n + 2000));
    }
    let pool = |golden: Vec<GoldenQuery>| {
        let mut reindexed = false;
        let round = idle_round().with_significance(Some(0.2)).with_golden(golden);
        let report = engine
            .learn(&round, &mut |progress| {
                reindexed |= progress.stage == LearnStage::Reindex;
                ControlFlow::Continue(())
            })
            .unwrap();
        assert_eq!(report.gate.decision, Decision::Rejected, "{}", report.gate.reason);
        let size = report.gate.reason.strip_prefix("on a pool of ");
        let size = size.map(|rest| rest.split(' ').next().unwrap().parse::<usize>().unwrap());
        assert_eq!(reindexed, size.is_none(), "{}", report.gate.reason);
        size
    };
    // What the queries find, a fifth at random, and the answers.
    let size = pool(Vec::new()).unwrap();
    assert!((900..=1100).contains(&size), "{size}");
    // Of a book the ten best chunks, and what its query finds of it.
    let with_book = pool(vec![golden("the eels", "book")]).unwrap();
    assert!((900..=1130).contains(&with_book), "{with_book}, and {size} without the book");
    // As large as half of the corpus it would spare nothing.
    let pages = (0..2100).map(|n| format!("page {n}")).collect();
    assert_eq!(pool(vec![GoldenQuery { text: "a page".into(), relevant: pages }]), None);
}
