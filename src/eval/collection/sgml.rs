//! TREC's format: `<DOC>` with `<DOCNO>` and text, `<top>` with `<num>` and `<title>`.

use std::convert::Infallible;

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};

use super::super::lines::Lines;
use super::super::numbers::without_zeros;
use super::record::{Document, Query, Records, is_id};
use super::sniff::{begins, is_around};
use crate::error::Result;

const TITLES: [&str; 4] = ["title", "headline", "head", "ttl"];
/// Elements with a document's text, according to TREC's indexing guides.
const TEXTS: [&str; 6] = ["text", "leadpara", "lp", "summary", "abstract", "body"];
/// Elements with metadata.
const ABOUT: [&str; 8] = ["docno", "docid", "dochdr", "date", "script", "style", "filename", "profile"];
const TOPIC_FIELDS: [&str; 4] = ["num", "title", "desc", "narr"];

pub(super) fn documents(lines: Lines) -> Records<Document> {
    let mut blocks = Blocks { lines, tag: "doc" };
    Box::new(std::iter::from_fn(move || {
        let (number, block) = match blocks.read().transpose()? {
            Ok(block) => block,
            Err(error) => return Some(Err(error)),
        };
        let sections = sections(&block);
        let Some(id) =
            joined(&sections, &["docno"]).filter(|id| is_id(id) && !id.contains(char::is_whitespace))
        else {
            let expected = "a <DOCNO> without spaces in every <DOC>, at most 4096 bytes long";
            return Some(Err(blocks.lines.wrong(number, "a <DOC> without a valid <DOCNO>", expected)));
        };
        let title = joined(&sections, &TITLES).unwrap_or_default();
        let text = joined(&sections, &TEXTS).unwrap_or_else(|| rest(&sections));
        Some(Ok(Document { id, title, text }))
    }))
}

/// Reads topics. The title is the query, as in most TREC runs. Leading zeros of the number are removed, as in qrels.
pub(super) fn queries(lines: Lines) -> Records<Query> {
    let mut blocks = Blocks { lines, tag: "top" };
    Box::new(std::iter::from_fn(move || {
        let (number, block) = match blocks.read().transpose()? {
            Ok(block) => block,
            Err(error) => return Some(Err(error)),
        };
        let sections = sections(&block);
        let id = joined(&sections, &["num"]).map(|num| num.trim_start_matches("Number:").trim().to_string());
        let title = joined(&sections, &["title"]);
        Some(match (id.filter(|id| !id.is_empty() && !id.contains(char::is_whitespace)), title) {
            (Some(id), Some(title)) => {
                let text = title.trim_start_matches("Topic:").trim().to_string();
                Ok(Query::new(without_zeros(&id).to_string(), text))
            }
            _ => {
                let expected = "<num> with one number and <title> with the query in every <top>";
                Err(blocks.lines.wrong(number, "a <top> without <num> or <title>", expected))
            }
        })
    }))
}

/// The blocks of a file from `<tag>` to `</tag>`, each with the number of its first line.
struct Blocks {
    lines: Lines,
    tag: &'static str,
}

impl Blocks {
    fn read(&mut self) -> Result<Option<(usize, String)>> {
        let (open, close) = (format!("<{}>", self.tag), format!("</{}>", self.tag));
        let mut block: Option<(usize, String)> = None;
        while let Some(line) = self.lines.next() {
            let (number, line) = line?;
            let opens = begins(&line, self.tag);
            let closes = line.to_ascii_lowercase().contains(&close);
            if let Some((first, text)) = &mut block {
                if opens {
                    let found = format!("{open} inside the {open} of line {first}");
                    return Err(self.lines.wrong(number, found, &close));
                }
                text.push('\n');
                text.push_str(&line);
            } else if opens {
                block = Some((number, line));
            } else if !is_around(&line) {
                let expected = format!("only single tags between {close} and {open}");
                return Err(self.lines.wrong(number, format!("{line:?}"), &expected));
            }
            if block.is_some() && closes {
                return Ok(block);
            }
        }
        match block {
            None => Ok(None),
            Some((number, _)) => {
                Err(self.lines.wrong(number, format!("{open} that is never closed"), &close))
            }
        }
    }
}

/// A text, and the lower-case names of the elements around it, innermost last.
struct Section {
    open: Vec<String>,
    text: String,
}

impl Section {
    fn is_in(&self, names: &[&str]) -> bool {
        self.open.iter().any(|name| names.contains(&name.as_str()))
    }
}

fn sections(block: &str) -> Vec<Section> {
    let (mut open, mut found) = (Vec::<String>::new(), Vec::new());
    let emitter = CallbackEmitter::new(|event: CallbackEvent<'_>, _: Span<usize>| -> Option<Infallible> {
        match event {
            CallbackEvent::OpenStartTag { name } => {
                let name = String::from_utf8_lossy(name).into_owned();
                // Fields of topics are not closed: a new field ends the one before.
                if TOPIC_FIELDS.contains(&name.as_str()) {
                    open.retain(|other| !TOPIC_FIELDS.contains(&other.as_str()));
                }
                open.push(name);
            }
            CallbackEvent::EndTag { name } => {
                let name = String::from_utf8_lossy(name);
                if let Some(place) = open.iter().rposition(|other| *other == name) {
                    open.truncate(place);
                }
            }
            CallbackEvent::String { value } => {
                let text = String::from_utf8_lossy(value).into_owned();
                found.push(Section { open: open.clone(), text });
            }
            _ => {}
        }
        None
    });
    let Ok(()) = Tokenizer::new_with_emitter(block, emitter).finish();
    found
}

/// The text inside elements with these names, with single spaces; `None` if it is empty.
fn joined(sections: &[Section], names: &[&str]) -> Option<String> {
    let texts = sections.iter().filter(|section| section.is_in(names));
    let words: Vec<&str> = texts.flat_map(|section| section.text.split_whitespace()).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// The text of a document without text elements, such as a web page: all but titles and metadata.
fn rest(sections: &[Section]) -> String {
    let texts = sections.iter().filter(|section| !section.is_in(&TITLES) && !section.is_in(&ABOUT));
    texts.flat_map(|section| section.text.split_whitespace()).collect::<Vec<_>>().join(" ")
}
