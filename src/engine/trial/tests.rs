//! The end of a trial beside whatever else goes on.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::thread::{scope, sleep};
use std::time::Duration;

use crossbeam_channel::bounded;

use super::begin::Origin;
use super::state::OnTrial;
use super::stored::StoredTrial;
use crate::encoder::test_model::tiny_model;
use crate::engine::open::read_manifest;
use crate::feedback::Standing;
use crate::generation::Building;
use crate::ids::QueryId;
use crate::learn::{self, Tier, TrialReport};
use crate::trial::{Outcome, Trial};
use crate::{Decision, Document, Engine, Fusion, Options, Query, RoundReport};

/// An engine with two documents, whose trials nobody brings forward.
fn engine(folder: &Path) -> Engine {
    let options = Options::default().with_model(tiny_model()).with_trial_share(1.0);
    let engine = Engine::open(folder.join("index"), options).unwrap();
    engine
        .add(vec![Document::new("kettle", "the kettle is descaled"), Document::new("gate", "a gate")])
        .unwrap();
    engine
}

/// Has a round put a candidate on trial, with so much alpha and held-out queries that say nothing.
fn put_on_trial(engine: &Engine, alpha: f64) -> Option<TrialReport> {
    let (root, snapshot) = (engine.inner.layout.generations(), engine.inner.snapshot.load_full());
    let (fusion, dense) = (Fusion::Convex { dense_weight: 0.7 }, &engine.inner.settings.dense);
    let building = Building::sibling(&root, &snapshot.pinned, fusion, None, dense).unwrap();
    let round = engine.inner.history.next_round().unwrap();
    let serving = &snapshot.pinned.generation.meta;
    engine.inner.history.write(&mut RoundReport::skipped(round, 0, serving, "not proved".into())).unwrap();
    let candidate = learn::OnTrial { tier: Tier::Encoder, building, alpha, p_value: 0.25 };
    let origin = Origin { round, judged: 0 };
    let begun = engine.begin_trial(candidate, origin, &mut |_| ControlFlow::Continue(())).unwrap();
    engine.inner.trials.stop().unwrap();
    begun
}

/// Picks of needs from this one on, until they say enough.
fn pick(engine: &Engine, from: u64, pick: Standing, is_enough: impl Fn(&Trial) -> bool) {
    let trial = engine.inner.trials.current().unwrap();
    let mut stored = trial.stored();
    let needs = (from..).map(QueryId);
    for need in needs {
        if is_enough(&stored.trial) {
            break;
        }
        stored.trial.record(need, pick);
    }
    let counted = stored.trial.clone();
    stored.report.update(&counted);
}

const FOR_IT: Standing = Standing { place: 1, serving: 4, candidate: 1 };
const AGAINST_IT: Standing = Standing { place: 1, serving: 1, candidate: 4 };

/// An engine with a candidate that picks have proved better. Nothing is done with it in the background.
fn proved(folder: &Path) -> (Engine, Arc<OnTrial>) {
    let engine = engine(folder);
    put_on_trial(&engine, 0.05).unwrap();
    let trial = engine.inner.trials.current().unwrap();
    engine.advance_trial(0).unwrap();
    pick(&engine, 0, FOR_IT, |trial| trial.outcome().is_some());
    (engine, trial)
}

fn serving(engine: &Engine) -> u64 {
    engine.inner.snapshot.load().pinned.generation.meta.id.0
}

#[test]
fn a_candidate_is_not_published_before_it_has_all_vectors() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, trial) = proved(folder.path());
    engine.add(vec![Document::new("rope", "a frayed rope is cut")]).unwrap();
    engine.finish_trial(&trial).unwrap();
    assert_eq!((serving(&engine), engine.trial().unwrap().is_some()), (1, true), "it was not encoded here");
    engine.advance_trial(0).unwrap();
    assert_eq!((serving(&engine), engine.trial().unwrap()), (2, None));
    assert!(engine.inner.snapshot.load().pinned.dense.missing().is_empty());
    let found = engine.search(&Query::new("a frayed rope is cut")).unwrap();
    assert_eq!(found.hits[0].document, "rope");
    let mut report = engine.rounds().unwrap().pop().unwrap();
    assert!(report.gate.decision == Decision::Published && report.is_by_picks());
    // The gate publishes one thing while another is on trial.
    report.trial.as_mut().unwrap().outcome = None;
    assert!(!report.is_by_picks());
    report.gate.decision = Decision::OnTrial;
    assert!(report.is_by_picks());
    engine.close().unwrap();
}

