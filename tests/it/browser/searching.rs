//! Results while one types, filters, addresses.

use super::stand::Stand;

#[test]
fn results_come_while_one_types_and_only_the_query_that_rests_is_logged() {
    let Some(mut stand) = Stand::open() else { return };
    stand.search("kettle vinegar");
    let title = stand.page.text(".hit-title");
    assert_eq!(title, "The kettle");
    assert!(stand.page.text(".hit-place").contains("kettle.md › Descaling"));
    let marks =
        stand.page.eval("[...document.querySelectorAll('.hit:first-child mark')].map(m => m.textContent)");
    assert!(marks.as_array().unwrap().contains(&"vinegar".into()), "{marks}");
    assert_eq!(stand.asked(1), ["kettle vinegar"]);
    let session = stand.ask("log")["queries"][0]["session"].clone();
    assert!(session.as_str().is_some_and(|session| session.len() > 8), "{session}");
    stand.end();
}

#[test]
fn addresses_hold_the_query_its_filters_and_the_view() {
    let Some(mut stand) = Stand::open() else { return };
    stand.search("lamp river");
    stand.page.wait("location.search === '?q=lamp+river'");
    stand.page.wait("document.querySelector('[data-chip=\"type-code\"]') !== null");
    stand.page.click("[data-chip=\"type-code\"]");
    stand.page.wait("location.search === '?q=lamp+river&type=code'");
    stand
        .page
        .wait("[...document.querySelectorAll('.hit')].every(hit => hit.dataset.document.endsWith('.rs'))");
    stand.page.click(".views a[data-route=index]");
    stand.page.wait("document.querySelector('.documents tbody tr') !== null");
    stand.page.eval("history.back()");
    stand
        .page
        .wait("location.search.endsWith('type=code') && !document.getElementById('view-search').hidden");
    stand.page.eval("history.back()");
    stand.page.wait("location.search === '?q=lamp+river' && document.querySelectorAll('.hit').length > 1");
    // As somebody else opens it.
    stand.go("?q=lamp+river&document=letters%2Flamp.md");
    stand.page.wait("document.querySelector('.document h1')?.textContent === 'Lamp'");
    assert_eq!(stand.page.eval("document.getElementById('query').value"), "lamp river");
    stand.end();
}

#[test]
fn a_reload_does_not_ask_again() {
    let Some(mut stand) = Stand::open() else { return };
    stand.search("rope splicing");
    stand.page.wait("history.state?.query_id");
    stand.page.call("Page.reload", serde_json::json!({}));
    stand.page.wait("document.readyState === 'complete' && document.querySelectorAll('.hit').length > 0");
    stand.page.press("ArrowDown");
    stand.page.press("+");
    stand.expect("letters/rope.md", Some("chosen"));
    assert_eq!(stand.asked(1).len(), 1);
    stand.end();
}

#[test]
fn what_is_like_a_document_is_found_and_not_logged() {
    let Some(mut stand) = Stand::open() else { return };
    stand.search("boots soles");
    stand.asked(1);
    stand.page.click(".hit[data-document=\"boots.md\"] a[aria-label=\"More like this\"]");
    stand.page.wait("location.search.startsWith('?like=boots.md')");
    stand.page.wait("document.querySelector('.like')?.innerText === 'More like boots.md'");
    stand.page.wait("document.querySelectorAll('.hit').length > 1");
    assert_eq!(stand.asked(1).len(), 1);
    stand.end();
}

#[test]
fn an_empty_index_and_a_query_without_results_are_said() {
    let Some(mut stand) = Stand::over(&[]) else { return };
    stand.page.wait("document.querySelector('.summary')?.innerText.includes('Nothing is indexed yet.')");
    stand.page.write("anything");
    stand.page.wait("document.querySelector('.about .empty')?.innerText.includes('Nothing found.')");
    stand.go("?view=learning");
    stand.page.wait("document.querySelector('.rounds')?.innerText.includes('No round yet.')");
    stand.go("?view=index");
    stand.page.wait("document.getElementById('view-index').innerText.includes('Nothing is indexed yet.')");
    stand.end();
}

#[test]
fn a_service_that_is_gone_is_missed_in_plain_words() {
    let Some(mut stand) = Stand::open() else { return };
    stand.search("gate pointer");
    stand.stop();
    stand.page.wait("!document.getElementById('gone').hidden");
    assert!(stand.page.text("#gone").starts_with("The service is gone."));
    stand.page.write("s");
    stand.page.wait("document.querySelector('.about .error')?.innerText === 'The service does not answer.'");
}
