//! What stands in documents is shown, and never done.

use super::stand::Stand;

const HOSTILE: &str = "# <img src=x onerror=\"window.harmed = 1\">\n\n\
    A hostile page <script>window.harmed = 2</script> with a [link](javascript:window.harmed=3) and \
    ![a picture](http://127.0.0.1:1/seen.png).\n\n<iframe srcdoc=\"<script>top.harmed = 4</script>\"></iframe>\n\n\
    <https://example.org/fine> \"><svg onload=\"window.harmed = 5\">\n";

#[test]
fn html_in_a_document_stays_text() {
    let other = format!("Another. {HOSTILE}");
    let Some(mut stand) = Stand::over(&[("hostile.md", HOSTILE), ("hostile.txt", &other)]) else { return };
    for document in ["hostile.md", "hostile.txt"] {
        stand.go(&format!("?q=hostile+page&document={document}"));
        stand.page.wait("document.querySelector('.document .text')?.innerText.includes('A hostile page')");
        assert!(stand.page.text(".document").contains("<script>window.harmed = 2</script>"));
        let made = "document.querySelectorAll('.text :is(img, script, iframe, svg, object)').length";
        assert_eq!(stand.page.eval(made), 0, "{document}");
        let links = stand.page.eval("[...document.querySelectorAll('.text a')].map(link => link.href)");
        assert!(
            links.as_array().unwrap().iter().all(|link| link.as_str().unwrap().starts_with("https://")),
            "{links}"
        );
        stand.go("?q=hostile+page");
        stand.page.wait("document.querySelectorAll('.hit').length === 2");
        assert_eq!(stand.page.eval("window.harmed ?? null"), serde_json::Value::Null, "{document}");
    }
    stand.end();
}

#[test]
fn a_file_that_is_opened_runs_nothing() {
    let page =
        "<!doctype html><title>before</title><p>A hostile page<script>document.title = 'after'</script>";
    let Some(mut stand) = Stand::over(&[("hostile.html", page)]) else { return };
    stand.page.open(&format!("{}api/v1/file?document=hostile.html", stand.url));
    assert_eq!(stand.page.eval("document.title"), "before");
}
