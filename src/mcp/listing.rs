//! Documents of an answer, bounded in size.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::text::{clean, excerpt, id, line, quoted};
use crate::access::api::{FoundDocument, SearchAnswer};

/// Characters of an answer about which nothing more is added.
const MOST: usize = 20_000;
/// Characters of a passage at most.
const PASSAGE: usize = 1_500;
/// The same of a title and of headings.
const HEADING: usize = 160;
/// Copies that are named, if their ids are not too long.
const COPIES: usize = 3;
const LONG: usize = 200;

/// As much of an answer as an agent is told.
pub(super) struct Listing {
    pub(super) text: String,
    pub(super) documents: Vec<Value>,
}

impl Listing {
    /// Documents until there are too many characters, at least one.
    pub(super) fn of(answer: &SearchAnswer) -> Listing {
        let mut listing = Listing { text: String::new(), documents: Vec::new() };
        for hit in &answer.hits {
            let (text, json) = (as_text(hit), as_json(hit));
            if !listing.documents.is_empty() && listing.text.len() + text.len() > MOST {
                break;
            }
            listing.text.push_str(&text);
            listing.documents.push(json);
        }
        listing
    }

    /// What an agent should know about the answer, as an answer tells it.
    pub(super) fn notices(answer: &SearchAnswer) -> Vec<String> {
        answer.notices.iter().map(|notice| line(notice, 2 * HEADING)).collect()
    }
}

fn as_text(hit: &FoundDocument) -> String {
    let mut about = vec![line(&hit.title, HEADING)];
    about.extend(hit.heading.as_deref().map(|heading| line(heading, HEADING)));
    about.extend(Some(line(&hit.place.label, HEADING)).filter(|place| !place.is_empty()));
    about.extend(hit.date.clone());
    about.push(format!("passage {}", hit.passage));
    let mut text = format!("\n{}. {}\n   {}\n", hit.rank, id(&hit.document), about.join(" · "));
    let copies = copies(hit);
    if !copies.is_empty() {
        let more = hit.also.len() - copies.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        _ = writeln!(text, "   the same passage: {}{more}", copies.join(", "));
    }
    text.push_str(&quoted(&passage(hit)));
    text
}

fn as_json(hit: &FoundDocument) -> Value {
    let mut json = Map::new();
    let mut put = |name: &str, value: Value| drop(json.insert(name.to_string(), value));
    put("rank", json!(hit.rank));
    put("document", json!(id(&hit.document)));
    put("passage", json!(hit.passage));
    put("title", json!(line(&hit.title, HEADING)));
    if let Some(heading) = &hit.heading {
        put("heading", json!(line(heading, HEADING)));
    }
    if !hit.place.label.is_empty() {
        put("place", json!(line(&hit.place.label, HEADING)));
    }
    if let Some(line) = hit.place.place.line {
        put("line", json!(line));
    }
    if let Some(date) = &hit.date {
        put("date", json!(date));
    }
    let copies = copies(hit);
    if !copies.is_empty() {
        put("also", json!(copies));
    }
    put("text", json!(passage(hit)));
    Value::Object(json)
}

fn passage(hit: &FoundDocument) -> String {
    let at = hit.highlights.first().map_or(0, |range| range[0]);
    clean(&excerpt(&hit.text, at, PASSAGE))
}

fn copies(hit: &FoundDocument) -> Vec<String> {
    hit.also.iter().filter(|copy| copy.len() <= LONG).take(COPIES).map(|copy| id(copy)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(hits: usize, text: &str, document: &str) -> SearchAnswer {
        let hit = json!({
            "rank": 1, "document": document, "title": "T\u{1b}[2J", "heading": "A > B", "text": text,
            "highlights": [[2000, 2003]], "passage": 7, "place": { "line": 12, "label": "line 12" },
            "date": "2024-01-31", "kind": "md", "folder": null, "score": 0.5, "words": 1.0, "meaning": null,
            "also": ["copy.md", "x".repeat(300)]
        });
        serde_json::from_value(json!({
            "query_id": "00000000000000ff", "took_ms": 1.0, "mode": "hybrid", "generation": 1, "total": null,
            "coverage": { "covered": 1, "chunks": 1 }, "notices": [], "hits": vec![hit; hits],
        }))
        .unwrap()
    }

    #[test]
    fn a_document_is_told_in_a_few_lines() {
        let listing = Listing::of(&answer(1, "one\n\u{7}two", "a.md"));
        let expected = "\n1. a.md\n   T\\u{1b}[2J · A > B · line 12 · 2024-01-31 · passage 7\n   \
            the same passage: copy.md and 1 more\n> one\n> \\u{7}two\n";
        assert_eq!(listing.text, expected);
        assert_eq!(listing.documents[0]["text"], "one\n\\u{7}two");
        assert_eq!(listing.documents[0]["line"], 12);
    }

    #[test]
    fn an_answer_is_bounded() {
        let (long, name) = ("wörter ".repeat(3000), "d".repeat(4000));
        let listing = Listing::of(&answer(30, &long, &name));
        assert!((1..30).contains(&listing.documents.len()));
        assert!(listing.text.len() < MOST + 12_000, "{}", listing.text.len());
        let json = serde_json::to_string(&listing.documents).unwrap();
        assert!(json.len() < 2 * MOST, "{}", json.len());
        let only = Listing::of(&answer(1, &"\u{1b}".repeat(100_000), &name));
        assert!(only.documents.len() == 1 && only.text.len() < 20_000, "{}", only.text.len());
    }
}
