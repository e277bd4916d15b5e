//! A folder of files that are cut short, hostile, locked or of another kind: each is named, none ends the run.
//!
//! With `--nocapture` it prints what the report says of each.

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::harness::{retune, stdout};

const MIB: usize = 1 << 20;

/// A file, what it is, and what the report must say of it.
struct Broken {
    name: &'static str,
    what: &'static str,
    bytes: Vec<u8>,
    /// A part of the line. None if the file is read.
    said: Option<&'static str>,
}

fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/formats").join(name)).unwrap()
}

fn zipped(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        archive.start_file(*name, SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn word(body: &str) -> Vec<u8> {
    let document = format!("<document><body>{body}</body></document>");
    zipped(&[("word/document.xml", document.as_bytes())])
}

/// The first half of a fixture.
fn cut(name: &str) -> Vec<u8> {
    let bytes = fixture(name);
    bytes[..bytes.len() / 2].to_vec()
}

/// A zip archive that says its entries are encrypted.
fn locked_zip() -> Vec<u8> {
    let mut bytes = zipped(&[("secret.txt", b"the words")]);
    for (mark, flags) in [(b"PK\x03\x04", 6), (b"PK\x01\x02", 8)] {
        let at = bytes.windows(4).position(|four| four == mark).unwrap();
        bytes[at + flags] |= 1;
    }
    bytes
}

/// A PDF whose pages are their own parents and children.
fn circular_pdf() -> Vec<u8> {
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count 1/Kids[2 0 R]/Parent 2 0 R>>\
    endobj\ntrailer<</Root 1 0 R/Prev 0>>\n"
        .to_vec()
}

fn cut_short() -> Vec<Broken> {
    let file = |name, of, said| Broken { name, what: "cut in half", bytes: cut(of), said };
    vec![
        file("cut.pdf", "reportlab.pdf", Some("")),
        file("cut.docx", "libreoffice.docx", Some("is not what its extension says")),
        file("cut.odt", "libreoffice.odt", Some("is not what its extension says")),
        file("cut.pptx", "python-pptx.pptx", Some("is not what its extension says")),
        file("cut.xlsx", "openpyxl.xlsx", Some("is not what its extension says")),
        file("cut.epub", "pandoc.epub", Some("is not what its extension says")),
        file("cut.rtf", "libreoffice.rtf", Some("is not what its extension says")),
        file("cut.zip", "python.zip", Some("is not what its extension says")),
        file("cut.tar.gz", "tar.tar.gz", Some("is not what its extension says")),
        file("cut.tar.xz", "tar.tar.xz", Some("is not what its extension says")),
        file("cut.tar.zst", "tar.tar.zst", Some("is not what its extension says")),
    ]
}

fn bombs() -> Vec<Broken> {
    let file = |name, what, bytes| Broken { name, what, bytes, said: Some("unpack it, or split it") };
    let blank = vec![b' '; 64 * MIB];
    let names: Vec<String> = (0..8).map(|at| format!("{at}.txt")).collect();
    let many: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), blank.as_slice())).collect();
    let mut nested = zipped(&[("deep.txt", b"deep")]);
    for _ in 0..8 {
        nested = zipped(&[("in.zip", &nested)]);
    }
    vec![
        file("bomb.zip", "half a gigabyte of spaces in 8 entries", zipped(&many)),
        file("bomb.txt.gz", "300 MiB of zeros", gzipped(&vec![0; 300 * MIB])),
        file("bomb.docx", "65 MiB of spaces", word(&" ".repeat(65 * MIB))),
        file("nodes.docx", "2,000,001 paragraphs", word(&"<p/>".repeat(2_000_001))),
        file("nested.zip", "9 archives inside each other", nested),
        file(
            "nested.docx",
            "90 tables inside each other",
            word(&("<tbl><tr><tc>".repeat(90) + &"</tc></tr></tbl>".repeat(90))),
        ),
        file(
            "nested.rtf",
            "100,000 groups inside each other",
            format!("{{\\rtf1 {}", "{".repeat(100_000)).into(),
        ),
    ]
}

