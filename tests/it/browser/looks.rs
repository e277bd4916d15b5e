//! Dark screens, phones, less motion.

use super::chromium::Screen;
use super::stand::Stand;

/// Every view, as what stands behind `/`, and what it shows when it is there.
pub const VIEWS: [(&str, &str); 5] = [
    ("", ".ways"),
    ("?q=kettle+vinegar", ".hit"),
    ("?q=kettle+vinegar&document=kettle.md", ".document"),
    ("?view=learning", ".log .question"),
    ("?view=index", ".documents tbody tr"),
];

/// Whether something is there.
pub fn shows(selector: &str) -> String {
    format!("document.querySelector('{selector}') !== null")
}

#[test]
fn nothing_is_wider_than_a_phone() {
    let Some(mut stand) = Stand::open() else { return };
    stand.page.show_on(Screen::PHONE);
    for (view, shown) in VIEWS {
        stand.go(view);
        stand.page.wait(&shows(shown));
        assert_eq!(stand.page.eval("document.documentElement.scrollWidth"), 390, "{view}");
        // Fingers are wider than pointers.
        let small = stand.page.eval(
            "[...document.querySelectorAll('.hit-actions *:is(button, a), .chip')]
            .map(it => it.getBoundingClientRect().height).filter(height => height > 0 && height < 30)",
        );
        assert_eq!(small.as_array().unwrap().len(), 0, "{view}: {small}");
    }
    stand.end();
}

#[test]
fn a_dark_screen_gets_a_dark_page() {
    let Some(mut stand) = Stand::open() else { return };
    let paper = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)[0]";
    stand.page.show_on(Screen::DESK);
    assert!(stand.page.eval(paper).as_u64().unwrap() > 240);
    stand.page.show_on(Screen::DESK.dark());
    assert!(stand.page.eval(paper).as_u64().unwrap() < 40);
    stand.end();
}

#[test]
fn who_wants_less_motion_gets_none() {
    let Some(mut stand) = Stand::open() else { return };
    let features = serde_json::json!([{ "name": "prefers-reduced-motion", "value": "reduce" }]);
    stand.page.call("Emulation.setEmulatedMedia", serde_json::json!({ "features": features }));
    stand.search("ropes");
    stand.page.click(".hit [data-verdict=chosen]");
    stand.page.wait("!document.getElementById('toast').hidden");
    assert_eq!(stand.page.eval("document.getAnimations().length"), 0);
    stand.end();
}
