//! Everything without a mouse.

use super::stand::Stand;

/// What has the focus: the text of a link or button, or the id of a field.
const FOCUSED: &str = "document.activeElement.id || document.activeElement.innerText";

#[test]
fn searching_opening_and_judging_need_no_mouse() {
    let Some(mut stand) = Stand::open() else { return };
    stand.page.eval("document.activeElement.blur()");
    stand.page.press("/");
    assert_eq!(stand.page.eval(FOCUSED), "query");
    stand.page.write("green lamp");
    stand.page.wait("document.querySelector('.hit-title')?.innerText === 'Lamp'");
    stand.page.press("ArrowDown");
    assert_eq!(stand.page.eval(FOCUSED), "Lamp");
    let shadow = "getComputedStyle(document.activeElement.closest('.hit')).boxShadow";
    assert_ne!(stand.page.eval(shadow), "none");
    stand.page.press("ArrowDown");
    assert_eq!(
        stand.page.eval("document.activeElement.closest('li').previousSibling.dataset.document"),
        "letters/lamp.md"
    );
    stand.page.press("-");
    let second = stand.page.eval("document.activeElement.closest('li').dataset.document");
    stand.expect(second.as_str().unwrap(), Some("not_relevant"));
    stand.page.press("-");
    stand.expect(second.as_str().unwrap(), None);
    stand.page.press("ArrowUp");
    stand.page.press("Enter");
    stand.page.wait("document.querySelector('.document h1') === document.activeElement");
    stand.page.press("+");
    stand.expect("letters/lamp.md", Some("chosen"));
    stand.page.press("Escape");
    stand.page.wait("document.activeElement.innerText === 'Lamp'");
    stand.page.press("ArrowUp");
    assert_eq!(stand.page.eval(FOCUSED), "query");
    stand.page.press("Escape");
    stand.page.wait("document.getElementById('query').value === ''");
    stand.end();
}

#[test]
fn enter_goes_to_the_first_result_and_opens_it_only_then() {
    let Some(mut stand) = Stand::open() else { return };
    stand.page.eval("document.getElementById('query').focus()");
    stand.page.write("green lamp");
    stand.page.press("Enter");
    stand.page.wait("document.activeElement.innerText === 'Lamp'");
    assert_eq!(stand.page.eval("document.getElementById('view-reader').hidden"), true);
    stand.page.press("Enter");
    stand.page.wait("!document.getElementById('view-reader').hidden");
    stand.expect("letters/lamp.md", Some("opened"));
    assert_eq!(stand.asked(1).len(), 1);
    stand.end();
}

#[test]
fn the_help_opens_and_gives_the_focus_back() {
    let Some(mut stand) = Stand::open() else { return };
    stand.page.eval("document.querySelector('.views a').focus()");
    stand.page.press("?");
    stand.page.wait("document.querySelector('dialog[open]')?.innerText.includes('This help')");
    stand.page.press("Escape");
    stand.page.wait("document.querySelector('dialog') === null");
    assert_eq!(stand.page.eval(FOCUSED), "Search");
    stand.end();
}

#[test]
fn the_first_tab_skips_the_head() {
    let Some(mut stand) = Stand::open() else { return };
    stand.go("?view=index");
    stand.page.press("Tab");
    assert_eq!(stand.page.eval(FOCUSED), "Skip to the content");
    stand.page.press("Enter");
    stand.page.wait("document.activeElement.id === 'main'");
    stand.end();
}
