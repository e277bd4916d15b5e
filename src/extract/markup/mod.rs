//! HTML that stands in something else: the chapters of a book, the body of a message. Files of HTML are the business of
//! `corpus`, which leaves out what surrounds a page's text and knows where in the source each byte stands.
//!
//! Whatever the input, there is a result: the tokenizer follows the HTML standard.

mod tables;
mod tokens;

use html5gum::{StartTag, Token};

use super::docx::description_of;
use super::table::Table;
use super::writer::{Writer, one_line};
use tables::data_tables;
pub(super) use tokens::Syntax;
use tokens::{attribute, tokens};

/// Writes the readable text of `source`. Its title, if it has one.
pub(super) fn write(source: &str, syntax: Syntax, writer: &mut Writer) -> Option<String> {
    let data = data_tables(source, syntax);
    let mut reader = Reader::new(writer, &data);
    tokens(source, syntax).for_each(|token| reader.token(token));
    reader.flush();
    let title = one_line(&reader.title);
    (!title.is_empty()).then_some(title)
}

/// Elements that are not read. `head` is not among them: browsers don't need its tags.
const SILENT: [&str; 12] = [
    "script",
    "style",
    "template",
    "select",
    "textarea",
    "button",
    "iframe",
    "object",
    "rt",
    "rp",
    "annotation",
    "form-data",
];

/// Elements that end a paragraph where they begin and end.
const BLOCKS: [&str; 27] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "caption",
    "center",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "head",
    "header",
    "hr",
    "legend",
    "main",
    "nav",
    "p",
    "section",
    "summary",
    "html",
];

/// Elements without content.
const VOID: [&str; 9] = ["area", "br", "col", "embed", "hr", "img", "input", "link", "meta"];

struct Reader<'w> {
    writer: &'w mut Writer,
    /// For each table in the order of their beginnings, whether it holds data.
    data: &'w [bool],
    /// Of the block that is being read.
    text: String,
    heading: Option<u8>,
    /// Depth within lists, and whether the block is an item's first.
    lists: usize,
    item: bool,
    pre: bool,
    title: String,
    in_title: bool,
    /// The element whose content is being left out, and how many of its name are open.
    silent: Option<(String, usize)>,
    /// Where an open table of contents begins.
    contents: Option<usize>,
    tables_seen: usize,
    /// Tables that are open; `None` for one that only lays out the page.
    tables: Vec<Option<Rows>>,
}

/// A table of data that is being read.
#[derive(Default)]
struct Rows {
    table: Table,
    cells: Vec<String>,
    /// Whether all cells of the row are headers.
    header: bool,
    any: bool,
}

impl<'w> Reader<'w> {
    fn new(writer: &'w mut Writer, data: &'w [bool]) -> Self {
        Self {
            writer,
            data,
            text: String::new(),
            heading: None,
            lists: 0,
            item: false,
            pre: false,
            title: String::new(),
            in_title: false,
            silent: None,
            contents: None,
            tables_seen: 0,
            tables: Vec::new(),
        }
    }

    fn token(&mut self, token: Token<()>) {
        match token {
            Token::StartTag(tag) => {
                let name = String::from_utf8_lossy(&tag.name).into_owned();
                let local = name.rsplit(':').next().unwrap_or_default();
                self.start(local, &tag);
            }
            Token::EndTag(tag) => {
                let name = String::from_utf8_lossy(&tag.name).into_owned();
                self.end(name.rsplit(':').next().unwrap_or_default());
            }
            Token::String(text) if self.silent.is_none() => {
                self.string(&String::from_utf8_lossy(&text.value))
            }
            _ => {}
        }
    }

