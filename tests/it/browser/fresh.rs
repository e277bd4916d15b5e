//! Results whose documents change under them.

use super::stand::Stand;

const FIRST: &str = "document.querySelector('.hit').dataset.document";
const HAS_NEW: &str = "document.querySelector('.hit[data-document=\"new.md\"]') !== null";
/// Nothing more changes.
const READ: &str = "answered('status').then(({ documents, coverage }) =>
    documents === 7 && coverage.covered === coverage.chunks)";
const NEW: &str = "# Ropes\n\nFrayed ropes are whipped, and ropes that part are spliced ashore.\n";

#[test]
fn results_that_nobody_has_touched_follow_the_documents() {
    let Some(mut stand) = Stand::open() else { return };
    stand.search("frayed ropes");
    assert_eq!(stand.asked(1), ["frayed ropes"]);
    stand.write("new.md", NEW);
    stand.page.wait(HAS_NEW);
    assert_eq!(
        stand.page.eval("document.activeElement.id + document.activeElement.value"),
        "queryfrayed ropes"
    );
    assert_eq!(stand.page.eval("document.querySelector('.stale')"), serde_json::Value::Null);
    assert_eq!(stand.asked(1).len(), 1, "nobody has asked again");
    // What is picked now was shown by another answer.
    stand.page.click(".hit[data-document=\"new.md\"] [data-verdict=chosen]");
    stand.expect("new.md", Some("chosen"));
    assert_eq!(stand.asked(2), ["frayed ropes", "frayed ropes"]);
    stand.end();
}

#[test]
fn who_has_moved_into_the_results_is_asked_first() {
    let Some(mut stand) = Stand::open() else { return };
    stand.search("frayed ropes");
    stand.page.press("ArrowDown");
    let focused = "document.activeElement.closest('.hit')?.dataset.document";
    let first = stand.page.eval(FIRST);
    assert_eq!(stand.page.eval(focused), first);
    stand.write("new.md", NEW);
    stand.page.wait("document.querySelector('.stale') !== null");
    stand.wait(READ);
    assert_eq!((stand.page.eval(focused), stand.page.eval(HAS_NEW)), (first.clone(), false.into()));
    stand.page.press("r");
    stand.page.wait(HAS_NEW);
    assert_eq!(stand.page.eval(focused), first);
    assert_eq!(stand.page.eval("document.querySelector('.stale')"), serde_json::Value::Null);
    stand.end();
}

#[test]
fn results_stay_as_they_were_behind_a_document() {
    let Some(mut stand) = Stand::open() else { return };
    stand.search("frayed ropes");
    stand.page.click(".hit .hit-title");
    stand.page.wait("!document.getElementById('view-reader').hidden");
    stand.write("new.md", NEW);
    stand.page.wait("document.querySelector('.stale') !== null");
    stand.wait(READ);
    stand.page.press("Escape");
    stand.page.wait("!document.getElementById('view-search').hidden");
    assert_eq!(stand.page.eval(HAS_NEW), false);
    stand.page.click(".stale button");
    stand.page.wait(HAS_NEW);
    stand.end();
}

#[test]
fn a_change_that_no_result_shows_is_not_told() {
    let Some(mut stand) = Stand::open() else { return };
    // Only source code: a text among the documents is not found by its meaning either.
    stand.go("?q=sulking+pump&type=code");
    stand.page.wait("document.querySelectorAll('.hit').length === 1");
    // Counts what is asked because of a change.
    stand.page.eval(
        "window.asked = 0; new PerformanceObserver((list) => {
        window.asked += list.getEntries().filter(({ name }) => name.includes('log=false')).length;
        }).observe({ type: 'resource' })",
    );
    stand.page.eval("window.first = document.querySelector('.hit')");
    stand.write("new.txt", "Nothing of this stands in a file of that type.\n");
    stand.page.wait("window.asked > 0");
    assert_eq!(stand.page.eval("document.querySelector('.hit') === window.first"), true);
    assert_eq!(stand.page.eval("document.querySelector('.stale')"), serde_json::Value::Null);
    stand.end();
}
