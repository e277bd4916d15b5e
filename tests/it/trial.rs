//! A generation on trial: both answer, and picks decide.

mod forgotten;

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use retune::learn::{Tier, TrialReport};
use retune::trial::Outcome;
use retune::{
    Decision, Document, Engine, Fusion, LearnOptions, Options, Query, Reader, RoundReport, Verdict,
};

use crate::common::rounds::{generations, learn, publish};
use crate::common::{TOPICS, judge_pages, options, pages, quick_round};

/// Every need is over.
const ALL: u64 = u64::MAX;

/// Vectors decide, and everything may go on trial.
pub fn trials() -> Options {
    options().with_fusion(Fusion::Convex { dense_weight: 1.0 }).with_trial_share(1.0)
}

/// The gate can prove nothing: users have to.
pub fn unproved_round() -> LearnOptions {
    quick_round().with_significance(Some(1e-6))
}

fn open(folder: &Path) -> Engine {
    Engine::open(folder.join("index"), trials()).unwrap()
}

/// Adds the pages, of which the answers are judged, and puts a generation on trial that ranks answers higher.
pub fn put_on_trial(engine: &Engine) -> RoundReport {
    engine.add(pages()).unwrap();
    judge_pages(engine);
    let report = learn(engine, &unproved_round());
    assert_eq!(report.gate.decision, Decision::OnTrial, "{}", report.gate.reason);
    report
}

/// An index with a generation on trial.
fn on_trial(folder: &Path) -> (Engine, RoundReport) {
    let engine = open(folder);
    let report = put_on_trial(&engine);
    engine.advance_trial(0).unwrap();
    (engine, report)
}

/// The folder of a candidate goes when the last who reads it is done.
fn only_the_first_is_left(folder: &Path) {
    for _ in 0..1000 {
        if generations(folder) == ["000001"] {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("{:?}", generations(folder));
}

/// A query about a topic that nobody has asked before.
fn new_query(at: usize) -> String {
    let words: Vec<&str> = TOPICS[at].split(' ').collect();
    format!("{} {} {}", words[0], words[2], words[1])
}

/// So many people look for an answer each and open the page of that kind.
fn visits(engine: &Engine, from: usize, number: usize, kind: &str) {
    for visit in from..from + number {
        let at = visit % TOPICS.len();
        let answer =
            engine.search(&Query::new(new_query(at)).with_session(format!("visit {visit}"))).unwrap();
        engine.judge(answer.query_id, &format!("{kind}{at}"), Verdict::Opened).unwrap();
    }
}

fn is_interleaved(reader: &Reader, query: &str) -> bool {
    reader.search(&Query::new(query)).unwrap();
    reader.last_query().unwrap().unwrap().trial.is_some()
}

#[test]
fn what_is_not_proved_goes_on_trial_beside_what_serves_and_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, report) = on_trial(folder.path());
    assert!(report.gate.reason.starts_with("better, but not significantly"), "{}", report.gate.reason);
    assert!(report.gate.not_worse.unwrap().passes());
    assert_eq!((report.generation.0, report.tier), (1, None), "the serving one goes on");
    let trial = report.trial.unwrap();
    assert_eq!((trial.serving.0, trial.candidate.0, trial.votes), (1, 2, 0));
    assert_eq!(generations(folder.path()), ["000001", "000002"]);
    // Both answer, and the log knows where both have each hit.
    let answer = engine.search(&Query::new(TOPICS[0])).unwrap();
    let logged = engine.last_query().unwrap().unwrap();
    assert_eq!((answer.generation.0, logged.trial), (1, Some(trial.candidate)));
    let places: Vec<u32> = logged.hits.iter().map(|hit| hit.standing.unwrap().place).collect();
    assert_eq!(places, (1..=answer.hits.len() as u32).collect::<Vec<_>>());
    assert!(answer.hits.iter().zip(1..).all(|(hit, rank)| hit.rank == rank));
    // The next round waits, and says for what.
    let waits = learn(&engine, &unproved_round());
    assert_eq!(waits.gate.decision, Decision::Skipped);
    assert!(waits.gate.reason.starts_with("the generation of an earlier round is on trial"));
    visits(&engine, 0, 5, "answer");
    engine.advance_trial(0).unwrap();
    assert_eq!(engine.trial().unwrap().unwrap().votes, 0, "no need is over yet");
    engine.advance_trial(ALL).unwrap();
    let before = engine.trial().unwrap().unwrap();
    assert_eq!(before.votes, 5);
    assert_eq!(engine.status().unwrap().trial.as_ref(), Some(&before));
    engine.close().unwrap();
    let engine = open(folder.path());
    assert_eq!(engine.trial().unwrap(), Some(before));
    engine.advance_trial(ALL).unwrap();
    assert_eq!(engine.trial().unwrap().unwrap().votes, 5, "a need votes once");
    assert!(is_interleaved(&engine, TOPICS[1]));
    engine.close().unwrap();
}

