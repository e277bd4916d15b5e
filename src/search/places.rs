//! The places of an answer: each document has one, and so has each passage, in however many documents it stands.

use std::collections::HashMap;

use crate::ids::Digest;
use crate::lexical::ChunkRecord;

/// What place a chunk of the ranking has.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// None yet: it is the first of its document and of its passage.
    New,
    /// That of its document.
    Taken,
    /// The passage that has this place, counted from 0, in another document.
    Copy(usize),
    /// None: its folder has as many as it may.
    Full,
}

/// The places taken so far.
#[derive(Debug, Default)]
pub(super) struct Places {
    copies_apart: bool,
    documents: HashMap<String, usize>,
    passages: HashMap<Digest, usize>,
    /// How many documents of a folder may have a place, and how many have one.
    per_folder: Option<usize>,
    folders: HashMap<String, usize>,
    scores: Vec<Scores>,
}

/// The scores of a chunk by both sides. Copies have about the same.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scores {
    pub(super) lexical: Option<f32>,
    pub(super) dense: Option<f32>,
}

impl Places {
    /// Every document takes a place of its own, if `copies_apart`; at most `per_folder` of one folder take any.
    pub(super) fn new(copies_apart: bool, per_folder: Option<usize>) -> Places {
        Places { copies_apart, per_folder, ..Places::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.documents.len()
    }

    /// Finds the place of the next chunk of the ranking.
    pub(super) fn find(&mut self, record: &ChunkRecord) -> Place {
        let passage = (!self.copies_apart).then(|| passage_of(record));
        let copied = passage.and_then(|passage| self.passages.get(&passage)).copied();
        match (copied, self.documents.get(&record.document).copied()) {
            (Some(copied), place) if place != Some(copied) => Place::Copy(copied),
            (None, Some(place)) => {
                passage.and_then(|passage| self.passages.insert(passage, place));
                Place::Taken
            }
            (Some(_), _) => Place::Taken,
            (None, None) if self.is_full(folder_of(&record.document)) => Place::Full,
            (None, None) => Place::New,
        }
    }

    /// Gives a new chunk the next place.
    pub(super) fn take(&mut self, record: &ChunkRecord, scores: Scores) {
        let place = self.len();
        if !self.copies_apart {
            self.passages.insert(passage_of(record), place);
        }
        self.documents.insert(record.document.clone(), place);
        if self.per_folder.is_some() {
            *self.folders.entry(folder_of(&record.document).to_owned()).or_default() += 1;
        }
        self.scores.push(scores);
    }

    fn is_full(&self, folder: &str) -> bool {
        self.per_folder.is_some_and(|most| self.folders.get(folder).is_some_and(|&taken| taken >= most))
    }

    /// Whether a chunk with these scores may be a copy of one that has a place.
    pub(super) fn may_have(&self, scores: Scores) -> bool {
        const NEAR: f32 = 1e-4;
        let near = |a: Option<f32>, b: Option<f32>| match (a, b) {
            (Some(a), Some(b)) => (a - b).abs() <= NEAR * a.abs().max(1.0),
            _ => a.is_none() && b.is_none(),
        };
        !self.copies_apart
            && self
                .scores
                .iter()
                .any(|own| near(own.lexical, scores.lexical) && near(own.dense, scores.dense))
    }
}

/// The folder of a document, or what it lies in: an archive, a mailbox. Empty for those that lie in none.
fn folder_of(document: &str) -> &str {
    document.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// What two passages have in common if they are the same: their words in whatever case, without the headings above them
/// and what formats put around words. A few words mean something else under another title, so that it counts too,
/// unless it is only the file's name.
fn passage_of(record: &ChunkRecord) -> Digest {
    const FEW: usize = 8;
    let (body, title) = (record.body.to_lowercase(), record.title.to_lowercase());
    let all = words_of(&body);
    let mut words = all.as_slice();
    // Headings that the passage begins with stand in its title.
    for heading in title.split(" > ").map(words_of).filter(|heading| !heading.is_empty()) {
        words = words.strip_prefix(heading.as_slice()).unwrap_or(words);
    }
    let is_name = record.document.rsplit('/').next() == Some(record.title.as_str());
    let title = if words.len() < FEW && !is_name { record.title.as_str() } else { "" };
    Digest::of(format!("{title}\n{}", words.join(" ")).as_bytes())
}

fn words_of(text: &str) -> Vec<&str> {
    text.split_whitespace().map(bare).filter(|word| !word.is_empty()).collect()
}

/// A word without the marks around it: of emphasis, headings, lists, quotations, and the punctuation of sentences. What
/// stands before a number or a name stays, such as the sign of -5.
fn bare(word: &str) -> &str {
    let is_mark = |c: char| "*_`#=>|~\"'.,;:!?()[]{}•·–—“”„‘’«»…".contains(c);
    let word = word.trim_matches(is_mark);
    if word == "-" { "" } else { word }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ChunkId;

    fn chunk(document: &str, title: &str, body: &str) -> ChunkRecord {
        ChunkRecord {
            chunk: ChunkId(0),
            document: document.into(),
            ordinal: 0,
            title: title.into(),
            body: body.into(),
            start: 0,
            end: 0,
            place: crate::place::Place::default(),
            chunk_digest: Digest([0; 32]),
            document_digest: Digest([0; 32]),
            metadata: serde_json::Map::new(),
        }
    }

    fn place(places: &mut Places, record: &ChunkRecord) -> Place {
        let found = places.find(record);
        if found == Place::New {
            places.take(record, Scores { lexical: Some(1.0), dense: None });
        }
        found
    }

    const LONG: &str = "To reset the panel, hold the green button for ten seconds.";

    #[test]
    fn the_headings_that_a_passage_begins_with_make_no_difference() {
        let mut places = Places::default();
        let mut take = |document, title, body: &str| place(&mut places, &chunk(document, title, body));
        assert_eq!(take("a.md", "Panel > Chapter 1", &format!("## Chapter 1\n\n{LONG}")), Place::New);
        let shouted = LONG.to_uppercase();
        assert_eq!(
            take("b.md", "Panel > Chapter 2", &format!("Chapter 2\n=========\n\n{shouted}")),
            Place::Copy(0)
        );
    }

    #[test]
    fn a_passage_has_one_place_under_any_title_and_a_document_too() {
        let mut places = Places::default();
        let mut take = |document, title, body: &str| place(&mut places, &chunk(document, title, body));
        assert_eq!(take("a.txt", "a.txt", LONG), Place::New);
        assert_eq!(take("b.txt", "B > Reset", &format!(" {}\n", LONG.replace(' ', "\n"))), Place::Copy(0));
        let marked = "> To **reset** the `panel`, hold “the green button” for\n> - ten seconds…";
        assert_eq!(take("c.md", "C", marked), Place::Copy(0), "in another format");
        assert_eq!(take("a.txt", "a.txt", "The second passage of the first of the documents."), Place::Taken);
        assert_eq!(
            take("b.txt", "b.txt", "The second passage of the first of the documents."),
            Place::Copy(0),
            "files that are alike throughout have one place"
        );
        assert_eq!(take("b.txt", "b.txt", "What only the second of both documents has to say."), Place::New);
        assert_eq!(places.len(), 2);
    }

    #[test]
    fn a_folder_has_as_many_places_as_it_may() {
        let mut places = Places::new(false, Some(2));
        let mut take = |document: &str, body: &str| place(&mut places, &chunk(document, "", body));
        for (document, found) in [
            ("a/1", Place::New),
            ("a/2", Place::New),
            ("a/3", Place::Full),
            ("a/b/1", Place::New),
            ("1", Place::New),
            ("2", Place::New),
            ("3", Place::Full),
        ] {
            assert_eq!(take(document, &format!("What only {document} has to say.")), found, "{document}");
        }
        assert_eq!(take("a/4", "What only a/1 has to say."), Place::Copy(0), "it is named all the same");
        assert_eq!(take("a/2", "More of the second."), Place::Taken);
    }

    #[test]
    fn a_few_words_are_the_same_under_the_same_title_alone() {
        let mut places = Places::default();
        let mut take = |document, title, body| place(&mut places, &chunk(document, title, body));
        assert_eq!(take("oslo", "Oslo", "9 to 17"), Place::New);
        assert_eq!(take("bergen", "Bergen", "9 to 17"), Place::New);
        assert_eq!(take("oslo-2", "Oslo", "9 to 17"), Place::Copy(0));
        assert_eq!(take("x/a.txt", "a.txt", "Closed."), Place::New);
        assert_eq!(take("x/b.txt", "b.txt", "Closed."), Place::Copy(2));
        let mut apart = Places::new(true, None);
        assert_eq!(place(&mut apart, &chunk("a", "", LONG)), Place::New);
        assert_eq!(place(&mut apart, &chunk("b", "", LONG)), Place::New);
    }
}
