//! Word before 2007 (DOC, since Word 97): the text with its notes, comments and boxes, as it lies in the file.
//!
//! Styles are not read, so there are no headings, and what is deleted or hidden is text like any other.

use encoding_rs::WINDOWS_1252;

use super::reader::{malformed, read_bounded};
use super::table::Table;
use super::writer::Writer;
use super::{ExtractedText, Unreadable, ole};

const LARGEST: u64 = 256 << 20;

// Where things stand in the head of the main stream (MS-DOC, 2.5).
const MARK: usize = 0;
const FLAGS: usize = 0x0a;
/// Characters of the text, and of what follows it.
const COUNTS: usize = 0x4c;
const PIECES: usize = 0x1a2;

const ENCRYPTED: u16 = 0x0100;
const SECOND_TABLE: u16 = 0x0200;
/// Of a piece: its text has one byte a character.
const ONE_BYTE: u32 = 0x4000_0000;

pub(super) fn read(bytes: &[u8]) -> Result<ExtractedText, Unreadable> {
    // What Office encrypts is one of these, whatever its name.
    if ole::has(bytes, "/EncryptedPackage") {
        return Err(Unreadable::Encrypted);
    }
    let head = part(bytes, "/WordDocument")?;
    if short(&head, MARK) != Some(0xa5ec) {
        return Err(broken("the mark of Word 97"));
    }
    let flags = short(&head, FLAGS).ok_or_else(|| broken("flags"))?;
    if flags & ENCRYPTED != 0 {
        return Err(Unreadable::Encrypted);
    }
    let table = part(bytes, if flags & SECOND_TABLE != 0 { "/1Table" } else { "/0Table" })?;
    let text = pieces(&head, &table).ok_or_else(|| broken("the pieces of the text"))?;
    let mut writer = Writer::default();
    // Text, footnotes, headers, macros, comments, endnotes, boxes: one after the other.
    let counts: Vec<usize> = (0..7).map(|at| long(&head, COUNTS + 4 * at).unwrap_or(0) as usize).collect();
    let mut rest = text.as_slice();
    for (count, headers) in counts.into_iter().zip([false, false, true, true, false, false, false]) {
        let (story, after) = rest.split_at(count.min(rest.len()));
        rest = after;
        if !headers {
            write(&String::from_utf16_lossy(story), &mut writer);
        }
    }
    writer.finish()
}

fn broken(what: &str) -> Unreadable {
    Unreadable::Malformed(format!("expected a document of Word 97 or later with {what}, found none"))
}

fn part(bytes: &[u8], path: &str) -> Result<Vec<u8>, Unreadable> {
    let mut file = ole::open(bytes).filter(|file| file.is_stream(path)).ok_or_else(|| broken(&path[1..]))?;
    let mut stream = file.open_stream(path).map_err(|error| malformed(path, &error))?;
    read_bounded(&mut stream, path, LARGEST)
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_le_bytes)
}

fn long(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
}

/// All text, as UTF-16: it lies in pieces, in the order in which they were typed.
fn pieces(head: &[u8], table: &[u8]) -> Option<Vec<u16>> {
    let (start, length) = (long(head, PIECES)? as usize, long(head, PIECES + 4)? as usize);
    let mut list = table.get(start..start.checked_add(length)?)?;
    // Before the list of pieces may stand properties.
    while let [1, rest @ ..] = list {
        list = rest.get(2 + usize::from(short(rest, 0)?)..)?;
    }
    let list = list.strip_prefix(&[2])?.get(4..)?;
    let count = list.len().checked_sub(4)? / 12;
    let mut text = Vec::new();
    for piece in 0..count {
        let (from, to) = (long(list, 4 * piece)?, long(list, 4 * piece + 4)?);
        let characters = to.checked_sub(from)? as usize;
        let place = long(list, 4 * (count + 1) + 8 * piece + 2)?;
        let offset = (place & !ONE_BYTE) as usize;
        // Pieces are apart: together they are no longer than the file.
        if text.len() + characters > head.len() {
            return None;
        }
        if place & ONE_BYTE != 0 {
            let bytes = head.get(offset / 2..(offset / 2).checked_add(characters)?)?;
            text.extend(WINDOWS_1252.decode_without_bom_handling(bytes).0.encode_utf16());
        } else {
            let bytes = head.get(offset..offset.checked_add(2 * characters)?)?;
            text.extend(bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])));
        }
    }
    Some(text)
}

/// Writes paragraphs and rows. A field is an instruction, which is left out, and a result.
fn write(story: &str, writer: &mut Writer) {
    let (mut text, mut cells, mut table) = (String::new(), Vec::new(), None::<Table>);
    // For each field that is open, whether its result has begun.
    let mut fields: Vec<bool> = Vec::new();
    for c in story.chars() {
        match c {
            '\x13' => fields.push(false),
            '\x14' => fields.last_mut().into_iter().for_each(|result| *result = true),
            '\x15' => drop(fields.pop()),
            _ if fields.contains(&false) => {}
            // A cell ends, or after the last one the row.
            '\x07' if text.is_empty() && !cells.is_empty() => {
                table.get_or_insert_with(Table::default).row(std::mem::take(&mut cells), None, writer);
            }
            '\x07' => cells.push(std::mem::take(&mut text)),
            '\r' | '\x0c' if cells.is_empty() => {
                if let Some(table) = table.take_if(|_| !text.trim().is_empty()) {
                    table.finish(writer);
                    writer.apart();
                }
                writer.paragraph(&std::mem::take(&mut text));
            }
            '\r' | '\x0b' | '\x0c' => text.push('\n'),
            '\x1e' => text.push('-'),
            '\t' => text.push('\t'),
            c if c.is_control() => {}
            c => text.push(c),
        }
    }
    cells.iter().for_each(|cell| writer.paragraph(cell));
    if let Some(table) = table {
        table.finish(writer);
    }
    writer.apart();
    writer.paragraph(&text);
}
