//! The format of SMART's classic collections (Cranfield, CISI, MED, CACM): `.I 1` starts a record; `.T`, `.W` and other
//! letters start its fields.

use super::super::lines::Lines;
use super::super::numbers::without_zeros;
use super::record::{Document, Query, Records, is_id};
use crate::error::Result;

const EXPECTED: &str = "records that start with `.I NUMBER`, and fields that start with a line such as `.W`";

/// A record's number, without leading zeros, and its fields.
struct Record {
    id: String,
    title: String,
    body: String,
}

/// Reads documents. Title and body keep their line breaks.
pub(super) fn documents(lines: Lines) -> Records<Document> {
    Box::new(
        Reader::new(lines)
            .map(|record| record.map(|Record { id, title, body }| Document { id, title, text: body })),
    )
}

/// Reads queries. With `by_place`, their ids are their positions in the file, from 1, instead of their own numbers.
pub(super) fn queries(lines: Lines, by_place: bool) -> Records<Query> {
    Box::new(Reader::new(lines).enumerate().map(move |(place, record)| {
        let Record { id, title, body } = record?;
        let id = if by_place { (place + 1).to_string() } else { id };
        let text = if body.is_empty() { title } else { body };
        Ok(Query::new(id, text))
    }))
}

struct Reader {
    lines: Lines,
    /// The record being read.
    current: Option<Record>,
    field: char,
}

impl Reader {
    fn new(lines: Lines) -> Reader {
        Reader { lines, current: None, field: ' ' }
    }

    fn read(&mut self) -> Result<Option<Record>> {
        while let Some(line) = self.lines.next() {
            let (number, line) = line?;
            let begins = line.strip_prefix(".I").filter(|id| !id.starts_with(char::is_alphabetic));
            if let Some(id) = begins {
                let id = without_zeros(id.trim());
                if !is_id(id) || id.contains(char::is_whitespace) {
                    return Err(self.lines.wrong(number, format!("{line:?}"), EXPECTED));
                }
                self.field = ' ';
                let next = Record { id: id.to_string(), title: String::new(), body: String::new() };
                if let Some(whole) = self.current.replace(next) {
                    return Ok(Some(whole));
                }
            } else if let Some(field) = field(&line) {
                self.field = field;
            } else {
                let Some(record) = &mut self.current else {
                    return Err(self.lines.wrong(number, format!("{line:?}"), EXPECTED));
                };
                match self.field {
                    'T' => add(&mut record.title, &line),
                    'W' => add(&mut record.body, &line),
                    // Authors, sources, references and keys are not searched.
                    _ => {}
                }
            }
        }
        Ok(self.current.take())
    }
}

impl Iterator for Reader {
    type Item = Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

/// The letter of a line that starts a field.
fn field(line: &str) -> Option<char> {
    let letter = line.trim_end().strip_prefix('.')?;
    let mut letters = letter.chars();
    letters.next().filter(|letter| letter.is_ascii_uppercase() && letters.next().is_none())
}

fn add(text: &mut String, line: &str) {
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(line.trim_end());
}
