//! PDF: its glyphs become lines, its lines paragraphs.
//!
//! The only place that names hayro. A page is interpreted as if it were drawn, so that text in forms, in annotations
//! and under scanned images is found as it stands on the page.

mod glyphs;
mod headings;
mod lines;
mod outline;
mod paragraphs;
mod running;

use hayro_interpret::hayro_syntax::object::DateTime;
use hayro_interpret::hayro_syntax::{LoadPdfError, Pdf};
use hayro_interpret::{InterpreterCache, InterpreterSettings};

use super::text::{ExtractedText, Unreadable};
use paragraphs::Paragraphs;

/// Reads a PDF file. Markers hold the page; headings come from the bookmarks, else from the size of the type.
pub(super) fn read(bytes: &[u8]) -> Result<ExtractedText, Unreadable> {
    let pdf = Pdf::new(bytes.to_vec()).map_err(|error| match error {
        LoadPdfError::Decryption(_) => Unreadable::Encrypted,
        LoadPdfError::Invalid => Unreadable::Malformed("it is no PDF file, or is cut short".into()),
    })?;
    let cache = InterpreterCache::new();
    let settings = InterpreterSettings::default();
    let pages = pdf.pages().iter().map(|page| lines::lines_of(glyphs::glyphs_of(page, &cache, &settings)));
    let mut pages: Vec<Vec<lines::Line>> = pages.collect();
    running::remove(&mut pages);
    let bookmarks = outline::bookmarks(&pdf);
    let headings = headings::find(&pages, &bookmarks);
    let mut extracted = Paragraphs::of(&pages, &headings).into_text();
    if !extracted.text.chars().any(char::is_alphanumeric) {
        return Err(Unreadable::NoText);
    }
    describe(&pdf, &mut extracted);
    Ok(extracted)
}

/// What the information dictionary says.
fn describe(pdf: &Pdf, extracted: &mut ExtractedText) {
    let data = pdf.metadata();
    let text =
        |bytes: &Option<Box<[u8]>>| bytes.as_deref().map(outline::decode).filter(|text| !text.is_empty());
    // Programs put the file's name there where nobody has said a title.
    let is_file_name = |title: &String| {
        let end = title.rsplit_once('.').map_or("", |(_, end)| end);
        title.starts_with("Microsoft ")
            || title == "untitled"
            || !title.contains(' ') && (1..5).contains(&end.len())
    };
    extracted.title = text(&data.title).filter(|title| !is_file_name(title));
    let mut say = |name: &str, value: Option<String>| {
        extracted.fields.extend(value.map(|value| (name.to_owned(), vec![value])));
    };
    say("author", text(&data.author));
    say("subject", text(&data.subject));
    say("date", data.creation_date.or(data.modification_date).map(day));
    if let Some(keywords) = text(&data.keywords) {
        let tags = keywords.split([',', ';']).map(|tag| tag.trim().to_owned()).filter(|tag| !tag.is_empty());
        extracted.fields.insert("tags".into(), tags.collect());
    }
}

fn day(date: DateTime) -> String {
    format!("{:04}-{:02}-{:02}", date.year, date.month.max(1), date.day.max(1))
}
