//! Which titles say what a few passages are about.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::error::Result;
use crate::ids::ChunkSet as _;
use crate::lexical::{ChunkRecord, Forms, Part};
use crate::search::Snapshot;

/// A title that more passages have is the name of a site or a template.
const MOST: u64 = 50;

/// So is one that more than a quarter of all passages have.
const SHARE: u64 = 4;

/// The titles that are subjects: messages of a thread have one, and so have several answers to one question.
#[derive(Default)]
pub(super) struct Subjects(RefCell<HashMap<String, bool>>);

impl Subjects {
    /// Whether a passage's title is a subject: it has two words, and few passages have it.
    pub(super) fn has(&self, passage: &ChunkRecord, snapshot: &Snapshot) -> Result<bool> {
        if !passage.has_telling_title() {
            return Ok(false);
        }
        if let Some(known) = self.0.borrow().get(&passage.title) {
            return Ok(*known);
        }
        // Longer titles with these words count too: that costs a subject at most, and no record is read.
        let titled = snapshot.lexical.with_phrase(&passage.title, Part::Title, Forms::Any)?.len() as u64;
        let is_subject = titled <= MOST && titled * SHARE <= snapshot.lexical.chunk_count();
        self.0.borrow_mut().insert(passage.title.clone(), is_subject);
        Ok(is_subject)
    }
}
