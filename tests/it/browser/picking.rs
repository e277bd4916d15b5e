//! What is learnt from opening, coming back, thumbs.

use super::stand::Stand;

#[test]
fn opening_is_a_pick_and_shows_the_passage_in_its_text() {
    let Some(mut stand) = Stand::open() else { return };
    stand.search("vinegar descaled");
    stand.page.click(".hit[data-document=\"kettle.md\"] .hit-title");
    stand.page.wait("document.querySelector('.marked') !== null");
    assert!(stand.page.text(".marked").contains("descaled with vinegar"));
    // Rendered, not as it is written.
    assert_eq!(stand.page.text(".marked em"), "vinegar");
    assert_eq!(stand.page.text(".prose pre[data-language=sh] code"), "boil --twice");
    assert_eq!(stand.page.eval("document.querySelector('.prose a').rel"), "noopener noreferrer");
    assert_eq!(stand.page.eval("CSS.highlights.get('found').size > 0"), true);
    stand.expect("kettle.md", Some("opened"));
    stand.end();
}

#[test]
fn coming_back_at_once_takes_it_back() {
    let Some(mut stand) = Stand::open() else { return };
    stand.search("vinegar descaled");
    stand.page.click(".hit[data-document=\"kettle.md\"] .hit-title");
    stand.expect("kettle.md", Some("opened"));
    stand.page.press("Escape");
    stand.page.wait("!document.getElementById('view-search').hidden");
    stand.expect("kettle.md", None);
    assert!(stand.page.text("#toast").contains("You came back at once"));
    stand.page.click("#toast button");
    stand.expect("kettle.md", Some("opened"));
    stand.end();
}

#[test]
fn coming_back_after_reading_does_not() {
    let Some(mut stand) = Stand::open() else { return };
    stand.search("vinegar descaled");
    stand.page.click(".hit[data-document=\"kettle.md\"] .hit-title");
    stand.expect("kettle.md", Some("opened"));
    stand.page.eval(
        "(() => { const now = performance.now.bind(performance); performance.now = () => now() + 6e4 })()",
    );
    stand.page.press("Escape");
    stand
        .page
        .wait("document.querySelector('.hit[data-document=\"kettle.md\"]')?.dataset.verdict === 'opened'");
    // Said last: what would have been taken back is in the log by then.
    stand.page.click(".hit[data-document=\"boots.md\"] [data-verdict=not_relevant]");
    stand.expect("boots.md", Some("not_relevant"));
    stand.expect("kettle.md", Some("opened"));
    stand.end();
}

#[test]
fn thumbs_say_it_and_can_be_undone() {
    let Some(mut stand) = Stand::open() else { return };
    stand.search("ropes splicing");
    let up = ".hit[data-document=\"letters/rope.md\"] [data-verdict=chosen]";
    stand.page.click(up);
    stand.expect("letters/rope.md", Some("chosen"));
    assert_eq!(stand.page.eval(&format!("document.querySelector('{up}').ariaPressed")), "true");
    stand.page.click(up);
    stand.expect("letters/rope.md", None);
    assert_eq!(stand.page.eval(&format!("document.querySelector('{up}').ariaPressed")), "false");
    stand.page.click(".hit[data-document=\"boots.md\"] [data-verdict=not_relevant]");
    stand.expect("boots.md", Some("not_relevant"));
    stand.page.click("#toast button");
    stand.expect("boots.md", None);
    stand.end();
}

#[test]
fn what_was_said_by_hand_stays_when_one_comes_back() {
    let Some(mut stand) = Stand::open() else { return };
    stand.search("ropes splicing");
    stand.page.click(".hit[data-document=\"letters/rope.md\"] .hit-title");
    stand.page.wait("document.querySelector('.bar [aria-label=\"The right answer\"]') !== null");
    stand.expect("letters/rope.md", Some("opened"));
    stand.page.press("+");
    stand.expect("letters/rope.md", Some("chosen"));
    stand.page.press("Escape");
    stand.page.click(".hit[data-document=\"boots.md\"] [data-verdict=not_relevant]");
    stand.expect("boots.md", Some("not_relevant"));
    stand.expect("letters/rope.md", Some("chosen"));
    stand.end();
}

#[test]
fn code_is_shown_with_the_numbers_of_its_lines() {
    let Some(mut stand) = Stand::open() else { return };
    stand.search("primes buckets");
    stand.page.click(".hit[data-document=\"pump.rs\"] .hit-title");
    stand.page.wait("document.querySelector('.listing') !== null");
    let lines = stand.page.eval(
        "[...document.querySelectorAll('.line')].map(line => line.dataset.line + ' ' + line.textContent.trimEnd())",
    );
    let lines: Vec<_> = lines.as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    assert!(lines.contains(&"4 fn prime(buckets: u8) -> u8 {"), "{lines:?}");
    assert!(lines.contains(&"5     buckets * 2"), "{lines:?}");
    stand.end();
}
