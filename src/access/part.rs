//! A part of a document, to be read.

use super::api::{At, Cut, ReadAnswer, ReadPassage, ReadRequest};
use super::document::{day, document_title, kind_of};
use super::missing::no_passage;
use crate::engine::{StoredDocument, StoredPassage};
use crate::error::{Error, Result};
use crate::ids::ChunkId;

/// Characters unless others are asked for.
const USUAL: usize = 20_000;
/// Characters at most.
const MOST: usize = 100_000;

/// Consecutive passages of a document.
pub(super) struct Part<'d> {
    document: &'d StoredDocument,
    first: usize,
    /// Behind the last one.
    end: usize,
    marked: Option<usize>,
}

impl Part<'_> {
    /// The part that is asked for.
    ///
    /// # Errors
    /// [`Error::Invalid`] for more characters than are read at once, and for lines that the document has not;
    /// [`Error::NotFound`] for a passage that is not there.
    pub(super) fn of<'d>(document: &'d StoredDocument, request: &ReadRequest) -> Result<Part<'d>> {
        let most = request.max.unwrap_or(if request.whole { MOST } else { USUAL });
        if !(1..=MOST).contains(&most) {
            return Err(Error::invalid("the number of characters", most, format!("1 to {MOST}")));
        }
        let passages = &document.passages;
        let position = |chunk: ChunkId| {
            let found = passages.iter().position(|passage| passage.chunk == chunk);
            found.ok_or_else(|| no_passage(&document.id))
        };
        let named = request.passage.map(position).transpose()?;
        let after = request.after.map(position).transpose()?;
        let (begin, end, back) = match (request.whole, named, after, request.line) {
            (true, ..) => (0, passages.len(), false),
            (false, Some(named), ..) => (named, passages.len(), true),
            (false, None, Some(after), _) => (after + 1, passages.len(), false),
            (false, None, None, Some(line)) => {
                let (first, end) = of_lines(document, line, request.count)?;
                (first, end, false)
            }
            (false, None, None, None) => (0, passages.len(), false),
        };
        let length = |at: usize| passages[at].text.chars().count();
        let mut part = Part { document, first: begin, end: (begin + 1).min(end), marked: named };
        let mut room = most.saturating_sub(passages.get(begin).map_or(0, |_| length(begin)));
        // Twice as much behind as before: what leads to a passage is shorter than what follows from it.
        let mut turn = 0;
        loop {
            let before = (back && part.first > 0).then(|| part.first - 1);
            let behind = (part.end < end).then_some(part.end);
            let next = if turn % 3 == 2 { before.or(behind) } else { behind.or(before) };
            let Some(next) = next.filter(|&next| length(next) <= room) else { return Ok(part) };
            room -= length(next);
            if next < part.first {
                part.first = next
            } else {
                part.end = next + 1
            }
            turn += 1;
        }
    }

    /// It as an answer. `path` leads to the document's file or the archive that holds it; `file`: whether that is sent.
    pub(super) fn shown(&self, path: Option<String>, file: bool) -> ReadAnswer {
        let Part { document, first, end, marked } = *self;
        let shown = &document.passages[first..end];
        let passages = shown.iter().zip(first..).map(|(passage, at)| ReadPassage {
            passage: passage.chunk,
            heading: passage.title.clone(),
            text: passage.text.clone(),
            place: At::from(passage.place.clone()),
            marked: marked == Some(at),
        });
        ReadAnswer {
            document: document.id.clone(),
            title: document_title(document),
            kind: kind_of(&document.id),
            date: day(&document.fields),
            path,
            file,
            first_line: shown.first().and_then(|passage| passage.place.line),
            last_line: shown.last().and_then(last_line),
            lines: document.passages.last().and_then(last_line),
            cut: Cut { before: first > 0, after: end < document.passages.len() },
            passages: passages.collect(),
        }
    }
}

/// The passages that have something of these lines.
fn of_lines(document: &StoredDocument, line: u32, count: Option<u32>) -> Result<(usize, usize)> {
    let missing = |has: String| Error::Invalid {
        what: "the lines to read",
        found: format!("line {line} of {:?}", document.id),
        expected: has,
    };
    let last = document.passages.iter().filter_map(last_line).max();
    let Some(last) = last else { return Err(missing("a passage: this document has no lines".into())) };
    if !(1..=last).contains(&line) {
        return Err(missing(format!("1 to {last}")));
    }
    let first = document.passages.iter().position(|one| last_line(one).is_some_and(|last| last >= line));
    let first = first.unwrap_or(0);
    let until = count.map_or(u32::MAX, |count| line.saturating_add(count.max(1)));
    let begins = |one: &StoredPassage| one.place.line.is_some_and(|begins| begins < until);
    let behind = document.passages[first..].iter().take_while(|one| begins(one)).count();
    Ok((first, first + behind.max(1)))
}

/// The line that a passage ends on, of text files.
fn last_line(passage: &StoredPassage) -> Option<u32> {
    let breaks = passage.text.trim_end().bytes().filter(|&byte| byte == b'\n').count();
    passage.place.line.map(|line| line + breaks as u32)
}
