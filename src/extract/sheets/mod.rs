//! Workbooks: Excel (XLSX, XLSM, XLSB, XLS) and OpenDocument (ODS). Each row is a line that names its columns and
//! stands in a sheet at a row. Formulas give their values; a cell that reaches over several rows stands in each. Hidden
//! sheets are left out. Numbers read as the sheet shows them, dates as `2024-03-01`: how a sheet shows those depends on
//! who looks.

mod biff;
mod rows;
mod shown;

use std::io::Cursor;

use calamine::{Reader, Sheet, SheetType, SheetVisible, Xls, XlsError, Xlsb, XlsbError, Xlsx, XlsxError};

use super::package::Package;
use super::writer::Writer;
use super::{ExtractedText, Unreadable, odf, ole, ooxml};
use rows::Rows;

/// A million rows of ten cells take 300 MiB. They are read cell by cell.
const LARGEST_SHEET: u64 = 400 << 20;

/// Of another part of a workbook. Texts that cells share are in memory as a whole.
const LARGEST_PART: u64 = 96 << 20;

pub(super) fn read(bytes: &[u8]) -> Result<ExtractedText, Unreadable> {
    if ole::has(bytes, "/EncryptedPackage") {
        return Err(Unreadable::Encrypted);
    }
    if !bytes.starts_with(b"PK") {
        let bytes = biff::checked(bytes)?;
        return guarded(|| xls(&bytes))?.finish();
    }
    let mut package = Package::open(bytes)?;
    if package.has("content.xml") {
        return odf::read(bytes);
    }
    package.check(|name| if name.contains("sheets/") { LARGEST_SHEET } else { LARGEST_PART })?;
    let mut writer =
        if package.has("xl/workbook.bin") { guarded(|| xlsb(bytes))? } else { guarded(|| xlsx(bytes))? };
    ooxml::properties(&mut package, &mut writer)?;
    writer.finish()
}

/// calamine panics on some damaged files: its indices come from the file.
fn guarded(read: impl FnOnce() -> Result<Writer, Unreadable>) -> Result<Writer, Unreadable> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(Unreadable::Malformed("could not read the workbook: it is damaged".into())))
}

/// Names of the sheets that are shown and have cells.
fn shown_sheets(sheets: &[Sheet]) -> Vec<String> {
    let shown = |sheet: &&Sheet| sheet.visible == SheetVisible::Visible && sheet.typ == SheetType::WorkSheet;
    sheets.iter().filter(shown).map(|sheet| sheet.name.clone()).collect()
}

fn xlsx(bytes: &[u8]) -> Result<Writer, Unreadable> {
    let refused = |error: XlsxError| match error {
        XlsxError::Password => Unreadable::Encrypted,
        error => malformed(&error),
    };
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(refused)?;
    let mut writer = Writer::default();
    for sheet in shown_sheets(book.sheets_metadata()) {
        let merged = book.merge_cells_by_sheet_name(&sheet).map_err(refused)?;
        let mut rows = Rows::new(&sheet, &merged, &mut writer);
        let mut cells = book.worksheet_cells_reader(&sheet).map_err(refused)?;
        while let Some((cell, style)) = cells.next_cell_with_style_id().map_err(refused)? {
            let format = cells.styles().get(style).and_then(|style| style.number_format.as_ref());
            let format = format.map_or("General", |format| &format.format_code);
            rows.cell(cell.get_position(), shown::value(&cell.get_value().clone().into(), format));
            if rows.is_full() {
                break;
            }
        }
        rows.finish();
    }
    Ok(writer)
}

fn xlsb(bytes: &[u8]) -> Result<Writer, Unreadable> {
    let refused = |error: XlsbError| match error {
        XlsbError::Password => Unreadable::Encrypted,
        error => malformed(&error),
    };
    let mut book: Xlsb<_> = Xlsb::new(Cursor::new(bytes)).map_err(refused)?;
    let mut writer = Writer::default();
    for sheet in shown_sheets(book.sheets_metadata()) {
        let mut rows = Rows::new(&sheet, &[], &mut writer);
        let mut cells = book.worksheet_cells_reader(&sheet).map_err(refused)?;
        while let Some(cell) = cells.next_cell().map_err(refused)? {
            rows.cell(cell.get_position(), shown::value(&cell.get_value().clone().into(), "General"));
            if rows.is_full() {
                break;
            }
        }
        rows.finish();
    }
    Ok(writer)
}

fn xls(bytes: &[u8]) -> Result<Writer, Unreadable> {
    let refused = |error: XlsError| match error {
        XlsError::Password => Unreadable::Encrypted,
        error => malformed(&error),
    };
    let mut book: Xls<_> = Xls::new(Cursor::new(bytes)).map_err(refused)?;
    let mut writer = Writer::default();
    for sheet in shown_sheets(book.sheets_metadata()) {
        let merged = book.merge_cells_by_sheet_name(&sheet).map_err(refused)?;
        let range = book.worksheet_range(&sheet).map_err(refused)?;
        let (first_row, first_column) = range.start().unwrap_or_default();
        let mut rows = Rows::new(&sheet, &merged, &mut writer);
        for (row, column, value) in range.used_cells() {
            // A sheet of this format has 65,536 rows of 256 cells.
            let position = (first_row + row as u32, first_column + column as u32);
            rows.cell(position, shown::value(value, "General"));
        }
        rows.finish();
    }
    Ok(writer)
}

fn malformed(error: &dyn std::error::Error) -> Unreadable {
    Unreadable::Malformed(format!("could not read the workbook: {error}"))
}
