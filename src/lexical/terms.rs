//! The exact terms of a field in one segment.

use std::ops::Bound;
use std::sync::Arc;

use tantivy::postings::TermInfo;
use tantivy::schema::IndexRecordOption;
use tantivy::{BitSet, DocId, InvertedIndexReader, SegmentReader};

use super::facts::path_key;
use super::schema::Fields;

/// The terms of the values of one field, as [`term_of`](super::facts::term_of) makes them.
pub(super) struct FieldTerms {
    index: Arc<InvertedIndexReader>,
    /// What all of them begin with.
    pub(super) key: String,
}

impl FieldTerms {
    pub(super) fn new(segment: &SegmentReader, fields: &Fields, field: &str) -> tantivy::Result<FieldTerms> {
        Ok(FieldTerms { index: segment.inverted_index(fields.facts)?, key: path_key(field) })
    }

    /// Adds the chunks with one term to `docs`, deleted ones included.
    pub(super) fn add_one(&self, term: &str, docs: &mut BitSet) -> tantivy::Result<()> {
        match self.index.terms().get(term)? {
            Some(info) => self.add_chunks(&info, docs),
            None => Ok(()),
        }
    }

    /// Adds the chunks with a term that goes on behind the key like this.
    pub(super) fn add_beginning(&self, beginning: &str, docs: &mut BitSet) -> tantivy::Result<()> {
        self.visit(beginning, &mut |_, info| {
            self.add_chunks(info, docs)?;
            Ok(true)
        })
    }

    /// Adds the chunks with a term of this kind whose value lies within these ends.
    pub(super) fn add_between(
        &self,
        kind: char,
        from: Bound<String>,
        to: Bound<String>,
        docs: &mut BitSet,
    ) -> tantivy::Result<()> {
        let term = |value: String| format!("{}{kind}{value}", self.key).into_bytes();
        let all = term(String::new());
        let from = match from {
            Bound::Unbounded => Bound::Included(all.clone()),
            bound => bound.map(term),
        };
        let to = match to {
            Bound::Unbounded => Bound::Excluded(behind(&all)),
            bound => bound.map(term),
        };
        self.stream(from, to, &mut |_, info| {
            self.add_chunks(info, docs)?;
            Ok(true)
        })
    }

    /// Calls `visit` with every term that goes on behind the key like this, in their order, while it returns
    /// true.
    pub(super) fn visit(
        &self,
        beginning: &str,
        visit: &mut dyn FnMut(&[u8], &TermInfo) -> tantivy::Result<bool>,
    ) -> tantivy::Result<()> {
        let from = format!("{}{beginning}", self.key).into_bytes();
        let to = behind(&from);
        self.stream(Bound::Included(from), Bound::Excluded(to), visit)
    }

    /// Calls `visit` with every chunk that has a term, deleted ones included.
    pub(super) fn visit_chunks(&self, info: &TermInfo, visit: &mut dyn FnMut(DocId)) -> tantivy::Result<()> {
        let mut postings = self.index.read_block_postings_from_terminfo(info, IndexRecordOption::Basic)?;
        while postings.block_len() > 0 {
            postings.docs().iter().for_each(|&doc| visit(doc));
            postings.advance();
        }
        Ok(())
    }

    fn add_chunks(&self, info: &TermInfo, docs: &mut BitSet) -> tantivy::Result<()> {
        self.visit_chunks(info, &mut |doc| {
            docs.insert(doc);
        })
    }

    fn stream(
        &self,
        from: Bound<Vec<u8>>,
        to: Bound<Vec<u8>>,
        visit: &mut dyn FnMut(&[u8], &TermInfo) -> tantivy::Result<bool>,
    ) -> tantivy::Result<()> {
        let terms = self.index.terms().range();
        let terms = match &from {
            Bound::Included(from) => terms.ge(from),
            Bound::Excluded(from) => terms.gt(from),
            Bound::Unbounded => terms,
        };
        let terms = match &to {
            Bound::Included(to) => terms.le(to),
            Bound::Excluded(to) => terms.lt(to),
            Bound::Unbounded => terms,
        };
        let mut stream = terms.into_stream()?;
        while let Some((term, info)) = stream.next() {
            if !visit(term, info)? {
                break;
            }
        }
        Ok(())
    }
}

/// The first term behind all that begin with `beginning`, which is UTF-8 and so has no byte 255.
pub(super) fn behind(beginning: &[u8]) -> Vec<u8> {
    let mut behind = beginning.to_vec();
    if let Some(last) = behind.last_mut() {
        *last += 1;
    }
    behind
}