    fn start(&mut self, name: &str, tag: &StartTag<()>) {
        let closed = tag.self_closing || VOID.contains(&name);
        if let Some((silent, open)) = &mut self.silent {
            *open += usize::from(silent == name && !closed);
            return;
        }
        if !closed && (SILENT.contains(&name) || is_hidden(tag) || is_note_sign(tag)) {
            self.silent = Some((name.to_owned(), 1));
            return;
        }
        match name {
            "title" => self.in_title = !tag.self_closing,
            "br" => self.text.push('\n'),
            "img" | "image" => {
                let description = attribute(tag, "alt").map(|alt| description_of(&alt)).unwrap_or_default();
                self.inline(&format!(" {description} "));
            }
            "ul" | "ol" => {
                self.flush();
                self.lists += 1;
            }
            "li" => {
                self.flush();
                self.item = true;
            }
            "pre" => {
                self.flush();
                self.pre = !tag.self_closing;
            }
            "table" => {
                self.flush();
                let data = self.data.get(self.tables_seen).copied().unwrap_or_default();
                self.tables_seen += 1;
                self.tables.push(data.then(Rows::default));
            }
            "tr" => self.row(),
            "td" | "th" => self.cell(name == "th"),
            "nav" if self.contents.is_none() => {
                self.flush();
                self.contents = Some(self.writer.len());
            }
            _ if heading_level(name).is_some() => {
                self.flush();
                self.heading = heading_level(name);
            }
            _ if BLOCKS.contains(&name) => self.flush(),
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        if let Some((silent, open)) = &mut self.silent {
            *open -= usize::from(silent == name);
            if *open == 0 {
                self.silent = None;
            }
            return;
        }
        match name {
            "title" => self.in_title = false,
            "ul" | "ol" => {
                self.flush();
                self.lists = self.lists.saturating_sub(1);
                self.item = false;
            }
            "li" => {
                self.flush();
                self.item = false;
            }
            "pre" => {
                self.flush();
                self.pre = false;
                self.writer.apart();
            }
            "tr" => self.row(),
            "table" => {
                self.row();
                match self.tables.pop() {
                    Some(Some(rows)) => rows.table.finish(self.writer),
                    _ => self.flush(),
                }
                self.writer.apart();
            }
            "nav" => {
                self.flush();
                if let Some(start) = self.contents.take() {
                    self.writer.contents_since(start);
                }
            }
            _ if heading_level(name).is_some() || BLOCKS.contains(&name) => self.flush(),
            _ => {}
        }
    }

    fn string(&mut self, text: &str) {
        if self.in_title {
            self.title += text;
        } else if self.pre {
            self.text += text;
        } else {
            self.inline(text);
        }
    }

    /// Adds text with its white space collapsed.
    fn inline(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                // Not the no-break space, which becomes a plain one.
                ' ' | '\t' | '\r' | '\n' | '\x0c'
                    if self.text.is_empty() || self.text.ends_with([' ', '\n']) => {}
                ' ' | '\t' | '\r' | '\n' | '\x0c' | '\u{a0}' => self.text.push(' '),
                c => self.text.push(c),
            }
        }
    }

    /// Ends the block that is being read. Within a cell of data it goes on.
    fn flush(&mut self) {
        if let Some(Some(_)) = self.tables.last() {
            return self.text.push(' ');
        }
        let text = std::mem::take(&mut self.text);
        match self.heading.take() {
            _ if text.trim().is_empty() => {}
            Some(level) => self.writer.heading(level, &text),
            None if self.pre => self.writer.code(&text),
            None if self.item => {
                self.writer.item(self.lists.saturating_sub(1), "", &text);
                self.item = false;
            }
            None => self.writer.paragraph(&text),
        }
    }

    fn row(&mut self) {
        let Some(Some(rows)) = self.tables.last_mut() else { return self.flush() };
        rows.end_cell(&mut self.text);
        let cells = std::mem::take(&mut rows.cells);
        match std::mem::take(&mut rows.header) && !rows.any {
            true => rows.table.header(cells),
            false if cells.is_empty() => {}
            false => {
                rows.any = true;
                rows.table.row(cells, None, self.writer);
            }
        }
    }

    fn cell(&mut self, header: bool) {
        let Some(Some(rows)) = self.tables.last_mut() else { return self.flush() };
        rows.end_cell(&mut self.text);
        rows.header = header && (rows.header || rows.cells.is_empty());
        rows.cells.push(String::new());
    }
}

impl Rows {
    /// What was read since the last cell began is its text.
    fn end_cell(&mut self, text: &mut String) {
        let text = std::mem::take(text);
        if let Some(cell) = self.cells.last_mut().filter(|cell| cell.is_empty()) {
            *cell = text.trim().to_owned();
        }
    }
}

fn heading_level(name: &str) -> Option<u8> {
    match name.as_bytes() {
        [b'h', digit @ b'1'..=b'6'] => Some(digit - b'0'),
        _ => None,
    }
}

/// What is not shown: such as the first lines of messages that only previews show.
fn is_hidden(tag: &StartTag<()>) -> bool {
    let style = attribute(tag, "style").unwrap_or_default();
    let style: String = style.to_lowercase().split_whitespace().collect();
    attribute(tag, "hidden").is_some() || style.contains("display:none")
}

/// The sign that leads to a note, or back from it.
fn is_note_sign(tag: &StartTag<()>) -> bool {
    let kinds = ["role", "epub:type"].map(|name| attribute(tag, name).unwrap_or_default());
    kinds.iter().any(|kind| matches!(kind.as_str(), "doc-noteref" | "noteref" | "doc-backlink" | "backlink"))
}
