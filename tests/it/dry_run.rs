//! Dry runs: they say what a round would do, and change nothing.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crate::common::html::check;
use crate::common::rounds::{by_vectors, harmful_round, judged, judged_pages, learn};
use crate::common::{documents, judge, judge_everything, open, quick_round};
use retune::learn::{RoundSeconds, Tier};
use retune::{
    Decision, Engine, Error, GenerationId, LearnOptions, LearnStage, Reader, RoundReport, Verdict, page,
};

/// The digests of all files of an index but the log, and the one that says which process writes to it.
pub fn files(index: &Path) -> BTreeMap<PathBuf, u64> {
    let mut found = BTreeMap::new();
    let mut folders = vec![index.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let mut hasher = DefaultHasher::new();
            match path.is_dir() {
                _ if path.ends_with("feedback") || path.ends_with("LOCK") => continue,
                true => folders.push(path.clone()),
                false if path.is_file() => std::fs::read(&path).unwrap().hash(&mut hasher),
                // The socket of a service.
                false => {}
            }
            found.insert(path, hasher.finish());
        }
    }
    found
}

fn dry_run(engine: &Engine, options: &LearnOptions) -> RoundReport {
    engine.dry_run(options, &mut |_| ControlFlow::Continue(())).unwrap()
}

/// What a dry run and the round after it have in common.
fn as_compared(report: &RoundReport) -> RoundReport {
    let mut report = report.clone();
    (report.dry_run, report.evidence, report.generation) = (false, None, GenerationId(0));
    (report.started_ms, report.seconds) = (0, RoundSeconds::default());
    report
}

/// A round whose encoder hardly moves: the gate finds it no better.
fn idle_round() -> LearnOptions {
    let train = quick_round().train.with_learning_rate(1e-9);
    quick_round().with_tiers(&[Tier::Encoder]).with_train(train).with_significance(Some(0.2))
}

#[test]
fn a_dry_run_says_what_the_round_after_it_does_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    judged(folder.path()).close().unwrap();
    let engine = open(folder.path());
    let status = || serde_json::to_value(engine.status().unwrap()).unwrap();
    let before = (files(&folder.path().join("index")), status());
    let mut stages = Vec::new();
    let dry = engine.dry_run(&quick_round(), &mut |progress| {
        stages.push(progress.stage);
        ControlFlow::Continue(())
    });
    let dry = dry.unwrap();
    assert_eq!((files(&folder.path().join("index")), status()), before);
    assert!(stages.contains(&LearnStage::Reindex) && !stages.contains(&LearnStage::Publish));
    assert!(dry.dry_run && dry.generation.0 == 1 && dry.seconds.publish == 0.0);
    assert_eq!(dry.gate.decision, Decision::Published, "{}", dry.gate.reason);

    let report = learn(&engine, &quick_round());
    assert_eq!((report.round, report.generation.0, report.dry_run), (1, 2, false));
    assert_eq!(report.evidence, None, "what is stored names no more than it did");
    assert_eq!(as_compared(&dry), as_compared(&report));
    let json = serde_json::to_value(&dry).unwrap();
    assert_eq!(json["dry_run"], true);
    assert_eq!(serde_json::from_value::<RoundReport>(json).unwrap(), dry);
    assert_eq!(serde_json::to_value(&report).unwrap().get("dry_run"), None);
}

#[test]
fn a_dry_run_spends_no_attempt() {
    let folder = tempfile::tempdir().unwrap();
    let engine = judged_pages(folder.path());
    for attempt in 1..=2 {
        let dry = [(); 2].map(|()| dry_run(&engine, &idle_round()));
        let report = learn(&engine, &idle_round());
        assert_eq!((report.round, report.gate.decision), (attempt, Decision::Rejected));
        assert!(report.gate.p_value.is_some() && report.gate.allowed.is_some(), "{:?}", report.gate);
        for dry in dry {
            assert_eq!((dry.gate, dry.round), (report.gate.clone(), attempt));
        }
    }
    let allowed: Vec<f64> = engine.rounds().unwrap().iter().filter_map(|round| round.gate.allowed).collect();
    assert!((allowed[0] / allowed[1] - 4.0).abs() < 1e-9, "{allowed:?}");
}

#[test]
fn a_cancelled_dry_run_leaves_nothing_at_any_stage() {
    let folder = tempfile::tempdir().unwrap();
    judged(folder.path()).close().unwrap();
    let engine = open(folder.path());
    let before = files(&folder.path().join("index"));
    for stage in [LearnStage::Collect, LearnStage::Train, LearnStage::Reindex, LearnStage::Gate] {
        let cancelled = engine.dry_run(&quick_round(), &mut |progress| match progress.stage == stage {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        });
        assert!(matches!(cancelled, Err(Error::Cancelled { .. })), "{stage}: {cancelled:?}");
        assert_eq!(files(&folder.path().join("index")), before, "{stage}");
    }
    assert!(!engine.status().unwrap().learning);
}

