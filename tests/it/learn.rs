//! Rounds of learning through the public handle, on the tiny model.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::common::rounds::{by_vectors, generations, harmful_round, judged, learn};
use crate::common::{documents, ids, judge, judge_everything, open, options, quick_round};
use retune::learn::{NegativeCounts, Tier};
use retune::{
    CorpusOptions, Decision, Document, Engine, Error, LearnOptions, LearnPolicy, LearnStage, Mode, Query,
    Reader, Verdict,
};

/// A round in which nothing is suspected of being an answer.
fn anything_goes() -> LearnOptions {
    quick_round().with_suspect_quantile(Some(1.0))
}

#[test]
fn a_published_round_swaps_the_generation_and_survives_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let engine = judged(folder.path());
    let before = engine.status().unwrap();
    let report = learn(&engine, &quick_round());
    assert_eq!(report.gate.decision, Decision::Published, "{}", report.gate.reason);
    assert_eq!((report.round, report.generation.0), (1, 2));
    assert!(report.examples > 0 && report.held_out > 0 && !report.loss.is_empty());
    let monitor = report.training.as_ref().unwrap().monitor.as_ref().unwrap();
    assert_eq!(monitor.measurements.iter().map(|one| one.step).collect::<Vec<_>>(), [0, report.loss.len()]);
    let watched: u64 = monitor.measurements[1].sources.values().map(|source| source.margin.count).sum();
    let taken: u64 = ["confusable", "semantic"].iter().filter_map(|kind| report.sources.get(*kind)).sum();
    assert!(watched > 0 && watched == taken, "{watched} negatives were measured, {taken} taken");
    let after = engine.status().unwrap();
    assert_ne!(before.generation.weights, after.generation.weights);
    assert_eq!(after.kept_generations.len(), 1);
    assert!(after.coverage.is_complete());
    let answer = engine.search(&Query::new("descaled kettle")).unwrap();
    assert_eq!((answer.generation.0, answer.hits[0].document.as_str()), (2, "kettle"));
    engine.close().unwrap();

    let engine = open(folder.path());
    let reopened = engine.status().unwrap();
    assert_eq!(reopened.generation.weights, after.generation.weights);
    assert_eq!(reopened.last_round, Some(report));
    let again = engine.search(&Query::new("descaled kettle")).unwrap();
    assert_eq!(again.hits[0].score, answer.hits[0].score);
}

#[test]
fn sources_of_negatives_are_mixed_as_asked() {
    let sources = |negatives| {
        let folder = tempfile::tempdir().unwrap();
        let engine = judged(folder.path());
        learn(&engine, &anything_goes().with_negatives(negatives)).sources
    };
    let semantic = sources(NegativeCounts::new(0, 3, 0));
    assert!(semantic["semantic"] >= 3 * semantic["queries"] - 3, "{semantic:?}");
    assert!(!semantic.contains_key("confusable") && !semantic.contains_key("adversarial"), "{semantic:?}");
    let adversarial = sources(NegativeCounts::new(0, 0, 3));
    assert!(adversarial["adversarial"] > 0 && !adversarial.contains_key("semantic"), "{adversarial:?}");
}

#[test]
fn titles_that_do_not_guard_get_rows_too() {
    let folder = tempfile::tempdir().unwrap();
    let engine = judged(folder.path());
    let few = learn(&engine, &quick_round()).sources;
    assert!(!few.contains_key("titles"), "all titles guard, or have one word: {few:?}");
    let further = (0..130).map(|number| {
        let title = format!("Order {number} of the harbour");
        Document::new(format!("order-{number}"), format!("Line {number} of the book.")).with_title(title)
    });
    engine.add(further.collect()).unwrap();
    let report = learn(&engine, &quick_round());
    let (titles, rows) = (report.sources["titles"] as usize, report.examples);
    assert!(titles > 0 && titles == (rows - titles) * 15 / 85, "{titles} of {rows}: {:?}", report.sources);
}

