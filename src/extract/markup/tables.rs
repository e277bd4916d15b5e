//! Which tables hold data. Messages and old pages use others to lay out a page.

use html5gum::Token;

use super::tokens::{Syntax, attribute, tokens};

/// Cells with more text are parts of a page.
const LONGEST_CELL_BYTES: usize = 500;

/// For each table in the order of their beginnings, whether it holds data: rows of several short cells, no table in it.
pub(super) fn data_tables(source: &str, syntax: Syntax) -> Vec<bool> {
    let mut found: Vec<bool> = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    for token in tokens(source, syntax) {
        match token {
            Token::StartTag(tag) => match tag.name.as_slice() {
                b"table" => {
                    open.iter_mut().for_each(|outer| outer.layout = true);
                    let layout = attribute(&tag, "role").is_some_and(|role| role == "presentation");
                    open.push(Open { index: found.len(), layout, ..Open::default() });
                    found.push(false);
                }
                b"tr" => open.last_mut().into_iter().for_each(|table| table.cells = 0),
                b"td" | b"th" => open.last_mut().into_iter().for_each(Open::cell),
                b"h1" | b"h2" | b"h3" | b"ul" | b"ol" => {
                    open.last_mut().into_iter().for_each(|table| table.layout = true);
                }
                _ => {}
            },
            Token::String(text) => open.last_mut().into_iter().for_each(|table| table.text(text.value.len())),
            Token::EndTag(tag) if tag.name.as_slice() == b"table" => {
                if let Some(table) = open.pop() {
                    found[table.index] = !table.layout && table.wide_rows > 1;
                }
            }
            _ => {}
        }
    }
    found
}

/// A table that has begun.
#[derive(Default)]
struct Open {
    index: usize,
    layout: bool,
    /// Of this row.
    cells: usize,
    /// Rows of several cells.
    wide_rows: usize,
    cell_bytes: usize,
}

impl Open {
    fn cell(&mut self) {
        self.cells += 1;
        self.wide_rows += usize::from(self.cells == 2);
        self.cell_bytes = 0;
    }

    fn text(&mut self, bytes: usize) {
        self.cell_bytes += bytes;
        self.layout |= self.cell_bytes > LONGEST_CELL_BYTES;
    }
}
