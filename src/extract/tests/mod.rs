//! The readers on files that other programs wrote (`fixtures/formats`), and on broken ones.

mod broken;
mod documents;
mod messages;
mod slides;
mod workbooks;

use std::io::{Cursor, Write};
use std::path::Path;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::place::Place;

use super::reader::{Member, Members};
use super::{ExtractedText, Unreadable};

/// The bytes of a file of `fixtures/formats`.
fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/formats").join(name)).unwrap()
}

/// A zip archive of these parts.
fn zipped(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Levels and titles of the headings.
fn headings(text: &ExtractedText) -> Vec<(u8, &str)> {
    text.headings.iter().map(|heading| (heading.level, heading.title.as_str())).collect()
}

/// The texts of the tables of contents.
fn contents(text: &ExtractedText) -> Vec<&str> {
    text.contents.iter().map(|range| &text.text[range.clone()]).collect()
}

/// Each place with the line that begins there.
fn places(text: &ExtractedText) -> Vec<(String, &str)> {
    let line = |start: usize| text.text[start..].lines().next().unwrap_or_default();
    text.markers.iter().map(|marker| (marker.place.to_string(), line(marker.start))).collect()
}

fn field<'t>(text: &'t ExtractedText, name: &str) -> Vec<&'t str> {
    text.fields.get(name).into_iter().flatten().map(String::as_str).collect()
}

/// Keeps what lies in a container.
#[derive(Default)]
struct Kept {
    taken: Vec<(String, Place, Vec<u8>)>,
    refused: Vec<(String, Unreadable)>,
}

impl Members for Kept {
    fn take(&mut self, member: Member<'_>) -> Result<(), Unreadable> {
        self.taken.push((member.path.to_owned(), member.place, member.bytes.to_vec()));
        Ok(())
    }

    fn refuse(&mut self, path: &str, why: Unreadable) -> Result<(), Unreadable> {
        self.refused.push((path.to_owned(), why));
        Ok(())
    }
}
