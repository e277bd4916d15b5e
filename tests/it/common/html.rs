//! Pages that retune draws.

/// Asserts that every tag is closed in order, and that nothing is asked of the network. Returns the ids of the
/// sections.
pub fn check(html: &str) -> Vec<String> {
    let (mut open, mut sections) = (Vec::new(), Vec::new());
    let body = html.strip_prefix("<!DOCTYPE html>").unwrap();
    let mut rest = body;
    while let Some(at) = rest.find('<') {
        let end = rest[at..].find('>').map(|end| at + end).expect("a tag ends");
        let tag = &rest[at + 1..end];
        let name = tag.trim_start_matches('/').split([' ', '/', '\n']).next().unwrap();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "before {}", &rest[..at.min(80)]);
        } else if !tag.ends_with('/') {
            open.push(name);
        }
        if name == "section" && !tag.starts_with('/') {
            sections.push(tag.split('"').nth(1).unwrap().to_string());
        }
        let quotes = tag.matches('"').count();
        assert!(quotes.is_multiple_of(2) && !tag.contains('<'), "{tag}");
        rest = &rest[end + 1..];
    }
    assert_eq!(open, [""; 0], "every tag is closed");
    let without = html.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    for outside in ["http:", "https:", "url(", "@import", "<script", "<link", "src=", "href="] {
        assert!(!without.contains(outside), "the page has {outside}");
    }
    sections
}
