//! Files that are cut, damaged, hostile, locked or of another kind: each gives its reason, none more than that.

use std::io::Cursor;

use proptest::prelude::*;

use super::super::{Unreadable, doc, docx, epub, mail, odf, pptx, rtf, sheets};
use super::{Kept, fixture, zipped};

/// Whether `bytes` can be read as the kind of file that `name` says.
fn outcome(name: &str, bytes: &[u8]) -> Result<(), Unreadable> {
    let mut kept = Kept::default();
    let text = match name.rsplit('.').next().unwrap() {
        "doc" => doc::read(bytes),
        "docx" => docx::read(bytes),
        "odt" | "odp" => odf::read(bytes),
        "pptx" => pptx::read(bytes),
        "ods" | "xls" | "xlsx" => sheets::read(bytes),
        "rtf" => rtf::read(bytes),
        "epub" => epub::read(bytes),
        "eml" => mail::read(bytes, &mut kept),
        "msg" => mail::read_outlook(bytes, &mut kept),
        "mbox" => return mail::read_mailbox(&mut Cursor::new(bytes), &mut kept),
        other => panic!("no reader of {other}"),
    };
    text.map(drop)
}

const FILES: [&str; 15] = [
    "libreoffice.doc",
    "libreoffice.docx",
    "libreoffice.odt",
    "libreoffice.odp",
    "libreoffice.ods",
    "libreoffice.xls",
    "libreoffice.xlsx",
    "libreoffice.rtf",
    "pandoc.docx",
    "pandoc.epub",
    "python-pptx.pptx",
    "openpyxl.xlsx",
    "python.eml",
    "extract-msg.msg",
    "python.mbox",
];

#[test]
fn what_is_cut_short_is_malformed() {
    for name in FILES {
        let bytes = fixture(name);
        // What is lost at the end of a compound file may not matter.
        let ends = [".doc", ".msg", ".xls"];
        // A message that is cut is a shorter message.
        let must_fail = !name.starts_with("python.") && ends.iter().all(|end| !name.ends_with(end));
        for part in 1..32 {
            let found = outcome(name, &bytes[..bytes.len() * part / 32]);
            if must_fail {
                assert!(matches!(found, Err(Unreadable::Malformed(_))), "{name}, {part}/32: {found:?}");
            }
        }
        assert_eq!(outcome(name, &bytes), Ok(()), "{name}");
    }
}

#[test]
fn other_kinds_of_files_are_malformed() {
    for name in FILES {
        for other in [
            &b""[..],
            b"no such file",
            b"\0\0\0\0",
            b"PK\x03\x04",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and more",
        ] {
            let found = outcome(name, other);
            let empty_box = name == "python.mbox" && other.is_empty();
            assert!(matches!(found, Err(Unreadable::Malformed(_))) || empty_box, "{name}: {found:?}");
        }
    }
    let archive = zipped(&[("readme.txt", "words")]);
    for name in FILES.iter().filter(|name| fixture(name).starts_with(b"PK")) {
        assert!(matches!(outcome(name, &archive), Err(Unreadable::Malformed(_))), "{name}");
    }
}

#[test]
fn a_password_is_told() {
    let bytes = fixture("encrypted.docx");
    for name in ["a.docx", "a.pptx", "a.xlsx"] {
        assert_eq!(outcome(name, &bytes), Err(Unreadable::Encrypted), "{name}");
    }
    let manifest = "<manifest:manifest><manifest:encryption-data/></manifest:manifest>";
    let odt = zipped(&[("META-INF/manifest.xml", manifest), ("content.xml", "\u{1}\u{2}")]);
    assert_eq!(outcome("a.odt", &odt), Err(Unreadable::Encrypted));
    let epub = zipped(&[
        ("META-INF/container.xml", "<container><rootfile full-path='book.xml'/></container>"),
        ("META-INF/encryption.xml", "<encryption><CipherReference URI='one.html'/></encryption>"),
        (
            "book.xml",
            "<package><manifest><item id='c' href='one.html'/></manifest><spine><itemref idref='c'/></spine></package>",
        ),
        ("one.html", "\u{1}"),
    ]);
    assert_eq!(outcome("a.epub", &epub), Err(Unreadable::Encrypted));
}

fn document(body: &str) -> Vec<u8> {
    zipped(&[("word/document.xml", &format!("<document><body>{body}</body></document>"))])
}

