//! Cuts a document into chunks, each with its title, byte range and digest.

use crate::error::{Error, Result};
use crate::ids::Digest;
use crate::place::Place;

use super::TokenCounter;
use super::contents;
use super::format::Format;
use super::formats::extract;
use super::lengths::Lengths;
use super::line_numbers::LineNumbers;
use super::outline::{Extracted, one_line};
use super::pack::pack;
use super::sizer::Sizer;

/// A part of a document that is encoded and indexed as one unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// The heading path, such as "Guide > Install > Linux", or the document's name.
    pub(crate) title: String,
    /// The text. Except for HTML, notebooks and what is not text, exactly the bytes `start..end` of the file.
    pub(crate) text: String,
    /// Offset of the first byte in the file. Of a file that is not text: in the text that was extracted.
    pub(crate) start: u64,
    /// Offset behind the last byte in the file.
    pub(crate) end: u64,
    /// Where the text begins, in the terms of the file's format.
    pub(crate) place: Place,
    /// Position among the document's chunks, from 0.
    pub(crate) ordinal: u32,
    /// SHA-256 of the title, a line feed and the text. Chunks with equal digests have equal vectors.
    pub(crate) digest: Digest,
}

/// Why a text has no chunks.
#[derive(Debug)]
pub(super) enum NoChunks {
    /// Only white space or markup.
    Blank,
    /// Only headings, a table of contents or a placeholder.
    NoPassage,
    /// What is wrong with a text that is not of its format.
    Malformed(String),
}

/// Separates the headings in a title.
const SEPARATOR: &str = " > ";

/// Cuts a text that the application supplies. Ranges are byte offsets in `text`.
///
/// `title` names the document and begins each chunk's title. A text without a passage has no chunks.
pub(crate) fn chunk_text(
    title: Option<&str>,
    text: &str,
    format: Format,
    lengths: Lengths,
    counter: TokenCounter<'_>,
) -> Result<Vec<Chunk>> {
    let names = Names { given: title.map(one_line).filter(|title| !title.is_empty()), fallback: "" };
    match chunk_with(&names, text, format, lengths, &Sizer::new(counter)) {
        Ok(chunks) => Ok(chunks),
        Err(NoChunks::Blank | NoChunks::NoPassage) => Ok(Vec::new()),
        Err(NoChunks::Malformed(found)) => {
            Err(Error::invalid("the text of a document", found, "a text of its format"))
        }
    }
}

/// Makes one chunk of a whole text, however long. `None` if title and text are blank.
pub(crate) fn whole_text(title: &str, text: &str) -> Option<Chunk> {
    let title = one_line(title);
    if title.is_empty() && text.trim().is_empty() {
        return None;
    }
    let digest = Digest::of(format!("{title}\n{text}").as_bytes());
    let (end, place) = (text.len() as u64, LineNumbers::of(text).find(0));
    Some(Chunk { title, text: text.to_owned(), start: 0, end, place, ordinal: 0, digest })
}

/// Names for a document that come from outside its text.
pub(super) struct Names<'a> {
    /// The application's name for it, which begins every title.
    pub(super) given: Option<String>,
    /// The file's name, used when the text has no title.
    pub(super) fallback: &'a str,
}

/// As [`chunk_text`], with a sizer that can be reused for many texts.
pub(super) fn chunk_with(
    names: &Names<'_>,
    text: &str,
    format: Format,
    lengths: Lengths,
    sizer: &Sizer<'_>,
) -> Result<Vec<Chunk>, NoChunks> {
    let extracted = extract(names.fallback, text, format).map_err(NoChunks::Malformed)?;
    let mut chunks = cut(names, extracted, format, lengths, sizer)?;
    number_lines(&mut chunks, text);
    Ok(chunks)
}

/// Adds to the places of chunks where they begin in `text`, which their ranges are of. In a notebook cells count.
pub(super) fn number_lines(chunks: &mut [Chunk], text: &str) {
    let mut lines = LineNumbers::of(text);
    for chunk in chunks.iter_mut().filter(|chunk| chunk.place.cell.is_none()) {
        let Place { line, column, .. } = lines.find(chunk.start);
        (chunk.place.line, chunk.place.column) = (line, column);
    }
}

/// Cuts a text whose structure is known.
pub(super) fn cut(
    names: &Names<'_>,
    extracted: Extracted<'_>,
    format: Format,
    lengths: Lengths,
    sizer: &Sizer<'_>,
) -> Result<Vec<Chunk>, NoChunks> {
    let mut extracted = extracted;
    if !format.is_named_by_file() {
        extracted.leave_out(contents::indexes_in_lines(&extracted.text));
    }
    let mut chunks = Vec::new();
    let mut titled: Option<(Vec<usize>, String)> = None;
    for (span, ordinal) in pack(&extracted, format, lengths.text, sizer).into_iter().zip(0u32..) {
        let title = match titled.take() {
            Some((path, title)) if path == span.path => title,
            _ => fit_title(&title_parts(names, &extracted, format, &span.path), lengths.title, sizer),
        };
        let range = extracted.positions.in_file(span.range.clone());
        let place = extracted.place(span.range.start);
        let text = extracted.text[span.range].to_owned();
        let digest = Digest::of(format!("{title}\n{text}").as_bytes());
        chunks.push(Chunk {
            title: title.clone(),
            text,
            start: range.start,
            end: range.end,
            place,
            ordinal,
            digest,
        });
        titled = Some((span.path, title));
    }
    match chunks.is_empty() {
        true if extracted.text.trim().is_empty() => Err(NoChunks::Blank),
        true => Err(NoChunks::NoPassage),
        false => Ok(chunks),
    }
}

/// The document's name, unless the headings start with it, then the headings.
fn title_parts<'a>(
    names: &'a Names<'_>,
    extracted: &'a Extracted<'_>,
    format: Format,
    path: &[usize],
) -> Vec<&'a str> {
    let outline = &extracted.outline;
    let mut parts = outline.titles(path);
    let own = extracted.title.as_deref();
    let root = match (&names.given, parts.is_empty()) {
        (Some(given), _) => Some(given.as_str()),
        // Names in code and keys of data say little without their file's.
        (None, _) if format.is_named_by_file() => Some(names.fallback),
        (None, true) => Some(own.or(outline.single_top()).unwrap_or(names.fallback)),
        // With several top-level headings, none of them names the document.
        (None, false) if outline.single_top().is_none() => own,
        (None, false) => None,
    };
    if let Some(root) = root.filter(|root| parts.first() != Some(root)) {
        parts.insert(0, root);
    }
    parts
}

/// Joins the parts into a title that fits. Drops middle parts first, then the first part, then words at the end.
fn fit_title(parts: &[&str], limit: usize, sizer: &Sizer<'_>) -> String {
    let mut parts = parts.to_vec();
    loop {
        let title = parts.join(SEPARATOR);
        if sizer.exact(&title) <= limit {
            return title;
        }
        match parts.len() {
            0 | 1 => break,
            2 => drop(parts.remove(0)),
            _ => drop(parts.remove(1)),
        }
    }
    let mut title = String::new();
    for word in parts.first().unwrap_or(&"").split_whitespace() {
        let longer = if title.is_empty() { word.to_owned() } else { format!("{title} {word}") };
        if sizer.exact(&longer) > limit {
            break;
        }
        title = longer;
    }
    title
}