#[test]
fn picks_publish_what_is_better() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, report) = on_trial(folder.path());
    let mut asked = 0;
    while engine.trial().unwrap().is_some() {
        visits(&engine, asked, 16, "answer");
        asked += 16;
        engine.advance_trial(ALL).unwrap();
        assert!(asked < 1000, "{:?}", engine.trial());
    }
    assert_eq!(engine.status().unwrap().generation.id, report.trial.unwrap().candidate);
    let rounds = engine.rounds().unwrap();
    let last = rounds.last().unwrap();
    let trial = last.trial.as_ref().unwrap();
    assert_eq!(
        (last.gate.decision, last.generation.0, last.tier),
        (Decision::Published, 2, Some(trial.tier))
    );
    assert!(
        last.gate.reason.starts_with("published by users: users find it better after "),
        "{}",
        last.gate.reason
    );
    assert_eq!(trial.outcome, Some(Outcome::Better));
    assert!(trial.better >= trial.publish_at && trial.wins > trial.losses && !trial.is_running());
    assert!(!folder.path().join("index/trial.json").exists());
    assert!(!is_interleaved(&engine, TOPICS[0]));
    // It is a generation like any other.
    let first = |engine: &Engine| -> Vec<String> {
        let of = |topic: &&str| engine.search(&Query::new(*topic)).unwrap().hits[0].document.clone();
        TOPICS.iter().map(of).collect()
    };
    let after = first(&engine);
    engine.close().unwrap();
    let engine = open(folder.path());
    assert_eq!((engine.status().unwrap().generation.id.0, first(&engine)), (2, after));
    assert_eq!(engine.rollback().unwrap().0, 1);
    engine.close().unwrap();
}

#[test]
fn picks_remove_what_is_worse_and_it_was_an_attempt() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, _) = on_trial(folder.path());
    let mut asked = 0;
    while engine.trial().unwrap().is_some() {
        visits(&engine, asked, 16, "ask");
        asked += 16;
        engine.advance_trial(ALL).unwrap();
        assert!(asked < 1000, "{:?}", engine.trial());
    }
    let last = engine.rounds().unwrap().pop().unwrap();
    assert_eq!((last.gate.decision, last.generation.0), (Decision::Rejected, 1));
    assert!(last.gate.reason.starts_with("users find it no better after "), "{}", last.gate.reason);
    assert_eq!(last.trial.unwrap().outcome, Some(Outcome::NotBetter));
    only_the_first_is_left(folder.path());
    engine.close().unwrap();
}

/// So many judgements that say nothing new.
fn say_again(engine: &Engine, number: usize) {
    let answer = engine.search(&Query::new(TOPICS[0])).unwrap();
    for _ in 0..number {
        engine.judge(answer.query_id, "answer0", Verdict::Opened).unwrap();
    }
}

