//! What the styles of an OpenDocument file mean.

use std::collections::HashMap;

use roxmltree::Node;

use super::super::xml::{attribute, child, descend, name};

/// What paragraphs, spans or tables of one style are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Style {
    pub title: bool,
    pub code: bool,
    pub contents: bool,
    /// Not shown.
    pub hidden: bool,
}

/// The styles of a document by name.
#[derive(Debug, Default)]
pub(super) struct Styles {
    by_name: HashMap<String, Style>,
}

impl Styles {
    /// From the roots of the parts that define styles.
    pub(super) fn new<'a, 'i: 'a>(roots: impl Iterator<Item = Node<'a, 'i>>) -> Self {
        let nodes: HashMap<&str, Node> = roots
            .flat_map(|root| ["styles", "automatic-styles"].map(|group| child(root, group)))
            .flatten()
            .flat_map(|group| group.children())
            .filter(|node| name(*node) == "style")
            .filter_map(|node| Some((attribute(node, "name")?, node)))
            .collect();
        let by_name = nodes.keys().map(|&name| (name.to_owned(), resolved(name, &nodes))).collect();
        Self { by_name }
    }

    /// The style that `node` has; a plain one if it has none.
    pub(super) fn of(&self, node: Node<'_, '_>) -> Style {
        let name = attribute(node, "style-name");
        name.and_then(|name| self.by_name.get(name)).cloned().unwrap_or_default()
    }
}

/// A style with what it inherits. Chains are short; a circle ends.
fn resolved(of: &str, nodes: &HashMap<&str, Node<'_, '_>>) -> Style {
    let mut style = Style::default();
    let mut next = Some(of);
    for _ in 0..20 {
        let Some(current) = next else { break };
        // Spaces are written as _20_.
        let called = current.to_lowercase().replace("_20_", " ");
        style.title |= called == "title";
        style.contents |= called.starts_with("contents ") || called == "toc heading";
        style.code |=
            ["preformatted", "source", "code", "verbatim"].iter().any(|begin| called.starts_with(begin));
        let Some(node) = nodes.get(current) else { break };
        let says = |properties: &str, local: &str| {
            descend(*node, &[properties]).and_then(|properties| attribute(properties, local))
        };
        style.hidden |= says("text-properties", "display") == Some("none");
        style.hidden |= says("table-properties", "display") == Some("false");
        next = attribute(*node, "parent-style-name");
    }
    style
}
