//! The page over an index on a cluster.

use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::chromium::Chromium;
use crate::site::Site;
use crate::support::{handbook, index};

#[test]
fn the_page_shows_what_makes_sense_on_a_cluster() {
    let Some(index) = index("page") else { return };
    let Some(mut page) = Chromium::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    index.migrate(&handbook(folder.path()), 1);
    let site = Site::start(&index);
    page.open(&site.url);
    page.wait("document.querySelector('.summary b') !== null");
    let links = "[...document.querySelectorAll('nav.views a')].map((link) => link.textContent)";
    assert_eq!(page.eval(links), json!(["Search", "Questions", "Index"]));
    page.open(&format!("{}?q=boiler+cleaned", site.url));
    page.wait("document.querySelector('.hit') !== null");
    let shown = "[...document.querySelectorAll('.of-machine')].filter((one) => one.offsetParent).length";
    let hidden = "[...document.querySelectorAll('.of-machine')].length";
    assert!(page.eval(shown) == 0 && page.eval(hidden).as_u64() > Some(0));
    page.click(".hit [data-verdict=chosen]");
    page.wait("document.querySelector('.hit[data-verdict=chosen]') !== null");
    page.click(".hit-title");
    page.wait("document.querySelector('.document .marked') !== null");
    assert_eq!(page.eval(shown), 0);
    // The cluster finds a pick some time after it has it, and the page asks once.
    let is_picked = |page: &mut Chromium| {
        page.open(&format!("{}?view=learning", site.url));
        thread::sleep(Duration::from_secs(1));
        page.eval("document.querySelector('.log .picked') !== null") == true
    };
    assert!((0..20).any(|_| is_picked(&mut page)), "{}", page.text("#view-learning"));
    assert_eq!(page.eval(shown), 0);
    page.open(&format!("{}?view=index", site.url));
    page.wait("document.querySelector('.documents tbody tr') !== null");
    page.wait("document.querySelector('.facts') !== null");
    let facts = page.text(".facts");
    assert!(facts.contains(&index.name) && facts.contains("3; all copies are there"), "{facts}");
    assert_eq!(page.eval(shown), 0);
    assert_eq!(page.complaints, [] as [&str; 0]);
    site.stop();
}
