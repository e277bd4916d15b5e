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
    if pdf.pages().is_empty() {
        return Err(Unreadable::Malformed("it has no pages, or is cut short".into()));
    }
    let cache = InterpreterCache::new();
    let settings = InterpreterSettings::default();
    let pages = pdf.pages().iter().map(|page| lines::lines_of(glyphs::glyphs_of(page, &cache, &settings)));
    let mut pages: Vec<Vec<lines::Line>> = pages.collect();
    let body = headings::body_size(&pages);
    running::remove(&mut pages, body);
    let bookmarks = outline::bookmarks(&pdf);
    let headings = headings::find(&pages, &bookmarks, body);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture(name: &str) -> ExtractedText {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/formats").join(name);
        read(&std::fs::read(path).unwrap()).unwrap()
    }

    #[test]
    fn pages_headings_and_what_the_file_says_of_itself() {
        let book = fixture("reportlab.pdf");
        assert!(book.is_sound());
        assert_eq!(book.title.as_deref(), Some("The keeper's handbook"));
        assert_eq!(book.fields["author"], ["Ada Keeper"]);
        assert_eq!(book.fields["tags"], ["lamp", "fog"]);
        let titles: Vec<_> =
            book.headings.iter().map(|heading| (heading.level, heading.title.as_str())).collect();
        assert_eq!(titles[..3], [(1, "1 The lamp"), (2, "Repairs of the lamp"), (1, "2 The foghorn")]);
        assert_eq!(book.headings.len(), 10);
        let pages: Vec<_> = book.markers.iter().map(|marker| marker.place.page).collect();
        assert_eq!(pages, [Some(1), Some(2), Some(3), Some(4), Some(5)]);
        assert!(book.text[book.markers[1].start..].starts_with("2 The foghorn"));
        // Neither running heads nor page numbers, and each paragraph on one line.
        assert_eq!(book.text.matches("handbook").count(), 0);
        assert_eq!(book.text.lines().filter(|line| !line.is_empty()).count(), 20);
    }

    #[test]
    fn divided_words_come_together_again() {
        let text = fixture("fpdf2.pdf").text;
        assert!(text.contains("hyphen-ated") && text.contains("divided words"), "{text}");
        assert!(text.contains("Größe"), "{text}");
    }
}
