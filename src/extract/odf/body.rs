//! The blocks of an OpenDocument file: paragraphs, lists, tables, frames, slides, sheets.

use std::collections::HashMap;

use roxmltree::Node;

use crate::place::Place;

use super::super::table::{Table, is_layout};
use super::super::writer::Writer;
use super::super::xml::{attribute, child, name, text_within};
use super::inline::{Inline, SHAPES};
use super::styles::Styles;

/// The last column of a sheet in LibreOffice.
const MOST_COLUMNS: usize = 16_384;

pub(super) struct Body<'a> {
    styles: &'a Styles,
    writer: Writer,
}

/// Longer values are not repeated where a cell reaches over others.
const LONGEST_REPEATED_BYTES: usize = 1000;

/// What a cell that reaches over several rows puts into those below.
struct Merged {
    rows_left: u32,
    value: String,
}

impl<'a> Body<'a> {
    pub(super) fn new(styles: &'a Styles) -> Self {
        Self { styles, writer: Writer::default() }
    }

    pub(super) fn finish(self) -> Writer {
        self.writer
    }

    /// The blocks below `parent`.
    pub(super) fn blocks(&mut self, parent: Node<'_, '_>) {
        for node in parent.children() {
            self.block(node, 0);
        }
    }

    fn block(&mut self, node: Node<'_, '_>, depth: usize) {
        match name(node) {
            "h" => {
                let level = attribute(node, "outline-level").and_then(|level| level.parse().ok());
                self.paragraph(node, Some(level.unwrap_or(1)), None);
            }
            "p" => self.paragraph(node, None, depth.checked_sub(1)),
            "list" => node.children().for_each(|item| self.block(item, depth + 1)),
            "list-item" | "list-header" => node.children().for_each(|part| self.block(part, depth)),
            "section" if attribute(node, "display") == Some("none") => {}
            "section" | "text-box" | "index-title" | "index-body" => self.blocks(node),
            "table" => self.table(node),
            "table-of-content" | "alphabetical-index" | "illustration-index" | "table-index"
            | "object-index" | "user-index" => {
                let start = self.writer.len();
                self.blocks(node);
                self.writer.contents_since(start);
            }
            "bibliography" => self.blocks(node),
            shape if SHAPES.contains(&shape) => self.shape(node),
            _ => {}
        }
    }

    fn paragraph(&mut self, node: Node<'_, '_>, heading: Option<u8>, list: Option<usize>) {
        let style = self.styles.of(node);
        let inline = Inline::read(node, self.styles);
        let start = self.writer.len();
        if style.title {
            self.writer.title(&inline.text);
        }
        match (heading, list) {
            _ if style.hidden => {}
            (Some(level), _) => self.writer.heading(level, &inline.text),
            (None, _) if style.title => self.writer.heading(1, &inline.text),
            (None, Some(depth)) => self.writer.item(depth, "", &inline.text),
            (None, None) if style.code => self.writer.code(&inline.text),
            (None, None) => self.writer.paragraph(&inline.text),
        }
        if style.contents {
            self.writer.contents_since(start);
        }
        inline.asides.into_iter().for_each(|aside| self.beside(aside));
    }

    /// A note, a comment or a frame.
    fn beside(&mut self, node: Node<'_, '_>) {
        match name(node) {
            "note" => {
                let body = child(node, "note-body");
                let text = body.map(|body| self.line(body)).unwrap_or_default();
                self.writer.paragraph(&text);
            }
            "annotation" => {
                let text = self.line(node);
                match child(node, "creator").map(text_within) {
                    Some(author) if !text.is_empty() => self.writer.paragraph(&format!("{author}: {text}")),
                    _ => self.writer.paragraph(&text),
                }
            }
            _ => self.shape(node),
        }
    }

    fn shape(&mut self, node: Node<'_, '_>) {
        for text in ["title", "desc"].iter().filter_map(|local| child(node, local)) {
            self.writer.paragraph(&text_within(text));
        }
        self.blocks(node);
    }

    /// The blocks below `parent` on one line.
    fn line(&mut self, parent: Node<'_, '_>) -> String {
        let outer = std::mem::take(&mut self.writer);
        self.blocks(parent);
        std::mem::replace(&mut self.writer, outer).into_line()
    }

