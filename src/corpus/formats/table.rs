//! Reads tables of separated values. Each row is a line `Header: value; Header: value`, which says what its values are
//! without the rows above.

use crate::extract::row_text;
use crate::place::Place;

use super::builder::Builder;
use crate::corpus::outline::{Extracted, one_line};

/// `is_tabbed` where the file's name says so; else the first lines tell what separates the values.
pub(super) fn extract(source: &str, is_tabbed: bool) -> Extracted<'static> {
    let delimiter = if is_tabbed { b'\t' } else { delimiter(source) };
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(source.as_bytes());
    let mut builder = Builder::new(source);
    let mut record = csv::StringRecord::new();
    let mut header: Option<Vec<String>> = None;
    let mut row = 0;
    // What is no table ends where it can't be read on; a text is always read.
    while let Ok(true) = reader.read_record(&mut record) {
        row += 1;
        let start = record.position().map_or(0, csv::Position::byte) as usize;
        let end = (reader.position().byte() as usize).min(source.len());
        if row == 1 && is_header(&record) {
            header = Some(record.iter().map(one_line).collect());
            continue;
        }
        let cells: Vec<String> = record.iter().map(one_line).collect();
        let line = row_text(header.as_deref(), &cells);
        if line.is_empty() {
            continue;
        }
        builder.end_line();
        builder.begin_block();
        builder.mark(Place { row: Some(row), ..Place::default() });
        let written = source[start..end].trim();
        let start = start + (source[start..end].len() - source[start..end].trim_start().len());
        builder.push_for(&line, start..start + written.len());
    }
    if let (true, Some(header)) = (builder.text.is_empty(), header) {
        builder.push_for(&header.join("; "), 0..source.trim_end().len());
    }
    builder.finish()
}

/// Whether the first row names the columns: short words, no two the same, no numbers.
fn is_header(record: &csv::StringRecord) -> bool {
    const LONGEST_BYTES: usize = 80;
    let names: Vec<String> = record.iter().map(one_line).collect();
    let is_name = |name: &String| {
        let is_value = name.chars().all(|c| c.is_ascii_digit() || ".,-+:/% ".contains(c));
        name.is_empty() || name.len() <= LONGEST_BYTES && !is_value
    };
    let named = names.iter().filter(|name| !name.is_empty()).count();
    let is_distinct =
        (1..names.len()).all(|index| names[index].is_empty() || !names[..index].contains(&names[index]));
    names.len() > 1 && named * 2 > names.len() && names.iter().all(is_name) && is_distinct
}

/// The sign that stands equally often in each of the first lines, and most often.
fn delimiter(source: &str) -> u8 {
    const LOOKED_AT: usize = 16 << 10;
    const LINES: usize = 10;
    let start = &source[..source.floor_char_boundary(LOOKED_AT)];
    let counts = |delimiter: u8| -> Vec<usize> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(start.as_bytes());
        reader.records().map_while(Result::ok).take(LINES).map(|record| record.len()).collect()
    };
    let score = |delimiter: u8| {
        let counts = counts(delimiter);
        let first = counts.first().copied().unwrap_or(1);
        let same = counts.iter().filter(|&&count| count == first).count();
        if first < 2 { 0 } else { same * 100 / counts.len() * 100 + first.min(99) }
    };
    let best = [b',', b';', b'\t', b'|'].into_iter().rev().max_by_key(|&delimiter| score(delimiter));
    best.unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_for_themselves() {
        let text = "Name,Town,Age\r\n\"Smith, Ada\",\"Kiel\nNord\",\r\nBo,Köln,7\r\n";
        let extracted = extract(text, false);
        assert_eq!(extracted.text, "Name: Smith, Ada; Town: Kiel Nord\nName: Bo; Town: Köln; Age: 7");
        let bo = extracted.text.find("Name: Bo").unwrap();
        assert_eq!((extracted.place(0).row, extracted.place(bo).row), (Some(2), Some(3)));
        let range = extracted.positions.in_file(bo..extracted.text.len());
        assert_eq!(&text[range.start as usize..range.end as usize], "Bo,Köln,7");
    }

    #[test]
    fn delimiters_are_found_and_tables_may_have_no_header() {
        assert_eq!(extract("a;b\n1,5;2\n", false).text, "a: 1,5; b: 2");
        assert_eq!(extract("1\t2\n3\t4\n", false).text, "1 | 2\n3 | 4");
        assert_eq!(extract("a b\tc\nx, y\tz\n", true).text, "a b: x, y; c: z");
        assert_eq!(extract("just text\nin lines", false).text, "just text\nin lines");
        assert_eq!(extract("a,b,c\n", false).text, "a; b; c");
        assert_eq!(extract("", false).text, "");
    }
}
