//! The view of what was learnt: rounds, and forgetting.

use std::ops::ControlFlow;

use retune::learn::Tier;
use retune::{Decision, Engine, Mode, Query};

use super::stand::Stand;
use crate::common::rounds::{learn, publish};
use crate::common::{documents, judge, pages, quick_round};
use crate::serve::site::write_documents;
use crate::trial::{put_on_trial, trials, unproved_round};

const DONE: &str = "document.querySelector('.state .primary')?.disabled === false";

#[test]
fn a_round_can_be_started_and_says_what_it_came_to() {
    let Some(mut stand) = Stand::open() else { return };
    stand.go("?view=learning");
    stand.page.wait(DONE);
    stand.page.click(".state .primary");
    stand.page.wait("document.querySelector('.round h3')?.innerText.startsWith('Round 1')");
    let round = stand.page.text(".round");
    assert!(round.contains("Skipped"), "{round}");
    let reason = stand.ask("rounds")["rounds"][0]["reason"].clone();
    assert!(round.contains(reason.as_str().unwrap()), "{round} / {reason}");
    stand.page.wait(DONE);
    stand.end();
}

#[test]
fn a_query_is_forgotten_after_it_was_asked_whether() {
    let Some(mut stand) = Stand::open() else { return };
    for text in ["kettle vinegar", "green lamp"] {
        stand.ask(&format!("search?q={text}"));
    }
    stand.asked(2);
    stand.go("?view=learning");
    stand.page.click("[aria-label=\"Forget “green lamp”\"]");
    stand.page.wait("document.querySelector('dialog[open]') !== null");
    // Safe by default.
    assert_eq!(stand.page.eval("document.activeElement.innerText"), "Leave it");
    stand.page.press("Enter");
    stand.page.wait("document.querySelector('dialog') === null");
    assert_eq!(stand.asked(2).len(), 2);
    stand.page.click("[aria-label=\"Forget “green lamp”\"]");
    stand.page.click("dialog .danger");
    stand.page.wait("document.querySelectorAll('.question').length === 1");
    assert_eq!(stand.asked(0), ["kettle vinegar"]);
    stand.page.click(".buttons > .danger");
    stand.page.click("dialog .danger");
    stand.page.wait("document.querySelector('.log').innerText === 'Nothing is noted.'");
    assert!(stand.asked(0).is_empty());
    stand.end();
}

#[test]
fn a_document_is_forgotten() {
    let Some(mut stand) = Stand::open() else { return };
    stand.search("green lamp");
    stand.page.click(".hit[data-document=\"letters/lamp.md\"] [data-verdict=chosen]");
    stand.expect("letters/lamp.md", Some("chosen"));
    stand.go("?view=learning");
    stand.page.wait("document.querySelector('#picked-documents option')?.value === 'letters/lamp.md'");
    stand.page.click("#forget-document");
    stand.page.write("letters/lamp.md");
    stand.page.press("Enter");
    stand.page.click("dialog .danger");
    stand.page.wait("!document.getElementById('toast').hidden");
    stand.wait("answered('log').then(({ queries }) => queries.every(({ picked }) => picked.length === 0))");
    stand.end();
}

/// Scrolls through the log, frame by frame, until so many questions have come.
const SCROLL: &str = "new Promise((done) => {
    const box = document.querySelector('.log');
    let [frames, most] = [0, 0];
    const step = () => {
        frames += 1;
        most = Math.max(most, document.querySelectorAll('.question').length);
        box.scrollTop += 500;
        const last = document.querySelector('.log ol:last-of-type');
        if (last.start + last.children.length > 2000) done({ frames, most });
        else requestAnimationFrame(step);
    };
    step();
})";

#[test]
fn a_log_of_ten_thousand_is_scrolled_searched_and_forgotten_from() {
    let Some(mut stand) = Stand::seeded(|engine| {
        for number in 0..10_000 {
            let query = Query::new(format!("walrus {number}")).with_mode(Mode::Lexical);
            engine.search(&query.without_highlights()).unwrap();
        }
    }) else {
        return;
    };
    assert_eq!(stand.ask("status")["log"]["impressions"], 10_000);
    stand.go("?view=learning");
    stand.page.wait("document.querySelectorAll('.question').length === 100");
    assert_eq!(stand.page.text(".question a"), "walrus 9999");
    let scrolled = stand.page.eval(SCROLL);
    // What a frame has to lay out does not grow with the log.
    assert!(scrolled["most"].as_u64().unwrap() <= 500, "{scrolled}");
    // And back: what was left out is there again.
    stand.page.eval("document.querySelector('.log').scrollTop = 0");
    stand.page.wait("document.querySelector('.log li a')?.innerText === 'walrus 9999'");
    stand.page.eval("document.getElementById('find-question').focus()");
    stand.page.write("WALRUS 123");
    stand.page.wait("document.querySelector('.log li a')?.innerText === 'walrus 1239'");
    stand.page.write("4");
    stand.page.wait("document.querySelectorAll('.question').length === 1");
    stand.page.click("[aria-label=\"Forget “walrus 1234”\"]");
    stand.page.click("dialog .danger");
    stand.page.wait("document.querySelector('.log').innerText === 'No question has this.'");
    stand.wait("answered('status').then(({ log }) => log.impressions === 9999)");
    stand.end();
}

