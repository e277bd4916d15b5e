//! Tests of finding impressions by their ids, by the beginnings of these, and by time.

use super::super::ids::{Ids, file_of};
use super::*;

/// A sealed segment with impressions 0 to 39, and live ones with 40 to 49.
fn sealed_and_live(folder: &Path) -> FeedbackLog {
    let log = open(folder);
    (0..40).for_each(|id| log.log_impression(impression(id, "q")));
    log.close().unwrap();
    let log = open(folder);
    (40..50).for_each(|id| log.log_impression(impression(id, "q")));
    log.append_judgement(judgement(3, "d")).unwrap();
    log
}

#[test]
fn a_query_is_found_in_sealed_and_in_live_segments() {
    let folder = tempfile::tempdir().unwrap();
    let log = sealed_and_live(folder.path());
    let list = file_of(&folder.path().join("000001.log"));
    assert!(list.exists(), "sealing lists the ids");
    for id in 0..50 {
        assert_eq!(log.find_impression(QueryId(id)).unwrap(), Some(impression(id, "q")));
    }
    assert_eq!(log.find_impression(QueryId(50)).unwrap(), None);
    assert_eq!(log.latest_impression().unwrap(), Some(impression(49, "q")));
}

#[test]
fn a_list_of_ids_that_is_missing_damaged_or_of_other_content_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let log = sealed_and_live(folder.path());
    let sealed = folder.path().join("000001.log");
    let list = file_of(&sealed);
    let right = fs::read(&list).unwrap();
    let whole = Ids::of(&opened(&sealed)).unwrap();
    let found = |what: &str| {
        assert_eq!(log.find_impression(QueryId(7)).unwrap(), Some(impression(7, "q")), "{what}");
        assert_eq!(Ids::of(&opened(&sealed)).unwrap(), whole, "{what}");
        assert!(fs::read(&list).unwrap() == right, "{what}");
    };
    fs::remove_file(&list).unwrap();
    found("missing");
    for at in 0..right.len() {
        let mut wrong = right.clone();
        wrong[at] ^= 1;
        fs::write(&list, &wrong).unwrap();
        if at % 50 == 0 {
            found("damaged");
        } else {
            assert_eq!(Ids::of(&opened(&sealed)).unwrap(), whole, "byte {at}");
        }
    }
    for length in [0, 31, 32, 50, right.len() - 1] {
        fs::write(&list, &right[..length]).unwrap();
        found("cut short");
    }
    // Forgetting replaces the segment under the same name.
    log.forget_query_id(QueryId(7), WAIT).unwrap();
    for path in segments(folder.path()) {
        fs::write(file_of(&path), &right).unwrap();
    }
    assert_eq!(log.find_impression(QueryId(7)).unwrap(), None);
    assert_eq!(log.find_impression(QueryId(8)).unwrap(), Some(impression(8, "q")));
}

#[test]
fn ids_are_found_by_their_beginnings() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    let all = [0x10, 0x1f, 0x20, u64::MAX].map(|top: u64| if top == u64::MAX { top } else { top << 56 });
    log.log_impression(Impression { query_id: QueryId(all[0]), ..impression(0, "q") });
    log.close().unwrap();
    let log = open(folder.path());
    for id in &all[1..] {
        log.log_impression(Impression { query_id: QueryId(*id), ..impression(0, "q") });
    }
    let found = |digits: &str| {
        let found = log.ids_within(&QueryId::beginning_with(digits).unwrap(), 3).unwrap();
        found.into_iter().map(|id| id.0).collect::<Vec<_>>()
    };
    assert_eq!(found("1"), all[..2]);
    assert_eq!(found("10"), all[..1]);
    assert_eq!(found("2"), all[2..3]);
    assert_eq!(found("ffff"), all[3..]);
    assert!(found("3").is_empty());
}

#[test]
fn records_stand_in_the_order_of_time_and_those_of_one_handle_as_it_wrote_them() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (open(folder.path()), open(folder.path()));
    let at = |time_ms, id| Impression { time_ms, ..impression(id, "q") };
    // The clock of the first is set back by an hour.
    [at(10_000, 0), at(30_000, 1), at(6_000, 2)].into_iter().for_each(|one| first.log_impression(one));
    [at(20_000, 3), at(40_000, 4)].into_iter().for_each(|one| second.log_impression(one));
    first.flush().unwrap();
    second.flush().unwrap();
    let order = [0, 3, 1, 2, 4];
    assert_eq!(ids(&first.replay().unwrap()), order);
    drop(open(folder.path()));
    assert_eq!(segments(folder.path()).len(), 1);
    assert_eq!(ids(&first.replay().unwrap()), order, "sealing keeps the order");
}
