//! Extracts the cells of a Jupyter notebook: their sources and text outputs. Pictures, other media and base64 are left
//! out, and so are the colours of a terminal.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{contents, markdown};
use crate::corpus::outline::{Extracted, Heading, Outline};
use crate::corpus::positions::Positions;
use crate::extract::Marker;
use crate::place::Place;

/// Versions 4 and 3 of the format. Whatever is not text stays as it is in the file, unread.
#[derive(Deserialize)]
struct Notebook<'s> {
    #[serde(borrow)]
    cells: Option<Vec<Cell<'s>>>,
    #[serde(borrow)]
    worksheets: Option<Vec<Worksheet<'s>>>,
}

#[derive(Deserialize)]
struct Worksheet<'s> {
    #[serde(borrow)]
    cells: Option<Vec<Cell<'s>>>,
}

#[derive(Deserialize)]
struct Cell<'s> {
    cell_type: String,
    #[serde(borrow)]
    source: Option<&'s RawValue>,
    /// The source of a code cell in version 3.
    #[serde(borrow)]
    input: Option<&'s RawValue>,
    /// Of a heading in version 3.
    level: Option<u8>,
    #[serde(borrow)]
    outputs: Option<Vec<Output<'s>>>,
}

#[derive(Deserialize)]
struct Output<'s> {
    /// A stream's text; in version 3 any text output.
    #[serde(borrow)]
    text: Option<&'s RawValue>,
    #[serde(borrow)]
    data: Option<BTreeMap<String, &'s RawValue>>,
    #[serde(borrow)]
    ename: Option<&'s RawValue>,
    #[serde(borrow)]
    evalue: Option<&'s RawValue>,
    /// Pictures of version 3.
    #[serde(borrow)]
    png: Option<&'s RawValue>,
    #[serde(borrow)]
    svg: Option<&'s RawValue>,
    #[serde(borrow)]
    jpeg: Option<&'s RawValue>,
}

/// Reads a notebook. Says what is wrong with one that isn't.
pub(super) fn extract(source: &str) -> Result<Extracted<'static>, String> {
    let notebook: Notebook<'_> =
        serde_json::from_str(source).map_err(|error| format!("not a notebook in JSON, {error}"))?;
    let worksheets = notebook.worksheets.map(|sheets| sheets.into_iter().filter_map(|sheet| sheet.cells));
    let cells = match (notebook.cells, worksheets) {
        (Some(cells), _) => cells,
        (None, Some(sheets)) => sheets.flatten().collect(),
        (None, None) => return Err("a notebook without cells".into()),
    };
    let mut reader = Reader::new(source);
    for (cell, number) in cells.iter().zip(1..) {
        reader.cell(cell, number);
    }
    Ok(Extracted {
        text: Cow::Owned(reader.text),
        positions: reader.positions,
        title: reader.title,
        blocks: reader.blocks,
        markers: reader.markers,
        ..Extracted::whole("", Outline::new(reader.headings))
    })
}

struct Reader<'s> {
    source: &'s str,
    text: String,
    positions: Positions,
    headings: Vec<Heading>,
    blocks: Vec<usize>,
    markers: Vec<Marker>,
    title: Option<String>,
}

impl<'s> Reader<'s> {
    fn new(source: &'s str) -> Self {
        Reader {
            source,
            text: String::new(),
            positions: Positions::shifted(0),
            headings: Vec::new(),
            blocks: Vec::new(),
            markers: Vec::new(),
            title: None,
        }
    }

    /// Cells are counted from 1.
    fn cell(&mut self, cell: &Cell<'s>, number: u32) {
        let start = self.block(&[cell.source.or(cell.input)]);
        self.markers.push(Marker { start, place: Place { cell: Some(number), ..Place::default() } });
        match cell.cell_type.as_str() {
            "markdown" => self.take_markdown(start),
            "heading" => self.headings.push(Heading {
                start,
                end: self.text.len(),
                level: cell.level.unwrap_or(1),
                title: crate::corpus::outline::one_line(&self.text[start..]),
            }),
            _ => self.blocks.push(start),
        }
        for output in cell.outputs.iter().flatten() {
            let start = self.output(output);
            self.blocks.push(start);
        }
    }

