//! axe-core finds nothing serious in any view, on light screens and on dark ones.

use serde_json::Value;

use super::chromium::Screen;
use super::looks::{VIEWS, shows};
use super::stand::Stand;

const AXE: &str = "RETUNE_AXE";
const RUN: &str = "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' | ')))";

#[test]
fn axe_finds_nothing_serious() {
    let Some(script) = std::env::var_os(AXE) else {
        eprintln!("skipped: {AXE} names no script of axe-core");
        return;
    };
    let script = std::fs::read_to_string(script).unwrap();
    let Some(mut stand) = Stand::open() else { return };
    for screen in [Screen::DESK, Screen::DESK.dark(), Screen::PHONE] {
        stand.page.show_on(screen);
        for (view, shown) in VIEWS {
            stand.go(view);
            stand.page.wait(&shows(shown));
            stand.page.eval(&format!("{script}; 0"));
            assert_eq!(stand.page.eval(RUN), Value::Array(Vec::new()), "{view} on {screen:?}");
        }
    }
    stand.page.press("?");
    stand.page.wait(&shows("dialog[open]"));
    assert_eq!(stand.page.eval(RUN), Value::Array(Vec::new()), "the help");
    stand.end();
}
