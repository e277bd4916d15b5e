//! Tables as lines that stand for themselves: `Header: value; Header: value`. A search that finds a row out of context
//! then knows what its values are. Tables without a recognisable header give `a | b | c`.

use roxmltree::Node;

use crate::place::Place;

use super::writer::{Writer, one_line};
use super::xml;

/// As many rows are read before it is decided what the header is.
const LOOKED_AT: usize = 20;

/// Cells with more text are parts of a page's layout, not values.
const LONGEST_CELL_BYTES: usize = 500;

const LONGEST_HEADER_BYTES: usize = 80;

/// One table that is being read. Rows go to the writer as soon as the header is known.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// Names of the columns, once they are known. Empty names are of columns without one.
    header: Option<Vec<String>>,
    decided: bool,
    waiting: Vec<Row>,
    /// Whether the document says what the header is.
    marked: bool,
    written: bool,
}

#[derive(Debug)]
struct Row {
    place: Option<Place>,
    cells: Vec<String>,
}

impl Table {
    /// A row that the document says is the header. Further ones are joined to it.
    pub(super) fn header(&mut self, cells: Vec<String>) {
        let cells: Vec<String> = cells.iter().map(|cell| one_line(cell)).collect();
        if let (true, Some(header)) = (self.marked, &mut self.header) {
            header.resize(header.len().max(cells.len()), String::new());
            for (name, cell) in header.iter_mut().zip(cells) {
                if *name != cell {
                    *name = one_line(&format!("{name} {cell}"));
                }
            }
            return;
        }
        self.header = Some(cells);
        (self.marked, self.decided) = (true, true);
    }

    /// A row by its columns; where it stands.
    pub(super) fn row(&mut self, cells: Vec<String>, place: Option<Place>, writer: &mut Writer) {
        let row = Row { place, cells: cells.iter().map(|cell| one_line(cell)).collect() };
        if row.filled() == 0 {
            return;
        }
        if self.decided {
            return self.write(row, writer);
        }
        self.waiting.push(row);
        if self.waiting.len() == LOOKED_AT {
            self.decide(writer);
        }
    }

    /// A gap in a sheet: what follows may have a header of its own. Without one that of before holds on.
    pub(super) fn gap(&mut self, writer: &mut Writer) {
        if !self.marked {
            self.decide(writer);
            self.decided = false;
        }
    }

    /// Writes the rows that are left; a header alone as a row.
    pub(super) fn finish(mut self, writer: &mut Writer) {
        self.decide(writer);
        if self.marked && !self.written {
            let cells = self.header.take().unwrap_or_default();
            self.write(Row { place: None, cells }, writer);
        }
    }

    fn decide(&mut self, writer: &mut Writer) {
        let waiting = std::mem::take(&mut self.waiting);
        let header = if self.decided { None } else { header_of(&waiting) };
        if let Some(at) = header {
            self.header = Some(waiting[at].cells.clone());
        }
        self.decided = true;
        for (at, row) in waiting.into_iter().enumerate() {
            match header {
                // The names themselves are in each row that follows.
                Some(header) if header == at => {}
                _ => self.write(row, writer),
            }
        }
    }

    fn write(&mut self, row: Row, writer: &mut Writer) {
        if let Some(place) = &row.place {
            writer.place(place.clone());
        }
        self.written = true;
        writer.row(&self.line(&row));
    }

    fn line(&self, row: &Row) -> String {
        row_text(self.header.as_deref().filter(|_| row.filled() > 1), &row.cells)
    }
}

/// A row that says what its values are: `Header: value; Header: value`. Without a header `a | b | c`. Empty cells are
/// left out.
pub(crate) fn row_text(header: Option<&[String]>, cells: &[String]) -> String {
    let filled = cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty());
    let Some(header) = header else {
        return filled.map(|(_, cell)| cell.as_str()).collect::<Vec<_>>().join(" | ");
    };
    let named = filled.map(|(at, cell)| match header.get(at).map(|name| name.trim_end_matches(':')) {
        Some(name) if !name.is_empty() && name != cell => format!("{name}: {cell}"),
        _ => cell.clone(),
    });
    named.collect::<Vec<_>>().join("; ")
}

