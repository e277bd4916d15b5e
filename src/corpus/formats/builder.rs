//! Puts a readable text together from parts of a file.

use std::borrow::Cow;
use std::ops::Range;

use crate::extract::Marker;
use crate::place::Place;

use crate::corpus::outline::{Extracted, Fields, Heading, Outline, one_line};
use crate::corpus::positions::Positions;

/// A text that grows at its end, with the file's offsets of what is added.
pub(super) struct Builder<'s> {
    source: &'s str,
    pub(super) text: String,
    positions: Positions,
    headings: Vec<Heading>,
    markers: Vec<Marker>,
    blocks: Vec<usize>,
    pub(super) title: Option<String>,
    pub(super) fields: Fields,
}

impl<'s> Builder<'s> {
    pub(super) fn new(source: &'s str) -> Self {
        Builder {
            source,
            text: String::new(),
            positions: Positions::shifted(0),
            headings: Vec::new(),
            markers: Vec::new(),
            blocks: Vec::new(),
            title: None,
            fields: Fields::new(),
        }
    }

    /// Adds this part of the file.
    pub(super) fn push(&mut self, range: Range<usize>) {
        if !range.is_empty() {
            self.text.push_str(&self.source[range.clone()]);
            self.positions.record(self.text.len(), range.len(), range, true);
        }
    }

    /// Adds a text that stands for a part of the file.
    pub(super) fn push_for(&mut self, text: &str, range: Range<usize>) {
        if !text.is_empty() {
            self.text.push_str(text);
            self.positions.record(self.text.len(), text.len(), range, false);
        }
    }

    /// What follows begins on a line of its own.
    pub(super) fn end_line(&mut self) {
        self.end_with(1);
    }

    /// What follows is apart by an empty line.
    pub(super) fn end_paragraph(&mut self) {
        self.end_with(2);
    }

    fn end_with(&mut self, wanted: usize) {
        self.text.truncate(self.text.trim_end_matches([' ', '\t']).len());
        if !self.text.is_empty() {
            let present = self.text.bytes().rev().take(wanted).take_while(|&byte| byte == b'\n').count();
            self.text.push_str(&"\n\n"[2 - wanted + present..]);
        }
    }

    /// The text from `start` on is a heading.
    pub(super) fn end_heading(&mut self, start: usize, level: u8) {
        let title = one_line(&self.text[start.min(self.text.len())..]);
        if title.is_empty() {
            return;
        }
        self.headings.push(Heading { start, end: self.text.len(), level, title });
        self.end_paragraph();
    }

    /// What follows is under no heading of this level or below.
    pub(super) fn end_headings(&mut self, level: u8) {
        let at = self.text.len();
        self.headings.push(Heading { start: at, end: at, level, title: String::new() });
    }

    /// From here on the text stands at this place.
    pub(super) fn mark(&mut self, place: Place) {
        self.markers.push(Marker { start: self.text.len(), place });
    }

    /// A block that should not be cut begins here.
    pub(super) fn begin_block(&mut self) {
        if self.blocks.last() != Some(&self.text.len()) {
            self.blocks.push(self.text.len());
        }
    }

    pub(super) fn finish(mut self) -> Extracted<'static> {
        self.text.truncate(self.text.trim_end().len());
        self.headings.retain(|heading| heading.end <= self.text.len());
        Extracted {
            text: Cow::Owned(self.text),
            positions: self.positions,
            title: self.title.map(|title| one_line(&title)).filter(|title| !title.is_empty()),
            blocks: self.blocks,
            markers: self.markers,
            fields: self.fields,
            ..Extracted::whole("", Outline::with_breaks(self.headings))
        }
    }
}
