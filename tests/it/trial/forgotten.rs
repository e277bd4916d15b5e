//! What is forgotten while a generation is on trial.

use retune::{Engine, Query, QueryId, Verdict};

use super::{ALL, new_query, on_trial, only_the_first_is_left, open, visits};
use crate::common::TOPICS;

/// Looks for the answer about a topic in words that nobody has used before, and opens it.
fn visit(engine: &Engine, at: usize, session: Option<&str>) -> QueryId {
    let query = Query::new(new_query(at));
    let query = session.into_iter().fold(query, |query, session| query.with_session(session));
    let answer = engine.search(&query).unwrap();
    engine.judge(answer.query_id, &format!("answer{at}"), Verdict::Opened).unwrap();
    answer.query_id
}

fn votes(engine: &Engine) -> u32 {
    engine.advance_trial(ALL).unwrap();
    engine.trial().unwrap().unwrap().votes
}

#[test]
fn a_need_votes_once_whichever_of_its_queries_are_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, _) = on_trial(folder.path());
    let alone = [visit(&engine, 5, None), visit(&engine, 5, None)];
    let session = [visit(&engine, 6, Some("s")), visit(&engine, 6, Some("s"))];
    assert_eq!(votes(&engine), 2);
    for first in [alone[0], session[0]] {
        engine.forget_query_id(first).unwrap();
    }
    assert_eq!(votes(&engine), 2);
    // What was asked again for the same need after it had voted is known too, and after a restart.
    visit(&engine, 5, None);
    visit(&engine, 6, Some("s"));
    assert_eq!(votes(&engine), 2);
    engine.close().unwrap();
    let engine = open(folder.path());
    for second in [alone[1], session[1]] {
        engine.forget_query_id(second).unwrap();
    }
    assert_eq!(votes(&engine), 2);
    engine.close().unwrap();
}

#[test]
fn a_trial_goes_on_without_a_query_and_ends_when_what_it_was_trained_on_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, _) = on_trial(folder.path());
    visits(&engine, 0, 3, "answer");
    engine.forget_query(TOPICS[0]).unwrap();
    assert_eq!(votes(&engine), 3);
    engine.forget_everything().unwrap();
    // The candidate has learnt these, and nobody knows that any more.
    for (at, topic) in TOPICS.iter().enumerate() {
        let answer = engine.search(&Query::new(*topic).with_session(format!("other {at}"))).unwrap();
        engine.judge(answer.query_id, &format!("answer{at}"), Verdict::Chosen).unwrap();
    }
    engine.advance_trial(ALL).unwrap();
    assert_eq!(engine.trial().unwrap(), None);
    let ended = engine.rounds().unwrap().pop().unwrap().trial.unwrap();
    assert_eq!((ended.votes, ended.outcome), (3, None));
    assert_eq!(ended.ended_by.as_deref(), Some("what it was trained on is no longer in the log"));
    only_the_first_is_left(folder.path());
    engine.close().unwrap();
}
