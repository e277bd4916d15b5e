//! `read`.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::arguments::Arguments;
use super::asking::Asking;
use super::text::{clean, excerpt, id, line, quoted};
use super::told::Told;
use super::tools::{CHARACTERS, MOST_CHARACTERS};
use crate::access::api::{JudgeRequest, ReadAnswer, ReadPassage, ReadRequest};
use crate::error::{Error, Result};
use crate::feedback::Verdict;
use crate::ids::ChunkId;

/// Characters of headings at most.
const HEADING: usize = 200;
/// Passages of an answer at most: they may be short.
const MOST_PASSAGES: usize = 150;

pub(super) fn read(asking: &Asking<'_>, arguments: &Arguments) -> Result<Told> {
    let shown = asking.conversation.shown(&arguments.text("document")?);
    let mut request = ReadRequest::new(&shown.document);
    let number = |name| arguments.number(name, 0..=u64::MAX);
    request.passage = number("passage")?.map(ChunkId);
    request.after = number("continue_after")?.map(ChunkId);
    request.line = line_number(arguments, "line")?;
    request.count = line_number(arguments, "lines")?;
    let most = arguments.number("max_chars", 200..=MOST_CHARACTERS)?.unwrap_or(CHARACTERS) as usize;
    request.max = Some(most);
    let named = [request.passage.is_some(), request.after.is_some(), request.line.is_some()];
    if named.iter().filter(|named| **named).count() > 1 {
        let found = "several of passage, line, continue_after";
        return Err(Error::invalid("the arguments", found, "one of them"));
    }
    let mut answer = asking.index.ask(|index| index.read(&request))?;
    bound(&mut answer);
    // An agent that gave up has not read it.
    if !(asking.is_cancelled)() {
        note(asking, &shown.document, shown.answer);
    }
    Ok(Told { text: as_text(&answer, most), json: as_json(&answer, most) })
}

fn line_number(arguments: &Arguments, name: &str) -> Result<Option<u32>> {
    Ok(arguments.number(name, 1..=u64::from(u32::MAX))?.map(|number| number as u32))
}

/// Notes that the document was opened for the answer that showed it. Reading does not depend on it: the answer may have
/// been forgotten.
fn note(asking: &Asking<'_>, document: &str, answer: Option<crate::ids::QueryId>) {
    let Some(query_id) = answer.filter(|answer| asking.conversation.is_opening(*answer, document)) else {
        return;
    };
    let request = JudgeRequest { query_id, document: document.to_string(), verdict: Verdict::Opened };
    if let Err(error) = asking.index.ask(|index| index.judge(&request)) {
        tracing::warn!(%error, document, "it could not be noted that a document was opened");
    }
}

/// Passages around the one that was asked for, no more than an agent can use.
fn bound(answer: &mut ReadAnswer) {
    let all = answer.passages.len();
    if all <= MOST_PASSAGES {
        return;
    }
    let marked = answer.passages.iter().position(|passage| passage.marked).unwrap_or(0);
    let first = marked.saturating_sub(MOST_PASSAGES / 3).min(all - MOST_PASSAGES);
    answer.passages.truncate(first + MOST_PASSAGES);
    answer.passages.drain(..first);
    answer.cut.before |= first > 0;
    answer.cut.after |= first + MOST_PASSAGES < all;
    answer.first_line = answer.passages.first().and_then(|passage| passage.place.place.line);
    answer.last_line = None;
}

/// A single passage may be longer than all that was asked for.
fn passage_text(passage: &ReadPassage, most: usize) -> String {
    clean(&excerpt(&passage.text, 0, most))
}

