//! How each HTML element affects the readable text.

/// What separates two texts. Of several, the largest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Gap {
    None,
    Space,
    Tab,
    Line,
    Paragraph,
}

/// What an element does besides separating texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Plain,
    /// Has no content and no end tag.
    Void,
    /// Its content is not readable text.
    Dropped,
    /// Links to other pages: boilerplate.
    Navigation,
    /// Boilerplate of the page, unless it is inside a [`Role::Section`].
    Landmark,
    /// The page's own content.
    Section,
    /// White space is kept.
    Preformatted,
    Heading(u8),
    Title,
    Link,
    List,
    Table,
    HeaderCell,
    Cell,
}

#[derive(Debug)]
pub(super) struct Element {
    name: &'static str,
    pub(super) gap: Gap,
    pub(super) role: Role,
    /// Whether the end tag is optional, so that the element's end is unknown.
    pub(super) open_ended: bool,
}

const fn element(name: &'static str, gap: Gap, role: Role) -> Element {
    Element { name, gap, role, open_ended: false }
}

const fn open_ended(name: &'static str, gap: Gap) -> Element {
    Element { name, gap, role: Role::Plain, open_ended: true }
}

const fn cell(name: &'static str, role: Role) -> Element {
    Element { name, gap: Gap::Tab, role, open_ended: true }
}

/// Sorted by name. Elements that are not listed are inline and have no role.
pub(super) static ELEMENTS: &[Element] = {
    use Gap::{Line, None, Paragraph};
    use Role::{
        Cell, Dropped, HeaderCell, Heading, Landmark, Link, List, Navigation, Plain, Preformatted, Section,
        Table, Title, Void,
    };
    &[
        element("a", None, Link),
        element("address", Paragraph, Plain),
        element("annotation", None, Dropped),
        element("annotation-xml", None, Dropped),
        element("article", Paragraph, Section),
        element("aside", Paragraph, Landmark),
        element("audio", None, Dropped),
        element("blockquote", Paragraph, Plain),
        element("body", Paragraph, Plain),
        element("br", Line, Void),
        element("button", None, Dropped),
        element("canvas", None, Dropped),
        element("caption", Line, Plain),
        element("center", Line, Plain),
        element("datalist", None, Dropped),
        open_ended("dd", Line),
        element("details", Paragraph, Plain),
        element("dir", Paragraph, List),
        element("div", Line, Plain),
        element("dl", Paragraph, List),
        open_ended("dt", Line),
        element("fieldset", Paragraph, Plain),
        element("figcaption", Line, Plain),
        element("figure", Paragraph, Plain),
        element("footer", Paragraph, Landmark),
        element("form", Paragraph, Plain),
        element("h1", Paragraph, Heading(1)),
        element("h2", Paragraph, Heading(2)),
        element("h3", Paragraph, Heading(3)),
        element("h4", Paragraph, Heading(4)),
        element("h5", Paragraph, Heading(5)),
        element("h6", Paragraph, Heading(6)),
        element("header", Paragraph, Landmark),
        element("hgroup", Paragraph, Plain),
        element("hr", Paragraph, Void),
        element("iframe", None, Dropped),
        element("legend", Line, Plain),
        open_ended("li", Line),
        element("listing", Paragraph, Preformatted),
        element("main", Paragraph, Section),
        element("menu", Paragraph, List),
        element("nav", Paragraph, Navigation),
        element("noembed", None, Dropped),
        element("noframes", None, Dropped),
        element("noscript", None, Dropped),
        element("object", None, Dropped),
        element("ol", Paragraph, List),
        open_ended("p", Paragraph),
        element("pre", Paragraph, Preformatted),
        element("script", None, Dropped),
        element("section", Paragraph, Section),
        element("select", None, Dropped),
        element("span", None, Plain),
        element("style", None, Dropped),
        element("summary", Line, Plain),
        element("svg", None, Dropped),
        element("table", Paragraph, Table),
        cell("td", Cell),
        element("template", None, Dropped),
        element("textarea", None, Dropped),
        cell("th", HeaderCell),
        element("title", None, Title),
        open_ended("tr", Line),
        element("ul", Paragraph, List),
        element("video", None, Dropped),
        element("xmp", Paragraph, Preformatted),
    ]
};

/// The index of an element in [`ELEMENTS`].
pub(super) fn element_named(name: &[u8]) -> Option<usize> {
    ELEMENTS.binary_search_by(|element| element.name.as_bytes().cmp(name)).ok()
}

/// Whether an ARIA `role` marks boilerplate.
pub(super) fn is_boilerplate_role(role: &[u8]) -> bool {
    [&b"navigation"[..], b"search", b"banner", b"contentinfo"]
        .iter()
        .any(|known| role.eq_ignore_ascii_case(known))
}

/// Whether a `class` marks navigation or line numbers in pages made by Sphinx or DocBook.
pub(super) fn is_boilerplate_class(class: &[u8]) -> bool {
    const CLASSES: [&[u8]; 7] = [
        b"genindex-jumpbox",
        b"headerlink",
        b"linenodiv",
        b"linenos",
        b"navfooter",
        b"navheader",
        b"sphinxsidebar",
    ];
    class.split(u8::is_ascii_whitespace).any(|word| CLASSES.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_sorted_and_found() {
        assert!(ELEMENTS.is_sorted_by_key(|element| element.name));
        for (index, element) in ELEMENTS.iter().enumerate() {
            assert_eq!(element_named(element.name.as_bytes()), Some(index));
        }
        assert_eq!(element_named(b"blink"), None);
    }

    #[test]
    fn classes_are_compared_whole() {
        assert!(is_boilerplate_class(b"x navheader\ty"));
        assert!(!is_boilerplate_class(b"navheaders"));
    }
}