#[test]
fn what_somebody_calls_an_answer_is_no_negative_of_any_source() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    engine.add(documents().into_iter().take(2).collect()).unwrap();
    let ask = |text: &str, verdicts: &[(&str, retune::Verdict)]| {
        let answer = engine.search(&Query::new(text)).unwrap();
        verdicts.iter().for_each(|(document, verdict)| {
            engine.judge(answer.query_id, document, *verdict).unwrap();
        });
    };
    use retune::Verdict::{NotRelevant, Relevant};
    let round = anything_goes();
    let negatives = |sources: &std::collections::BTreeMap<String, u64>| {
        ["confusable", "semantic"].iter().filter_map(|kind| sources.get(*kind)).sum::<u64>()
    };
    let texts: Vec<String> = (0..12).map(|n| format!("kettle number {n}")).collect();
    for text in &texts {
        ask(text, &[("kettle", Relevant)]);
    }
    let before = learn(&engine, &round).sources;
    assert!(negatives(&before) > 0, "the gate is the other document: {before:?}");
    for text in &texts {
        ask(text, &[("gate", Relevant)]);
        ask(text, &[("gate", NotRelevant)]);
        ask(text, &[("gate", NotRelevant)]);
    }
    let after = learn(&engine, &round).sources;
    assert_eq!(negatives(&after), 0, "{after:?}");
    assert_eq!(after["queries"], before["queries"]);
}

#[test]
fn candidates_above_a_quantile_of_the_corpus_are_suspected_and_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let engine = judged(folder.path());
    // Users who want another document than the one whose words they use, and pass that over.
    for (one, wanted) in documents().iter().zip(documents().iter().skip(1)) {
        let words: Vec<&str> = one.text.split_whitespace().collect();
        judge(&engine, &words[1..6].join(" "), &wanted.id);
    }
    assert_eq!(learn(&engine, &quick_round()).suspects, None);
    let report = learn(&engine, &quick_round().with_suspect_quantile(Some(0.5)));
    let suspects = report.suspects.unwrap();
    assert!(suspects.limit.is_finite() && suspects.candidates >= 50, "{suspects:?}");
    assert!(report.sources["dropped_suspected_answer"] > 0, "{:?}", report.sources);
}

#[test]
fn a_round_of_the_fusion_alone_keeps_encoder_and_vectors_and_can_be_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    // A model of random weights alone ranks worse than with the words.
    let engine = Engine::open(folder.path().join("index"), by_vectors()).unwrap();
    engine.add(documents()).unwrap();
    judge_everything(&engine);
    let dense = |engine: &Engine| {
        let answer = engine.search(&Query::new("descaled kettle").with_mode(Mode::Dense)).unwrap();
        answer.hits.into_iter().map(|hit| (hit.document, hit.score)).collect::<Vec<_>>()
    };
    let (before, vectors) = (engine.status().unwrap().generation, dense(&engine));
    let round = quick_round().with_tiers(&[Tier::Fusion]);
    let report = learn(&engine, &round);
    assert_eq!(report.gate.decision, Decision::Published, "{}", report.gate.reason);
    assert_eq!((report.tier, report.training.is_none()), (Some(Tier::Fusion), true));
    assert!(engine.status().unwrap().coverage.is_complete());
    let after = engine.status().unwrap().generation;
    assert_eq!((after.id.0, after.weights), (2, before.weights));
    assert_eq!(after.fusion, report.fusion);
    assert_ne!(after.fusion, before.fusion);
    assert_eq!(dense(&engine), vectors);
    engine.close().unwrap();
    let engine = Engine::open(folder.path().join("index"), by_vectors()).unwrap();
    assert_eq!(engine.status().unwrap().generation.fusion, report.fusion);
    assert_eq!(dense(&engine), vectors);
    engine.add(vec![Document::new("new", "A new page about eels.")]).unwrap();
    assert_eq!(engine.rollback().unwrap().0, 1);
    assert_eq!(engine.status().unwrap().generation.fusion, before.fusion);
}

#[test]
fn two_rounds_with_the_same_seed_and_log_give_the_same_weights() {
    let weights: Vec<_> = (0..2)
        .map(|_| {
            let folder = tempfile::tempdir().unwrap();
            let engine = judged(folder.path());
            assert_eq!(learn(&engine, &quick_round()).gate.decision, Decision::Published);
            engine.status().unwrap().generation.weights
        })
        .collect();
    assert_eq!(weights[0], weights[1]);
}