#[test]
fn a_trial_ends_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, _) = on_trial(folder.path());
    let ended = engine.end_trial().unwrap().unwrap();
    assert_eq!(ended.ended_by.as_deref(), Some("it was ended by hand"));
    assert_eq!((engine.trial().unwrap(), engine.end_trial().unwrap()), (None, None));
    only_the_first_is_left(folder.path());
    // The same log again: another candidate with a number of its own.
    let again = learn(&engine, &unproved_round());
    assert_eq!((again.gate.decision, again.trial.unwrap().candidate.0), (Decision::OnTrial, 3));
    engine.close().unwrap();
    // An older program takes the folder for garbage; the file alone is no trial.
    std::fs::remove_file(folder.path().join("index/trial.json")).unwrap();
    let engine = open(folder.path());
    assert_eq!((engine.trial().unwrap(), generations(folder.path()).len()), (None, 1));
    engine.close().unwrap();
}

/// People pick what the candidate ranks lower, until nothing speaks for it.
fn unconvince(engine: &Engine) -> TrialReport {
    for visit in 0..40 {
        let session = format!("against {visit}");
        let query = Query::new(new_query(visit % TOPICS.len())).with_session(session);
        let answer = engine.search(&query).unwrap();
        let shown = engine.last_query().unwrap().unwrap().hits.into_iter();
        let falls =
            shown.max_by_key(|hit| hit.standing.map(|at| i64::from(at.candidate) - i64::from(at.serving)));
        engine.judge(answer.query_id, &falls.unwrap().document, Verdict::Opened).unwrap();
        engine.advance_trial(ALL).unwrap();
        let trial = engine.trial().unwrap().unwrap();
        if trial.better <= 1.0 {
            return trial;
        }
    }
    panic!("{:?}", engine.trial());
}

#[test]
fn a_candidate_that_knows_more_takes_the_place_of_one_that_users_do_not_prefer() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, first) = on_trial(folder.path());
    let begun = first.trial.unwrap();
    assert!(begun.better > 1.0, "the held-out queries speak for it: {begun:?}");
    // Learns nothing new, and is no round for a trial.
    let fusion = unproved_round().with_tiers(&[Tier::Fusion]);
    let waits = |options: &LearnOptions| {
        let gate = learn(&engine, options).gate;
        let reason = "the generation of an earlier round is on trial";
        gate.decision == Decision::Skipped && gate.reason.starts_with(reason)
    };
    visits(&engine, 0, 2, "answer");
    engine.advance_trial(ALL).unwrap();
    say_again(&engine, 200);
    assert!(waits(&fusion), "it is ahead");
    let before = unconvince(&engine);
    assert!(!waits(&fusion) && waits(&fusion), "the last one has read the log");
    say_again(&engine, 500);

    let larger = learn(&engine, &unproved_round());
    assert_eq!(larger.gate.decision, Decision::OnTrial, "{}", larger.gate.reason);
    let trial = larger.trial.unwrap();
    assert_eq!((trial.candidate.0, trial.votes, trial.not_better), (begun.candidate.0 + 1, 0, 1.0));
    let replaced = engine.rounds().unwrap().into_iter().find(|round| round.round == first.round).unwrap();
    assert_eq!(replaced.gate.decision, Decision::Rejected);
    let ended = replaced.trial.unwrap();
    assert_eq!(ended.ended_by.as_deref(), Some("a round that knows more took its place"));
    assert_eq!((ended.votes, ended.better), (before.votes, before.better));
    engine.close().unwrap();
    let engine = open(folder.path());
    engine.advance_trial(ALL).unwrap();
    assert_eq!(engine.trial().unwrap(), Some(trial), "it survives a restart");
    // The log has to grow again.
    unconvince(&engine);
    say_again(&engine, 99);
    assert_eq!(learn(&engine, &unproved_round()).gate.decision, Decision::Skipped);
    say_again(&engine, 500);
    assert_ne!(learn(&engine, &unproved_round()).gate.decision, Decision::Skipped);
    engine.close().unwrap();
}

