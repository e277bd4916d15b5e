//! Sheets.

use super::super::{ExtractedText, sheets};
use super::{field, fixture, places};

const PESTS: &str =
    "\n\nPest: Codling moth; Tree: Apple; Remedy: Traps\nPest: Codling moth; Tree: Pear; Remedy: Traps";

fn read(name: &str) -> ExtractedText {
    sheets::read(&fixture(name)).unwrap()
}

#[test]
fn rows_name_their_columns_and_stand_in_a_sheet() {
    let expected = "Orchard book 2023\n\
        Tree: Quince; Picked on: 2023-10-02; Kilos: 12.5; Share: 25%; Price: 1,234.50 €\n\
        Tree: Medlar; Picked on: 2023-11-09; Kilos: 30.0; Share: 60%; Price: 99.00 €\n";
    // openpyxl writes no values of formulas.
    assert_eq!(read("openpyxl.xlsx").text, format!("{expected}Sum{PESTS}"));
    for name in ["libreoffice.xlsx", "libreoffice.ods"] {
        let text = read(name);
        assert_eq!(text.text, format!("{expected}Tree: Sum; Kilos: 42.5{PESTS}"), "{name}");
        let places = places(&text);
        assert_eq!(places[1].0, "sheet Harvest, row 4");
        assert!(places[1].1.starts_with("Tree: Quince"));
        assert_eq!(places.last().unwrap().0, "sheet Pests, row 3");
        assert_eq!(text.title.as_deref(), Some("Orchard book"));
        assert_eq!(field(&text, "author"), ["Cy Dahl"]);
    }
}

#[test]
fn old_workbooks_give_plain_numbers() {
    let text = read("libreoffice.xls").text;
    assert!(
        text.contains("Tree: Quince; Picked on: 2023-10-02; Kilos: 12.5; Share: 0.25; Price: 1234.5"),
        "{text}"
    );
    assert!(text.ends_with(PESTS));
}

#[test]
fn hidden_sheets_are_left_out() {
    for name in ["openpyxl.xlsx", "libreoffice.xlsx", "libreoffice.ods", "libreoffice.xls"] {
        assert!(!read(name).text.contains("hidden words"), "{name}");
    }
}
