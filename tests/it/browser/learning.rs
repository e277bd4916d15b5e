//! The view of what was learnt: rounds, and forgetting.

use super::stand::Stand;

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
    stand.page.wait("document.querySelector('.questions').innerText === 'Nothing is noted.'");
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

#[test]
fn a_long_log_is_shown_in_pages() {
    let Some(mut stand) = Stand::open() else { return };
    for number in 0..60 {
        stand.ask(&format!("search?q=lamp+{number}"));
    }
    stand.asked(60);
    stand.go("?view=learning");
    stand.page.wait("document.querySelectorAll('.question').length === 20");
    stand.page.click(".questions + .more button");
    stand.page.wait("document.querySelectorAll('.question').length === 40");
    stand.end();
}
