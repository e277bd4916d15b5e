//! The records of an old workbook, made safe for calamine: it takes as much memory as the records say that a sheet is
//! large, and believes the tables of the compound file.

use std::io::{Cursor, Write};

use cfb::{CompoundFile, Version};

use super::super::reader::{malformed, read_bounded};
use super::super::{Unreadable, ole};

const LARGEST: u64 = 256 << 20;

/// Between the first and the last cell of a sheet: calamine takes 24 bytes for each, filled or not.
const MOST_CELLS: usize = 8_000_000;

/// The last column of a sheet.
const MOST_COLUMNS: u16 = 256;

const BOF: u16 = 0x0809;
const DIMENSIONS: u16 = 0x0200;
const CELLS: u16 = 0x00bd;
/// Numbers, texts, booleans, formulas: all begin with their row and column.
const CELL: [u16; 7] = [0x0006, 0x00d6, 0x00fd, 0x0203, 0x0204, 0x0205, 0x027e];
/// Means nothing to anybody.
const IGNORED: u16 = 0xfffe;

/// A compound file with nothing but the workbook's records, all within bounds.
pub(super) fn checked(bytes: &[u8]) -> Result<Vec<u8>, Unreadable> {
    let mut file = ole::open(bytes).ok_or_else(none)?;
    let path = ["/Workbook", "/Book"].into_iter().find(|path| file.is_stream(path)).ok_or_else(none)?;
    let mut stream = file.open_stream(path).map_err(|error| malformed(path, &error))?;
    let mut records = read_bounded(&mut stream, "a workbook", LARGEST)?;
    check(&mut records)?;
    rewritten(path, &records).map_err(|error| malformed(path, &error))
}

fn none() -> Unreadable {
    Unreadable::Malformed("expected a workbook, found neither a zip archive nor one of Excel".into())
}

fn rewritten(path: &str, records: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut file = CompoundFile::create_with_version(Version::V3, Cursor::new(Vec::new()))?;
    file.create_stream(path)?.write_all(records)?;
    file.flush()?;
    Ok(file.into_inner().into_inner())
}

/// Refuses cells too far apart, and has sizes that sheets claim ignored.
fn check(records: &mut [u8]) -> Result<(), Unreadable> {
    let mut at = 0;
    let mut sheet = Area::default();
    while let Some([kind, length]) = pair(records, at) {
        let body = at + 4;
        let value = |offset: usize| pair(records, body + offset).map(|[value, _]| value);
        match kind {
            BOF => sheet = Area::default(),
            DIMENSIONS => records[at..at + 2].copy_from_slice(&IGNORED.to_le_bytes()),
            _ if CELL.contains(&kind) => sheet.add(value(0), value(2))?,
            CELLS => {
                sheet.add(value(0), value(2))?;
                let last = usize::from(length)
                    .checked_sub(2)
                    .and_then(|last| records.get(body + last..body + last + 2));
                sheet.add(value(0), last.map(|last| u16::from_le_bytes([last[0], last[1]])))?;
            }
            _ => {}
        }
        at = body + usize::from(length);
    }
    Ok(())
}

/// Two numbers of 16 bits.
fn pair(records: &[u8], at: usize) -> Option<[u16; 2]> {
    let bytes = records.get(at..at + 4)?;
    Some([u16::from_le_bytes([bytes[0], bytes[1]]), u16::from_le_bytes([bytes[2], bytes[3]])])
}

/// The rows and columns that a sheet's cells span.
#[derive(Default)]
struct Area {
    rows: Option<(u16, u16)>,
    columns: Option<(u16, u16)>,
}

impl Area {
    fn add(&mut self, row: Option<u16>, column: Option<u16>) -> Result<(), Unreadable> {
        let (Some(row), Some(column)) = (row, column) else { return Ok(()) };
        if column >= MOST_COLUMNS {
            return Err(Unreadable::Malformed(format!(
                "expected at most {MOST_COLUMNS} columns, found {column}"
            )));
        }
        let cells = reach(&mut self.rows, row) * reach(&mut self.columns, column);
        match cells > MOST_CELLS {
            true => Err(Unreadable::TooLarge(format!("a sheet of more than {MOST_CELLS} cells"))),
            false => Ok(()),
        }
    }
}

/// How long the range is with `value` in it.
fn reach(range: &mut Option<(u16, u16)>, value: u16) -> usize {
    let (first, last) = range.unwrap_or((value, value));
    let (first, last) = (first.min(value), last.max(value));
    *range = Some((first, last));
    usize::from(last - first) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u16, body: &[u8]) -> Vec<u8> {
        [&kind.to_le_bytes()[..], &(body.len() as u16).to_le_bytes(), body].concat()
    }

    fn cell(row: u16, column: u16) -> Vec<u8> {
        record(0x0203, &[&row.to_le_bytes()[..], &column.to_le_bytes(), &[0; 10]].concat())
    }

    #[test]
    fn claimed_sizes_are_ignored_and_cells_far_apart_refused() {
        let mut records = [record(BOF, &[0; 16]), record(DIMENSIONS, &[255; 14]), cell(3, 4)].concat();
        check(&mut records).unwrap();
        assert_eq!(records[20..22], IGNORED.to_le_bytes());
        let mut apart = [cell(0, 0), cell(65_535, 255)].concat();
        assert!(matches!(check(&mut apart), Err(Unreadable::TooLarge(_))));
        let mut sheets = [cell(0, 0), record(BOF, &[0; 16]), cell(65_535, 255)].concat();
        assert_eq!(check(&mut sheets), Ok(()));
        assert!(matches!(check(&mut cell(0, 256)), Err(Unreadable::Malformed(_))));
        assert_eq!(check(&mut [1, 2, 3]), Ok(()));
    }
}
