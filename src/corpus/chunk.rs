//! Chunks: text, title, place and digest.

use crate::error::Result;
use crate::ids::Digest;

use super::TokenCounter;
use super::format::Format;
use super::options::CorpusOptions;
use super::outline::{Extracted, Outline, one_line};
use super::pack::pack;
use super::positions::Positions;
use super::sizer::Sizer;
use super::{html, markdown, underline};

/// A part of a document that is encoded and indexed as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// The headings it stands under, "Guide > Install > Linux", or what the document is called.
    pub(crate) title: String,
    /// Its text. Except for HTML, exactly the bytes `start..end` of the file.
    pub(crate) text: String,
    /// Where its first byte lies in the file.
    pub(crate) start: u64,
    /// Where its last byte ends in the file.
    pub(crate) end: u64,
    /// Its place among the document's chunks, from 0.
    pub(crate) ordinal: u32,
    /// Of title, a line feed, and text: equal digests are encoded to equal vectors.
    pub(crate) digest: Digest,
}

/// What stands between the headings of a title.
const SEPARATOR: &str = " > ";

/// Cuts a text that an application hands over. Ranges are byte offsets in `text`.
///
/// `title` names the document and begins each chunk's title. Every chunk's text has at most
/// `options.max_tokens` tokens, its title at most `options.max_title_tokens`. A text of white space has no chunks.
pub(crate) fn chunk_text(
    title: Option<&str>,
    text: &str,
    format: Format,
    options: &CorpusOptions,
    counter: TokenCounter<'_>,
) -> Result<Vec<Chunk>> {
    options.validate()?;
    let names = Names { given: title.map(one_line).filter(|title| !title.is_empty()), fallback: "" };
    Ok(chunk_with(&names, text, format, options, &Sizer::new(counter)))
}

/// A whole text as one chunk, however long; `None` if there is nothing in it.
pub(crate) fn whole_text(title: &str, text: &str) -> Option<Chunk> {
    let title = one_line(title);
    if title.is_empty() && text.trim().is_empty() {
        return None;
    }
    let digest = Digest::of(format!("{title}\n{text}").as_bytes());
    Some(Chunk { title, text: text.to_owned(), start: 0, end: text.len() as u64, ordinal: 0, digest })
}

/// What a document is called, apart from what it says itself.
pub(super) struct Names<'a> {
    /// By the application: it begins every title.
    pub(super) given: Option<String>,
    /// When there is nothing better: the file's name.
    pub(super) fallback: &'a str,
}

/// [`chunk_text`] with a sizer that may be kept from text to text.
pub(super) fn chunk_with(
    names: &Names<'_>,
    text: &str,
    format: Format,
    options: &CorpusOptions,
    sizer: &Sizer<'_>,
) -> Vec<Chunk> {
    let extracted = extract(text, format);
    let mut chunks = Vec::new();
    let mut titled: Option<(Vec<usize>, String)> = None;
    for (span, ordinal) in pack(&extracted, format, options.max_tokens, sizer).into_iter().zip(0u32..) {
        let title = match titled.take() {
            Some((path, title)) if path == span.path => title,
            _ => fit_title(&title_parts(names, &extracted, &span.path), options.max_title_tokens, sizer),
        };
        let place = extracted.positions.in_file(span.range.clone());
        let text = extracted.text[span.range].to_owned();
        let digest = Digest::of(format!("{title}\n{text}").as_bytes());
        chunks.push(Chunk {
            title: title.clone(),
            text,
            start: place.start,
            end: place.end,
            ordinal,
            digest,
        });
        titled = Some((span.path, title));
    }
    chunks
}

fn extract(text: &str, format: Format) -> Extracted<'_> {
    const BYTE_ORDER_MARK: &str = "\u{feff}";
    let (text, skipped) = match text.strip_prefix(BYTE_ORDER_MARK) {
        Some(rest) => (rest, BYTE_ORDER_MARK.len()),
        None => (text, 0),
    };
    let mut extracted = match format {
        Format::Markdown => markdown::extract(text),
        Format::Html => html::extract(text),
        Format::Rst | Format::Text => underline::extract(text, format),
        Format::Code => Extracted {
            text: text.into(),
            positions: Positions::shifted(0),
            outline: Outline::default(),
            title: None,
            blocks: Vec::new(),
        },
    };
    extracted.positions.shift_by(skipped);
    extracted
}

/// The document's name where the headings don't give it already, then the headings.
fn title_parts<'a>(names: &'a Names<'_>, extracted: &'a Extracted<'_>, path: &[usize]) -> Vec<&'a str> {
    let outline = &extracted.outline;
    let mut parts = outline.titles(path);
    let own = extracted.title.as_deref();
    let root = match (&names.given, parts.is_empty()) {
        (Some(given), _) => Some(given.as_str()),
        (None, true) => Some(own.or(outline.single_top()).unwrap_or(names.fallback)),
        // Several outermost headings: none of them names the document.
        (None, false) if outline.single_top().is_none() => own,
        (None, false) => None,
    };
    if let Some(root) = root.filter(|root| parts.first() != Some(root)) {
        parts.insert(0, root);
    }
    parts
}

/// Joins what fits: without the middle parts, without the first, at last without the end of the only one.
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
