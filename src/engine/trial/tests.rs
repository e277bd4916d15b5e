//! The end of a trial beside whatever else goes on.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::thread::{scope, sleep};
use std::time::Duration;

use crossbeam_channel::bounded;

use super::begin::Origin;
use super::state::OnTrial;
use crate::encoder::test_model::tiny_model;
use crate::feedback::Standing;
use crate::generation::Building;
use crate::ids::QueryId;
use crate::learn::{self, Tier};
use crate::{Decision, Document, Engine, Fusion, Options, Query, RoundReport};

/// An engine with a candidate that picks have proved better. Nothing is done with it in the background.
fn proved(folder: &Path) -> (Engine, Arc<OnTrial>) {
    let options = Options::default().with_model(tiny_model()).with_trial_share(1.0);
    let engine = Engine::open(folder.join("index"), options).unwrap();
    engine
        .add(vec![Document::new("kettle", "the kettle is descaled"), Document::new("gate", "a gate")])
        .unwrap();
    let (root, snapshot) = (engine.inner.layout.generations(), engine.inner.snapshot.load_full());
    let (fusion, dense) = (Fusion::Convex { dense_weight: 0.7 }, &engine.inner.settings.dense);
    let building = Building::sibling(&root, &snapshot.pinned, fusion, None, dense).unwrap();
    let serving = &snapshot.pinned.generation.meta;
    engine.inner.history.write(&mut RoundReport::skipped(1, 0, serving, "not proved".into())).unwrap();
    let candidate = learn::OnTrial { tier: Tier::Encoder, building, alpha: 0.05, p_value: 0.5 };
    let origin = Origin { round: 1, judged: 0 };
    engine.begin_trial(candidate, origin, &mut |_| ControlFlow::Continue(())).unwrap();
    engine.inner.trials.stop().unwrap();
    let trial = engine.inner.trials.current().unwrap();
    engine.advance_trial(0).unwrap();
    let mut stored = trial.stored();
    for need in 0.. {
        if stored.trial.outcome().is_some() {
            break;
        }
        stored.trial.record(QueryId(need), Standing { place: 1, serving: 4, candidate: 1 });
    }
    let counted = stored.trial.clone();
    stored.report.update(&counted);
    drop(stored);
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
