//! When rounds run, wait and go on, on the tiny model.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::common::rounds::{judged, learn};
use crate::common::{copy, judge, judge_everything, open, options, quick_round};
use retune::learn::Tier;
use retune::{
    Decision, Engine, Error, IdleOptions, LearnOptions, LearnPolicy, LearnStage, Query, RoundReport,
};

/// Two epochs, with a checkpoint after each step.
fn careful_round() -> LearnOptions {
    let train = quick_round().train.with_epochs(2);
    quick_round().with_train(train).with_checkpoint_interval(Duration::ZERO)
}

fn endless_round() -> LearnOptions {
    let train = quick_round().train.with_epochs(100_000);
    careful_round().with_train(train)
}

fn until(what: &str, done: impl Fn() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < Duration::from_secs(120), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn checkpoint_in(folder: &Path) -> std::path::PathBuf {
    folder.join("index/rounds/checkpoint.bin")
}

/// Runs a round to its end, and leaves in the first folder what a crash would have left at the given moment.
fn crash(stage: LearnStage, done: usize) -> (tempfile::TempDir, RoundReport, retune::Digest) {
    let (folder, crashed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let engine = judged(folder.path());
    let report = engine
        .learn(&careful_round(), &mut |progress| {
            if (progress.stage, progress.done) == (stage, done) {
                copy(&folder.path().join("index"), &crashed.path().join("index"));
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(report.gate.decision, Decision::Published, "{}", report.gate.reason);
    assert!(!checkpoint_in(folder.path()).exists(), "a round that is over needs none");
    assert!(checkpoint_in(crashed.path()).exists());
    (crashed, report, engine.status().unwrap().generation.weights)
}

#[test]
fn a_round_that_a_crash_interrupted_goes_on_and_leaves_later_judgements_to_the_next() {
    let first = crash(LearnStage::Train, 1);
    let steps = first.1.training.as_ref().unwrap().steps.len();
    assert!(steps > 3);
    let moments = [(first, 1), (crash(LearnStage::Train, 3), 3), (crash(LearnStage::Reindex, 8), steps)];
    for ((crashed, whole, weights), resumed_at) in moments {
        let waits = LearnPolicy::after_judgements(1000).with_options(careful_round());
        let path = crashed.path().join("index");
        let engine = Engine::open(&path, options().with_policy(waits)).unwrap();
        judge_everything(&engine);
        judge_everything(&engine);
        let report = learn(&engine, &careful_round());
        let (training, expected) = (report.training.unwrap(), whole.training.unwrap());
        assert_eq!(training.resumed_at, Some(resumed_at));
        assert_eq!((&training.steps, training.masked), (&expected.steps, expected.masked));
        assert_eq!((report.round, report.started_ms), (1, whole.started_ms));
        assert_eq!((report.examples, report.held_out), (whole.examples, whole.held_out));
        assert_eq!(engine.status().unwrap().generation.weights, weights);
        assert!(!checkpoint_in(crashed.path()).exists());
        let next = learn(&engine, &careful_round());
        assert_eq!(next.training.unwrap().resumed_at, None);
        assert!(next.started_ms > whole.started_ms);
        engine.close().unwrap();
    }
}

#[test]
fn a_dry_run_goes_on_from_a_checkpoint_and_leaves_it_to_the_round() {
    let (crashed, whole, weights) = crash(LearnStage::Train, 1);
    let path = checkpoint_in(crashed.path());
    let bytes = std::fs::read(&path).unwrap();
    let engine = open(crashed.path());
    judge_everything(&engine);
    for (options, resumed_at) in [(careful_round(), Some(1)), (quick_round(), None)] {
        let dry = engine.dry_run(&options, &mut |_| ControlFlow::Continue(())).unwrap();
        assert_eq!(dry.training.unwrap().resumed_at, resumed_at);
        assert!(std::fs::read(&path).unwrap() == bytes, "it stays as it was");
    }
    let report = learn(&engine, &careful_round());
    assert_eq!(report.training.unwrap().resumed_at, Some(1));
    assert_eq!((report.started_ms, report.gate.reason), (whole.started_ms, whole.gate.reason));
    assert_eq!(engine.status().unwrap().generation.weights, weights);
    let mut seen = false;
    let dry = engine.dry_run(&careful_round(), &mut |_| {
        seen |= path.exists();
        ControlFlow::Continue(())
    });
    assert!(!seen && dry.unwrap().training.unwrap().resumed_at.is_none(), "it writes none");
}

#[test]
fn training_that_was_interrupted_goes_on_whatever_a_reindex_costs() {
    let (crashed, _, weights) = crash(LearnStage::Train, 2);
    let engine = open(crashed.path());
    let poor = careful_round().with_reindex_budget(Some(Duration::ZERO));
    let report = learn(&engine, &poor);
    assert_eq!(report.training.unwrap().resumed_at, Some(2));
    assert_eq!(engine.status().unwrap().generation.weights, weights);
    let next = learn(&engine, &poor);
    assert_eq!((next.tried[0].tier, next.tried[0].gate.decision), (Tier::Encoder, Decision::Skipped));
    assert_eq!(engine.status().unwrap().generation.weights, weights);
}

#[test]
fn a_checkpoint_of_another_round_or_a_damaged_one_is_thrown_away() {
    let (crashed, whole, weights) = crash(LearnStage::Train, 2);
    let path = checkpoint_in(crashed.path());
    let good = std::fs::read(&path).unwrap();
    let other = careful_round().with_tiers(&[]);
    let engine = open(crashed.path());
    assert_eq!(learn(&engine, &other).gate.decision, Decision::Skipped);
    assert!(!path.exists());
    engine.close().unwrap();

    let mut bad = good.clone();
    let last = bad.len() - 9;
    bad[last] ^= 1;
    std::fs::write(&path, &bad).unwrap();
    let engine = open(crashed.path());
    let report = learn(&engine, &careful_round());
    assert_eq!(report.training.as_ref().unwrap().resumed_at, None);
    assert_eq!(report.loss, whole.loss);
    assert_eq!(engine.status().unwrap().generation.weights, weights);
    // Another encoder answers now: opening the index finds that nothing can come of it.
    std::fs::write(&path, &good).unwrap();
    let unfinished = path.with_extension("bin.unfinished");
    std::fs::write(&unfinished, &good).unwrap();
    engine.close().unwrap();
    open(crashed.path()).close().unwrap();
    assert!(!path.exists() && !unfinished.exists());
}

#[test]
fn a_paused_round_waits_and_hinders_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let engine = judged(folder.path());
    let task = engine.learn_in_background(quick_round()).unwrap();
    task.pause();
    // It may have been quicker than the pause.
    until("it neither waits nor ends", || {
        let status = engine.status().unwrap();
        status.paused || status.last_round.is_some()
    });
    engine.search(&Query::new("descaled kettle")).unwrap();
    engine.add(vec![retune::Document::new("late", "latecomer")]).unwrap();
    task.resume();
    assert_eq!(task.wait().unwrap().gate.decision, Decision::Published);
    assert!(!engine.status().unwrap().paused);

    let task = engine.learn_in_background(endless_round()).unwrap();
    task.pause();
    until("it does not wait", || engine.status().unwrap().paused);
    assert!(engine.status().unwrap().learning);
    task.cancel();
    assert!(matches!(task.wait(), Err(Error::Cancelled { .. })));
    let status = engine.status().unwrap();
    assert!(!status.paused && !status.learning && !checkpoint_in(folder.path()).exists());
}

#[test]
fn closing_ends_a_paused_round_and_the_next_goes_on_from_it() {
    let folder = tempfile::tempdir().unwrap();
    let engine = judged(folder.path());
    let task = engine.learn_in_background(endless_round()).unwrap();
    until("there is no checkpoint", || checkpoint_in(folder.path()).exists());
    task.pause();
    until("it does not wait", || engine.status().unwrap().paused);
    engine.close().unwrap();
    assert!(matches!(task.wait(), Err(Error::Cancelled { .. })));
    assert!(checkpoint_in(folder.path()).exists());

    let engine = open(folder.path());
    let mut first = None;
    let cancelled = engine.learn(&endless_round(), &mut |progress| match progress.stage {
        LearnStage::Train => {
            first = Some(progress.done);
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    });
    assert!(matches!(cancelled, Err(Error::Cancelled { .. })));
    assert!(first.unwrap() > 1, "{first:?}");
    assert!(!checkpoint_in(folder.path()).exists(), "a cancelled round leaves nothing");
}

#[test]
fn a_round_that_fails_is_not_taken_up_where_it_failed() {
    let folder = tempfile::tempdir().unwrap();
    let engine = judged(folder.path());
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        engine.learn(&careful_round(), &mut |progress| match checkpoint_in(folder.path()).exists() {
            true => panic!("on purpose, at step {}", progress.done),
            false => ControlFlow::Continue(()),
        })
    }));
    assert!(panicked.is_err());
    assert!(!checkpoint_in(folder.path()).exists());
    assert_eq!(learn(&engine, &careful_round()).training.unwrap().resumed_at, None);
}

#[test]
fn a_round_of_the_policy_waits_until_nobody_searches() {
    let folder = tempfile::tempdir().unwrap();
    judged(folder.path()).close().unwrap();
    let quiet = Duration::from_millis(1500);
    let idle = IdleOptions::default().with_others_busy(None).with_no_search_for(Some(quiet));
    let policy = LearnPolicy::after_judgements(17).with_options(quick_round()).when_idle(idle);
    let engine = Engine::open(folder.path().join("index"), options().with_policy(policy)).unwrap();
    let mut searched = Instant::now();
    engine.search(&Query::new("swing bridge")).unwrap();
    judge(&engine, "fog horn", "fog");
    let started = Instant::now();
    while started.elapsed() < 2 * quiet {
        let status = engine.status().unwrap();
        // A busy machine may have kept this thread from searching for so long.
        if searched.elapsed() >= quiet {
            break;
        }
        assert!(!status.learning && status.last_round.is_none());
        std::thread::sleep(Duration::from_millis(20));
        searched = Instant::now();
        engine.search(&Query::new("swing bridge")).unwrap();
    }
    until("the policy started no round", || engine.status().unwrap().last_round.is_some());
    engine.close().unwrap();
}

#[test]
fn a_round_is_the_same_on_any_number_of_threads() {
    let weights = |threads: Option<usize>, aside: bool| {
        let folder = tempfile::tempdir().unwrap();
        let engine = judged(folder.path());
        let round = quick_round().with_threads(threads);
        let report = match aside {
            true => engine.learn_in_background(round).unwrap().wait().unwrap(),
            false => learn(&engine, &round),
        };
        assert_eq!(report.gate.decision, Decision::Published, "{}", report.gate.reason);
        engine.status().unwrap().generation.weights
    };
    let one = weights(Some(1), false);
    assert_eq!(weights(Some(3), false), one);
    assert_eq!(weights(None, false), one);
    assert_eq!(weights(None, true), one);
}

#[test]
fn a_limit_of_time_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let engine = judged(folder.path());
    let endless = endless_round().with_checkpoint_interval(Duration::from_secs(3600));
    let train = endless.train.clone().with_time_limit(Some(Duration::from_millis(300)));
    let report = learn(&engine, &endless.with_train(train));
    let training = report.training.unwrap();
    assert!(training.stopped_by_time && !training.steps.is_empty());
}
