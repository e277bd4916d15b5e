//! What the styles of a Word document mean: headings, lists, code, tables of contents.

use std::collections::HashMap;

use roxmltree::{Document, Node};

use super::super::xml::{attribute, child, descend, is_on, name};

/// What paragraphs of one style are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Style {
    /// 1 is the highest.
    pub heading: Option<u8>,
    pub title: bool,
    /// Of items of lists, and of numbered headings.
    pub list: Option<Item>,
    pub code: bool,
    pub contents: bool,
    /// Not shown.
    pub hidden: bool,
}

/// Where in which list an item stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Item {
    pub number: String,
    pub depth: usize,
}

/// The styles of a document by id.
#[derive(Debug, Default)]
pub(super) struct Styles {
    by_id: HashMap<String, Style>,
}

impl Styles {
    pub(super) fn new(xml: &Document<'_>) -> Self {
        let nodes: HashMap<&str, Node> = (xml.root_element().children())
            .filter(|node| name(*node) == "style")
            .filter_map(|node| Some((attribute(node, "styleId")?, node)))
            .collect();
        let by_id = nodes.iter().map(|(&id, &node)| (id.to_owned(), resolved(node, &nodes))).collect();
        Self { by_id }
    }

    /// The style of this id; a plain one if it is unknown.
    pub(super) fn get(&self, id: Option<&str>) -> Style {
        id.and_then(|id| self.by_id.get(id)).cloned().unwrap_or_default()
    }
}

impl Style {
    /// With what a paragraph's own properties add.
    pub(super) fn with(mut self, properties: Option<Node<'_, '_>>) -> Self {
        let Some(properties) = properties else { return self };
        if let Some(heading) = outline_level(properties) {
            self.heading = heading;
        }
        if let Some(list) = child(properties, "numPr") {
            self.list = item(list, self.list.take());
        }
        self
    }
}

/// A style with what it inherits. Chains are short; a circle ends.
fn resolved<'a>(node: Node<'a, 'a>, nodes: &HashMap<&str, Node<'a, 'a>>) -> Style {
    let mut chain = vec![node];
    while let Some(base) = chain.last().and_then(|node| attribute(child(*node, "basedOn")?, "val"))
        && let Some(base) = nodes.get(base)
        && chain.len() < 20
    {
        chain.push(*base);
    }
    let mut style = Style::default();
    for node in chain.into_iter().rev() {
        let called = child(node, "name").and_then(|name| attribute(name, "val")).unwrap_or_default();
        style.name(&called.to_lowercase());
        style = style.with(child(node, "pPr"));
        style.hidden |= is_on(descend(node, &["rPr", "vanish"]));
    }
    style
}

impl Style {
    /// What the name of a style says. Word translates built-in names for the screen only, not in the file.
    fn name(&mut self, name: &str) {
        let letters: String = name.chars().filter(|c| c.is_alphanumeric()).collect();
        self.title = matches!(letters.as_str(), "title" | "chaptertitle" | "booktitle" | "doctitle");
        self.contents =
            name.starts_with("toc") || matches!(name, "table of figures" | "table of authorities");
        let begins =
            ["code", "sourcecode", "htmlpreformatted", "preformatted", "verbatim", "listing", "macro"];
        self.code = begins.iter().any(|begin| letters.starts_with(begin))
            && !["label", "caption", "title", "head"].iter().any(|end| letters.contains(end));
        if self.title {
            self.heading = Some(1);
        } else if let Some(level) = heading_level(&letters) {
            self.heading = Some(level);
        }
    }
}

/// `heading 2` is of level 2. Publishers' templates count headings below the title by letters: `Head B` is of level 3.
fn heading_level(letters: &str) -> Option<u8> {
    let rest = letters.strip_prefix("heading").or_else(|| letters.strip_prefix("head"))?;
    match rest.as_bytes() {
        [digit @ b'1'..=b'9'] => Some(digit - b'0'),
        [letter @ b'a'..=b'f'] => Some(letter - b'a' + 2),
        _ => None,
    }
}

/// The outline level that the properties set: none for body text.
fn outline_level(properties: Node<'_, '_>) -> Option<Option<u8>> {
    let level: u8 = attribute(child(properties, "outlineLvl")?, "val")?.parse().ok()?;
    Some((level < 9).then_some(level + 1))
}

/// Where an item stands: what a paragraph does not say its style does. List 0 is none.
fn item(list: Node<'_, '_>, inherited: Option<Item>) -> Option<Item> {
    let value = |name| child(list, name).and_then(|node| attribute(node, "val"));
    let mut item = inherited.unwrap_or_default();
    if let Some(number) = value("numId") {
        item.number = number.to_owned();
    }
    if let Some(depth) = value("ilvl").and_then(|depth| depth.parse().ok()) {
        item.depth = depth;
    }
    (item.number != "0").then_some(item)
}

#[cfg(test)]
mod tests {
    use super::super::super::xml;
    use super::*;

    fn style(xml: &str, id: &str) -> Style {
        Styles::new(&xml::parse(&format!("<styles>{xml}</styles>")).unwrap()).get(Some(id))
    }

    #[test]
    fn headings_are_known_by_name_outline_level_and_inheritance() {
        let two = "<style styleId='berschrift2'><name val='heading 2'/></style>";
        assert_eq!(style(two, "berschrift2").heading, Some(2));
        let heir =
            format!("{two}<style styleId='x'><name val='My own'/><basedOn val='berschrift2'/></style>");
        assert_eq!(style(&heir, "x").heading, Some(2));
        let level = "<style styleId='x'><name val='Any'/><pPr><outlineLvl val='3'/></pPr></style>";
        assert_eq!(style(level, "x").heading, Some(4));
        let body = format!(
            "{two}<style styleId='x'><basedOn val='berschrift2'/><pPr><outlineLvl val='9'/></pPr></style>"
        );
        assert_eq!(style(&body, "x").heading, None);
        assert_eq!(style("<style styleId='x'><name val='HeadB'/></style>", "x").heading, Some(3));
    }

    #[test]
    fn a_circle_of_styles_ends() {
        let circle =
            "<style styleId='a'><basedOn val='b'/></style><style styleId='b'><basedOn val='a'/></style>";
        assert_eq!(style(circle, "a"), Style::default());
    }

    #[test]
    fn code_and_contents_are_known_by_name() {
        let named = |name: &str| style(&format!("<style styleId='x'><name val='{name}'/></style>"), "x");
        assert!(named("Source Code").code && named("CodeWide").code && !named("CodeLabel").code);
        assert!(named("toc 1").contents && named("TOC Heading").contents && !named("Body").contents);
        assert!(named("Title").title && !named("Subtitle").title);
    }
}