fn locked() -> Vec<Broken> {
    let file = |name, what, bytes| Broken { name, what, bytes, said: Some("is encrypted") };
    vec![
        file("locked.pdf", "needs a password", fixture("encrypted.pdf")),
        file("locked.docx", "needs a password", fixture("encrypted.docx")),
        file("locked.xlsx", "needs a password", fixture("encrypted.docx")),
        file("locked.zip", "its entry needs a password", locked_zip()),
    ]
}

fn of_another_kind() -> Vec<Broken> {
    let file = |name, what, bytes: Vec<u8>, said| Broken { name, what, bytes, said };
    let entities =
        "<!DOCTYPE a [<!ENTITY b 'bb'><!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>]><document>&c;</document>";
    vec![
        file("a.txt", "a PDF", fixture("reportlab.pdf"), None),
        file("b.pdf", "a Word document", fixture("pandoc.docx"), None),
        file("c.docx", "plain text", b"The wick is trimmed at noon.".to_vec(), None),
        file("d.zip", "HTML", b"<html><p>The lamp burns colza oil.</p></html>".to_vec(), None),
        file(
            "e.pdf",
            "a picture",
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(),
            Some("is not what its extension says"),
        ),
        file(
            "f.txt",
            "a program",
            [b"\x7fELF\x02\x01\x01\0".as_slice(), &[0; 56]].concat(),
            Some("is not text"),
        ),
        file("g.xlsx", "zeros", vec![0; 4096], Some("is not what its extension says")),
        file("h.md", "zeros", vec![0; 4096], Some("is not text")),
        file("i.docx", "a zip without a document", zipped(&[("a.txt", b"words")]), Some("is not what")),
        file(
            "j.docx",
            "XML that declares entities",
            zipped(&[("word/document.xml", entities.as_bytes())]),
            Some(""),
        ),
        file(
            "k.mbox",
            "text without messages",
            b"Dear diary\n".to_vec(),
            Some("is not what its extension says"),
        ),
        file("l.pdf", "pages in a circle", circular_pdf(), Some("")),
        file("m.pdf", "a scan", fixture("scan.pdf"), Some("has no text")),
        file("n.pdf", "nothing", Vec::new(), Some("has no text")),
        file("o.ppt", "PowerPoint before 2007", fixture("libreoffice.doc"), Some("")),
        file("p.json", "100,000 lists inside each other", "[".repeat(100_000).into(), None),
        file("q.html", "200,000 elements inside each other", ("<div>".repeat(200_000) + "rope").into(), None),
        file("r.ipynb", "half a notebook", b"{\"cells\": [".to_vec(), Some("is not what its extension says")),
    ]
}

#[test]
fn broken_files_are_named_and_none_ends_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<Broken> =
        [cut_short(), bombs(), locked(), of_another_kind()].into_iter().flatten().collect();
    for file in &files {
        fs::write(folder.path().join(file.name), &file.bytes).unwrap();
    }
    fs::write(folder.path().join("whole.md"), "# Rope\n\nThe rope is tarred in May.\n").unwrap();
    let output = retune(folder.path(), &["index", "--skipped", "."]);
    assert_eq!(output.status.code(), Some(0));
    let report = stdout(&output);
    for file in &files {
        // Of a container, what lies in it is named.
        let begins = [format!("skipped {} ", file.name), format!("skipped {}/", file.name)];
        let mut lines = report.lines().filter(|line| begins.iter().any(|begin| line.starts_with(begin)));
        let said = lines.next().map(|line| line.trim_start_matches("skipped "));
        println!("| {} | {} | {} |", file.name, file.what, said.unwrap_or("read"));
        match file.said {
            Some(part) => assert!(said.is_some_and(|said| said.contains(part)), "{}: {said:?}", file.name),
            None => assert_eq!(said, None, "{}", file.name),
        }
    }
    let found = stdout(&retune(folder.path(), &["search", "--mode", "lexical", "tarred rope"]));
    assert!(found.contains("whole.md"), "{found}");
}