    fn table(&mut self, table: Node<'_, '_>) {
        let rows = rows_of(table);
        let cells =
            || rows.iter().flat_map(|(row, _)| row.children()).filter(|node| name(*node) == "table-cell");
        let one_column =
            rows.iter().all(|(row, _)| row.children().filter(|cell| cell.is_element()).count() < 2);
        if one_column || rows.len() == 1 || cells().any(is_layout) {
            return cells().for_each(|cell| self.blocks(cell));
        }
        self.rows(&rows, None);
    }

    /// Rows of a table, or of the sheet of this name.
    fn rows(&mut self, rows: &[(Node<'_, '_>, bool)], sheet: Option<&str>) {
        let (mut table, mut merged) = (Table::default(), HashMap::new());
        let mut number: u32 = 1;
        for &(row, is_header) in rows {
            let values = self.cells(row, &mut merged);
            let place =
                sheet.map(|sheet| Place { sheet: Some(sheet.into()), row: Some(number), ..Place::default() });
            let repeated = repeated(row, "number-rows-repeated");
            number = number.saturating_add(u32::try_from(repeated).unwrap_or(u32::MAX));
            match values.iter().all(String::is_empty) {
                true => table.gap(&mut self.writer),
                false if is_header => table.header(values),
                // The same row many times says the same.
                false => table.row(values, place, &mut self.writer),
            }
        }
        table.finish(&mut self.writer);
        self.writer.apart();
    }

    fn cells(&mut self, row: Node<'_, '_>, merged: &mut HashMap<usize, Merged>) -> Vec<String> {
        let mut values: Vec<String> = Vec::new();
        let mut empty = 0;
        for cell in row.children().filter(|cell| cell.is_element()) {
            let times = repeated(cell, "number-columns-repeated");
            let column = values.len() + empty;
            if column + times > MOST_COLUMNS {
                break;
            }
            let value = match merged.get_mut(&column).filter(|merged| merged.rows_left > 0) {
                Some(above) if name(cell) == "covered-table-cell" => {
                    above.rows_left -= 1;
                    above.value.clone()
                }
                _ => self.line(cell),
            };
            let rows = attribute(cell, "number-rows-spanned").and_then(|rows| rows.parse().ok()).unwrap_or(1);
            let short = value.len() <= LONGEST_REPEATED_BYTES;
            if rows > 1 && short {
                merged.insert(column, Merged { rows_left: rows - 1, value: value.clone() });
            }
            if value.is_empty() {
                empty += times;
            } else {
                values.extend(std::iter::repeat_n(String::new(), std::mem::take(&mut empty)));
                values.extend(std::iter::repeat_n(value, if short { times } else { 1 }));
            }
        }
        values
    }

    pub(super) fn sheets(&mut self, workbook: Node<'_, '_>) {
        for table in workbook.children().filter(|node| name(*node) == "table") {
            if !self.styles.of(table).hidden {
                self.writer.apart();
                self.rows(&rows_of(table), attribute(table, "name"));
            }
        }
    }

    pub(super) fn slides(&mut self, presentation: Node<'_, '_>) {
        let pages = presentation.children().filter(|node| name(*node) == "page");
        for (page, number) in pages.zip(1..) {
            self.writer.apart();
            self.writer.place(Place { slide: Some(number), ..Place::default() });
            let titles = |node: &Node<'_, '_>| attribute(*node, "class") == Some("title");
            for title in page.children().filter(titles) {
                let title = self.line(title);
                self.writer.heading(1, &title);
            }
            for shape in page.children().filter(|shape| !titles(shape)) {
                self.on_slide(shape);
            }
        }
    }

    fn on_slide(&mut self, shape: Node<'_, '_>) {
        match attribute(shape, "class") {
            Some("page-number" | "footer" | "header" | "date-time" | "page") => {}
            _ if name(shape) == "notes" => shape.children().for_each(|part| self.on_slide(part)),
            _ => self.block(shape, 0),
        }
    }
}

/// Rows, and whether each belongs to the header.
fn rows_of<'a, 'i>(table: Node<'a, 'i>) -> Vec<(Node<'a, 'i>, bool)> {
    let mut rows = Vec::new();
    for node in table.children() {
        match name(node) {
            "table-row" => rows.push((node, false)),
            "table-header-rows" => rows.extend(rows_of(node).into_iter().map(|(row, _)| (row, true))),
            "table-rows" | "table-row-group" => rows.extend(rows_of(node)),
            _ => {}
        }
    }
    rows
}

fn repeated(node: Node<'_, '_>, local: &str) -> usize {
    attribute(node, local).and_then(|count| count.parse().ok()).unwrap_or(1).max(1)
}