fn as_text(answer: &ReadAnswer, most: usize) -> String {
    let mut about = vec![line(&answer.title, HEADING)];
    about.extend(answer.date.clone());
    about.extend(answer.lines.map(|lines| format!("{lines} lines")));
    about.extend(answer.path.as_deref().map(id));
    let mut text = format!("{}\n{}\n", id(&answer.document), about.join(" · "));
    if let Some(first) = answer.passages.first().filter(|_| answer.cut.before) {
        _ = writeln!(text, "(cut before; to go back, read around passage {})", first.passage);
    }
    let mut heading = String::new();
    for passage in &answer.passages {
        let mut about = vec![format!("passage {}", passage.passage)];
        about.extend(Some(line(&passage.place.label, HEADING)).filter(|place| !place.is_empty()));
        let under = line(&passage.heading, HEADING);
        if under != heading {
            about.push(under.clone());
            heading = under;
        }
        if passage.marked {
            about.push("this is the one you asked for".into());
        }
        _ = write!(text, "\n[{}]\n{}", about.join(" · "), quoted(&passage_text(passage, most)));
    }
    match answer.passages.last() {
        Some(last) if answer.cut.after => {
            _ = write!(text, "\n(cut here; to go on, read with continue_after {})\n", last.passage);
        }
        Some(_) => text.push_str("\n(end of the document)\n"),
        None => text.push_str("(nothing behind that: end of the document)\n"),
    }
    text
}

fn as_json(answer: &ReadAnswer, most: usize) -> Value {
    let passages = answer.passages.iter().map(|passage| {
        json!({
            "passage": passage.passage,
            "heading": line(&passage.heading, HEADING),
            "place": line(&passage.place.label, HEADING),
            "text": passage_text(passage, most),
            "marked": passage.marked,
        })
    });
    let mut json = Map::new();
    let mut put = |name: &str, value: Value| drop(json.insert(name.to_string(), value));
    put("document", json!(id(&answer.document)));
    put("title", json!(line(&answer.title, HEADING)));
    let known = [
        ("date", json!(answer.date)),
        ("path", json!(answer.path.as_deref().map(id))),
        ("first_line", json!(answer.first_line)),
        ("last_line", json!(answer.last_line)),
        ("lines", json!(answer.lines)),
    ];
    known.into_iter().filter(|(_, value)| !value.is_null()).for_each(|(name, value)| put(name, value));
    put("passages", passages.collect());
    put("cut_before", json!(answer.cut.before));
    if let Some(last) = answer.passages.last().filter(|_| answer.cut.after) {
        put("continue_after", json!(last.passage));
    }
    Value::Object(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(passages: usize, marked: usize) -> ReadAnswer {
        let passage = |at: usize| {
            let place = json!({ "line": at + 1, "label": format!("line {}", at + 1) });
            json!({ "passage": at, "heading": "A > B", "text": "row", "place": place, "marked": at == marked })
        };
        serde_json::from_value(json!({
            "document": "a.csv", "title": "a", "kind": "csv", "date": null, "path": null, "file": false,
            "first_line": 1, "last_line": passages, "lines": 9000, "cut": { "before": false, "after": false },
            "passages": (0..passages).map(passage).collect::<Vec<_>>(),
        }))
        .unwrap()
    }

    #[test]
    fn many_short_passages_are_cut_around_the_marked_one() {
        for (marked, first, after) in [(0, 0, true), (300, 250, true), (899, 750, false)] {
            let mut answer = answer(900, marked);
            bound(&mut answer);
            assert_eq!(answer.passages.len(), MOST_PASSAGES);
            assert_eq!(answer.passages[0].passage, ChunkId(first));
            assert!(answer.passages.iter().any(|passage| passage.marked));
            assert_eq!((answer.cut.before, answer.cut.after), (first > 0, after));
        }
    }

    #[test]
    fn headings_are_told_once() {
        let text = as_text(&answer(3, 1), 100);
        assert_eq!(text.matches("A > B").count(), 1, "{text}");
        assert!(text.contains("[passage 1 · line 2 · this is the one you asked for]\n> row\n"), "{text}");
        assert!(text.ends_with("(end of the document)\n"));
        let json = as_json(&answer(3, 1), 2);
        assert_eq!(json["passages"][0]["text"], "ro…");
    }
}