    fn output(&mut self, output: &Output<'s>) -> usize {
        let data = output.data.as_ref();
        let is_picture = output.png.or(output.svg).or(output.jpeg).is_some()
            || data.is_some_and(|data| data.keys().any(|kind| kind.starts_with("image/")));
        // The text beside a picture only says that there is one.
        let text = output
            .text
            .or_else(|| data.and_then(|data| data.get("text/plain").or(data.get("text/markdown")).copied()));
        self.block(&[text.filter(|_| !is_picture), output.ename, output.evalue])
    }

    /// The headings and blocks of the Markdown from `start` on.
    fn take_markdown(&mut self, start: usize) {
        let cell = markdown::extract(&self.text[start..]);
        let headings = cell.outline.headings().iter().cloned();
        self.headings.extend(headings.map(|heading| Heading {
            start: start + heading.start,
            end: start + heading.end,
            ..heading
        }));
        self.blocks.extend(cell.blocks.iter().map(|block| start + block));
        self.title = self.title.take().or(cell.title);
    }

    /// Adds texts, apart from what is there by an empty line. Returns where they start.
    fn block(&mut self, texts: &[Option<&'s RawValue>]) -> usize {
        let mut start = None;
        for raw in texts.iter().flatten() {
            // A list of lines, or one text. Anything else is not text.
            let lines: Vec<&RawValue> = serde_json::from_str(raw.get()).unwrap_or_else(|_| vec![*raw]);
            if start.is_none() && !self.text.is_empty() {
                let present = self.text.bytes().rev().take(2).take_while(|&byte| byte == b'\n').count();
                self.text.push_str(&"\n\n"[present..]);
            } else if start.is_some() {
                self.text.push_str(": ");
            }
            start = start.or(Some(self.text.len()));
            let mut in_escape = false;
            for line in lines.iter().map(|line| line.get()).filter(|line| line.starts_with('"')) {
                self.literal(line, &mut in_escape);
            }
        }
        start.unwrap_or(self.text.len())
    }

    /// Adds what a JSON string says. `in_escape` is whether a sequence that controls a terminal is still open.
    fn literal(&mut self, literal: &'s str, in_escape: &mut bool) {
        let base = literal.as_ptr() as usize - self.source.as_ptr() as usize + 1;
        let inner = &literal[1..literal.len() - 1];
        let mut at = 0;
        while at < inner.len() {
            let rest = &inner[at..];
            if *in_escape {
                let end = rest.find(|c: char| c.is_ascii_alphabetic()).map(|end| end + 1);
                *in_escape = end.is_none();
                at += end.unwrap_or(rest.len());
            } else if rest.starts_with('\\') {
                let length = escape_length(rest);
                let decoded = serde_json::from_str(&format!("\"{}\"", &rest[..length]));
                match decoded.unwrap_or_else(|_| String::from(char::REPLACEMENT_CHARACTER)).as_str() {
                    "\u{1b}" => *in_escape = true,
                    "\r" if rest[length..].starts_with("\\n") => {}
                    decoded => self.push(decoded, base + at, length, false),
                }
                at += length;
            } else {
                let length = rest.find('\\').unwrap_or(rest.len());
                self.plain(&rest[..length], base + at);
                at += length;
            }
        }
    }

    /// Adds text that is in the file as it is, without the content of data URIs.
    fn plain(&mut self, text: &str, file: usize) {
        const DATA: &str = ";base64,";
        let mut at = 0;
        while let Some(found) = text[at..].find(DATA) {
            let data = at + found + DATA.len();
            self.push(&text[at..data], file + at, data - at, true);
            at = data + contents::base64_length(&text[data..]);
        }
        self.push(&text[at..], file + at, text.len() - at, true);
    }

    fn push(&mut self, text: &str, file: usize, length: usize, linear: bool) {
        if !text.is_empty() {
            self.text.push_str(text);
            self.positions.record(self.text.len(), text.len(), file..file + length, linear);
        }
    }
}

/// The length of the escape that a text begins with; both halves of a surrogate pair are one.
fn escape_length(text: &str) -> usize {
    const UNIT: usize = 6;
    let is_unit = |at: usize, half: &[u8]| {
        let bytes = text.as_bytes();
        bytes.get(at..at + 3).is_some_and(|start| start.eq_ignore_ascii_case(b"\\ud"))
            && bytes.get(at + 3).is_some_and(|digit| half.contains(&digit.to_ascii_lowercase()))
    };
    match text.as_bytes().get(1) {
        Some(b'u') if is_unit(0, b"89ab") && is_unit(UNIT, b"cdef") => 2 * UNIT,
        Some(b'u') => UNIT.min(text.len()),
        _ => 2.min(text.len()),
    }
}