#[test]
fn what_users_decide_while_a_round_runs_comes_first() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, first) = on_trial(folder.path());
    unconvince(&engine);
    say_again(&engine, 200);
    let mut asked = 0;
    // The gate would publish whatever is not worse.
    let round = engine.learn(&unproved_round().with_significance(None), &mut |_| {
        // Fails once they have decided: no trial ends while a round runs.
        while asked < 1000 && engine.advance_trial(ALL).is_ok() {
            visits(&engine, 100 + asked, 16, "answer");
            asked += 16;
        }
        ControlFlow::Continue(())
    });
    let round = round.unwrap();
    assert_eq!((round.gate.decision, round.tier, round.generation.0), (Decision::Rejected, None, 1));
    assert!(round.gate.reason.starts_with("users prefer the generation that is on trial already; "));
    assert!(round.trial.is_none());
    engine.advance_trial(ALL).unwrap();
    assert_eq!(engine.status().unwrap().generation.id, first.trial.unwrap().candidate);
    engine.close().unwrap();
}

#[test]
fn a_candidate_follows_the_documents() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, _) = on_trial(folder.path());
    assert!(is_interleaved(&engine, TOPICS[2]));
    engine.add(vec![Document::new("new", "a towline of hemp parts without warning")]).unwrap();
    engine.remove(&["ask0"]).unwrap();
    engine.advance_trial(0).unwrap();
    let answer = engine.search(&Query::new("towline hemp").with_limit(40)).unwrap();
    let logged = engine.last_query().unwrap().unwrap();
    let new = logged.hits.iter().find(|hit| hit.document == "new").unwrap();
    assert!(new.standing.unwrap().candidate <= answer.hits.len() as u32, "{new:?}");
    assert!(answer.hits.iter().all(|hit| hit.document != "ask0"));
    engine.close().unwrap();
}

#[test]
fn the_same_query_gets_the_same_list_and_its_pages_show_each_document_once() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, _) = on_trial(folder.path());
    let ids = |query: &Query| -> Vec<String> {
        engine.search(query).unwrap().hits.into_iter().map(|hit| hit.document).collect()
    };
    let query = Query::new(TOPICS[3]).with_limit(6).with_session("s");
    // As one types nothing is logged; what is picked from is the same.
    assert_eq!(ids(&query), ids(&query.clone().without_logging()));
    let first = engine.search(&query).unwrap();
    let second = engine.search(&query.next_page(&first)).unwrap();
    let both: Vec<&str> = first.hits.iter().chain(&second.hits).map(|hit| hit.document.as_str()).collect();
    assert_eq!(both, ids(&query.clone().with_limit(12).without_logging()));
    assert_eq!(second.hits[0].rank, 7);
    // Whatever a page shows is highlighted as it would be without a trial.
    let all = engine.search(&query.clone().with_limit(40).without_trial().without_logging()).unwrap();
    for hit in first.hits.iter().chain(&second.hits) {
        let other = all.hits.iter().find(|other| other.document == hit.document);
        assert_eq!(other.map(|other| &other.highlights), Some(&hit.highlights));
    }
    assert!(first.hits.iter().any(|hit| !hit.highlights.is_empty()));
    let plain = engine.search(&query.clone().without_highlights().without_logging()).unwrap();
    assert!(plain.hits.iter().all(|hit| hit.highlights.is_empty()));
    // The serving generation alone, where that is asked for, and for agents.
    let alone = ids(&query.clone().without_trial());
    assert_eq!(alone, ids(&query.clone().with_session("agent:claude:1")));
    let engine_without = Reader::open(folder.path().join("index"), options()).unwrap();
    let read: Vec<String> =
        engine_without.search(&query).unwrap().hits.into_iter().map(|hit| hit.document).collect();
    assert_eq!(alone, read, "readers have no trials");
    assert_eq!(engine_without.trial().unwrap(), engine.trial().unwrap(), "but see them");
    engine.close().unwrap();
}

