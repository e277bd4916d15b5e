//! Searching.

use std::collections::BTreeMap;
use std::ops::Range;

use super::documents::{day, kind_of, name_of, split_folder};
use super::{Own, check_limit, no_document};
use crate::access::api::{At, Covered, FoundDocument, SearchAnswer, SearchRequest, SimilarRequest};
use crate::engine::{Folder, Reader, StoredDocument};
use crate::error::{Error, Result};
use crate::lexical::{Date, FieldValue, Filter};
use crate::search::{Answer, Coverage, Hit, Mode, Query};

/// Documents of a page at most.
const MOST: usize = 100;
/// The longest query in bytes, as far as operators are read.
const LONGEST: usize = 4096;
/// Characters of a document that stand for what it is about.
const ENOUGH: usize = 1000;

impl Own {
    /// As [`Access::search`](crate::access::Access::search).
    pub fn search(&self, request: &SearchRequest) -> Result<SearchAnswer> {
        let reader = self.reader()?;
        let folders = reader.folders()?;
        let query = self.in_pace(query(request, &folders)?);
        let answer = reader.search(&query)?;
        let mut answer = shown(reader, &folders, answer);
        if request.log && !query.log {
            let notice =
                "too many queries in a short time: this one is not kept, and nothing is learnt from it";
            answer.notices.push(notice.to_string());
        }
        Ok(answer)
    }

    /// As [`Access::similar`](crate::access::Access::similar).
    pub fn similar(&self, request: &SimilarRequest) -> Result<SearchAnswer> {
        check_limit(request.limit, MOST)?;
        let reader = self.reader()?;
        let document = reader.get(&request.document)?.ok_or_else(|| no_document(&request.document))?;
        let text = about(&document, request)?;
        let mode = likeness(reader.coverage());
        let query = Query::new(text).with_mode(mode).with_limit(request.limit + 1);
        let mut answer = reader.search(&query.without_logging().without_highlights())?;
        answer.hits.retain(|hit| hit.document != document.id);
        answer.hits.truncate(request.limit);
        answer.hits.iter_mut().zip(1..).for_each(|(hit, rank)| hit.rank = rank);
        Ok(shown(reader, &reader.folders()?, answer))
    }
}

/// By what documents are compared. Words of a long text find everything, so they have a say only where there are
/// documents that nothing else finds.
fn likeness(Coverage { encoded, chunks }: Coverage) -> Mode {
    match encoded {
        0 => Mode::Lexical,
        _ if encoded < chunks => Mode::Hybrid,
        _ => Mode::Dense,
    }
}

/// The text that stands for a document, or the passage that was named.
fn about(document: &StoredDocument, request: &SimilarRequest) -> Result<String> {
    if let Some(chunk) = request.passage {
        let found = document.passages.iter().find(|passage| passage.chunk == chunk);
        return found.map(|passage| passage.text.clone()).ok_or_else(|| no_passage(&document.id));
    }
    let mut text = document.title.clone();
    for passage in &document.passages {
        if text.len() >= ENOUGH {
            break;
        }
        text.push('\n');
        text.push_str(&passage.text);
    }
    Ok(text.chars().take(ENOUGH).collect())
}

pub(super) fn no_passage(document: &str) -> Error {
    Error::NotFound {
        what: "such passage of the document",
        id: format!("{document:?}"),
        remedy: "search again: the document has changed since",
    }
}

fn query(request: &SearchRequest, folders: &[Folder]) -> Result<Query> {
    check_limit(request.limit, MOST)?;
    if request.q.len() > LONGEST {
        let expected = format!("{LONGEST} bytes at most");
        return Err(Error::invalid("the query", format!("{} bytes", request.q.len()), expected));
    }
    let mut query = Query::parse(&request.q).with_mode(request.mode).with_limit(request.limit);
    query.offset = request.offset;
    query.page_of = request.page_of;
    query.session.clone_from(&request.session);
    query.log = request.log;
    query.total = request.count;
    query.filter = filter(request, folders)?;
    query.path = request.path.clone().filter(|path| !path.is_empty());
    Ok(query)
}

