//! How confusables come to count as solved or rising, and cease to.

use super::*;

fn meter(encoder: u8, generation: u64, round: u64) -> Meter {
    let options = FollowOptions::default().with_solved_margin(0.2).with_solved_after(2).with_rising_after(2);
    Meter::new(Digest([encoder; 32]), GenerationId(generation), round, options)
}

/// Each round: which encoder serves, as which generation; the margin that it finds; whether the round then has the confusable
/// in its rows. Returns how it stands in each.
fn standings(rounds: &[(u8, u64, f32, bool)]) -> Vec<Standing> {
    let (mut ledger, mut found) = (Ledger::default(), Vec::new());
    let pair = Pair::of("query", "document");
    for (round, &(encoder, generation, margin, in_rows)) in rounds.iter().enumerate() {
        let round = round as u64 + 1;
        let (before, now) = ledger.measure(pair, "text", margin, &meter(encoder, generation, round));
        assert_eq!(before, found.last().copied().unwrap_or(Standing::Open));
        ledger.train(round, |_| in_rows);
        found.push(now);
    }
    found
}

use Standing::{Open, Rising, Solved};

#[test]
fn what_two_encoders_find_far_behind_is_solved_until_one_does_not() {
    let found = standings(&[(1, 1, 0.3, true), (1, 1, 0.3, true), (2, 2, 0.2, true), (3, 3, 0.19, false)]);
    assert_eq!(found, [Open, Open, Solved, Open], "one encoder counts once, in however many rounds");
    assert_eq!(standings(&[(1, 1, 0.3, true), (2, 2, 0.1, true), (3, 3, 0.3, true)]), [Open; 3]);
    // The same encoder, after another answer was judged.
    let found = standings(&[(1, 1, 0.3, true), (2, 2, 0.3, true), (2, 2, 0.1, true), (3, 3, 0.3, true)]);
    assert_eq!(found, [Open, Solved, Open, Open]);
}

#[test]
fn what_comes_nearer_twice_though_trained_against_is_rising_until_that_is_undone() {
    let rising = [(1, 1, 0.1, true), (2, 2, 0.05, true), (3, 3, -0.1, false)];
    assert_eq!(standings(&rising), [Open, Open, Rising]);
    let then = |margin| standings(&[&rising[..], &[(4, 4, margin, false)]].concat())[3];
    assert_eq!((then(-0.2), then(0.09), then(0.1)), (Rising, Rising, Open));
    // Not trained against; not by more than rounding; not in a row; far behind all the same.
    assert_eq!(standings(&[(1, 1, 0.1, false), (2, 2, 0.05, true), (3, 3, -0.1, true)])[2], Open);
    assert_eq!(standings(&[(1, 1, 0.1, true), (2, 2, 0.095, true), (3, 3, 0.0, true)])[2], Open);
    let broken = [(1, 1, 0.1, true), (2, 2, 0.0, true), (3, 3, 0.05, true), (4, 4, -0.1, true)];
    assert_eq!(standings(&broken)[3], Open);
    assert_eq!(standings(&[(1, 1, 0.9, true), (2, 2, 0.19, true), (3, 3, 0.16, true)])[2], Rising);
    assert_eq!(standings(&[(1, 1, 0.9, true), (2, 2, 0.8, true), (3, 3, 0.7, true)])[2], Solved);
}

#[test]
fn a_rollback_is_no_training() {
    // Back from the second generation to the first, and on to a third that was trained from there.
    let found = standings(&[(1, 1, 0.1, true), (2, 2, 0.0, true), (1, 1, -0.2, true), (3, 3, -0.3, true)]);
    assert_eq!(found, [Open, Open, Open, Rising], "it rose with generations 2 and 3 alone");
    let found = standings(&[(2, 2, 0.1, true), (1, 1, 0.0, true), (3, 3, -0.1, true)]);
    assert_eq!(found, [Open; 3], "once is not enough");
}

#[test]
fn a_round_that_did_not_train_leaves_what_is_known_of_the_last_one_that_did() {
    let (mut ledger, pair) = (Ledger::default(), Pair::of("query", "document"));
    let mut measure = |encoder, round, margin, trained: bool| {
        let now = ledger.measure(pair, "text", margin, &meter(encoder, encoder.into(), round)).1;
        if trained {
            ledger.train(round, |_| true);
        }
        now
    };
    measure(1, 1, 0.1, true);
    measure(1, 2, 0.1, false);
    measure(2, 3, 0.0, true);
    assert_eq!(measure(3, 4, -0.1, true), Rising);
}

#[test]
fn another_text_of_the_document_begins_anew() {
    let (mut ledger, pair) = (Ledger::default(), Pair::of("query", "document"));
    ledger.measure(pair, "text", 0.3, &meter(1, 1, 1));
    assert_eq!(ledger.measure(pair, "edited", 0.3, &meter(2, 2, 2)), (Open, Open));
    assert_eq!(ledger.measure(pair, "edited", 0.3, &meter(3, 3, 3)), (Open, Solved));
}

/// Three confusables of two queries.
fn three() -> Ledger {
    let mut ledger = Ledger::default();
    for (query, document) in [("one", "a"), ("one", "b"), ("two", "a")] {
        ledger.measure(Pair::of(query, document), "text", 0.25, &meter(1, 1, 1));
    }
    ledger
}

#[test]
fn the_file_gives_back_what_was_written_and_damage_begins_anew() {
    let folder = tempfile::tempdir().unwrap();
    let file = LedgerFile::new(&folder.path().join("rounds"));
    assert_eq!(file.read().unwrap(), Ledger::default());
    file.write(three()).unwrap();
    assert_eq!(file.read().unwrap(), three());
    let path = folder.path().join("rounds/negatives.json");
    let good = std::fs::read_to_string(&path).unwrap();
    assert!(!good.contains("one") && !good.contains("text"), "texts are not kept: {good}");
    for bad in [good.replace("negatives 1", "negatives 2"), good.replace("0.25", "0.75"), "[]".into()] {
        assert_ne!(bad, good);
        std::fs::write(&path, bad).unwrap();
        assert_eq!(file.read().unwrap(), Ledger::default());
    }
}

#[test]
fn what_is_forgotten_goes_and_does_not_return_with_a_round_that_was_running() {
    let folder = tempfile::tempdir().unwrap();
    let file = LedgerFile::new(folder.path());
    file.forget_query("one").unwrap();
    file.write(three()).unwrap();
    assert_eq!(file.read().unwrap().0.len(), 1, "it was forgotten since the file was read");
    file.write(three()).unwrap();
    assert_eq!(file.read().unwrap(), three());
    file.forget_document("a").unwrap();
    let left = LedgerFile::new(folder.path()).read().unwrap();
    assert_eq!(left.0.keys().collect::<Vec<_>>(), [&Pair::of("one", "b")]);
    file.write(three()).unwrap();
    assert_eq!(file.read().unwrap(), left);
    file.forget_query("one").unwrap();
    assert_eq!(file.read().unwrap(), Ledger::default());
}

#[test]
fn of_too_many_those_that_no_round_measures_any_more_go() {
    let mut ledger = Ledger::default();
    for place in 0..MOST + 2 {
        let round = if place % 10_000 == 7 { 1 } else { 2 };
        ledger.measure(Pair::of("query", &place.to_string()), "text", 0.0, &meter(1, 1, round));
    }
    ledger.drop_oldest();
    assert_eq!(ledger.0.len(), MOST);
    let kept = |place: usize| ledger.0.contains_key(&Pair::of("query", &place.to_string()));
    assert!(!kept(7) && !kept(10_007) && kept(8));
}
