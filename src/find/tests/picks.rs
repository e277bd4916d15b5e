//! What counts as a pick, and what takes it back.

use std::path::Path;
use std::time::Duration;

use ratatui::crossterm::event::KeyCode;

use super::stand::{Stand, answer, hits};
use crate::error::{Error, Result};
use crate::feedback::Verdict;
use crate::find::event::{Effect, Event, Look};

fn searched() -> Stand {
    let mut finder = Stand::new(80, 24);
    finder.type_in("oil");
    finder.answer(&hits());
    finder
}

/// What was said, as it is sent.
fn said(finder: &mut Stand) -> Vec<(String, Verdict)> {
    finder.judgements().into_iter().map(|one| (one.document, one.verdict)).collect()
}

fn back(finder: &mut Stand, result: Result<Look>) {
    finder.happen(Event::Looked(result));
}

#[test]
fn enter_opens_at_the_line_that_is_shown_and_is_a_pick() {
    let mut finder = searched();
    finder.key(KeyCode::Down);
    finder.read();
    finder.key(KeyCode::Enter);
    let document = "gates/storm-gate-oil.md".to_string();
    // It is logged before it is judged.
    assert!(matches!(finder.effects[0], Effect::Log { .. }), "{:?}", finder.effects);
    assert_eq!(said(&mut finder), [(document.clone(), Verdict::Opened)]);
    let Some(Effect::Open(picked)) = finder.effects.last() else { panic!("{:?}", finder.effects) };
    assert_eq!((&picked.document, &*picked.path), (&document, Path::new("/docs/gates/storm-gate-oil.md")));
    // The passage begins on line 12; the excerpt two lines below, behind the heading.
    assert_eq!((picked.place.line, picked.place.column), (Some(14), Some(1)));
    back(&mut finder, Ok(Look::Ended(Duration::from_secs(60))));
    assert!(said(&mut finder).is_empty());
    assert!(finder.screen().contains("Storm gate › Alarms (opened)"), "{}", finder.screen());
    // Opened again, it is the same pick.
    finder.key(KeyCode::Enter);
    assert!(said(&mut finder).is_empty());
}

#[test]
fn who_comes_back_at_once_did_not_mean_it() {
    let mut finder = searched();
    finder.key(KeyCode::Enter);
    said(&mut finder);
    back(&mut finder, Ok(Look::Ended(Duration::from_millis(3900))));
    assert_eq!(said(&mut finder), [("gates/sea-gate-oil.md".into(), Verdict::Withdrawn)]);
    assert!(finder.screen().contains("You came back at once: not counted."));
    // A window beside the terminal says nothing of how long it is looked at.
    finder.key(KeyCode::Enter);
    back(&mut finder, Ok(Look::Elsewhere));
    assert_eq!(said(&mut finder), [("gates/sea-gate-oil.md".into(), Verdict::Opened)]);
    // What was said by hand stays.
    let mut finder = searched();
    finder.control('y');
    finder.key(KeyCode::Enter);
    back(&mut finder, Ok(Look::Ended(Duration::ZERO)));
    assert_eq!(said(&mut finder), [("gates/sea-gate-oil.md".into(), Verdict::Chosen)]);
    // What could not be opened was not looked at.
    let mut finder = searched();
    finder.key(KeyCode::Enter);
    said(&mut finder);
    back(&mut finder, Err(Error::Closed { doing: "open it" }));
    assert_eq!(said(&mut finder), [("gates/sea-gate-oil.md".into(), Verdict::Withdrawn)]);
    assert!(finder.screen().contains("cannot open it"));
}

#[test]
fn not_this_and_right_answer_can_be_taken_back() {
    let mut finder = searched();
    finder.control('d');
    assert!(finder.screen().contains("Sea gate › Alarms (not this)"), "it stays where it is");
    finder.control('d');
    finder.control('y');
    finder.control('d');
    let document = || "gates/sea-gate-oil.md".to_string();
    assert_eq!(
        said(&mut finder),
        [
            (document(), Verdict::NotRelevant),
            (document(), Verdict::Withdrawn),
            (document(), Verdict::Chosen),
            (document(), Verdict::NotRelevant)
        ]
    );
    assert_eq!(finder.logs().len(), 1);
}

#[test]
fn what_could_not_be_noted_is_not_shown_as_said() {
    let mut finder = searched();
    finder.control('d');
    let judgement = finder.judgements().remove(0);
    finder.happen(Event::Judged { judgement, result: Err(Error::Closed { doing: "judge" }) });
    let screen = finder.screen();
    assert!(
        screen.contains("This was not noted: cannot judge") && !screen.contains("(not this)"),
        "{screen}"
    );
}

#[test]
fn enter_waits_for_the_answer_to_what_is_typed() {
    let mut finder = Stand::new(80, 24);
    finder.type_in("oil");
    finder.key(KeyCode::Enter);
    assert!(!finder.effects.iter().any(|one| matches!(one, Effect::Open(_))));
    finder.answer(&hits());
    assert!(matches!(finder.effects.last(), Some(Effect::Open(_))), "{:?}", finder.effects);
    // Typing on is another wish.
    let mut finder = Stand::new(80, 24);
    finder.type_in("oil");
    finder.key(KeyCode::Enter);
    finder.type_in("s");
    finder.answer(&hits());
    assert!(!finder.effects.iter().any(|one| matches!(one, Effect::Open(_))));
}

#[test]
fn what_an_archive_holds_opens_the_archive() {
    let mut finder = Stand::new(80, 24);
    finder.type_in("oil");
    let mut hits = hits();
    hits[0]["document"] = "letters.zip/2024/oil.md".into();
    let (number, _) = finder.searches().pop().unwrap();
    finder.happen(Event::Found { number, result: Ok(answer(&hits)) });
    let read = finder.effects.iter().find_map(|one| match one {
        Effect::Read(request) => request.passage,
        _ => None,
    });
    let mut text = crate::find::tests::stand::text("letters.zip/2024/oil.md", read.unwrap());
    text.path = Some("/docs/letters.zip".into());
    finder.happen(Event::Read { passage: read.unwrap(), result: Ok(text).into() });
    finder.key(KeyCode::Enter);
    let Some(Effect::Open(picked)) = finder.effects.last() else { panic!("{:?}", finder.effects) };
    assert!(picked.path == Path::new("/docs/letters.zip") && picked.place.is_unknown());
}

#[test]
fn a_pick_may_be_the_result() {
    let mut finder = Stand::new(80, 24);
    finder.state.is_giving = true;
    finder.type_in("oil");
    finder.answer(&hits());
    finder.key(KeyCode::Enter);
    assert_eq!(said(&mut finder), [("gates/sea-gate-oil.md".into(), Verdict::Opened)]);
    assert!(matches!(finder.effects.last(), Some(Effect::Leave(Some(_)))), "{:?}", finder.effects);
}