fn filter(request: &SearchRequest, folders: &[Folder]) -> Result<Option<Filter>> {
    let mut all = Vec::new();
    if let Some(extensions) = &request.ext {
        let of = |one: &str| one.trim().trim_start_matches('.').to_lowercase();
        all.push(Filter::any_of("extension", extensions.split(',').map(of)));
    }
    if let Some(name) = &request.folder {
        let known = folders.iter().any(|folder| folder.name == *name);
        match (known, name.is_empty()) {
            (false, _) => return Err(Error::invalid("the folder", name, "the name of a followed folder")),
            (true, false) => all.push(Filter::prefix("path", format!("{name}://"))),
            // Those of the folder without a name are the others'.
            (true, true) => {
                let others = folders.iter().filter(|folder| !folder.name.is_empty());
                all.extend(others.map(|other| !Filter::prefix("path", format!("{}://", other.name))));
            }
        }
    }
    if let Some(after) = request.after.as_deref().filter(|date| !date.is_empty()) {
        all.push(Filter::range("date", date(after)?..));
    }
    if let Some(before) = request.before.as_deref().filter(|date| !date.is_empty()) {
        all.push(Filter::range("date", ..date(before)?));
    }
    Ok((!all.is_empty()).then(|| Filter::All(all).lenient()))
}

/// A year, a month, a day or a moment: its beginning.
fn date(text: &str) -> Result<Date> {
    let is_year = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_year { format!("{text}-01").parse() } else { text.parse() }
}

fn shown(reader: &Reader, folders: &[Folder], answer: Answer) -> SearchAnswer {
    let Coverage { encoded, chunks } = answer.coverage;
    SearchAnswer {
        query_id: answer.logged.then_some(answer.query_id),
        took_ms: answer.took_ms.total,
        mode: answer.mode,
        generation: answer.generation,
        total: answer.total,
        coverage: Covered { covered: encoded, chunks },
        notices: notices(reader, &answer),
        hits: answer.hits.into_iter().map(|hit| found(hit, folders)).collect(),
    }
}

fn notices(reader: &Reader, answer: &Answer) -> Vec<String> {
    let mut notices = Vec::new();
    let Coverage { encoded, chunks } = answer.coverage;
    if chunks == 0 {
        notices.push("nothing is indexed yet".to_string());
    } else if encoded < chunks && answer.mode != Mode::Lexical {
        notices.push(format!("{encoded} of {chunks} passages can be found by their meaning so far"));
    }
    if !reader.is_logging() {
        notices.push("the index can't be written: nothing is learnt from what you open".to_string());
    }
    notices
}

fn found(hit: Hit, folders: &[Folder]) -> FoundDocument {
    let title = title(&hit.fields, &hit.title, &hit.document);
    let heading = heading(&hit.title, &title);
    FoundDocument {
        rank: hit.rank,
        highlights: in_characters(&hit.passage, &hit.highlights),
        text: hit.passage,
        passage: hit.chunk,
        place: At::from(hit.place),
        date: day(&hit.fields),
        kind: kind_of(&hit.document),
        folder: split_folder(folders, &hit.document).map(str::to_string),
        score: hit.score,
        words: hit.lexical,
        meaning: hit.dense,
        also: hit.also_in,
        document: hit.document,
        title,
        heading,
    }
}

/// A document's title: its own, else the first heading above the passage, else the name of its file.
fn title(fields: &BTreeMap<String, FieldValue>, headings: &str, document: &str) -> String {
    let own = fields.get("title").and_then(FieldValue::as_str).map(str::to_string);
    let first = headings.split(" > ").next().unwrap_or_default().trim();
    own.filter(|title| !title.trim().is_empty())
        .or_else(|| (!first.is_empty()).then(|| first.to_string()))
        .unwrap_or_else(|| name_of(document))
}

/// The headings without the title.
fn heading(headings: &str, title: &str) -> Option<String> {
    let below = match headings.strip_prefix(title) {
        Some(rest) => rest.strip_prefix(" > ").unwrap_or_default(),
        None => headings,
    };
    Some(below.to_string()).filter(|below| !below.is_empty())
}

/// Ranges of bytes as ranges of characters.
fn in_characters(text: &str, ranges: &[Range<usize>]) -> Vec<[usize; 2]> {
    let (mut bytes, mut characters) = (0, 0);
    let mut at = |byte: usize| {
        let byte = byte.min(text.len());
        // Ranges ascend.
        if let Some(between) = text.get(bytes..byte) {
            characters += between.chars().count();
            bytes = byte;
        }
        characters
    };
    ranges.iter().map(|range| [at(range.start), at(range.end)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn highlights_count_characters() {
        let text = "Größe 😀 of a lamp";
        let ranges: Vec<_> = ["Größe", "lamp"]
            .iter()
            .map(|word| {
                let at = text.find(word).unwrap();
                at..at + word.len()
            })
            .collect();
        assert_eq!(in_characters(text, &ranges), [[0, 5], [13, 17]]);
    }

    #[test]
    fn headings_leave_out_the_title() {
        assert_eq!(heading("Guide > Setup > Linux", "Guide"), Some("Setup > Linux".into()));
        assert_eq!(heading("Guide", "Guide"), None);
        assert_eq!(heading("Setup", "The guide"), Some("Setup".into()));
    }
}
