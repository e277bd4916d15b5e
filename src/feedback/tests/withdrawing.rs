//! Tests of openings, withdrawals and sessions in the log.

use super::*;

fn said(id: u64, verdict: Verdict) -> Judgement {
    Judgement { verdict, ..judgement(id, "first document") }
}

fn verdicts(log: &FeedbackLog) -> Vec<Verdict> {
    log.replay().unwrap().judgements.iter().map(|one| one.verdict).collect()
}

#[test]
fn what_other_handles_withdraw_is_counted_off_and_stays_in_order_when_segments_are_merged() {
    let folder = tempfile::tempdir().unwrap();
    let appending = || FeedbackLog::open(folder.path(), FeedbackOptions::default(), Role::Appending).unwrap();
    let (first, second) = (appending(), appending());
    first.log_impression(impression(1, "q"));
    let expected =
        [Verdict::Opened, Verdict::Withdrawn, Verdict::Opened, Verdict::NotRelevant, Verdict::Withdrawn];
    let by_turns = [&first, &second].into_iter().cycle().zip(expected);
    for (time_ms, (log, verdict)) in (5000..).zip(by_turns) {
        log.append_judgement(Judgement { time_ms, ..said(1, verdict) }).unwrap();
    }
    assert_eq!(first.judgements().unwrap(), JudgementCount { said: 3, withdrawn: 2 });
    assert_eq!(first.stats().judgements, 1);
    first.close().unwrap();
    second.close().unwrap();
    for _ in 0..2 {
        let log = open(folder.path());
        assert_eq!(verdicts(&log), expected);
        assert_eq!(JudgementCount::of(&log.replay().unwrap().judgements), log.judgements().unwrap());
        let stats = log.stats();
        assert_eq!(
            (stats.judgements, stats.unknown_records, stats.damaged_bytes, stats.segments),
            (1, 0, 0, 1)
        );
        log.close().unwrap();
    }
}

#[test]
fn more_withdrawals_than_verdicts_count_as_none() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    log.append_judgement(said(1, Verdict::Withdrawn)).unwrap();
    assert_eq!(log.stats().judgements, 0);
    assert_eq!(log.judgements().unwrap().standing(), 0);
}

#[test]
fn openings_and_withdrawals_are_forgotten_with_their_document_and_their_query() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    for id in [1, 2] {
        log.log_impression(Impression { session: Some(format!("visit {id}")), ..impression(id, "q") });
        log.append_judgement(said(id, Verdict::Opened)).unwrap();
        log.append_judgement(said(id, Verdict::Withdrawn)).unwrap();
    }
    assert_eq!(log.forget_query_id(QueryId(1), WAIT).unwrap(), 3);
    assert_eq!(
        (verdicts(&log), ids(&log.replay().unwrap())),
        (vec![Verdict::Opened, Verdict::Withdrawn], vec![2])
    );
    assert_eq!(log.forget_document("first document", WAIT).unwrap(), 3);
    assert_eq!(verdicts(&log), []);
    let left = log.find_impression(QueryId(2)).unwrap().unwrap();
    assert_eq!((left.session.as_deref(), left.hits.len()), (Some("visit 2"), 1));
}
