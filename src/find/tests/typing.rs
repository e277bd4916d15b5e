//! Typing, resting, moving: what is asked, and what of it is logged.

use ratatui::crossterm::event::KeyCode;

use super::stand::{Stand, answer, hit, hits};
use crate::error::Error;
use crate::find::event::{Effect, Event};
use crate::search::Mode;

#[test]
fn every_key_asks_and_only_the_latest_answer_counts() {
    let mut finder = Stand::new(80, 24);
    finder.type_in("oil");
    let asked = finder.searches();
    assert_eq!(asked.iter().map(|(_, one)| one.q.as_str()).collect::<Vec<_>>(), ["o", "oi", "oil"]);
    assert!(asked.iter().all(|(_, one)| !one.log && one.session.as_deref() == Some("find:1")));
    finder.happen(Event::Found { number: asked[1].0, result: Ok(answer(&hits())) });
    assert!(finder.state.found.is_none() && finder.state.is_searching());
    finder.happen(Event::Found { number: asked[2].0, result: Ok(answer(&hits())) });
    assert_eq!(finder.state.found.as_ref().unwrap().hits().len(), 3);
    assert!(!finder.state.is_searching());
    // What moves the cursor asks nothing.
    finder.key(KeyCode::Left);
    assert!(finder.searches().is_empty());
    finder.control('u');
    assert_eq!(finder.searches()[0].1.q, "l");
}

#[test]
fn a_query_that_rests_is_logged_once() {
    let mut finder = Stand::new(80, 24);
    finder.type_in("oil");
    finder.answer(&hits());
    finder.wait(900);
    assert!(finder.logs().is_empty());
    assert!(finder.state.waits_until().is_some());
    finder.wait(100);
    let logged = finder.logs();
    assert!(logged.len() == 1 && logged[0].1.q == "oil" && logged[0].1.log);
    assert_eq!(finder.state.waits_until(), None);
    finder.happen(Event::Logged { number: logged[0].0, result: Ok(answer(&hits())) });
    finder.key(KeyCode::Down);
    finder.wait(5000);
    assert!(finder.logs().is_empty());
    // Another query is another question.
    finder.type_in("s");
    finder.answer(&hits());
    finder.wait(1000);
    assert_eq!(finder.logs()[0].1.q, "oils");
}

#[test]
fn whoever_moves_or_reads_on_means_the_query() {
    for key in [KeyCode::Down, KeyCode::Up, KeyCode::Enter] {
        let mut finder = Stand::new(80, 24);
        finder.type_in("oil");
        finder.answer(&hits());
        finder.key(key);
        assert_eq!(finder.logs().len(), 1, "{key:?}");
    }
    let mut finder = Stand::new(80, 14);
    finder.type_in("oil");
    finder.answer(&hits());
    finder.key(KeyCode::PageDown);
    assert_eq!(finder.logs().len(), 1, "a preview of 3 rows goes on");
    let mut finder = Stand::new(80, 24);
    finder.type_in("oil");
    finder.answer(&[]);
    finder.key(KeyCode::Down);
    finder.wait(2000);
    assert!(finder.logs().is_empty(), "nothing was shown");
}

#[test]
fn the_selected_document_stays_when_the_logged_answer_comes() {
    let mut finder = Stand::new(80, 24);
    finder.type_in("oil");
    finder.answer(&hits());
    finder.key(KeyCode::Down);
    let mut others = hits();
    others.insert(0, hit(4, "new.md", "New", "oil"));
    let (number, _) = finder.logs().remove(0);
    finder.happen(Event::Logged { number, result: Ok(answer(&others)) });
    let found = finder.state.found.as_ref().unwrap();
    assert_eq!((found.selected, &*found.hit().unwrap().document), (2, "gates/storm-gate-oil.md"));
    // A failure can be tried again.
    let mut finder = Stand::new(80, 24);
    finder.type_in("oil");
    finder.answer(&hits());
    finder.key(KeyCode::Down);
    let (number, _) = finder.logs().remove(0);
    finder.happen(Event::Logged { number, result: Err(Error::Closed { doing: "search" }) });
    assert!(finder.screen().contains("the engine was closed"));
    finder.key(KeyCode::Down);
    assert_eq!(finder.logs().len(), 1);
}