#[test]
fn who_begins_a_round_waits_for_a_trial_that_is_ending() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, trial) = proved(folder.path());
    let (is_asked, asked) = bounded(1);
    scope(|threads| {
        let writer = engine.lock_writer("add documents").unwrap();
        let ending = threads.spawn(|| engine.finish_trial(&trial));
        while engine.inner.round.try_lock().is_ok() {
            sleep(Duration::from_millis(1));
        }
        assert!(engine.round().is_none(), "it is no round");
        let rollback = threads.spawn(|| {
            is_asked.send(()).unwrap();
            engine.rollback()
        });
        asked.recv().unwrap();
        // Enough for one that does not wait.
        sleep(Duration::from_millis(100));
        drop(writer);
        ending.join().unwrap().unwrap();
        assert_eq!(rollback.join().unwrap().unwrap().0, 1);
    });
    assert_eq!(engine.trial().unwrap(), None);
    engine.close().unwrap();
}

/// The candidate that `CURRENT` names, and the one of `trial.json`.
fn on_disk(engine: &Engine) -> [Option<u64>; 2] {
    let layout = &engine.inner.layout;
    let named = read_manifest(layout).unwrap().candidate;
    let stored = StoredTrial::read(layout).unwrap().map(|stored| stored.report.candidate);
    [named, stored].map(|id| id.map(|id| id.0))
}

#[test]
fn another_candidate_begins_where_it_has_least_to_prove() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let first = put_on_trial(&engine, 0.05).unwrap();
    assert_eq!((first.better, first.publish_at, first.in_place_of), (1.0, 20.0, None));
    // Nothing was said: the next one has the larger alpha of the first.
    let second = put_on_trial(&engine, 0.015).unwrap();
    assert_eq!((second.better, second.publish_at, second.in_place_of), (1.0, 20.0, Some(first.candidate)));
    assert_eq!(on_disk(&engine), [Some(3), Some(3)]);
    // One that users prefer so far stays.
    pick(&engine, 0, FOR_IT, |trial| trial.votes() == 1);
    assert_eq!(put_on_trial(&engine, 0.015), None);
    assert_eq!(on_disk(&engine), [Some(3), Some(3)]);
    // Much was said against it: the next one begins anew.
    pick(&engine, 1, AGAINST_IT, |trial| trial.better() < 0.3);
    assert!(engine.inner.trials.current().unwrap().stored().trial.outcome().is_none());
    let third = put_on_trial(&engine, 0.015).unwrap();
    assert!(third.better == 1.0 && third.publish_at > 60.0 && third.in_place_of.is_none(), "{third:?}");
    // One that users have rejected is closed as such.
    pick(&engine, 0, AGAINST_IT, |trial| trial.outcome().is_some());
    put_on_trial(&engine, 0.01).unwrap();
    let ends: Vec<_> = engine.rounds().unwrap().into_iter().filter_map(|round| round.trial).collect();
    let ends: Vec<_> =
        ends.iter().map(|one| (one.candidate.0, one.outcome, one.ended_by.is_some())).collect();
    assert_eq!(ends, [(2, None, true), (3, None, true), (4, Some(Outcome::NotBetter), false)]);
    // What ends late ends itself alone.
    let late = engine.inner.trials.current().unwrap();
    let last = put_on_trial(&engine, 0.01).unwrap();
    engine.end_in_manifest(late.id()).unwrap();
    engine.close_trial(late.stored().clone(), Some("late")).unwrap();
    assert_eq!(on_disk(&engine), [Some(last.candidate.0); 2]);
    pick(&engine, 0, FOR_IT, |trial| trial.outcome().is_some());
    assert!(put_on_trial(&engine, 0.05).is_none() && engine.is_proved().unwrap());
    engine.close().unwrap();
}
