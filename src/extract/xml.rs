//! XML within bounds, by local names: the same element has several namespaces over the years.

use roxmltree::{Document, Error, Node, ParsingOptions};

use super::Unreadable;

/// A node takes some 70 bytes of memory.
const MOST_NODES: u32 = 2_000_000;

/// Each attribute takes some 60 bytes of memory.
const MOST_ATTRIBUTES: usize = 4_000_000;

/// Readers recurse. Word and LibreOffice stay below 100.
const DEEPEST: usize = 256;

/// Refuses what declares entities: they are how a small file becomes a large text.
pub(super) fn parse(text: &str) -> Result<Document<'_>, Unreadable> {
    if text.contains("<!ENTITY") {
        return Err(Unreadable::Malformed("expected XML without entities of its own, found <!ENTITY".into()));
    }
    if text.bytes().filter(|&byte| byte == b'=').count() > MOST_ATTRIBUTES {
        return Err(Unreadable::TooLarge(format!("XML with more than {MOST_ATTRIBUTES} attributes")));
    }
    let options = ParsingOptions { allow_dtd: true, nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|error| match error {
        Error::NodesLimitReached => Unreadable::TooLarge(format!("XML with more than {MOST_NODES} nodes")),
        error => Unreadable::Malformed(format!("could not parse XML: {error}")),
    })?;
    match is_deeper(&document) {
        true => Err(Unreadable::TooLarge(format!("XML with elements more than {DEEPEST} deep"))),
        false => Ok(document),
    }
}

fn is_deeper(document: &Document<'_>) -> bool {
    let (mut node, mut depth) = (document.root(), 0);
    loop {
        if let Some(child) = node.first_child() {
            (node, depth) = (child, depth + 1);
            if depth > DEEPEST {
                return true;
            }
            continue;
        }
        loop {
            if let Some(next) = node.next_sibling() {
                node = next;
                break;
            }
            match node.parent() {
                Some(parent) => (node, depth) = (parent, depth - 1),
                None => return false,
            }
        }
    }
}

/// The local name; empty if `node` is no element.
pub(super) fn name<'a>(node: Node<'a, '_>) -> &'a str {
    node.tag_name().name()
}

/// The attribute of this local name.
pub(super) fn attribute<'a>(node: Node<'a, '_>, local: &str) -> Option<&'a str> {
    node.attributes().find(|attribute| attribute.name() == local).map(|attribute| attribute.value())
}

/// The first child of this local name.
pub(super) fn child<'a, 'i>(node: Node<'a, 'i>, local: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| name(*child) == local)
}

/// The first child that `path` leads to.
pub(super) fn descend<'a, 'i>(node: Node<'a, 'i>, path: &[&str]) -> Option<Node<'a, 'i>> {
    path.iter().try_fold(node, |node, local| child(node, local))
}

/// Whether an element that is on or off is on: it is there, and its value is not a no.
pub(super) fn is_on(node: Option<Node<'_, '_>>) -> bool {
    node.is_some_and(|node| !matches!(attribute(node, "val"), Some("0" | "false" | "off")))
}

/// All text within.
pub(super) fn text_within(node: Node<'_, '_>) -> String {
    node.descendants().filter(|node| node.is_text()).filter_map(|node| node.text()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_are_refused_and_a_plain_document_type_is_not() {
        let bomb = "<!DOCTYPE a [<!ENTITY b \"bbbb\"><!ENTITY c \"&b;&b;\">]><a>&c;</a>";
        assert!(matches!(parse(bomb), Err(Unreadable::Malformed(_))));
        assert!(parse("<!DOCTYPE ncx PUBLIC \"-//NISO//DTD ncx\" \"ncx.dtd\"><ncx/>").is_ok());
    }

    #[test]
    fn deep_wide_and_broken_xml_is_refused() {
        let deep = |times: usize| "<a>".repeat(times) + &"</a>".repeat(times);
        assert!(parse(&deep(250)).is_ok());
        for deeper in [300, 500_000] {
            let found = parse(&deep(deeper)).map(drop);
            assert_eq!(found, Err(Unreadable::TooLarge("XML with elements more than 256 deep".into())));
        }
        let wide = format!("<a>{}</a>", "<b/>".repeat(2_000_001));
        assert!(matches!(parse(&wide), Err(Unreadable::TooLarge(_))));
        assert!(matches!(parse("<a><b></a>"), Err(Unreadable::Malformed(_))));
    }
}