#[test]
fn a_rejected_round_leaves_everything_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    // By vectors alone, asked with nearly the documents' own words: before, the answers are right.
    let engine = Engine::open(folder.path().join("index"), by_vectors()).unwrap();
    engine.add(documents()).unwrap();
    for document in documents() {
        judge(&engine, &document.text, &document.id);
        judge(&engine, document.text.rsplit_once(' ').unwrap().0, &document.id);
        judge(&engine, document.text.split_once(' ').unwrap().1, &document.id);
    }
    let before = engine.status().unwrap();
    let report = learn(&engine, &harmful_round());
    assert_eq!(report.gate.decision, Decision::Rejected, "{}", report.gate.reason);
    assert!(report.gate.reason.starts_with("worse in"), "{}", report.gate.reason);
    let after = engine.status().unwrap();
    assert_eq!(before.generation.weights, after.generation.weights);
    assert_eq!((after.generation.id.0, after.kept_generations.len()), (1, 0));
    assert_eq!(generations(folder.path()), ["000001"]);
    assert_eq!(after.last_round.unwrap().gate.decision, Decision::Rejected);
}

#[test]
fn a_copy_of_the_right_document_is_no_negative() {
    let folder = tempfile::tempdir().unwrap();
    let engine = judged(folder.path());
    let copied = documents().remove(0);
    // By its id it sorts before the original, and it scores the same.
    engine.add(vec![Document::new("a copy", copied.text.clone()).with_title(copied.title.clone())]).unwrap();
    let before = learn(&engine, &quick_round()).sources;
    assert_eq!(before.get("dropped_duplicate_of_positive"), None);
    engine.remove(&["kettle"]).unwrap();
    engine.add(vec![copied.clone()]).unwrap();
    judge(&engine, &format!("once more: {}", copied.text), "kettle");
    let after = learn(&engine, &quick_round()).sources;
    assert_eq!(after.get("dropped_duplicate_of_positive"), Some(&1), "{after:?}");
}

#[test]
fn the_answers_own_passage_under_another_title_is_no_negative() {
    let folder = tempfile::tempdir().unwrap();
    let small = options().with_corpus(CorpusOptions::default().with_max_tokens(24));
    let engine = Engine::open(folder.path().join("index"), small).unwrap();
    engine.add(documents()).unwrap();
    judge_everything(&engine);
    let shared = "Herons nest on the island above the weir, and nobody lands there before the end of July.";
    let manual = format!("{shared}\n\nThe manual goes on with the care of winches, chains and their grease.");
    let notice = format!("{shared}\n\nThe notice ends with a list of moorings that are let by the month.");
    engine.add(vec![Document::new("manual", manual).with_title("manual")]).unwrap();
    engine.add(vec![Document::new("notice", notice).with_title("notice")]).unwrap();
    let before = learn(&engine, &quick_round()).sources.get("dropped_duplicate_of_positive").copied();
    assert_eq!(before, None);
    let answer = engine.search(&Query::new(shared).with_copies()).unwrap();
    assert_eq!(answer.hits[0].passage, answer.hits[1].passage);
    assert!(shared.starts_with(&answer.hits[0].passage), "{}", answer.hits[0].passage);
    engine.judge(answer.query_id, &answer.hits[1].document, retune::Verdict::Chosen).unwrap();
    let after = learn(&engine, &quick_round()).sources;
    assert_eq!(after.get("dropped_duplicate_of_positive"), Some(&1), "{after:?}");
}

#[test]
fn what_has_the_answers_title_is_no_negative_unless_somebody_said_so() {
    let folder = tempfile::tempdir().unwrap();
    let engine = judged(folder.path());
    let reply = |id: &str, text: &str| Document::new(id, text).with_title("Horses on the tow path");
    engine
        .add(vec![
            reply("first", "Horses may walk on the tow path by day, and must be led under bridges."),
            reply("second", "By night horses are not let on to the tow path, since its edge is not lit."),
        ])
        .unwrap();
    let sources = || learn(&engine, &quick_round().with_negatives(NegativeCounts::new(20, 20, 0))).sources;
    let before = sources();
    assert_eq!(before.get("dropped_title_of_positive"), None);

    let answer = engine.search(&Query::new("when is the tow path open to horses")).unwrap();
    let [passed_over, opened] = [0, 1].map(|place| answer.hits[place].document.clone());
    assert_eq!(BTreeSet::from(["first", "second"]), BTreeSet::from([&*passed_over, &*opened]));
    engine.judge(answer.query_id, &opened, Verdict::Opened).unwrap();
    let titled = sources();
    assert_eq!(titled.get("dropped_title_of_positive"), Some(&1), "{titled:?}");

    engine.judge(answer.query_id, &passed_over, Verdict::NotRelevant).unwrap();
    let said = sources();
    assert_eq!(said.get("dropped_title_of_positive"), None, "{said:?}");
    let confusables = [titled, said].map(|sources| sources.get("confusable").copied().unwrap_or_default());
    assert_eq!(confusables[1], confusables[0] + 1, "{confusables:?}");
}