#[test]
fn bombs_are_refused_within_bounds() {
    let too_large = |name: &str, bytes: &[u8]| {
        let found = outcome(name, bytes);
        assert!(matches!(found, Err(Unreadable::TooLarge(_))), "{name}: {found:?}");
    };
    too_large("a.docx", &document(&" ".repeat(65 << 20)));
    too_large("a.docx", &document(&("<tbl><tr><tc>".repeat(90) + &"</tc></tr></tbl>".repeat(90))));
    too_large("a.docx", &document(&"<p/>".repeat(2_000_001)));
    let entities =
        "<!DOCTYPE a [<!ENTITY b 'bbbbbbbb'>]><document><body><p><r><t>&b;</t></r></p></body></document>";
    let found = outcome("a.docx", &zipped(&[("word/document.xml", entities)]));
    assert!(matches!(found, Err(Unreadable::Malformed(_))));
    too_large("a.rtf", format!("{{\\rtf1 {}", "{".repeat(100_000)).as_bytes());
    too_large("a.rtf", format!("{{\\rtf1 {}}}", "x".repeat(65 << 20)).as_bytes());
}

#[test]
fn tables_within_tables_are_read_once() {
    let nested = "<tbl><tr><tc><p><r><t>a</t></r></p>".repeat(60) + &"</tc></tr></tbl>".repeat(60);
    assert_eq!(docx::read(&document(&nested)).unwrap().text.matches('a').count(), 60);
}

#[test]
fn cells_that_repeat_without_end_stay_small() {
    let cell = "<table-cell number-columns-repeated='16384'><p>x</p></table-cell>";
    let rows = format!("<table-row number-rows-repeated='4294967295'>{cell}</table-row>").repeat(3);
    let content = |rows: &str| {
        let sheet = format!("<spreadsheet><table name='A'>{rows}</table></spreadsheet>");
        format!("<document-content><body>{sheet}</body></document-content>")
    };
    let text = sheets::read(&zipped(&[("content.xml", &content(&rows))])).unwrap();
    assert_eq!(text.text.lines().count(), 3);
    let long = format!(
        "<table-row><table-cell number-columns-repeated='16384'><p>{}</p></table-cell></table-row>",
        "y".repeat(1 << 20)
    );
    assert_eq!(sheets::read(&zipped(&[("content.xml", &content(&long))])).unwrap().text.len(), 1 << 20);
}

#[test]
fn a_sheet_with_a_cell_in_each_corner_stays_small() {
    let sheet = "<worksheet><sheetData><row r='1'><c r='A1'><v>1</v></c></row>\
                 <row r='1048576'><c r='XFD1048576'><v>2</v></c></row></sheetData></worksheet>";
    let relation = |id: &str, kind: &str, target: &str| {
        let types = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        let package = "http://schemas.openxmlformats.org/package/2006/relationships";
        let relation = format!("<Relationship Id='{id}' Type='{types}/{kind}' Target='{target}'/>");
        format!("<Relationships xmlns='{package}'>{relation}</Relationships>")
    };
    let workbook = "<workbook xmlns:r='http://schemas.openxmlformats.org/officeDocument/2006/relationships'>\
                    <sheets><sheet name='A' sheetId='1' r:id='r1'/></sheets></workbook>";
    let book = zipped(&[
        ("_rels/.rels", &relation("r0", "officeDocument", "xl/workbook.xml")),
        ("xl/workbook.xml", workbook),
        ("xl/_rels/workbook.xml.rels", &relation("r1", "worksheet", "worksheets/sheet1.xml")),
        ("xl/worksheets/sheet1.xml", sheet),
    ]);
    assert_eq!(sheets::read(&book).unwrap().text, "1\n2");
}

#[test]
fn html_without_end_is_read() {
    let deep =
        format!("Subject: a\nContent-Type: text/html\n\n{}words", "<table><tr><td><ul><li>".repeat(20_000));
    assert_eq!(outcome("a.eml", deep.as_bytes()), Ok(()));
    let parts = "Content-Type: multipart/mixed; boundary=a\n\n--a\n".repeat(5_000);
    let _ = outcome("a.eml", format!("Subject: a\n{parts}").as_bytes());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Damage has any outcome but a panic.
    #[test]
    fn damage_never_panics(
        file in 0..FILES.len(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = fixture(FILES[file]);
        for (at, byte) in damage {
            *at.get_mut(&mut bytes) = byte;
        }
        let _ = outcome(FILES[file], &bytes);
    }
}
