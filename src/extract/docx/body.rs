//! The blocks of a Word document: paragraphs, tables and what they hold.

use std::collections::HashMap;

use roxmltree::Node;

use super::super::table::{Table, is_layout};
use super::super::writer::Writer;
use super::super::xml::{attribute, child, descend, is_on, name};
use super::inline::{Fields, Inline, NoteKind};
use super::numbering::Numbering;
use super::styles::Styles;

const MOST_COLUMNS: usize = 1000;

/// Longer values are not repeated where a cell reaches over several rows.
const LONGEST_REPEATED_BYTES: usize = 1000;

pub(super) struct Body<'a, 'i> {
    styles: &'a Styles,
    numbering: Numbering,
    /// Those that were not written yet: each is written once, after the paragraph that refers to it first.
    notes: HashMap<(NoteKind, &'a str), Node<'a, 'i>>,
    fields: Fields,
    writer: Writer,
    /// Text of a paragraph whose end was deleted: it goes on in the next one.
    carried: String,
    /// Whether this is a table of contents by its frame.
    contents: bool,
}

impl<'a, 'i> Body<'a, 'i> {
    /// `notes` are the roots of the parts with footnotes, endnotes and comments.
    pub(super) fn new(
        styles: &'a Styles,
        numbering: Numbering,
        notes: impl Iterator<Item = Node<'a, 'i>>,
    ) -> Self {
        let notes = notes.flat_map(|root| root.children()).filter_map(|node| {
            let kind = match name(node) {
                "footnote" => NoteKind::Footnote,
                "endnote" => NoteKind::Endnote,
                "comment" => NoteKind::Comment,
                _ => return None,
            };
            Some(((kind, attribute(node, "id")?), node))
        });
        Self {
            styles,
            numbering,
            notes: notes.collect(),
            fields: Fields::default(),
            writer: Writer::default(),
            carried: String::new(),
            contents: false,
        }
    }

    pub(super) fn finish(self) -> Writer {
        self.writer
    }

    /// The blocks below `parent`.
    pub(super) fn blocks(&mut self, parent: Node<'a, 'i>) {
        for node in parent.children() {
            match name(node) {
                "p" => self.paragraph(node),
                "tbl" => self.table(node),
                "sdt" => self.control(node),
                "AlternateContent" => {
                    let shown = child(node, "Choice").or_else(|| child(node, "Fallback"));
                    shown.into_iter().for_each(|shown| self.blocks(shown));
                }
                "ins" | "moveTo" | "customXml" | "sdtContent" | "txbxContent" => self.blocks(node),
                _ => {}
            }
        }
    }

    /// A content control. Word frames its tables of contents by one.
    fn control(&mut self, node: Node<'a, 'i>) {
        let gallery = descend(node, &["sdtPr", "docPartObj", "docPartGallery"]);
        let contents = gallery.and_then(|gallery| attribute(gallery, "val")) == Some("Table of Contents");
        let outer = self.contents;
        self.contents |= contents;
        child(node, "sdtContent").into_iter().for_each(|content| self.blocks(content));
        self.contents = outer;
    }

    fn paragraph(&mut self, node: Node<'a, 'i>) {
        let properties = child(node, "pPr");
        let style = properties.and_then(|node| attribute(child(node, "pStyle")?, "val"));
        let style = self.styles.get(style).with(properties);
        let inline = Inline::read(node, self.styles, &mut self.fields);
        let text = std::mem::take(&mut self.carried) + &inline.text;
        if is_on(properties.and_then(|node| descend(node, &["rPr", "del"]))) {
            self.carried = text;
        } else if !style.hidden {
            let start = self.writer.len();
            if style.title {
                self.writer.title(&text);
            }
            let label = match &style.list {
                Some(item) if !text.trim().is_empty() => self.numbering.label(&item.number, item.depth),
                _ => String::new(),
            };
            match (style.heading, style.list) {
                (Some(level), _) => self.writer.heading(level, &format!("{label} {text}")),
                (None, Some(item)) => self.writer.item(item.depth, &label, &text),
                (None, None) if style.code => self.writer.code(&text),
                (None, None) => self.writer.paragraph(&text),
            }
            if self.contents || inline.contents || style.contents {
                self.writer.contents_since(start);
            }
        }
        for description in &inline.descriptions {
            self.writer.paragraph(description);
        }
        inline.boxes.into_iter().for_each(|content| self.blocks(content));
        for note in inline.notes {
            if let Some(node) = self.notes.remove(&note) {
                self.note(note.0, node);
            }
        }
    }

    fn note(&mut self, kind: NoteKind, node: Node<'a, 'i>) {
        let text = self.aside(node);
        match attribute(node, "author") {
            Some(author) if kind == NoteKind::Comment && !text.is_empty() => {
                self.writer.paragraph(&format!("{author}: {text}"));
            }
            _ => self.writer.paragraph(&text),
        }
    }

    /// The blocks below `parent` on one line.
    fn aside(&mut self, parent: Node<'a, 'i>) -> String {
        let outer = std::mem::take(&mut self.writer);
        let carried = std::mem::take(&mut self.carried);
        self.blocks(parent);
        self.carried = carried;
        std::mem::replace(&mut self.writer, outer).into_line()
    }

    fn table(&mut self, table: Node<'a, 'i>) {
        let rows: Vec<Node<'a, 'i>> = wrapped(table, "tr");
        let cells = || rows.iter().flat_map(|row| wrapped(*row, "tc"));
        let one_column = rows.iter().all(|row| wrapped(*row, "tc").len() < 2);
        if one_column || rows.len() == 1 || cells().any(is_layout) {
            return cells().for_each(|cell| self.blocks(cell));
        }
        let mut written = Table::default();
        let mut above: Vec<String> = Vec::new();
        for (at, row) in rows.iter().enumerate() {
            let row_properties = child(*row, "trPr");
            if row_properties.is_some_and(|properties| child(properties, "del").is_some()) {
                continue;
            }
            let mut values: Vec<String> = Vec::new();
            for cell in wrapped(*row, "tc") {
                let property = |name: &str| descend(cell, &["tcPr", name]);
                let text = self.aside(cell);
                let column = values.len();
                let merged = property("vMerge").is_some_and(|node| attribute(node, "val") != Some("restart"));
                let value =
                    match above.get(column).filter(|value| merged && value.len() <= LONGEST_REPEATED_BYTES) {
                        Some(above) => above.clone(),
                        None => text,
                    };
                values.push(value);
                let span = property("gridSpan").and_then(|node| attribute(node, "val")?.parse().ok());
                let width = (column + span.unwrap_or(1).clamp(1, MOST_COLUMNS)).min(MOST_COLUMNS);
                values.resize(width.max(values.len()), String::new());
            }
            let is_header = is_on(row_properties.and_then(|properties| child(properties, "tblHeader")));
            match is_header && at + 1 < rows.len() {
                true => written.header(values.clone()),
                false => written.row(values.clone(), None, &mut self.writer),
            }
            above = values;
        }
        written.finish(&mut self.writer);
        self.writer.apart();
    }
}

/// Children of this name, those in content controls and revisions too.
fn wrapped<'a, 'i>(parent: Node<'a, 'i>, wanted: &str) -> Vec<Node<'a, 'i>> {
    let mut found = Vec::new();
    for node in parent.children() {
        match name(node) {
            "sdt" | "sdtContent" | "customXml" | "ins" => found.extend(wrapped(node, wanted)),
            name if name == wanted => found.push(node),
            _ => {}
        }
    }
    found
}
