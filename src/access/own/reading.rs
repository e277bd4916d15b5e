//! Reading a document.

use super::documents::{day, document_title, kind_of};
use super::searching::no_passage;
use super::{Own, no_document};
use crate::access::api::{At, Cut, JudgeRequest, ReadAnswer, ReadPassage, ReadRequest};
use crate::engine::{Reader, StoredDocument, StoredPassage};
use crate::error::{Error, Result};
use crate::ids::ChunkId;

/// Characters unless others are asked for.
const USUAL: usize = 20_000;
/// Characters at most.
const MOST: usize = 100_000;

impl Own {
    /// As [`Access::read`](crate::access::Access::read).
    pub fn read(&self, request: &ReadRequest) -> Result<ReadAnswer> {
        let most = request.max.unwrap_or(if request.whole { MOST } else { USUAL });
        if !(1..=MOST).contains(&most) {
            return Err(Error::invalid("the number of characters", most, format!("1 to {MOST}")));
        }
        let reader = self.reader()?;
        let document = reader.get(&request.document)?.ok_or_else(|| no_document(&request.document))?;
        let part = Part::of(&document, request, most)?;
        let answer = answer(reader, &document, &part, self.file(&request.document)?.is_some())?;
        if let Some(query_id) = request.query_id {
            self.judge(&JudgeRequest { query_id, document: document.id, verdict: super::feedback::READ })?;
        }
        Ok(answer)
    }
}

/// Consecutive passages of a document.
struct Part {
    first: usize,
    /// Behind the last one.
    end: usize,
    marked: Option<usize>,
}

impl Part {
    fn of(document: &StoredDocument, request: &ReadRequest, most: usize) -> Result<Part> {
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
        let mut part = Part { first: begin, end: (begin + 1).min(end), marked: named };
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

fn answer(reader: &Reader, document: &StoredDocument, part: &Part, file: bool) -> Result<ReadAnswer> {
    let shown = &document.passages[part.first..part.end];
    let path = reader.path_of(&document.id)?;
    // Of what lies in an archive, the archive.
    let path = path.as_deref().and_then(|path| path.ancestors().find(|path| path.is_file()));
    let passages = shown.iter().zip(part.first..).map(|(passage, at)| ReadPassage {
        passage: passage.chunk,
        heading: passage.title.clone(),
        text: passage.text.clone(),
        place: At::from(passage.place.clone()),
        marked: part.marked == Some(at),
    });
    Ok(ReadAnswer {
        document: document.id.clone(),
        title: document_title(document),
        kind: kind_of(&document.id),
        date: day(&document.fields),
        path: path.map(|path| path.display().to_string()),
        file,
        first_line: shown.first().and_then(|passage| passage.place.line),
        last_line: shown.last().and_then(last_line),
        lines: document.passages.last().and_then(last_line),
        cut: Cut { before: part.first > 0, after: part.end < document.passages.len() },
        passages: passages.collect(),
    })
}