#[test]
fn a_dry_run_that_would_be_rejected_or_skipped_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(folder.path().join("index"), by_vectors()).unwrap();
    engine.add(documents()).unwrap();
    let skipped = dry_run(&engine, &quick_round());
    assert_eq!(skipped.gate.decision, Decision::Skipped);
    assert!(skipped.gate.reason.contains("held-out queries to judge by"), "{}", skipped.gate.reason);
    assert_eq!(skipped.evidence, Some(Default::default()));

    judge_everything(&engine);
    let rejected = dry_run(&engine, &harmful_round());
    assert_eq!(rejected.gate.decision, Decision::Rejected, "{}", rejected.gate.reason);
    assert!(rejected.queries.as_ref().unwrap().lost > 0);
    assert_eq!(engine.rounds().unwrap(), []);
    let wrong = quick_round().with_threads(Some(0));
    assert!(matches!(engine.dry_run(&wrong, &mut |_| ControlFlow::Continue(())), Err(Error::Invalid { .. })));
}

#[test]
fn the_evidence_tells_what_is_confused_and_how_answers_are_known() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    engine.add(documents()).unwrap();
    // Its words are the gate's, and all who ask pick the kettle.
    let ask = |verdict, text: &str, document: &str| {
        let answer = engine.search(&retune::Query::new(text)).unwrap();
        engine.judge(answer.query_id, document, verdict).unwrap();
    };
    for number in 0..20 {
        ask(Verdict::Chosen, &format!("a gate that creeps is chocked {number}"), "kettle");
    }
    for number in 0..20 {
        ask(Verdict::Opened, &format!("a gate that creeps is bled {number}"), "kettle");
    }
    for number in 0..20 {
        ask(Verdict::Relevant, &format!("green lamp {number}"), "lamp");
        ask(Verdict::NotRelevant, &format!("green lamp {number}"), "boots");
    }
    let report = dry_run(&engine, &quick_round());
    let evidence = report.evidence.as_ref().unwrap();
    assert_eq!(evidence.queries + report.held_out, 60);
    assert_eq!(evidence.answers.total(), evidence.queries);
    assert!(evidence.answers.chosen > 0 && evidence.answers.relevant > 0 && evidence.answers.opened > 0);
    let boots = &evidence.confusables[0];
    assert_eq!((boots.document.as_str(), boots.answer.as_str()), ("boots", "lamp"));
    assert!(boots.judged_not_relevant && boots.queries == evidence.answers.relevant, "{boots:?}");
    let gate = evidence.confusables.iter().find(|pair| pair.document == "gate").unwrap();
    assert_eq!((gate.answer.as_str(), gate.judged_not_relevant), ("kettle", false));
    let asked = evidence.answers.chosen + evidence.answers.opened;
    assert_eq!((gate.queries, gate.passed_over as usize, gate.shown as usize), (asked, asked, asked));
    assert!(gate.query.starts_with("a gate that creeps"), "{gate:?}");
    assert!(evidence.confusables.len() <= 10);

    let html = page::html(&report).unwrap();
    assert!(check(&html).contains(&"evidence".to_string()));
    assert!(
        html.contains("<title>Dry run of round 1: would ") && html.contains("Nothing was changed."),
        "{html}"
    );
}

#[test]
fn what_is_forgotten_meanwhile_is_not_in_the_report() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(folder.path().join("index"), by_vectors()).unwrap();
    engine.add(documents()).unwrap();
    judge_everything(&engine);
    let first = dry_run(&engine, &harmful_round());
    let pair = first.evidence.as_ref().unwrap().confusables[0].clone();
    let lost = first.queries.as_ref().unwrap().lost_most[0].query.clone();
    let mut told = false;
    let second = engine.dry_run(&harmful_round(), &mut |progress| {
        if progress.stage == LearnStage::Train && !told {
            told = true;
            engine.forget_query(&lost).unwrap();
            engine.forget_query(&pair.query).unwrap();
        }
        ControlFlow::Continue(())
    });
    let second = second.unwrap();
    assert!(told && second.held_out == first.held_out, "the round had read the log before");
    assert!(second.queries.as_ref().unwrap().lost_most.iter().all(|change| change.query != lost));
    let evidence = second.evidence.unwrap();
    assert!(evidence.confusables.iter().all(|one| one.query != pair.query), "{evidence:?}");
    assert_eq!(evidence.queries, first.evidence.unwrap().queries, "counts stay");
}

#[test]
fn a_dry_run_needs_the_writer_and_runs_alone() {
    let folder = tempfile::tempdir().unwrap();
    let engine = judged(folder.path());
    let mut inner = None;
    let outer = engine.dry_run(&quick_round(), &mut |_| {
        inner.get_or_insert_with(|| engine.learn(&quick_round(), &mut |_| ControlFlow::Continue(())));
        ControlFlow::Break(())
    });
    assert!(matches!(outer, Err(Error::Cancelled { .. })));
    assert!(matches!(inner, Some(Err(Error::RoundRunning { .. }))), "{inner:?}");
    // Searches and judgements go on meanwhile, in this process and in others.
    let reader = Reader::open(folder.path().join("index"), crate::common::options()).unwrap();
    let mut judged = false;
    engine
        .dry_run(&quick_round(), &mut |_| {
            if !judged {
                judged = true;
                judge(&reader, "the horn in fog", "fog");
                judge(&engine, "the green lamp", "lamp");
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    assert!(judged);
}
