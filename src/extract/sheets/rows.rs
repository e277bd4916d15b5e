//! Cells in reading order become rows.

use calamine::Dimensions;

use crate::place::Place;

use super::super::table::Table;
use super::super::writer::Writer;

/// The last column of a sheet.
const MOST_COLUMNS: u32 = 16_384;

/// Longer values are not repeated where a cell reaches over several rows.
const LONGEST_REPEATED_BYTES: usize = 1000;

/// One sheet that is being read. All numbers count from 0.
pub(super) struct Rows<'w> {
    sheet: String,
    table: Table,
    writer: &'w mut Writer,
    row: u32,
    cells: Vec<String>,
    /// Areas that reach over several rows and have not begun, the next one last.
    waiting: Vec<Dimensions>,
    /// Those that have, with their value.
    open: Vec<Merged>,
}

struct Merged {
    last_row: u32,
    column: usize,
    value: String,
}

impl<'w> Rows<'w> {
    pub(super) fn new(sheet: &str, merged: &[Dimensions], writer: &'w mut Writer) -> Self {
        let mut waiting: Vec<Dimensions> =
            merged.iter().copied().filter(|area| area.end.0 > area.start.0).collect();
        waiting.sort_by_key(|area| std::cmp::Reverse(area.start.0));
        writer.apart();
        let (table, cells) = (Table::default(), Vec::new());
        Self { sheet: sheet.into(), table, writer, row: 0, cells, waiting, open: Vec::new() }
    }

    pub(super) fn cell(&mut self, (row, column): (u32, u32), value: String) {
        if value.is_empty() || column >= MOST_COLUMNS {
            return;
        }
        if row != self.row {
            self.end_row();
            if row > self.row + 1 {
                self.table.gap(self.writer);
            }
            self.row = row;
        }
        self.set(column as usize, value);
    }

    /// Whether nothing more is kept.
    pub(super) fn is_full(&self) -> bool {
        self.writer.is_full()
    }

    pub(super) fn finish(mut self) {
        self.end_row();
        self.table.finish(self.writer);
    }

    fn set(&mut self, column: usize, value: String) {
        if self.cells.len() <= column {
            self.cells.resize(column + 1, String::new());
        }
        self.cells[column] = value;
    }

    fn end_row(&mut self) {
        if self.cells.is_empty() {
            return;
        }
        self.open.retain(|area| area.last_row >= self.row);
        for area in std::mem::take(&mut self.open) {
            if self.cells.get(area.column).is_none_or(String::is_empty) {
                self.set(area.column, area.value.clone());
            }
            self.open.push(area);
        }
        while let Some(area) = self.waiting.pop_if(|area| area.start.0 <= self.row) {
            let column = area.start.1 as usize;
            let value = self.cells.get(column).filter(|value| value.len() <= LONGEST_REPEATED_BYTES);
            if let Some(value) = value.filter(|value| !value.is_empty() && area.start.0 == self.row) {
                self.open.push(Merged { last_row: area.end.0, column, value: value.clone() });
            }
        }
        let cells = std::mem::take(&mut self.cells);
        let row = self.row.checked_add(1);
        let place = Place { sheet: Some(self.sheet.clone()), row, ..Place::default() };
        self.table.row(cells, Some(place), self.writer);
    }
}