#[test]
fn one_stays_where_one_was_when_a_question_is_forgotten() {
    let Some(mut stand) = Stand::seeded(|engine| {
        for number in 0..250 {
            engine.search(&Query::new(format!("walrus {number}")).with_mode(Mode::Lexical)).unwrap();
        }
    }) else {
        return;
    };
    stand.go("?view=learning");
    stand.page.wait("document.querySelectorAll('.question').length >= 100");
    stand.page.eval("document.querySelector('.log').scrollTop = 1e6");
    stand.page.wait("document.querySelector('.log ol:last-of-type').start === 101");
    stand.page.click("[aria-label=\"Forget “walrus 100”\"]");
    stand.page.click("dialog .danger");
    stand.page.wait("document.querySelector('[aria-label=\"Forget “walrus 100”\"]') === null");
    assert!(stand.page.eval("document.querySelector('.log').scrollTop").as_f64().unwrap() > 1000.0);
    assert_eq!(stand.page.eval("document.querySelector('.log') === document.activeElement"), true);
    stand.end();
}

/// What a published round leaves.
fn published(engine: &Engine) {
    for document in documents() {
        let words: Vec<&str> = document.text.split_whitespace().collect();
        for text in [&words[..5], &words[words.len() - 5..]] {
            judge(engine, &text.join(" "), &format!("{}.md", document.id));
        }
    }
    publish(engine, &quick_round().with_tiers(&[Tier::Encoder]), Tier::Encoder);
}

#[test]
fn a_round_is_shown_with_its_plots_and_rolled_back() {
    let Some(mut stand) = Stand::seeded(published) else { return };
    stand.go("?view=learning");
    stand.page.wait("document.querySelector('.round.published h3')?.innerText.startsWith('Round 1')");
    stand.page.click(".round summary");
    stand.page.click(".plots button");
    stand.page.wait("document.querySelector('.plots iframe') !== null");
    assert_eq!(
        stand.page.eval("document.querySelector('.plots iframe').sandbox.length"),
        0,
        "nothing is let in"
    );
    stand.page.wait_in_frame("/api/v1/rounds/1/page", "svg");
    assert_eq!(stand.ask("status")["generation"], 2);
    stand.page.click(".state .buttons button:last-child");
    stand.page.click("dialog .danger");
    stand.wait(
        "answered('status').then(({ generation, can_roll_back }) => generation === 1 && !can_roll_back)",
    );
    // There is nothing before it.
    stand.page.wait("document.querySelector('.state .buttons button:last-child').disabled");
    stand.end();
}

#[test]
fn a_running_round_is_cancelled_and_leaves_nothing() {
    let Some(mut stand) = Stand::seeded(|engine| {
        for number in 0..300 {
            let document = &documents()[number % 8];
            let words: Vec<&str> = document.text.split_whitespace().collect();
            let text =
                format!("{} {} {number}", words[number % words.len()], words[number / 8 % words.len()]);
            judge(engine, &text, &format!("{}.md", document.id));
        }
    }) else {
        return;
    };
    stand.go("?view=learning");
    stand.page.wait(DONE);
    stand.page.click(".state .primary");
    stand.page.wait("!document.querySelector('.progress').hidden");
    stand.page.click(".state .buttons button:nth-child(2)");
    stand.wait("answered('status').then(({ learning }) => learning === null)");
    stand.page.wait(DONE);
    assert_eq!(stand.ask("rounds")["rounds"].as_array().unwrap().len(), 0);
    assert_eq!(stand.ask("status")["generation"], 1);
    stand.end();
}

/// At how many heights the line of the rounds runs.
const HEIGHTS: &str =
    "new Set(document.querySelector('.course path').getAttribute('d').split(/[ML]/).slice(1)
    .map((point) => point.split(' ')[1])).size";

#[test]
fn a_trial_is_told_and_ended_after_it_was_asked_whether() {
    let Some(mut stand) = Stand::with(|notes| {
        write_documents(notes);
        let engine = Engine::open(notes.join(".retune"), trials()).unwrap();
        engine.index_folder(notes, &mut |_| ControlFlow::Continue(())).unwrap();
        put_on_trial(&engine);
        engine.end_trial().unwrap();
        assert_eq!(learn(&engine, &unproved_round()).gate.decision, Decision::OnTrial);
        engine.close().unwrap();
        documents().len() + pages().len()
    }) else {
        return;
    };
    stand.go("?view=learning");
    stand.page.wait("document.querySelector('.on-trial')?.innerText.includes('is on trial')");
    stand.page.wait("document.querySelector('.round .decision')?.innerText === 'On trial'");
    assert!(stand.page.text(".on-trial").ends_with("No pick so far."));
    assert_eq!(stand.page.eval("document.querySelector('.state .primary').hidden"), true);
    // What the held-out questions say of a round that is left to picks is not drawn as a change.
    assert_eq!(stand.page.eval("document.querySelectorAll('.course rect').length"), 2);
    assert_eq!(stand.page.eval(HEIGHTS), 1);
    assert!(stand.page.text(".course figcaption").contains("Squares were left to your picks"));
    assert!(stand.page.text(".round .change").ends_with(", left to picks"));
    stand.page.click(".state .end-trial");
    stand.page.click("dialog .danger");
    stand.wait("answered('status').then(({ trial }) => trial === null)");
    stand.page.wait("document.querySelector('.on-trial').hidden");
    stand.page.wait("document.querySelector('.round .decision')?.innerText === 'Not kept'");
    stand.end();
}
