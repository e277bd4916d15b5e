//! What is learnt from opening, coming back, thumbs.

use std::fs;
use std::path::Path;

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

#[test]
fn the_file_itself_is_opened_in_a_tab_and_that_is_a_pick() {
    let Some(mut stand) = Stand::open() else { return };
    stand.search("ropes splicing");
    stand.page.press("ArrowDown");
    let document = stand.page.eval("document.activeElement.closest('.hit').dataset.document");
    assert_eq!(document, "letters/rope.md");
    stand.page.press("o");
    let file = format!("{}api/v1/file?document=letters%2Frope.md", stand.url);
    while !stand.page.tabs().contains(&file) {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    stand.expect("letters/rope.md", Some("opened"));
    assert_eq!(stand.page.eval("location.search.startsWith('?q=ropes+splicing')"), true, "the results stay");
    stand.end();
}

#[test]
fn a_pdf_is_shown_at_its_page_by_the_browser() {
    let pdf = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/formats/reportlab.pdf");
    let Some(mut stand) = Stand::with(|notes| {
        fs::copy(pdf, notes.join("the book.pdf")).unwrap();
        1
    }) else {
        return;
    };
    // Whatever this browser can show: what it is told to is looked at.
    let has = "Object.defineProperty(navigator, 'pdfViewerEnabled', { get: () => true })";
    stand.page.call("Page.addScriptToEvaluateOnNewDocument", serde_json::json!({ "source": has }));
    let found = stand.ask("search?q=repairs of the stairs&log=false&mode=lexical");
    let (passage, page) = (&found["hits"][0]["passage"], &found["hits"][0]["place"]["page"]);
    assert_eq!(*page, 3, "{found}");
    stand.go(&format!("?q=x&document=the+book.pdf&passage={passage}"));
    stand.page.wait("document.querySelector('iframe.pages') !== null");
    let source = stand.page.eval("document.querySelector('iframe.pages').getAttribute('src')");
    let file = "/api/v1/file?document=the+book.pdf";
    assert_eq!(source, format!("{file}#page={page}&navpanes=0&view=FitH"));
    let sent = stand.page.eval(&format!(
        "fetch('{file}').then(async (sent) => [sent.headers.get('content-type'),
        sent.headers.get('content-disposition'), (await sent.text()).slice(0, 5)])"
    ));
    assert_eq!(
        sent,
        serde_json::json!(["application/pdf", "inline; filename*=UTF-8''the%20book.pdf", "%PDF-"])
    );
    stand.page.click("#view-reader .chips button:last-child");
    stand.page.wait("document.querySelector('.text .marked') !== null");
}