#[test]
fn a_share_of_the_searches_is_interleaved_and_none_without_trials() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, _) = on_trial(folder.path());
    engine.close().unwrap();
    let count = |share: f64| {
        let engine = Engine::open(folder.path().join("index"), trials().with_trial_share(share)).unwrap();
        engine.advance_trial(0).unwrap();
        let found = (0..200).filter(|at| is_interleaved(&engine, &format!("{} {at}", TOPICS[4]))).count();
        engine.close().unwrap();
        found
    };
    assert_eq!((count(0.0), count(1.0)), (0, 200));
    let half = count(0.5);
    assert!((70..130).contains(&half), "{half}");
    let error = Engine::open(folder.path().join("index"), trials().with_trial_share(1.5)).unwrap_err();
    assert!(error.to_string().contains("the share of searches on trial"), "{error}");
}

#[test]
fn what_was_learnt_is_no_vote_and_without_a_session_the_same_text_votes_once() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, _) = on_trial(folder.path());
    for _ in 0..3 {
        let answer = engine.search(&Query::new(new_query(5))).unwrap();
        engine.judge(answer.query_id, "answer5", Verdict::Chosen).unwrap();
    }
    // A pick that is taken back, and one that was not shown by both, are no votes.
    let answer = engine.search(&Query::new(new_query(6))).unwrap();
    engine.judge(answer.query_id, "answer6", Verdict::Opened).unwrap();
    engine.judge(answer.query_id, "answer6", Verdict::Withdrawn).unwrap();
    let alone = engine.search(&Query::new(new_query(7)).without_trial()).unwrap();
    engine.judge(alone.query_id, "answer7", Verdict::Chosen).unwrap();
    engine.advance_trial(ALL).unwrap();
    assert_eq!(engine.trial().unwrap().unwrap().votes, 1);
    // Of the queries that were judged before only those vote that were held out.
    for (at, topic) in TOPICS.iter().enumerate() {
        let answer = engine.search(&Query::new(*topic).with_session(format!("other {at}"))).unwrap();
        engine.judge(answer.query_id, &format!("answer{at}"), Verdict::Chosen).unwrap();
    }
    engine.advance_trial(ALL).unwrap();
    let votes = engine.trial().unwrap().unwrap().votes;
    assert!((3..10).contains(&votes), "three in ten of {}: {votes}", TOPICS.len());
    engine.close().unwrap();
}

#[test]
fn a_backup_has_the_trial_too() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, _) = on_trial(folder.path());
    visits(&engine, 0, 3, "answer");
    engine.advance_trial(ALL).unwrap();
    let before = engine.trial().unwrap();
    engine.backup(folder.path().join("copy")).unwrap();
    engine.close().unwrap();
    let copy = Engine::open(folder.path().join("copy"), trials()).unwrap();
    assert_eq!((copy.trial().unwrap(), before.as_ref().map(|trial| trial.votes)), (before.clone(), Some(3)));
    copy.advance_trial(0).unwrap();
    assert!(is_interleaved(&copy, TOPICS[8]));
    copy.close().unwrap();
}

#[test]
fn a_rollback_ends_a_trial() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    engine.add(pages()).unwrap();
    judge_pages(&engine);
    // A generation that is hardly another one, and not worse.
    let train = quick_round().train.with_learning_rate(1e-9);
    publish(&engine, &quick_round().with_train(train).with_tiers(&[Tier::Encoder]), Tier::Encoder);
    let next = learn(&engine, &unproved_round());
    let ids = next.trial.map(|trial| (trial.serving.0, trial.candidate.0));
    assert_eq!(ids, Some((2, 3)), "{}", next.gate.reason);
    assert_eq!(engine.rollback().unwrap().0, 1);
    let ended = engine.rounds().unwrap().pop().unwrap();
    assert_eq!(ended.trial.unwrap().ended_by.as_deref(), Some("another generation serves"));
    assert_eq!((ended.gate.decision, engine.trial().unwrap()), (Decision::Rejected, None));
    only_the_first_is_left(folder.path());
    engine.close().unwrap();
}
