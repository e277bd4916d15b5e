//! `page`: what the files of the service's page may not do.

use crate::examples::{accepts, refuses};

/// Where they are.
pub const ASSETS: &str = "src/serve/assets";
/// Those that are read.
pub const EXTENSIONS: [&str; 4] = ["css", "html", "js", "svg"];

/// Ways to have text parsed as HTML or run, or styles that the page's policy forbids.
const PARSERS: [&str; 9] = [
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "setHTMLUnsafe",
    "document.write",
    "DOMParser",
    "eval(",
    "new Function",
    "style=\"",
];
/// What loads from another host, but for the name of SVG.
const LOADERS: [&str; 6] =
    ["src=\"http", "href=\"http", "url(http", "import \"http", "from \"http", "@import"];

/// Checks one file of the page; others are left alone.
pub fn check_page(path: &str, text: &str, found: &mut Vec<String>) {
    if !path.starts_with(ASSETS) {
        return;
    }
    for (line, number) in text.lines().zip(1..) {
        for (words, what) in [(&PARSERS[..], "parses or runs text"), (&LOADERS[..], "loads from elsewhere")] {
            if let Some(word) = words.iter().find(|word| line.contains(*word)) {
                found.push(format!("{path}:{number}: [page] {word} {what}"));
            }
        }
    }
}

#[test]
fn the_page_parses_no_html_and_loads_nothing() {
    refuses("src/serve/assets/app.js", "a();\nb.innerHTML = text;\n", 2, "page");
    refuses("src/serve/assets/index.html", "<p style=\"color: red\">\n", 1, "page");
    refuses(
        "src/serve/assets/style.css",
        "a {}\nb { background: url(https://example.org/x.png); }\n",
        2,
        "page",
    );
    accepts(
        "src/serve/assets/dom.js",
        "const SVG = \"http://www.w3.org/2000/svg\";\nb.textContent = text;\n",
    );
    accepts("docs/guide.md", "Never set innerHTML.\n");
}