#[test]
fn a_title_that_most_documents_have_takes_no_negatives_away() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let site = documents().into_iter().map(|document| document.with_title("The canal's own pages"));
    engine.add(site.collect()).unwrap();
    judge_everything(&engine);
    let report = learn(&engine, &quick_round());
    assert_eq!(report.sources.get("dropped_title_of_positive"), None, "{:?}", report.sources);
    assert!(report.sources["semantic"] > 0, "{:?}", report.sources);
}

#[test]
fn too_little_feedback_skips_the_round_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    engine.add(documents()).unwrap();
    judge(&engine, "descaling", "kettle");
    let report = learn(&engine, &quick_round());
    assert_eq!(report.gate.decision, Decision::Skipped);
    assert!(report.gate.reason.contains("judge more"), "{}", report.gate.reason);
    assert!(report.loss.is_empty());
}

#[test]
fn a_round_can_be_cancelled_in_every_stage_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let engine = judged(folder.path());
    for stage in [LearnStage::Collect, LearnStage::Train, LearnStage::Reindex, LearnStage::Gate] {
        let result = engine.learn(&quick_round(), &mut |progress| match progress.stage == stage {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        });
        assert!(matches!(result, Err(Error::Cancelled { .. })), "{stage:?}");
        assert_eq!(generations(folder.path()), ["000001"], "{stage:?}");
    }
    // Publishing encodes what came meanwhile, and can be stopped until all of it is there.
    let result = engine.learn(&quick_round(), &mut |progress| match progress.stage {
        LearnStage::Gate => {
            engine.add(vec![Document::new("late", format!("latecomer {}", progress.done))]).unwrap();
            ControlFlow::Continue(())
        }
        LearnStage::Publish => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    assert!(matches!(result, Err(Error::Cancelled { .. })), "{result:?}");
    assert_eq!(generations(folder.path()), ["000001"]);
    assert_eq!(engine.status().unwrap().last_round, None);
    assert_eq!(learn(&engine, &quick_round()).gate.decision, Decision::Published);
}

#[test]
fn collecting_and_learning_the_fusion_weight_can_be_cancelled_at_every_query() {
    let folder = tempfile::tempdir().unwrap();
    let engine = judged(folder.path());
    // The number of calls before training, where the call with the number `last` stops the round.
    let calls_until = |last: usize| {
        let mut calls = 0;
        let result = engine.learn(&quick_round(), &mut |progress| {
            calls += usize::from(progress.stage == LearnStage::Collect);
            match progress.stage == LearnStage::Train || calls == last {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        });
        assert!(matches!(result, Err(Error::Cancelled { .. })), "{result:?}");
        calls
    };
    let calls = calls_until(usize::MAX);
    // The start, 16 judged queries, and those to train on twice more.
    assert!((20..=49).contains(&calls), "{calls}");
    for last in 1..=calls {
        assert_eq!(calls_until(last), last);
    }
}

#[test]
fn documents_added_while_a_round_runs_are_in_both_generations() {
    let folder = tempfile::tempdir().unwrap();
    let engine = judged(folder.path());
    let mut added = 0;
    let report = engine
        .learn(&quick_round(), &mut |progress| {
            if matches!(progress.stage, LearnStage::Train | LearnStage::Gate) {
                let document = Document::new(format!("late {added}"), format!("latecomer number {added}"));
                engine.add(vec![document]).unwrap();
                engine.remove(&["fog"]).unwrap();
                added += 1;
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(report.gate.decision, Decision::Published, "{}", report.gate.reason);
    assert!(added > 2);
    let everything = || {
        let mut found = ids(&engine, &Query::new("anything").with_mode(Mode::Dense).with_limit(1000));
        found.sort();
        found
    };
    let after = everything();
    assert_eq!(after.len(), documents().len() - 1 + added);
    assert_eq!(engine.rollback().unwrap().0, 1);
    assert_eq!(everything(), after);
}

#[test]
fn a_rollback_returns_to_the_previous_generation_with_what_was_added_since() {
    let folder = tempfile::tempdir().unwrap();
    let engine = judged(folder.path());
    assert!(matches!(engine.rollback(), Err(Error::NotFound { .. })));
    let first = engine.status().unwrap().generation.weights;
    learn(&engine, &quick_round());
    engine.add(vec![Document::new("since", "A document that came since.")]).unwrap();
    assert_eq!(engine.rollback().unwrap().0, 1);
    let status = engine.status().unwrap();
    assert_eq!((status.generation.weights, status.coverage.is_complete()), (first, true));
    assert_eq!(generations(folder.path()), ["000001"]);
    let found =
        ids(&engine, &Query::new("a document that came since").with_mode(Mode::Dense).with_limit(100));
    assert!(found.contains(&"since".to_string()));
    assert!(matches!(engine.rollback(), Err(Error::NotFound { .. })));
    // Numbers are never used twice.
    assert_eq!(learn(&engine, &quick_round()).generation.0, 3);
}

#[test]
fn only_as_many_generations_as_asked_for_are_kept_and_pinned_ones_outlive_their_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let engine = Engine::open(&path, options().with_keep_generations(0)).unwrap();
    engine.add(documents()).unwrap();
    judge_everything(&engine);
    let reader = Reader::open(&path, options()).unwrap();
    learn(&engine, &quick_round());
    assert_eq!(generations(folder.path()), ["000002"]);
    assert_eq!(ids(&reader, &Query::new("descaled kettle"))[0], "kettle", "a pinned generation answers on");
    reader.refresh().unwrap();
    assert_eq!(reader.search(&Query::new("descaled kettle")).unwrap().generation.0, 2);
    assert!(matches!(engine.rollback(), Err(Error::NotFound { .. })));
}

#[test]
fn searches_go_on_through_a_swap() {
    let folder = tempfile::tempdir().unwrap();
    let engine = judged(folder.path());
    let (searched, begun) = crossbeam_channel::bounded(1);
    let searcher = {
        let engine = engine.clone();
        std::thread::spawn(move || {
            let started = Instant::now();
            let mut seen = std::collections::BTreeSet::new();
            while !seen.contains(&2) && started.elapsed() < Duration::from_secs(120) {
                let answer = engine.search(&Query::new("descaled kettle").without_logging()).unwrap();
                assert_eq!(answer.hits[0].document, "kettle");
                seen.insert(answer.generation.0);
                _ = searched.try_send(()); // only the first counts
            }
            seen
        })
    };
    begun.recv().unwrap();
    assert_eq!(learn(&engine, &quick_round()).gate.decision, Decision::Published);
    assert_eq!(searcher.join().unwrap().into_iter().collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn the_background_worker_learns_on_request_and_by_policy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let policy = LearnPolicy::after_judgements(20).with_options(quick_round());
    let engine = Engine::open(&path, options().with_policy(policy)).unwrap();
    engine.add(documents()).unwrap();
    judge_everything(&engine);
    let report = engine.learn_in_background(quick_round()).unwrap().wait().unwrap();
    assert_eq!(report.round, 1);
    judge_everything(&engine);
    judge_everything(&engine);
    wait_for_round(&engine, 2);
    engine.close().unwrap();
}

#[test]
fn a_cancelled_background_round_says_so_and_closing_stops_a_running_one() {
    let folder = tempfile::tempdir().unwrap();
    let engine = judged(folder.path());
    let train = quick_round().train.with_epochs(100_000);
    let endless = quick_round().with_train(train);
    let task = engine.learn_in_background(endless.clone()).unwrap();
    task.cancel();
    assert!(matches!(task.wait(), Err(Error::Cancelled { .. })));
    let mut running = engine.learn_in_background(endless).unwrap();
    assert!(engine.status().unwrap().learning, "from the moment that it is asked for");
    while running.progress().is_none() {
        assert!(running.wait_timeout(Duration::from_millis(5)).is_none());
    }
    assert!(running.poll().is_none());
    let second = engine.learn(&quick_round(), &mut |_| ControlFlow::Continue(()));
    assert!(matches!(second, Err(Error::RoundRunning { .. })), "{second:?}");
    engine.close().unwrap();
    assert!(matches!(running.wait(), Err(Error::Cancelled { .. })));
    assert_eq!(generations(folder.path()), ["000001"]);
}

#[test]
fn the_result_of_a_background_round_is_given_out_once() {
    let folder = tempfile::tempdir().unwrap();
    let engine = judged(folder.path());
    let mut task = engine.learn_in_background(quick_round()).unwrap();
    let report = loop {
        if let Some(report) = task.wait_timeout(Duration::from_secs(60)) {
            break report.unwrap();
        }
    };
    assert_eq!(report.round, 1);
    assert!(!engine.status().unwrap().learning);
    assert!(task.progress().is_some(), "the last one stays");
    assert!(matches!(task.poll(), Some(Err(Error::Closed { .. }))));
    assert!(matches!(task.wait(), Err(Error::Closed { .. })));
}

#[test]
fn asking_for_the_status_keeps_no_round_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let done = AtomicBool::new(false);
    crossbeam_utils::thread::scope(|scope| {
        scope.spawn(|_| {
            while !done.load(Ordering::Acquire) {
                engine.status().unwrap();
            }
        });
        // Nothing is judged: each is skipped at once.
        let rounds: Vec<_> =
            (0..50).map(|_| engine.learn(&quick_round(), &mut |_| ControlFlow::Continue(()))).collect();
        done.store(true, Ordering::Release);
        assert!(rounds.iter().all(Result::is_ok), "{rounds:?}");
    })
    .unwrap();
}

#[test]
fn a_round_that_panicked_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let engine = judged(folder.path());
    let panicked =
        catch_unwind(AssertUnwindSafe(|| engine.learn(&quick_round(), &mut |_| panic!("on purpose"))));
    assert!(panicked.is_err());
    assert!(!engine.status().unwrap().learning);
    learn(&engine, &quick_round());
    assert!(!engine.status().unwrap().learning);
}

/// Waits until the policy has started a round and it has ended.
fn wait_for_round(engine: &Engine, number: u64) {
    let started = Instant::now();
    while engine.status().unwrap().last_round.is_none_or(|round| round.round < number) {
        assert!(started.elapsed() < Duration::from_secs(120), "the policy started no round");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn open_with(folder: &Path, policy: LearnPolicy) -> Engine {
    Engine::open(folder.join("index"), options().with_policy(policy.with_options(quick_round()))).unwrap()
}

#[test]
fn the_policy_counts_what_was_judged_before_the_index_was_opened() {
    let folder = tempfile::tempdir().unwrap();
    judged(folder.path()).close().unwrap();
    let engine = open_with(folder.path(), LearnPolicy::after_judgements(16));
    wait_for_round(&engine, 1);
    engine.close().unwrap();
    // What a round has learned from is not counted again: 15 more are one too few.
    let engine = open_with(folder.path(), LearnPolicy::after_judgements(16));
    (0..15).for_each(|i| judge(&engine, &format!("fog horn {i}"), "fog"));
    std::thread::sleep(Duration::from_millis(500));
    let status = engine.status().unwrap();
    assert!(!status.learning && status.last_round.unwrap().round == 1);
    judge(&engine, "swing bridge", "fog");
    wait_for_round(&engine, 2);
}

#[test]
fn a_cancelled_round_leaves_its_judgements_to_the_policy() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open_with(folder.path(), LearnPolicy::after_judgements(17));
    engine.add(documents()).unwrap();
    judge_everything(&engine);
    let cancelled = engine.learn(&quick_round(), &mut |_| ControlFlow::Break(()));
    assert!(matches!(cancelled, Err(Error::Cancelled { .. })));
    let endless = quick_round().with_train(quick_round().train.with_epochs(100_000));
    let task = engine.learn_in_background(endless).unwrap();
    task.cancel();
    assert!(matches!(task.wait(), Err(Error::Cancelled { .. })));
    judge(&engine, "fog horn", "fog");
    wait_for_round(&engine, 1);
}

#[test]
fn a_dry_run_leaves_its_judgements_to_the_policy() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open_with(folder.path(), LearnPolicy::after_judgements(17));
    engine.add(documents()).unwrap();
    judge_everything(&engine);
    let dry = engine.dry_run(&quick_round(), &mut |_| ControlFlow::Continue(())).unwrap();
    assert!(dry.examples > 0 && engine.status().unwrap().last_round.is_none());
    judge(&engine, "fog horn", "fog");
    wait_for_round(&engine, 1);
}
