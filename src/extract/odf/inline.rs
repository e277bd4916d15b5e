//! The text of a paragraph, and what hangs on it.

use roxmltree::Node;

use super::super::xml::{attribute, child, name};
use super::styles::Styles;

/// One paragraph's text, and what is written after it.
#[derive(Debug, Default)]
pub(super) struct Inline<'a, 'i> {
    pub text: String,
    /// Notes, comments and frames, in their order.
    pub asides: Vec<Node<'a, 'i>>,
}

/// Elements whose text stands elsewhere or nowhere.
const SILENT: [&str; 7] = [
    "tracked-changes",
    "ruby-text",
    "note-citation",
    "index-title-template",
    "variable-decls",
    "sequence-decls",
    "script",
];

/// Shapes, which hold blocks of text.
pub(super) const SHAPES: [&str; 12] = [
    "frame",
    "custom-shape",
    "rect",
    "ellipse",
    "circle",
    "line",
    "connector",
    "polygon",
    "polyline",
    "path",
    "g",
    "caption",
];

/// More spaces in a row than anybody means.
const MOST_SPACES: usize = 200;

impl<'a, 'i> Inline<'a, 'i> {
    pub(super) fn read(paragraph: Node<'a, 'i>, styles: &Styles) -> Self {
        let mut inline = Self::default();
        inline.children(paragraph, styles);
        inline
    }

    fn children(&mut self, parent: Node<'a, 'i>, styles: &Styles) {
        for node in parent.children() {
            if node.is_text() {
                // White space collapses; what is meant has elements of its own.
                self.collapsed(node.text().unwrap_or_default());
                continue;
            }
            match name(node) {
                "s" => {
                    let count = attribute(node, "c").and_then(|count| count.parse().ok()).unwrap_or(1);
                    self.text.extend(std::iter::repeat_n(' ', MOST_SPACES.min(count)));
                }
                "tab" => self.text.push('\t'),
                "line-break" => self.text.push('\n'),
                "note" | "annotation" => self.asides.push(node),
                shape if SHAPES.contains(&shape) => self.asides.push(node),
                silent if SILENT.contains(&silent) => {}
                "hidden-text" | "hidden-paragraph" => {}
                "ruby" => child(node, "ruby-base").into_iter().for_each(|base| self.children(base, styles)),
                "span" if styles.of(node).hidden => {}
                _ => self.children(node, styles),
            }
        }
    }

    fn collapsed(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                ' ' | '\t' | '\n' | '\r' if self.text.is_empty() || self.text.ends_with([' ', '\n']) => {}
                ' ' | '\t' | '\n' | '\r' => self.text.push(' '),
                c => self.text.push(c),
            }
        }
    }
}
