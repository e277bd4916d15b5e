//! The answer on the screen, and what was said of its documents.

use std::collections::BTreeMap;

use crate::access::api::{FoundDocument, SearchAnswer, SearchRequest};
use crate::feedback::Verdict;

/// Documents of a page.
pub(super) const PAGE: usize = 20;

/// An answer, with the result that is selected.
#[derive(Debug)]
pub(super) struct Found {
    /// The number of the query.
    pub(super) number: u64,
    pub(super) request: SearchRequest,
    pub(super) answer: SearchAnswer,
    /// Whether it is in the log, or on its way.
    pub(super) is_meant: bool,
    pub(super) selected: usize,
    /// The first result that is shown.
    pub(super) top: usize,
    /// Whether the next page is on its way.
    pub(super) is_growing: bool,
    said: BTreeMap<String, Verdict>,
}

impl Found {
    pub(super) fn new(number: u64, request: SearchRequest, answer: SearchAnswer) -> Found {
        let said = BTreeMap::new();
        let (selected, top) = (0, 0);
        Found { number, request, answer, is_meant: false, selected, top, is_growing: false, said }
    }

    pub(super) fn hits(&self) -> &[FoundDocument] {
        &self.answer.hits
    }

    pub(super) fn hit(&self) -> Option<&FoundDocument> {
        self.answer.hits.get(self.selected)
    }

    /// Takes the answer to the same query that was logged. The selected document stays so.
    pub(super) fn replace(&mut self, answer: SearchAnswer) {
        let name = self.hit().map(|hit| hit.document.clone());
        let rest = self.answer.hits.split_off(self.answer.hits.len().min(PAGE));
        self.answer = answer;
        self.append(rest);
        let found = self.hits().iter().position(|hit| Some(&hit.document) == name.as_ref());
        self.selected = found.unwrap_or(self.selected).min(self.hits().len().saturating_sub(1));
    }

    /// Adds the next page.
    pub(super) fn append(&mut self, hits: Vec<FoundDocument>) {
        self.is_growing = false;
        for hit in hits {
            if !self.hits().iter().any(|one| one.document == hit.document) {
                self.answer.hits.push(hit);
            }
        }
    }

    /// Whether there may be more results.
    pub(super) fn is_cut(&self) -> bool {
        !self.hits().is_empty() && self.hits().len().is_multiple_of(PAGE)
    }

    /// Keeps the selected result on the screen, which has room for so many.
    pub(super) fn keep_in(&mut self, room: usize) {
        let room = room.max(1);
        self.top = self.top.clamp((self.selected + 1).saturating_sub(room), self.selected);
    }

    pub(super) fn said(&self, document: &str) -> Option<Verdict> {
        self.said.get(document).copied()
    }

    /// Notes what is said of a document. Returns what was said before.
    pub(super) fn say(&mut self, document: &str, verdict: Option<Verdict>) -> Option<Verdict> {
        match verdict.filter(|&verdict| verdict != Verdict::Withdrawn) {
            Some(verdict) => self.said.insert(document.to_string(), verdict),
            None => self.said.remove(document),
        }
    }
}