impl Row {
    fn filled(&self) -> usize {
        self.cells.iter().filter(|cell| !cell.is_empty()).count()
    }
}

/// Which row names the columns: the first that has several cells, if all of them are short texts, no two alike, and
/// what follows differs from them: it has numbers where they have none, or three columns and more.
fn header_of(rows: &[Row]) -> Option<usize> {
    let at = rows.iter().position(|row| row.filled() > 1)?;
    let (names, rest) = (&rows[at].cells, &rows[at + 1..]);
    let rest: Vec<&Row> = rest.iter().filter(|row| row.filled() > 1).collect();
    let widest = rest.iter().map(|row| row.filled()).max()?;
    let mut filled: Vec<&String> = names.iter().filter(|name| !name.is_empty()).collect();
    let count = filled.len();
    let all_names = filled.iter().all(|name| name.len() <= LONGEST_HEADER_BYTES && is_name(name));
    filled.sort();
    filled.dedup();
    if !all_names || filled.len() < count || count + 1 < widest {
        return None;
    }
    let numeric_below = |column: usize| {
        let below = || rest.iter().filter_map(|row| row.cells.get(column)).filter(|cell| !cell.is_empty());
        below().next().is_some() && below().all(|cell| !is_name(cell))
    };
    let named = |column: &usize| names.get(*column).is_some_and(|name| !name.is_empty());
    let differs = (0..names.len()).filter(named).any(numeric_below);
    (differs || count > 2).then_some(at)
}

/// Whether a cell can name a column: it begins with a letter, or is a year.
fn is_name(cell: &str) -> bool {
    let year = cell.len() == 4 && cell.parse::<u32>().is_ok_and(|year| (1900..2100).contains(&year));
    year || cell.chars().find(|c| c.is_alphanumeric()).is_none_or(|c| c.is_alphabetic())
}

/// Whether a cell holds a part of the page rather than a value.
pub(super) fn is_layout(cell: Node<'_, '_>) -> bool {
    let mut bytes = 0;
    cell.descendants().skip(1).any(|node| {
        bytes += node.text().filter(|_| node.is_text()).map_or(0, str::len);
        bytes > LONGEST_CELL_BYTES || matches!(xml::name(node), "tbl" | "table")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(rows: &[&[&str]], marked: bool) -> String {
        let (mut table, mut writer) = (Table::default(), Writer::default());
        for (at, row) in rows.iter().enumerate() {
            let cells = row.iter().map(|&cell| cell.to_owned()).collect();
            match marked && at == 0 {
                true => table.header(cells),
                false => table.row(cells, None, &mut writer),
            }
        }
        table.finish(&mut writer);
        writer.finish().unwrap().text
    }

    #[test]
    fn rows_carry_their_headers() {
        let rows: &[&[&str]] =
            &[&["City", "People"], &["Oslo", "717 710"], &["Bergen", ""], &["Moss", "51 000"]];
        assert_eq!(lines(rows, false), "City: Oslo; People: 717 710\nBergen\nCity: Moss; People: 51 000");
    }

    #[test]
    fn two_columns_of_words_have_a_header_only_if_the_document_says_so() {
        let rows: &[&[&str]] = &[&["Author", "Ada"], &["Editor", "Bob"]];
        assert_eq!(lines(rows, false), "Author | Ada\nEditor | Bob");
        assert_eq!(lines(rows, true), "Author: Editor; Ada: Bob");
    }

    #[test]
    fn a_title_above_the_table_is_a_row_of_its_own() {
        let rows: &[&[&str]] = &[&["Budget"], &["Item", "2023", "2024"], &["Rent", "100", "110"]];
        assert_eq!(lines(rows, false), "Budget\nItem: Rent; 2023: 100; 2024: 110");
    }

    #[test]
    fn numbers_and_repeated_names_are_no_header() {
        assert_eq!(lines(&[&["1", "2"], &["3", "4"]], false), "1 | 2\n3 | 4");
        assert_eq!(lines(&[&["a", "a", "b"], &["c", "d", "e"]], false), "a | a | b\nc | d | e");
    }
}