#[test]
fn the_last_result_brings_more() {
    let mut finder = Stand::new(80, 24);
    finder.type_in("oil");
    let all: Vec<_> = (1..=40).map(|n| hit(n, &format!("{n}.md"), "T", "oil")).collect();
    finder.answer(&all[..20]);
    for _ in 0..25 {
        finder.key(KeyCode::Down);
        finder.read();
    }
    let more: Vec<_> = finder.effects.iter().filter(|one| matches!(one, Effect::More { .. })).collect();
    let [Effect::More { number, request }] = &more[..] else { panic!("{more:?}") };
    assert_eq!(request.offset, 20);
    let number = *number;
    finder.happen(Event::More { number, result: Ok(answer(&all[20..39])) });
    finder.key(KeyCode::Down);
    let found = finder.state.found.as_ref().unwrap();
    assert_eq!((found.hits().len(), found.selected), (39, 20));
    assert!(found.top + finder.state.layout.room() > 20 && !found.is_cut());
}

#[test]
fn words_answer_until_the_model_is_loaded() {
    let mut finder = Stand::loading();
    finder.type_in("oil");
    let asked = finder.searches();
    assert!(asked.iter().all(|(_, one)| one.mode == Mode::Lexical));
    finder.happen(Event::Found { number: asked[2].0, result: Ok(answer(&hits())) });
    assert!(finder.screen().contains("by words; loading the model…"));
    finder.wait(1500);
    assert!(finder.logs().is_empty(), "it is asked again");
    finder.happen(Event::Model(Ok(())));
    assert_eq!(finder.searches()[0].1.mode, Mode::Hybrid);
    // What somebody works with stays.
    let mut finder = Stand::loading();
    finder.type_in("oil");
    finder.answer(&hits());
    finder.key(KeyCode::Down);
    finder.happen(Event::Model(Ok(())));
    assert!(finder.searches().is_empty());
    // Without a model words go on answering.
    let mut finder = Stand::loading();
    finder.happen(Event::Model(Err(Error::Closed { doing: "load the model" })));
    finder.type_in("oil");
    assert_eq!(finder.searches()[0].1.mode, Mode::Lexical);
    finder.answer(&[]);
    assert!(finder.screen().contains("by words alone"));
}

#[test]
fn filters_ask_anew_and_typing_leaves_them() {
    let mut finder = Stand::new(80, 24);
    finder.type_in("oil");
    finder.answer(&hits());
    finder.key(KeyCode::Tab);
    finder.key(KeyCode::Right);
    assert_eq!(finder.searches()[0].1.ext.as_deref(), Some("pdf"));
    assert!(finder.screen().contains("[PDF] [Any time] [Words and meaning]"), "{}", finder.screen());
    finder.key(KeyCode::Tab);
    finder.key(KeyCode::Right);
    assert_eq!(finder.searches()[0].1.after.as_deref(), Some("2024-02-27"));
    // The first Enter closes them.
    finder.key(KeyCode::Enter);
    assert!(finder.state.filters.focus.is_none() && finder.logs().is_empty());
    finder.key(KeyCode::Tab);
    finder.type_in("s");
    let (_, request) = finder.searches().remove(0);
    assert_eq!((&*request.q, request.ext.as_deref()), ("oils", Some("pdf")));
    assert!(finder.state.filters.focus.is_none());
    finder.answer(&[]);
    assert!(finder.screen().contains("Nothing found. The filters leave something out"));
}

#[test]
fn keys_leave_what_is_open_before_the_finder() {
    let mut finder = Stand::new(80, 24);
    finder.key(KeyCode::Char('?'));
    assert!(finder.state.is_helping);
    finder.key(KeyCode::Esc);
    assert!(!finder.state.is_helping && finder.effects.is_empty());
    finder.key(KeyCode::Tab);
    finder.key(KeyCode::Esc);
    assert!(finder.effects.is_empty());
    finder.key(KeyCode::Esc);
    assert_eq!(finder.effects, [Effect::Leave(None)]);
    // A question mark within a query is one.
    let mut finder = Stand::new(80, 24);
    finder.type_in("what?");
    assert_eq!(finder.state.line.text(), "what?");
    for letter in ['c', 'g'] {
        finder.effects.clear();
        finder.control(letter);
        assert_eq!(finder.effects, [Effect::Leave(None)]);
    }
}
