//! What ends a paragraph, a cell or a row.

use super::super::table::Table;
use super::characters::character;
use super::groups::{Paragraph, Style};
use super::reader::Reader;

/// Cells with more text are parts of a page's layout, not values.
const LONGEST_CELL_BYTES: usize = 500;

const MOST_CELLS: usize = 1000;

impl Reader<'_> {
    /// A control word in the text of the document.
    pub(super) fn in_text(&mut self, word: &str, number: Option<i32>) {
        match word {
            "par" | "sect" | "page" => self.end_paragraph(),
            "line" | "lbr" => self.push('\n'),
            "tab" => self.push('\t'),
            "pard" => self.paragraph = Paragraph::default(),
            "s" => self.paragraph.style = number.unwrap_or(0),
            "outlinelevel" => self.paragraph.outline = number,
            "ls" => self.paragraph.list = number.filter(|&number| number > 0),
            "ilvl" => self.paragraph.depth = number.unwrap_or(0).clamp(0, 9),
            "intbl" => self.paragraph.in_table = true,
            "trowd" => {
                self.merged.clear();
                self.edges.clear();
                self.header = false;
            }
            "trhdr" => self.header = true,
            "clvmrg" => self.merges = true,
            "cellx" => {
                let merges = std::mem::take(&mut self.merges);
                if self.merged.len() < MOST_CELLS {
                    self.edges.push(number.unwrap_or(0));
                    self.merged.push(merges);
                }
            }
            "cell" | "nestcell" => self.end_cell(),
            "row" | "nestrow" => self.end_row(),
            _ => character(word).into_iter().for_each(|c| self.push(c)),
        }
    }

    pub(super) fn end_paragraph(&mut self) {
        if self.paragraph.in_table {
            // It ends within a cell.
            return self.push('\n');
        }
        if !self.cells.is_empty() || self.table.is_some() && !self.text.trim().is_empty() {
            self.end_row();
            self.end_table();
        }
        let text = std::mem::take(&mut self.text);
        let style: Style = self.styles.get(&self.paragraph.style).cloned().unwrap_or_default();
        let start = self.writer.len();
        if style.title {
            self.writer.title(&text);
        }
        let outline = self.paragraph.outline.or(style.outline).filter(|level| (0..9).contains(level));
        match (outline, self.paragraph.list) {
            (Some(level), _) => self.writer.heading(u8::try_from(level + 1).unwrap_or(1), &text),
            (None, Some(_)) => {
                self.writer.item(usize::try_from(self.paragraph.depth).unwrap_or(0), "", &text)
            }
            (None, None) if style.code => self.writer.code(&text),
            (None, None) => self.writer.paragraph(&text),
        }
        if std::mem::take(&mut self.contents) | style.contents {
            self.writer.contents_since(start);
        }
        self.write_asides();
    }

    fn write_asides(&mut self) {
        for aside in std::mem::take(&mut self.asides) {
            self.writer.paragraph(&aside);
        }
    }

    fn end_cell(&mut self) {
        let text = std::mem::take(&mut self.text);
        if self.cells.len() < MOST_CELLS {
            self.cells.push(text.trim().to_owned());
        } else {
            self.writer.paragraph(&text);
        }
    }

    fn end_row(&mut self) {
        let cells = std::mem::take(&mut self.cells);
        if cells.len() < 2 || cells.iter().any(|cell| cell.len() > LONGEST_CELL_BYTES) {
            self.end_table();
            cells.iter().for_each(|cell| self.writer.paragraph(cell));
        } else {
            let cells = self.by_column(cells);
            let table = self.table.get_or_insert_with(Table::default);
            match self.header {
                true => table.header(cells.clone()),
                false => table.row(cells.clone(), None, self.writer),
            }
            self.above = cells;
        }
        if !self.asides.is_empty() {
            self.end_table();
        }
        self.write_asides();
    }

    /// Puts each cell into its column: where a cell reaches over several, a row has fewer cells than the first.
    fn by_column(&mut self, cells: Vec<String>) -> Vec<String> {
        if self.table.is_none() {
            self.columns = self.edges.clone();
        }
        let mut placed: Vec<String> = Vec::new();
        for (at, cell) in cells.into_iter().enumerate() {
            let left = at.checked_sub(1).and_then(|before| self.edges.get(before));
            let column = left.map_or(0, |left| self.columns.iter().filter(|edge| *edge <= left).count());
            let column = column.max(placed.len());
            placed.resize(column, String::new());
            let merges = self.merged.get(at).copied().unwrap_or_default();
            let above = self.above.get(column).filter(|_| merges && cell.is_empty());
            placed.push(above.cloned().unwrap_or(cell));
        }
        placed
    }

    pub(super) fn end_table(&mut self) {
        if let Some(table) = self.table.take() {
            table.finish(self.writer);
        }
        self.above.clear();
        self.writer.apart();
    }
}
